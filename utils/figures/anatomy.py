"""The model as a diagram drawn from the model itself, and what goes in and out of a part."""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch import Tensor

from utils.anatomy import Component, ForwardPass
from utils.decoding import Candidate
from utils.figures.candidates import draw_candidates
from utils.figures.style import Colour, in_course_style, new_figure, show_token
from utils.figures.tokens import PROMPT, draw_tokens
from utils.language import N_, _

WIDTH, HEIGHT = 740, 490
ROWS = 14  # positions of a text that a picture of vectors shows at most

KIND_NAMES = {
    "tokenizer": N_("tokenizer"),
    "embedding": N_("embedding"),
    "positions": N_("position embedding"),
    "attention": N_("attention layer"),
    "feed_forward": N_("feed-forward layer"),
    "norm": N_("normalisation"),
    "lm_head": N_("LM head"),
    "softmax": N_("softmax"),
}
FILL = {"embedding": "#D9EEFA", "positions": "#D9EEFA", "attention": "#F4E1EC"} | {
    "feed_forward": "#D5EEE6",
    "lm_head": "#FBE3B5",
}


@dataclass(frozen=True)
class Part:
    """One box of the diagram: a part of the model, or the tokenizer or softmax around it."""

    key: str  # what the explorer calls it: "tokenizer", "mlp", "softmax"
    name: str  # its name in the model, with the block's number
    kind: str  # a key of KIND_NAMES
    takes: str  # shapes, as text
    gives: str
    share: float  # of all parameters; of all blocks together, where it is one of a block's
    component: Component | None  # None for the tokenizer and softmax


@dataclass(frozen=True)
class Anatomy:
    """A model's parts from bottom to top, one of them picked, and a text's way through it."""

    parts: tuple[Part, ...]
    picked: Part
    layer: int
    layers: int
    flow: ForwardPass
    candidates: tuple[Candidate, ...]  # the likeliest next tokens, with probabilities
    logits: tuple[float, ...]  # the same tokens' logits


@in_course_style
def anatomy_figure(record: Anatomy) -> Figure:
    """The diagram on the left; on the right the picked part, with what it takes and gives."""
    figure = new_figure(WIDTH, HEIGHT)
    _draw_diagram(figure.add_axes([0, 0, 0.49, 1]), record)
    part = record.picked
    figure.text(0.52, 0.955, " · ".join(part_names(part)), fontsize=12)
    figure.text(0.52, 0.925, _about(part), fontsize=9, va="top", linespacing=1.4)
    _draw_side(figure, 0.385, _("comes out: {shape}"), part.gives, record, came_out=True)
    _draw_side(figure, 0.045, _("goes in: {shape}"), part.takes, record, came_out=False)
    return figure


def part_names(part: Part) -> list[str]:
    """What a part is called, in the model and in words, if that is not the same."""
    words = _(KIND_NAMES[part.kind])
    return [part.name] if part.name == words else [part.name, words]


def _about(part: Part) -> str:
    """The part's class, and its weights with their shapes."""
    if part.component is None:
        return _("no parameters")
    lines = [f"{part.component.class_name}: {parameter_words(part.component)}"]
    weights = part.component.weights
    lines += [f"  {name} {list(shape)}" for name, shape in weights[:6]]
    return "\n".join(lines + ["  …"] * (len(weights) > 6))


def parameter_words(component: Component) -> str:
    """How many parameters a part has of its own, in words."""
    if component.tied_to:
        return _("shares its weights with {part}").format(part=component.tied_to)
    return _("{count} parameters, {share:.1%} of the model's").format(
        count=f"{component.parameters:,}", share=component.share
    )


def _draw_diagram(axes: Axes, record: Anatomy) -> None:
    """Boxes from bottom to top; a frame around those that every block repeats."""
    axes.set(xlim=(0, WIDTH * 0.49), ylim=(0, HEIGHT))
    axes.axis("off")
    parts = record.parts
    step = min(52, (HEIGHT - 8) / len(parts))
    height = step - 12
    bottoms = [12 + step * i for i in range(len(parts))]
    inside = [
        i for i, part in enumerate(parts) if part.component and part.component.layer is not None
    ]
    low, high = bottoms[inside[0]] - 5, bottoms[inside[-1]] + height + 5
    axes.add_artist(
        Rectangle((4, low), 336, high - low, facecolor="none", edgecolor=Colour.QUIET, ls="--")
    )
    axes.text(
        350, (low + high) / 2, _blocks(record), rotation=90, ha="center", va="center", fontsize=9
    )
    for i, (part, bottom) in enumerate(zip(parts, bottoms, strict=True)):
        _draw_box(axes, part, bottom, height, part is record.picked)
        if i:
            axes.annotate(
                "",
                (40, bottom),
                (40, bottom - 12),
                arrowprops={"arrowstyle": "->", "color": Colour.QUIET, "shrinkA": 0, "shrinkB": 0},
            )


