"""How fast a decoder has become, step by step, beside the library and below the ceiling."""

from matplotlib.figure import Figure

from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style, new_figure, set_margins
from utils.language import _
from utils.timing import Speeds


def speeds_picture(speeds: Speeds) -> Picture:
    """The speeds as a picture and in words."""
    rows = [*speeds.ways, (_("generate of transformers"), speeds.library)]
    lines = [_("{name}: {speed:.1f} tokens/s").format(name=n, speed=s) for n, s in rows]
    ceiling = _("ceiling, one product with each matrix per token: {speed:.1f} tokens/s")
    return Picture(speeds_figure(speeds), "\n".join([*lines, ceiling.format(speed=speeds.ceiling)]))


@in_course_style
def speeds_figure(speeds: Speeds) -> Figure:
    """A bar for each way, the library's below; a dashed line is as fast as weights can be read."""
    rows = [*speeds.ways, (_("generate of transformers"), speeds.library)]
    figure = new_figure(740, 118 + 38 * len(rows))
    set_margins(figure, left=230, right=70, top=62, bottom=50)
    axes = figure.add_subplot()
    places = range(len(rows))
    colours = [Colour.CANDIDATE] * len(speeds.ways) + [Colour.REMOVED]
    bars = axes.barh(places, [speed for _name, speed in rows], color=colours, height=0.62)
    bars[-1].set_hatch("//")
    bars[-1].set_edgecolor(Colour.QUIET)
    for place, (_name, speed) in zip(places, rows, strict=True):
        axes.annotate(
            f"{speed:.1f}",
            (speed, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=Colour.TEXT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # above the dashed line
        )
    axes.axvline(speeds.ceiling, ls="--", color=Colour.CHOSEN, lw=1.6)
    fastest = max(speed for _name, speed in rows)
    axes.set(
        xlim=(0, 1.12 * max(speeds.ceiling, fastest)),
        ylim=(len(rows) - 0.4, -0.6),
        yticks=list(places),
        yticklabels=[name for name, _speed in rows],
        xlabel=_("tokens per second, {new} after a prompt of {prompt}").format(
            new=speeds.new_tokens, prompt=speeds.prompt_tokens
        ),
    )
    axes.tick_params(axis="y", length=0)
    axes.annotate(
        _("ceiling {speed:.0f}: one product with each matrix").format(speed=speeds.ceiling),
        (speeds.ceiling, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 6),
        textcoords="offset points",
        ha="right",
        color=Colour.CHOSEN,
    )
    return figure
