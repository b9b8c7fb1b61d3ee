"""Text that comes out while the model still writes: what exercise 5.5 checks."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from transformers import PreTrainedTokenizerBase

from course.graders.attempt import Attempt, Refused, failures
from course.graders.compare import describe
from course.graders.models import default_model
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_
from utils.parts.streaming import UNFINISHED, stream_text


def _joined(pieces: Any) -> str | None:
    """A learner's pieces as one text; what is no text shows as what it is."""
    if isinstance(pieces, str) or pieces is None:
        return pieces
    return "".join(piece if isinstance(piece, str) else f"‹{piece!r}›" for piece in pieces)


def _text(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=True)


def _longer_and_longer(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> list[str]:
    """The text of the first token, of the first two, and so on."""
    return [_text(tokenizer, ids[:end]) for end in range(1, len(ids) + 1)]


MISTAKEN_STREAMS = (
    Mistake(
        "token-by-token",
        lambda ids, t: "".join(_text(t, [i]) for i in ids),
        N_(
            "The tokens were decoded one by one. Decode all of them so far together.",
            "토큰을 하나씩 따로 디코딩했습니다. 지금까지의 토큰을 모두 함께 디코딩하세요.",
        ),
    ),
    Mistake(
        "half-dropped",
        lambda ids, t: "".join(text for i in ids if UNFINISHED not in (text := _text(t, [i]))),
        N_(
            "What was not whole yet was thrown away. Hold it back, and give it out when the "
            "rest has come.",
            "아직 온전하지 않은 것을 버렸습니다. 붙들어 두었다가 나머지가 오면 내보내세요.",
        ),
    ),
    Mistake(
        "whole-each-time",
        lambda ids, t: "".join(
            text for text in _longer_and_longer(t, ids) if not text.endswith(UNFINISHED)
        ),
        N_(
            "Each piece holds the whole text so far. Yield only what is new in it.",
            "조각마다 지금까지의 글 전체가 들어 있습니다. 새로 늘어난 부분만 내보내세요.",
        ),
    ),
    Mistake("whole-each-time", lambda ids, t: "".join(_longer_and_longer(t, ids))),
    Mistake(
        "half-at-the-end",
        lambda ids, t: _text(t, ids),
        N_(
            "Half a character came out at the end. What never becomes whole is dropped.",
            "마지막에 반쪽짜리 글자가 나왔습니다. 끝내 온전해지지 않은 것은 버리세요.",
        ),
    ),
    Mistake(
        "special-tokens",
        lambda ids, t: t.decode(ids),
        N_(
            "The end token's own text is in it. Decode with `skip_special_tokens=True`.",
            "끝 토큰의 글자가 들어 있습니다. `skip_special_tokens=True`로 디코딩하세요.",
        ),
    ),
    Mistake(
        "last-token-missing",
        lambda ids, t: _text(t, ids[:-1]).rstrip(UNFINISHED),
        N_(
            "The end is missing. When there are no more tokens, nothing may be held back.",
            "끝부분이 없습니다. 토큰이 더 없을 때는 온전한 글자를 붙들고 있으면 안 됩니다.",
        ),
    ),
    Mistake(
        "ids-not-text",
        lambda ids, t: _joined(ids),
        N_(
            "These are ids. `tokenizer.decode(ids)` turns them into text.",
            "이것은 id입니다. `tokenizer.decode(ids)`가 글로 바꿔 줍니다.",
        ),
    ),
)


@exercise(
    "5.5",
    mistakes=MISTAKEN_STREAMS,
    diagnoses={
        "needs-a-list": N_(
            "`token_ids` may be a generator, whose tokens come one by one: go through it with "
            "`for`, without `len` and without an index.",
            "`token_ids`는 토큰을 하나씩 내놓는 제너레이터일 수 있습니다. `len`이나 인덱스 "
            "없이 `for`로 읽으세요.",
        ),
        "all-at-once": N_(
            "Nothing came before all tokens had been read. Use `yield` inside the loop, so "
            "that text is shown while the model still writes.",
            "토큰을 모두 읽을 때까지 아무것도 나오지 않았습니다. 모델이 쓰는 동안에도 글이 "
            "보이도록 루프 안에서 `yield`하세요.",
        ),
        "too-late": N_(
            "After {count} tokens more was certain than what had come out.",
            "토큰 {count}개를 읽었을 때 이미 완성된 글자가 있었는데도 내보내지 않았습니다.",
        ),
    },
)
def own_stream(attempt: Attempt) -> Iterator[Check]:
    _model, tokenizer = default_model()
    half, ended = tokenizer("만나요🐿").input_ids[:-1], [*tokenizer("네, 좋아요!").input_ids, 2]

    def joined(token_ids: list[int], tokenizer: PreTrainedTokenizerBase) -> str | None:
        return _joined(attempt.answer(token_ids, tokenizer))

    for title, ids in (
        (N_("English", "영어"), tokenizer("The sea is vast, and very old.").input_ids),
        (N_("Hangul and emoji", "한글과 이모지"), tokenizer("서울에서 만나요 🐿 안녕!").input_ids),
        (N_("it ends with half an emoji", "이모지 반쪽으로 끝나는 글"), half),
        (N_("it ends with an end token", "끝 토큰으로 끝나는 글"), ended),
    ):
        expected = "".join(stream_text(ids, tokenizer))
        yield attempt.compare(
            title, ids, tokenizer, function=joined, name="stream_text", expected=expected
        )
    more = (
        (N_("a special token in the middle", "가운데에 특수 토큰"), [*ended, *half]),
        (
            N_("a space before half an emoji", "반쪽 이모지 앞의 빈칸"),
            tokenizer("Hi 🐿").input_ids[:-1],
        ),
    )
    yield from failures(
        attempt.compare(
            title,
            ids,
            tokenizer,
            function=joined,
            name="stream_text",
            expected="".join(stream_text(ids, tokenizer)),
        )
        for title, ids in more
    )
    yield _comes_in_time(attempt, tokenizer)


def _comes_in_time(attempt: Attempt, tokenizer: PreTrainedTokenizerBase) -> Check:
    title = N_("each piece comes as soon as it is certain", "확실해지는 대로 곧바로 나온다")
    ids = tokenizer("한글은 🐿 그리고 words").input_ids
    try:
        shown = _shown_by_token(attempt, title, ids, tokenizer)
    except Refused as refused:
        if "TypeError" not in refused.check.got:
            raise
        return attempt.fail(title, "needs-a-list", got=refused.check.got)
    pairs = enumerate(zip_longest(shown, _certain_by_token(ids, tokenizer), fillvalue=""))
    late = [(count, text, sure) for count, (text, sure) in pairs if not text.startswith(sure)]
    if not late:
        return Check(title)
    if not any(shown):
        return attempt.fail(title, "all-at-once")
    count, text, sure = late[0]
    about = {"got": describe(text), "expected": describe(sure)}
    return attempt.fail(title, "too-late", **about, count=count)


def _shown_by_token(
    attempt: Attempt, title: str, ids: list[int], tokenizer: PreTrainedTokenizerBase
) -> list[str]:
    """What the learner's function has given out when it asks for each token, and at the end."""
    shown: list[str] = []

    def one_by_one(token_ids: Iterable[int], tokenizer: PreTrainedTokenizerBase) -> list[str]:
        said: list[str] = []

        def tokens() -> Iterator[int]:
            for token_id in token_ids:
                shown.append("".join(said))
                yield token_id
            shown.append("".join(said))

        for piece in attempt.answer(tokens(), tokenizer):
            said.append(piece)
        return said

    attempt.call(title, ids, tokenizer, function=one_by_one, name="stream_text")
    return shown


def _certain_by_token(ids: list[int], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """For each number of tokens read, from 0, the text that is certain by then, at the least."""
    sure = [""]
    for text in _longer_and_longer(tokenizer, ids):
        sure.append(sure[-1] if text.endswith(UNFINISHED) else text)
    return sure
