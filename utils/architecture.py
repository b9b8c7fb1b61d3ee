"""Where a part stands in a model, for every architecture.

Models of different makers call the same part by different names: this is the one place that knows
them.  `utils.hooks` looks into what is found here while it works.
"""

import re
from dataclasses import dataclass
from inspect import signature
from numbers import Integral

import torch
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaAttention
from transformers.models.phi3.modeling_phi3 import Phi3Attention
from transformers.pytorch_utils import Conv1D

from utils.language import _
from utils.model import Model
from utils.plain import SHORT, check_plain

KINDS = ("embedding", "positions", "attention", "feed_forward", "norm", "lm_head")

# Parts --------------------------------------------------------------------------------------


def part_kind(model: Model, name: str, module: nn.Module) -> str | None:
    """Which of KINDS a module of `model` is, by its name too; None if it only holds others."""
    what = type(module).__name__.lower()
    if module is model.get_input_embeddings():
        return "embedding"
    if module is model.get_output_embeddings():
        return "lm_head"
    if isinstance(module, nn.Embedding):
        return "positions"
    if "norm" in what:
        return "norm"
    if "attention" in what or "attn" in what:
        return "attention"
    if re.search("mlp|sparsemoe|feedforward|ffn", what) or re.search(r"\.fc\d$", name):
        return "feed_forward"
    return None


@dataclass(frozen=True, eq=False)
class Block:
    """One block of a model, and the modules in it that add to the residual stream."""

    layer: int  # from 0
    module: nn.Module
    attention: nn.Module
    feed_forward: nn.Module

    def norms(self) -> list[nn.Module]:
        """The norms that stand in the block itself, in the order they were defined."""
        children = self.module.children()
        return [child for child in children if "norm" in type(child).__name__.lower()]


def writer(model: Model) -> nn.Module:
    """The part of `model` that reads and writes text, and not the tower that looks at pictures."""
    decoder = model.get_decoder() or model.base_model
    return getattr(model, "model", model) if decoder is model else decoder  # Llama 4: itself


def blocks(model: Model) -> tuple[Block, ...]:
    """The blocks of `model`, in order.  Raises ValueError for an architecture built otherwise."""
    count = model.config.get_text_config().num_hidden_layers
    stacks = [
        m for m in writer(model).modules() if isinstance(m, nn.ModuleList) and len(m) == count
    ]
    found = []
    for layer, module in enumerate(stacks[0] if stacks else ()):
        attention, feed_forward = _child(module, "attention", "attn"), _child(module, "mlp")
        if attention is None or feed_forward is None:
            raise not_a_stack(model)
        found.append(Block(layer, module, attention, feed_forward))
    if not found:
        raise not_a_stack(model)
    return tuple(found)


def _child(block: nn.Module, *words: str) -> nn.Module | None:
    """The part of a block whose class is called one of `words`: "LlamaMLP", "GPT2Attention"."""
    for child in block.children():
        name = type(child).__name__.lower()
        if "norm" not in name and any(word in name for word in words):
            return child
    return None


def not_a_stack(model: Model) -> ValueError:
    """The error for a model whose blocks do not add their parts to one stream."""
    return ValueError(
        _(
            "{architecture} is not built of blocks that add attention and feed-forward to one "
            "stream, as Llama, Phi-3, GPT-2, Qwen3, Gemma 3 and GPT-NeoX are; it cannot be "
            "taken apart here."
        ).format(architecture=type(model).__name__)
    )


def check_parts_add(model: Model, found: tuple[Block, ...]) -> None:
    """Raise ValueError where a part takes the stream too and gives it back, as in BLOOM and MPT.

    What such a part gives is no share of the stream: it is the stream, its share already added.
    So too where a block needs what one below it has computed, as in Gemma 3n.
    """
    if getattr(model.config.get_text_config(), "num_kv_shared_layers", None):
        raise not_a_stack(model)
    for block in found:
        for part in (block.attention, block.feed_forward):
            if "residual" in signature(part.forward).parameters:
                raise not_a_stack(model)


def attention_modules(model: Model) -> list[nn.Module]:
    """The attention layers of `model`, from the first block to the last."""
    return [
        module
        for module in writer(model).modules()
        if hasattr(module, "layer_idx") and "Attention" in type(module).__name__
    ]


def head_count(model: Model) -> int:
    """How many heads an attention layer of `model` has.  Raises ValueError for one without."""
    count = getattr(model.config.get_text_config(), "num_attention_heads", None)
    if not count:
        raise ValueError(
            _("{architecture} has no attention layers with heads.").format(
                architecture=type(model).__name__
            )
        )
    return count


def projections(layer: LlamaAttention | Phi3Attention) -> dict[str, Tensor]:
    """The four matrices of an attention layer, [out, in]: "q_proj", "k_proj", "v_proj", "o_proj".

    Phi-3 keeps the first three in one; they are cut apart.  Raises ValueError for a layer that
    names its matrices in no such way, and for one that computes more than they say: with biases,
    norms of queries and keys, scaled rotary positions or a short sliding window.
    """
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    fused = hasattr(layer, "qkv_proj")
    if not fused and not all(hasattr(layer, name) for name in names):
        raise ValueError(
            _("{layer} has no matrices called {names}. Try a model of the Llama family.").format(
                layer=type(layer).__name__, names=", ".join(names)
            )
        )
    check_plain(layer.config, layer, window=SHORT)
    if fused:
        kv_width = layer.num_key_value_heads * layer.head_dim
        qkv = layer.qkv_proj.weight
        cuts = (len(qkv) - 2 * kv_width, kv_width, kv_width)
        matrices = dict(zip(("q_proj", "k_proj", "v_proj"), qkv.split(cuts), strict=True))
        return {**matrices, "o_proj": layer.o_proj.weight}
    return {name: getattr(layer, name).weight for name in names}


