"""Wrong and differently right answers to lesson 07, written as learners write them."""

import math

import torch
import torch.nn.functional as F


# 7.1 attention_scores
def unscaled(query, keys):
    return torch.matmul(query, keys.transpose(-1, -2))


def by_head_dim(query, keys):
    head_dim = query.shape[-1]
    return torch.matmul(query, keys.mT) / head_dim


def by_positions(query, keys):
    return query @ keys.mT / math.sqrt(keys.size(1))


def by_heads(query, keys):
    return query @ keys.mT / math.sqrt(len(query))


def times_root(query, keys):
    return query @ keys.mT * math.sqrt(query.size(2))


def keys_as_they_are(query, keys):
    return query @ keys


def turned_around(query, keys):
    return keys @ query.mT / math.sqrt(query.size(-1))


def too_far(query, keys):
    return F.softmax(query @ keys.mT / math.sqrt(query.size(-1)), dim=2)


def only_one_head(query, keys):
    return query[0] @ keys[0].T / math.sqrt(query.size(-1))


def forgets_to_return(query, keys):
    scores = query @ keys.mT


def by_einsum(query, keys):
    return torch.einsum("hqd,hkd->hqk", query, keys) / query.size(-1) ** 0.5


def by_loops(query, keys):
    scores = torch.zeros(query.size(0), query.size(1), keys.size(1))
    for h in range(query.size(0)):
        for i in range(query.size(1)):
            for j in range(keys.size(1)):
                scores[h, i, j] = query[h, i].dot(keys[h, j]) / math.sqrt(query.size(2))
    return scores


def scaled_first(query, keys):
    return torch.bmm(query * query.size(-1) ** -0.5, keys.permute(0, 2, 1))


# 7.2 attention_weights
def mask_forgotten(scores, mask):
    return torch.softmax(scores, dim=-1)


def mask_at_the_end(scores, mask):
    return torch.softmax(scores, dim=-1) * mask.float()


def zeros_for_closed(scores, mask):
    return F.softmax(torch.where(mask, scores, 0.0), dim=-1)


def upside_down(scores, mask):
    return scores.masked_fill(mask, -math.inf).softmax(dim=-1)


def over_rows(scores, mask):
    return F.softmax(torch.where(mask, scores, -math.inf), dim=1)


def over_the_heads(scores, mask):
    return F.softmax(torch.where(mask, scores, -math.inf), dim=0)


def only_masked(scores, mask):
    return torch.where(mask, scores, float("-inf"))


def logarithms(scores, mask):
    return F.log_softmax(torch.where(mask, scores, -math.inf), dim=-1)


def divided_by_sum(scores, mask):
    kept = torch.where(mask, scores, 0.0)
    return kept / kept.sum(dim=-1, keepdim=True)


def fills_in_place(scores, mask):
    scores[:, ~mask] = -math.inf
    return scores.softmax(dim=-1)


def by_renormalising(scores, mask):
    weights = scores.softmax(dim=-1) * mask
    return weights / weights.sum(dim=-1, keepdim=True)


def by_large_number(scores, mask):
    return F.softmax(scores + (~mask) * -1e9, dim=-1)


def by_exp(scores, mask):
    shares = (scores - scores.max()).exp() * mask
    return shares / shares.sum(-1, keepdim=True)


# 7.3 combine
def weights_turned(weights, values):
    return torch.matmul(weights.mT, values)


def averaged(weights, values):
    return (weights[..., None] * values[:, None]).mean(dim=2)


def best_only(weights, values):
    best = weights.argmax(dim=-1)
    return torch.stack([values[h, best[h]] for h in range(len(values))])


def not_summed(weights, values):
    return weights.unsqueeze(-1) * values.unsqueeze(1)


def plain_mean(weights, values):
    mean = values.mean(dim=1)
    return mean[:, None].repeat(1, weights.size(1), 1)


def wrong_sum(weights, values):
    return torch.einsum("hqk,hkd->hkd", weights, values)


def combine_einsum(weights, values):
    return torch.einsum("hqk,hkd->hqd", weights, values)


def combine_by_sum(weights, values):
    return (weights.unsqueeze(-1) * values.unsqueeze(1)).sum(dim=2)


