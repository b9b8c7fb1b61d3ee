"""The logit lens, and where Paris takes the lead: what exercises 4.3 and 4.4 check."""

import operator
from collections.abc import Iterator
from functools import cache

import torch
from torch import nn

from course.graders.attempt import Attempt
from course.graders.models import default_model
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_
from utils.streams import logit_lens, trace_streams

EIFFEL = "The Eiffel Tower is in the city of"


@exercise(
    "4.3",
    mistakes=(
        Mistake(
            "norm-left-out",
            lambda h, norm, head: head(h),
            N_(
                "The final norm is missing. The LM head knows only vectors that come from it.",
                "마지막 정규화가 빠졌습니다. LM 헤드는 정규화를 거친 벡터로 훈련되었습니다.",
            ),
        ),
        Mistake(
            "norm-twice",
            lambda h, norm, head: head(norm(norm(h))),
            N_(
                "The norm was applied twice. In the model a vector passes it once.",
                "정규화를 두 번 했습니다. 모델에서 벡터는 한 번만 거칩니다.",
            ),
        ),
        Mistake(
            "wrong-order",
            lambda h, norm, head: norm(head(h)),
            N_(
                "The norm takes vectors of the model's width: first `norm`, then `lm_head`.",
                "정규화는 차원이 모델과 같은 벡터를 받습니다. 먼저 `norm`, 그다음 `lm_head`입니다.",
            ),
        ),
        Mistake(
            "gain-left-out",
            lambda h, norm, head: head(nn.functional.rms_norm(h, h.shape[-1:], eps=1e-6)),
            N_(
                "The length is right, but the norm also has a weight for each number. Call `norm`.",
                "길이는 맞지만 정규화에는 숫자마다 곱하는 가중치도 있습니다. `norm`을 부르세요.",
            ),
        ),
        Mistake(
            "length-one",
            lambda h, norm, head: head(h / h.norm(dim=-1, keepdim=True)),
            N_(
                "You gave the vector the length 1. The model's own `norm` does something "
                "else: call it.",
                "벡터의 길이를 1로 만들었습니다. 모델의 `norm`은 다른 일을 합니다. 그것을 "
                "부르세요.",
            ),
        ),
        Mistake(
            "probabilities",
            lambda h, norm, head: head(norm(h)).softmax(-1),
            N_(
                "These are probabilities. Logits are asked for, as the LM head gives them.",
                "확률입니다. LM 헤드에서 나온 로짓을 그대로 돌려주세요.",
            ),
        ),
        Mistake(
            "id-not-logits",
            lambda h, norm, head: head(norm(h)).argmax(-1),
            N_(
                "That is the likeliest id. All the logits are asked for; choosing comes later.",
                "1등 토큰의 id입니다. 로짓 전부를 돌려주세요. 고르는 것은 나중 일입니다.",
            ),
        ),
    ),
)
def own_lens(attempt: Attempt) -> Iterator[Check]:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        norm, head = nn.RMSNorm(6, eps=1e-6), nn.Linear(6, 9, bias=False)
        norm.requires_grad_(False).weight.copy_(torch.rand(6) * 3 + 0.2)
        head.requires_grad_(False).weight.copy_(torch.randn(9, 6))
        cases = (
            (N_("one vector", "벡터 하나"), 7 * torch.randn(6)),
            (N_("three positions at once", "위치 세 개를 한꺼번에"), 3 * torch.randn(3, 6)),
        )
    for title, hidden in cases:
        expected = head(norm(hidden))
        yield attempt.compare(title, hidden, norm, head, expected=expected)


@cache
def _leaders() -> list[str]:
    """What the last stream of EIFFEL would say after each layer."""
    model, tokenizer = default_model()
    logits = logit_lens(model, trace_streams(model, tokenizer, EIFFEL))
    return [tokenizer.decode([i]) for i in logits[:, -1].argmax(-1).tolist()]


@exercise(
    "4.4",
    diagnoses={
        "not-a-layer": N_(
            "Give the layer as a whole number, from 0 to {last}.",
            "층을 0부터 {last}까지의 정수로 적으세요.",
        ),
        "no-such-layer": N_(
            "There are layers 0 (the embeddings) to {last}.",
            "이 레슨의 층은 0(임베딩)부터 {last}까지 있습니다.",
        ),
        "too-early": N_(
            "After layer {layer} the last stream would still say {leader}. Look higher up.",
            "{layer}층에서 마지막 스트림의 1등은 아직 {leader}입니다. 더 위를 보세요.",
        ),
        "too-late": N_(
            "' Paris' leads there, but it did so before. Look further down.",
            "거기서도 ' Paris'가 1등이지만, 그 전부터 1등이었습니다. 더 아래를 보세요.",
        ),
    },
)
def leading_layer(attempt: Attempt) -> Iterator[Check]:
    title, leaders = N_("' Paris' leads from this layer on", "이 층부터 ' Paris'가 1등"), _leaders()
    last = len(leaders) - 1
    try:
        if isinstance(attempt.answer, bool):
            raise TypeError
        layer = operator.index(attempt.answer)
    except TypeError:
        yield attempt.fail(title, "not-a-layer", got=repr(attempt.answer)[:80], last=last)
        return
    first = max(i + 1 for i, leader in enumerate(leaders) if leader != " Paris")
    got = str(layer)
    if not 0 <= layer <= last:
        yield attempt.fail(title, "no-such-layer", got=got, last=last)
    elif layer < first:
        leader = repr(leaders[layer])
        yield attempt.fail(title, "too-early", got=got, layer=layer, leader=leader)
    elif layer > first:
        yield attempt.fail(title, "too-late", got=got)
    else:
        yield Check(title)
