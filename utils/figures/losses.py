"""What a model still makes of a long text: its loss, position after position, past the context."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style, new_figure
from utils.language import _


@in_course_style
def loss_picture(
    computed: Sequence[float], recorded: Sequence[float], every: int, limit: int
) -> Picture:
    """Mean loss of each `every` tokens: computed just now, and recorded over a longer text."""
    figure = new_figure(720, 320)
    axes = figure.add_subplot()
    for losses, colour, style, label in (
        (recorded, Colour.QUIET, "s:", _("recorded beforehand")),
        (computed, Colour.CANDIDATE, "o-", _("computed just now")),
    ):
        middle = [(i + 0.5) * every for i in range(len(losses))]
        axes.plot(middle, losses, style, color=colour, markersize=5, label=label)
    axes.set(xlabel=_("position in the text"), ylabel=_("loss (the lower, the better)"))
    axes.set(xlim=(0, None), ylim=(0, None))
    _mark_limit(axes, limit)
    axes.legend(loc="lower left")
    return Picture(figure, loss_words(computed, recorded, every, limit))


def loss_words(computed: Sequence[float], recorded: Sequence[float], every: int, limit: int) -> str:
    """Both rows of losses, in order."""
    head = _("mean loss of every {every} tokens; the context length is {limit:,}")
    rows = ((_("recorded beforehand"), recorded), (_("computed just now"), computed))
    lines = [f"{name}: {', '.join(f'{loss:.1f}' for loss in losses)}" for name, losses in rows]
    return "\n".join([head.format(every=every, limit=limit), *lines])


@in_course_style
def distance_picture(
    distances: Sequence[int], losses: Sequence[float], alone: float, limit: int
) -> Picture:
    """Loss of a passage against its distance from the text before it, and without that text."""
    figure = new_figure(720, 300)
    axes = figure.add_subplot()
    axes.plot(distances, losses, "o-", color=Colour.CANDIDATE, clip_on=False, zorder=3)
    axes.axhline(alone, linestyle="--", color=Colour.QUIET)
    where = {"ha": "right", "va": "top", "transform": axes.get_yaxis_transform()}
    axes.text(0.99, alone - 0.1, _("without the text before it"), **where)
    axes.set(xlabel=_("positions put in between"), ylabel=_("loss of the passage"))
    axes.set(xlim=(0, None), ylim=(0, None))
    _mark_limit(axes, limit)
    return Picture(figure, distance_words(distances, losses, alone))


def distance_words(distances: Sequence[int], losses: Sequence[float], alone: float) -> str:
    """The loss at each distance, and without the text before the passage."""
    says = _("{distance:,} positions in between: loss {loss:.1f}")
    lines = [says.format(distance=d, loss=x) for d, x in zip(distances, losses, strict=True)]
    lines.append(_("without the text before it: loss {loss:.1f}").format(loss=alone))
    return "\n".join(lines)


def _mark_limit(axes: Axes, limit: int) -> None:
    axes.axvline(limit, color=Colour.CHOSEN, linewidth=1.5)
    says = _("context length {limit:,}").format(limit=limit)
    axes.text(limit, 1.02, says, ha="center", transform=axes.get_xaxis_transform())
    axes.xaxis.set_major_formatter("{x:,.0f}")
