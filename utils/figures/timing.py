"""How long it takes: a pass, a step, a whole answer; and how fast a decoder has become."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from utils.figures.page import axes_at, new_sheet, write_beside
from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style, new_figure, set_margins
from utils.language import _
from utils.timing import AnswerTimes, PassTimes, Speeds, StepTimes


@in_course_style
def answer_times_picture(record: AnswerTimes) -> Picture:
    """Left, seconds of one step against the text's length; right, seconds of the answer so far."""
    figure = new_sheet(416)
    left, right = (axes_at(figure, x, 80, 280, 258) for x in (72, 440))
    write_beside(figure, 20, 22, _totals(record))
    axes_say = _("both axes are logarithmic: equal steps are equal factors")
    write_beside(figure, 20, 44, axes_say, color=Colour.QUIET, fontsize=9.5)
    _draw_steps(left, record.times)
    _draw_answer(right, record)
    for axes in (left, right):
        axes.grid(True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _place: f"{y:g}"))
        axes.minorticks_off()  # half of the time to draw, and nothing to read off them
    figure.legend(loc="lower center", ncols=4, fontsize=10)
    return Picture(figure, answer_times_words(record))


def answer_times_words(record: AnswerTimes) -> str:
    """Seconds of the whole answer and of its last step, both ways, and how often faster one is."""
    without, cached = (
        record.times.step_seconds(record.prompt_tokens, record.new_tokens, use_cache)
        for use_cache in (False, True)
    )
    return "\n".join(
        [
            _("{new} new tokens after a prompt of {prompt}:").format(
                new=record.new_tokens, prompt=record.prompt_tokens
            ),
            _("without the cache {seconds:.2f} s, the last step {last:.3f} s").format(
                seconds=without.sum(), last=without[-1]
            ),
            _("with the cache {seconds:.2f} s, the last step {last:.3f} s").format(
                seconds=cached.sum(), last=cached[-1]
            ),
            _("{times:.1f} times as fast").format(times=without.sum() / cached.sum()),
        ]
    )


def _totals(record: AnswerTimes) -> str:
    """What the page argues with: the time of the whole answer, both ways."""
    without, cached = (
        record.times.step_seconds(record.prompt_tokens, record.new_tokens, use_cache).sum()
        for use_cache in (False, True)
    )
    says = _(
        "whole answer: {without:.2f} s without the cache, {cached:.2f} s with it, "
        "{times:.1f} times as fast"
    )
    return says.format(without=without, cached=cached, times=without / cached)


def _draw_steps(axes: Axes, times: StepTimes) -> None:
    lengths = np.array(times.lengths)
    axes.loglog(lengths, times.without, "s-", color=Colour.NOT_CACHED, label=_("without the cache"))
    axes.loglog(lengths, times.cached, "o-", color=Colour.CACHED, label=_("with the cache"))
    guide = times.without[-1] * lengths / lengths[-1]
    axes.plot(lengths, guide, ls="--", color=Colour.QUIET, lw=1, label=_("in proportion to n"))
    low, high = min(times.cached), max(times.without)
    axes.set(ylim=(low / 2, high * 2), xticks=lengths, xlabel=_("tokens in the text, n"))
    axes.set_title(_("seconds of one step"), fontsize=11)


def _draw_answer(axes: Axes, record: AnswerTimes) -> None:
    prompt_tokens, new_tokens = record.prompt_tokens, record.new_tokens
    written = np.arange(1, new_tokens + 1)
    both = {}
    for use_cache, style, colour, size in (
        (False, "s-", Colour.NOT_CACHED, 10),  # larger: both marks show where they meet
        (True, "o-", Colour.CACHED, 6),
    ):
        both[use_cache] = np.cumsum(record.times.step_seconds(prompt_tokens, new_tokens, use_cache))
        axes.loglog(written, both[use_cache], style, color=colour, ms=size, markevery=[-1])
    axes.plot(written, both[True][-1] * written / new_tokens, ls="--", color=Colour.QUIET, lw=1)
    square = both[False][-1] * (written / new_tokens) ** 2
    axes.plot(written, square, ls=":", color=Colour.QUIET, lw=1.4, label=_("in proportion to n²"))
    low, high = both[True][0], both[False][-1]
    axes.set(
        xlim=(0.9, max(10, new_tokens * 1.2)),
        ylim=(low / 2, max(high, low * 4) * 2),
        xlabel=_("new tokens, after a prompt of {count}").format(count=prompt_tokens),
    )
    axes.set_title(_("seconds of the answer so far"), fontsize=11)


