"""Lesson 07, places and the whole layer: what exercises 7.7 and 7.8 check."""

from functools import cache

import torch

from course.graders.grading import Mistake, exercise
from course.graders.lesson_01 import default_model
from course.graders.lesson_07 import numbers
from utils import parts as steps
from utils.architecture import projections
from utils.attention import record_attention
from utils.language import N_
from utils.parts import causal_mask

TEXT = "The dog chased the squirrel because it"


@cache
def recorded(text: str):
    return record_attention(*default_model(), text)


def _turned(x, positions, theta, *, sign=1, exponent=1.0, degrees=False, half_turn=True):
    """Rotary positions, with one thing or another gone wrong."""
    half = x.shape[-1] // 2
    angles = positions[:, None] / theta ** (exponent * torch.arange(half) / half)
    angles = torch.rad2deg(angles) if degrees else angles
    cos, sin = angles.cos(), sign * angles.sin()
    a, b = x[..., :half], x[..., half:]
    second = b * cos + a * sin if half_turn else b * cos - a * sin
    return torch.cat([a * cos - b * sin, second], dim=-1)


def _turned_neighbours(x, positions, theta):
    """Numbers 2i and 2i + 1 turned together, as in the paper."""
    half = x.shape[-1] // 2
    order = torch.cat([torch.arange(half) * 2, torch.arange(half) * 2 + 1])
    result = torch.empty_like(x)
    result[..., order] = steps.rotary(x[..., order], positions, theta)
    return result


