"""A page in CSS pixels from its top left, and the few things that every figure puts on it.

A page is one axes over the whole figure: more axes, with ticks of their own, cost a slider's
patience. A figure that needs some, as for bars with labels, puts them where they belong with
`axes_at`, and its few words beside them with `write_beside`, without a page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Transform

from utils.figures.style import CSS_PIXELS_PER_INCH, Colour, new_figure

WIDTH = 740  # CSS pixels: what a notebook's column has room for, on slides and in a handout too
Box = tuple[float, float, float, float]  # left, top, width, height on the page


def new_page(height: float) -> tuple[Figure, Axes]:
    """A figure as wide as the column, and the page that covers it."""
    figure = new_sheet(height)
    return figure, page_of(figure)


def new_sheet(height: float) -> Figure:
    """A figure as wide as the column."""
    return new_figure(WIDTH, height)


def page_of(figure: Figure) -> Axes:
    """The page that covers a figure whose size is settled."""
    width, height = _size(figure)
    page = axes_at(figure, 0, 0, width, height, xlim=(0, width), ylim=(height, 0))
    page.axis("off")
    return page


def axes_at(
    figure: Figure, left: float, top: float, width: float, height: float, **style: Any
) -> Axes:
    """Axes that fill this box of the page."""
    wide, high = _size(figure)
    box = (left / wide, 1 - (top + height) / high, width / wide, height / high)
    return figure.add_axes(box, **style)


def box_on_page(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> Box:
    """Where on the page the rectangle from x[0] to x[1] and y[0] to y[1] of `axes` lies.

    Asked when the limits of the axes and the figure's height are settled.
    """
    figure = axes.figure
    pixels = figure.dpi / CSS_PIXELS_PER_INCH  # of the image, to a CSS pixel
    corners = axes.transData.transform(list(zip(x, y, strict=True))) / pixels
    (left, right), (low, high) = sorted(corners[:, 0]), sorted(corners[:, 1])
    return left, _size(figure)[1] - high, right - left, high - low


def write(page: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """One text; `y` is its middle, unless `style` says otherwise."""
    page.text(x, y, text, **{"va": "center", **style})


def write_beside(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """One text of a figure without a page, at these CSS pixels; `y` is its baseline."""
    wide, high = _size(figure)
    figure.text(x / wide, 1 - y / high, text, **style)


def frame(page: Axes, box: Box, line: float, colour: str = Colour.CHOSEN, **style: Any) -> None:
    """An empty rectangle whose edge is `line` points thick."""
    left, top, width, height = box
    edge = {"fill": False, "edgecolor": colour, "linewidth": line, **style}
    page.add_artist(Rectangle((left, top), width, height, **edge))


def rounded_box(
    page: Axes, box: Box, radius: float, fill: str, edge: str = "none", line: float = 1
) -> None:
    """A filled box with round corners."""
    left, top, width, height = box
    shape = FancyBboxPatch(
        (left, top),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={radius}",
        facecolor=fill,
        edgecolor=edge,
        linewidth=line,
    )
    page.add_artist(shape)


@dataclass(frozen=True)
class Plot:
    """A part of a page with scales of its own: axes cost as much as all that is drawn on them."""

    page: Axes
    box: Box
    xlim: tuple[float, float]
    ylim: tuple[float, float]

    def x(self, number: float) -> float:
        """Where on the page a number of the lower scale stands."""
        return self.box[0] + (number - self.xlim[0]) * self._pixels[0]

    def y(self, number: float) -> float:
        """Where on the page a number of the left scale stands."""
        return self.box[1] + (self.ylim[1] - number) * self._pixels[1]

    @property
    def _pixels(self) -> tuple[float, float]:
        """CSS pixels of 1, on each scale."""
        _left, _top, width, height = self.box
        return width / (self.xlim[1] - self.xlim[0]), height / (self.ylim[1] - self.ylim[0])

    @property
    def transform(self) -> Transform:
        """What matplotlib's functions are given with numbers of these scales."""
        across, up = self._pixels
        on_page = Affine2D().scale(across, -up).translate(self.x(0), self.y(0))
        return on_page + self.page.transData


def draw_scales(plot: Plot, x: Mapping[float, str], y: Iterable[float]) -> None:
    """Lines left of and below a plot, with ticks: labels by their numbers, and numbers."""
    left, top, width, height = plot.box
    low = top + height
    lines = [[(left, top), (left, low), (left + width, low)]]
    for number, label in x.items():
        lines.append([(plot.x(number), low), (plot.x(number), low + 5)])
        write(plot.page, plot.x(number), low + 8, label, ha="center", va="top")
    for number in y:
        lines.append([(left, plot.y(number)), (left - 5, plot.y(number))])
        label = f"{number:g}".replace("-", "−")
        write(plot.page, left - 8, plot.y(number), label, ha="right", va="center_baseline")
    style = {"colors": Colour.QUIET, "linewidths": 0.8}
    plot.page.add_collection(LineCollection(lines, **style), autolim=False)


def round_numbers(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers from `low` to `high`, for an axis."""
    found = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [number for number in found.tolist() if low <= number <= high]


def layer_ticks(layers: int) -> range:
    """The layers that an axis numbers: every fifth of many, all of a few."""
    return range(0, layers, 1 if layers <= 12 else 5)


def cut(text: str, room: int) -> str:
    """The beginning of `text` that fits into `room` Latin letters; a Hangul syllable takes two."""
    return text if _letters(text) <= room else _beginning(text, room - 1) + "…"


def cut_beginning(text: str, room: int) -> str:
    """The end of `text` that fits, as in `cut`: what was written last is what matters."""
    return text if _letters(text) <= room else f"… {_beginning(text[::-1], room)[::-1]}"


def rounded(number: float) -> str:
    """A number in two digits: the last ones differ from machine to machine."""
    return f"{float(f'{float(number):.2g}'):g}"


def _beginning(text: str, room: int) -> str:
    """As many characters as fit into `room`, and at least one."""
    end = 1
    while end < len(text) and _letters(text[: end + 1]) <= room:
        end += 1
    return text[:end]


def _letters(text: str) -> int:
    """How many Latin letters are about as wide as `text`."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _size(figure: Figure) -> tuple[float, float]:
    """Width and height in CSS pixels."""
    width, height = figure.get_size_inches() * CSS_PIXELS_PER_INCH
    return width, height
