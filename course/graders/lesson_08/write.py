"""The loop that writes: what exercise 8.5 checks."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaForCausalLM

from course.graders.attempt import Attempt, failures
from course.graders.lesson_08.small_model import IDS, small_model
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_
from utils.parts import KVCache


def _second_best(logits: Tensor) -> int:
    return int(logits.topk(2).indices[1])


def _write(
    model: LlamaForCausalLM,
    input_ids: Tensor,
    max_new_tokens: int,
    choose: Callable[[Tensor], int],
    *,
    wrong: str,
) -> list[int]:
    """The ids that `write` yields, as a list, with one thing or another gone wrong."""
    ids = list(parts.write(model, input_ids, max_new_tokens + (wrong == "one-too-many"), choose))
    end = model.generation_config.eos_token_id
    if wrong == "always-greedy":
        ids = list(parts.write(model, input_ids, max_new_tokens))
    if wrong == "past-the-end":
        ids = list(parts.write(small_model(), input_ids, max_new_tokens, choose))
    if wrong == "end-token-dropped" and ids[-1] == end:
        ids = ids[:-1]
    if wrong == "one-too-few":
        ids = ids[:-1]
    if wrong == "with-prompt":
        ids = [*input_ids[0].tolist(), *ids]
    if wrong == "same-token":
        ids = [choose(parts.forward(model, input_ids)[0, -1])] * max_new_tokens
    if wrong in ("old-token-again", "only-new-token"):
        kept, unseen, ids = KVCache(), input_ids, []
        for _step in range(max_new_tokens):
            given = kept if wrong == "old-token-again" else None
            ids.append(choose(parts.forward(model, unseen, given)[0, -1]))
            again = input_ids if wrong == "old-token-again" else torch.tensor([ids])
            unseen = again[:, -1:]
    if wrong == "whole-text-again":
        kept, text = KVCache(), input_ids
        for _step in range(max_new_tokens):
            token = choose(parts.forward(model, text, kept)[0, -1])
            text = torch.cat([text, torch.tensor([[token]])], dim=1)
            if token == end:
                break
        ids = text[0, input_ids.shape[1] :].tolist()
    return ids


MISTAKEN_LOOPS = tuple(
    Mistake(name, partial(_write, wrong=name), says)
    for name, says in {
        "end-token-dropped": N_(
            "The end token is missing: yield it, and then stop.",
            "끝 토큰이 빠졌습니다. 내놓은 다음에 멈추세요.",
        ),
        "with-prompt": N_(
            "The prompt's ids are among them. Yield only what is new.",
            "프롬프트의 id가 섞여 있습니다. 새 토큰만 내놓으세요.",
        ),
        "one-too-few": N_(
            "One token is missing: does the loop run `max_new_tokens` times?",
            "토큰 하나가 모자랍니다. 루프가 `max_new_tokens`번 도나요?",
        ),
        "one-too-many": N_(
            "There is one token too many: does the loop run `max_new_tokens` times?",
            "토큰이 하나 많습니다. 루프가 `max_new_tokens`번 도나요?",
        ),
        "same-token": N_(
            "The same token each time: put the new token into the model next.",
            "매번 같은 토큰입니다. 다음에는 새 토큰을 모델에 넣으세요.",
        ),
        "old-token-again": N_(
            "The prompt's last token goes in again at each step. Put in the token just chosen.",
            "매번 프롬프트의 마지막 토큰을 다시 넣고 있습니다. 방금 고른 토큰을 넣으세요.",
        ),
        "only-new-token": N_(
            "The model forgot the text: make one cache before the loop, and give it to each "
            "`forward`.",
            "모델이 앞의 글을 잊었습니다. 루프 앞에서 캐시를 하나 만들어 `forward`마다 넘기세요.",
        ),
        "whole-text-again": N_(
            "The whole text went in beside the cache, so the model read it twice. With a cache, "
            "give it only what is new.",
            "캐시가 있는데도 글 전체를 넣어서 모델이 같은 글을 두 번 읽었습니다. 캐시를 줄 때는 "
            "새것만 넣으세요.",
        ),
        "always-greedy": N_(
            "It chose for itself. Use the function `choose` that it is given.",
            "토큰을 직접 골랐습니다. 인수로 받은 함수 `choose`로 고르세요.",
        ),
        "past-the-end": N_(
            "It wrote on after the end token. Stop at `model.generation_config.eos_token_id`.",
            "끝 토큰이 나온 뒤에도 계속 썼습니다. `model.generation_config.eos_token_id`에서 "
            "멈추세요.",
        ),
    }.items()
)


@exercise(
    "8.5",
    mistakes=(
        *MISTAKEN_LOOPS,
        Mistake(
            "return-for-yield",
            lambda *given: next(parts.write(*given)),
            N_(
                "One token came out, and that was the end. `yield` gives one and goes on; `return` "
                "ends the function.",
                "토큰 하나만 나오고 끝났습니다. `yield`는 하나를 내놓고 계속하지만, `return`은 "
                "함수를 끝냅니다.",
            ),
        ),
    ),
    diagnoses={
        "computed-again": N_(
            "It did {times:.1f} times the work that is needed: with the cache, only the new "
            "token goes into `forward`.",
            "필요한 계산의 {times:.1f}배를 했습니다. 캐시가 있으면 `forward`에 새 토큰만 "
            "넣으면 됩니다.",
        ),
        "all-at-once": N_(
            "All tokens were computed before the first came out. `yield` each as it is chosen.",
            "첫 토큰이 나오기 전에 모든 토큰을 계산했습니다. 고를 때마다 `yield`하세요.",
        ),
    },
)
def write(attempt: Attempt) -> Iterator[Check]:
    def listed(*given: object) -> object:
        tokens = attempt.answer(*given)
        several = isinstance(tokens, Iterable) and not isinstance(tokens, Tensor)
        return list(tokens) if several else tokens

    ids = torch.tensor(IDS)
    third = list(parts.write(small_model(), ids, 3))[2]
    for title, model, choose in (
        (N_("six new tokens, greedy", "새 토큰 여섯 개, 탐욕적 검색"), small_model(), parts.greedy),
        (N_("with another way to choose", "다른 방법으로 고른다"), small_model(), _second_best),
        (
            N_("it stops at the end token", "끝 토큰에서 멈춘다"),
            small_model(end=third),
            parts.greedy,
        ),
    ):
        given = model, ids, 6, choose
        expected = list(parts.write(*given))
        yield attempt.compare(title, *given, expected=expected, function=listed, name="write")
    yield from failures([_chooses_from_logits(attempt, ids)])
    yield _with_the_cache(attempt, listed, ids)
    yield _one_by_one(attempt, ids)


def _chooses_from_logits(attempt: Attempt, ids: Tensor) -> Check:
    """What `choose` is given: the logits [vocab] of the last position."""
    title, model = N_("what `choose` is given", "`choose`가 받는 것"), small_model()

    def given_to_choose(write: Callable) -> list[Tensor]:
        seen: list[Tensor] = []

        def choose(logits: Tensor) -> int:
            seen.append(logits)
            return parts.greedy(logits)

        list(write(model, ids, 3, choose))
        return seen

    return attempt.compare(
        title,
        function=lambda: given_to_choose(attempt.answer),
        expected=given_to_choose(parts.write),
    )


def _with_the_cache(attempt: Attempt, listed: Callable, ids: Tensor) -> Check:
    """Whether each position was computed once: counted by the multiplications that were done."""
    title, given = (
        N_("each position is computed once", "위치마다 한 번만 계산한다"),
        (small_model(), ids, 12, parts.greedy),
    )
    with FlopCounterMode(display=False) as mine:
        attempt.call(title, *given, function=listed, name="write")
    with FlopCounterMode(display=False) as least:
        list(parts.write(*given))
    times = mine.get_total_flops() / least.get_total_flops()
    return Check(title) if times < 1.5 else attempt.fail(title, "computed-again", times=times)


def _one_by_one(attempt: Attempt, ids: Tensor) -> Check:
    """Whether the first token comes out after one choice."""
    title, calls = (
        N_(
            "the first token comes before the second is computed",
            "둘째 토큰을 계산하기 전에 첫 토큰이 나온다",
        ),
        [],
    )

    def counting(logits: Tensor) -> int:
        calls.append(1)
        return parts.greedy(logits)

    def first(*given: object) -> object:
        return next(iter(attempt.answer(*given, counting)))

    attempt.call(title, small_model(), ids, 6, function=first)
    return Check(title) if len(calls) == 1 else attempt.fail(title, "all-at-once")
