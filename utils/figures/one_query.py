"""Attention in one minute: one query, the keys it is compared with, and the values it takes."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from utils.attention import HeadView
from utils.figures.page import cut, frame, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.language import _

SHOWN = 6  # of the numbers of each vector
CELL = 20
KEYS, BARS, VALUES, TAKEN = 108, 262, 426, 594  # left edges of the four columns
TOP, ROW = 128, 34


@in_course_style
def one_query_picture(view: HeadView) -> Picture:
    """A row for each position that may be looked at: its key, its weight, its value, its share."""
    query, keys, values, taken = _vectors(view)
    weights, n = view.weights(), len(keys)
    figure, page = new_page(TOP + ROW * n + 92)
    asks = _short(view, view.position)
    write(page, KEYS - 8, 40, asks, ha="right", fontsize=10.5)
    _strip(page, query, KEYS, 40, Colour.QUERY, _most(query, keys))
    says = _("the query: what {token} is looking for").format(token=asks)
    write(page, KEYS + SHOWN * CELL + 14, 40, says, color=Colour.QUERY)
    heads = (
        (KEYS, _("① keys")),
        (BARS, _("② weights")),
        (VALUES, _("③ values")),
        (TAKEN, _("④ weight × value")),
    )
    for left, head in heads:
        write(page, left, TOP - 28, head, fontsize=11)
    regions = []
    for i in range(n):
        y = TOP + ROW * i
        write(page, KEYS - 8, y, _short(view, i), ha="right", fontsize=10.5)
        _strip(page, keys[i], KEYS, y, Colour.KEY, _most(query, keys))
        page.barh(y, 108 * weights[i], 18, BARS, color=Colour.CANDIDATE)
        write(page, BARS + 108 * weights[i] + 5, y, f"{weights[i]:.2f}", fontsize=9.5)
        _strip(page, values[i], VALUES, y, Colour.VALUE, _most(values))
        write(page, (VALUES + SHOWN * CELL + TAKEN) / 2, y, "→", ha="center")
        _strip(page, taken[i], TAKEN, y, Colour.CHOSEN, _most(values))
        box = (20, y - ROW / 2, 704, ROW)
        regions.append(Region(box, _share_words(view, i, weights[i], taken[i])))
    y = TOP + ROW * n + 16
    write(page, TAKEN - 10, y, _("the sum: what {token} takes along").format(token=asks),
          ha="right", color=Colour.CHOSEN_TEXT)  # fmt: skip
    _strip(page, taken.sum(0), TAKEN, y, Colour.CHOSEN, _most(values))
    says = _("layer {layer}, head {head}; the first {shown} of {all} numbers of each vector")
    says = says.format(layer=view.layer, head=view.head, shown=min(SHOWN, query.numel()),
                       all=query.numel())  # fmt: skip
    write(page, 20, y + 46, says, fontsize=9.5, color=Colour.QUIET)
    return Picture(figure, one_query_words(view), tuple(regions))


def one_query_words(view: HeadView) -> str:
    """Who asks, through which head, and what weight each position gets and hands over."""
    _query, keys, _values, taken = _vectors(view)
    weights = view.weights()
    title = _("layer {layer}, head {head}: {token} asks").format(
        layer=view.layer, head=view.head, token=quote_token(view.attention.tokens[view.position])
    )
    rows = (_share_words(view, i, weights[i], taken[i]) for i in range(len(keys)))
    return "\n".join([title, *rows])


def _share_words(view: HeadView, position: int, weight: float, taken: Tensor) -> str:
    says = _("{token}: weight {weight:.2f}, length of weight × value {length:.2f}")
    token = quote_token(view.attention.tokens[position])
    return says.format(token=token, weight=weight, length=float(taken.norm()))


def _vectors(view: HeadView) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The query, [head_dim], and keys, values, weight · value up to it: each [key, head_dim]."""
    record, seen = view.attention, slice(view.position + 1)
    shared = view.head // record.groups(view.layer)
    return (
        record.queries[view.layer][view.head, view.position].float().cpu(),
        record.keys[view.layer][shared, seen].float().cpu(),
        record.values[view.layer][shared, seen].float().cpu(),
        record.contributions(view.layer, view.head)[view.position, seen].float().cpu(),
    )


def _most(*vectors: Tensor) -> float:
    """The largest of the numbers that are drawn: it has the darkest colour."""
    return max(float(each[..., :SHOWN].abs().max()) for each in vectors) or 1.0


def _strip(page: Axes, vector: Tensor, left: float, y: float, edge: str, most: float) -> None:
    """The first numbers of a vector as coloured cells: one colour above 0, another below."""
    numbers = vector[:SHOWN].numpy()[np.newaxis]
    width = CELL * numbers.shape[1]
    box = (left, left + width, y + CELL / 2, y - CELL / 2)
    colours = matplotlib.colormaps[Colour.SIGNED]
    page.imshow(numbers, extent=box, vmin=-most, vmax=most, cmap=colours, aspect="auto")
    frame(page, (left, y - CELL / 2, width, CELL), 1.4, edge)


def _short(view: HeadView, position: int) -> str:
    return cut(show_token(view.attention.tokens[position]), 10)
