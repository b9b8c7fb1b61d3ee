"""The blocks of a model, and the two parts inside each: attention and feed-forward.

What goes into a block runs through it on a straight road, the residual stream, and both parts add
to it. Here the blocks are found, and watched while a text runs through them.
"""

from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor, nn

from utils.language import _


@dataclass(frozen=True, eq=False)
class Block:
    """One block of a model, and the modules in it that add to the residual stream."""

    layer: int  # from 0
    module: nn.Module
    attention: nn.Module
    feed_forward: nn.Module


@dataclass(frozen=True, eq=False)
class BlockPass:
    """What happened in one block while a text ran through the model.  Tensors [position, width]."""

    block: Block
    came_in: Tensor
    attention: Tensor  # what is added to the stream, after a norm of its own where there is one
    feed_forward: Tensor
    went_out: Tensor  # came_in + attention + feed_forward
    given: Tensor  # what the feed-forward layer itself gave
    last_norm: nn.Module | None  # the norm between that and the stream, in Gemma; None in others


def blocks(model) -> tuple[Block, ...]:
    """The blocks of `model`, in order.  Raises ValueError for an architecture built otherwise."""
    count = model.config.get_text_config().num_hidden_layers
    stacks = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == count]
    found = tuple(
        Block(layer, module, _child(module, "attention", "attn"), _child(module, "mlp"))
        for layer, module in enumerate(stacks[0] if stacks else ())
    )
    if not found or any(None in (block.attention, block.feed_forward) for block in found):
        raise _unserved(model)
    return found


def _child(block: nn.Module, *words: str) -> nn.Module | None:
    """The part of a block whose class is called one of `words`: "LlamaMLP", "GPT2Attention"."""
    for child in block.children():
        name = type(child).__name__.lower()
        if "norm" not in name and any(word in name for word in words):
            return child
    return None


def _unserved(model) -> ValueError:
    return ValueError(
        _(
            "{architecture} is not built of blocks that add attention and feed-forward to one "
            "stream, as Llama, Phi-3, GPT-2, Qwen3, Gemma 3 and GPT-NeoX are; it cannot be "
            "taken apart here."
        ).format(architecture=type(model).__name__)
    )


def check_parts_add(model, found: tuple[Block, ...]) -> None:
    """Raise ValueError where a part takes the stream too and gives it back, as in BLOOM and MPT.

    What such a part gives is no share of the stream: it is the stream, its share already added.
    """
    for block in found:
        for part in (block.attention, block.feed_forward):
            if "residual" in signature(part.forward).parameters:
                raise _unserved(model)


def check_layer(layer: int, count: int) -> None:
    """Raise ValueError unless `layer` is one of `count` layers, counted from 0."""
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < count:
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


def first_tensor(value) -> Tensor:
    """What a module gave: the first of several, if there are several."""
    return value[0] if isinstance(value, tuple) else value


@torch.no_grad()
def watch_blocks(model, input_ids: Tensor) -> tuple[BlockPass, ...]:
    """Run ids [1, position] through `model`, and keep what each block adds to the stream.

    In some models (GPT-NeoX) both parts read what came in, in others the feed-forward layer reads
    it with attention's share already added; added up it is the same.  Raises ValueError where what
    came in and the two shares do not make what went out.
    """
    found = blocks(model)
    notes: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    hooks = []

    def note(module, args, kwargs, output):
        first = args[0] if args else next(iter(kwargs.values()))
        notes[module] = first, first_tensor(output)

    for block in found:
        watched = [block.module, block.attention, block.feed_forward, *_norms(block)]
        hooks += [m.register_forward_hook(note, with_kwargs=True) for m in watched]
    try:
        model(input_ids=input_ids, use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(_put_together(model, block, notes) for block in found)


def _norms(block: Block) -> list[nn.Module]:
    return [child for child in block.module.children() if "norm" in type(child).__name__.lower()]


def _put_together(model, block: Block, notes) -> BlockPass:
    came_in, went_out = notes[block.module]

    def added(part: nn.Module) -> tuple[Tensor, nn.Module | None]:
        """What a part gave; or what a norm made of it, if one took the very tensor it gave."""
        gave = notes[part][1]
        for norm in _norms(block):
            if norm in notes and notes[norm][0] is gave:
                return notes[norm][1], norm
        return gave, None

    attention, _norm = added(block.attention)
    feed_forward, last_norm = added(block.feed_forward)
    total = came_in + attention + feed_forward
    error = (total - went_out).abs().max()
    if error > 16 * torch.finfo(total.dtype).eps * max(1, total.abs().max()):
        raise _unserved(model)
    given = notes[block.feed_forward][1]
    return BlockPass(
        block, came_in[0], attention[0], feed_forward[0], went_out[0], given[0], last_norm
    )