@exercise(
    "7.7",
    title=N_("Turn by the position"),
    kind="implement",
    difficulty=4,
    minutes=9,
    hints=(
        N_(
            "First the angles, for each position and each i: `positions[:, None] / theta ** "
            "(torch.arange(half) / half)`, where half = head_dim // 2: 2i / head_dim is i / half."
        ),
        N_("`a = x[..., :half]`, `b = x[..., half:]`; `cos` and `sin` of the angles fit to both."),
        N_("`torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)`."),
    ),
)
def rotary(attempt):
    mistakes = (
        Mistake(
            "turned-back",
            lambda x, p, t: _turned(x, p, t, sign=-1),
            N_("You turned the other way round: check the two signs."),
        ),
        Mistake(
            "neighbours-paired",
            _turned_neighbours,
            N_(
                "You turned neighbours, 2i and 2i + 1, together, as the paper does. This model "
                "pairs number i of the first half with number i of the second."
            ),
        ),
        Mistake(
            "own-positions",
            lambda x, p, t: _turned(x, torch.arange(x.shape[1]), t),
            N_("You counted positions from 0 yourself. Use `positions`: a cache starts later."),
        ),
        Mistake(
            "too-slow-turning",
            lambda x, p, t: _turned(x, p, t, exponent=0.5),
            N_("The exponent is half of what it should be: 2i / head_dim is i / half."),
        ),
        Mistake(
            "too-fast-turning",
            lambda x, p, t: _turned(x, p, t, exponent=2.0),
            N_("The exponent is twice what it should be: 2i / head_dim is i / half."),
        ),
        Mistake(
            "theta-not-divided",
            lambda x, p, t: _turned(x, p, t, exponent=-1.0),
            N_("The angle is divided by the power of theta, not multiplied with it."),
        ),
        Mistake(
            "one-angle-for-all",
            lambda x, p, t: _turned(x, p, t, exponent=0),
            N_("All pairs turn by the same angle. The angle gets smaller as i grows."),
        ),
        Mistake(
            "degrees",
            lambda x, p, t: _turned(x, p, t, degrees=True),
            N_("`cos` and `sin` take radians: the angle as it is, without a factor."),
        ),
        Mistake(
            "one-sign-wrong",
            lambda x, p, t: _turned(x, p, t, half_turn=False),
            N_("The second half is `b * cos + a * sin`, with a plus."),
        ),
        Mistake(
            "not-turned",
            lambda x, p, t: x,
            N_("Nothing was turned: what came out is what went in."),
        ),
        Mistake(
            "positions-as-row",
            lambda x, p, t: (
                x[..., : x.shape[-1] // 2] * (p / t ** (torch.arange(n := x.shape[-1] // 2) / n))
            ),
            N_(
                "The positions have to stand in a column, `positions[:, None]`, to meet every "
                "frequency."
            ),
        ),
    )
    for title, heads, start, n, width, theta in (
        (N_("two heads, positions 0 to 4"), 2, 0, 5, 8, 100.0),
        (N_("positions 7 to 9, as with a cache"), 3, 7, 3, 8, 10000.0),
    ):
        x, positions = numbers(heads, n, width), torch.arange(start, start + n)
        expected = steps.rotary(x, positions, theta)
        yield attempt.compare(title, x, positions, theta, expected=expected, mistakes=mistakes)


def _layer(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta, *, wrong=None):
    """An attention layer, with one thing or another gone wrong."""
    positions = torch.arange(len(x))

    def turned(vectors, count):
        if wrong == "not-turned":
            return steps.split_heads(vectors, count)
        if wrong == "turned-before-split":
            return steps.split_heads(steps.rotary(vectors[None], positions, theta)[0], count)
        return steps.rotary(steps.split_heads(vectors, count), positions, theta)

    matrices = (q_proj, k_proj, v_proj)
    q, k, v = (x @ (m if wrong == "matrices-not-turned" else m.T) for m in matrices)
    q, k = turned(q, heads), turned(k, kv_heads)
    v = turned(v, kv_heads) if wrong == "values-turned" else steps.split_heads(v, kv_heads)
    if wrong == "queries-for-keys":
        k = q[:kv_heads]
    groups = heads // kv_heads
    if wrong == "tiled":
        k, v = k.repeat(groups, 1, 1), v.repeat(groups, 1, 1)
    elif wrong != "not-repeated":
        k, v = steps.repeat_kv(k, groups), steps.repeat_kv(v, groups)
    scores = steps.attention_scores(q, k)
    if wrong == "not-scaled":
        scores = scores * q.shape[-1] ** 0.5
    mask = causal_mask(len(x))
    weights = steps.attention_weights(scores, mask | (wrong == "no-mask"))
    merged = steps.merge_heads(steps.combine(weights, v))
    if wrong == "no-output-matrix":
        return merged
    result = merged @ (o_proj if wrong == "output-matrix-not-turned" else o_proj.T)
    return result + x if wrong == "residual-added" else result


LAYER_MISTAKES = {
    "no-output-matrix": N_("The last step is missing: `@ o_proj.T`."),
    "not-turned": N_("Queries and keys have no positions in them: `rotary` is missing."),
    "values-turned": N_("The values were turned too. Only queries and keys are."),
    "turned-before-split": N_("Split into heads first, then turn: each head is turned by itself."),
    "tiled": N_("Heads 0, 1, 2 share keys 0: `repeat_kv`, not `repeat`."),
    "no-mask": N_("Positions look ahead: use `causal_mask(len(x))`."),
    "not-scaled": N_("The scores are not divided by the root of `head_dim`."),
    "matrices-not-turned": N_(
        "The matrices are [out, in], as the model keeps them: multiply with `q_proj.T`."
    ),
    "output-matrix-not-turned": N_("The last matrix is [out, in] too: `@ o_proj.T`."),
    "queries-for-keys": N_("The keys were made with the matrix of the queries. Use `k_proj`."),
    "not-repeated": N_(
        "There are fewer keys and values than queries: give each head its own with `repeat_kv`."
    ),
    "residual-added": N_(
        "`x` was added. That is the block's doing, outside this layer, as in lesson 06."
    ),
}


@exercise(
    "7.8",
    title=N_("The attention layer"),
    kind="implement",
    difficulty=3,
    minutes=8,
    hints=(
        N_(
            "Three lines to begin with: `q`, `k` and `v`, each `split_heads(x @ …_proj.T, …)`; q "
            "has `heads` heads, k and v have `kv_heads`."
        ),
        N_(
            "Then `rotary(…, torch.arange(len(x)), theta)` for q and k, and "
            "`repeat_kv(…, heads // kv_heads)` for k and v."
        ),
        N_(
            "`attention_weights(attention_scores(q, k), causal_mask(len(x)))`, then "
            "`merge_heads(combine(weights, v)) @ o_proj.T`."
        ),
    ),
)
def attention_layer(attempt):
    mistakes = tuple(
        Mistake(name, lambda *args, name=name: _layer(*args, wrong=name), says)
        for name, says in LAYER_MISTAKES.items()
    )
    for title, heads, kv_heads, head_dim, width in (
        (N_("four heads, two of keys and values"), 4, 2, 4, 12),
        (N_("three heads with keys and values of their own"), 3, 3, 2, 10),
    ):
        x = numbers(5, width)
        q, k, v = (
            numbers(count * head_dim, width, seed=seed) / 2
            for seed, count in enumerate((heads, kv_heads, kv_heads), 1)
        )
        given = (x, q, k, v, numbers(width, heads * head_dim, seed=4), heads, kv_heads, 100.0)
        expected = steps.attention_layer(*given)
        yield attempt.compare(title, *given, expected=expected, mistakes=mistakes)
    model, _tokenizer = default_model()
    config, record = model.config, recorded(TEXT)
    matrices = projections(model.model.layers[27].self_attn)
    theta = config.rope_parameters["rope_theta"]
    sizes = (config.num_attention_heads, config.num_key_value_heads, theta)
    given = (record.inputs[27], *matrices.values(), *sizes)
    title = N_("layer 27 of the model itself")
    yield attempt.compare(title, *given, expected=record.outputs[27], mistakes=mistakes)
