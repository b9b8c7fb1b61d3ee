"""Ways in which the right numbers can come out wrong: hidden, moved, reversed, cut or taken over.

Each takes what came out and what was expected, in float64, and gives what fills its sentence, or
None where it does not hold.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, permutations
from typing import Any

import torch
from torch import Tensor

Found = dict[str, object] | None
TOLERANCE: dict[str, Any] = {"atol": 1e-6, "rtol": 1e-4}
FEW = 3  # numbers: with fewer, almost anything relates to anything


def close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, equal_nan=True, **TOLERANCE)


def alike(got: Tensor, expected: Tensor) -> bool:
    return got.shape == expected.shape


def only(hits: Iterator[dict[str, object]]) -> Found:
    """The hit, where there is but one."""
    found = list(hits)
    return found[0] if len(found) == 1 else None


# Where numbers are hidden: -inf among scores, 0 among weights
def closed(tensor: Tensor) -> Tensor:
    return tensor == -torch.inf if (tensor == -torch.inf).any() else tensor == 0


def masked(got: Tensor, expected: Tensor) -> tuple[Tensor, Tensor] | None:
    """Where what is expected is closed, and where what came out is; None if nothing is."""
    if not alike(got, expected):
        return None
    hidden = closed(expected)
    if not hidden.any() or hidden.all():
        return None
    scores = bool((expected == -torch.inf).any())
    return hidden, (got == -torch.inf) if scores else (got == 0)


def mask_left_out(got: Tensor, expected: Tensor) -> Found:
    where = masked(got, expected)
    if where is None or where[1].any():
        return None
    hidden = where[0]
    if (expected == -torch.inf).any():
        kept = got.masked_fill(hidden, -torch.inf)
        inside = got[hidden].abs()
        return (
            {"n": int(hidden.sum())}
            if close(kept, expected) and inside.max() < 1e3 and (inside.max() > 0)
            else None
        )
    kept = got.masked_fill(hidden, 0)
    sums = kept.sum(-1, keepdim=True)
    fits = bool((sums > 0).all()) and close(
        kept / sums, expected / expected.sum(-1, keepdim=True).clamp_min(1e-30)
    )
    return {"n": int(hidden.sum())} if fits else None


def mask_inverted(got: Tensor, expected: Tensor) -> Found:
    where = masked(got, expected)
    return {"n": 0} if where and torch.equal(where[1], ~where[0]) else None


def large_for_inf(got: Tensor, expected: Tensor) -> Found:
    hidden = expected == -torch.inf
    if not alike(got, expected) or not hidden.any() or (got == -torch.inf).any():
        return None
    instead = got[hidden]
    fits = close(got.masked_fill(hidden, -torch.inf), expected) and instead.max() <= -1e3
    return {"value": f"{instead[0].item():g}"} if fits else None


def zero_for_inf(got: Tensor, expected: Tensor) -> Found:
    hidden = expected == -torch.inf
    if not alike(got, expected) or not hidden.any() or got[hidden].any():
        return None
    return {"n": 0} if close(got.masked_fill(hidden, -torch.inf), expected) else None


def other_places_hidden(got: Tensor, expected: Tensor) -> Found:
    if not alike(got, expected):
        return None
    hidden, mine = expected == -torch.inf, got == -torch.inf
    both = ~hidden & ~mine
    if torch.equal(hidden, mine) or not mine.any() or not both.any():
        return None
    if not torch.allclose(got[both], expected[both], **TOLERANCE):
        return None
    return {"more": int((mine & ~hidden).sum()), "less": int((hidden & ~mine).sum())}


# The same numbers, elsewhere
def axes_swapped(got: Tensor, expected: Tensor) -> Found:
    return only(
        {"a": a, "b": b}
        for a, b in combinations(range(expected.dim()), 2)
        if close(got, expected.transpose(a, b))
    )


def axes_in_other_order(got: Tensor, expected: Tensor) -> Found:
    if expected.dim() not in (3, 4):
        return None
    orders = [
        order
        for order in permutations(range(expected.dim()))
        if sum(place != axis for place, axis in enumerate(order)) > 2
    ]
    return only({"order": o} for o in orders if close(got, expected.permute(o)))


def axes_mixed(got: Tensor, expected: Tensor) -> Found:
    """`view` where `transpose` was needed: the right shape, but the numbers in reading order."""
    if not alike(got, expected):
        return None
    return only(
        {"a": a, "b": b}
        for a, b in combinations(range(expected.dim()), 2)
        if min(expected.shape[a], expected.shape[b]) > 1
        and not close(got, expected.transpose(a, b))
        and close(got.flatten(), expected.transpose(a, b).flatten())
    )


def reversed(got: Tensor, expected: Tensor) -> Found:
    return only({"axis": a} for a in range(expected.dim()) if close(got, expected.flip(a)))


def other_shape(got: Tensor, expected: Tensor) -> Found:
    if alike(got, expected) or not close(got.flatten(), expected.flatten()):
        return None
    return {"got": list(got.shape), "expected": list(expected.shape)}


def cut(got: Tensor, expected: Tensor) -> Iterator[dict[str, object]]:
    """`got` as a beginning or an end of `expected`, along one axis."""
    if got.dim() != expected.dim():
        return
    for axis, (mine, whole) in enumerate(zip(got.shape, expected.shape, strict=True)):
        if 0 < mine < whole:
            if close(got, expected.narrow(axis, 0, mine)):
                yield {"axis": axis, "n": whole - mine}
            if close(got, expected.narrow(axis, whole - mine, mine)):
                yield {"axis": axis, "n": whole - mine}


# One part of it, or what an axis comes to
def one_of_axis(got: Tensor, expected: Tensor) -> Found:
    def hits() -> Iterator[dict[str, object]]:
        for axis, length in enumerate(expected.shape):
            for index in range(length) if 1 < length <= 64 else ():
                part = expected.select(axis, index)
                if close(got, part) or close(got, part.unsqueeze(axis)):
                    yield {"axis": axis, "index": index}

    return only(hits())


def taken_over(reduce: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Found]:
    def find(got: Tensor, expected: Tensor) -> Found:
        return only(
            {"axis": axis}
            for axis, length in enumerate(expected.shape)
            if length > 1
            and any(close(got, reduce(expected, axis, keepdim=kept)) for kept in (True, False))
        )

    return find


# The same but for a function of each number, or of a row
