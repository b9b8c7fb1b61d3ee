"""The whole model: what exercise 8.4 checks."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from course.graders.attempt import Attempt
from course.graders.lesson_08.small_model import IDS, small_model
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_
from utils.parts import KVCache


def _forward(
    model: LlamaForCausalLM, input_ids: Tensor, kept: KVCache | None = None, *, wrong: str
) -> Tensor:
    """`parts.forward`, with one thing or another gone wrong in it."""
    stack, eps = model.model, model.config.rms_norm_eps
    past = kept.get_seq_length() if kept is not None and wrong != "past-forgotten" else 0
    positions, mask = parts.places_and_mask(past, input_ids.shape[1])
    if wrong == "past-forgotten" and kept is not None:
        mask = parts.places_and_mask(kept.get_seq_length(), input_ids.shape[1])[1]
    x = parts.embed(input_ids, stack.embed_tokens.weight)[0]
    layers = stack.layers[:-1] if wrong == "layer-missing" else stack.layers
    for layer in layers:
        x = parts.run_layer(
            x, layer, model.config, positions, mask, None if wrong == "cache-not-passed" else kept
        )
    if wrong != "no-last-norm":
        x = parts.rms_norm(x, stack.norm.weight, eps)
    if wrong == "hidden-states":
        return x[None]
    head = stack.embed_tokens if wrong == "embedding-as-head" else model.lm_head
    logits = parts.lm_head(x, head.weight)
    if wrong == "last-only":
        return logits[None, -1:]
    return logits if wrong == "no-batch" else logits[None]


MISTAKEN_FORWARDS = tuple(
    Mistake(name, partial(_forward, wrong=name), says)
    for name, says in {
        "layer-missing": N_(
            "The last layer is missing: go over all of `model.model.layers`.",
            "마지막 층이 빠졌습니다. `model.model.layers`를 모두 거치세요.",
        ),
        "no-last-norm": N_(
            "The last norm is missing, `model.model.norm`, between layers and head.",
            "층과 LM 헤드 사이의 마지막 정규화 `model.model.norm`이 빠졌습니다.",
        ),
        "hidden-states": N_(
            "Those are the hidden states. `lm_head` turns them into logits.",
            "은닉 상태입니다. `lm_head`를 거쳐야 로짓이 됩니다.",
        ),
        "embedding-as-head": N_(
            "The embedding matrix was used as LM head. In some models they are the same; take "
            "`model.lm_head.weight`.",
            "임베딩 행렬을 LM 헤드로 썼습니다. 둘이 같은 모델도 있지만, "
            "`model.lm_head.weight`를 쓰세요.",
        ),
        "last-only": N_(
            "Only the last position came out. Return the logits of all.",
            "마지막 위치만 나왔습니다. 모든 위치의 로짓을 돌려주세요.",
        ),
        "no-batch": N_(
            "The batch axis is missing: `[None]` puts it back in front.",
            "배치 축이 빠졌습니다. `[None]`으로 앞에 되돌려 놓으세요.",
        ),
        "cache-not-passed": N_(
            "Without a past it is right. Hand the cache on to `run_layer`.",
            "캐시가 비어 있을 때는 맞습니다. 캐시를 `run_layer`에 넘기세요.",
        ),
        "past-forgotten": N_(
            "With a past, the positions start at 0 again: `cache.get_seq_length()` tells how "
            "many tokens are in the cache.",
            "캐시에 토큰이 있는데도 위치가 다시 0부터 시작합니다. 캐시에 든 토큰 수는 "
            "`cache.get_seq_length()`가 알려 줍니다.",
        ),
    }.items()
)


def _in_pieces(function: Callable, model: LlamaForCausalLM) -> Callable[[], Tensor]:
    def in_three_pieces() -> Tensor:
        kept, ids = KVCache(), torch.tensor(IDS)
        return torch.cat(
            [function(model, piece, kept) for piece in ids.split([3, 1, 2], dim=1)], dim=1
        )

    return in_three_pieces


@exercise("8.4", mistakes=MISTAKEN_FORWARDS)
def forward(attempt: Attempt) -> Iterator[Check]:
    model, ids = small_model(), torch.tensor(IDS)
    expected = model(ids).logits
    yield attempt.compare(
        N_("the library's logits", "라이브러리의 로짓"), model, ids, expected=expected
    )
    yield attempt.compare(
        N_(
            "the same text in three pieces, with the cache",
            "같은 글을 세 조각으로, 캐시를 써서",
        ),
        function=_in_pieces(attempt.answer, model),
        expected=expected,
        mistakes=tuple(
            Mistake(mistake.name, _in_pieces(mistake.wrong, model)) for mistake in MISTAKEN_FORWARDS
        ),
    )
