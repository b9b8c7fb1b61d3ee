"""The model as a diagram drawn from the model itself, and what goes in and out of a part."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from utils.anatomy import Anatomy, Component, Part
from utils.figures.candidates import candidate_words, draw_bars, draw_candidates
from utils.figures.chips import PROMPT, draw_tokens
from utils.figures.page import Box, axes_at, cut, new_page, rounded_box, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.language import N_, _

HEIGHT, ASIDE = 500, 385  # CSS pixels: the figure's, and where the picked part's column begins
BOX_LEFT, BOX_WIDTH, GAP = 12, 320, 12  # CSS pixels
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


@in_course_style
def anatomy_picture(record: Anatomy) -> Picture:
    """The diagram on the left; on the right the picked part, with what it takes and gives."""
    figure, page = new_page(HEIGHT)
    boxes = _draw_diagram(page, record)
    part = record.picked
    write(page, ASIDE, 22, " · ".join(_names(part)), fontsize=12, va="baseline")
    write(page, ASIDE, 37, _about(part), fontsize=9, va="top", linespacing=1.4)
    outputs = _draw_side(page, 167, _("comes out: {shape}"), part.gives, record, came_out=True)
    inputs = _draw_side(page, 343, _("goes in: {shape}"), part.takes, record, came_out=False)
    regions = [
        Region(box, f"{part.key}: {part.takes} → {part.gives}", {"part": part.key})
        for part, box in zip(record.parts, boxes, strict=True)
    ]
    return Picture(figure, anatomy_words(record), (*regions, *outputs, *inputs))


def anatomy_words(record: Anatomy) -> str:
    """The text's way through all parts, and the picked one's shapes and parameters."""
    picked = record.picked
    lines = [
        _("{text}, {count} tokens, goes through: {parts}").format(
            text=quote_token(record.flow.tokens.text),
            count=len(record.flow.tokens.token_ids),
            parts=" → ".join(_with_share(part) for part in record.parts),
        ),
        f"{', '.join(_names(picked))}: {picked.takes} → {picked.gives}",
    ]
    if picked.component:
        shapes = ", ".join(f"{name} {list(shape)}" for name, shape in picked.component.weights)
        lines.append(f"{_parameter_words(picked.component)}; {shapes}")
    if picked.kind in ("lm_head", "softmax"):
        lines.append(
            _("likeliest next: {tokens}").format(tokens=candidate_words(record.candidates))
        )
    return "\n".join(lines)


def _names(part: Part) -> list[str]:
    """What a part is called, in the model and in words, if that is not the same."""
    words = _(KIND_NAMES[part.kind])
    return [part.name] if part.name == words else [part.name, words]


def _with_share(part: Part) -> str:
    return f"{part.key} ({_share_words(part)})" if part.component else part.key


def _share_words(part: Part) -> str:
    """A part's share of the parameters, as text."""
    if part.component and part.component.tied_to:
        return _("tied")
    return f"{part.share:.1%}" if part.share >= 0.0005 else "< 0.1%"


def _parameter_words(component: Component) -> str:
    """How many parameters a part has of its own, in words."""
    if component.tied_to:
        return _("shares its weights with {part}").format(part=component.tied_to)
    return _("{count} parameters, {share:.1%} of the model's").format(
        count=f"{component.parameters:,}", share=component.share
    )


def _about(part: Part) -> str:
    """The part's class, and its weights with their shapes."""
    if part.component is None:
        return _("no parameters")
    lines = [f"{part.component.class_name}: {_parameter_words(part.component)}"]
    weights = part.component.weights
    lines += [f"  {name} {list(shape)}" for name, shape in weights[:6]]
    return "\n".join(lines + ["  …"] * (len(weights) > 6))


def _draw_diagram(page: Axes, record: Anatomy) -> list[Box]:
    """Boxes from bottom to top; a frame around those that every block repeats."""
    parts = record.parts
    step = min(52, (HEIGHT - 8) / len(parts))
    height = step - GAP
    tops = [HEIGHT - step * (i + 1) for i in range(len(parts))]
    inside = [
        i for i, part in enumerate(parts) if part.component and part.component.layer is not None
    ]
    low, high = tops[inside[0]] + height + 5, tops[inside[-1]] - 5
    dashed = {"facecolor": "none", "edgecolor": Colour.QUIET, "ls": "--"}
    page.add_artist(Rectangle((4, high), 336, low - high, **dashed))
    write(page, 361, (low + high) / 2, _blocks(record), rotation=90, ha="center", fontsize=9)
    boxes: list[Box] = [(BOX_LEFT, top, BOX_WIDTH, height) for top in tops]
    arrow = {"arrowstyle": "->", "color": Colour.QUIET, "shrinkA": 0, "shrinkB": 0}
    for i, (part, box) in enumerate(zip(parts, boxes, strict=True)):
        _draw_box(page, part, box, part is record.picked)
        if i:
            bottom = box[1] + height
            page.annotate("", (40, bottom), (40, bottom + GAP), arrowprops=arrow)
    return boxes


