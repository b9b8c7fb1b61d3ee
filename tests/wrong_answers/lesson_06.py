"""Wrong and differently right answers to lesson 06, written as learners write them."""

import math

import torch
import torch.nn.functional as F


# 6.1 rms_norm
def eps_outside(x, weight, eps):
    root = torch.sqrt((x.float() ** 2).mean(dim=-1, keepdim=True))
    return (x.float() / (root + eps)).to(x.dtype) * weight


def no_eps(x, weight, eps):
    return (x.float() / (x.float() ** 2).mean(-1, keepdim=True).sqrt()).to(x.dtype) * weight


def layer_norm(x, weight, eps):
    return F.layer_norm(x, x.shape[-1:], weight, None, eps)


def deviation(x, weight, eps):
    return x / (torch.std(x, dim=-1, keepdim=True) + eps) * weight


def by_length(x, weight, eps):
    return x / torch.sqrt(torch.sum(x * x, -1, True) + eps) * weight


def no_root(x, weight, eps):
    return weight * (x / (x.square().mean(-1, keepdim=True) + eps))


def absolute(x, weight, eps):
    return weight * x / (x.abs().mean(-1, keepdim=True) + eps)


def weightless(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def multiplies(x, weight, eps):
    return x * torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def all_at_once(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean() + eps) * weight


def positions(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + eps) * weight


def third_axis(x, weight, eps):
    wide = x.float()
    return weight * (wide / (wide.pow(2).mean(2, keepdim=True) + eps).sqrt()).to(x.dtype)


def lost_axis(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1) + eps) * weight


def half(x, weight, eps):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def stays_wide(x, weight, eps):
    x = x.float()
    return weight.float() * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rms_in_place(x, weight, eps):
    x /= (x.float().pow(2).mean(-1, keepdim=True) + eps).sqrt().to(x.dtype)
    return x * weight


def by_rsqrt(x, weight, eps):
    wide = x.to(torch.float32)
    variance = wide.pow(2).mean(-1, keepdim=True)
    return weight * (wide * torch.rsqrt(variance + eps)).to(x.dtype)


def by_the_library(x, weight, eps):
    return F.rms_norm(x.float(), x.shape[-1:], weight.float(), eps).to(x.dtype)


def by_norm(x, weight, eps):
    length = torch.linalg.vector_norm(x.float(), dim=-1, keepdim=True)
    return (x.float() / (length**2 / x.shape[-1] + eps) ** 0.5 * weight.float()).type_as(x)


# 6.2 feed_forward
def swapped(x, gate, up, down):
    return F.linear(F.linear(x, gate) * F.silu(F.linear(x, up)), down)


def linear(x, gate, up, down):
    return ((x @ gate.T) * (x @ up.T)) @ down.T


def late(x, gate, up, down):
    return F.silu((x @ gate.T) * (x @ up.T)) @ down.T


def with_sigmoid(x, gate, up, down):
    return ((x @ gate.T).sigmoid() * (x @ up.T)) @ down.T


def with_relu(x, gate, up, down):
    return ((x @ gate.T).clamp(min=0) * (x @ up.T)) @ down.T


def with_gelu(x, gate, up, down):
    return (F.gelu(x @ gate.T) * (x @ up.T)) @ down.T


def adds(x, gate, up, down):
    return (F.silu(x @ gate.T) + (x @ up.T)) @ down.T


def only_up(x, gate, up, down):
    return F.silu(x @ up.T) @ down.T


def only_gate(x, gate, up, down):
    return F.silu(x @ gate.T) @ down.T


def inner(x, gate, up, down):
    return F.silu(x @ gate.T) * (x @ up.T)


def with_residual(x, gate, up, down):
    return x + (F.silu(x @ gate.T) * (x @ up.T)) @ down.T


def untransposed(x, gate, up, down):
    return (F.silu(x @ gate) * (x @ up)) @ down


def matrix_first(x, gate, up, down):
    return down @ (F.silu(gate @ x) * (up @ x))


def forgets(x, gate, up, down):
    result = (F.silu(x @ gate.T) * (x @ up.T)) @ down.T


def by_linear(x, gate, up, down):
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)


def by_hand(x, gate, up, down):
    g = torch.einsum("...w,iw->...i", x, gate)
    g = g / (1 + math.e ** (-g))
    return torch.einsum("...i,wi->...w", g * torch.einsum("...w,iw->...i", x, up), down)


# 6.3 block
def chain(x, attention, feed_forward, norm_1, norm_2):
    return feed_forward(norm_2(attention(norm_1(x))))


