"""The steps of attention, one small function each, and the layer that they make.

There is no batch axis: one text at a time.  "Attention Is All You Need" (Vaswani et al., 2017).
"""

from torch import Tensor, arange, cat, nn

from utils.language import _
from utils.streams import causal_mask


def attention_scores(query: Tensor, keys: Tensor) -> Tensor:
    """How relevant each key is to each query: query · key / √head_dim.

    query: [head, query, head_dim]; keys: [head, key, head_dim].  Returns [head, query, key].
    """
    return query @ keys.transpose(-2, -1) / query.shape[-1] ** 0.5


def attention_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores to weights: 0 where the mask is False, and 1 in sum over the keys.

    scores: [head, query, key]; mask: bool [query, key], True where a query may look.
    """
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)


def combine(weights: Tensor, values: Tensor) -> Tensor:
    """The weighted sum of the values: [head, query, head_dim].

    weights: [head, query, key]; values: [head, key, head_dim].
    """
    return weights @ values


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut each vector into equal parts, one for each head.

    x: [position, heads · head_dim].  Returns [head, position, head_dim].
    """
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """Join the heads' parts into one vector for each position again.

    x: [head, position, head_dim].  Returns [position, heads · head_dim].
    """
    return x.transpose(-3, -2).flatten(-2)


def repeat_kv(x: Tensor, groups: int) -> Tensor:
    """Give every query head its key-value head: head h gets x[h // groups].

    x: [kv_head, position, head_dim].  Returns [kv_head · groups, position, head_dim].
    "GQA" (Ainslie et al., 2023).
    """
    return x.repeat_interleave(groups, dim=-3)


def rotary(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """Turn each vector by angles that grow with its position, as Llama does it ("rotate half").

    x: [head, position, head_dim]; positions: int [position].  Number i of the first half of a
    vector and number i of the second half are turned together, by position / theta^(2i / head_dim).
    "RoFormer" (Su et al., 2021).
    """
    half = x.shape[-1] // 2
    frequencies = 1 / theta ** (arange(half, device=x.device) / half)
    angles = positions[:, None] * frequencies  # [position, half]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


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
    """
    positions = arange(len(x), device=x.device)
    queries = rotary(split_heads(x @ q_proj.T, heads), positions, theta)
    keys = rotary(split_heads(x @ k_proj.T, kv_heads), positions, theta)
    values = split_heads(x @ v_proj.T, kv_heads)
    groups = heads // kv_heads
    scores = attention_scores(queries, repeat_kv(keys, groups))
    weights = attention_weights(scores, causal_mask(len(x)).to(x.device))
    return merge_heads(combine(weights, repeat_kv(values, groups))) @ o_proj.T


def projections(layer: nn.Module) -> dict[str, Tensor]:
    """The four matrices of an attention layer, [out, in]: "q_proj", "k_proj", "v_proj", "o_proj".

    Phi-3 keeps the first three in one; they are cut apart.  Raises ValueError for a layer that
    names its matrices in no such way.
    """
    if hasattr(layer, "qkv_proj"):
        kv_width = layer.num_key_value_heads * layer.head_dim
        qkv = layer.qkv_proj.weight
        cuts = (len(qkv) - 2 * kv_width, kv_width, kv_width)
        matrices = dict(zip(("q_proj", "k_proj", "v_proj"), qkv.split(cuts), strict=True))
        return {**matrices, "o_proj": layer.o_proj.weight}
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    if not all(hasattr(layer, name) for name in names):
        raise ValueError(
            _("{layer} has no matrices called {names}. Try a model of the Llama family.").format(
                layer=type(layer).__name__, names=", ".join(names)
            )
        )
    return {name: getattr(layer, name).weight for name in names}
