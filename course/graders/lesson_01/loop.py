"""The loop itself, piece by piece: what exercises 1.1 to 1.3 check."""

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.graders.attempt import Attempt, failures
from course.graders.models import default_model, tiny_llama
from course.graders.spec import Check, Mistake, exercise
from utils.generation import generate, next_logits
from utils.language import N_, _
from utils.model import end_token_ids


@exercise(
    "1.1",
    mistakes=(
        Mistake(
            "first-position",
            lambda model, ids: model(ids).logits[0, 0].argmax().item(),
            N_(
                "That is what follows the first token. Take the last position, index -1.",
                "그것은 첫 토큰 다음에 올 토큰입니다. 마지막 위치, 인덱스 -1을 쓰세요.",
            ),
        ),
        Mistake(
            "one-too-early",
            lambda model, ids: model(ids).logits[0, -2].argmax().item(),
            N_(
                "That is one position too early: index -1 is the last one.",
                "한 위치 앞의 예측입니다. 마지막 위치는 인덱스 -1입니다.",
            ),
        ),
        Mistake(
            "over-all-positions",
            lambda model, ids: model(ids).logits.argmax().item(),
            N_(
                "argmax ran over all positions at once. Take the last position first.",
                "argmax가 모든 위치를 한꺼번에 훑었습니다. 마지막 위치를 먼저 꺼내세요.",
            ),
        ),
        Mistake(
            "every-position",
            lambda model, ids: model(ids).logits.argmax(-1),
            N_(
                "That is a prediction for every position. Only the last one is the next token.",
                "위치마다 하나씩 예측이 나왔습니다. 다음 토큰은 마지막 위치의 것뿐입니다.",
            ),
        ),
        Mistake(
            "score-not-id",
            lambda model, ids: model(ids).logits[0, -1].max().item(),
            N_(
                "That is the highest score itself. Its place in the vocabulary is asked for: "
                "argmax.",
                "그것은 가장 높은 점수 자체입니다. 그 점수의 인덱스(argmax)를 돌려주세요.",
            ),
        ),
        Mistake(
            "text-not-id",
            lambda model, ids: default_model()[1].decode(model(ids).logits[0, -1].argmax()),
            N_(
                "That is the token's text. Return its id, an int; decoding comes later.",
                "그것은 토큰의 글자입니다. id(int)를 돌려주세요. 글자로 바꾸는 일은 나중입니다.",
            ),
        ),
    ),
)
def next_token_id(attempt: Attempt) -> Iterator[Check]:
    model, tokenizer = default_model()
    for text in ("1, 2, 3, 4,", "The capital of France is", "Once upon a time there was"):
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            expected = model(ids).logits[0, -1].argmax().item()
            title = _("after {text}", "{text} 다음").format(text=repr(text))
            yield attempt.compare(title, model, ids, expected=expected)
    yield from failures(_of_models_that_hardly_know(attempt))


def _of_models_that_hardly_know(attempt: Attempt) -> Iterator[Check]:
    """Small models give every token a little: one that is drawn is hardly ever the likeliest."""
    for seed in range(4):
        model, ids = tiny_llama(seed), torch.tensor([[seed + 5, 11, 2 * seed]])
        expected = int(model(ids).logits[0, -1].argmax())
        title = N_("the likeliest, and no other", "언제나 1등 토큰")
        yield attempt.compare(title, model, ids, expected=expected)


def _new(token: int) -> Tensor:
    return torch.tensor([[token]])


@exercise(
    "1.2",
    mistakes=(
        Mistake(
            "at-the-front",
            lambda ids, token: torch.cat([_new(token), ids], dim=1),
            N_(
                "The token went to the front. The model reads left to right: new tokens go last.",
                "토큰이 맨 앞에 붙었습니다. 모델은 왼쪽에서 오른쪽으로 읽으므로 새 토큰은 "
                "끝에 옵니다.",
            ),
        ),
        Mistake(
            "batch-axis",
            lambda ids, token: torch.cat([ids, _new(token)], dim=0),
            N_(
                "You joined along axis 0, the batch. Positions are axis 1.",
                "축 0, 곧 배치 축으로 이어 붙였습니다. 위치는 축 1입니다.",
            ),
        ),
        Mistake(
            "batch-lost",
            lambda ids, token: torch.cat([ids[0], torch.tensor([token])]),
            N_(
                "The batch axis is gone. The model wants `[1, position]`, not `[position]`.",
                "배치 축이 사라졌습니다. 모델이 받는 모양은 `[position]`이 아니라 `[1, "
                "position]`입니다.",
            ),
        ),
        Mistake(
            "replaced-last",
            lambda ids, token: torch.cat([ids[:, :-1], _new(token)], dim=1),
            N_(
                "The token took the last one's place. The text should grow by one position.",
                "새 토큰이 마지막 토큰을 밀어내고 들어갔습니다. 글은 한 위치만큼 길어져야 합니다.",
            ),
        ),
        Mistake(
            "added-up",
            lambda ids, token: ids + token,
            N_(
                "`+` adds the number to every id. Joining is `torch.cat`.",
                "`+`는 모든 id에 그 수를 더합니다. 이어 붙이는 것은 `torch.cat`입니다.",
            ),
        ),
        Mistake(
            "flat-token",
            lambda ids, token: torch.cat([ids, torch.tensor([token])], dim=1),
            N_(
                "Both tensors need two axes to be joined: write `[[token_id]]`, not `[token_id]`.",
                "이어 붙이려면 두 텐서 모두 축이 두 개여야 합니다. `[token_id]`가 아니라 "
                "`[[token_id]]`로 쓰세요.",
            ),
        ),
        Mistake(
            "bare-token",
            lambda ids, token: torch.cat([ids, token], dim=1),
            N_(
                "`torch.cat` joins tensors. Make one of the id first: "
                "`torch.tensor([[token_id]])`.",
                "`torch.cat`은 텐서끼리 이어 붙입니다. id를 먼저 텐서로 만드세요: "
                "`torch.tensor([[token_id]])`.",
            ),
        ),
    ),
)
def append_token(attempt: Attempt) -> Iterator[Check]:
    for given, token in (([[5, 6, 7]], 8), ([[2]], 2), ([[9, 8, 7, 6, 5]], 0)):
        ids = torch.tensor(given)
        yield attempt.compare(
            _("{ids} and then {token}", "{ids} 다음에 {token}").format(
                ids=ids.tolist(), token=token
            ),
            ids,
            token,
            expected=torch.cat([ids, _new(token)], dim=1),
        )