def first_missing(x, attention, feed_forward, norm_1, norm_2):
    x = attention(norm_1(x))
    return x + feed_forward(norm_2(x))


def second_missing(x, attention, feed_forward, norm_1, norm_2):
    x = x + attention(norm_1(x))
    return feed_forward(norm_2(x))


def from_the_start(x, attention, feed_forward, norm_1, norm_2):
    h = x + attention(norm_1(x))
    return x + feed_forward(norm_2(h))


def side_by_side(x, attention, feed_forward, norm_1, norm_2):
    return x + attention(norm_1(x)) + feed_forward(norm_2(x))


def norm_last(x, attention, feed_forward, norm_1, norm_2):
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


def overwrites(x, attention, feed_forward, norm_1, norm_2):
    x = norm_1(x)
    x = x + attention(x)
    return x + feed_forward(norm_2(x))


def overwrites_twice(x, attention, feed_forward, norm_1, norm_2):
    x = norm_1(x)
    x = x + attention(x)
    x = norm_2(x)
    return x + feed_forward(x)


def normless(x, attention, feed_forward, norm_1, norm_2):
    x = x + attention(x)
    return x + feed_forward(x)


def norms_swapped(x, attention, feed_forward, norm_1, norm_2):
    x = x + attention(norm_2(x))
    return x + feed_forward(norm_1(x))


def norm_twice(x, attention, feed_forward, norm_1, norm_2):
    for part in (attention, feed_forward):
        x = x + part(norm_1(x))
    return x


def one_norm(x, attention, feed_forward, norm_1, norm_2):
    x = x + attention(norm_1(x))
    return x + feed_forward(x)


def backwards(x, attention, feed_forward, norm_1, norm_2):
    x = x + feed_forward(norm_2(x))
    return x + attention(norm_1(x))


def half_a_block(x, attention, feed_forward, norm_1, norm_2):
    return x + attention(norm_1(x))


def adds_in_place(x, attention, feed_forward, norm_1, norm_2):
    x += attention(norm_1(x))
    x += feed_forward(norm_2(x))
    return x


def in_a_loop(x, attention, feed_forward, norm_1, norm_2):
    for norm, part in ((norm_1, attention), (norm_2, feed_forward)):
        x = x + part(norm(x))
    return x


def named(x, attention, feed_forward, norm_1, norm_2):
    context = attention(norm_1(x))
    memory = feed_forward(norm_2(torch.add(x, context)))
    return x + context + memory


WRONG = {
    "6.1": {
        "eps-outside": eps_outside,
        "no-eps": no_eps,
        "layer-norm": layer_norm,
        "standard-deviation": deviation,
        "sum-not-mean": by_length,
        "no-root": no_root,
        "not-squared": absolute,
        "weight-forgotten": weightless,
        "multiplied": multiplies,
        "over-all": all_at_once,
        "over-positions": positions,
        "no-such-axis": third_axis,  # on a text without a batch axis
        "keepdim": lost_axis,
        "half-precision": half,
        "wrong-dtype": stays_wide,
        "changed-in-place": rms_in_place,
    },
    "6.2": {
        "gate-and-up-swapped": swapped,
        "no-silu": linear,
        "silu-too-late": late,
        "sigmoid": with_sigmoid,
        "relu": with_relu,
        "gelu": with_gelu,
        "added": adds,
        "no-gate": only_up,
        "no-up": only_gate,
        "no-down": inner,
        "residual-added": with_residual,
        "not-transposed": untransposed,
        "matrix-first": matrix_first,
        "none": forgets,
    },
    "6.3": {
        "no-residual": chain,
        "first-addition-missing": first_missing,
        "second-addition-missing": second_missing,
        "added-to-the-start": from_the_start,
        "parallel": side_by_side,
        "norm-after": norm_last,
        "normed-stream": overwrites,
        "both-streams-normed": overwrites_twice,
        "no-norms": normless,
        "norms-swapped": norms_swapped,
        "one-norm-twice": norm_twice,
        "second-norm-missing": one_norm,
        "wrong-order": backwards,
        "only-attention": half_a_block,
        "changed-in-place": adds_in_place,
    },
    "6.4": {
        "not-a-layer": "layer 22",
        "no-such-layer": 30,
        "red-stays": 20,
        "paris-lost-too": 0,
    },
}
RIGHT = {
    "6.1": [by_rsqrt, by_the_library, by_norm],
    "6.2": [by_linear, by_hand],
    "6.3": [in_a_loop, named],
    "6.4": [7, 24],
}
