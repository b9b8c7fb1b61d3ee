"""The cache of keys and values: what is computed and what is kept, step by step."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from utils.figures.page import axes_at, box_on_page, cut_beginning, new_sheet, write_beside
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.kv_cache import CacheAt, CacheTrace
from utils.language import _, ngettext

KEPT, EMPTY = "#A9CCE6", "#F2F2F2"
NAMED = 40  # positions of a picture that has room to point at each


def show_bytes(count: int) -> str:
    """A number of bytes as people write it: 46 B, 4.61 MB, 141 GB."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{size:.3g} {unit}"


@in_course_style
def cache_picture(record: CacheAt) -> Picture:
    """What is computed without the cache and with it, step by step; below, what is kept."""
    figure = new_sheet(520)
    trace, step = record.trace, record.step
    written = "".join(map(show_token, trace.written[:step]))
    prompt = "".join(map(show_token, trace.prompt))
    title = cut_beginning(f"{prompt} → {written}", 78)
    write_beside(figure, 9, 8, title, va="top", fontsize=11)
    places = len(trace.prompt) + len(trace.written) - 1
    regions = []
    for left, use_cache in ((60, False), (425, True)):
        axes = axes_at(figure, left, 81, 300, 156)
        regions += _draw_work(axes, trace, step, places, use_cache)
    regions += _draw_kept(axes_at(figure, 60, 333, 300, 140), trace, step, places)
    _write_bytes(figure, trace, step)
    if not trace.same:
        write_beside(figure, 9, 33, _says_different(), va="top", fontsize=10, color=Colour.QUIET)
    return Picture(figure, cache_words(record), tuple(regions))


def cache_words(record: CacheAt) -> str:
    """How many positions were computed, both ways, and what the cache holds after this step."""
    trace, step = record.trace, record.step
    steps = trace.steps[:step]
    now = steps[-1]
    differs = [] if trace.same else [_says_different()]
    return "\n".join(
        [
            _("prompt: {prompt}").format(prompt=quote_token("".join(trace.prompt))),
            _("written after step {step}: {text}").format(
                step=step, text=quote_token("".join(trace.written[:step]))
            ),
            _("without the cache: {now} positions computed now, {all} so far").format(
                now=now.positions_without, all=sum(s.positions_without for s in steps)
            ),
            _("with the cache: {now} computed now, {all} so far").format(
                now=now.positions, all=sum(s.positions for s in steps)
            ),
            _("the cache holds {kept} positions in each of {layers} layers").format(
                kept=_range(now.kept), layers=len(now.kept)
            ),
            _("bytes predicted: {predicted:,}, measured: {measured:,}").format(
                predicted=now.predicted_bytes, measured=now.measured_bytes
            ),
            *differs,
        ]
    )


def _says_different() -> str:
    """What is said where both ways do not choose the same tokens; where they do, it is expected."""
    return _("without the cache another token would be chosen: the sums are rounded otherwise")


def _range(numbers: tuple[int, ...]) -> str:
    """All of them where they are the same; where some layers keep fewer, from … to …."""
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"


def _draw_work(
    axes: Axes, trace: CacheTrace, step: int, places: int, use_cache: bool
) -> list[Region]:
    """One row a step, one column a position: a square is computed, a dot is read.

    A click on a row, or on a cell of it, goes to its step.
    """
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
    counts = [s.positions if use_cache else s.positions_without for s in trace.steps]
    rows = [
        Region(
            box_on_page(axes, axes.get_xlim(), (row - 0.5, row + 0.5)),
            _step_words(row, count),
            {"step": row},
        )
        for row, count in enumerate(counts, 1)
    ]
    if places > NAMED:
        return rows
    what = {False: _("read from the cache"), True: _("computed")}
    return rows + [
        Region(
            box_on_page(axes, (column - 0.5, column + 0.5), (row - 0.5, row + 0.5)),
            f"{_step_words(row, counts[row - 1])}; {_place_words(trace, column)}: {what[done]}",
            {"step": row},
        )
        for done, marks in ((True, computed), (False, read))
        for column, row in marks
    ]


def _place_words(trace: CacheTrace, position: int) -> str:
    token = (*trace.prompt, *trace.written)[position]
    return _("position {position}, {token}").format(position=position, token=quote_token(token))


def _step_words(step: int, count: int) -> str:
    return ngettext(
        "step {step}: {count} position computed", "step {step}: {count} positions computed", count
    ).format(step=step, count=count)


def _draw_kept(axes: Axes, trace: CacheTrace, step: int, places: int) -> list[Region]:
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
    says = _("{place}: kept in {count} of {layers} layers")
    new = {False: "", True: _("; new at this step")}
    return [
        Region(
            box_on_page(axes, (place - 0.5, place + 0.5), axes.get_ylim()),
            says.format(
                place=_place_words(trace, place),
                count=int((cells[:, place] > 0).sum()),
                layers=len(cells),
            )
            + new[place >= first],
        )
        for place in range(length)
    ]


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
        write_beside(figure, 425, 341 + 35 * row, line, va="top", fontsize=size)


def _growth(trace: CacheTrace) -> int:
    """Bytes that a full position adds: of all layers, windows or not."""
    first = trace.steps[0]
    return round(first.measured_bytes / sum(first.kept) * len(first.kept))
