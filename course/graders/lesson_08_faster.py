"""Lesson 08, fewer products and a cache with room: what exercises 8.6 and 8.7 check."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course.graders.grading import Check, Mistake, describe, equal, exercise, fail
from utils import parts
from utils.language import N_, _


@exercise(
    "8.6",
    title=N_("Three matrices, one product"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("All of them read the same `x`, so they have the same number of columns."),
        N_("Stacked one below the other they are one matrix: `torch.cat(matrices)`."),
        N_("The sizes are how many rows each had: `len(matrix)`."),
    ),
)
def fuse(attempt):
    mistakes = (
        Mistake(
            "side-by-side",
            lambda matrices: (torch.cat(matrices, dim=1), [len(m) for m in matrices]),
            N_("You joined along axis 1, the inputs. Rows are the outputs: axis 0."),
        ),
        Mistake(
            "stacked",
            lambda matrices: (torch.stack(matrices), [len(m) for m in matrices]),
            N_("`torch.stack` makes a new axis. `torch.cat` puts one below the other."),
        ),
        Mistake(
            "transposed",
            lambda matrices: (torch.cat(matrices).T, [len(m) for m in matrices]),
            N_("The matrix is transposed. Leave it `[out, in]`, as the model keeps them."),
        ),
        Mistake(
            "sizes-of-inputs",
            lambda matrices: (torch.cat(matrices), [m.shape[1] for m in matrices]),
            N_("Those sizes count columns. What comes out is cut by rows: `len(matrix)`."),
        ),
        Mistake(
            "where-not-how-many",
            lambda matrices: (
                torch.cat(matrices),
                torch.tensor([len(m) for m in matrices]).cumsum(0).tolist(),
            ),
            N_("Those say where each part ends. `split` wants how many rows each has."),
        ),
        Mistake(
            "wrong-order",
            lambda matrices: (torch.cat(matrices[::-1]), [len(m) for m in matrices[::-1]]),
            N_("The order is turned round. Keep that of the list."),
        ),
        Mistake(
            "matrix-only",
            torch.cat,
            N_("The sizes are missing. Return both, `(matrix, sizes)`."),
        ),
    )
    generator = torch.Generator().manual_seed(86)
    for outs in ((6, 2, 2), (5, 5), (4,)):
        matrices = [torch.randn(out, 3, generator=generator) for out in outs]
        title = _("matrices with {rows} rows").format(rows=", ".join(map(str, outs)))
        yield attempt.compare(title, matrices, expected=parts.fuse(matrices), mistakes=mistakes)


def _chunks() -> list[tuple[int, Tensor, Tensor]]:
    """(layer, keys, values): passes of 4, 3 and 1 positions over two layers."""
    generator = torch.Generator().manual_seed(87)
    return [
        (layer, *(torch.randn(1, 3, count, 4, generator=generator) for _part in range(2)))
        for count in (4, 3, 1)
        for layer in (0, 1)
    ]


def _mistaken_appends(before: list) -> tuple[Mistake, ...]:
    def joined(layer, keys, values):
        mine = [chunk for chunk in before if chunk[0] == layer]
        mine.append((layer, keys, values))
        return tuple(torch.cat([chunk[i] for chunk in mine], dim=2) for i in (1, 2))

    def all_room(layer, keys, values):
        return tuple(
            nn.functional.pad(p, (0, 0, 0, 8 - p.shape[2])) for p in joined(layer, keys, values)
        )

    def over_the_old(layer, keys, values):
        return tuple(
            torch.cat([new, old[:, :, new.shape[2] :]], dim=2)[:, :, : new.shape[2]]
            for new, old in zip((keys, values), joined(layer, keys, values), strict=True)
        )

    return (
        Mistake(
            "over-the-old",
            over_the_old,
            N_(
                "Only the new ones came back. Write them behind the old ones, and return all that "
                "are filled."
            ),
        ),
        Mistake(
            "empty-room-too",
            all_room,
            N_("The empty room came back, too. Return only the positions that are filled."),
        ),
        Mistake(
            "swapped",
            lambda *chunk: joined(*chunk)[::-1],
            N_("Keys and values changed places. Return `(keys, values)`."),
        ),
        Mistake(
            "keys-twice",
            lambda *chunk: (joined(*chunk)[0],) * 2,
            N_("The keys came back as values too. Make room for both."),
        ),
    )


@exercise(
    "8.7",
    title=N_("A cache with room"),
    kind="implement",
    difficulty=3,
    minutes=7,
    hints=(
        N_(
            "In `__init__`: `torch.zeros(layers, 1, kv_heads, room, head_dim)`, once for keys and "
            "once for values, and a length of 0 for each layer."
        ),
        N_("In `append`: `self.keys[layer, :, :, start:end] = keys` writes into it."),
        N_(
            "Raise a ValueError if `end` is more than `room`; else keep `end` as the layer's "
            "length, and return `[layer, :, :, :end]` of both."
        ),
    ),
)
def roomy_cache(attempt):
    title = N_("a new cache is empty")
    if not isinstance(attempt.answer, type):
        says = _("This exercise takes the class itself: `check(RoomyCache)`, without brackets.")
        yield fail(title, "not-a-class", says, got=describe(attempt.answer))
        return
    store = attempt.call(title, 2, 3, 4, 8)
    for name in ("append", "get_seq_length"):
        if not callable(getattr(store, name, None)):
            says = _("The class has no method `{name}`.").format(name=name)
            yield fail(title, "method-missing", says)
            return
    yield attempt.compare(title, function=store.get_seq_length, expected=0)
    before, places = [], {}
    for chunk in _chunks():
        layer, keys, _values = chunk
        mine = [part for part in [*before, chunk] if part[0] == layer]
        count = sum(part[1].shape[2] for part in mine)
        title = _("layer {layer}, {count} new positions").format(layer=layer, count=keys.shape[2])
        expected = tuple(torch.cat([part[i] for part in mine], dim=2) for i in (1, 2))
        got = attempt.call(title, *chunk, function=store.append)
        yield attempt.compare(
            title,
            *chunk,
            function=_named("append", lambda *_chunk, got=got: got),
            expected=expected,
            mistakes=_mistaken_appends(before),
        )
        if places.setdefault(layer, got[0].data_ptr()) != got[0].data_ptr():
            says = _(
                "The keys lie somewhere else in memory than before: new memory was taken. Write "
                "into what `__init__` took, and return a part of it."
            )
            yield fail(title, "new-memory", says)
            return
        before.append(chunk)
        if layer == 1:
            yield attempt.compare(
                _("{count} positions are kept").format(count=count),
                function=store.get_seq_length,
                expected=count,
            )
    yield _full(attempt, store)
    second = attempt.call(N_("a second cache is empty too"), 2, 3, 4, 8)
    yield attempt.compare(
        N_("a second cache is empty too"), function=second.get_seq_length, expected=0
    )


def _named(name: str, function: Callable) -> Callable:
    function.__name__ = name
    return function


def _full(attempt, store) -> Check:
    """Eight positions are in it, and there is no room for a ninth."""
    title = N_("no room for one more")
    chunk = _chunks()[-2]

    def one_more():
        try:
            return [tuple(part.shape) for part in store.append(*chunk)]
        except ValueError:
            return "ValueError"
        except Exception as error:
            return type(error).__name__

    got = attempt.call(title, function=one_more)
    if equal(got, "ValueError"):
        return Check(title)
    says = _(
        "A full cache has to say so: raise a ValueError before anything is written past its room."
    )
    return fail(title, "no-word-when-full", says, got=str(got), expected="ValueError")
