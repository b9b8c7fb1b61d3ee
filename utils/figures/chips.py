"""Text drawn as its tokens: one coloured chip each, in lines, so that the pieces can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties

from utils.figures.page import Box, rounded_box, write
from utils.figures.picture import Region
from utils.figures.style import CSS_PIXELS_PER_INCH, new_figure, quote_token, show_token
from utils.language import _

PROMPT, GENERATED = "#D3EAF7", "#FBE3B5"  # pale, so that black text reads well on them
UNREAD = "#ECECEC"  # tokens after the position that is looked at
ELLIPSIS = 18  # CSS pixels that it takes
LINE = 27  # CSS pixels from one line of chips to the next


@dataclass(frozen=True)
class _Chip:
    number: int  # which of the tokens
    left: float  # CSS pixels
    width: float
    text: str
    colour: str


def draw_tokens(
    page: Axes,
    box: Box,
    tokens: Sequence[str | bytes],
    colours: Sequence[str],
    picks: str = "",
    picked: int | None = None,
) -> list[Region]:
    """Fill `box` with `tokens`, left to right, top to bottom, each on its own colour.

    A line break in the text breaks the line.  Where there is no room for all of them the first
    ones give way to an ellipsis: what was written last is what matters, or the one that is
    `picked`.  Gives the region of each that is drawn; picks: the control, if any, that a click sets
    to the token's position.
    """
    start, above, width, height = box
    renderer = page.figure.canvas.get_renderer()
    lines = _wrap(renderer, [show_token(token) for token in tokens], colours, width)
    room = max(1, int(height // LINE))
    while picked is not None and len(lines) > room and lines[-1][0].number > picked:
        del lines[-1]
    hidden = max(0, len(lines) - room)
    if hidden:
        write(page, start + 3, above + LINE / 2, "…", va="center_baseline")
        lines[hidden] = _after_ellipsis(lines[hidden], picked)
    regions = []
    for row, line in enumerate(lines[hidden:]):
        for chip in line:
            left, top = start + chip.left, above + row * LINE
            place = (left, top + 2, chip.width + 6, LINE - 5)
            rounded_box(page, place, LINE / 8, chip.colour)
            write(page, left + 3, top + LINE / 2, chip.text, va="center_baseline")
            seen = (left, top + 2, min(chip.width + 6, width - chip.left), LINE - 5)
            says = token_words(chip.number, tokens[chip.number])
            sets = {picks: chip.number} if picks else {}
            regions.append(Region(seen, says, sets))
    return regions


def lines_of_tokens(tokens: Sequence[str | bytes], width: float) -> int:
    """How many lines `tokens`, marked as written, take where there are `width` CSS pixels."""
    renderer = new_figure(200, 200).canvas.get_renderer()
    return len(_wrap(renderer, [show_token(t) for t in tokens], [GENERATED] * len(tokens), width))


def draw_text(page: Axes, tokens: Sequence[str], position: int) -> list[Region]:
    """A line at the top: the text.  The position that is looked at stands out, the rest is pale.

    A click picks another position.
    """
    unread = len(tokens) - position - 1
    colours = [PROMPT] * position + [GENERATED] + [UNREAD] * unread
    box = (7, 5, 725, 31)
    return draw_tokens(page, box, tokens, colours, picks="position", picked=position)


def _after_ellipsis(line: list[_Chip], picked: int | None) -> list[_Chip]:
    """The first chip gives way; where it is the one to be seen, all move to the right."""
    if len(line) > 1 and line[0].number != picked:
        return line[1:]
    moved = [replace(chip, left=chip.left + ELLIPSIS) for chip in line]
    return moved[: max(1, len(moved) - 1)]


def token_words(position: int, token: str | bytes) -> str:
    """What is said of a token of a text: "position 3: ' of'"."""
    return _("position {position}: {token}").format(position=position, token=quote_token(token))


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
