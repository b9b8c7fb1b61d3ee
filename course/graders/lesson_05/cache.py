"""A cache of one's own: what exercise 5.1 checks."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from course.graders.attempt import Attempt, failures
from course.graders.models import default_model, numbers
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_, _
from utils.parts import ForTransformers

Chunk = tuple[int, Tensor, Tensor]
"""What a layer appends in one pass: layer, keys, values, both [batch, kv_heads, position, size]."""


def _chunks() -> list[Chunk]:
    """Two passes over two layers, of 4 positions and then of 3."""
    return [
        (layer, *numbers(2, 1, 5, count, 6, seed=10 * layer + count))
        for count in (4, 3)
        for layer in (0, 1)
    ]


def _parts(chunks: list[Chunk]) -> tuple[list[Tensor], list[Tensor]]:
    """All keys and all values of `chunks`, still in pieces, the newest last."""
    return [keys for _layer, keys, _values in chunks], [values for _l, _keys, values in chunks]


def _joined(parts: Any, axis: int = 2) -> tuple[Tensor, ...]:
    return tuple(torch.cat(part, dim=axis) for part in parts)


def _of_layer(chunks: list[Chunk], layer: int) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk[0] == layer]


def _mistaken_appends(before: list[Chunk]) -> tuple[Mistake, ...]:
    """How an append goes wrong after the chunks `before`."""

    def mine(*chunk: Any) -> tuple[list[Tensor], list[Tensor]]:
        return _parts([*_of_layer(before, chunk[0]), chunk])

    return (
        Mistake("only-new", lambda layer, keys, values: (keys, values)),
        Mistake("layers-mixed", lambda *chunk: _joined(_parts([*before, chunk]))),
        Mistake("new-first", lambda *chunk: _joined([part[::-1] for part in mine(*chunk)])),
        *(
            Mistake("wrong-axis", lambda *chunk, axis=axis: _joined(mine(*chunk), axis))
            for axis in (0, 1, 3)
        ),
        Mistake("swapped", lambda *chunk: _joined(mine(*chunk))[::-1]),
        Mistake("keys-twice", lambda *chunk: _joined([mine(*chunk)[0]] * 2)),
        Mistake("values-not-kept", lambda *chunk: (_joined(mine(*chunk))[0], chunk[2])),
        Mistake("only-keys", lambda *chunk: _joined(mine(*chunk))[0]),
    )


def _mistaken_lengths(before: list[Chunk]) -> tuple[Mistake, ...]:
    """How the number of positions goes wrong after the chunks `before`."""
    counts = [keys.shape[2] for _layer, keys, _values in before]
    return (
        Mistake("counts-all-layers", lambda: sum(counts)),
        *(Mistake("counts-calls", lambda count=count: count) for count in (len(counts), 2)),
        Mistake("newest-only", lambda: counts[-1]),
        *(Mistake("wrong-size", lambda axis=axis: before[-1][1].shape[axis]) for axis in (0, 1, 3)),
    )


def _is_empty(attempt: Attempt, title: str, store: Any) -> Check:
    """A new cache that holds something has it from another cache, or from an earlier try."""
    count = attempt.call(title, function=store.get_seq_length)
    if not isinstance(count, int) or count < 1:
        return attempt.compare(title, function=store.get_seq_length, expected=0)
    about = {"got": str(count), "expected": "0"}
    return attempt.fail(title, "shared-between-caches", **about, count=count)


def _suits_the_model(attempt: Attempt, store: Any) -> Check:
    """The likeliest ids after a text read in two passes with `store`, and in one without."""
    model, tokenizer = default_model()
    ids = tokenizer("The capital of France is Paris", return_tensors="pt").input_ids

    def real_model() -> list[int]:
        cache = ForTransformers(store)
        parts = [model(part, past_key_values=cache).logits for part in (ids[:, :4], ids[:, 4:])]
        return torch.cat(parts, dim=1)[0].argmax(-1).tolist()

    title = N_(
        "the real model computes with your cache",
        "진짜 모델이 여러분의 캐시로 계산한다",
    )
    expected = model(ids).logits[0].argmax(-1).tolist()
    return attempt.compare(title, function=real_model, expected=expected)


@exercise(
    "5.1",
    diagnoses={
        "only-new": N_(
            "Only the new ones came back. Return all of this layer's, the older ones first.",
            "새로 받은 것만 돌려주었습니다. 이 층에 남겨 둔 것까지 전부, 오래된 것부터 돌려주세요.",
        ),
        "layers-mixed": N_(
            "The layers share one store. Keep each layer's keys and values apart.",
            "여러 층이 한곳에 섞여 있습니다. 층마다 키와 값을 따로 남기세요.",
        ),
        "new-first": N_(
            "The new ones stand in front. Positions go from left to right: new ones last.",
            "새것이 앞에 왔습니다. 위치는 왼쪽에서 오른쪽으로 가므로 새것은 맨 뒤입니다.",
        ),
        "wrong-axis": N_(
            "They were joined along another axis. Positions are axis 2 of 4.",
            "다른 축으로 이어 붙였습니다. 축 네 개 가운데 위치는 2번 축입니다.",
        ),
        "swapped": N_(
            "Keys and values changed places. Return `(keys, values)`.",
            "키와 값이 서로 바뀌었습니다. `(keys, values)` 순서로 돌려주세요.",
        ),
        "keys-twice": N_(
            "The keys came back as values too. Are the values kept on their own?",
            "값으로도 키가 나왔습니다. 값을 따로 남기고 있나요?",
        ),
        "values-not-kept": N_(
            "The older values are missing. Keep values as you keep keys.",
            "앞서 받은 값이 없습니다. 키를 남기듯이 값도 남기세요.",
        ),
        "only-keys": N_(
            "Only the keys came back. Return both, `(keys, values)`.",
            "키만 돌려주었습니다. `(keys, values)` 둘 다 돌려주세요.",
        ),
        "counts-all-layers": N_(
            "That adds up the layers. All of them hold the same positions: count one layer's.",
            "모든 층의 것을 더했습니다. 층마다 같은 위치가 들어 있으니 한 층만 세세요.",
        ),
        "counts-calls": N_(
            "That counts calls, or layers. Count positions: the size of axis 2.",
            "호출 횟수나 층의 수를 셌습니다. 위치의 수, 곧 2번 축의 크기를 세세요.",
        ),
        "newest-only": N_(
            "That is the length of the newest part. Count all positions kept so far.",
            "방금 붙인 부분의 길이입니다. 지금까지 남겨 둔 위치를 모두 세세요.",
        ),
        "wrong-size": N_(
            "That is the size of another axis. Positions are axis 2.",
            "다른 축의 크기입니다. 위치는 2번 축입니다.",
        ),
        "shared-between-caches": N_(
            "A new cache already holds {count} positions. Make the dict in `__init__`, as "
            "`self.…`; in the body of the class, all caches share it.",
            "새 캐시에 벌써 위치 {count}개가 들어 있습니다. dict를 `__init__` 안에서 "
            "`self.…`로 만드세요. 클래스 본문에 만들면 모든 캐시가 그것을 함께 쓰게 됩니다.",
        ),
    },
)
def own_cache(attempt: Attempt) -> Iterator[Check]:
    title = N_("a new cache is empty", "새 캐시는 비어 있다")
    store = attempt.made(title, name="KVCache", methods=("append", "get_seq_length"))
    yield _is_empty(attempt, title, store)
    before: list[Chunk] = []
    for chunk in _chunks():
        layer, new_keys, _values = chunk
        keys, values = _joined(_parts([*_of_layer(before, layer), chunk]))
        yield attempt.compare(
            _("layer {layer}, {count} new positions", "{layer}번 층, 새 위치 {count}개").format(
                layer=layer, count=new_keys.shape[2]
            ),
            *chunk,
            function=store.append,
            expected=(keys, values),
            mistakes=_mistaken_appends([*before]),
        )
        before.append(chunk)
        if layer == 1:
            yield attempt.compare(
                _("{count} positions are kept", "남겨 둔 위치는 {count}개다").format(
                    count=keys.shape[2]
                ),
                function=store.get_seq_length,
                expected=keys.shape[2],
                mistakes=_mistaken_lengths([*before]),
            )
    title = N_("a second cache is empty too", "두 번째 캐시도 비어 있다")
    second = attempt.call(title)
    yield _is_empty(attempt, title, second)
    yield _suits_the_model(attempt, second)
    yield from failures([_of_one_layer(attempt)])


def _of_one_layer(attempt: Attempt) -> Check:
    """The first layer has appended, the second not yet: that is how a model asks for its length."""
    title = N_("one layer is filled", "한 층만 채웠을 때")
    store, keys = attempt.call(title), numbers(1, 2, 3, 4)
    attempt.call(title, 0, keys, keys, function=store.append)
    return attempt.compare(title, function=store.get_seq_length, expected=3)
