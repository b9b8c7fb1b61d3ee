"""Text drawn as its tokens: one coloured chip each, in lines, so that the pieces can be seen."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch

from utils.figures.style import CSS_PIXELS_PER_INCH, show_token

PROMPT, GENERATED = "#D3EAF7", "#FBE3B5"  # pale, so that black text reads well on them
LINE = 27  # CSS pixels from one line of chips to the next


def draw_tokens(axes: Axes, tokens: Sequence[str | bytes], colours: Sequence[str]) -> None:
    """Fill `axes` with `tokens`, left to right, top to bottom, each on its own colour.

    A line break in the text breaks the line.  Where there is no room for all of them the first
    ones give way to an ellipsis: what was written last is what matters.
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
        lines[hidden][0] = (0, "…", "none")
    for row, line in enumerate(lines[hidden:]):
        for left, text, colour in line:
            _draw_chip(axes, left, row * LINE, text_width(renderer, text), text, colour)


def _draw_chip(axes: Axes, left, top, width, text, colour) -> None:
    shape = f"round,pad=0,rounding_size={LINE / 8}"
    chip = FancyBboxPatch(
        (left, top + 2), width + 6, LINE - 5, boxstyle=shape, facecolor=colour, edgecolor="none"
    )
    axes.add_artist(chip)
    axes.text(left + 3, top + LINE / 2, text, va="center_baseline")


def _wrap(renderer, texts, colours, width) -> list[list[tuple[float, str, str]]]:
    """Lines of (left edge in CSS pixels, text, colour)."""
    lines, left = [[]], 0.0
    for text, colour in zip(texts, colours, strict=True):
        wide = text_width(renderer, text) + 9
        if left + wide > width and lines[-1]:
            lines.append([])
            left = 0.0
        lines[-1].append((left, text, colour))
        left += wide
        if "⏎" in text:
            lines.append([])
            left = 0.0
    return lines if lines[-1] else lines[:-1]


def text_width(renderer, text: str, points: float | None = None) -> float:
    """How wide `text` is drawn, in CSS pixels; in the style's own size without `points`."""
    font = FontProperties(size=points)
    wide, _tall, _below = renderer.get_text_width_height_descent(text, font, False)
    return wide * CSS_PIXELS_PER_INCH / renderer.dpi
