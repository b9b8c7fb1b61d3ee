"""What `utils.decoder` takes out of a model of `transformers`: its matrices, fused and laid out."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from utils.decoder_forms import Form, Product, by_rows
from utils.language import _
from utils.model import Model, context_length
from utils.plain import FAMILY, rotary_kind, shortest_window

ROTARY = ("default", "linear", "llama3", "yarn")  # angles that do not depend on the text's length


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix, and its product with vectors in one of the forms of `utils.decoder_forms`."""

    weight: Tensor  # [out, in]
    bias: Tensor | None  # [out]
    product: Product

    def __call__(self, x: Tensor) -> Tensor:
        """x [1, position, in] times the matrix, and the bias: [1, position, out]."""
        out = self.product(x)
        return out if self.bias is None else out + self.bias

    def laid_out(self, form: Form) -> "Matrix":
        """The same matrix in another form."""
        return replace(self, product=form(self.weight))


@dataclass(frozen=True, eq=False)
class BlockWeights:
    """The weights of one transformer block: two norms, four matrices."""

    norm_1: Tensor  # [width]
    qkv: Matrix  # [(heads + 2 · kv_heads) · head_dim, width]
    output: Matrix
    norm_2: Tensor
    gate_up: Matrix  # [2 · inner, width]
    down: Matrix

    def matrices(self) -> list[Matrix]:
        """The four."""
        return [self.qkv, self.output, self.gate_up, self.down]

    def laid_out(self, form: Form) -> "BlockWeights":
        """The same weights, the matrices in another form."""
        qkv, output, gate_up, down = (matrix.laid_out(form) for matrix in self.matrices())
        return replace(self, qkv=qkv, output=output, gate_up=gate_up, down=down)


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
    bias = None if found[0].bias is None else torch.cat([m.bias for m in found])
    return Matrix(weight, bias, by_rows(weight))


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
