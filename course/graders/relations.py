"""How numbers that came out relate to those expected: what an answer that is wrong got right.

A relation is a function of both, in float64, that returns what fills its sentence, or None where it
does not hold.  They stand in tiers, the more telling first; of a tier, only a relation that holds
alone is believed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import torch
from torch import Tensor

from utils.language import N_

Found = dict[str, object] | None
TOLERANCE: dict[str, Any] = {"atol": 1e-6, "rtol": 1e-4}
FEW = 3  # numbers: with fewer, almost anything relates to anything


@dataclass(frozen=True)
class Relation:
    """A way in which one tensor can come from another, and what is said then."""

    name: str
    says: str
    find: Callable[[Tensor, Tensor], Found]


def related(got: Tensor, expected: Tensor) -> tuple[str, dict[str, object]] | None:
    """The name of the relation that fits what came out, and its sentence's values; None if none.

    Both are tensors of numbers that differ.
    """
    if got.is_complex() or got.is_meta or not got.numel() or expected.numel() < FEW:
        return None
    got, expected = (tensor.detach().cpu().double() for tensor in (got, expected))
    if got.isnan().any():
        return None
    for tier in TIERS:
        hits = [(each.name, found) for each in tier if (found := each.find(got, expected))]
        if len(hits) == 1:
            return hits[0]
        if hits:
            return None
    return None


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, equal_nan=True, **TOLERANCE)


def _alike(got: Tensor, expected: Tensor) -> bool:
    return got.shape == expected.shape


def _only(hits: Iterator[dict[str, object]]) -> Found:
    """The hit, where there is but one."""
    found = list(hits)
    return found[0] if len(found) == 1 else None


# Where numbers are hidden: -inf among scores, 0 among weights
def _closed(tensor: Tensor) -> Tensor:
    return tensor == -torch.inf if (tensor == -torch.inf).any() else tensor == 0


def _masked(got: Tensor, expected: Tensor) -> tuple[Tensor, Tensor] | None:
    """Where what is expected is closed, and where what came out is; None if nothing is."""
    if not _alike(got, expected):
        return None
    hidden = _closed(expected)
    if not hidden.any() or hidden.all():
        return None
    scores = bool((expected == -torch.inf).any())
    return hidden, (got == -torch.inf) if scores else (got == 0)


def _mask_left_out(got: Tensor, expected: Tensor) -> Found:
    where = _masked(got, expected)
    if where is None or where[1].any():
        return None
    hidden = where[0]
    if (expected == -torch.inf).any():
        kept = got.masked_fill(hidden, -torch.inf)
        inside = got[hidden].abs()
        return (
            {"n": int(hidden.sum())}
            if _close(kept, expected) and inside.max() < 1e3 and (inside.max() > 0)
            else None
        )
    kept = got.masked_fill(hidden, 0)
    sums = kept.sum(-1, keepdim=True)
    fits = bool((sums > 0).all()) and _close(
        kept / sums, expected / expected.sum(-1, keepdim=True).clamp_min(1e-30)
    )
    return {"n": int(hidden.sum())} if fits else None


def _mask_inverted(got: Tensor, expected: Tensor) -> Found:
    where = _masked(got, expected)
    return {"n": 0} if where and torch.equal(where[1], ~where[0]) else None


def _large_for_inf(got: Tensor, expected: Tensor) -> Found:
    hidden = expected == -torch.inf
    if not _alike(got, expected) or not hidden.any() or (got == -torch.inf).any():
        return None
    instead = got[hidden]
    fits = _close(got.masked_fill(hidden, -torch.inf), expected) and instead.max() <= -1e3
    return {"value": f"{instead[0].item():g}"} if fits else None


def _zero_for_inf(got: Tensor, expected: Tensor) -> Found:
    hidden = expected == -torch.inf
    if not _alike(got, expected) or not hidden.any() or got[hidden].any():
        return None
    return {"n": 0} if _close(got.masked_fill(hidden, -torch.inf), expected) else None


def _other_places_hidden(got: Tensor, expected: Tensor) -> Found:
    if not _alike(got, expected):
        return None
    hidden, mine = expected == -torch.inf, got == -torch.inf
    both = ~hidden & ~mine
    if torch.equal(hidden, mine) or not mine.any() or not both.any():
        return None
    if not torch.allclose(got[both], expected[both], **TOLERANCE):
        return None
    return {"more": int((mine & ~hidden).sum()), "less": int((hidden & ~mine).sum())}


# The same numbers, elsewhere
def _axes_swapped(got: Tensor, expected: Tensor) -> Found:
    return _only(
        {"a": a, "b": b}
        for a, b in combinations(range(expected.dim()), 2)
        if _close(got, expected.transpose(a, b))
    )


def _axes_in_other_order(got: Tensor, expected: Tensor) -> Found:
    if expected.dim() not in (3, 4):
        return None
    orders = [
        order
        for order in permutations(range(expected.dim()))
        if sum(place != axis for place, axis in enumerate(order)) > 2
    ]
    return _only({"order": o} for o in orders if _close(got, expected.permute(o)))


def _axes_mixed(got: Tensor, expected: Tensor) -> Found:
    """`view` where `transpose` was needed: the right shape, but the numbers in reading order."""
    if not _alike(got, expected):
        return None
    return _only(
        {"a": a, "b": b}
        for a, b in combinations(range(expected.dim()), 2)
        if min(expected.shape[a], expected.shape[b]) > 1
        and not _close(got, expected.transpose(a, b))
        and _close(got.flatten(), expected.transpose(a, b).flatten())
    )


def _reversed(got: Tensor, expected: Tensor) -> Found:
    return _only({"axis": a} for a in range(expected.dim()) if _close(got, expected.flip(a)))


def _shifted(got: Tensor, expected: Tensor) -> Found:
    """Everything one place on along an axis, whatever came in at the end that is left free."""
    if not _alike(got, expected) or _offset(got, expected):
        return None

    def hits() -> Iterator[dict[str, object]]:
        for axis, length in enumerate(expected.shape):
            if length < FEW:
                continue
            for by in (1, -1):
                here = got.narrow(axis, max(by, 0), length - 1)
                there = expected.narrow(axis, max(-by, 0), length - 1)
                if _close(here, there):
                    yield {"axis": axis, "by": f"{by:+d}"}

    return _only(hits())


def _other_shape(got: Tensor, expected: Tensor) -> Found:
    if _alike(got, expected) or not _close(got.flatten(), expected.flatten()):
        return None
    return {"got": list(got.shape), "expected": list(expected.shape)}


def _cut(got: Tensor, expected: Tensor) -> Iterator[dict[str, object]]:
    """`got` as a beginning or an end of `expected`, along one axis."""
    if got.dim() != expected.dim():
        return
    for axis, (mine, whole) in enumerate(zip(got.shape, expected.shape, strict=True)):
        if 0 < mine < whole:
            if _close(got, expected.narrow(axis, 0, mine)):
                yield {"axis": axis, "n": whole - mine}
            if _close(got, expected.narrow(axis, whole - mine, mine)):
                yield {"axis": axis, "n": whole - mine}


# One part of it, or what an axis comes to
def _one_of_axis(got: Tensor, expected: Tensor) -> Found:
    def hits() -> Iterator[dict[str, object]]:
        for axis, length in enumerate(expected.shape):
            for index in range(length) if 1 < length <= 64 else ():
                part = expected.select(axis, index)
                if _close(got, part) or _close(got, part.unsqueeze(axis)):
                    yield {"axis": axis, "index": index}

    return _only(hits())


def _taken_over(reduce: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        return _only(
            {"axis": axis}
            for axis, length in enumerate(expected.shape)
            if length > 1
            and any(_close(got, reduce(expected, axis, keepdim=kept)) for kept in (True, False))
        )

    return find


# The same but for a function of each number, or of a row
def _made_by(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        made = function(expected)
        fits = _alike(got, expected) and _close(got, made) and not _close(made, expected)
        return {"n": 0} if fits and not made.isnan().any() else None

    return find


def _missing(function: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    """`function` along an axis of what came out would give what is expected."""

    def find(got: Tensor, expected: Tensor) -> Found:
        if not _alike(got, expected):
            return None
        return _only(
            {"axis": axis}
            for axis, length in enumerate(got.shape)
            if length > 1 and _close(function(got, axis), expected)
        )

    return find


def _too_many(function: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        if not _alike(got, expected):
            return None
        return _only(
            {"axis": axis}
            for axis, length in enumerate(got.shape)
            if length > 1 and _close(got, function(expected, axis))
        )

    return find


def _adds_up(tensor: Tensor, axis: int) -> float | None:
    """What every row along an axis adds up to; None where they differ or some are negative."""
    sums = tensor.sum(axis)
    alike = bool((tensor >= 0).all()) and torch.allclose(sums, sums.flatten()[0], **TOLERANCE)
    return sums.flatten()[0].item() if alike else None


def _one(total: float | None) -> bool:
    return total is not None and abs(total - 1) < 1e-4


def _sums_along_other_axis(got: Tensor, expected: Tensor) -> Found:
    if not _alike(got, expected):
        return None
    axes = [axis for axis, length in enumerate(expected.shape) if length > 1]
    return _only(
        {"axis": right, "other": wrong}
        for right in axes
        for wrong in axes
        if right != wrong
        and _one(_adds_up(expected, right))
        and not _one(_adds_up(got, right))
        and _one(_adds_up(got, wrong))
    )


def _sums_not_one(got: Tensor, expected: Tensor) -> Found:
    if not _alike(got, expected) or (got < 0).any():
        return None
    return _only(
        {"axis": axis, "sum": f"{total:.3g}"}
        for axis, length in enumerate(expected.shape)
        if length > 1
        and _one(_adds_up(expected, axis))
        and (total := _adds_up(got, axis)) is not None
        and not _one(total)
    )


def _ratio(got: Tensor, expected: Tensor) -> float | None:
    """The number that all of `expected` was multiplied by; None if there is none, or it is -1."""
    if not _alike(got, expected):
        return None
    finite = expected.isfinite() & (expected != 0)
    if finite.sum() < FEW or not torch.equal(got.isfinite(), expected.isfinite()):
        return None
    if expected[finite].max() - expected[finite].min() < 1e-3 * expected[finite].abs().max():
        return None  # all the same: a factor or an offset, who knows
    largest = expected.where(finite, 0).abs().flatten().argmax()
    ratio = (got.flatten()[largest] / expected.flatten()[largest]).item()
    fits = torch.allclose(got[finite], ratio * expected[finite], atol=1e-7, rtol=1e-3)
    rest = ~finite & (expected == 0)
    return ratio if fits and ratio and not got[rest].any() else None


def _too_large(got: Tensor, expected: Tensor) -> Found:
    ratio = _ratio(got, expected)
    return {"factor": f"{ratio:.3g}"} if ratio and abs(ratio) > 1.001 else None


def _too_small(got: Tensor, expected: Tensor) -> Found:
    ratio = _ratio(got, expected)
    return {"factor": f"{1 / ratio:.3g}"} if ratio and abs(ratio) < 0.999 else None


def _negated(got: Tensor, expected: Tensor) -> Found:
    ratio = _ratio(got, expected)
    return {"n": 0} if ratio and abs(ratio + 1) <= 0.001 else None


def _offset(got: Tensor, expected: Tensor) -> Found:
    if not _alike(got, expected) or not torch.equal(got.isfinite(), expected.isfinite()):
        return None
    finite = expected.isfinite()
    wanted = expected[finite]
    if len(wanted) < FEW or wanted.max() - wanted.min() < 1e-3 * wanted.abs().max():
        return None
    steps = got[finite] - wanted
    fits = torch.allclose(steps, steps[0], atol=1e-5, rtol=1e-3) and steps[0].abs() > 1e-4
    return {"value": f"{steps[0].item():+.4g}"} if fits else None


def _by_row(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        if not _alike(got, expected) or expected.dim() < 2:
            return None
        if not (got.isfinite().all() and expected.isfinite().all()) or (expected == 0).any():
            return None

        def hits() -> Iterator[dict[str, object]]:
            steps = change(got, expected)
            for axis, length in enumerate(expected.shape):
                first = steps.narrow(axis, 0, 1)
                if length >= FEW and torch.allclose(
                    steps, first.expand_as(steps), atol=1e-5, rtol=1e-3
                ):
                    yield {"axis": axis}

        return _only(hits())

    return find


# Right in places
def _right_along(got: Tensor, expected: Tensor) -> Iterator[tuple[int, list[bool]]]:
    """For each axis of some length, at which of its places everything is right."""
    if not _alike(got, expected):
        return
    fine = torch.isclose(got, expected, **TOLERANCE)
    for axis, length in enumerate(expected.shape):
        if length > 2:
            places = fine.movedim(axis, 0).reshape(length, -1).all(1).tolist()
            if any(places) and not all(places):
                yield axis, places


def _right_at(pattern: Callable[[list[bool]], bool]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        return _only(
            {"axis": axis, "index": places.index(not places[0])}
            for axis, places in _right_along(got, expected)
            if pattern(places)
        )

    return find


def _other_order(got: Tensor, expected: Tensor) -> Found:
    if got.numel() != expected.numel() or len(expected.unique()) < FEW:
        return None
    fits = _close(got.flatten().sort().values, expected.flatten().sort().values)
    return {"n": 0} if fits else None


def _imprecise(got: Tensor, expected: Tensor) -> Found:
    if not _alike(got, expected) or not torch.equal(got.isfinite(), expected.isfinite()):
        return None
    size = expected[expected.isfinite()].abs().max() if expected.isfinite().any() else 0
    fits = size and torch.allclose(got, expected, atol=float(2e-3 * size), rtol=1e-2)
    return {"n": 0} if fits else None


def _whole(tensor: Tensor) -> bool:
    return bool((tensor == tensor.round()).all())


def _rounded(got: Tensor, expected: Tensor) -> Found:
    fits = _alike(got, expected) and _whole(got) and not _whole(expected)
    fits = fits and len(got.unique()) >= FEW and bool((got - expected).abs().max() < 1)
    return {"n": 0} if fits else None


def _norm(tensor: Tensor, axis: int) -> Tensor:
    return tensor / tensor.norm(dim=axis, keepdim=True)


def _share(tensor: Tensor, axis: int) -> Tensor:
    return tensor / tensor.sum(axis, keepdim=True)


TIERS: tuple[tuple[Relation, ...], ...] = (
    (
        Relation("mask-left-out", N_(
            "Right but for what should be hidden: {n} places are open that the mask closes.",
            "가려야 할 곳 말고는 맞습니다. 마스크가 닫은 {n}곳이 열려 있습니다.",
        ), _mask_left_out),
        Relation("mask-inverted", N_(
            "Just the wrong places are hidden: the mask is the other way round (`~`).",
            "가린 곳과 열린 곳이 정반대입니다. 마스크가 뒤집혔습니다(`~`).",
        ), _mask_inverted),
        Relation("large-for-minus-inf", N_(
            "Hidden places hold {value}; minus infinity is asked for: `-math.inf`.",
            "가린 곳의 값이 {value}입니다. 음의 무한대 `-math.inf`이어야 합니다.",
        ), _large_for_inf),
        Relation("zero-for-minus-inf", N_(
            "Hidden places hold 0; minus infinity is asked for, as exp(0) is 1, not 0.",
            "가린 곳의 값이 0입니다. exp(0)은 1이므로 음의 무한대이어야 합니다.",
        ), _zero_for_inf),
    ),
    (
        Relation("other-places-hidden", N_(
            "The numbers are right, but other places are hidden: {more} too many, {less} too few.",
            "숫자는 맞지만 가린 곳이 다릅니다. {more}곳을 더 가렸고 {less}곳을 덜 가렸습니다.",
        ), _other_places_hidden),
    ),
    (
        Relation("axes-swapped", N_(
            "The numbers are right, but axes {a} and {b} are swapped: `.transpose({a}, {b})`.",
            "숫자는 맞지만 {a}번 축과 {b}번 축이 바뀌었습니다. `.transpose({a}, {b})`.",
        ), _axes_swapped),
        Relation("axes-in-other-order", N_(
            "The numbers are right, but the axes stand in another order: {order} of what they "
            "should be.",
            "숫자는 맞지만 축의 순서가 다릅니다. 있어야 할 축의 {order} 순서로 놓였습니다.",
        ), _axes_in_other_order),
        Relation("axes-mixed", N_(
            "The shape is right, but axes {a} and {b} got mixed: `view` and `reshape` do not "
            "move numbers. Use `transpose` for that.",
            "모양은 맞지만 {a}번 축과 {b}번 축이 섞였습니다. `view`와 `reshape`는 숫자를 옮기지 "
            "않습니다. `transpose`를 쓰세요.",
        ), _axes_mixed),
        Relation("reversed", N_(
            "The numbers are right, but reversed along axis {axis}.",
            "숫자는 맞지만 {axis}번 축을 따라 거꾸로입니다.",
        ), _reversed),
        Relation("shifted", N_(
            "The numbers are right, but shifted by {by} along axis {axis}.",
            "숫자는 맞지만 {axis}번 축을 따라 {by}만큼 밀렸습니다.",
        ), _shifted),
        Relation("other-shape", N_(
            "The numbers are right, but the shape is {got}; it should be {expected}.",
            "숫자는 맞지만 모양이 {got}입니다. {expected}이어야 합니다.",
        ), _other_shape),
    ),
    (
        Relation("too-short", N_(
            "What came out is right, but along axis {axis} it is {n} too short.",
            "나온 것은 맞지만 {axis}번 축을 따라 {n}개가 모자랍니다.",
        ), lambda got, expected: _only(_cut(got, expected))),
        Relation("too-long", N_(
            "All that is expected is in it, but along axis {axis} there are {n} too many.",
            "기대한 것이 모두 들어 있지만 {axis}번 축을 따라 {n}개가 더 있습니다.",
        ), lambda got, expected: _only(_cut(expected, got))),
        Relation("one-of-axis", N_(
            "Only number {index} (from 0) of axis {axis} came out. All of them are asked for.",
            "{axis}번 축에서 (0부터 세어) {index}번만 나왔습니다. 모두 돌려주어야 합니다.",
        ), _one_of_axis),
        *(
            Relation(name, says, _taken_over(reduce))
            for name, says, reduce in (
                ("added-over-axis", N_(
                    "That is the sum over axis {axis} of what is expected. Leave the axis.",
                    "기대한 것을 {axis}번 축에서 더한 값입니다. 그 축은 남겨 두세요.",
                ), torch.sum),
                ("averaged-over-axis", N_(
                    "That is the mean over axis {axis} of what is expected. Leave the axis.",
                    "기대한 것을 {axis}번 축에서 평균한 값입니다. 그 축은 남겨 두세요.",
                ), torch.mean),
                ("largest-of-axis", N_(
                    "That is the maximum over axis {axis} of what is expected. Leave the axis.",
                    "기대한 것의 {axis}번 축 최댓값입니다. 그 축은 남겨 두세요.",
                ), torch.amax),
            )
        ),
    ),
    (
        Relation("negated", N_(
            "Every number has the wrong sign.", "모든 숫자의 부호가 반대입니다.",
        ), _negated),
        Relation("log-too-many", N_(
            "That is the logarithm of what is expected.", "기대한 값에 로그를 취한 것입니다.",
        ), _made_by(torch.log)),
        Relation("exp-too-many", N_(
            "That is exp of what is expected.", "기대한 값에 exp를 취한 것입니다.",
        ), _made_by(torch.exp)),
        Relation("without-sign", N_(
            "Right but for the sign: every number came out positive.",
            "부호 말고는 맞습니다. 모든 숫자가 양수로 나왔습니다.",
        ), _made_by(torch.abs)),
        Relation("squared", N_(
            "Every number is the square of what it should be.",
            "모든 숫자가 기대한 값의 제곱입니다.",
        ), _made_by(torch.square)),
        Relation("square-root", N_(
            "Every number is the square root of what it should be.",
            "모든 숫자가 기대한 값의 제곱근입니다.",
        ), _made_by(torch.sqrt)),
        Relation("turned-over", N_(
            "Every number is 1 divided by what it should be.",
            "모든 숫자가 1을 기대한 값으로 나눈 것입니다.",
        ), _made_by(torch.reciprocal)),
        Relation("softmax-missing", N_(
            "Softmax along axis {axis} would make it right: scores came out, probabilities are "
            "asked for.",
            "{axis}번 축으로 소프트맥스를 하면 맞습니다. 점수가 나왔는데 확률이 필요합니다.",
        ), _missing(torch.softmax)),
        Relation("softmax-too-many", N_(
            "There is one softmax too many, along axis {axis}.",
            "{axis}번 축의 소프트맥스를 한 번 더 했습니다.",
        ), _too_many(torch.softmax)),
        Relation("not-normalised", N_(
            "Divide by the length along axis {axis} (the norm), and it is right.",
            "{axis}번 축의 크기(노름)로 나누면 맞습니다.",
        ), _missing(_norm)),
        Relation("normalised", N_(
            "Every row along axis {axis} was divided by its length (the norm); it should not be.",
            "{axis}번 축을 따라 크기(노름)로 나누었습니다. 나누지 말아야 합니다.",
        ), _too_many(_norm)),
    ),
    (
        Relation("sums-not-one", N_(
            "Along axis {axis} the numbers add up to {sum}; they should add up to 1.",
            "{axis}번 축을 따라 더하면 {sum}입니다. 1이어야 합니다.",
        ), _sums_not_one),
        Relation("sums-along-other-axis", N_(
            "The numbers add up to 1 along axis {other}; they should along axis {axis}.",
            "{other}번 축을 따라 더하면 1입니다. {axis}번 축을 따라 1이어야 합니다.",
        ), _sums_along_other_axis),
    ),
    (
        Relation("too-large-by", N_(
            "Every number is {factor} times too large. What do you divide by, or multiply with?",
            "모든 숫자가 {factor}배 큽니다. 무엇으로 나누거나 곱하나요?",
        ), _too_large),
        Relation("too-small-by", N_(
            "Every number is {factor} times too small. What do you divide by, or multiply with?",
            "모든 숫자가 {factor}배 작습니다. 무엇으로 나누거나 곱하나요?",
        ), _too_small),
        Relation("offset", N_(
            "Every number differs by the same {value}.",
            "모든 숫자가 똑같이 {value}만큼 다릅니다.",
        ), _offset),
    ),
    (
        Relation("factor-by-row", N_(
            "Right up to a factor for every row along axis {axis}: by what is each row divided?",
            "{axis}번 축을 따라 줄마다 곱한 수만 다릅니다. 줄마다 무엇으로 나누나요?",
        ), _by_row(lambda got, expected: got / expected)),
        Relation("offset-by-row", N_(
            "Right up to a number added to every row along axis {axis}.",
            "{axis}번 축을 따라 줄마다 더한 수만 다릅니다.",
        ), _by_row(lambda got, expected: got - expected)),
        Relation("rounded", N_(
            "The numbers were rounded to whole ones.", "숫자를 정수로 만들었습니다.",
        ), _rounded),
        Relation("imprecise", N_(
            "Right to two or three digits only: was something rounded, or computed in half "
            "precision?",
            "두세 자리까지만 맞습니다. 반올림했거나 반정밀도로 계산했나요?",
        ), _imprecise),
    ),
    (
        Relation("other-order", N_(
            "All the right numbers are there, but in another order.",
            "숫자는 모두 있지만 순서가 다릅니다.",
        ), _other_order),
    ),
    (
        Relation("only-first-right", N_(
            "Only the first along axis {axis} is right, and everything after it wrong.",
            "{axis}번 축에서 처음만 맞고 그 뒤는 모두 틀립니다.",
        ), _right_at(lambda fine: fine[0] and not any(fine[1:]))),
        Relation("only-last-right", N_(
            "Only the last along axis {axis} is right, and everything before it wrong.",
            "{axis}번 축에서 마지막만 맞고 그 앞은 모두 틀립니다.",
        ), _right_at(lambda fine: fine[-1] and not any(fine[:-1]))),
        Relation("first-wrong", N_(
            "Only the first along axis {axis} is wrong.", "{axis}번 축에서 처음만 틀립니다.",
        ), _right_at(lambda fine: not fine[0] and all(fine[1:]))),
        Relation("last-wrong", N_(
            "Only the last along axis {axis} is wrong.", "{axis}번 축에서 마지막만 틀립니다.",
        ), _right_at(lambda fine: not fine[-1] and all(fine[:-1]))),
        Relation("wrong-from", N_(
            "Along axis {axis} all is right up to number {index} (from 0), and wrong from there.",
            "{axis}번 축에서 (0부터 세어) {index}번 앞까지 맞고 거기서부터 틀립니다.",
        ), _right_at(
            lambda fine: 1 < sum(fine) < len(fine) - 1 and fine == sorted(fine, reverse=True)
        )),
    ),
)  # fmt: skip

DIAGNOSES = {relation.name: relation.says for tier in TIERS for relation in tier}
"""The sentence of every relation, by its name."""
