"""A text cut into tokens: each with its id, its bytes on demand, and what it is a piece of."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from utils.figures.style import (
    CSS_PIXELS_PER_INCH,
    Colour,
    in_course_style,
    new_figure,
    show_token,
)
from utils.figures.tokens import text_width
from utils.language import _, ngettext
from utils.tokens import Tokenization

WIDTH, MARGIN, LINES = 740, 8, 7  # CSS pixels, CSS pixels, and lines of tokens at most
CHIP, ROW, SMALL = 23, 15, 8  # CSS pixels high, CSS pixels high, points
PALE = ("#D3EAF7", "#FBE3B5", "#D9F0E3", "#F4DEEB")  # in turn, so that neighbours differ


@dataclass(frozen=True)
class _Chip:
    left: float
    width: float
    token: str
    token_id: str
    data: str


@in_course_style
def tokenizer_figure(record: Tokenization, context: int, show_bytes: bool = False) -> Figure:
    """The tokens as chips over their ids; a bracket joins those that make up one character.

    context: how many tokens the model can read.  `show_bytes` adds a row of bytes in hexadecimal.
    """
    figure = new_figure(WIDTH, 100)
    lines, shown = _lay_out(figure.canvas.get_renderer(), record, show_bytes)
    tall = [
        CHIP + ROW * (1 + show_bytes) + 10 + 22 * any(whole for _c, whole, _n in groups)
        for groups in lines
    ]
    height = 36 + sum(tall) + 36
    figure.set_figheight(height / CSS_PIXELS_PER_INCH)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    axes.text(MARGIN, 18, _headline(record), va="center_baseline", fontsize=11.5)
    for row, groups in enumerate(lines):
        for chips, whole, number in groups:
            _draw_group(axes, 36 + sum(tall[:row]), chips, whole, number, show_bytes)
    _draw_budget(axes, height - 16, record, context, len(record.token_ids) - shown)
    return figure


def _lay_out(renderer, record: Tokenization, show_bytes: bool) -> tuple[list, int]:
    """Lines of (chips, the whole character they make up or "", number), and the tokens in them."""
    lines, left, shown = [[]], float(MARGIN), 0
    for first, last in record.groups:
        chips, width = [], 0.0
        for i in range(first, last):
            piece = record.pieces[i]
            texts = (
                _shortened(show_token(piece), 48),
                str(record.token_ids[i]),
                _shortened(piece.hex(" ").upper(), 72) if show_bytes else "",
            )
            wide = 8 + max(
                text_width(renderer, text, size)
                for text, size in zip(texts, (None, SMALL, SMALL), strict=True)
                if text
            )
            chips.append(_Chip(width, wide, *texts))
            width += wide + 3
        if left + width > WIDTH - MARGIN and lines[-1]:
            if len(lines) == LINES:
                return lines, shown
            lines.append([])
            left = float(MARGIN)
        whole = b"".join(record.pieces[first:last]) if last - first > 1 else b""
        chips = [_Chip(left + c.left, c.width, c.token, c.token_id, c.data) for c in chips]
        lines[-1].append((chips, show_token(whole) if whole else "", first))
        left += width + 3
        shown = last
    return lines, shown


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _draw_group(axes: Axes, top, chips: list[_Chip], whole: str, number: int, show_bytes) -> None:
    for i, chip in enumerate(chips, number):
        shape = FancyBboxPatch(
            (chip.left, top),
            chip.width,
            CHIP,
            boxstyle="round,pad=0,rounding_size=3",
            facecolor=PALE[i % len(PALE)],
            edgecolor="none",
        )
        axes.add_artist(shape)
        middle = chip.left + chip.width / 2
        style = {"ha": "center", "va": "center_baseline"}
        axes.text(middle, top + CHIP / 2, chip.token, **style)
        below = top + CHIP + ROW / 2
        axes.text(middle, below, chip.token_id, **style, fontsize=SMALL, color=Colour.QUIET)
        if show_bytes:
            axes.text(middle, below + ROW, chip.data, **style, fontsize=SMALL)
    if whole:
        line = top + CHIP + ROW * (1 + show_bytes) + 2
        left, right = chips[0].left + 2, chips[-1].left + chips[-1].width - 2
        axes.plot([left, left, right, right], [line, line + 4, line + 4, line], color=Colour.QUIET)
        axes.text((left + right) / 2, line + 13, whole, ha="center", va="center_baseline")


def _draw_budget(axes: Axes, middle: float, record: Tokenization, context: int, hidden: int):
    """How much of the context the text takes: a bar, and the same in words."""
    used = len(record.token_ids)
    axes.add_artist(Rectangle((MARGIN, middle - 6), 150, 12, facecolor="#E4E4E4"))
    share = min(used / context, 1)
    colour = Colour.CANDIDATE if used <= context else Colour.WRONG
    axes.add_artist(Rectangle((MARGIN, middle - 6), max(1, 150 * share), 12, facecolor=colour))
    text = budget_words(record, context)
    if hidden:
        more = ngettext("{count} more token not drawn", "{count} more tokens not drawn", hidden)
        text += "   ·   " + more.format(count=f"{hidden:,}")
    axes.text(MARGIN + 160, middle, text, va="center_baseline")


def budget_words(record: Tokenization, context: int) -> str:
    """How much of the context the text takes, as a sentence."""
    used = len(record.token_ids)
    if used > context:
        says = _("{used} tokens: more than the {context} that the model can read")
    else:
        says = _("{used} of the {context} tokens that the model can read")
    return says.format(used=f"{used:,}", context=f"{context:,}")


def _headline(record: Tokenization) -> str:
    return "   ·   ".join(count_words(record))


def count_words(record: Tokenization) -> list[str]:
    """Characters, tokens, and tokens for each character, each in words."""
    characters, tokens = len(record.text), len(record.token_ids)
    return [
        ngettext("{count} character", "{count} characters", characters).format(
            count=f"{characters:,}"
        ),
        ngettext("{count} token", "{count} tokens", tokens).format(count=f"{tokens:,}"),
        _("{ratio:.2f} tokens per character").format(ratio=tokens / characters),
    ]
