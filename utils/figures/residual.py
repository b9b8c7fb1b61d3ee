"""What each layer adds to the residual stream: sizes above, shares of one token's logit below."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from utils.figures.candidates import candidate_words
from utils.figures.style import Colour, in_course_style, new_figure, quote_token
from utils.figures.tokens import GENERATED, PROMPT, draw_tokens
from utils.language import _
from utils.residual import Contributions

WIDTH, HEIGHT = 740, 520
START = -1.7  # where on the axis of layers the start stands


@in_course_style
def residual_figure(record: Contributions) -> Figure:
    """Attention ● and feed-forward ■ of every layer; lines: the stream, and the logit so far."""
    figure = new_figure(WIDTH, HEIGHT)
    seen = record.trace.tokens[: record.position + 1]
    colours = [PROMPT] * (len(seen) - 1) + [GENERATED]
    draw_tokens(figure.add_axes([0.01, 0.93, 0.98, 0.06]), seen, colours)
    layers = len(record.stream_sizes)

    sizes = figure.add_axes([0.08, 0.595, 0.9, 0.25])
    draw_two_parts(sizes, record.attention_sizes, record.feed_forward_sizes)
    stream = [record.start_size, *record.stream_sizes.tolist()]
    where = [START, *range(layers)]
    line = {"color": Colour.TEXT, "linewidth": 1.2, "marker": ".", "markersize": 4}
    sizes.plot(where, stream, label=_("the stream so far"), **line)
    sizes.set_title(_("how long a vector each part adds"), fontsize=11)
    sizes.set_ylim(0)

    logits = figure.add_axes([0.08, 0.125, 0.9, 0.35])
    draw_two_parts(logits, record.attention_logits, record.feed_forward_logits)
    running = record.running_total().tolist()
    logits.plot(where, running, label=_("the logit so far"), **line)
    logits.axhline(0, color=Colour.QUIET, linewidth=0.8)
    says = _("what each part adds to the logit of {token}; in the end it is {logit:.2f}")
    token = quote_token(record.token)
    logits.set_title(says.format(token=token, logit=record.logit), fontsize=11)
    logits.set_xlabel(_("layer"), labelpad=1)

    for axes in (sizes, logits):
        ticks = range(0, layers, 1 if layers <= 12 else 5)
        axes.set_xticks([START, *ticks], [_("start"), *map(str, ticks)])
        axes.set_xlim(START - 0.6, layers - 0.4)
        axes.legend(loc="upper left", fontsize=9, ncols=3, borderpad=0, handletextpad=0.4)
        axes.margins(y=0.1)
        _leave_room_above(axes)
    says = _("likeliest next: {candidates}")
    says = says.format(candidates=candidate_words(record.candidates[:4]))
    figure.text(0.01, 0.012, says, fontsize=9.5)
    return figure


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


def _leave_room_above(axes: Axes) -> None:
    """The legend stands over the highest mark, not on it."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.28 * (high - low))
