"""A small LLM, one short function for each part, from token ids to logits.

They are what a learner writes in the lessons; attention's own parts stand in `utils.parts.heads`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from utils.model import Model
from utils.parts.cache import KVCache
from utils.parts.heads import attention, places_and_mask
from utils.plain import check_plain

Part = Callable[[Tensor], Tensor]  # from vectors [position, width] to others


def embed(token_ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """A vector [width] for each token: rows of the embedding matrix [vocab, width].

    >>> embed(torch.tensor([2, 0]), torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    tensor([[4., 5.],
            [0., 1.]])
    """
    return embedding_matrix[token_ids]


def lm_head(hidden: Tensor, weight: Tensor) -> Tensor:
    """A score for each token of the vocabulary, from [..., width] and [vocab, width].

    >>> lm_head(torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    tensor([1., 2., 3.])
    """
    return hidden @ weight.T


def last_position_logits(hidden_states: Tensor, lm_head: nn.Module) -> Tensor:
    """Logits [vocab] for the next token, from hidden states [1, position, width].

    >>> last_position_logits(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), nn.Identity())
    tensor([3., 4.])
    """
    return lm_head(hidden_states[0, -1])


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x [..., width], divided by its own size, times weight [width].

    Computed in float32 whatever x is. "Root Mean Square Layer Normalization" (Zhang and Sennrich,
    2019).

    >>> rms_norm(torch.tensor([1.0, 7.0]), torch.ones(2), eps=0.0)  # √((1 + 49) / 2) is 5
    tensor([0.2000, 1.4000])
    """
    wide = x.float()
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return weight * (wide * scale).to(x.dtype)


def feed_forward(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """x [..., width] through gate and up [inner, width], multiplied, and down [width, inner].

    "GLU Variants Improve Transformer" (Shazeer, 2020).

    >>> gate, up, down = torch.tensor([[100.0]]), torch.tensor([[2.0]]), torch.tensor([[3.0]])
    >>> feed_forward(torch.ones(1), gate, up, down)  # silu(100) · 2 · 3, and silu(100) is 100
    tensor([600.])
    """
    return (nn.functional.silu(x @ gate.T) * (x @ up.T)) @ down.T


def block(x: Tensor, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part) -> Tensor:
    """One transformer block: each of the two parts reads a norm of the stream and adds to it.

    >>> block(torch.tensor([3.0, -1.0]), torch.zeros_like, torch.zeros_like, torch.abs, torch.abs)
    tensor([ 3., -1.])
    """
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))


# Put together -----------------------------------------------------------------------------


def run_layer(
    x: Tensor,
    layer: LlamaDecoderLayer,
    config: LlamaConfig,
    positions: Tensor,
    mask: Tensor,
    cache: KVCache | None = None,
) -> Tensor:
    """x [position, width] after one block of a Llama; arguments and errors as in `attention`."""
    matrices = (f"mlp.{name}_proj" for name in ("gate", "up", "down"))
    norms = ("input_layernorm", "post_attention_layernorm")
    check_plain(config, layer, "self_attn", *matrices, *norms, window=mask.shape[-1])
    mlp, eps = layer.mlp, config.rms_norm_eps
    return block(
        x,
        lambda x: attention(x, layer.self_attn, config, positions, mask, cache),
        lambda x: feed_forward(x, mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight),
        lambda x: rms_norm(x, layer.input_layernorm.weight, eps),
        lambda x: rms_norm(x, layer.post_attention_layernorm.weight, eps),
    )


def forward(model: Model, input_ids: Tensor, cache: KVCache | None = None) -> Tensor:
    """Logits [1, position, vocab] of `input_ids`, int64 [1, position], from a Llama's matrices.

    With a `KVCache` they go on from the text that it holds.  Raises ValueError for a model that
    computes more than a plain Llama, and names what.
    """
    check_plain(model.config, model, "model.layers", "model.embed_tokens", "model.norm", "lm_head")
    stack, past = model.model, cache.get_seq_length() if cache is not None else 0
    positions, mask = places_and_mask(past, input_ids.shape[1])
    x = embed(input_ids, stack.embed_tokens.weight)[0]
    positions, mask = positions.to(x.device), mask.to(x.device)
    for layer in stack.layers:
        x = run_layer(x, layer, model.config, positions, mask, cache)
    x = rms_norm(x, stack.norm.weight, model.config.rms_norm_eps)
    return lm_head(x, model.lm_head.weight)[None]


def fuse(matrices: list[Tensor]) -> tuple[Tensor, list[int]]:
    """One matrix [sum of out, in] for several [out, in], and how many rows came from each.

    `(x @ fused.T).split(sizes, dim=-1)` is what each of them gives for x.

    >>> fused, sizes = fuse([torch.eye(2), torch.ones(1, 2)])
    >>> (torch.tensor([3.0, 4.0]) @ fused.T).split(sizes, dim=-1)
    (tensor([3., 4.]), tensor([7.]))
    """
    return torch.cat(list(matrices)), [len(matrix) for matrix in matrices]
