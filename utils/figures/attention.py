"""Where attention heads look: one head as a matrix, or all heads of a layer side by side."""

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.attention import HeadView
from utils.figures.chips import token_words
from utils.figures.page import WIDTH, Box, cut, frame, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token, turned
from utils.language import N_, _

VIEWS = {
    "scores": N_("scores"),
    "masked": N_("masked scores"),
    "weights": N_("weights"),
}
LABELLED = 28  # positions of a matrix that has room to name each, and to point at each cell
ROWS = 14  # positions that the bars beside a matrix name
NAMED = 5  # positions that the words name
CLOSED = "#DDDDDD"  # where the mask lets nobody look
_Column = tuple[str, list[float], float, str, str]  # title, values, the largest, colour, hatch


@in_course_style
def attention_picture(view: HeadView) -> Picture:
    """One head's matrix and what the picked position looks at; or the whole layer's matrices."""
    figure, regions = (_draw_layer if view.all_heads else _draw_head)(view)
    return Picture(figure, attention_words(view), tuple(regions))


def attention_words(view: HeadView) -> str:
    """Where the picked position looks, through the picked head or through each of the layer."""
    lines = [
        _("layer {layer}, position {position}, {token}").format(
            layer=view.layer, position=view.position, token=_token(view, view.position)
        )
    ]
    if view.all_heads:
        heads = range(len(view.attention.weights[view.layer]))
        return "\n".join([*lines, *(_head_words(view, head) for head in heads)])
    shared = view.sharing()
    if len(shared) > 1:
        lines[0] += _("; heads {shared} share keys and values").format(
            shared=", ".join(map(str, shared))
        )
    if view.view != "weights":
        row = view.row()
        lines.append(_("highest scores: {tokens}").format(tokens=_most(view, row)))
        if view.view == "masked":
            closed = sum(map(math.isnan, row))
            lines.append(_("closed by the mask: {count}").format(count=closed))
    says = _("head {head} looks at: {tokens}")
    lines.append(says.format(head=view.head, tokens=_most(view, view.weights())))
    sink = float(view.attention.sink(view.layer)[view.head, view.position])
    if sink:
        lines.append(_("the sink, which hands over nothing, takes {share:.2f}").format(share=sink))
    says = _("length of weight · value: {tokens}")
    lines.append(says.format(tokens=_most(view, view.lengths())))
    return "\n".join(lines)


def _head_words(view: HeadView, head: int) -> str:
    weights = view.attention.weights[view.layer][head, view.position].tolist()
    says = _("head {head} (keys and values {shared}): {tokens}")
    shared = head // view.attention.groups(view.layer)
    return says.format(head=head, shared=shared, tokens=_most(view, weights, 2))


def _most(view: HeadView, numbers: list[float], count: int = NAMED) -> str:
    """The positions with the largest numbers: "' dog' 0.53, ' squirrel' 0.25"."""
    known = [i for i, number in enumerate(numbers) if not math.isnan(number)]
    top = sorted(known, key=lambda i: -round(numbers[i], 2))[:count]
    return ", ".join(f"{_token(view, i)} {_number(numbers[i])}" for i in top)


def _token(view: HeadView, position: int) -> str:
    return quote_token(view.attention.tokens[position])


def _number(number: float) -> str:
    return f"{number:.2f}".replace("-0.00", "0.00")