def output_projection(layer: nn.Module) -> nn.Module:
    """The last matrix of an attention layer, which reads the outputs of all heads side by side.

    Raises ValueError where it goes by no name that is known here.
    """
    for name in ("o_proj", "c_proj", "dense", "out_proj"):
        if hasattr(layer, name):
            return getattr(layer, name)
    raise ValueError(
        _("{layer} has no output projection that is known here.").format(layer=type(layer).__name__)
    )


def last_matrix(model: Model, feed_forward: nn.Module) -> nn.Linear | Conv1D:
    """The matrix of a feed-forward layer whose columns are what its neurons add.

    Raises ValueError for a layer that has none.
    """
    matrices = [m for m in feed_forward.modules() if isinstance(m, nn.Linear | Conv1D)]
    if not matrices:
        raise ValueError(
            _(
                "The feed-forward layers of {architecture} do not end in one matrix, so their "
                "neurons cannot be told apart here."
            ).format(architecture=type(model).__name__)
        )
    return matrices[-1]


def final_norm(model: Model) -> nn.Module:
    """The norm between the last block and the LM head.  Raises ValueError if there is none."""
    stack = writer(model)
    lists = [part for part in stack.modules() if isinstance(part, nn.ModuleList)]
    inside = {id(part) for modules in lists for part in modules.modules()}
    norms = [m for m in stack.modules() if "Norm" in type(m).__name__ and id(m) not in inside]
    if not norms:
        raise ValueError(
            _("{architecture} has no norm after its last block, so it cannot be read here.").format(
                architecture=type(model).__name__
            )
        )
    return norms[-1]


@torch.no_grad()
def read_out(model: Model, hidden_states: Tensor) -> Tensor:
    """Logits, float32 [..., vocab], of vectors [..., width] that have had the final norm.

    After the LM head some models scale their logits, or cap them: Gemma, Granite, Cohere.
    """
    config = model.config.get_text_config()
    logits = model.get_output_embeddings()(hidden_states).float()
    scale, divisor = (getattr(config, name, None) for name in ("logit_scale", "logits_scaling"))
    logits = logits * (1 if scale is None else scale) / (divisor or 1)
    cap = getattr(config, "final_logit_softcapping", None)
    return cap * torch.tanh(logits / cap) if cap else logits


def check_reading(model: Model, normed: Tensor, logits: Tensor) -> None:
    """Raise ValueError unless `read_out` makes of a vector [width] the model's own logits [vocab].

    normed: what the final norm gave at a position whose logits are the model's.  Some models do
    more after that norm than is known here (a head of several layers, a scale of another name).
    """
    ours, theirs = read_out(model, normed), logits.float()
    roundings = 16 * torch.finfo(logits.dtype).eps * max(1.0, float(theirs.abs().max()))
    if ours.shape != theirs.shape or (ours - theirs).abs().max() > roundings:
        raise ValueError(
            _(
                "{architecture} does something between its final norm and its logits that is not "
                "known here; its vectors cannot be read as logits."
            ).format(architecture=type(model).__name__)
        )


# Places that are asked for ------------------------------------------------------------------


def tell_if_smaller(model: Model, layers: int, heads: int = 1) -> None:
    """Print a sentence where `model` has fewer layers or heads than a lesson looks at.

    For the cell that loads the model: the default model is large enough, and nothing is printed.

        model, tokenizer = load_model()
        tell_if_smaller(model, layers=28, heads=9)
    """
    has = model.config.get_text_config().num_hidden_layers
    has_heads = head_count(model) if heads > 1 else heads
    if has < layers or has_heads < heads:
        print(
            _(
                "This lesson looks at {layers} layers with {heads} heads each, and "
                "{architecture} has {has} with {has_heads}. Cells that ask for more will fail: "
                'put smaller numbers into them, or take load_model("smollm2").'
            ).format(
                layers=layers,
                heads=heads,
                architecture=type(model).__name__,
                has=has,
                has_heads=has_heads,
            )
        )


def check_layer(layer: int, count: int) -> None:
    """Raise ValueError unless `layer` is one of `count` layers, counted from 0."""
    if isinstance(layer, bool) or not isinstance(layer, Integral) or not 0 <= layer < count:
        raise ValueError(
            _("This model has the layers 0 to {last}; there is no layer {layer}.").format(
                last=count - 1, layer=layer
            )
        )


def check_position(position: int, count: int) -> None:
    """Raise ValueError unless `position` is one of `count`; -1 is the last one."""
    if not -count <= position < count:
        raise ValueError(
            _("The text has the positions 0 to {last}; there is no {position}.").format(
                last=count - 1, position=position
            )
        )


def check_token(model: Model, token_id: int) -> None:
    """Raise ValueError unless `token_id` is the id of one of the model's tokens."""
    count = len(model.get_output_embeddings().weight)
    if (
        isinstance(token_id, bool)
        or not isinstance(token_id, Integral)
        or not 0 <= token_id < count
    ):
        raise ValueError(
            _("The ids go from 0 to {last}, not {token_id}.").format(
                last=count - 1, token_id=token_id
            )
        )
