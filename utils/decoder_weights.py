"""What `utils.decoder` takes out of a model of `transformers`: its matrices, fused and laid out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from utils.language import _
from utils.model import Model, context_length
from utils.plain import FAMILY, rotary_kind, shortest_window

ROTARY = ("default", "linear", "llama3", "yarn")  # angles that do not depend on the text's length

Matrix = tuple[Tensor, Tensor | None]  # weight [out, in] and bias [out], for `linear`


@dataclass(frozen=True, eq=False)
class BlockWeights:
    """The weights of one transformer block: two norms, four matrices."""

    norm_1: Tensor  # [width]
    qkv: Matrix  # [(heads + 2 · kv_heads) · head_dim, width]
    output: Matrix
    norm_2: Tensor
    gate_up: Matrix  # [2 · inner, width]
    down: Matrix


def block_weights(layer: LlamaDecoderLayer) -> BlockWeights:
    """The weights of one block of a model, fused."""
    attention, mlp = layer.self_attn, layer.mlp
    return BlockWeights(
        norm_1=layer.input_layernorm.weight,
        qkv=_fused(attention, "qkv_proj", "q_proj", "k_proj", "v_proj"),
        output=_fused(attention, "o_proj"),
        norm_2=layer.post_attention_layernorm.weight,
        gate_up=_fused(mlp, "gate_up_proj", "gate_proj", "up_proj"),
        down=_fused(mlp, "down_proj"),
    )


def _fused(part: nn.Module, *names: str) -> Matrix:
    """One matrix that does the work of those of `names` that `part` has; Phi-3's come fused."""
    found = [getattr(part, name) for name in names if hasattr(part, name)]
    weight = torch.cat([m.weight for m in found]) if len(found) > 1 else found[0].weight
    return laid_out(weight), None if found[0].bias is None else torch.cat([m.bias for m in found])


def laid_out(matrix: Tensor) -> Tensor:
    """The same matrix [out, in], in memory input by input, as a CPU multiplies fastest with it.

    A GPU does not care: there the matrix is shared with the model.
    """
    return matrix if matrix.is_cuda else matrix.T.contiguous().T


def longest_text(model: Model) -> int:
    """The longest text of which each position sees everything before it."""
    return min(context_length(model), shortest_window(model.config) or context_length(model))


def check_architecture(model: Model) -> None:
    """Raise ValueError, naming the architecture, unless `utils.decoder` can rebuild it."""
    config = model.config
    kind = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if config.model_type not in FAMILY or rotary_kind(config) not in ROTARY:
        raise ValueError(
            _(
                "This decoder rebuilds models of the kinds {known}, with rotary positions of the "
                "usual kind, not {architecture} ({rotary})."
            ).format(known=", ".join(FAMILY), architecture=config.model_type, rotary=kind)
        )
    if not hasattr(model, "lm_head"):
        raise ValueError(
            _(
                "{model} has no LM head, and so writes no text. "
                "Load the model with AutoModelForCausalLM or load_model."
            ).format(model=type(model).__name__)
        )
