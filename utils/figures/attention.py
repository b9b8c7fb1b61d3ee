"""Where attention heads look: one head as a matrix, a layer's heads side by side, a ranking."""

from dataclasses import dataclass
from math import ceil, sqrt

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.attention import AttentionRecord
from utils.figures.style import Colour, in_course_style, new_figure, quote_token, show_token
from utils.head_patterns import PATTERNS, Ranking
from utils.language import N_, _

VIEWS = {
    "scores": N_("scores"),
    "masked": N_("masked scores"),
    "weights": N_("weights"),
}
WIDTH = 740  # CSS pixels, as everything below
LABELLED = 28  # positions of a matrix that has room to name each
ROWS = 14  # positions that the bars beside a matrix name
CLOSED = "#DDDDDD"  # where the mask lets nobody look


@dataclass(frozen=True, eq=False)
class HeadView:
    """One layer of a record, seen from one position through one head, or through all."""

    record: AttentionRecord
    layer: int
    head: int
    position: int  # the one that looks
    view: str  # one of VIEWS
    all_heads: bool = False

    def grid(self) -> np.ndarray:
        """[head, query, key] of the view; nan where the mask closes."""
        if self.view == "weights":
            return self.record.weights[self.layer].float().cpu().numpy()
        scores = self.record.scores[self.layer]
        if self.view == "masked":
            scores = scores.masked_fill(~self.record.masks[self.layer], float("nan"))
        return scores.float().cpu().numpy()

    def row(self) -> list[float]:
        """What the view says of each position, for the head and the position picked: [key]."""
        return self.grid()[self.head, self.position].tolist()

    def weights(self) -> list[float]:
        return self.record.weights[self.layer][self.head, self.position].tolist()

    def lengths(self) -> list[float]:
        """How long each weighted value is: |weight · value|, [key]."""
        parts = self.record.contributions(self.layer, self.head)[self.position]
        return parts.float().norm(dim=-1).tolist()

    def sharing(self) -> list[int]:
        """The heads that read the same keys and values as this one, itself among them."""
        groups = self.record.groups(self.layer)
        first = self.head // groups * groups
        return list(range(first, first + groups))


@in_course_style
def attention_figure(view: HeadView) -> Figure:
    """One head's matrix and what the picked position looks at; or the whole layer's matrices."""
    return _layer_figure(view) if view.all_heads else _head_figure(view)


def _head_figure(view: HeadView) -> Figure:
    figure, page = _page(500)
    title = _("layer {layer}, head {head}: where {token} looks").format(
        layer=view.layer, head=view.head, token=quote_token(_short(view, view.position, 14))
    )
    _write(page, 12, 22, title, fontsize=12)
    _write(page, 12, 46, _sharing(view), color=Colour.QUIET)
    left, top, size, n = 112, 72, 312, len(view.record.tokens)
    _draw_matrix(page, view.grid()[view.head], view.view, left, top, size)
    cell = size / n
    for i in range(0, n, ceil(n / LABELLED)):
        token, middle = _short(view, i, 9), (i + 0.5) * cell
        _write(page, left - 5, top + middle, token, ha="right", fontsize=8.5)
        below = {"ha": "center", "va": "top", "rotation": 90}
        _write(page, left + middle, top + size + 5, token, fontsize=8.5, **below)
    _write(page, 18, top + size / 2, _("looks from (query)"), ha="center", rotation=90)
    _write(page, left + size / 2, 486, _("at (key)"), ha="center")
    _frame(page, left, top + view.position * cell, size, cell, 2)
    _draw_bars(page, view)
    return figure