# 7.4 split_heads
def cut_only(x, heads):
    return x.view(x.shape[0], heads, x.shape[1] // heads)


def viewed(x, heads):
    return x.view(heads, x.shape[0], x.shape[1] // heads)


def every_second(x, heads):
    return torch.stack([x[:, h::heads] for h in range(heads)])


def wide_heads(x, heads):
    return torch.stack(x.split(heads, dim=1))


def backwards(x, heads):
    return x.view(len(x), heads, -1).permute(1, 2, 0)


def list_of_heads(x, heads):
    return list(x.chunk(heads, dim=1))


def by_chunks(x, heads):
    return torch.stack(x.chunk(heads, dim=-1))


def by_permute(x, heads):
    return x.reshape(x.size(0), heads, x.size(1) // heads).permute(1, 0, 2)


# 7.5 merge_heads
def reshaped(x):
    heads, n, width = x.shape
    return x.reshape(n, heads * width)


def turned_only(x):
    return x.permute(1, 0, 2)


def alternating(x):
    return torch.stack(list(x), dim=-1).reshape(x.shape[1], -1)


def added(x):
    return x.sum(dim=0)


def mean_of_heads(x):
    return torch.mean(x, 0)


def row_per_head(x):
    return x.reshape(x.shape[0], -1)


def view_after_turn(x):
    return x.transpose(0, 1).view(x.shape[1], -1)


def by_cat(x):
    return torch.cat(list(x), dim=-1)


def by_loop(x):
    return torch.stack([x[:, i].reshape(-1) for i in range(x.size(1))])


# 7.6 repeat_kv
def tiled(x, groups):
    return torch.cat([x] * groups)


def repeats_positions(x, groups):
    return torch.repeat_interleave(x, groups, 1)


def repeats_numbers(x, groups):
    return torch.repeat_interleave(x, groups, -1)


def flat(x, groups):
    return torch.repeat_interleave(x, groups)


def fourth_axis(x, groups):
    return torch.stack([x] * groups, dim=1)


def unchanged(x, groups):
    return x


def first_only(x, groups):
    return x[0].unsqueeze(0).repeat(x.size(0) * groups, 1, 1)


def kv_by_index(x, groups):
    return torch.stack([x[h // groups] for h in range(x.size(0) * groups)])


def kv_by_expand(x, groups):
    return x[:, None].expand(-1, groups, -1, -1).reshape(-1, x.size(1), x.size(2))


# 7.7 rotary
def angles_of(x, positions, theta, power=None):
    head_dim = x.shape[-1]
    power = torch.arange(0, head_dim, 2) / head_dim if power is None else power
    return torch.outer(positions.float(), 1.0 / theta**power)


def other_way(x, positions, theta):
    angles = angles_of(x, positions, theta)
    a, b = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((a * cos + b * sin, b * cos - a * sin), -1)


def neighbours(x, positions, theta):
    angles = angles_of(x, positions, theta)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    turned = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(-2)


def from_zero(x, positions, theta):
    return with_complex(x, torch.arange(x.shape[1]), theta)


def half_exponent(x, positions, theta):
    head_dim = x.shape[-1]
    return with_complex(x, positions, theta, torch.arange(head_dim // 2) / head_dim)


def double_exponent(x, positions, theta):
    half = x.shape[-1] // 2
    return with_complex(x, positions, theta, 2 * torch.arange(half) / half)


def multiplied(x, positions, theta):
    half = x.shape[-1] // 2
    return with_complex(x, positions, theta, -torch.arange(half) / half)


def same_angle(x, positions, theta):
    return with_complex(x, positions, theta, torch.zeros(x.shape[-1] // 2))


def in_degrees(x, positions, theta):
    angles = angles_of(x, positions, theta) * 180 / math.pi
    a, b = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def minus_twice(x, positions, theta):
    angles = angles_of(x, positions, theta)
    a, b = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((a * cos - b * sin, b * cos - a * sin), -1)


def left_alone(x, positions, theta):
    return x.clone()


def no_column(x, positions, theta):
    half = x.shape[-1] // 2
    angles = positions / theta ** (torch.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def with_complex(x, positions, theta, power=None):
    angles = angles_of(x, positions, theta, power)
    a, b = x.chunk(2, dim=-1)
    turned = torch.complex(a, b) * torch.exp(1j * angles)
    return torch.cat([turned.real, turned.imag], dim=-1).to(x.dtype)


def as_the_library(x, positions, theta):
    angles = angles_of(x, positions, theta)
    angles = torch.cat([angles, angles], dim=-1)
    half = x.shape[-1] // 2
    rotated = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * angles.cos() + rotated * angles.sin()


# 7.8 attention_layer
def layer(
    x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta,
    turn_qk=True, turn_v=False, causal=True, tile=False, scale=None,
):  # fmt: skip
    n = len(x)
    positions = torch.arange(n)
    q, k, v = (
        by_permute(x @ w.T, h) for w, h in ((q_proj, heads), (k_proj, kv_heads), (v_proj, kv_heads))
    )
    if turn_qk:
        q, k = as_the_library(q, positions, theta), as_the_library(k, positions, theta)
    if turn_v:
        v = as_the_library(v, positions, theta)
    share = tiled if tile else kv_by_index
    k, v = share(k, heads // kv_heads), share(v, heads // kv_heads)
    mixed = F.scaled_dot_product_attention(
        q[None], k[None], v[None], is_causal=causal, scale=scale
    )[0]
    return by_cat(mixed) @ o_proj.T


def no_o_proj(x, q_proj, k_proj, v_proj, o_proj, *sizes):
    return layer(x, q_proj, k_proj, v_proj, torch.eye(len(q_proj)), *sizes)


def no_rotary(*args):
    return layer(*args, turn_qk=False)


def rotary_on_values(*args):
    return layer(*args, turn_v=True)


def tiles(*args):
    return layer(*args, tile=True)


def sees_all(*args):
    return layer(*args, causal=False)


def never_divides(*args):
    return layer(*args, scale=1.0)


def not_transposed(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    q = by_permute(x @ q_proj, heads)
    return q


def last_not_transposed(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    mixed = no_o_proj(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta)
    return mixed @ o_proj


def too_few_keys(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    positions = torch.arange(len(x))
    q = as_the_library(by_permute(x @ q_proj.T, heads), positions, theta)
    k = as_the_library(by_permute(x @ k_proj.T, kv_heads), positions, theta)
    return by_einsum(q, k) if heads == kv_heads else q @ k.mT


def turned_whole(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    positions = torch.arange(len(x))
    q = by_permute(as_the_library(x @ q_proj.T, positions, theta), heads)
    k = by_permute(as_the_library(x @ k_proj.T, positions, theta), kv_heads)
    v = by_permute(x @ v_proj.T, kv_heads)
    k, v = kv_by_index(k, heads // kv_heads), kv_by_index(v, heads // kv_heads)
    mixed = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    return by_cat(mixed) @ o_proj.T


def with_residual(x, *args):
    return x + layer(x, *args)


def shared_by_library(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    positions = torch.arange(len(x))
    q = with_complex(by_chunks(x @ q_proj.T, heads), positions, theta)
    k = with_complex(by_chunks(x @ k_proj.T, kv_heads), positions, theta)
    v = by_chunks(x @ v_proj.T, kv_heads)
    mixed = F.scaled_dot_product_attention(
        q[None], k[None], v[None], is_causal=True, enable_gqa=True
    )
    return F.linear(by_cat(mixed[0]), o_proj)


def counted_from_one(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta):
    """Scores hang on distances only, so it does not matter where counting begins."""
    positions = torch.arange(1, len(x) + 1)
    q = as_the_library(by_permute(x @ q_proj.T, heads), positions, theta)
    k = as_the_library(by_permute(x @ k_proj.T, kv_heads), positions, theta)
    v = kv_by_index(by_permute(x @ v_proj.T, kv_heads), heads // kv_heads)
    scores = by_einsum(q, kv_by_index(k, heads // kv_heads))
    mask = torch.ones(len(x), len(x)).tril().bool()
    return by_cat(combine_einsum(by_large_number(scores, mask), v)) @ o_proj.T


WRONG = {
    "7.1": {
        "not-scaled": unscaled,
        "divided-by-head-dim": by_head_dim,
        "divided-by-positions": by_positions,
        "divided-by-heads": by_heads,
        "multiplied-by-root": times_root,
        "keys-not-turned": keys_as_they_are,
        "query-and-key-swapped": turned_around,
        "softmax-already": too_far,
        "one-of-axis": only_one_head,
        "none": forgets_to_return,
    },
    "7.2": {
        "no-mask": mask_forgotten,
        "masked-after": mask_at_the_end,
        "zero-for-closed": zeros_for_closed,
        "mask-upside-down": upside_down,
        "over-queries": over_rows,
        "over-heads": over_the_heads,
        "no-softmax": only_masked,
        "log-weights": logarithms,
        "shared-out-without-exp": divided_by_sum,
        "changed-in-place": fills_in_place,
    },
    "7.3": {
        "weights-turned": weights_turned,
        "mean-not-sum": averaged,
        "only-the-best": best_only,
        "not-added-up": not_summed,
        "weights-not-used": plain_mean,
        "summed-over-queries": wrong_sum,
    },
    "7.4": {
        "only-cut": cut_only,
        "positions-mixed": viewed,
        "every-nth": every_second,
        "head-dim-for-heads": wide_heads,
        "numbers-first": backwards,
        "list-for-tensor": list_of_heads,
    },
    "7.5": {
        "positions-mixed": reshaped,
        "only-turned": turned_only,
        "every-nth": alternating,
        "heads-added": added,
        "heads-averaged": mean_of_heads,
        "still-by-head": row_per_head,
        "view-refused": view_after_turn,
    },
    "7.6": {
        "tiled": tiled,
        "positions-repeated": repeats_positions,
        "numbers-repeated": repeats_numbers,
        "flat": flat,
        "extra-axis": fourth_axis,
        "not-repeated": unchanged,
        "first-head-only": first_only,
    },
    "7.7": {
        "turned-back": other_way,
        "neighbours-paired": neighbours,
        "own-positions": from_zero,
        "too-slow-turning": half_exponent,
        "too-fast-turning": double_exponent,
        "theta-not-divided": multiplied,
        "one-angle-for-all": same_angle,
        "degrees": in_degrees,
        "one-sign-wrong": minus_twice,
        "not-turned": left_alone,
        "positions-as-row": no_column,
    },
    "7.8": {
        "no-output-matrix": no_o_proj,
        "not-turned": no_rotary,
        "values-turned": rotary_on_values,
        "turned-before-split": turned_whole,
        "tiled": tiles,
        "no-mask": sees_all,
        "not-scaled": never_divides,
        "matrices-not-turned": not_transposed,
        "output-matrix-not-turned": last_not_transposed,
        "not-repeated": too_few_keys,
        "residual-added": with_residual,
    },
    "7.9": {
        "not-a-pair": 16,
        "no-such-head": (16, 9),
        "swapped": (0, 16),
        "looks-first": (18, 8),
        "looks-itself": (11, 6),
        "counted-from-one": (17, 1),
        "looks-elsewhere": (5, 2),
    },
    "7.10": {
        "not-a-pair": "18, 6",
        "no-such-head": (30, 6),
        "swapped": (6, 18),
        "looks-same": (14, 3),
        "looks-previous": (16, 0),
        "counted-from-one": (19, 7),
        "looks-first": (18, 8),
        "looks-elsewhere": (0, 0),
    },
    "7.11": {
        "not-a-pair": (13, 8.0),
        "no-such-head": (13, -1),
        "swapped": (8, 13),
        "not-the-strongest": (9, 2),
        "looks-first": (18, 8),
        "looks-elsewhere": (27, 2),
    },
}
RIGHT = {
    "7.1": [by_einsum, by_loops, scaled_first],
    "7.2": [by_renormalising, by_large_number, by_exp],
    "7.3": [combine_einsum, combine_by_sum],
    "7.4": [by_chunks, by_permute],
    "7.5": [by_cat, by_loop],
    "7.6": [kv_by_index, kv_by_expand],
    "7.7": [with_complex, as_the_library],
    "7.8": [layer, shared_by_library, counted_from_one],
    "7.9": [[1, 2], (11, 1)],
    "7.10": [(17, 4), (17, 3)],
    "7.11": [[13, 8], (13, 8)],
}