@in_course_style
def pass_times_picture(times: Sequence[PassTimes]) -> Picture:
    """Seconds against the number of tokens: all at once, and one after the other."""
    figure = new_figure(620, 300)
    axes = figure.add_subplot()
    tokens = [t.tokens for t in times]
    for seconds, colour, style, label in (
        ([t.one_by_one for t in times], Colour.NOT_CACHED, "s--", _("one after the other")),
        ([t.at_once for t in times], Colour.CACHED, "o-", _("all at once")),
    ):
        axes.plot(tokens, seconds, style, color=colour, label=label)
    axes.set(xlabel=_("tokens in the text"), ylabel=_("seconds"), xlim=(0, None), ylim=(0, None))
    axes.set_title(_("the same hidden states, computed two ways"))
    axes.grid(axis="y")
    axes.legend(loc="upper left")
    return Picture(figure, pass_times_words(times))


def pass_times_words(times: Sequence[PassTimes]) -> str:
    """The seconds of both ways, for each number of tokens."""
    says = _("{tokens} tokens: {at_once:.2f} s at once, {one_by_one:.2f} s one after the other")
    return "\n".join(says.format(**vars(t)) for t in times)


@in_course_style
def speeds_picture(speeds: Speeds) -> Picture:
    """A bar for each way, the library's below.

    The dashed line is as fast as all weights can be read, the dotted one as they are multiplied.
    """
    rows = _rows(speeds)
    figure = new_sheet(118 + 38 * len(rows))
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
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # above the lines
        )
    highest = max(speeds.limit, speeds.product, *(speed for _name, speed in rows))
    axes.set(
        xlim=(0, 1.12 * highest),
        ylim=(len(rows) - 0.4, -0.6),
        yticks=list(places),
        yticklabels=[name for name, _speed in rows],
        xlabel=_("tokens per second, {new} after a prompt of {prompt}").format(
            new=speeds.new_tokens, prompt=speeds.prompt_tokens
        ),
    )
    axes.tick_params(axis="y", length=0)
    lines = [
        axes.axvline(speed, ls=style, color=colour, lw=1.6, label=says)
        for says, speed, style, colour in (
            (_limit_says(speeds), speeds.limit, "--", Colour.CHOSEN),
            (_product_says(speeds), speeds.product, ":", Colour.TEXT),
        )
    ]
    axes.legend(handles=lines, loc="lower left", bbox_to_anchor=(-0.02, 1), fontsize=10)
    return Picture(figure, speeds_words(speeds))


def speeds_words(speeds: Speeds) -> str:
    """Tokens a second of each way and of the library, the limit, and what products alone reach."""
    says = _("{name}: {speed:.1f} tokens/s")
    lines = [says.format(name=name, speed=speed) for name, speed in _rows(speeds)]
    return "\n".join([*lines, _limit_says(speeds), _product_says(speeds)])


def _limit_says(speeds: Speeds) -> str:
    says = _("limit, all weights read once a token: {speed:.1f} tokens/s")
    return says.format(speed=speeds.limit)


def _product_says(speeds: Speeds) -> str:
    return _(
        "one product with each matrix, on {cores:.1f} of {threads} cores: {speed:.1f} tokens/s"
    ).format(cores=speeds.cores, threads=speeds.threads, speed=speeds.product)


def _rows(speeds: Speeds) -> list[tuple[str, float]]:
    """Name and speed of each way, the library's last."""
    return [*speeds.ways, (_("generate of transformers"), speeds.library)]