def _blocks(record: Anatomy) -> str:
    return _("block {layer} of 0–{last}\nshares: all blocks together").format(
        layer=record.layer, last=record.layers - 1
    )


def _draw_box(page: Axes, part: Part, box: Box, picked: bool) -> None:
    _left, top, _width, height = box
    edge = Colour.CHOSEN if picked else "none"
    rounded_box(page, box, 5, FILL.get(part.kind, "#EEEEEE"), edge, line=2.2)
    upper, lower = top + height * 0.3, top + height * 0.75
    name = ("▸ " if picked else "") + part.key
    write(page, 20, upper, name, va="center_baseline", fontsize=10)
    style = {"va": "center_baseline", "fontsize": 8.5, "color": "#555555"}
    write(page, 20, lower, _(KIND_NAMES[part.kind]), **style)
    write(page, 324, lower, f"{part.takes} → {part.gives}", ha="right", **style)
    if part.component:
        share = {"ha": "right", "va": "center_baseline", "fontsize": 10}
        write(page, 324, upper, _share_words(part), **share)
        for filled, colour in ((1.0, "#FFFFFF"), (part.share, "#555555")):
            page.add_artist(Rectangle((222, upper - 4), 54 * filled, 8, facecolor=colour))


def _draw_side(
    page: Axes, top: float, says: str, shape: str, record: Anatomy, came_out: bool
) -> list[Region]:
    """What goes in or comes out, at the text that is shown: as tokens, vectors or candidates."""
    part, flow, figure = record.picked, record.flow, page.figure
    top_five = part.kind == "softmax" or (part.kind == "lm_head" and came_out)
    says = says.format(shape=shape)
    if top_five:
        says += _(", the last position's five highest")
    write(page, ASIDE, top, says, fontsize=9.5, va="baseline")
    bars, chips = (459, top + 7, 266, 127), (ASIDE, top + 7, 348, 127)
    if part.kind == "softmax" and came_out:
        return draw_candidates(axes_at(figure, *bars), record.candidates)
    if top_five:
        _draw_logits(axes_at(figure, *bars), record)
    elif part.kind == "tokenizer":
        pairs = zip(flow.tokens.pieces, flow.tokens.token_ids, strict=True)
        texts = [f"{show_token(p)}→{i}" for p, i in pairs] if came_out else [flow.tokens.text]
        _draw_chips(page, chips, texts)
    else:
        tensor = (flow.outputs if came_out else flow.inputs)[part.name]
        if tensor.ndim == 1:  # ids of tokens, or numbers of positions
            _draw_chips(page, chips, [str(number) for number in tensor.tolist()])
        else:
            _draw_vectors(axes_at(figure, *bars), tensor, flow.tokens.pieces)
    return []


def _draw_chips(page: Axes, box: Box, texts: list[str]) -> None:
    draw_tokens(page, box, texts, [PROMPT] * len(texts))


def _draw_vectors(axes: Axes, tensor: Tensor, tokens: Sequence[bytes]) -> None:
    """Vectors [position, width] as rows of colour, orange above zero and violet below."""
    shown = tensor[-ROWS:].float().cpu()
    limit = float(torch.quantile(shown.abs().flatten(), 0.98)) or 1.0
    axes.imshow(shown.numpy(), cmap=Colour.SIGNED, vmin=-limit, vmax=limit, aspect="auto")
    labels = [cut(show_token(token), 10) for token in tokens[-ROWS:]]
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5)
    axes.set_xticks([0, shown.shape[1] - 1])
    axes.tick_params(length=2, labelsize=8.5)


def _draw_logits(axes: Axes, record: Anatomy) -> None:
    """The logits of the candidates, at the last position."""
    labels = [show_token(candidate.token) for candidate in record.candidates]
    numbers = [f"{logit:.1f}" for logit in record.logits]
    draw_bars(axes, record.logits, labels, numbers, Colour.CANDIDATE)
    widest = max(map(abs, record.logits)) * 1.25 or 1.0
    axes.set_xlim(min(0, -widest * (min(record.logits) < 0)), widest)