def _draw_head(view: HeadView) -> tuple[Figure, list[Region]]:
    figure, page = new_page(500)
    title = _("layer {layer}, head {head}: where {token} looks").format(
        layer=view.layer, head=view.head, token=quote_token(_short(view, view.position, 14))
    )
    write(page, 12, 22, title, fontsize=12)
    write(page, 12, 46, _sharing(view), color=Colour.QUIET)
    left, top, size, n = 112, 72, 312, len(view.attention.tokens)
    grid = view.grid()[view.head]
    draw_matrix(page, grid, view.view, (left, top, size, size))
    cell = size / n
    for i in range(0, n, math.ceil(n / LABELLED)):
        token, middle = _short(view, i, 9), (i + 0.5) * cell
        write(page, left - 5, top + middle, token, ha="right", fontsize=8.5)
        below = {"ha": "center", "va": "top", "rotation": 90}
        write(page, left + middle, top + size + 5, turned(token), fontsize=8.5, **below)
    write(page, 18, top + size / 2, _("looks from (query)"), ha="center", rotation=90)
    write(page, left + size / 2, 486, _("at (key)"), ha="center")
    frame(page, (left, top + view.position * cell, size, cell), 2)
    bars = _draw_bars(page, view)
    return figure, [*_matrix_regions(view, grid, left, top, cell), *bars]


def _matrix_regions(
    view: HeadView, grid: np.ndarray, left: float, top: float, cell: float
) -> list[Region]:
    """Each row with its name and, on it, each open cell; of a long text the rows alone.

    A click picks the token that looks; below, the one that is looked at.
    """
    n, start = len(view.attention.tokens), 30
    rows = [
        Region(
            (start, top + query * cell, left - start + n * cell, cell),
            _row_words(view, query),
            {"position": query},
        )
        for query in range(n)
    ]
    if n > LABELLED:
        return rows
    tokens = [quote_token(token) for token in view.attention.tokens]
    rows += [
        Region(
            (left + key * cell, top + n * cell, cell, 72),
            token_words(key, view.attention.tokens[key]),
            {"position": key},
        )
        for key in range(n)
    ]
    open_cells = view.attention.masks[view.layer].cpu().numpy() | (view.view == "scores")
    return rows + [
        Region(
            (left + key * cell, top + query * cell, cell, cell),
            f"{tokens[query]} → {tokens[key]}: {_number(grid[query, key])}",
            {"position": query},
        )
        for query, key in zip(*map(np.ndarray.tolist, open_cells.nonzero()), strict=True)
    ]


def _row_words(view: HeadView, query: int) -> str:
    weights = view.attention.weights[view.layer][view.head, query].tolist()
    return f"{_token(view, query)} → {_most(view, weights, 2)}"


def _draw_bars(page: Axes, view: HeadView) -> list[Region]:
    """What the picked position finds at each position: two columns of bars with their numbers."""
    weights, n = view.weights(), len(view.attention.tokens)
    keys = [i for i in range(n) if view.view == "scores" or i <= view.position]
    keys = sorted(sorted(keys, key=lambda i: -weights[i])[:ROWS])
    weight: _Column = (_("weight"), weights, 1, Colour.QUERY, "")
    if view.view == "weights":
        lengths = view.lengths()
        value: _Column = (_("|weight · value|"), lengths, max(lengths), Colour.VALUE, "//")
        columns = (weight, value)
    else:
        row = view.row()
        columns = ((_("score"), row, max(abs(row[key]) for key in keys), Colour.KEY, ".."), weight)
    places = [108 + 22 * place for place in range(len(keys))]
    for key, place in zip(keys, places, strict=True):
        write(page, 518, place, _short(view, key, 10), ha="right", fontsize=9.5)
    regions = []
    for left, (title, values, most, colour, hatch) in zip((524, 636), columns, strict=True):
        write(page, left, 84, title, fontsize=9.5)
        shown = [values[key] for key in keys]
        lowest = 30 * min(0, *shown) / (most or 1)  # negative scores go to the left of a zero line
        zero = left - lowest
        widths = [number / (most or 1) * (58 + lowest) for number in shown]
        page.barh(
            places, widths, 16, zero, color=colour, hatch=hatch, edgecolor="white", linewidth=0
        )
        page.vlines(zero, 96, places[-1] + 12, color=Colour.QUIET, linewidth=0.8)
        for key, number, place in zip(keys, shown, places, strict=True):
            write(page, left + 64, place, f"{number:.2f}", fontsize=9)
            says = f"{_token(view, key)}: {title} {number:.2f}"
            start = left if left > 524 else 436  # the tokens' names belong to the first column
            box = (start, place - 11, left + 98 - start, 22)
            regions.append(Region(box, says, {"position": key}))
    notes = []
    if sink := float(view.attention.sink(view.layer)[view.head, view.position]):
        notes.append(_("the sink takes {share:.2f}").format(share=sink))
    if n > ROWS:
        notes.append(_("the {count} that weigh most, of {all}").format(count=len(keys), all=n))
    for line, note in enumerate(notes):
        at = places[-1] + 28 + 18 * line
        write(page, 524, at, note, fontsize=9, color=Colour.QUIET)
    return regions


