"""Seconds of each step, and of the whole answer, with the cache and without."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from utils.figures.style import Colour, in_course_style, new_figure
from utils.language import _
from utils.timing import StepTimes


@in_course_style
def step_times_figure(times: StepTimes, prompt_tokens: int, new_tokens: int) -> Figure:
    """Left, seconds of one step against the text's length; right, seconds of the answer so far."""
    figure = new_figure(740, 390)
    left = figure.add_axes([72 / 740, 0.2, 280 / 740, 0.66])
    right = figure.add_axes([440 / 740, 0.2, 280 / 740, 0.66])
    _draw_steps(left, times)
    _draw_answer(right, times, prompt_tokens, new_tokens)
    for axes in (left, right):
        axes.grid(True)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _place: f"{y:g}"))
        axes.minorticks_off()  # half of the time to draw, and nothing to read off them
    figure.legend(loc="lower center", ncols=4, fontsize=10)
    return figure


def _draw_steps(axes, times: StepTimes) -> None:
    lengths = np.array(times.lengths)
    axes.loglog(lengths, times.without, "s-", color=Colour.NOT_CACHED, label=_("without the cache"))
    axes.loglog(lengths, times.cached, "o-", color=Colour.CACHED, label=_("with the cache"))
    guide = times.without[-1] * lengths / lengths[-1]
    axes.plot(lengths, guide, ls="--", color=Colour.QUIET, lw=1, label=_("in proportion to n"))
    low, high = min(times.cached), max(times.without)
    axes.set(ylim=(low / 2, high * 2), xticks=lengths, xlabel=_("tokens in the text, n"))
    axes.set_title(_("seconds of one step"), fontsize=11)


def _draw_answer(axes, times: StepTimes, prompt_tokens: int, new_tokens: int) -> None:
    written = np.arange(1, new_tokens + 1)
    both = {}
    for use_cache, style, colour, size in (
        (False, "s-", Colour.NOT_CACHED, 10),  # larger: both marks show where they meet
        (True, "o-", Colour.CACHED, 6),
    ):
        both[use_cache] = np.cumsum(times.step_seconds(prompt_tokens, new_tokens, use_cache))
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