def _blocks(record: Anatomy) -> str:
    return _("block {layer} of 0–{last}   ·   shares: all blocks together").format(
        layer=record.layer, last=record.layers - 1
    )


def _draw_box(axes: Axes, part: Part, bottom: float, height: float, picked: bool) -> None:
    axes.add_artist(
        FancyBboxPatch(
            (12, bottom),
            320,
            height,
            boxstyle="round,pad=0,rounding_size=5",
            facecolor=FILL.get(part.kind, "#EEEEEE"),
            edgecolor=Colour.CHOSEN if picked else "none",
            linewidth=2.2,
        )
    )
    upper, lower = bottom + height * 0.7, bottom + height * 0.25
    name = ("▸ " if picked else "") + part.key
    axes.text(20, upper, name, va="center_baseline", fontsize=10)
    style = {"va": "center_baseline", "fontsize": 8.5, "color": "#555555"}
    axes.text(20, lower, _(KIND_NAMES[part.kind]), **style)
    axes.text(324, lower, f"{part.takes} → {part.gives}", ha="right", **style)
    if part.component:
        axes.text(324, upper, share_words(part), ha="right", va="center_baseline", fontsize=10)
        for share, colour in ((1, "#FFFFFF"), (part.share, "#555555")):
            axes.add_artist(Rectangle((222, upper - 4), 54 * share, 8, facecolor=colour))


def share_words(part: Part) -> str:
    """A part's share of the parameters, as text."""
    if part.component.tied_to:
        return _("tied")
    return f"{part.share:.1%}" if part.share >= 0.0005 else "< 0.1%"


def _draw_side(
    figure: Figure, bottom: float, says: str, shape: str, record, came_out: bool
) -> None:
    """What goes in or comes out, at the text that is shown: as tokens, vectors or candidates."""
    part, flow = record.picked, record.flow
    top_five = part.kind == "softmax" or (part.kind == "lm_head" and came_out)
    says = says.format(shape=shape)
    if top_five:
        says += _(", the last position's five highest")
    figure.text(0.52, bottom + 0.275, says, fontsize=10)
    box = [0.62, bottom, 0.36, 0.26]
    if part.kind == "softmax" and came_out:
        draw_candidates(figure.add_axes(box), record.candidates)
    elif top_five:
        _draw_logits(figure.add_axes(box), record)
    elif part.kind == "tokenizer":
        pairs = zip(flow.tokens.pieces, flow.tokens.token_ids, strict=True)
        chips = [f"{show_token(p)}→{i}" for p, i in pairs] if came_out else [flow.tokens.text]
        _draw_chips(figure, bottom, chips)
    else:
        tensor = (flow.outputs if came_out else flow.inputs)[part.component.name]
        if tensor.ndim == 1:  # ids of tokens, or numbers of positions
            _draw_chips(figure, bottom, [str(number) for number in tensor.tolist()])
        else:
            _draw_vectors(figure.add_axes(box), tensor, flow.tokens.pieces)


def _draw_chips(figure: Figure, bottom: float, texts: list[str]) -> None:
    draw_tokens(figure.add_axes([0.52, bottom, 0.47, 0.26]), texts, [PROMPT] * len(texts))


def _draw_vectors(axes: Axes, tensor: Tensor, tokens) -> None:
    """Vectors [position, width] as rows of colour, orange above zero and violet below."""
    shown = tensor[-ROWS:].float().cpu()
    limit = float(torch.quantile(shown.abs().flatten(), 0.98)) or 1.0
    axes.imshow(shown.numpy(), cmap=Colour.SIGNED, vmin=-limit, vmax=limit, aspect="auto")
    labels = [show_token(token)[:10] for token in tokens[-ROWS:]]
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5)
    axes.set_xticks([0, shown.shape[1] - 1])
    axes.tick_params(length=2, labelsize=8.5)


def _draw_logits(axes: Axes, record: Anatomy) -> None:
    """The logits of the candidates, at the last position."""
    bars = axes.barh(range(len(record.logits)), record.logits, color=Colour.CANDIDATE)
    axes.bar_label(bars, [f"{logit:.1f}" for logit in record.logits], padding=4)
    labels = [show_token(candidate.token) for candidate in record.candidates]
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(left=False)
    widest = max(map(abs, record.logits)) * 1.25 or 1.0
    axes.set(xlim=(min(0, -widest * (min(record.logits) < 0)), widest), xticks=[])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines["bottom"].set_visible(False)
