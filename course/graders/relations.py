"""How numbers that came out relate to those expected: what an answer that is wrong got right.

A relation is a function of both, in float64, that returns what fills its sentence, or None where it
does not hold.  They stand in tiers, the more telling first; of a tier, only a relation that holds
alone is believed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from course.graders import rearranged, recomputed
from course.graders.rearranged import FEW, Found
from utils.language import N_


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


def of_numbers(got: float, expected: float) -> tuple[str, dict[str, object]] | None:
    """How one number relates to another: as `related`, but with less to go by."""
    whole = isinstance(got, int) and isinstance(expected, int)
    if whole and abs(got - expected) == 1:
        return ("one-too-large" if got > expected else "one-too-small"), {}
    if not (math.isfinite(got) and expected and got):
        return None
    if math.isclose(got, -expected, rel_tol=1e-5):
        return "number-negated", {}
    if not whole and 0 < expected < 1 and math.isclose(got, 1 - expected, rel_tol=1e-5):
        return "rest-to-one", {}
    times, inverse = got / expected, expected / got
    for name, factor in (("times-too-large", times), ("times-too-small", inverse)):
        if 2 <= round(factor) <= 1000 and math.isclose(factor, round(factor), rel_tol=1e-6):
            return name, {"factor": round(factor)}
    return None


def of_texts(got: str, expected: str) -> tuple[str, dict[str, object]] | None:
    """How one text relates to another: what is missing, what is too much."""
    if not got or not expected:
        return ("text-empty", {}) if not got else None
    if got.split() == expected.split():
        return "other-spaces", {}
    for name, whole, part in (("text-too-long", got, expected), ("text-too-short", expected, got)):
        if part in whole:
            before, _part, after = whole.partition(part)
            says = " … ".join(repr(piece[:60]) for piece in (before, after) if piece)
            return name, {"what": says}
    pairs = zip(got, expected, strict=False)
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), 0)
    return ("texts-part", {"until": repr(got[max(0, same - 30) : same])}) if same > 3 else None


TIERS: tuple[tuple[Relation, ...], ...] = (
    (
        Relation("mask-left-out", N_(
            "Right but for what should be hidden: {n} places are open that the mask closes.",
            "가려야 할 곳 말고는 맞습니다. 마스크가 닫은 {n}곳이 열려 있습니다.",
        ), rearranged.mask_left_out),
        Relation("mask-inverted", N_(
            "Just the wrong places are hidden: the mask is the other way round (`~`).",
            "가린 곳과 열린 곳이 정반대입니다. 마스크가 뒤집혔습니다(`~`).",
        ), rearranged.mask_inverted),
        Relation("large-for-minus-inf", N_(
            "Hidden places hold {value}; minus infinity is asked for: `-math.inf`.",
            "가린 곳의 값이 {value}입니다. 음의 무한대 `-math.inf`이어야 합니다.",
        ), rearranged.large_for_inf),
        Relation("zero-for-minus-inf", N_(
            "Hidden places hold 0; minus infinity is asked for, as exp(0) is 1, not 0.",
            "가린 곳의 값이 0입니다. exp(0)은 1이므로 음의 무한대이어야 합니다.",
        ), rearranged.zero_for_inf),
    ),
    (
        Relation("other-places-hidden", N_(
            "The numbers are right, but other places are hidden: {more} too many, {less} too few.",
            "숫자는 맞지만 가린 곳이 다릅니다. {more}곳을 더 가렸고 {less}곳을 덜 가렸습니다.",
        ), rearranged.other_places_hidden),
    ),
    (
        Relation("axes-swapped", N_(
            "The numbers are right, but axes {a} and {b} are swapped: `.transpose({a}, {b})`.",
            "숫자는 맞지만 {a}번 축과 {b}번 축이 바뀌었습니다. `.transpose({a}, {b})`.",
        ), rearranged.axes_swapped),
        Relation("axes-in-other-order", N_(
            "The numbers are right, but the axes stand in another order: {order} of what they "
            "should be.",
            "숫자는 맞지만 축의 순서가 다릅니다. 있어야 할 축의 {order} 순서로 놓였습니다.",
        ), rearranged.axes_in_other_order),
        Relation("axes-mixed", N_(
            "The shape is right, but axes {a} and {b} got mixed: `view` and `reshape` do not "
            "move numbers. Use `transpose` for that.",
            "모양은 맞지만 {a}번 축과 {b}번 축이 섞였습니다. `view`와 `reshape`는 숫자를 옮기지 "
            "않습니다. `transpose`를 쓰세요.",
        ), rearranged.axes_mixed),
        Relation("reversed", N_(
            "The numbers are right, but reversed along axis {axis}.",
            "숫자는 맞지만 {axis}번 축을 따라 거꾸로입니다.",
        ), rearranged.reversed),
        Relation("shifted", N_(
            "The numbers are right, but shifted by {by} along axis {axis}.",
            "숫자는 맞지만 {axis}번 축을 따라 {by}만큼 밀렸습니다.",
        ), recomputed.shifted),
        Relation("other-shape", N_(
            "The numbers are right, but the shape is {got}; it should be {expected}.",
            "숫자는 맞지만 모양이 {got}입니다. {expected}이어야 합니다.",
        ), rearranged.other_shape),
    ),
    (
        Relation("too-short", N_(
            "What came out is right, but along axis {axis} it is {n} too short.",
            "나온 것은 맞지만 {axis}번 축을 따라 {n}개가 모자랍니다.",
        ), lambda got, expected: rearranged.only(rearranged.cut(got, expected))),
        Relation("too-long", N_(
            "All that is expected is in it, but along axis {axis} there are {n} too many.",
            "기대한 것이 모두 들어 있지만 {axis}번 축을 따라 {n}개가 더 있습니다.",
        ), lambda got, expected: rearranged.only(rearranged.cut(expected, got))),
        Relation("one-of-axis", N_(
            "Only number {index} (from 0) of axis {axis} came out. All of them are asked for.",
            "{axis}번 축에서 (0부터 세어) {index}번만 나왔습니다. 모두 돌려주어야 합니다.",
        ), rearranged.one_of_axis),
        *(
            Relation(name, says, rearranged.taken_over(reduce))
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
        ), recomputed.negated),
        Relation("log-too-many", N_(
            "That is the logarithm of what is expected.", "기대한 값에 로그를 취한 것입니다.",
        ), recomputed.made_by(torch.log)),
        Relation("exp-too-many", N_(
            "That is exp of what is expected.", "기대한 값에 exp를 취한 것입니다.",
        ), recomputed.made_by(torch.exp)),
        Relation("without-sign", N_(
            "Right but for the sign: every number came out positive.",
            "부호 말고는 맞습니다. 모든 숫자가 양수로 나왔습니다.",
        ), recomputed.made_by(torch.abs)),
        Relation("squared", N_(
            "Every number is the square of what it should be.",
            "모든 숫자가 기대한 값의 제곱입니다.",
        ), recomputed.made_by(torch.square)),
        Relation("square-root", N_(
            "Every number is the square root of what it should be.",
            "모든 숫자가 기대한 값의 제곱근입니다.",
        ), recomputed.made_by(torch.sqrt)),
        Relation("turned-over", N_(
            "Every number is 1 divided by what it should be.",
            "모든 숫자가 1을 기대한 값으로 나눈 것입니다.",
        ), recomputed.made_by(torch.reciprocal)),
        Relation("softmax-missing", N_(
            "Softmax along axis {axis} would make it right: scores came out, probabilities are "
            "asked for.",
            "{axis}번 축으로 소프트맥스를 하면 맞습니다. 점수가 나왔는데 확률이 필요합니다.",
        ), recomputed.missing(torch.softmax)),
        Relation("softmax-too-many", N_(
            "There is one softmax too many, along axis {axis}.",
            "{axis}번 축의 소프트맥스를 한 번 더 했습니다.",
        ), recomputed.too_many(torch.softmax)),
        Relation("not-normalised", N_(
            "Divide by the length along axis {axis} (the norm), and it is right.",
            "{axis}번 축의 크기(노름)로 나누면 맞습니다.",
        ), recomputed.missing(recomputed.norm)),
        Relation("normalised", N_(
            "Every row along axis {axis} was divided by its length (the norm); it should not be.",
            "{axis}번 축을 따라 크기(노름)로 나누었습니다. 나누지 말아야 합니다.",
        ), recomputed.too_many(recomputed.norm)),
    ),
    (
        Relation("sums-not-one", N_(
            "Along axis {axis} the numbers add up to {sum}; they should add up to 1.",
            "{axis}번 축을 따라 더하면 {sum}입니다. 1이어야 합니다.",
        ), recomputed.sums_not_one),
        Relation("sums-along-other-axis", N_(
            "The numbers add up to 1 along axis {other}; they should along axis {axis}.",
            "{other}번 축을 따라 더하면 1입니다. {axis}번 축을 따라 1이어야 합니다.",
        ), recomputed.sums_along_other_axis),
    ),
    (
        Relation("too-large-by", N_(
            "Every number is {factor} times too large. What do you divide by, or multiply with?",
            "모든 숫자가 {factor}배 큽니다. 무엇으로 나누거나 곱하나요?",
        ), recomputed.too_large),
        Relation("too-small-by", N_(
            "Every number is {factor} times too small. What do you divide by, or multiply with?",
            "모든 숫자가 {factor}배 작습니다. 무엇으로 나누거나 곱하나요?",
        ), recomputed.too_small),
        Relation("offset", N_(
            "Every number differs by the same {value}.",
            "모든 숫자가 똑같이 {value}만큼 다릅니다.",
        ), recomputed.offset),
    ),
    (
        Relation("factor-by-row", N_(
            "Right up to a factor for every row along axis {axis}: by what is each row divided?",
            "{axis}번 축을 따라 줄마다 곱한 수만 다릅니다. 줄마다 무엇으로 나누나요?",
        ), recomputed.by_row(lambda got, expected: got / expected)),
        Relation("offset-by-row", N_(
            "Right up to a number added to every row along axis {axis}.",
            "{axis}번 축을 따라 줄마다 더한 수만 다릅니다.",
        ), recomputed.by_row(lambda got, expected: got - expected)),
        Relation("rounded", N_(
            "The numbers were rounded to whole ones.", "숫자를 정수로 만들었습니다.",
        ), recomputed.rounded),
        Relation("imprecise", N_(
            "Right to two or three digits only: was something rounded, or computed in half "
            "precision?",
            "두세 자리까지만 맞습니다. 반올림했거나 반정밀도로 계산했나요?",
        ), recomputed.imprecise),
    ),
    (
        Relation("other-order", N_(
            "All the right numbers are there, but in another order.",
            "숫자는 모두 있지만 순서가 다릅니다.",
        ), recomputed.other_order),
    ),
    (
        Relation("only-first-right", N_(
            "Only the first along axis {axis} is right, and everything after it wrong.",
            "{axis}번 축에서 처음만 맞고 그 뒤는 모두 틀립니다.",
        ), recomputed.right_at(lambda fine: fine[0] and not any(fine[1:]))),
        Relation("only-last-right", N_(
            "Only the last along axis {axis} is right, and everything before it wrong.",
            "{axis}번 축에서 마지막만 맞고 그 앞은 모두 틀립니다.",
        ), recomputed.right_at(lambda fine: fine[-1] and not any(fine[:-1]))),
        Relation("first-wrong", N_(
            "Only the first along axis {axis} is wrong.", "{axis}번 축에서 처음만 틀립니다.",
        ), recomputed.right_at(lambda fine: not fine[0] and all(fine[1:]))),
        Relation("last-wrong", N_(
            "Only the last along axis {axis} is wrong.", "{axis}번 축에서 마지막만 틀립니다.",
        ), recomputed.right_at(lambda fine: not fine[-1] and all(fine[:-1]))),
        Relation("wrong-from", N_(
            "Along axis {axis} all is right up to number {index} (from 0), and wrong from there.",
            "{axis}번 축에서 (0부터 세어) {index}번 앞까지 맞고 거기서부터 틀립니다.",
        ), recomputed.right_at(
            lambda fine: 1 < sum(fine) < len(fine) - 1 and fine == sorted(fine, reverse=True)
        )),
    ),
)  # fmt: skip

SINGLE = {
    "one-too-large": N_("That is one too many.", "하나가 많습니다."),
    "one-too-small": N_("That is one too few.", "하나가 모자랍니다."),
    "number-negated": N_("The sign is wrong.", "부호가 반대입니다."),
    "rest-to-one": N_(
        "That is 1 minus what is expected.", "1에서 기대한 값을 뺀 값입니다.",
    ),
    "times-too-large": N_(
        "That is {factor} times what is expected. What is counted too often, or not divided by?",
        "기대한 값의 {factor}배입니다. 무엇을 여러 번 셌거나, 나누지 않았나요?",
    ),
    "times-too-small": N_(
        "What is expected is {factor} times as much. What is left out, or divided by?",
        "기대한 값은 이것의 {factor}배입니다. 무엇을 빠뜨렸거나, 잘못 나누었나요?",
    ),
    "text-empty": N_("The text is empty.", "글이 비어 있습니다."),
    "other-spaces": N_(
        "The words are right, but spaces or line breaks differ.",
        "낱말은 맞지만 공백이나 줄바꿈이 다릅니다.",
    ),
    "text-too-long": N_(
        "All that is expected is in the text, but also this: {what}.",
        "기대한 글이 모두 있지만 이것도 더 있습니다: {what}.",
    ),
    "text-too-short": N_(
        "What there is of the text is right; this is missing: {what}.",
        "나온 글은 맞지만 이것이 빠졌습니다: {what}.",
    ),
    "texts-part": N_(
        "The text is right up to {until}, and another one from there.",
        "글이 {until}까지는 맞고 거기서부터 다릅니다.",
    ),
}  # fmt: skip
"""What is said of one number, or one text, that came out in place of another."""

DIAGNOSES = {relation.name: relation.says for tier in TIERS for relation in tier} | SINGLE
"""The sentence of every relation, by its name."""