def _draw_bars(page: Axes, view: HeadView) -> None:
    """What the picked position finds at each position: two columns of bars with their numbers."""
    weights, n = view.weights(), len(view.record.tokens)
    keys = [i for i in range(n) if view.view == "scores" or i <= view.position]
    keys = sorted(sorted(keys, key=lambda i: -weights[i])[:ROWS])
    weight = (_("weight"), weights, 1, Colour.QUERY, "")
    if view.view == "weights":
        lengths = view.lengths()
        value = (_("|weight · value|"), lengths, max(lengths), Colour.VALUE, "//")
        columns = (weight, value)
    else:
        row = view.row()
        columns = ((_("score"), row, max(abs(row[key]) for key in keys), Colour.KEY, ".."), weight)
    rows = [108 + 22 * place for place in range(len(keys))]
    for key, row in zip(keys, rows, strict=True):
        _write(page, 518, row, _short(view, key, 10), ha="right", fontsize=9.5)
    for left, (title, values, most, colour, hatch) in zip((524, 636), columns, strict=True):
        _write(page, left, 84, title, fontsize=9.5)
        shown = [values[key] for key in keys]
        lowest = 30 * min(0, *shown) / (most or 1)  # negative scores go to the left of a zero line
        zero = left - lowest
        widths = [value / (most or 1) * (58 + lowest) for value in shown]
        page.barh(rows, widths, 16, zero, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
        page.vlines(zero, 96, rows[-1] + 12, color=Colour.QUIET, linewidth=0.8)
        for value, row in zip(shown, rows, strict=True):
            _write(page, left + 64, row, f"{value:.2f}", fontsize=9)
    if n > ROWS:
        says = _("the {count} that weigh most, of {all}").format(count=len(keys), all=n)
        _write(page, 524, rows[-1] + 28, says, fontsize=9, color=Colour.QUIET)


def _layer_figure(view: HeadView) -> Figure:
    """All heads of the layer; those of a row share their keys and values, if any do."""
    grid = view.grid()
    heads, n = grid.shape[:2]
    groups = view.record.groups(view.layer)
    columns = groups if groups > 1 else ceil(sqrt(heads))
    rows = ceil(heads / columns)
    margin = 120 if groups > 1 else 20
    size = min((WIDTH - margin) / columns - 14, 900 / rows - 44, 190)
    figure, page = _page(62 + rows * (size + 44))
    title = _("layer {layer}, all heads: where {token} (framed) looks").format(
        layer=view.layer, token=quote_token(_short(view, view.position, 14))
    )
    _write(page, 12, 22, title, fontsize=12)
    most = float(np.nanmax(np.abs(grid)))
    for head in range(heads):
        row, column = divmod(head, columns)
        left, top = margin + column * (size + 14), 66 + row * (size + 44)
        _draw_matrix(page, grid[head], view.view, left, top, size, most)
        _frame(page, left, top + view.position * size / n, size, size / n, 1.2)
        weights = view.record.weights[view.layer][head, view.position]
        best = int(weights.argmax())
        token = _short(view, best, max(3, int(size / 6.5) - 13))
        says = _("head {head}: {token} {share:.2f}")
        says = says.format(head=head, token=token, share=float(weights[best]))
        _write(page, left, top - 11, says, fontsize=9)
        if groups > 1 and column == 0:
            shared = _("key-value\nhead {head}").format(head=row)
            at = {"ha": "right", "color": Colour.QUIET}
            _write(page, left - 14, top + size / 2, shared, **at)
    return figure


@in_course_style
def ranking_figure(ranking: Ranking, rank: int) -> Figure:
    """Every head's score, layer by layer; the best as bars; and the matrix of the one picked."""
    layers, heads = ranking.scores.shape
    figure, page = _page(520)
    best = ranking.best(8)
    title = _("how much each head looks {pattern}").format(pattern=_(PATTERNS[ranking.pattern]))
    _write(page, 12, 22, title, fontsize=12)

    left, top, width, height = 60, 62, 220, 400
    wide, high = width / heads, height / layers
    _draw_matrix(page, ranking.scores.numpy(), "weights", left, top, width, high=height)
    for head in range(0, heads, ceil(heads / 16)):
        _write(page, left + (head + 0.5) * wide, top + height + 12, str(head), ha="center")
    for layer in range(0, layers, ceil(layers / 16)):
        _write(page, left - 6, top + (layer + 0.5) * high, str(layer), ha="right")
    _write(page, left + width / 2, top + height + 36, _("head"), ha="center")
    _write(page, 18, top + height / 2, _("layer"), ha="center", rotation=90)

    names = [_("layer {layer}, head {head}").format(layer=b[0], head=b[1]) for b in best]
    for place, (layer, head, score) in enumerate(best):
        picked, row = place == rank - 1, 70 + 22 * place
        line = 2.4 if picked else 0.8
        _frame(page, left + head * wide, top + layer * high, wide, high, line)
        _write(page, 432, row, ("▸ " if picked else "") + names[place], ha="right", fontsize=9.5)
        page.barh(row, 230 * score, 15, 438, color=Colour.CHOSEN if picked else Colour.CANDIDATE)
        _write(page, 444 + 230 * score, row, f"{score:.2f}", fontsize=9.5)

    layer, head, _score = best[rank - 1]
    left, top, size, n = 438, 282, 204, len(ranking.record.tokens)
    _write(page, left, top - 14, names[rank - 1] + " " + _("(○ where the pattern looks)"))
    grid = ranking.record.weights[layer][head].float().cpu().numpy()
    _draw_matrix(page, grid, "weights", left, top, size)
    queries, keys = ranking.where.numpy().nonzero()
    at = (left + (keys + 0.5) * size / n, top + (queries + 0.5) * size / n)
    dot = max(4, 1600 / n**1.6)
    page.scatter(*at, s=dot, marker="o", facecolors="none", edgecolors=Colour.CHOSEN)
    _write(page, left - 14, top + size / 2, _("looks from"), ha="center", rotation=90)
    _write(page, left + size / 2, top + size + 14, _("at"), ha="center")
    return figure


def _draw_matrix(
    page: Axes,
    grid: np.ndarray,
    view: str,
    left: float,
    top: float,
    size: float,
    most: float | None = None,
    high: float | None = None,
) -> None:
    """[query, key] as colours: blue from 0 to 1, or two colours around 0; grey where closed."""
    bottom = top + (high or size)
    if view == "weights":
        colours, low, most = Colour.WEIGHTS, 0, 1
    else:
        most = most or float(np.nanmax(np.abs(grid))) or 1
        colours, low = matplotlib.colormaps[Colour.SIGNED].with_extremes(bad=CLOSED), -most
    place = {"extent": (left, left + size, bottom, top), "aspect": "auto"}
    page.imshow(grid, vmin=low, vmax=most, cmap=colours, **place)
    _frame(page, left, top, size, bottom - top, 1, CLOSED)


def _sharing(view: HeadView) -> str:
    shared, heads = view.sharing(), len(view.record.queries[view.layer])
    if len(shared) == 1:
        return _("{heads} heads, each with keys and values of its own").format(heads=heads)
    return _("of {heads} heads, these share one set of keys and values: {shared}").format(
        heads=heads, shared=", ".join(map(str, shared))
    )


def _short(view: HeadView, position: int, room: int) -> str:
    text = show_token(view.record.tokens[position])
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"


# A page is one axes in CSS pixels from the top left: axes and ticks cost a slider's patience ------


def _page(height: float) -> tuple[Figure, Axes]:
    figure = new_figure(WIDTH, height)
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    page.axis("off")
    return figure, page


def _write(page: Axes, x: float, y: float, text: str, **style) -> None:
    page.text(x, y, text, **{"va": "center", **style})


def _frame(
    page: Axes,
    left: float,
    top: float,
    width: float,
    height: float,
    line: float,
    colour: str = Colour.CHOSEN,
) -> None:
    style = {"fill": False, "edgecolor": colour, "linewidth": line}
    page.add_artist(Rectangle((left, top), width, height, **style))
