"""The streams of a text as a grid: positions from left to right, layers from the bottom up."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from utils.decoding import Candidate
from utils.figures.candidates import candidate_words, draw_candidates
from utils.figures.chips import token_words
from utils.figures.page import (
    axes_at,
    box_on_page,
    cut,
    frame,
    layer_ticks,
    new_sheet,
    rounded,
    write_beside,
)
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token, turned
from utils.language import _, current_language, ngettext
from utils.streams import Look, Moved, Reading, Streams

LEFT, GRID, TOP, BOTTOM, ROW = 44, 446, 62, 74, 14  # CSS pixels
LETTER = 6.4  # how wide a small letter is


@in_course_style
def streams_picture(record: Look) -> Picture:
    """What each stream would say at each layer; beside it, the five candidates of one cell."""
    reading = record.reading
    layers, count = reading.probabilities.shape
    figure = new_sheet(_height(layers))
    pixels, regions = _drawn_reading(reading, current_language())
    figure.add_artist(_Background(pixels))
    axes = _grid_axes(figure, layers, count)
    axes.axis("off")
    _frame_column(axes, (record.column, record.layer), 1, Colour.CHOSEN)
    title = _("layer {layer}, position {position}, {token}\nlength of the vector: {length:.0f}")
    token = quote_token(cut(reading.streams.tokens[record.column], 10))
    title = title.format(
        layer=record.layer, position=record.position, token=token, length=record.length
    )
    bars = _draw_beside(figure, 0, title, record.candidates)
    return Picture(figure, streams_words(record), (*regions, *bars))


def streams_words(record: Look) -> str:
    """The picked cell's candidates and length; and of the last stream, since when it knows."""
    streams = record.reading.streams
    lines = [
        _("layer {layer}, position {position}, {token}: {candidates}").format(
            layer=record.layer,
            position=record.position,
            token=quote_token(streams.tokens[record.column]),
            candidates=candidate_words(record.candidates),
        ),
        _("length of the vector: {length}").format(length=rounded(record.length)),
    ]
    if record.position == streams.first + len(streams.tokens) - 1:
        lines.append(_("This is the last stream, the one that predicts the next token."))
        said = [row[-1] for row in record.reading.tokens]
        since = max((i + 1 for i, token in enumerate(said) if token != said[-1]), default=0)
        lines.append(
            _("Its final word, {token}, leads from layer {since} on.").format(
                token=quote_token(said[-1]), since=since
            )
        )
    return "\n".join(lines)


class _Background(Artist):
    """Pixels that are put under everything else as they are; `figimage` takes 40 ms to do so."""

    def __init__(self, pixels: np.ndarray):
        super().__init__()
        self.pixels = pixels
        self.set_zorder(-1)

    def draw(self, renderer: RendererBase) -> None:
        graphics = renderer.new_gc()
        renderer.draw_image(graphics, 0, 0, self.pixels[::-1])
        graphics.restore()


@lru_cache(maxsize=4)
def _drawn_reading(reading: Reading, _language: str) -> tuple[np.ndarray, tuple[Region, ...]]:
    """The grid as an image, and its cells.  It holds hundreds of words; only a frame moves."""
    layers, count = reading.probabilities.shape
    says = _("each stream's likeliest next token, if it were read there; the bluer, the surer")
    figure, axes = _draw_grid(reading.probabilities.numpy(), reading.streams.tokens, says)
    room = int(_column(count) / LETTER)
    if room >= 4:
        for layer in range(layers):
            for column in range(count):
                token = show_token(reading.tokens[layer][column])
                _write_cell(axes, column, layer, cut(token, room))
    figure.canvas.draw()
    shares, streams = reading.probabilities.tolist(), reading.streams

    def cell(layer: int, column: int) -> tuple[str, dict]:
        said = f"{quote_token(reading.tokens[layer][column])} {shares[layer][column]:.2f}"
        position, token = streams.first + column, quote_token(streams.tokens[column])
        text = _("layer {layer}, position {position}, {token}: {candidates}").format(
            layer=layer, position=position, token=token, candidates=said
        )
        return text, {"position": position, "layer": layer}

    regions = _cells(axes, layers, count, cell) + _names(axes, layers, streams)
    return np.asarray(figure.canvas.buffer_rgba()), regions


@in_course_style
def moved_picture(record: Moved) -> Picture:
    """How far each vector moved; a = where not a single bit did."""
    layers, count = record.distances.shape
    distances = record.distances.where(~record.same, 0).numpy()
    says = _("how far each vector moved, as a share of its length; = not by a single bit")
    figure, axes = _draw_grid(np.sqrt(distances), record.after.tokens, says)  # small ones show
    rows, columns = record.same.nonzero(as_tuple=True)
    for up in (0.38, 0.56):  # the two strokes of all the equals signs at once
        axes.scatter(columns + 0.5, rows + up, s=22, marker="_", color=Colour.QUIET, linewidths=1)
    for layer in layer_ticks(layers):  # between them the colour says enough
        for column in range(count):
            if not record.same[layer, column]:
                digits = 2 if _column(count) >= 4 * LETTER else 1
                _write_cell(axes, column, layer, f"{distances[layer, column]:.{digits}f}")
    _frame_column(axes, (record.position, 0), layers, Colour.CHOSEN)
    both = ((record.before, record.next_before), (record.after, record.next_after))
    bars: list[Region] = []
    for half, (streams, candidates) in enumerate(both):
        token = quote_token(cut(streams.tokens[record.position], 12))
        title = _("with {token}\nthe last stream predicts").format(token=token)
        bars += _draw_beside(figure, half * 175, title, candidates)

    def cell(layer: int, column: int) -> tuple[str, dict]:
        where = _("layer {layer}, position {position}, {token}").format(
            layer=layer, position=column, token=quote_token(record.after.tokens[column])
        )
        moved = "=" if record.same[layer, column] else f"{distances[layer, column]:.2f}"
        return f"{where}: {moved}", {"position": column}

    regions = _cells(axes, layers, count, cell) + _names(axes, layers, record.after)
    return Picture(figure, moved_words(record), (*regions, *bars))


