"""How a gated feed-forward layer computes: what goes through the gate, and what it lets through."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import silu

from utils.architecture import blocks, check_layer
from utils.hooks import hooked
from utils.language import _
from utils.model import Model, prompt_ids
from utils.tokens import Tokenizer, token_text


@dataclass(frozen=True, eq=False)
class Gating:
    """A few neurons of one layer at a text's last position, from the most shut to the most open."""

    token: str
    layer: int
    numbers: tuple[int, ...]  # which neurons they are
    gate: Tensor  # [neuron], before the silu
    up: Tensor  # [neuron]

    @property
    def opened(self) -> Tensor:
        """How far each gate is open: silu(gate), [neuron]."""
        return silu(self.gate)

    @property
    def products(self) -> Tensor:
        """silu(gate) · up, the neurons' activations: [neuron]."""
        return self.opened * self.up


@torch.no_grad()
def record_gating(
    model: Model, tokenizer: Tokenizer, text: str, layer: int, count: int = 5
) -> Gating:
    """`count` neurons of feed-forward `layer`, evenly spread from the lowest gate to the highest.

    Raises ValueError for a layer that is not there, and for one that is not silu(gate) · up
    ("GLU Variants Improve Transformer", Shazeer, 2020).
    """
    found = blocks(model)
    check_layer(layer, len(found))
    gates = getattr(found[layer].feed_forward, "gate_proj", None)
    ups = getattr(found[layer].feed_forward, "up_proj", None)
    if gates is None or ups is None or model.config.get_text_config().hidden_act != "silu":
        raise ValueError(
            _(
                "The feed-forward layers of {architecture} are not built of gate, up and down "
                "with silu, so they cannot be drawn here. Try a model of the Llama family."
            ).format(architecture=type(model).__name__)
        )
    ids, kept = prompt_ids(model, tokenizer, text), []
    with hooked([gates, ups], lambda _module, _inputs, outputs: kept.append(outputs[0, -1])):
        model(input_ids=ids, use_cache=False)
    gate, up = (numbers.float().cpu() for numbers in kept)
    spread = torch.linspace(0, len(gate) - 1, count).round().long()
    chosen = gate.argsort()[spread]
    token = token_text(tokenizer, int(ids[0, -1]))
    return Gating(token, layer, tuple(chosen.tolist()), gate[chosen], up[chosen])