def _draw_layer(view: HeadView) -> tuple[Figure, list[Region]]:
    """All heads of the layer; those of a row share their keys and values, if any do."""
    grid = view.grid()
    heads, n = grid.shape[:2]
    groups = view.attention.groups(view.layer)
    columns = groups if groups > 1 else math.ceil(math.sqrt(heads))
    rows = math.ceil(heads / columns)
    margin = 120 if groups > 1 else 20
    size = min((WIDTH - margin) / columns - 14, 900 / rows - 44, 190)
    figure, page = new_page(62 + rows * (size + 44))
    title = _("layer {layer}, all heads: where {token} (framed) looks").format(
        layer=view.layer, token=quote_token(_short(view, view.position, 14))
    )
    write(page, 12, 22, title, fontsize=12)
    most, regions = float(np.nanmax(np.abs(grid))), []
    for head in range(heads):
        row, column = divmod(head, columns)
        left, top = margin + column * (size + 14), 66 + row * (size + 44)
        draw_matrix(page, grid[head], view.view, (left, top, size, size), most)
        frame(page, (left, top + view.position * size / n, size, size / n), 1.2)
        weights = view.attention.weights[view.layer][head, view.position]
        best = int(weights.argmax())
        token = _short(view, best, max(3, int(size / 6.5) - 13))
        says = _("head {head}: {token} {share:.2f}")
        says = says.format(head=head, token=token, share=float(weights[best]))
        write(page, left, top - 11, says, fontsize=9)
        if groups > 1 and column == 0:
            shared = _("key-value\nhead {head}").format(head=row)
            at = {"ha": "right", "color": Colour.QUIET}
            write(page, left - 14, top + size / 2, shared, **at)
        picks = {"head": head, "all_heads": False}
        regions.append(Region((left, top, size, size), _head_words(view, head), picks))
    return figure, regions


def draw_matrix(
    page: Axes, grid: np.ndarray, view: str, box: Box, most: float | None = None
) -> None:
    """[query, key] as colours: blue from 0 to 1, or two colours around 0; grey where closed.

    view: one of VIEWS; most: the number that has the darkest colour, the largest by default.
    """
    left, top, width, height = box
    if view == "weights":
        colours, low, most = Colour.WEIGHTS, 0.0, 1.0
    else:
        most = most or float(np.nanmax(np.abs(grid))) or 1
        colours, low = matplotlib.colormaps[Colour.SIGNED].with_extremes(bad=CLOSED), -most
    place = {"extent": (left, left + width, top + height, top), "aspect": "auto"}
    page.imshow(grid, vmin=low, vmax=most, cmap=colours, **place)
    frame(page, box, 1, CLOSED)


def _sharing(view: HeadView) -> str:
    shared, heads = view.sharing(), len(view.attention.queries[view.layer])
    if len(shared) == 1:
        return _("{heads} heads, each with keys and values of its own").format(heads=heads)
    return _("of {heads} heads, these share one set of keys and values: {shared}").format(
        heads=heads, shared=", ".join(map(str, shared))
    )


def _short(view: HeadView, position: int, room: int) -> str:
    return cut(show_token(view.attention.tokens[position]), room)
