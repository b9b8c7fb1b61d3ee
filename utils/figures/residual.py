"""What each layer adds to the residual stream: sizes above, shares of one token's logit below."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import Transform
from torch import Tensor

from utils.figures.candidates import candidate_words
from utils.figures.chips import draw_text, text_width
from utils.figures.page import (
    Box,
    Plot,
    draw_scales,
    layer_ticks,
    new_page,
    round_numbers,
    rounded,
    write,
)
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token
from utils.language import _
from utils.residual import Contributions

START = -1.7  # where on the axis of layers the start stands
BAND = "#F1E3D3"  # behind the layer that is looked at


@in_course_style
def residual_picture(record: Contributions) -> Picture:
    """Attention ● and feed-forward ■ of every layer; lines: the stream, and the logit so far."""
    figure, page = new_page(564 if record.layer is None else 584)
    regions = draw_text(page, record.trace.tokens, record.position)
    parts = (record.attention_sizes, record.feed_forward_sizes)
    line = [record.start_size, *record.stream_sizes.tolist()], _("the stream so far")
    title = _("how long a vector each part adds")
    regions += _draw_plot(page, (59, 81, 666, 130), title, parts, line, record, rounded)

    says = _("what each part adds to the logit of {token}; in the end it is {logit:.2f}")
    title = says.format(token=quote_token(record.token), logit=record.logit)
    parts = (record.attention_logits, record.feed_forward_logits)
    line = record.running_total().tolist(), _("the logit so far")
    regions += _draw_plot(page, (59, 273, 666, 182), title, parts, line, record, _signed)

    write(page, 392, 489, _("layer"), ha="center")
    says = _("likeliest next: {candidates}")
    lines = [says.format(candidates=candidate_words(record.candidates[:4]))]
    lines += [_from_attention(record), _from_feed_forward(record), *_picked(record)]
    for place, text in enumerate(lines):
        write(page, 7, 510 + 20 * place, text, va="center_baseline", fontsize=9.5)
    return Picture(figure, residual_words(record), tuple(regions))


def residual_words(record: Contributions) -> str:
    """The stream's length, the longest addition, and which layers the logit comes from."""
    return "\n".join(
        [
            _("position {position}, {seen}; likeliest next: {candidates}").format(
                position=record.position,
                seen=quote_token(record.trace.tokens[record.position]),
                candidates=candidate_words(record.candidates[:3]),
            ),
            _("length of the stream: {start} at the start, {end} after the last block").format(
                start=rounded(record.start_size), end=rounded(float(record.stream_sizes[-1]))
            ),
            _longest(record),
            _("logit of {token}: {logit:.1f}, of which {start:.1f} from the start").format(
                token=quote_token(record.token),
                logit=record.logit,
                start=record.start_logit + record.constant,
            ),
            _from_attention(record),
            _from_feed_forward(record),
            *_picked(record),
        ]
    ).replace("-0.0", "0.0")


def _from_attention(record: Contributions) -> str:
    says = _("most from attention: {layers}; all layers {total:.1f}")
    logits = record.attention_logits
    return says.format(layers=_most(logits), total=logits.sum()).replace("-0.0", "0.0")


def _from_feed_forward(record: Contributions) -> str:
    says = _("most from feed-forward: {layers}; all layers {total:.1f}")
    logits = record.feed_forward_logits
    return says.format(layers=_most(logits), total=logits.sum()).replace("-0.0", "0.0")


def _most(logits: Tensor) -> str:
    """The three layers that add most: "layer 24 +2.4, layer 22 +2.0"."""
    best = logits.topk(min(3, len(logits))).indices.tolist()
    return ", ".join(
        _("layer {layer} {logit:+.1f}").format(layer=layer, logit=logits[layer]) for layer in best
    )


def _longest(record: Contributions) -> str:
    """Which part of which layer adds the longest vector."""
    attention, feed_forward = record.attention_sizes, record.feed_forward_sizes
    if attention.max() > feed_forward.max():
        says, sizes = _("longest addition: attention of layer {layer}, {length}"), attention
    else:
        says, sizes = _("longest addition: feed-forward of layer {layer}, {length}"), feed_forward
    return says.format(layer=int(sizes.argmax()), length=rounded(float(sizes.max())))


def _signed(logit: float) -> str:
    return f"{logit:+.1f}".replace("-0.0", "+0.0")


