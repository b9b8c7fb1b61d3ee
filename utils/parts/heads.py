"""Attention: its steps, one small function each, and the layers that they make.

There is no batch axis: one text at a time.  "Attention Is All You Need" (Vaswani et al., 2017).
"""

import torch
from torch import Tensor
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaAttention

from utils.parts.cache import KVCache
from utils.plain import check_plain


def attention_scores(query: Tensor, keys: Tensor) -> Tensor:
    """How relevant each key is to each query: query · key / √head_dim.

    query: [head, query, head_dim]; keys: [head, key, head_dim].  Returns [head, query, key].

    >>> query, keys = torch.tensor([[[2.0, 0.0, 0.0, 0.0]]]), torch.eye(4)[None]
    >>> attention_scores(query, keys)
    tensor([[[1., 0., 0., 0.]]])
    """
    return query @ keys.transpose(-2, -1) / query.shape[-1] ** 0.5


def attention_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores to weights: 0 where the mask is False, and 1 in sum over the keys.

    scores: [head, query, key]; mask: bool [query, key], True where a query may look.

    >>> attention_weights(torch.zeros(1, 3, 3), causal_mask(3))
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.5000, 0.5000, 0.0000],
             [0.3333, 0.3333, 0.3333]]])
    """
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)


def combine(weights: Tensor, values: Tensor) -> Tensor:
    """The weighted sum of the values: [head, query, head_dim].

    weights: [head, query, key]; values: [head, key, head_dim].

    >>> combine(torch.tensor([[[0.25, 0.75]]]), torch.tensor([[[4.0, 0.0], [0.0, 4.0]]]))
    tensor([[[1., 3.]]])
    """
    return weights @ values


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut each vector into equal parts, one for each head.

    x: [position, heads · head_dim].  Returns [head, position, head_dim].

    >>> split_heads(torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), heads=2).tolist()
    [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]
    """
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """Join the heads' parts into one vector for each position again.

    x: [head, position, head_dim].  Returns [position, heads · head_dim].

    >>> merge_heads(torch.tensor([[[1, 2], [5, 6]], [[3, 4], [7, 8]]]))
    tensor([[1, 2, 3, 4],
            [5, 6, 7, 8]])
    """
    return x.transpose(-3, -2).flatten(-2)


def repeat_kv(x: Tensor, groups: int) -> Tensor:
    """Give every query head its key-value head: head h gets x[h // groups].

    x: [kv_head, position, head_dim].  Returns [kv_head · groups, position, head_dim].
    "GQA" (Ainslie et al., 2023).

    >>> repeat_kv(torch.tensor([[[1, 2]], [[3, 4]]]), groups=2).tolist()
    [[[1, 2]], [[1, 2]], [[3, 4]], [[3, 4]]]
    """
    return x.repeat_interleave(groups, dim=-3)


def rotary(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """Turn each vector by angles that grow with its position, as Llama does it ("rotate half").

    x: [head, position, head_dim]; positions: int [position].  Number i of the first half of a
    vector and number i of the second half are turned together, by position / theta^(2i / head_dim).
    "RoFormer" (Su et al., 2021).

    >>> rotary(torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]), torch.tensor([0, 1]), theta=10000)
    tensor([[[1.0000, 0.0000],
             [0.5403, 0.8415]]])
    """
    half = x.shape[-1] // 2
    frequencies = 1 / theta ** (torch.arange(half, device=x.device) / half)
    angles = positions[:, None] * frequencies  # [position, half]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def causal_mask(n: int) -> Tensor:
    """Bool [query, key]: which of n positions (columns) each of them (rows) may look at.

    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return torch.ones(n, n, dtype=torch.bool).tril()


def places_and_mask(past: int, new: int) -> tuple[Tensor, Tensor]:
    """Where `new` tokens stand after `past` others, int64 [new], and what each may look at.

    The mask is bool [new, past + new], True where the row's token may look at the column's.

    >>> places, mask = places_and_mask(past=2, new=2)
    >>> places
    tensor([2, 3])
    >>> mask.int()
    tensor([[1, 1, 1, 0],
            [1, 1, 1, 1]], dtype=torch.int32)
    """
    return torch.arange(past, past + new), causal_mask(past + new)[past:]


def attention_layer(
    x: Tensor,
    q_proj: Tensor,
    k_proj: Tensor,
    v_proj: Tensor,
    o_proj: Tensor,
    heads: int,
    kv_heads: int,
    theta: float,
) -> Tensor:
    """A whole attention layer of the Llama kind, from its four matrices: [position, width].

    x: [position, width], after the block's norm; the matrices are [out, in], as the model keeps
    them: q_proj [heads · head_dim, width], k_proj and v_proj [kv_heads · head_dim, width],
    o_proj [width, heads · head_dim].

    >>> x, same = torch.eye(2), torch.eye(2)
    >>> attention_layer(x, same, same, same, same, heads=1, kv_heads=1, theta=10000)
    tensor([[1.0000, 0.0000],
            [0.2138, 0.7862]])
    """
    positions, mask = places_and_mask(0, len(x))
    projected = x @ q_proj.T, x @ k_proj.T, x @ v_proj.T
    queries, keys, values = _heads_of(*projected, heads, kv_heads, positions.to(x.device), theta)
    return _attended(queries, keys, values, mask.to(x.device)) @ o_proj.T


def attention(
    x: Tensor,
    self_attn: LlamaAttention,
    config: LlamaConfig,
    positions: Tensor,
    mask: Tensor,
    cache: KVCache | None = None,
) -> Tensor:
    """`attention_layer` with a past: what a layer adds, [position, width], at `positions`.

    x: [position, width], already normed; self_attn: the layer of a Llama, of which only the
    matrices are used; config: the model's.  With a `KVCache` the keys and values of x are kept in
    it, and those before them are read.  Raises ValueError for a layer that computes more than that.
    """
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    check_plain(config, self_attn, *names, window=mask.shape[-1])
    matrices = self_attn.q_proj, self_attn.k_proj, self_attn.v_proj
    q, k, v = (x @ matrix.weight.T for matrix in matrices)
    queries, keys, values = _heads_of(
        q,
        k,
        v,
        config.num_attention_heads,
        config.num_key_value_heads,
        positions,
        config.rope_parameters["rope_theta"],
    )
    if cache is not None:
        keys, values = cache.append(self_attn.layer_idx, keys[None], values[None])
        keys, values = keys[0], values[0]
    return _attended(queries, keys, values, mask) @ self_attn.o_proj.weight.T


def _heads_of(
    q: Tensor, k: Tensor, v: Tensor, heads: int, kv_heads: int, positions: Tensor, theta: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, [head, position, head_dim], of what the matrices gave."""
    queries = rotary(split_heads(q, heads), positions, theta)
    keys = rotary(split_heads(k, kv_heads), positions, theta)
    return queries, keys, split_heads(v, kv_heads)


def _attended(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """What the heads find, side by side: [query, heads · head_dim]."""
    groups = len(queries) // len(keys)
    weights = attention_weights(attention_scores(queries, repeat_kv(keys, groups)), mask)
    return merge_heads(combine(weights, repeat_kv(values, groups)))
