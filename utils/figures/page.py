"""A page in CSS pixels from its top left, and the few things that every figure puts on it.

A page is one axes over the whole figure: more axes, with ticks of their own, cost a slider's
patience. A figure that needs some, as for bars with labels, puts them where they belong with
`axes_at`, and its few words beside them with `write_beside`, without a page.
"""

from typing import Any
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

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
