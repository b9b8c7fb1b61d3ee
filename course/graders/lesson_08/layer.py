"""Attention with a past, and one layer: what exercises 8.2 and 8.3 check."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaDecoderLayer

from course.graders.attempt import Attempt
from course.graders.lesson_08.small_model import small_model
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_
from utils.parts import (
    KVCache,
    attention_scores,
    attention_weights,
    combine,
    merge_heads,
    repeat_kv,
    rotary,
    split_heads,
)


def _x() -> Tensor:
    return numbers(5, 32, seed=81)


def _in_pieces(function: Callable, *about: object) -> Callable[[], Tensor]:
    """Runs a layer's function over `_x()` in two pieces, 3 and 2 positions, with one cache."""

    def in_two_pieces() -> Tensor:
        kept, x = KVCache(), _x()
        first, second = parts.places_and_mask(0, 3), parts.places_and_mask(3, 2)
        return torch.cat(
            [function(x[:3], *about, *first, kept), function(x[3:], *about, *second, kept)]
        )

    return in_two_pieces


def _whole_and_in_pieces(
    attempt: Attempt, right: Callable, part: nn.Module, config: LlamaConfig
) -> Iterator[Check]:
    """Try a layer's function over `_x()` at once, and again in two pieces with a cache."""
    whole = _x(), part, config, *parts.places_and_mask(0, 5)
    expected = right(*whole)
    yield attempt.compare(N_("a whole text", "글 전체를 한 번에"), *whole, expected=expected)
    yield attempt.compare(
        N_("the same text in two pieces, with the cache", "같은 글을 두 조각으로, 캐시를 써서"),
        function=_in_pieces(attempt.answer, part, config),
        expected=expected,
        mistakes=tuple(
            Mistake(mistake.name, _in_pieces(mistake.wrong, part, config))
            for mistake in attempt.spec.mistakes
        ),
    )