@cache
def _loop(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    max_new_tokens: int,
    *,
    grow: bool = True,
    stop: bool = True,
    only_last: bool = False,
) -> list[int]:
    """The ids that a greedy loop writes, with one thing or another gone wrong in it."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    new: list[int] = []
    for _step in range(max_new_tokens):
        new.append(int(next_logits(model, ids)[0].argmax()))
        if stop and new[-1] in end_token_ids(model, tokenizer):
            break
        if only_last:
            ids = torch.tensor([[new[-1]]])
        elif grow:
            ids = torch.cat([ids, torch.tensor([[new[-1]]])], dim=1)
    return new


def _text(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=True)


MISTAKEN_LOOPS = (
    Mistake(
        "with-prompt",
        lambda m, t, p, n: _text(t, t(p).input_ids + _loop(m, t, p, n)),
        N_(
            "The prompt is in it. Return only what is new: the ids after the prompt's.",
            "프롬프트가 들어 있습니다. 프롬프트 뒤의 새 id만 글로 바꿔 돌려주세요.",
        ),
    ),
    Mistake(
        "end-token-kept",
        lambda m, t, p, n: t.decode(_loop(m, t, p, n)),
        N_(
            "The end token's own text is in it. Stop before you keep it, or decode with "
            "`skip_special_tokens=True`.",
            "끝 토큰의 글자가 들어 있습니다. 끝 토큰을 붙이기 전에 멈추거나, "
            "`skip_special_tokens=True`로 디코딩하세요.",
        ),
    ),
    Mistake(
        "one-too-few",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n)[:-1]),
        N_(
            "One token is missing at the end: does your loop run `max_new_tokens` times?",
            "끝에서 토큰 하나가 모자랍니다. 루프가 `max_new_tokens`번 도나요?",
        ),
    ),
    Mistake(
        "one-too-many",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n + 1)),
        N_(
            "There is one token too many: does your loop run `max_new_tokens` times?",
            "토큰이 하나 많습니다. 루프가 `max_new_tokens`번 도나요?",
        ),
    ),
    Mistake(
        "past-the-end",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n, stop=False)),
        N_(
            "It wrote on after the end token. Compare with `tokenizer.eos_token_id` and stop.",
            "끝 토큰이 나온 뒤에도 계속 썼습니다. `tokenizer.eos_token_id`와 비교해서 멈추세요.",
        ),
    ),
    Mistake("past-the-end", lambda m, t, p, n: t.decode(_loop(m, t, p, n, stop=False))),
    Mistake(
        "not-appended",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n, grow=False)),
        N_(
            "The same token again and again: is the new token appended to `input_ids`?",
            "같은 토큰만 되풀이됩니다. 새 토큰을 `input_ids`에 붙였나요?",
        ),
    ),
    Mistake(
        "only-last-token",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n, only_last=True)),
        N_(
            "The model saw only the newest token each time. It needs the whole text so far.",
            "모델이 매번 새 토큰 하나만 보았습니다. 지금까지의 글 전체를 주어야 합니다.",
        ),
    ),
    Mistake(
        "token-by-token",
        lambda m, t, p, n: "".join(_text(t, [i]) for i in _loop(m, t, p, n)),
        N_(
            "The tokens were decoded one by one. A Hangul syllable or an emoji may be spread "
            "over several tokens: decode them together.",
            "토큰을 하나씩 디코딩했습니다. 한글 한 글자나 이모지는 여러 토큰에 나뉘어 있을 수 "
            "있으니 한꺼번에 디코딩하세요.",
        ),
    ),
    Mistake(
        "ids-not-text",
        _loop,
        N_(
            "These are ids. `tokenizer.decode(ids)` turns them into text.",
            "이것은 id입니다. `tokenizer.decode(ids)`가 글로 바꿔 줍니다.",
        ),
    ),
    Mistake(
        "characters",
        lambda m, t, p, n: _text(t, _loop(m, t, p, n))[:n],
        N_(
            "The text was cut after `max_new_tokens` characters. Count tokens instead.",
            "글이 `max_new_tokens`글자에서 잘렸습니다. 글자가 아니라 토큰을 세세요.",
        ),
    ),
)


@cache
def _greedy_text(prompt: str, count: int) -> str:
    """What the default model writes, computed once however often a learner checks."""
    return generate(*default_model(), prompt, count)


@exercise("1.3", mistakes=MISTAKEN_LOOPS)
def generate_greedy(attempt: Attempt) -> Iterator[Check]:
    model, tokenizer = default_model()
    for title, prompt, count in (
        (N_("five tokens more", "토큰 다섯 개 더"), "The capital of Italy is", 5),
        (N_("it stops at the end token", "끝 토큰에서 멈춘다"), "Is it", 8),
        (N_("characters made of several tokens", "토큰 여러 개로 된 글자"), "서울은 대한민국의", 6),
    ):
        expected = _greedy_text(prompt, count)
        yield attempt.compare(title, model, tokenizer, prompt, count, expected=expected)