def moved_words(record: Moved) -> str:
    """Which token became which, from where each vector moves, and what that does to the end."""
    position, tokens = record.position, record.after.tokens
    last = len(record.distances) - 1
    lines = [
        _("{old} became {new} at position {position}").format(
            old=quote_token(record.before.tokens[position]),
            new=quote_token(tokens[position]),
            position=position,
        )
    ]
    still = int(record.same.all(0).long().cumprod(0).sum())
    lines.append(
        ngettext(
            "{count} position from the left is the same at every layer, to the last bit",
            "{count} positions from the left are the same at every layer, to the last bit",
            still,
        ).format(count=still)
    )
    for column in range(still, len(tokens)):
        begins = int((~record.same[:, column]).long().argmax())
        lines.append(
            _("{token} moves from layer {begins} on, by {distance:.2f} in the end").format(
                token=quote_token(tokens[column]),
                begins=begins,
                distance=float(record.distances[last, column]),
            )
        )
    lines.append(
        _("next token before: {before}; after: {after}").format(
            before=candidate_words(record.next_before[:1]),
            after=candidate_words(record.next_after[:1]),
        )
    )
    return "\n".join(lines)


def _draw_grid(values: np.ndarray, tokens: Sequence[str], says: str) -> tuple[Figure, Axes]:
    """Values [layer, position] from 0 to 1 as blue cells, tokens below, the last stream marked."""
    layers, count = values.shape
    figure = new_sheet(_height(layers))
    write_beside(figure, LEFT, 8, says, va="top")
    axes = _grid_axes(figure, layers, count)
    whole = (0, count, 0, layers)
    # The bluest is pale enough for the words on it, in a dark theme too.
    shades = {"vmin": 0, "vmax": 2.4, "origin": "lower", "aspect": "auto"}
    axes.imshow(values.clip(max=1), extent=whole, **shades)
    narrow = _column(count) < 60
    room = 9 if narrow else int(_column(count) / LETTER) - 1
    labels = [cut(show_token(token), room) for token in tokens]
    if narrow:
        labels = [*map(turned, labels)]
    axes.set_xticks(np.arange(count) + 0.5, labels, fontsize=9, rotation=90 if narrow else 0)
    rows = np.arange(layers) if layers <= 40 else np.array(layer_ticks(layers))
    axes.set_yticks(rows + 0.5, rows, fontsize=8)
    axes.tick_params(length=0)
    axes.text(0, layers + 0.3, _("layer") + " ", ha="right", va="bottom", fontsize=9)
    axes.spines[:].set_visible(False)
    _frame_column(axes, (count - 1, 0), layers, Colour.TEXT)
    axes.text(count, layers + 0.3, _("▼ predicts"), ha="right", va="bottom", fontsize=9)
    return figure, axes


def _draw_beside(
    figure: Figure, below: float, title: str, candidates: Sequence[Candidate]
) -> list[Region]:
    """Bars right of the grid, `below` CSS pixels under its top, with a title of two lines."""
    left, top = LEFT + GRID + 14, TOP + below
    write_beside(figure, left, top, title, va="top", linespacing=1.5)
    axes = axes_at(figure, left + 90, top + 48, 140, 32 * len(candidates))
    return draw_candidates(axes, candidates)


def _cells(
    axes: Axes, layers: int, count: int, cell: Callable[[int, int], tuple[str, dict]]
) -> tuple[Region, ...]:
    """A region for each cell of the grid; `cell(layer, column)` gives its text and what it sets."""
    left, top, width, height = box_on_page(axes, (0, count), (0, layers))
    wide, high = width / count, height / layers
    return tuple(
        Region(
            (left + column * wide, top + (layers - 1 - layer) * high, wide, high),
            *cell(layer, column),
        )
        for layer in range(layers)
        for column in range(count)
    )


def _names(axes: Axes, layers: int, streams: Streams) -> tuple[Region, ...]:
    """A region for each token's name below the grid.  A click picks the position."""
    count = len(streams.tokens)
    left, top, width, height = box_on_page(axes, (0, count), (0, layers))
    return tuple(
        Region(
            (left + column * width / count, top + height, width / count, BOTTOM),
            token_words(streams.first + column, token),
            {"position": streams.first + column},
        )
        for column, token in enumerate(streams.tokens)
    )


def _frame_column(axes: Axes, corner: tuple[int, int], height: int, colour: str) -> None:
    """A frame around one column of cells, `height` layers high."""
    frame(axes, (*corner, 1, height), 2, colour, clip_on=False)


def _write_cell(axes: Axes, column: int, layer: int, text: str) -> None:
    axes.text(column + 0.5, layer + 0.45, text, ha="center", va="center", fontsize=8.5)


# Where things are, in CSS pixels ---------------------------------------------------------------


def _height(layers: int) -> int:
    return TOP + max(layers * ROW, 360) + BOTTOM


def _column(count: int) -> float:
    return min(GRID / count, 90)


def _grid_axes(figure: Figure, layers: int, count: int) -> Axes:
    """The axes in which a cell is 1 wide and 1 high."""
    box = (LEFT, TOP, _column(count) * count, _height(layers) - TOP - BOTTOM)
    return axes_at(figure, *box, xlim=(0, count), ylim=(0, layers))
