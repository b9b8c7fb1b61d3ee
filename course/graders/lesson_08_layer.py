"""Lesson 08, attention with a past and one layer: what exercises 8.2 and 8.3 check."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from course.graders.grading import Check, Mistake, exercise, fail
from utils import parts
from utils.language import N_, _
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


@cache
def tiny(end: int | None = None) -> LlamaForCausalLM:
    """A Llama of two small layers with random weights; `end`: the id of its end token."""
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        eos_token_id=None,
        bos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(8)
        model = LlamaForCausalLM(config).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms of a new model are all 1: they would look alike
            parameter += torch.linspace(-0.5, 0.5, len(parameter))
    for layer in model.model.layers:
        layer.input_layernorm.weight.copy_(layer.input_layernorm.weight.flip(0))
    model.generation_config.eos_token_id = end
    return model


def _x() -> Tensor:
    return torch.randn(5, 32, generator=torch.Generator().manual_seed(81))


def _in_pieces(function: Callable, *about) -> Callable[[], Tensor]:
    """Runs a layer's function over `_x()` in two pieces, 3 and 2 positions, with one cache."""

    def in_two_pieces():
        kept, x = KVCache(), _x()
        first, second = parts.places_and_mask(0, 3), parts.places_and_mask(3, 2)
        return torch.cat(
            [function(x[:3], *about, *first, kept), function(x[3:], *about, *second, kept)]
        )

    return in_two_pieces


def _attention(x, self_attn, config, positions, mask, kept=None, *, wrong=""):
    """`parts.attention`, with one thing or another gone wrong in it."""
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads

    def turn(part, name):
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


_ATTENTION_MISTAKES = {
    "no-rotary": N_("Queries and keys are not turned: `rotary` knows where a token stands."),
    "keys-not-turned": N_("The keys are not turned. `rotary` goes over queries and keys."),
    "queries-not-turned": N_("The queries are not turned. `rotary` goes over queries and keys."),
    "values-turned": N_("The values were turned as well. Only queries and keys are."),
    "turned-from-zero": N_("With a past, the turns start from 0 again. Use the `positions` given."),
    "heads-in-turn": N_(
        "The key-value heads stand in the wrong order: each goes to neighbours, 0 0 1 1, as "
        "`repeat_kv` does it."
    ),
    "mask-forgotten": N_("Positions look at those after them: the mask is not used."),
    "no-output-matrix": N_(
        "The last matrix is missing: what `merge_heads` gives goes to `o_proj`."
    ),
    "cache-unused": N_("The cache is not used: append the new keys and values to it."),
    "cache-not-read": N_(
        "Keys and values went into the cache, but only the new ones were used. "
        "`append` returns all of them."
    ),
}


def named_mistakes(names: dict[str, str], make: Callable[[str], Callable]) -> tuple[Mistake, ...]:
    return tuple(Mistake(name, make(name), says) for name, says in names.items())


@exercise(
    "8.2",
    title=N_("Attention with a past"),
    kind="implement",
    difficulty=4,
    minutes=12,
    hints=(
        N_(
            "Three products, `x @ self_attn.q_proj.weight.T` and so on; then `split_heads`, and "
            "`rotary` for queries and keys."
        ),
        N_(
            "The cache has a batch axis: `append(self_attn.layer_idx, keys[None], values[None])` "
            "returns all keys and values so far; take `[0]` of each."
        ),
        N_(
            "Then `repeat_kv(…, heads // kv_heads)` for keys and values, `attention_scores`, "
            "`attention_weights`, `combine`, `merge_heads`, and `@ self_attn.o_proj.weight.T`."
        ),
    ),
)
def attention(attempt):
    model = tiny()
    about = model.model.layers[1].self_attn, model.config
    whole = _x(), *about, *parts.places_and_mask(0, 5)
    expected = parts.attention(*whole)
    yield attempt.compare(
        N_("a whole text"),
        *whole,
        expected=expected,
        mistakes=named_mistakes(
            _ATTENTION_MISTAKES, lambda wrong: lambda *given: _attention(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in two pieces, with the cache"),
        function=_in_pieces(attempt.answer, *about),
        expected=expected,
        mistakes=named_mistakes(
            _ATTENTION_MISTAKES,
            lambda wrong: _in_pieces(lambda *given: _attention(*given, wrong=wrong), *about),
        ),
    )
    yield _kept_rightly(attempt, whole)


def _kept_rightly(attempt, whole) -> Check:
    title, store = N_("what the cache holds"), KVCache()

    def with_cache(*given):
        return attempt.answer(*given, store)

    attempt.call(title, *whole, function=with_cache)
    shapes = {layer: list(keys.shape) for layer, (keys, _values) in store.layers.items()}
    expected = {1: [1, 2, 5, 8]}
    if shapes == expected:
        return Check(title)
    says = _(
        "In the cache belongs what the layer's own key-value heads gave, before `repeat_kv`, under "
        "the number `self_attn.layer_idx`."
    )
    return fail(title, "kept-otherwise", says, got=str(shapes), expected=str(expected))


def _run_layer(x, layer, config, positions, mask, kept=None, *, wrong=""):
    mlp, eps = layer.mlp, config.rms_norm_eps
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


_LAYER_MISTAKES = {
    "norms-swapped": N_(
        "The two norms changed places: `input_layernorm` comes before attention, "
        "`post_attention_layernorm` before the feed-forward layer."
    ),
    "one-norm-twice": N_("Both norms use the same weight. Each part has a norm of its own."),
    "norms-forgotten": N_("The norms do nothing. Each part reads what its `rms_norm` gives."),
    "gate-and-up-swapped": N_("`gate_proj` and `up_proj` changed places."),
    "cache-not-passed": N_("Without a past it is right. Hand the cache on to `attention`."),
}


@exercise(
    "8.3",
    title=N_("One layer"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("`block` wants four functions of one tensor. A `lambda x: …` makes one."),
        N_("One is `lambda x: attention(x, layer.self_attn, config, positions, mask, cache)`."),
        N_(
            "The norms are `lambda x: rms_norm(x, layer.input_layernorm.weight, "
            "config.rms_norm_eps)` and the same with `post_attention_layernorm`."
        ),
    ),
)
def run_layer(attempt):
    model = tiny()
    about = model.model.layers[1], model.config
    whole = _x(), *about, *parts.places_and_mask(0, 5)
    expected = parts.run_layer(*whole)
    yield attempt.compare(
        N_("a whole text"),
        *whole,
        expected=expected,
        mistakes=named_mistakes(
            _LAYER_MISTAKES, lambda wrong: lambda *given: _run_layer(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in two pieces, with the cache"),
        function=_in_pieces(attempt.answer, *about),
        expected=expected,
        mistakes=named_mistakes(
            _LAYER_MISTAKES,
            lambda wrong: _in_pieces(lambda *given: _run_layer(*given, wrong=wrong), *about),
        ),
    )
