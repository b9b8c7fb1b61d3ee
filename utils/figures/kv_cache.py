"""The cache of keys and values: what is computed and what is kept, step by step."""

from unicodedata import east_asian_width

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from utils.figures.style import Colour, in_course_style, new_figure, show_token
from utils.kv_cache import CacheTrace
from utils.language import _

KEPT, EMPTY = "#A9CCE6", "#F2F2F2"


def show_bytes(count: int) -> str:
    """A number of bytes as people write it: 46 B, 4.61 MB, 141 GB."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{size:.3g} {unit}"


@in_course_style
def cache_figure(trace: CacheTrace, step: int) -> Figure:
    """What is computed without the cache and with it up to `step`, from 1; below, what is kept."""
    figure = new_figure(740, 520)
    written = "".join(map(show_token, trace.written[:step]))
    prompt = "".join(map(show_token, trace.prompt))
    figure.text(0.012, 0.985, _shorten(f"{prompt} → {written}", 78), va="top", fontsize=11)
    places = len(trace.prompt) + len(trace.written) - 1
    for left, use_cache in ((60, False), (425, True)):
        axes = figure.add_axes([left / 740, 0.545, 300 / 740, 0.3])
        _draw_work(axes, trace, step, places, use_cache)
    _draw_kept(figure.add_axes([60 / 740, 0.09, 300 / 740, 0.27]), trace, step, places)
    _write_bytes(figure, trace, step)
    return figure


def _draw_work(axes: Axes, trace: CacheTrace, step: int, places: int, use_cache: bool) -> None:
    """One row a step, one column a position: a square is computed, a dot is read."""
    prompt = len(trace.prompt)
    computed, read = [], []
    for row in range(step):
        length = prompt + row
        first = length - trace.steps[row].positions if use_cache else 0
        computed += [(column, row + 1) for column in range(first, length)]
        read += [(column, row + 1) for column in range(first)]
    pitch = min(300 / places, 156 / len(trace.steps)) * 0.75  # points from one column to the next
    colour = Colour.CACHED if use_cache else Colour.NOT_CACHED
    for marks, marker, size in ((computed, "s", 0.82), (read, "o", 0.3)):
        if marks:
            axes.scatter(
                *zip(*marks, strict=True), s=(pitch * size) ** 2, c=colour, marker=marker, lw=0
            )
    axes.set(xlim=(-0.6, places - 0.4), ylim=(len(trace.steps) + 0.6, 0.4))
    axes.set_ylabel(_("step"))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.axvline(prompt - 0.5, color=Colour.QUIET, lw=0.8, ls=":")
    steps = trace.steps[:step]
    if use_cache:
        title = _("with the cache: {now} now, {all} so far").format(
            now=steps[-1].positions, all=sum(s.positions for s in steps)
        )
        axes.set_xlabel(_("position   ■ computed   • read from the cache"))
    else:
        title = _("without: {now} now, {all} so far").format(
            now=steps[-1].positions_without, all=sum(s.positions_without for s in steps)
        )
        axes.set_xlabel(_("position   ■ computed"))
    axes.set_title(title, fontsize=11)


def _draw_kept(axes: Axes, trace: CacheTrace, step: int, places: int) -> None:
    """One row a layer, one column a position: which keys and values the cache holds now."""
    now, prompt = trace.steps[step - 1], len(trace.prompt)
    length = prompt + step - 1
    cells = np.zeros((len(now.kept), places))
    for layer, kept in enumerate(now.kept):
        cells[layer, length - kept : length] = 1
        cells[layer, length - now.positions : length] *= 2
    axes.imshow(
        cells,
        cmap=ListedColormap([EMPTY, KEPT, Colour.CACHED]),
        vmin=0,
        vmax=2,
        aspect="auto",
        origin="lower",
        extent=(-0.5, places - 0.5, -0.5, len(now.kept) - 0.5),
    )
    axes.set(xlabel=_("position   ▲ new at this step"), ylabel=_("layer"))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    first = length - now.positions
    axes.plot(range(first, length), [-0.5] * now.positions, "^", ms=5, c=Colour.TEXT, clip_on=False)
    axes.set_title(_("keys and values kept, layer by layer"), fontsize=11)


def _write_bytes(figure: Figure, trace: CacheTrace, step: int) -> None:
    now = trace.steps[step - 1]
    lines = [
        _("bytes so far"),
        _("predicted: {bytes:,}").format(bytes=now.predicted_bytes),
        _("measured: {bytes:,}").format(bytes=now.measured_bytes),
        _("one more position: {bytes}").format(bytes=show_bytes(_growth(trace))),
    ]
    for row, line in enumerate(lines):
        size = 11 if row == 0 else 12.5
        figure.text(425 / 740, 0.345 - row * 0.067, line, va="top", fontsize=size)


def _growth(trace: CacheTrace) -> int:
    """Bytes that a full position adds: of all layers, windows or not."""
    first = trace.steps[0]
    return round(first.measured_bytes / sum(first.kept) * len(first.kept))


def _shorten(text: str, room: int) -> str:
    """The end of `text` that fits into `room` Latin letters; a Hangul syllable takes two."""
    widths = [2 if east_asian_width(character) in "WF" else 1 for character in text]
    start = 0
    while sum(widths[start:]) > room:
        start += 1
    return f"… {text[start:]}" if start else text
