"""The parts of a small LLM, one short function each, and the LLM that they make together.

They are what a learner writes in the lessons, as a reference; attention's own parts stand in
`utils.attention_steps`. Written to be read: `utils.decoder` does the same work faster.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from utils.attention_steps import (
    attention_scores,
    attention_weights,
    combine,
    merge_heads,
    repeat_kv,
    rotary,
    split_heads,
)
from utils.decoding import greedy
from utils.kv_cache import KVCache
from utils.language import _
from utils.streams import causal_mask


def embed(token_ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """A vector [width] for each token: rows of the embedding matrix [vocab, width]."""
    return embedding_matrix[token_ids]


def lm_head(hidden: Tensor, weight: Tensor) -> Tensor:
    """A score for each token of the vocabulary, from [..., width] and [vocab, width]."""
    return hidden @ weight.T


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x [..., width], divided by its own size, times weight [width].

    Computed in float32 whatever x is. "Root Mean Square Layer Normalization" (Zhang and Sennrich,
    2019).
    """
    wide = x.float()
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return weight * (wide * scale).to(x.dtype)


def feed_forward(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """x [..., width] through gate and up [inner, width], multiplied, and down [width, inner].

    "GLU Variants Improve Transformer" (Shazeer, 2020).
    """
    return (nn.functional.silu(x @ gate.T) * (x @ up.T)) @ down.T


def block(x: Tensor, attention, feed_forward, norm_1, norm_2) -> Tensor:
    """One transformer block: each of the two parts reads a norm of the stream and adds to it."""
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))


# Put together -----------------------------------------------------------------------------


def places_and_mask(past: int, new: int) -> tuple[Tensor, Tensor]:
    """Where `new` tokens stand after `past` others, int64 [new], and what each may look at.

    The mask is bool [new, past + new], True where the row's token may look at the column's.
    """
    return torch.arange(past, past + new), causal_mask(past + new)[past:]


def attention(
    x: Tensor, self_attn: nn.Module, config, positions: Tensor, mask: Tensor, cache=None
) -> Tensor:
    """What an attention layer adds, [position, width], for x [position, width], already normed.

    self_attn: the layer of a Llama, of which only the matrices are used; config: the model's.
    With a `KVCache` the keys and values of x are kept in it, and those before them are read.
    """
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    theta = config.rope_parameters["rope_theta"]
    queries = rotary(split_heads(x @ self_attn.q_proj.weight.T, heads), positions, theta)
    keys = rotary(split_heads(x @ self_attn.k_proj.weight.T, kv_heads), positions, theta)
    values = split_heads(x @ self_attn.v_proj.weight.T, kv_heads)
    if cache is not None:
        keys, values = cache.append(self_attn.layer_idx, keys[None], values[None])
        keys, values = keys[0], values[0]
    groups = heads // kv_heads
    scores = attention_scores(queries, repeat_kv(keys, groups))
    combined = combine(attention_weights(scores, mask), repeat_kv(values, groups))
    return merge_heads(combined) @ self_attn.o_proj.weight.T


def run_layer(
    x: Tensor, layer: nn.Module, config, positions: Tensor, mask: Tensor, cache=None
) -> Tensor:
    """x [position, width] after one block of a Llama; arguments as in `attention`."""
    mlp, eps = layer.mlp, config.rms_norm_eps
    return block(
        x,
        lambda x: attention(x, layer.self_attn, config, positions, mask, cache),
        lambda x: feed_forward(x, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight),
        lambda x: rms_norm(x, layer.input_layernorm.weight, eps),
        lambda x: rms_norm(x, layer.post_attention_layernorm.weight, eps),
    )


def forward(model, input_ids: Tensor, cache=None) -> Tensor:
    """Logits [1, position, vocab] of `input_ids`, int64 [1, position], from a Llama's matrices.

    With a `KVCache` they go on from the text that it holds.
    """
    stack, past = model.model, cache.get_seq_length() if cache is not None else 0
    positions, mask = places_and_mask(past, input_ids.shape[1])
    x = embed(input_ids, stack.embed_tokens.weight)[0]
    for layer in stack.layers:
        x = run_layer(x, layer, model.config, positions, mask, cache)
    x = rms_norm(x, stack.norm.weight, model.config.rms_norm_eps)
    return lm_head(x, model.lm_head.weight)[None]


def write(
    model, input_ids: Tensor, max_new_tokens: int, choose: Callable[[Tensor], int] = greedy
) -> Iterator[int]:
    """Yield the ids of new tokens, each as soon as it is chosen; an end token is the last.

    input_ids: int64 [1, position]; `choose` turns logits [vocab] into an id.
    """
    cache, unseen = KVCache(), input_ids
    for _step in range(max_new_tokens):
        token_id = choose(forward(model, unseen, cache)[0, -1])
        yield token_id
        if token_id == model.generation_config.eos_token_id:
            return
        unseen = torch.tensor([[token_id]])


def fuse(matrices: list[Tensor]) -> tuple[Tensor, list[int]]:
    """One matrix [sum of out, in] for several [out, in], and how many rows came from each.

    `(x @ fused.T).split(sizes, dim=-1)` is what each of them gives for x.
    """
    return torch.cat(list(matrices)), [len(matrix) for matrix in matrices]


class RoomyCache:
    """A `KVCache` whose memory is taken once: [layer, 1, kv_head, room, head_dim].

    Raises ValueError where a text is longer than its room.
    """

    def __init__(self, layers: int, kv_heads: int, head_dim: int, room: int):
        self.keys = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.values = torch.zeros(layers, 1, kv_heads, room, head_dim)
        self.lengths = [0] * layers

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values behind the ones it has; returns all it has now."""
        start = self.lengths[layer]
        end = start + keys.shape[2]
        if end > self.keys.shape[3]:
            raise ValueError(
                _("There is no room for {count} positions, only for {room}.").format(
                    count=end, room=self.keys.shape[3]
                )
            )
        self.keys[layer, :, :, start:end] = keys
        self.values[layer, :, :, start:end] = values
        self.lengths[layer] = end
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def get_seq_length(self) -> int:
        """How many positions are kept."""
        return self.lengths[0]
