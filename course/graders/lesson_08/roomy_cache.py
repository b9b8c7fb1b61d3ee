"""A cache with room of its own: what exercise 8.7 checks."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_, _

LAYERS, KV_HEADS, HEAD_DIM, ROOM = SIZES = (9, 3, 4, 8)
Chunk = tuple[int, Tensor, Tensor]  # layer, its new keys and values


def _chunks() -> list[Chunk]:
    """Passes of 4, 3 and 1 positions over the first and the last layer, which fill them."""
    generator = torch.Generator().manual_seed(87)

    def noise(count: int) -> Tensor:
        return torch.randn(1, KV_HEADS, count, HEAD_DIM, generator=generator)

    return [(layer, noise(count), noise(count)) for count in (4, 3, 1) for layer in (0, LAYERS - 1)]


def _mistaken_appends(before: list[Chunk]) -> tuple[Mistake, ...]:
    """How an append goes wrong after the chunks `before`."""

    def joined(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        mine = [chunk for chunk in before if chunk[0] == layer]
        return _joined([*mine, (layer, keys, values)])

    def all_room(*chunk: Any) -> tuple[Tensor, ...]:
        return tuple(nn.functional.pad(p, (0, 0, 0, ROOM - p.shape[2])) for p in joined(*chunk))

    def over_the_old(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            torch.cat([new, old[:, :, new.shape[2] :]], dim=2)[:, :, : new.shape[2]]
            for new, old in zip((keys, values), joined(layer, keys, values), strict=True)
        )

    def one_length(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        both, start = [torch.zeros(1, KV_HEADS, 4 * ROOM, HEAD_DIM) for _part in range(2)], 0
        for number, *pair in [*before, (layer, keys, values)]:
            end = start + pair[0].shape[2]
            if number == layer:
                for part, new in zip(both, pair, strict=True):
                    part[:, :, start:end] = new
            start = end
        return tuple(part[:, :, :start] for part in both)

    return (
        Mistake("one-length-for-all", one_length),
        Mistake("over-the-old", over_the_old),
        Mistake("empty-room-too", all_room),
        Mistake("swapped", lambda *chunk: joined(*chunk)[::-1]),
        Mistake("keys-twice", lambda *chunk: (joined(*chunk)[0],) * 2),
    )


def _joined(chunks: list[Chunk]) -> tuple[Tensor, Tensor]:
    """The keys and the values of some chunks, one after the other along the positions."""
    return torch.cat([c[1] for c in chunks], dim=2), torch.cat([c[2] for c in chunks], dim=2)


@exercise(
    "8.7",
    diagnoses={
        "over-the-old": N_(
            "Only the new ones came back. Write them behind the old ones, and return all that "
            "are filled.",
            "새것만 돌아왔습니다. 앞의 것 뒤에 적고, 채워진 것을 모두 돌려주세요.",
        ),
        "one-length-for-all": N_(
            "One length was counted for all layers together. Each layer has a length of its own.",
            "모든 층의 길이를 하나로 셌습니다. 길이는 층마다 따로 세야 합니다.",
        ),
        "empty-room-too": N_(
            "The empty room came back, too. Return only the positions that are filled.",
            "비어 있는 공간까지 돌아왔습니다. 채워진 위치만 돌려주세요.",
        ),
        "swapped": N_(
            "Keys and values changed places. Return `(keys, values)`.",
            "키와 값이 서로 바뀌었습니다. `(keys, values)` 순서로 돌려주세요.",
        ),
        "keys-twice": N_(
            "The keys came back as values too. Make room for both.",
            "값으로도 키가 돌아왔습니다. 키와 값의 공간을 따로 마련하세요.",
        ),
        "new-memory": N_(
            "The keys lie somewhere else in memory than before: new memory was taken. Write "
            "into what `__init__` took, and return a part of it.",
            "키가 전과 다른 메모리에 있습니다. 메모리를 새로 잡은 것입니다. `__init__`에서 "
            "잡은 곳에 적고 그 일부를 돌려주세요.",
        ),
        "no-word-when-full": N_(
            "A full cache has to say so: raise a ValueError before anything is written past "
            "its room.",
            "캐시가 가득 차면 알려야 합니다. 공간을 넘겨 적기 전에 ValueError를 일으키세요.",
        ),
    },
)
def roomy_cache(attempt: Attempt) -> Iterator[Check]:
    title, methods = (
        N_("a new cache is empty", "새 캐시는 비어 있다"),
        ("append", "get_seq_length"),
    )
    store = attempt.made(title, *SIZES, name="RoomyCache", methods=methods)
    yield attempt.compare(title, function=store.get_seq_length, expected=0)
    yield from _filled(attempt, store)
    yield _full(attempt, store)
    title = N_("a second cache is empty too", "두 번째 캐시도 비어 있다")
    second = attempt.call(title, *SIZES)
    yield attempt.compare(title, function=second.get_seq_length, expected=0)


def _filled(attempt: Attempt, store: Any) -> Iterator[Check]:
    """All chunks are appended, one after the other, and stay where they are in memory."""
    before: list[Chunk] = []
    places: dict[int, int] = {}
    for chunk in _chunks():
        layer, keys, _values = chunk
        expected = _joined([part for part in [*before, chunk] if part[0] == layer])
        title = _("layer {layer}, {count} new positions", "{layer}번 층, 새 위치 {count}개").format(
            layer=layer, count=keys.shape[2]
        )
        got = attempt.call(title, *chunk, function=store.append)
        yield attempt.compare(
            title,
            *chunk,
            function=lambda *_chunk, got=got: got,
            name="append",
            expected=expected,
            mistakes=_mistaken_appends([*before]),
        )
        if places.setdefault(layer, got[0].data_ptr()) != got[0].data_ptr():
            yield attempt.fail(title, "new-memory")
        before.append(chunk)
        if layer == LAYERS - 1:
            count = expected[0].shape[2]
            title = _("{count} positions are kept", "남겨 둔 위치는 {count}개다").format(
                count=count
            )
            yield attempt.compare(title, function=store.get_seq_length, expected=count)


def _full(attempt: Attempt, store: Any) -> Check:
    """All positions that there is room for are in it: one more has to be refused."""
    title, chunk = N_("no room for one more", "공간이 더 없을 때"), _chunks()[-2]

    def one_more() -> object:
        try:
            return [tuple(part.shape) for part in store.append(*chunk)]
        except ValueError:
            return "ValueError"
        except Exception as error:
            return type(error).__name__

    got = attempt.call(title, function=one_more)
    if got == "ValueError":
        return Check(title)
    return attempt.fail(title, "no-word-when-full", got=str(got), expected="ValueError")
