"""How fast machines can write at most: each a point, by how fast it reads its memory."""

from matplotlib.ticker import FuncFormatter

from utils.bandwidth import TOKENS, SpeedLimit, SpeedLimits
from utils.figures.kv_cache import show_bytes
from utils.figures.page import axes_at, box_on_page, new_sheet, write_beside
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.language import _

CROWDED = 2e11  # bytes a second: from here on names stand on both sides of the points


@in_course_style
def speed_limit_picture(limits: SpeedLimits) -> Picture:
    """Tokens a second at most against bandwidth, both logarithmic; the chosen machine is large.

    A machine whose memory does not hold it all is an empty mark.
    """
    limit, figure = limits.here, new_sheet(400)
    axes = axes_at(figure, 84, 84, 610, 262)
    write_beside(figure, 20, 24, _headline(limit), fontsize=12)
    write_beside(figure, 20, 48, _most(limit), color=Colour.CHOSEN_TEXT)
    everyone = sorted([limit, *limits.others], key=lambda each: each.machine.bandwidth)
    speeds = [each.tokens_a_second for each in everyone]
    low, high = min(speeds) / 3, max([*speeds, limits.measured or 0]) * 3
    ends = [everyone[0].machine.bandwidth / 10, everyone[-1].machine.bandwidth * 6]
    bytes_read = limit.weights + limit.cache
    axes.loglog(ends, [x / bytes_read * limit.texts for x in ends], ls="--", color=Colour.QUIET)
    for place, each in enumerate(everyone):
        mine = each is limit
        colour = Colour.CHOSEN if mine else Colour.CANDIDATE
        spot = each.machine.bandwidth, each.tokens_a_second
        fill = colour if each.fits else "white"
        axes.plot(*spot, "o", ms=13 if mine else 8, color=colour, mfc=fill, zorder=3)
        up = place % 2 == 1
        left = up or each.machine.bandwidth < CROWDED
        axes.annotate(
            each.machine.name,
            spot,
            xytext=(-9 if left else 9, 9 if up else -15),
            ha="right" if left else "left",
            textcoords="offset points",
            fontsize=9.5,
            color=Colour.TEXT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # above the dashed line
        )
    if limits.measured:
        axes.plot(
            limit.machine.bandwidth, limits.measured, "*", ms=15, color=Colour.VALUE, zorder=4
        )
        axes.annotate(
            _("measured"),
            (limit.machine.bandwidth, limits.measured),
            xytext=(10, -12),
            textcoords="offset points",
            color=Colour.TEXT,
        )
        low = min(low, limits.measured / 3)
    axes.set(
        xlim=ends,
        ylim=(low, high),
        xlabel=_("gigabytes that the memory gives a second"),
        ylabel=_("tokens per second at most"),
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x / 1e9:,g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _place: f"{y:,g}"))
    axes.minorticks_off()
    axes.grid(True)
    regions = tuple(
        Region(
            box_on_page(axes, _around(each.machine.bandwidth), _around(each.tokens_a_second)),
            f"{each.machine.name}: {_most(each)}",
            sets={"machine": each.machine.name},
        )
        for each in everyone
    )
    return Picture(figure, speed_limit_words(limits), regions)


def _short(number: float) -> str:
    """Three digits or more: 0.14, 9.05, 3,270."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _around(value: float) -> tuple[float, float]:
    return value / 1.25, value * 1.25


def speed_limit_words(limits: SpeedLimits) -> str:
    """What is read, whether it fits, what limits the speed, and the most tokens a second."""
    limit = limits.here
    lines = [
        _headline(limit),
        _("weights {weights}, cache {cache} ({tokens} tokens each)").format(
            weights=show_bytes(round(limit.weights)),
            cache=show_bytes(round(limit.cache)),
            tokens=TOKENS,
        ),
        _("a pass: reading {reading} ms, multiplying and adding {computing} ms").format(
            reading=_short(limit.reading * 1000), computing=_short(limit.computing * 1000)
        ),
        _most(limit),
    ]
    if limits.measured:
        lines.append(_("measured: {speed} tokens/s").format(speed=_short(limits.measured)))
    return "\n".join(lines)


def _headline(limit: SpeedLimit) -> str:
    return _("{model}, {bits} bits, texts at once: {texts}; {machine}").format(
        model=limit.model.name, bits=limit.bits, texts=limit.texts, machine=limit.machine.name
    )


def _most(limit: SpeedLimit) -> str:
    if not limit.fits:
        return _("does not fit into {memory} of memory").format(
            memory=show_bytes(round(limit.machine.memory or 0))
        )
    by = _("reading") if limit.reading >= limit.computing else _("arithmetic")
    return _("at most {all} tokens/s together, {each} for each text; the limit is {by}").format(
        all=_short(limit.tokens_a_second), each=_short(limit.tokens_a_second / limit.texts), by=by
    )