def _draw_plot(
    page: Axes,
    box: Box,
    title: str,
    parts: tuple[Tensor, Tensor],
    line: tuple[list[float], str],
    record: Contributions,
    written: Callable[[float], str],
) -> list[Region]:
    """Two stems for each layer, and a line from the start through all layers, with a key."""
    attention, feed_forward = parts
    values, says = line
    known = [0.0, *attention.tolist(), *feed_forward.tolist(), *values]
    low, high = min(known), max(known)
    room = (high - low) or 1.0
    # the key stands over the highest mark, not on it
    limits = (low - 0.1 * room * (low < 0), high + 0.38 * room)
    plot = Plot(page, box, (START - 0.6, len(attention) - 0.4), limits)
    left, top, width, height = box
    if record.layer is not None:
        band = plot.x(record.layer - 0.5), plot.x(record.layer + 0.5)
        page.add_artist(Rectangle((band[0], top), band[1] - band[0], height, facecolor=BAND))
    draw_two_parts(page, attention, feed_forward, transform=plot.transform)
    style = {"color": Colour.TEXT, "linewidth": 1.2, "marker": ".", "markersize": 4}
    where = [START, *range(len(values) - 1)]
    page.plot(where, values, transform=plot.transform, zorder=4, **style)
    if low < 0:
        page.hlines(plot.y(0), left, left + width, color=Colour.QUIET, linewidth=0.8)
    ticks = {float(layer): str(layer) for layer in layer_ticks(len(attention))}
    draw_scales(plot, {START: _("start"), **ticks}, round_numbers(*limits))
    write(page, left, top - 15, title, fontsize=11)
    _draw_key(page, left + 10, top + 10, says)
    return _stems(plot, attention, feed_forward, written)


def _draw_key(page: Axes, left: float, middle: float, line: str) -> None:
    """What the marks mean, in a row."""
    renderer = page.figure.canvas.get_renderer()
    for marker, colour, says in (
        ("o", Colour.ATTENTION, _("attention")),
        ("s", Colour.FEED_FORWARD, _("feed-forward")),
        (".", Colour.TEXT, line),
    ):
        page.plot([left], [middle], marker=marker, color=colour, markersize=4.5)
        write(page, left + 9, middle, says, fontsize=9, va="center_baseline")
        left += text_width(renderer, says, 9) + 30


def _picked(record: Contributions) -> list[str]:
    """What the two parts of the layer that is looked at add; nothing where none is."""
    if record.layer is None:
        return []
    says = _(
        "layer {layer} adds: attention {attention}, {by_attention} to the logit; "
        "feed-forward {feed_forward}, {by_feed_forward} to the logit"
    )
    return [
        says.format(
            layer=record.layer,
            attention=rounded(float(record.attention_sizes[record.layer])),
            by_attention=_signed(float(record.attention_logits[record.layer])),
            feed_forward=rounded(float(record.feed_forward_sizes[record.layer])),
            by_feed_forward=_signed(float(record.feed_forward_logits[record.layer])),
        )
    ]


def draw_two_parts(
    axes: Axes,
    attention: Tensor,
    feed_forward: Tensor,
    foot: float = 0,
    transform: Transform | None = None,
) -> None:
    """A stem for each layer's attention ● and one for its feed-forward ■, standing on `foot`.

    transform: of the plot, on a page.
    """
    scale = {"transform": transform or axes.transData}
    parts = (
        (attention, -0.18, "o", Colour.ATTENTION, _("attention")),
        (feed_forward, 0.18, "s", Colour.FEED_FORWARD, _("feed-forward")),
    )
    for values, aside, marker, colour, label in parts:
        where, heights = np.arange(len(values)) + aside, values.numpy()
        axes.vlines(where, foot, heights, color=colour, linewidth=2.5, **scale)
        axes.scatter(
            where, heights, s=20, marker=marker, color=colour, label=label, zorder=3, **scale
        )


def _stems(
    plot: Plot, attention: Tensor, feed_forward: Tensor, written: Callable[[float], str]
) -> list[Region]:
    """A region for each stem that `draw_two_parts` draws, from its plot's bottom to its top.

    A click picks the layer.
    """
    parts = ((attention, 0, _("attention")), (feed_forward, 1, _("feed-forward")))
    (_left, top, _width, height), says = plot.box, _("{part} of layer {layer}: {number}")
    left, half = plot.x(-0.5), (plot.x(1) - plot.x(0)) / 2
    return [
        Region(
            (left + (2 * layer + aside) * half, top, half, height),
            says.format(part=name, layer=layer, number=written(value)),
            {"layer": layer},
        )
        for values, aside, name in parts
        for layer, value in enumerate(values.tolist())
    ]
