"""Writing with a cache: what exercise 5.4 checks."""

from collections.abc import Iterator

import torch
from torch import Tensor
from transformers import PreTrainedModel

from course.graders.attempt import Attempt
from course.graders.models import default_model, tiny_llama
from course.graders.spec import Check, Mistake, exercise
from utils.kv_cache import counting_positions, generate_with_cache
from utils.language import N_


def _write(
    model: PreTrainedModel,
    ids: Tensor,
    count: int,
    *,
    pass_cache: bool = True,
    whole: bool = False,
    stop: bool = True,
    column: int = -1,
    twice: bool = False,
) -> Tensor:
    """The ids that a loop with the cache writes, with one thing or another gone wrong in it."""
    kept, unseen = None, ids
    for _step in range(count):
        output = model(unseen, past_key_values=kept, use_cache=True)
        kept = output.past_key_values if pass_cache else None
        token = output.logits[:, column].argmax(-1, keepdim=True)
        unseen = ids[:, -1:] if twice else token
        ids = torch.cat([ids, token], dim=1)
        unseen = ids if whole else unseen
        if stop and token.item() == model.generation_config.eos_token_id:
            break
    return ids


MISTAKEN_LOOPS = (
    Mistake(
        "new-only",
        lambda m, ids, n: _write(m, ids, n)[:, ids.shape[1] :],
        N_(
            "The prompt is missing. Return all ids, the prompt's first.",
            "프롬프트가 없습니다. 프롬프트부터 시작하는 id 전체를 돌려주세요.",
        ),
    ),
    Mistake(
        "past-the-end",
        lambda m, ids, n: _write(m, ids, n, stop=False),
        N_(
            "It wrote on after the end token, `model.generation_config.eos_token_id`.",
            "끝 토큰 `model.generation_config.eos_token_id`가 나온 뒤에도 계속 썼습니다.",
        ),
    ),
    Mistake(
        "end-token-dropped",
        lambda m, ids, n: _write(m, ids, n)[:, :-1],
        N_(
            "The last token is missing: the end token belongs to the result, and so does the last.",
            "마지막 토큰이 없습니다. 끝 토큰도, 마지막으로 쓴 토큰도 결과에 들어갑니다.",
        ),
    ),
    Mistake(
        "one-too-many",
        lambda m, ids, n: _write(m, ids, n + 1),
        N_(
            "There is one token too many: does your loop run `max_new_tokens` times?",
            "토큰이 하나 많습니다. 루프가 `max_new_tokens`번 도나요?",
        ),
    ),
    Mistake(
        "cache-not-passed",
        lambda m, ids, n: _write(m, ids, n, pass_cache=False),
        N_(
            "The model saw only the newest token and no cache. Give it the `past_key_values` "
            "of the pass before.",
            "모델이 캐시 없이 새 토큰 하나만 보았습니다. 앞선 정방향 계산의 "
            "`past_key_values`를 함께 주세요.",
        ),
    ),
    Mistake(
        "whole-text-again",
        lambda m, ids, n: _write(m, ids, n, whole=True),
        N_(
            "The whole text went in beside the cache, so the model read it twice. With a "
            "cache, give it only what is new.",
            "캐시가 있는데도 글 전체를 넣어서 모델이 같은 글을 두 번 읽었습니다. 캐시를 줄 "
            "때는 새것만 넣으세요.",
        ),
    ),
    Mistake(
        "one-token-behind",
        lambda m, ids, n: _write(m, ids, n, twice=True),
        N_(
            "The token before the newest one went in again. Give it the token just chosen.",
            "바로 앞의 토큰이 다시 들어갔습니다. 방금 고른 토큰을 넣으세요.",
        ),
    ),
    Mistake(
        "first-position",
        lambda m, ids, n: _write(m, ids, n, column=0),
        N_(
            "The logits of the first position were used. The next token follows the last one.",
            "첫 위치의 로짓을 썼습니다. 다음 토큰은 마지막 위치가 정합니다.",
        ),
    ),
)


@exercise(
    "5.4",
    mistakes=MISTAKEN_LOOPS,
    diagnoses={
        "not-cached": N_(
            "The tokens are right, but positions were computed again. After the first pass, "
            "give the model only the newest token and the cache.",
            "토큰은 맞지만 같은 위치를 다시 계산했습니다. 첫 번째 정방향 계산 뒤에는 새 토큰 "
            "하나와 캐시만 주세요.",
        ),
    },
)
def own_loop_with_cache(attempt: Attempt) -> Iterator[Check]:
    model, prompt = tiny_llama(3), torch.tensor([[11, 3, 40, 22]])
    end = int(generate_with_cache(model, prompt, 4)[0, -1])
    real, tokenizer = default_model()
    text = tokenizer("The capital of Italy is", return_tensors="pt").input_ids
    for title, m, ids, count in (
        (N_("eight tokens more", "여덟 토큰 더"), model, prompt, 8),
        (N_("it stops at the end token", "끝 토큰에서 멈춘다"), tiny_llama(3, end=end), prompt, 8),
        (N_("a single token", "토큰 하나"), model, prompt[:, :2], 1),
        (N_("the real model", "진짜 모델"), real, text, 6),
    ):
        yield attempt.compare(title, m, ids, count, expected=generate_with_cache(m, ids, count))
    yield _each_position_once(attempt, model, prompt)


def _each_position_once(attempt: Attempt, model: PreTrainedModel, prompt: Tensor) -> Check:
    def positions_of_passes(
        model: PreTrainedModel, input_ids: Tensor, max_new_tokens: int
    ) -> list[int]:
        with counting_positions(model) as counts:
            attempt.answer(model, input_ids, max_new_tokens)
        return counts

    title, new = N_("each position is computed once", "위치마다 한 번만 계산한다"), 8
    counts = attempt.call(
        title, model, prompt, new, function=positions_of_passes, name="generate_with_cache"
    )
    once = [prompt.shape[1], *[1] * (new - 1)]
    if sum(counts) <= sum(once) + 1:  # a last pass whose logits nobody uses is forgiven
        return Check(title)
    return attempt.fail(title, "not-cached", got=str(counts), expected=str(once))
