"""The parts of a model: what they are called, what goes in and out, and how large they are.

All of it is read from the model itself. The parts are found among its modules, and put in order by
watching one forward pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.architecture import KINDS, part_kind
from utils.decoding import Candidate
from utils.hooks import first_tensor, hooked
from utils.language import _
from utils.model import Model, prompt_ids
from utils.tokens import Tokenization, Tokenizer, tokenize


@dataclass(frozen=True)
class Component:
    """One part of a model.  `model.get_submodule(name)` is the module itself."""

    name: str  # such as "model.layers.0.mlp"
    kind: str  # one of KINDS
    layer: int | None  # which block it stands in, from 0; None outside the blocks
    class_name: str  # such as "LlamaMLP"
    takes: str  # the shape that goes in for one text, such as "[position, 576]"
    gives: str  # the shape that comes out
    weights: tuple[tuple[str, tuple[int, ...]], ...]  # its tensors' names and shapes
    parameters: int  # numbers in them; those shared with an earlier part count there
    share: float  # of all the model's parameters, 0 to 1; the shares of all parts sum to 1
    tied_to: str | None  # the earlier part that it shares its weights with

    @property
    def short_name(self) -> str:
        """Its name within its block, or within the model: "mlp", "norm"."""
        return self.name.rsplit(".", 1)[-1]


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """One text on its way through a model: what went into each part and what came out.

    Keys are the parts' names.  Tensors are [position], ids, or [position, width].
    """

    tokens: Tokenization
    components: tuple[Component, ...]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    logits: Tensor  # [vocab], float32: the model's own, for what comes next


def components(model: Model) -> list[Component]:
    """The parts of `model`, in the order in which a text passes them.

    Each parameter is counted once: a tied LM head has 0 of its own.  Raises ValueError for an
    architecture with parts that are none of KINDS.
    """
    ids = torch.zeros(1, 2, dtype=torch.long, device=model.device)
    inputs, outputs, _logits = _trace(model, ids)
    return _describe(model, inputs, outputs)


def trace_components(model: Model, tokenizer: Tokenizer, text: str) -> ForwardPass:
    """Send `text` through the model once, and keep what goes into each part and comes out.

    Raises ValueError as `components` does, for an empty text, and for one past the context.
    """
    inputs, outputs, logits = _trace(model, prompt_ids(model, tokenizer, text))
    return ForwardPass(
        tokenize(tokenizer, text),
        tuple(_describe(model, inputs, outputs)),
        {name: tensor[0] for name, tensor in inputs.items()},
        {name: tensor[0] for name, tensor in outputs.items()},
        logits,
    )


def parameter_share(model: Model) -> dict[str, float]:
    """The share of the parameters, 0 to 1, that each kind of part holds.  They sum to 1."""
    shares = dict.fromkeys(KINDS, 0.0)
    parts = components(model)
    for part in parts:
        shares[part.kind] += part.share
    return {kind: shares[kind] for kind in KINDS if any(part.kind == kind for part in parts)}


def _parts(model: Model) -> dict[str, tuple[nn.Module, str]]:
    """The modules that are parts, by name, with their kinds; in the order they were defined."""

    def walk(name: str, module: nn.Module) -> Iterator[tuple[str, tuple[nn.Module, str]]]:
        kind = part_kind(model, name, module)
        if kind:
            yield name, (module, kind)
        elif next(module.parameters(recurse=False), None) is not None:
            raise ValueError(
                _(
                    "{architecture} has a part that the course does not know: {part}. Try a "
                    "decoder such as Llama, Phi-3, GPT-2, Qwen3, Gemma 3 or GPT-NeoX."
                ).format(architecture=type(model).__name__, part=name)
            )
        else:
            for child_name, child in module.named_children():
                yield from walk(f"{name}.{child_name}".lstrip("."), child)

    return {
        name: part for name, part in walk("", model) if any(True for _p in part[0].parameters())
    }


@torch.no_grad()
def _trace(model: Model, input_ids: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    """The inputs and outputs of each part for ids [1, position], in the order of their turns.

    And the last position's logits, float32 [vocab].
    """
    inputs, outputs = {}, {}
    names = {module: name for name, (module, _kind) in _parts(model).items()}

    def note(module: nn.Module, given: Tensor, came_out: Tensor | tuple) -> None:
        name = names[module]
        given, came_out = _one_text(given), _one_text(first_tensor(came_out))
        inputs[name] = given.expand(1, *given.shape[1:]).detach()
        outputs[name] = came_out.detach()

    with hooked(names, note):
        mask = torch.ones_like(input_ids)
        output = model(input_ids=input_ids, attention_mask=mask, use_cache=False)
    return inputs, outputs, output.logits[0, -1].float()


def _one_text(tensor: Tensor) -> Tensor:
    """Vectors as [1, position, width]; OPT hands them to its matrices without the batch axis."""
    return tensor[None] if tensor.is_floating_point() and tensor.ndim == 2 else tensor


def _describe(
    model: Model, inputs: dict[str, Tensor], outputs: dict[str, Tensor]
) -> list[Component]:
    total = sum(parameter.numel() for parameter in model.parameters())
    parts, found = _parts(model), []
    owner: dict[int, str] = {}  # id of a parameter → the first part that has it
    for name in inputs:
        module, kind = parts[name]
        weights = dict(module.named_parameters())
        new = [weight for weight in weights.values() if id(weight) not in owner]
        tied_to = next((owner[id(w)] for w in weights.values() if id(w) in owner), None)
        owner |= {id(weight): name for weight in new}
        count = sum(weight.numel() for weight in new)
        number = re.search(r"\.(\d+)\.", name)
        found.append(
            Component(
                name=name,
                kind=kind,
                layer=int(number[1]) if number else None,
                class_name=type(module).__name__,
                takes=_shape(inputs[name]),
                gives=_shape(outputs[name]),
                weights=tuple((key, tuple(weight.shape)) for key, weight in weights.items()),
                parameters=count,
                share=count / total,
                tied_to=tied_to,
            )
        )
    return found


def _shape(tensor: Tensor) -> str:
    """The shape of [1, position, …] without the batch axis, as text: "[position, 576]"."""
    return f"[{', '.join(['position', *map(str, tensor.shape[2:])])}]"


# The model as a diagram: one block to stand for all -----------------------------------------------


@dataclass(frozen=True)
class Part:
    """One box of the diagram: a part of the model, or the tokenizer or softmax around it."""

    key: str  # its name within a block or the model, besides "tokenizer" and "softmax"
    name: str  # its name in the model, with the block's number
    kind: str  # one of KINDS, "tokenizer" or "softmax"
    takes: str  # shapes, as text
    gives: str
    share: float  # of all parameters; of all blocks together, where it is one of a block's
    component: Component | None  # None for the tokenizer and softmax


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A model's parts from bottom to top, one of them picked, and a text's way through it."""

    parts: tuple[Part, ...]
    picked: Part
    layer: int
    layers: int
    flow: ForwardPass
    candidates: tuple[Candidate, ...]  # the likeliest next tokens, with probabilities
    logits: tuple[float, ...]  # the same tokens' logits


def diagram_parts(flow: ForwardPass, block: int) -> tuple[Part, ...]:
    """The diagram's boxes from bottom to top, with one `block` to stand for all."""
    boxes = []
    for part in flow.components:
        if part.layer not in (None, block):
            continue
        same = [
            p for p in flow.components if p.short_name == part.short_name and p.layer is not None
        ]
        share = part.share if part.layer is None else sum(p.share for p in same)
        boxes.append(
            Part(part.short_name, part.name, part.kind, part.takes, part.gives, share, part)
        )
    logits = boxes[-1].gives
    return (
        Part("tokenizer", "tokenizer", "tokenizer", _("text"), "[position]", 0.0, None),
        *boxes,
        Part("softmax", "softmax", "softmax", logits, logits, 0.0, None),
    )
