"""The streams of a text as a grid: positions from left to right, layers from the bottom up."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.decoding import Candidate
from utils.figures.candidates import draw_candidates
from utils.figures.style import Colour, in_course_style, new_figure, quote_token, show_token
from utils.language import _, current_language
from utils.streams import Look, Moved, Reading

WIDTH, LEFT, GRID, TOP, BOTTOM, ROW = 740, 44, 446, 62, 74, 14  # CSS pixels
LETTER = 6.4  # how wide a small letter is
NUMBERED = 5  # a number in every fifth layer; between them the colour says enough


@in_course_style
def streams_figure(record: Look) -> Figure:
    """What each stream would say at each layer; beside it, the five candidates of one cell."""
    reading = record.reading
    layers, count = reading.probabilities.shape
    figure = new_figure(WIDTH, _height(layers))
    figure.add_artist(_Background(_reading_pixels(reading, current_language())))
    axes = _grid_axes(figure, layers, count)
    axes.axis("off")
    _frame(axes, (record.column, record.layer), 1, Colour.CHOSEN)
    title = _("layer {layer}, position {position}, {token}\nlength of the vector: {length:.0f}")
    token = quote_token(_cut(reading.streams.tokens[record.column], 10))
    title = title.format(
        layer=record.layer, position=record.position, token=token, length=record.length
    )
    _draw_beside(figure, layers, 0, title, record.candidates)
    return figure


class _Background(Artist):
    """Pixels that are put under everything else as they are; `figimage` takes 40 ms to do so."""

    def __init__(self, pixels: np.ndarray):
        super().__init__()
        self.pixels = pixels
        self.set_zorder(-1)

    def draw(self, renderer) -> None:
        graphics = renderer.new_gc()
        renderer.draw_image(graphics, 0, 0, self.pixels[::-1])
        graphics.restore()


@lru_cache(maxsize=4)
def _reading_pixels(reading: Reading, _language: str) -> np.ndarray:
    """The grid as an image.  It holds hundreds of words, and only the frame around one moves."""
    layers, count = reading.probabilities.shape
    says = _("each stream's likeliest next token, if it were read there; the bluer, the surer")
    figure, axes = _draw_grid(reading.probabilities.numpy(), reading.streams.tokens, says)
    room = int(_column(count) / LETTER)
    if room >= 4:
        for layer in range(layers):
            for column in range(count):
                _write(axes, column, layer, _cut(show_token(reading.tokens[layer][column]), room))
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


@in_course_style
def moved_figure(record: Moved) -> Figure:
    """How far each vector moved; a = where not a single bit did."""
    layers, count = record.distances.shape
    distances = record.distances.where(~record.same, 0).numpy()
    says = _("how far each vector moved, as a share of its length; = not by a single bit")
    figure, axes = _draw_grid(np.sqrt(distances), record.after.tokens, says)  # small ones show
    rows, columns = record.same.nonzero(as_tuple=True)
    for up in (0.38, 0.56):  # the two strokes of all the equals signs at once
        axes.scatter(columns + 0.5, rows + up, s=22, marker="_", color=Colour.QUIET, linewidths=1)
    for layer in range(0, layers, NUMBERED if layers > 2 * NUMBERED else 1):
        for column in range(count):
            if not record.same[layer, column]:
                digits = 2 if _column(count) >= 4 * LETTER else 1
                _write(axes, column, layer, f"{distances[layer, column]:.{digits}f}")
    _frame(axes, (record.position, 0), layers, Colour.CHOSEN)
    both = ((record.before, record.next_before), (record.after, record.next_after))
    for half, (streams, candidates) in enumerate(both):
        token = quote_token(_cut(streams.tokens[record.position], 12))
        title = _("with {token}\nthe last stream predicts").format(token=token)
        _draw_beside(figure, layers, half * 175, title, candidates)
    return figure


def _draw_grid(values: np.ndarray, tokens: Sequence[str], says: str) -> tuple[Figure, Axes]:
    """Values [layer, position] from 0 to 1 as blue cells, tokens below, the last stream marked."""
    layers, count = values.shape
    figure = new_figure(WIDTH, _height(layers))
    figure.text(LEFT / WIDTH, 1 - 8 / _height(layers), says, va="top")
    axes = _grid_axes(figure, layers, count)
    whole = (0, count, 0, layers)
    axes.imshow(values, vmin=0, vmax=1.7, origin="lower", aspect="auto", extent=whole)
    narrow = _column(count) < 60
    room = 9 if narrow else int(_column(count) / LETTER) - 1
    labels = [_cut(show_token(token), room) for token in tokens]
    axes.set_xticks(np.arange(count) + 0.5, labels, fontsize=9, rotation=90 if narrow else 0)
    rows = np.arange(0, layers, 1 if layers <= 40 else NUMBERED)
    axes.set_yticks(rows + 0.5, rows, fontsize=8)
    axes.tick_params(length=0)
    axes.text(0, layers + 0.3, _("layer") + " ", ha="right", va="bottom", fontsize=9)
    axes.spines[:].set_visible(False)
    _frame(axes, (count - 1, 0), layers, Colour.TEXT)
    axes.text(count, layers + 0.3, _("▼ predicts"), ha="right", va="bottom", fontsize=9)
    return figure, axes


def _draw_beside(
    figure: Figure, layers: int, below: float, title: str, candidates: Sequence[Candidate]
) -> None:
    """Bars right of the grid, `below` CSS pixels under its top, with a title of two lines."""
    left, top, _width, _high = _box(layers, LEFT + GRID + 14, TOP + below, 0, 0)
    figure.text(left, top, title, va="top", linespacing=1.5)
    box = _box(layers, LEFT + GRID + 104, TOP + 48 + below, 140, 32 * len(candidates))
    draw_candidates(figure.add_axes(box), candidates)


def _frame(axes: Axes, corner: tuple[int, int], height: int, colour: str) -> None:
    """A frame around one column of cells, `height` layers high."""
    axes.add_artist(
        Rectangle(corner, 1, height, fill=False, edgecolor=colour, linewidth=2, clip_on=False)
    )


def _write(axes: Axes, column: int, layer: int, text: str) -> None:
    axes.text(column + 0.5, layer + 0.45, text, ha="center", va="center", fontsize=7.5)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"


# Where things are, in CSS pixels ---------------------------------------------------------------


def _height(layers: int) -> int:
    return TOP + max(layers * ROW, 360) + BOTTOM


def _column(count: int) -> float:
    return min(GRID / count, 90)


def _grid_axes(figure: Figure, layers: int, count: int) -> Axes:
    box = _box(layers, LEFT, TOP, _column(count) * count, _height(layers) - TOP - BOTTOM)
    return figure.add_axes(box, xlim=(0, count), ylim=(0, layers))


def _box(layers: int, left: float, top: float, width: float, height: float) -> list[float]:
    """CSS pixels from the top left, as matplotlib's share of the figure from the bottom left."""
    whole = _height(layers)
    return [left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole]
