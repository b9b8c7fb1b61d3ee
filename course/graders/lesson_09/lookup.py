"""Guesses from the text itself, and those that stay: what exercises 9.5 and 9.6 check."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_


def _starts(ids: list[int], n: int) -> list[int]:
    """Where the last n of `ids` stand in it, the end left out."""
    return [start for start in range(len(ids) - n) if ids[start : start + n] == ids[-n:]]


def _first(ids: list[int], n: int, k: int) -> list[int]:
    starts = _starts(ids, n)
    return ids[starts[0] + n : starts[0] + n + k] if starts else []


def _itself(ids: list[int], n: int, k: int) -> list[int]:
    return []


def _with_key(ids: list[int], n: int, k: int) -> list[int]:
    starts = _starts(ids, n)
    return ids[starts[-1] : starts[-1] + k] if starts else []


def _key_and_more(ids: list[int], n: int, k: int) -> list[int]:
    starts = _starts(ids, n)
    return ids[starts[-1] : starts[-1] + n + k] if starts else []


def _other_length(more: int, after: int = 0) -> Callable:
    def looked(ids: list[int], n: int, k: int) -> list[int]:
        starts = _starts(ids, n)
        begin = starts[-1] + n + after if starts else 0
        return ids[begin : begin + k + more] if starts else []

    return looked


def _all_after(ids: list[int], n: int, k: int) -> list[int]:
    starts = _starts(ids, n)
    return ids[starts[-1] + n :] if starts else []


def _not_touching(ids: list[int], n: int, k: int) -> list[int]:
    starts = [start for start in _starts(ids, n) if start + n <= len(ids) - n]
    return ids[starts[-1] + n : starts[-1] + n + k] if starts else []


@exercise(
    "9.5",
    mistakes=(
        Mistake(
            "first-not-last",
            _first,
            N_(
                "That followed the first time. The last time before is nearer to what comes now.",
                "처음 나온 곳을 뒤따른 토큰입니다. 앞에서 마지막으로 나온 곳을 쓰세요.",
            ),
        ),
        Mistake(
            "finds-itself",
            _itself,
            N_(
                "The list is always empty. The end of the text equals itself, and nothing follows "
                "it: begin one place before.",
                "언제나 빈 리스트입니다. 글의 맨 끝은 자기 자신과 같고 뒤따르는 것이 없습니다. "
                "그 앞에서부터 찾으세요.",
            ),
        ),
        Mistake(
            "found-itself-returned",
            _with_key,
            N_(
                "What was looked up came out. What followed it is asked for: it begins `n` later.",
                "찾은 토큰들이 나왔습니다. 그 뒤를 따른 것이 필요합니다. `n`개 뒤에서 시작합니다.",
            ),
        ),
        Mistake("found-itself-returned", _key_and_more),
        Mistake(
            "one-too-few",
            _other_length(-1),
            N_("There is one too few: `k` of them are asked for.", "하나 모자랍니다. `k`개입니다."),
        ),
        Mistake(
            "one-too-many",
            _other_length(1),
            N_("There is one too many: at most `k`.", "하나 많습니다. 많아야 `k`개입니다."),
        ),
        Mistake(
            "one-too-late",
            _other_length(0, after=1),
            N_(
                "It begins one too late: the first that followed is missing.",
                "하나 늦게 시작합니다. 바로 뒤를 따른 첫 토큰이 빠졌습니다.",
            ),
        ),
        Mistake(
            "all-that-followed",
            _all_after,
            N_(
                "All that followed came out. At most `k`.",
                "뒤따른 전부가 나왔습니다. 많아야 `k`개입니다.",
            ),
        ),
        Mistake(
            "may-overlap",
            _not_touching,
            N_(
                "What is found may overlap the end: in 7 7 7 the last two stood one place before.",
                "찾은 곳이 글의 끝과 겹쳐도 됩니다. 7 7 7에서 마지막 둘은 한 칸 앞에도 있습니다.",
            ),
        ),
        Mistake(
            "last-token-only",
            lambda ids, n, k: parts.looked_up(ids, 1, k),
            N_(
                "Only the last token was compared. All of the last `n` have to match.",
                "마지막 토큰 하나만 견주었습니다. 마지막 `n`개가 모두 같아야 합니다.",
            ),
        ),
    ),
)
def looked_up(attempt: Attempt) -> Iterator[Check]:
    for title, ids, n, k in (
        (N_("found once", "한 번 나온 것"), [5, 6, 7, 8, 9, 5, 6], 2, 3),
        (N_("found twice", "두 번 나온 것"), [1, 2, 3, 9, 4, 2, 3, 8, 6, 1, 2, 3], 2, 2),
        (N_("not found", "나오지 않은 것"), [1, 2, 3, 4, 5, 3], 2, 4),
        (N_("overlapping the end", "끝과 겹치는 것"), [4, 7, 7, 7], 2, 4),
        (N_("shorter than n", "n보다 짧은 글"), [3], 2, 4),
    ):
        yield attempt.compare(title, ids, n, k, expected=parts.looked_up(ids, n, k))


def _says(*own: int, vocab: int = 8) -> Tensor:
    """Logits [place, vocab] whose likeliest ids are `own`."""
    noise = torch.rand(len(own), vocab, generator=torch.Generator().manual_seed(sum(own)))
    return (noise.mul(100).round() / 100).scatter(1, torch.tensor(own)[:, None], 2.0)


def _all_right(guesses: list[int], logits: Tensor) -> list[int]:
    own = logits.argmax(-1).tolist()
    return [g for g, mine in zip(guesses, own, strict=False) if g == mine]


def _prefix(guesses: list[int], logits: Tensor) -> list[int]:
    return parts.accepted(guesses, logits)[:-1]


def _shifted(guesses: list[int], logits: Tensor) -> list[int]:
    own, right = logits.argmax(-1).tolist(), 0
    while right < len(guesses) and guesses[right] == own[right + 1]:
        right += 1
    return [*guesses[:right], own[right]]


@exercise(
    "9.6",
    mistakes=(
        Mistake(
            "past-the-first-wrong",
            lambda guesses, logits: [*_all_right(guesses, logits), int(logits[-1].argmax())],
            N_(
                "A guess after the first wrong one was kept. It followed a token that the model "
                "does not write: stop there.",
                "처음 틀린 추측 뒤의 것도 남겼습니다. 모델이 쓰지 않을 토큰을 뒤따른 추측입니다. "
                "거기서 멈추세요.",
            ),
        ),
        Mistake("past-the-first-wrong", _all_right),
        Mistake(
            "own-token-forgotten",
            _prefix,
            N_(
                "The model's own token is missing: after the right guesses it adds one, always.",
                "모델의 토큰이 빠졌습니다. 맞은 추측 뒤에 언제나 하나가 더 붙습니다.",
            ),
        ),
        Mistake(
            "all-of-its-own",
            lambda guesses, logits: logits.argmax(-1).tolist(),
            N_(
                "Everything came out. After the first wrong guess the rows answer a text that is "
                "not written.",
                "모든 행의 토큰이 나왔습니다. 처음 틀린 추측 뒤의 행은 "
                "쓰이지 않을 글에 대한 대답입니다.",
            ),
        ),
        Mistake(
            "all-guesses",
            lambda guesses, logits: [*guesses, int(logits[-1].argmax())],
            N_(
                "All guesses were kept, right or wrong.",
                "맞았는지 보지 않고 추측을 모두 남겼습니다.",
            ),
        ),
        Mistake(
            "one-row-late",
            _shifted,
            N_(
                "Guesses were compared with the row after their own. Row 0 is for the first guess.",
                "추측을 하나 뒤의 행과 견주었습니다. 첫 추측은 0행과 견주어야 합니다.",
            ),
        ),
        Mistake(
            "last-row-for-its-own",
            lambda guesses, logits: [*_prefix(guesses, logits), int(logits[-1].argmax())],
            N_(
                "The model's own token came from the last row. It stands in the row of the first "
                "wrong guess.",
                "모델의 토큰을 마지막 행에서 가져왔습니다. 처음 틀린 추측의 행에 있습니다.",
            ),
        ),
        Mistake(
            "wrong-guess-kept",
            lambda guesses, logits: (
                guesses[: len(_prefix(guesses, logits)) + 1]
                if len(_prefix(guesses, logits)) < len(guesses)
                else parts.accepted(guesses, logits)
            ),
            N_(
                "The first wrong guess was kept. In its place stands what the model writes.",
                "처음 틀린 추측을 남겼습니다. 그 자리에는 모델의 토큰이 와야 합니다.",
            ),
        ),
    ),
)
def accepted(attempt: Attempt) -> Iterator[Check]:
    for title, guesses, own in (
        (N_("wrong in the middle", "가운데가 틀렸을 때"), [3, 5, 2, 6], (3, 5, 7, 6, 1)),
        (N_("all right", "모두 맞았을 때"), [3, 5], (3, 5, 4)),
        (N_("wrong at once", "처음부터 틀렸을 때"), [4, 1, 3], (2, 1, 3, 5)),
        (N_("no guesses", "추측이 없을 때"), [], (6,)),
    ):
        logits = _says(*own)
        yield attempt.compare(title, guesses, logits, expected=parts.accepted(guesses, logits))
