"""How far a learner is: a row for each lesson, a box for each exercise."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from utils.figures.style import Colour, in_course_style, new_figure
from utils.language import _

WIDTH, ROW, TOP = 740, 29, 40
FIRST_BOX, BOX = 348, 25  # where the boxes begin, and from one to the next, in CSS pixels
LOOKS = {  # mark → the box's colour, its edge, and the mark's colour
    "✓": ("#00795A", "#00795A", "white"),
    "~": ("#FBE3B5", Colour.GENERATED, Colour.TEXT),
    "·": ("white", "#A8A8A8", None),  # an empty box
}


@dataclass(frozen=True)
class Row:
    """One lesson as it is drawn."""

    title: str
    minutes: str
    marks: tuple[str, ...]  # a key of LOOKS for each exercise
    next: int | None  # which of them is the one to go on with


@in_course_style
def progress_figure(title: str, rows: Sequence[Row]) -> Figure:
    """The lessons' rows under `title`; a thick frame and an arrow are around what comes next."""
    height = TOP + ROW * len(rows) + 30
    figure = new_figure(WIDTH, height)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    axes.text(14, 18, title, fontsize=11.5, va="center")
    for i, row in enumerate(rows):
        _draw_row(axes, TOP + ROW * i, row)
    _draw_legend(axes, height - 16)
    return figure


def _draw_row(axes: Axes, top: float, row: Row) -> None:
    middle = top + ROW / 2
    axes.plot((14, WIDTH - 14), (top, top), color="#E4E4E4", lw=0.8)
    axes.text(14, middle, row.title, va="center_baseline")
    axes.text(WIDTH - 14, middle, row.minutes, va="center_baseline", ha="right", fontsize=9.5)
    for i, mark in enumerate(row.marks):
        _draw_mark(axes, FIRST_BOX + BOX * i, middle, mark, i == row.next)
    if row.next is not None:
        axes.text(FIRST_BOX - 12, middle, "▸", va="center", ha="center", fontsize=13)


def _draw_mark(axes: Axes, left: float, middle: float, mark: str, is_next: bool = False) -> None:
    fill, edge, ink = LOOKS[mark]
    box = FancyBboxPatch(
        (left, middle - 9),
        18,
        18,
        boxstyle="round,pad=0,rounding_size=4",
        facecolor=fill,
        edgecolor=Colour.TEXT if is_next else edge,
        linewidth=2.2 if is_next else 1,
    )
    axes.add_patch(box)
    if ink:
        axes.text(left + 9, middle, mark, ha="center", va="center", color=ink, fontsize=10)


def _draw_legend(axes: Axes, y: float) -> None:
    meanings = (("✓", _("passed"), False), ("~", _("attempted"), False), ("·", _("next"), True))
    for i, (mark, meaning, is_next) in enumerate(meanings):
        left = FIRST_BOX + 110 * i
        _draw_mark(axes, left, y, mark, is_next)
        axes.text(left + 25, y, meaning, va="center_baseline", fontsize=9.5)
