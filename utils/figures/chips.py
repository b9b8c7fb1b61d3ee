"""Text drawn as its tokens: one coloured chip each, in lines, so that the pieces can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties

from utils.figures.page import box_on_page, rounded_box
from utils.figures.picture import Region
from utils.figures.style import CSS_PIXELS_PER_INCH, new_figure, quote_token, show_token
from utils.language import _

PROMPT, GENERATED = "#D3EAF7", "#FBE3B5"  # pale, so that black text reads well on them
LINE = 27  # CSS pixels from one line of chips to the next


@dataclass(frozen=True)
class _Chip:
    number: int  # which of the tokens
    left: float  # CSS pixels
    width: float
    text: str
    colour: str


def draw_tokens(
    axes: Axes, tokens: Sequence[str | bytes], colours: Sequence[str], picks: str = ""
) -> list[Region]:
    """Fill `axes` with `tokens`, left to right, top to bottom, each on its own colour.

    A line break in the text breaks the line.  Where there is no room for all of them the first
    ones give way to an ellipsis: what was written last is what matters.  Gives the region of each
    that is drawn; picks: the control, if any, that a click sets to the token's position.
    """
    figure = axes.figure
    renderer = figure.canvas.get_renderer()
    box, scale = axes.get_position(), CSS_PIXELS_PER_INCH
    width = box.width * figure.get_figwidth() * scale
    height = box.height * figure.get_figheight() * scale
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")

    lines = _wrap(renderer, [show_token(token) for token in tokens], colours, width)
    room = max(1, int(height // LINE))
    hidden = max(0, len(lines) - room)
    if hidden:
        axes.text(3, LINE / 2, "…", va="center_baseline")
        del lines[hidden][0]
    regions = []
    for row, line in enumerate(lines[hidden:]):
        for chip in line:
            top = row * LINE + 2
            place = (chip.left, top, chip.width + 6, LINE - 5)
            rounded_box(axes, place, LINE / 8, chip.colour)
            axes.text(chip.left + 3, row * LINE + LINE / 2, chip.text, va="center_baseline")
            where = (chip.left, min(chip.left + chip.width + 6, width)), (top, top + LINE - 5)
            says = _("position {position}: {token}").format(
                position=chip.number, token=quote_token(tokens[chip.number])
            )
            sets = {picks: chip.number} if picks else {}
            regions.append(Region(box_on_page(axes, *where), says, sets))
    return regions


def line_count(renderer: RendererBase, tokens: Sequence[str | bytes], width: float) -> int:
    """How many lines `draw_tokens` needs for all of them."""
    return len(_wrap(renderer, [show_token(token) for token in tokens], [""] * len(tokens), width))


def lines_of_tokens(tokens: Sequence[str | bytes], width: float) -> int:
    """How many lines `tokens`, marked as written, take where there are `width` CSS pixels."""
    renderer = new_figure(200, 200).canvas.get_renderer()
    return len(_wrap(renderer, [show_token(t) for t in tokens], [GENERATED] * len(tokens), width))


def _wrap(
    renderer: RendererBase, texts: Sequence[str], colours: Sequence[str], width: float
) -> list[list[_Chip]]:
    """The chips line by line."""
    lines: list[list[_Chip]] = [[]]
    left = 0.0
    for number, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        wide = text_width(renderer, text)
        if left + wide + 9 > width and lines[-1]:
            lines.append([])
            left = 0.0
        lines[-1].append(_Chip(number, left, wide, text, colour))
        left += wide + 9
        if "⏎" in text:
            lines.append([])
            left = 0.0
    return lines if lines[-1] else lines[:-1]


def text_width(renderer: RendererBase, text: str, points: float | None = None) -> float:
    """How wide `text` is drawn, in CSS pixels; in the style's own size without `points`."""
    font = FontProperties(size=points)
    wide, _tall, _below = renderer.get_text_width_height_descent(text, font, False)
    return wide * CSS_PIXELS_PER_INCH / renderer.dpi
