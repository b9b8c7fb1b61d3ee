"""What each layer adds to the residual stream: sizes above, shares of one token's logit below."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.figures.candidates import candidate_words
from utils.figures.chips import GENERATED, PROMPT, draw_tokens
from utils.figures.page import axes_at, box_on_page, layer_ticks, new_sheet, rounded, write_beside
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token
from utils.language import _
from utils.residual import Contributions

START = -1.7  # where on the axis of layers the start stands


@in_course_style
def residual_picture(record: Contributions) -> Picture:
    """Attention ● and feed-forward ■ of every layer; lines: the stream, and the logit so far."""
    figure = new_sheet(564)
    seen = record.trace.tokens[: record.position + 1]
    colours = [PROMPT] * (len(seen) - 1) + [GENERATED]
    chips = axes_at(figure, 7, 5, 725, 31)
    regions = draw_tokens(chips, seen, colours, picks="position")

    sizes = axes_at(figure, 59, 81, 666, 130)
    draw_two_parts(sizes, record.attention_sizes, record.feed_forward_sizes)
    _draw_line(sizes, [record.start_size, *record.stream_sizes.tolist()], _("the stream so far"))
    sizes.set_title(_("how long a vector each part adds"), fontsize=11)
    sizes.set_ylim(0)

    logits = axes_at(figure, 59, 273, 666, 182)
    draw_two_parts(logits, record.attention_logits, record.feed_forward_logits)
    _draw_line(logits, record.running_total().tolist(), _("the logit so far"))
    logits.axhline(0, color=Colour.QUIET, linewidth=0.8)
    says = _("what each part adds to the logit of {token}; in the end it is {logit:.2f}")
    token = quote_token(record.token)
    logits.set_title(says.format(token=token, logit=record.logit), fontsize=11)
    logits.set_xlabel(_("layer"), labelpad=1)

    for axes in (sizes, logits):
        ticks = layer_ticks(len(record.stream_sizes))
        axes.set_xticks([START, *ticks], [_("start"), *map(str, ticks)])
        axes.set_xlim(START - 0.6, len(record.stream_sizes) - 0.4)
        axes.legend(loc="upper left", fontsize=9, ncols=3, borderpad=0, handletextpad=0.4)
        axes.margins(y=0.1)
        _leave_room_above(axes)
    says = _("likeliest next: {candidates}")
    says = says.format(candidates=candidate_words(record.candidates[:4]))
    write_beside(figure, 7, 514, says, fontsize=9.5)
    for place, total in enumerate((_from_attention(record), _from_feed_forward(record))):
        write_beside(figure, 7, 534 + 20 * place, total, fontsize=9.5)
    regions += _stems(sizes, record.attention_sizes, record.feed_forward_sizes, rounded)
    regions += _stems(logits, record.attention_logits, record.feed_forward_logits, _signed)
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


def _draw_line(axes: Axes, values: list[float], label: str) -> None:
    """A line from the start through all layers."""
    style = {"color": Colour.TEXT, "linewidth": 1.2, "marker": ".", "markersize": 4}
    axes.plot([START, *range(len(values) - 1)], values, label=label, **style)


def draw_two_parts(axes: Axes, attention: Tensor, feed_forward: Tensor, foot: float = 0) -> None:
    """A stem for each layer's attention ● and one for its feed-forward ■, standing on `foot`."""
    parts = (
        (attention, -0.18, "o", Colour.ATTENTION, _("attention")),
        (feed_forward, 0.18, "s", Colour.FEED_FORWARD, _("feed-forward")),
    )
    for values, aside, marker, colour, label in parts:
        where, heights = np.arange(len(values)) + aside, values.numpy()
        axes.vlines(where, foot, heights, color=colour, linewidth=2.5)
        axes.scatter(where, heights, s=20, marker=marker, color=colour, label=label, zorder=3)


def _stems(
    axes: Axes, attention: Tensor, feed_forward: Tensor, written: Callable[[float], str]
) -> list[Region]:
    """A region for each stem that `draw_two_parts` draws, from its axes' bottom to their top."""
    parts = ((attention, -0.5, _("attention")), (feed_forward, 0, _("feed-forward")))
    return [
        Region(
            box_on_page(axes, (layer + aside, layer + aside + 0.5), axes.get_ylim()),
            _("{part} of layer {layer}: {number}").format(
                part=name, layer=layer, number=written(value)
            ),
        )
        for values, aside, name in parts
        for layer, value in enumerate(values.tolist())
    ]


def _leave_room_above(axes: Axes) -> None:
    """The legend stands over the highest mark, not on it."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.28 * (high - low))
