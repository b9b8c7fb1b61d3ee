"""Lesson 05, a cache of one's own: what exercise 5.1 checks."""

import torch

from course.graders.grading import Check, Mistake, describe, exercise, fail
from course.graders.lesson_01 import default_model
from utils.language import N_, _
from utils.parts import ForTransformers


def _chunks() -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    """(layer, keys, values): two passes over two layers, of 4 positions and then of 3."""
    generator = torch.Generator().manual_seed(5)
    return [
        (layer, *(torch.randn(1, 5, count, 6, generator=generator) for _part in range(2)))
        for count in (4, 3)
        for layer in (0, 1)
    ]


def _mistaken_appends(before: list) -> tuple[Mistake, ...]:
    """How an append goes wrong after the chunks `before`."""

    def mine(layer, keys, values):
        """All chunks of this layer so far, the newest last: keys, values."""
        old = [chunk for chunk in before if chunk[0] == layer]
        return [k for _layer, k, _v in old] + [keys], [v for _layer, _k, v in old] + [values]

    def joined(parts, axis=2):
        return tuple(torch.cat(part, dim=axis) for part in parts)

    def everyones(layer, keys, values):
        chunks = [*before, (layer, keys, values)]
        return joined(([k for _l, k, _v in chunks], [v for _l, _k, v in chunks]))

    return (
        Mistake(
            "only-new",
            lambda layer, keys, values: (keys, values),
            N_("Only the new ones came back. Return all of this layer's, the older ones first."),
        ),
        Mistake(
            "layers-mixed",
            everyones,
            N_("The layers share one store. Keep each layer's keys and values apart."),
        ),
        Mistake(
            "new-first",
            lambda *chunk: joined([part[::-1] for part in mine(*chunk)]),
            N_("The new ones stand in front. Positions go from left to right: new ones last."),
        ),
        *(
            Mistake(
                "wrong-axis",
                lambda *chunk, axis=axis: joined(mine(*chunk), axis),
                N_("They were joined along another axis. Positions are axis 2 of 4."),
            )
            for axis in (0, 1, 3)
        ),
        Mistake(
            "swapped",
            lambda *chunk: joined(mine(*chunk))[::-1],
            N_("Keys and values changed places. Return `(keys, values)`."),
        ),
        Mistake(
            "keys-twice",
            lambda *chunk: joined([mine(*chunk)[0]] * 2),
            N_("The keys came back as values too. Are the values kept on their own?"),
        ),
        Mistake(
            "values-not-kept",
            lambda layer, keys, values: (joined(mine(layer, keys, values))[0], values),
            N_("The older values are missing. Keep values as you keep keys."),
        ),
        Mistake(
            "only-keys",
            lambda *chunk: joined(mine(*chunk))[0],
            N_("Only the keys came back. Return both, `(keys, values)`."),
        ),
    )


def _mistaken_lengths(before: list) -> tuple[Mistake, ...]:
    counts = [keys.shape[2] for _layer, keys, _values in before]
    return (
        Mistake(
            "counts-all-layers",
            lambda: sum(counts),
            N_("That adds up the layers. All of them hold the same positions: count one layer's."),
        ),
        *(
            Mistake(
                "counts-calls",
                lambda count=count: count,
                N_("That counts calls, or layers. Count positions: the size of axis 2."),
            )
            for count in (len(counts), 2)
        ),
        Mistake(
            "newest-only",
            lambda: counts[-1],
            N_("That is the length of the newest part. Count all positions kept so far."),
        ),
        *(
            Mistake(
                "wrong-size",
                lambda axis=axis: before[-1][1].shape[axis],
                N_("That is the size of another axis. Positions are axis 2."),
            )
            for axis in (0, 1, 3)
        ),
    )


def _is_empty(attempt, title: str, store) -> Check:
    """A new cache that holds something has it from another cache, or from an earlier try."""
    count = attempt.call(title, function=store.get_seq_length)
    if not isinstance(count, int) or count < 1:
        return attempt.compare(title, function=store.get_seq_length, expected=0)
    says = _(
        "A new cache already holds {count} positions. Make the dict in `__init__`, as `self.…`; in "
        "the body of the class, all caches share it."
    )
    got, expected = str(count), "0"
    says = says.format(count=count)
    return fail(title, "shared-between-caches", says, got=got, expected=expected)


@exercise(
    "5.1",
    title=N_("A KV cache of your own"),
    kind="implement",
    difficulty=3,
    minutes=10,
    hints=(
        N_("In `__init__`, make an empty dict: layer number → what is kept of that layer."),
        N_(
            "In `append`, join old and new with `torch.cat([old, new], dim=2)`, for keys and for "
            "values; a layer that is not in the dict yet has no old ones."
        ),
        N_(
            "Store the joined pair and return it. `get_seq_length` is 0 for an empty dict, else "
            "`keys.shape[2]` of any layer."
        ),
    ),
)
def own_cache(attempt):
    title = N_("a new cache is empty")
    if not isinstance(attempt.answer, type):
        says = _("This exercise takes the class itself: `check(KVCache)`, without brackets.")
        yield fail(title, "not-a-class", says, got=describe(attempt.answer))
        return
    store = attempt.call(title)
    for name in ("append", "get_seq_length"):
        if not callable(getattr(store, name, None)):
            says = _("The class has no method `{name}`.").format(name=name)
            yield fail(title, "method-missing", says)
            return
    yield _is_empty(attempt, title, store)
    before = []
    for chunk in _chunks():
        layer, keys, _values = chunk
        mine = [part for part in [*before, chunk] if part[0] == layer]
        yield attempt.compare(
            _("layer {layer}, {count} new positions").format(layer=layer, count=keys.shape[2]),
            *chunk,
            function=store.append,
            expected=tuple(torch.cat([part[i] for part in mine], dim=2) for i in (1, 2)),
            mistakes=_mistaken_appends(before),
        )
        before.append(chunk)
        if layer == 1:
            yield attempt.compare(
                _("{count} positions are kept").format(
                    count=sum(part[1].shape[2] for part in mine)
                ),
                function=store.get_seq_length,
                expected=sum(part[1].shape[2] for part in mine),
                mistakes=_mistaken_lengths(before),
            )
    second = attempt.call(N_("a second cache is empty too"))
    yield _is_empty(attempt, N_("a second cache is empty too"), second)
    model, tokenizer = default_model()
    ids = tokenizer("The capital of France is Paris", return_tensors="pt").input_ids

    def real_model():
        mine = ForTransformers(second)
        parts = [model(part, past_key_values=mine).logits for part in (ids[:, :4], ids[:, 4:])]
        return torch.cat(parts, dim=1)[0].argmax(-1).tolist()

    expected = model(ids).logits[0].argmax(-1).tolist()
    yield attempt.compare(
        N_("the real model computes with your cache"), function=real_model, expected=expected
    )
