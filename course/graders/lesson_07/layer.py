"""The whole layer: what exercise 7.8 checks."""

from collections.abc import Iterator
from functools import cache, partial

import torch
from torch import Tensor

from course.graders.attempt import Attempt, failures
from course.graders.models import default_model, numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.architecture import projections
from utils.attention import AttentionRecord, record_attention
from utils.language import N_
from utils.parts import causal_mask

TEXT = "The dog chased the squirrel because it"


@cache
def recorded(text: str) -> AttentionRecord:
    return record_attention(*default_model(), text)


def _layer(
    x: Tensor,
    q_proj: Tensor,
    k_proj: Tensor,
    v_proj: Tensor,
    o_proj: Tensor,
    heads: int,
    kv_heads: int,
    theta: float,
    *,
    wrong: str,
) -> Tensor:
    """An attention layer, with one thing or another gone wrong."""
    positions = torch.arange(len(x))

    def turned(vectors: Tensor, count: int) -> Tensor:
        if wrong == "not-turned":
            return parts.split_heads(vectors, count)
        if wrong == "turned-before-split":
            return parts.split_heads(parts.rotary(vectors[None], positions, theta)[0], count)
        return parts.rotary(parts.split_heads(vectors, count), positions, theta)

    matrices = (q_proj, k_proj, v_proj)
    q, k, v = (x @ (m if wrong == "matrices-not-turned" else m.T) for m in matrices)
    q, k = turned(q, heads), turned(k, kv_heads)
    v = turned(v, kv_heads) if wrong == "values-turned" else parts.split_heads(v, kv_heads)
    if wrong == "queries-for-keys":
        k = q[:kv_heads]
    groups = heads // kv_heads
    if wrong == "tiled":
        k, v = k.repeat(groups, 1, 1), v.repeat(groups, 1, 1)
    elif wrong != "not-repeated":
        k, v = parts.repeat_kv(k, groups), parts.repeat_kv(v, groups)
    scores = parts.attention_scores(q, k)
    if wrong == "not-scaled":
        scores = scores * q.shape[-1] ** 0.5
    mask = causal_mask(len(x))
    weights = parts.attention_weights(scores, mask | (wrong == "no-mask"))
    merged = parts.merge_heads(parts.combine(weights, v))
    if wrong == "no-output-matrix":
        return merged
    result = merged @ (o_proj if wrong == "output-matrix-not-turned" else o_proj.T)
    return result + x if wrong == "residual-added" else result


MISTAKEN_LAYERS = tuple(
    Mistake(name, partial(_layer, wrong=name), says)
    for name, says in {
        "no-output-matrix": N_(
            "The last step is missing: `@ o_proj.T`.",
            "마지막 단계인 `@ o_proj.T`가 빠졌습니다.",
        ),
        "not-turned": N_(
            "Queries and keys have no positions in them: `rotary` is missing.",
            "쿼리와 키에 위치 정보가 없습니다. `rotary`가 빠졌습니다.",
        ),
        "values-turned": N_(
            "The values were turned too. Only queries and keys are.",
            "값까지 회전했습니다. 쿼리와 키만 회전합니다.",
        ),
        "turned-before-split": N_(
            "Split into heads first, then turn: each head is turned by itself.",
            "먼저 헤드로 나누고 나서 회전하세요. 헤드마다 따로 회전합니다.",
        ),
        "tiled": N_(
            "Heads 0, 1, 2 share keys 0: `repeat_kv`, not `repeat`.",
            "0, 1, 2번 헤드가 0번 키를 함께 써야 합니다. `repeat`가 아니라 `repeat_kv`를 쓰세요.",
        ),
        "no-mask": N_(
            "Positions look ahead: use `causal_mask(len(x))`.",
            "뒤쪽 토큰을 보고 있습니다. `causal_mask(len(x))`를 쓰세요.",
        ),
        "not-scaled": N_(
            "The scores are not divided by the root of `head_dim`.",
            "점수를 `head_dim`의 제곱근으로 나누지 않았습니다.",
        ),
        "matrices-not-turned": N_(
            "The matrices are [out, in], as the model keeps them: multiply with `q_proj.T`.",
            "행렬은 모델에 들어 있는 그대로 [out, in]입니다. `q_proj.T`를 곱하세요.",
        ),
        "output-matrix-not-turned": N_(
            "The last matrix is [out, in] too: `@ o_proj.T`.",
            "마지막 행렬도 [out, in]입니다. `@ o_proj.T`로 곱하세요.",
        ),
        "queries-for-keys": N_(
            "The keys were made with the matrix of the queries. Use `k_proj`.",
            "쿼리의 행렬로 키를 만들었습니다. `k_proj`를 쓰세요.",
        ),
        "not-repeated": N_(
            "There are fewer keys and values than queries: give each head its own with "
            "`repeat_kv`.",
            "키와 값이 쿼리보다 적습니다. `repeat_kv`로 헤드마다 하나씩 주세요.",
        ),
        "residual-added": N_(
            "`x` was added. That is the block's doing, outside this layer, as in lesson 06.",
            "`x`를 더했습니다. 그것은 레슨 06에서 본 대로 이 층 밖에서 블록이 하는 일입니다.",
        ),
    }.items()
)


@exercise("7.8", mistakes=MISTAKEN_LAYERS)
def attention_layer(attempt: Attempt) -> Iterator[Check]:
    for title, heads, kv_heads, head_dim, width in (
        (N_("four heads, two of keys and values", "헤드 4개, KV 헤드 2개"), 4, 2, 6, 14),
        (
            N_(
                "three heads with keys and values of their own",
                "헤드마다 키와 값이 따로 있는 헤드 3개",
            ),
            3,
            3,
            2,
            10,
        ),
        (N_("six heads, two of keys and values", "헤드 6개, KV 헤드 2개"), 6, 2, 4, 10),
    ):
        x = numbers(5, width)
        q, k, v = (
            numbers(count * head_dim, width, seed=seed) / 2
            for seed, count in enumerate((heads, kv_heads, kv_heads), 1)
        )
        given = (x, q, k, v, numbers(width, heads * head_dim, seed=4), heads, kv_heads, 100.0)
        expected = parts.attention_layer(*given)
        check = attempt.compare(title, *given, expected=expected)
        yield from [check] if heads < 6 else failures([check])
    model, _tokenizer = default_model()
    config, record = model.config, recorded(TEXT)
    matrices = projections(model.model.layers[27].self_attn)
    theta = config.rope_parameters["rope_theta"]
    sizes = (config.num_attention_heads, config.num_key_value_heads, theta)
    given = (record.inputs[27], *matrices.values(), *sizes)
    title = N_("layer 27 of the model itself", "모델의 27번 층")
    yield attempt.compare(title, *given, expected=record.outputs[27])