def _attention(
    x: Tensor,
    self_attn: LlamaAttention,
    config: LlamaConfig,
    positions: Tensor,
    mask: Tensor,
    kept: KVCache | None = None,
    *,
    wrong: str,
) -> Tensor:
    """`parts.attention`, with one thing or another gone wrong in it."""
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads

    def turn(part: Tensor, name: str) -> Tensor:
        if wrong in ("no-rotary", f"{name}-not-turned"):
            return part
        places = positions - positions[0] if wrong == "turned-from-zero" else positions
        return rotary(part, places, config.rope_parameters["rope_theta"])

    queries = turn(split_heads(x @ self_attn.q_proj.weight.T, heads), "queries")
    keys = turn(split_heads(x @ self_attn.k_proj.weight.T, kv_heads), "keys")
    values = split_heads(x @ self_attn.v_proj.weight.T, kv_heads)
    if wrong == "values-turned":
        values = turn(values, "values")
    if kept is not None and wrong != "cache-unused":
        pair = kept.append(self_attn.layer_idx, keys[None], values[None])
        if wrong != "cache-not-read":
            keys, values = pair[0][0], pair[1][0]
    repeat = (
        (lambda part: part.repeat(heads // kv_heads, 1, 1))
        if wrong == "heads-in-turn"
        else (lambda part: repeat_kv(part, heads // kv_heads))
    )
    scores = attention_scores(queries, repeat(keys))
    mask = torch.ones_like(mask) if wrong == "mask-forgotten" else mask
    merged = merge_heads(combine(attention_weights(scores, mask), repeat(values)))
    return merged if wrong == "no-output-matrix" else merged @ self_attn.o_proj.weight.T


MISTAKEN_ATTENTION = tuple(
    Mistake(name, partial(_attention, wrong=name), says)
    for name, says in {
        "no-rotary": N_(
            "Queries and keys are not turned: `rotary` knows where a token stands.",
            "쿼리와 키를 회전하지 않았습니다. `rotary`를 거쳐야 토큰의 위치가 들어갑니다.",
        ),
        "keys-not-turned": N_(
            "The keys are not turned. `rotary` goes over queries and keys.",
            "키를 회전하지 않았습니다. `rotary`는 쿼리와 키에 모두 씁니다.",
        ),
        "queries-not-turned": N_(
            "The queries are not turned. `rotary` goes over queries and keys.",
            "쿼리를 회전하지 않았습니다. `rotary`는 쿼리와 키에 모두 씁니다.",
        ),
        "values-turned": N_(
            "The values were turned as well. Only queries and keys are.",
            "값까지 회전했습니다. 쿼리와 키만 회전합니다.",
        ),
        "turned-from-zero": N_(
            "With a past, the turns start from 0 again. Use the `positions` given.",
            "캐시에 토큰이 있는데도 다시 0부터 회전하고 있습니다. 받은 `positions`를 쓰세요.",
        ),
        "heads-in-turn": N_(
            "The key-value heads stand in the wrong order: each goes to neighbours, 0 0 1 1, "
            "as `repeat_kv` does it.",
            "KV 헤드의 순서가 틀렸습니다. `repeat_kv`처럼 이웃끼리 0 0 1 1로 함께 써야 합니다.",
        ),
        "mask-forgotten": N_(
            "Positions look at those after them: the mask is not used.",
            "뒤의 위치까지 봅니다. 마스크를 쓰지 않았습니다.",
        ),
        "no-output-matrix": N_(
            "The last matrix is missing: what `merge_heads` gives goes to `o_proj`.",
            "마지막 행렬이 빠졌습니다. `merge_heads`의 결과에 `o_proj`를 곱하세요.",
        ),
        "cache-unused": N_(
            "The cache is not used: append the new keys and values to it.",
            "캐시를 쓰지 않았습니다. 새 키와 값을 캐시에 넣으세요.",
        ),
        "cache-not-read": N_(
            "Keys and values went into the cache, but only the new ones were used. `append` "
            "returns all of them.",
            "키와 값을 캐시에 넣었지만 새것만 썼습니다. `append`는 전부를 돌려줍니다.",
        ),
    }.items()
)


@exercise(
    "8.2",
    mistakes=MISTAKEN_ATTENTION,
    diagnoses={
        "kept-otherwise": N_(
            "In the cache belongs what the layer's own key-value heads gave, before "
            "`repeat_kv`, under the number `self_attn.layer_idx`.",
            "캐시에는 `repeat_kv`를 거치기 전, 그 층의 KV 헤드가 낸 것을 `self_attn.layer_idx` "
            "번호로 넣어야 합니다.",
        ),
    },
)
def attention(attempt: Attempt) -> Iterator[Check]:
    model = small_model()
    about = model.model.layers[1].self_attn, model.config
    yield from _whole_and_in_pieces(attempt, parts.attention, *about)
    yield _kept_rightly(attempt, *about)


def _kept_rightly(attempt: Attempt, self_attn: LlamaAttention, config: LlamaConfig) -> Check:
    title, store = N_("what the cache holds", "캐시에 들어 있는 것"), KVCache()

    def with_cache(*given: object) -> Tensor:
        return attempt.answer(*given, store)

    whole = _x(), self_attn, config, *parts.places_and_mask(0, 5)
    attempt.call(title, *whole, function=with_cache)
    shapes = {layer: list(keys.shape) for layer, (keys, _values) in store.layers.items()}
    expected = {1: [1, 2, 5, 4]}
    if shapes == expected:
        return Check(title)
    return attempt.fail(title, "kept-otherwise", got=str(shapes), expected=str(expected))


def _run_layer(
    x: Tensor,
    layer: LlamaDecoderLayer,
    config: LlamaConfig,
    positions: Tensor,
    mask: Tensor,
    kept: KVCache | None = None,
    *,
    wrong: str,
) -> Tensor:
    """`parts.run_layer`, with one thing or another gone wrong in it."""
    mlp, eps = layer.mlp, 1e-6 if wrong == "own-eps" else config.rms_norm_eps
    norms = [layer.input_layernorm.weight, layer.post_attention_layernorm.weight]
    if wrong == "norms-swapped":
        norms.reverse()
    if wrong == "one-norm-twice":
        norms[1] = norms[0]
    gate, up, down = (m.weight for m in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
    if wrong == "gate-and-up-swapped":
        gate, up = up, gate
    kept = None if wrong == "cache-not-passed" else kept
    plain = wrong == "norms-forgotten"
    return parts.block(
        x,
        lambda x: parts.attention(x, layer.self_attn, config, positions, mask, kept),
        lambda x: parts.feed_forward(x, gate, up, down),
        lambda x: x if plain else parts.rms_norm(x, norms[0], eps),
        lambda x: x if plain else parts.rms_norm(x, norms[1], eps),
    )


MISTAKEN_LAYERS = tuple(
    Mistake(name, partial(_run_layer, wrong=name), says)
    for name, says in {
        "norms-swapped": N_(
            "The two norms changed places: `input_layernorm` comes before attention, "
            "`post_attention_layernorm` before the feed-forward layer.",
            "두 정규화가 서로 바뀌었습니다. 어텐션 앞은 `input_layernorm`, 피드포워드 앞은 "
            "`post_attention_layernorm`입니다.",
        ),
        "one-norm-twice": N_(
            "Both norms use the same weight. Each part has a norm of its own.",
            "두 정규화가 같은 가중치를 씁니다. 부품마다 자기 정규화가 있습니다.",
        ),
        "norms-forgotten": N_(
            "The norms do nothing. Each part reads what its `rms_norm` gives.",
            "정규화를 하지 않았습니다. 두 부품은 각각 `rms_norm`을 거친 것을 읽습니다.",
        ),
        "gate-and-up-swapped": N_(
            "`gate_proj` and `up_proj` changed places.",
            "`gate_proj`와 `up_proj`가 서로 바뀌었습니다.",
        ),
        "own-eps": N_(
            "The norms used another `eps`. It stands in `config.rms_norm_eps`.",
            "정규화에 다른 `eps`를 썼습니다. `config.rms_norm_eps`에 있는 값을 쓰세요.",
        ),
        "cache-not-passed": N_(
            "Without a past it is right. Hand the cache on to `attention`.",
            "캐시가 비어 있을 때는 맞습니다. 캐시를 `attention`에 넘기세요.",
        ),
    }.items()
)


@exercise("8.3", mistakes=MISTAKEN_LAYERS)
def run_layer(attempt: Attempt) -> Iterator[Check]:
    model = small_model()
    yield from _whole_and_in_pieces(attempt, parts.run_layer, model.model.layers[1], model.config)
