"""Ways in which other numbers can come from the right ones: one step more or less, a factor, a sum.

As in `course.graders.rearranged`, each gives what fills its sentence, or None.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from course.graders.rearranged import FEW, TOLERANCE, Found, alike, close, only


def made_by(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        made = function(expected)
        fits = alike(got, expected) and close(got, made) and not close(made, expected)
        return {"n": 0} if fits and not made.isnan().any() else None

    return find


def missing(function: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    """`function` along an axis of what came out would give what is expected."""

    def find(got: Tensor, expected: Tensor) -> Found:
        if not alike(got, expected):
            return None
        return only(
            {"axis": axis}
            for axis, length in enumerate(got.shape)
            if length > 1 and close(function(got, axis), expected)
        )

    return find


def too_many(function: Callable[[Tensor, int], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    """`function` along an axis of what is expected gave what came out."""
    find = missing(function)
    return lambda got, expected: find(expected, got)


def adds_up(tensor: Tensor, axis: int) -> float | None:
    """What every row along an axis adds up to; None where they differ or some are negative."""
    sums = tensor.sum(axis)
    alike = bool((tensor >= 0).all()) and torch.allclose(sums, sums.flatten()[0], **TOLERANCE)
    return sums.flatten()[0].item() if alike else None


def one(total: float | None) -> bool:
    return total is not None and abs(total - 1) < 1e-4


def sums_along_other_axis(got: Tensor, expected: Tensor) -> Found:
    if not alike(got, expected):
        return None
    axes = [axis for axis, length in enumerate(expected.shape) if length > 1]
    return only(
        {"axis": right, "other": wrong}
        for right in axes
        for wrong in axes
        if right != wrong
        and one(adds_up(expected, right))
        and not one(adds_up(got, right))
        and one(adds_up(got, wrong))
    )


def sums_not_one(got: Tensor, expected: Tensor) -> Found:
    if not alike(got, expected) or (got < 0).any():
        return None
    return only(
        {"axis": axis, "sum": f"{total:.3g}"}
        for axis, length in enumerate(expected.shape)
        if length > 1
        and one(adds_up(expected, axis))
        and (total := adds_up(got, axis)) is not None
        and not one(total)
    )


def constant_factor(got: Tensor, expected: Tensor) -> float | None:
    """The number that all of `expected` was multiplied by; None if there is none, or it is -1."""
    if not alike(got, expected):
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


def too_large(got: Tensor, expected: Tensor) -> Found:
    ratio = constant_factor(got, expected)
    return {"factor": f"{ratio:.3g}"} if ratio and abs(ratio) > 1.001 else None


def too_small(got: Tensor, expected: Tensor) -> Found:
    ratio = constant_factor(got, expected)
    return {"factor": f"{1 / ratio:.3g}"} if ratio and abs(ratio) < 0.999 else None


def negated(got: Tensor, expected: Tensor) -> Found:
    ratio = constant_factor(got, expected)
    return {"n": 0} if ratio and abs(ratio + 1) <= 0.001 else None


def offset(got: Tensor, expected: Tensor) -> Found:
    if not alike(got, expected) or not torch.equal(got.isfinite(), expected.isfinite()):
        return None
    finite = expected.isfinite()
    wanted = expected[finite]
    if len(wanted) < FEW or wanted.max() - wanted.min() < 1e-3 * wanted.abs().max():
        return None
    steps = got[finite] - wanted
    fits = torch.allclose(steps, steps[0], atol=1e-5, rtol=1e-3) and steps[0].abs() > 1e-4
    return {"value": f"{steps[0].item():+.4g}"} if fits else None


def by_row(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        if not alike(got, expected) or expected.dim() < 2:
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

        return only(hits())

    return find


# Right in places
def right_along(got: Tensor, expected: Tensor) -> Iterator[tuple[int, list[bool]]]:
    """For each axis of some length, at which of its places everything is right."""
    if not alike(got, expected):
        return
    fine = torch.isclose(got, expected, **TOLERANCE)
    for axis, length in enumerate(expected.shape):
        if length > 2:
            places = fine.movedim(axis, 0).reshape(length, -1).all(1).tolist()
            if any(places) and not all(places):
                yield axis, places


def right_at(pattern: Callable[[list[bool]], bool]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        return only(
            {"axis": axis, "index": places.index(not places[0])}
            for axis, places in right_along(got, expected)
            if pattern(places)
        )

    return find


def other_order(got: Tensor, expected: Tensor) -> Found:
    if got.numel() != expected.numel() or len(expected.unique()) < FEW:
        return None
    fits = close(got.flatten().sort().values, expected.flatten().sort().values)
    return {"n": 0} if fits else None


def imprecise(got: Tensor, expected: Tensor) -> Found:
    if not alike(got, expected) or not torch.equal(got.isfinite(), expected.isfinite()):
        return None
    size = expected[expected.isfinite()].abs().max() if expected.isfinite().any() else 0
    fits = size and torch.allclose(got, expected, atol=float(2e-3 * size), rtol=1e-2)
    return {"n": 0} if fits else None


def whole(tensor: Tensor) -> bool:
    return bool((tensor == tensor.round()).all())


def rounded(got: Tensor, expected: Tensor) -> Found:
    fits = alike(got, expected) and whole(got) and not whole(expected)
    fits = fits and len(got.unique()) >= FEW and bool((got - expected).abs().max() < 1)
    return {"n": 0} if fits else None


def norm(tensor: Tensor, axis: int) -> Tensor:
    return tensor / tensor.norm(dim=axis, keepdim=True)


def share(tensor: Tensor, axis: int) -> Tensor:
    return tensor / tensor.sum(axis, keepdim=True)


def shifted(got: Tensor, expected: Tensor) -> Found:
    """Everything one place on along an axis, whatever came in at the end that is left free."""
    if not alike(got, expected) or offset(got, expected):
        return None

    def hits() -> Iterator[dict[str, object]]:
        for axis, length in enumerate(expected.shape):
            if length < FEW:
                continue
            for by in (1, -1):
                here = got.narrow(axis, max(by, 0), length - 1)
                there = expected.narrow(axis, max(-by, 0), length - 1)
                if close(here, there):
                    yield {"axis": axis, "by": f"{by:+d}"}

    return only(hits())
