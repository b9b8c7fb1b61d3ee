"""A text cut into tokens: each with its id, its bytes on demand, and what it is a piece of."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.patches import Rectangle

from utils.figures.chips import text_width
from utils.figures.page import WIDTH, Box, cut, page_of, rounded_box, write
from utils.figures.picture import Picture, Region
from utils.figures.style import (
    CSS_PIXELS_PER_INCH,
    Colour,
    in_course_style,
    new_figure,
    quote_token,
    show_token,
)
from utils.language import _, ngettext
from utils.tokens import Tokenization, TokenView

MARGIN, LINES = 8, 7  # CSS pixels, and lines of tokens at most
CHIP, ROW, SMALL = 23, 15, 8  # CSS pixels high, CSS pixels high, points
HEAD, FOOT = 36, 36  # CSS pixels above and below the tokens
PALE = ("#D3EAF7", "#FBE3B5", "#D9F0E3", "#F4DEEB")  # in turn, so that neighbours differ
TOLD = 40  # tokens that the words list at most


@dataclass(frozen=True)
class _Chip:
    left: float
    width: float
    token: str
    token_id: str
    data: str


@in_course_style
def tokens_picture(view: TokenView) -> Picture:
    """The tokens as chips over their ids; a bracket joins those that make up one character."""
    figure = new_figure(WIDTH, 100)
    lines, shown = _lay_out(figure.canvas.get_renderer(), view.tokens, view.show_bytes)
    tall = [
        CHIP + ROW * (1 + view.show_bytes) + 10 + 22 * any(whole for _c, whole, _n in groups)
        for groups in lines
    ]
    height = HEAD + sum(tall) + FOOT
    figure.set_figheight(height / CSS_PIXELS_PER_INCH)
    page = page_of(figure)
    headline = "   ·   ".join(_counts(view.tokens))
    write(page, MARGIN, 18, headline, va="center_baseline", fontsize=11.5)
    regions = []
    for row, groups in enumerate(lines):
        top = HEAD + sum(tall[:row])
        for chips, whole, number in groups:
            _draw_group(page, top, chips, whole, number, view.show_bytes)
            for i, chip in enumerate(chips, number):
                box = (chip.left, top, chip.width, CHIP + ROW * (1 + view.show_bytes))
                regions.append(Region(_on_page(box), _token_words(view, i)))
    _draw_budget(page, height - 16, view, len(view.tokens.token_ids) - shown)
    return Picture(figure, tokens_words(view), tuple(regions))


def tokens_words(view: TokenView) -> str:
    """The counts, the share of the context, the tokens with their ids, a character in pieces."""
    tokens = view.tokens
    told = [_token_words(view, i) for i in range(len(tokens.token_ids))[:TOLD]]
    if len(tokens.token_ids) > TOLD:
        told.append("…")
    lines = ["; ".join(_counts(tokens)), _budget_words(view), ", ".join(told)]
    split = [(first, last) for first, last in tokens.groups if last - first > 1]
    if split:
        first, last = split[0]
        lines.append(
            ngettext(
                "{count} character is spread over several tokens: {example}",
                "{count} characters are spread over several tokens, the first one {example}",
                len(split),
            ).format(count=len(split), example=quote_token(b"".join(tokens.pieces[first:last])))
        )
    return "\n".join(lines)


def _token_words(view: TokenView, i: int) -> str:
    """One token: "' Paris' 7042", with its bytes if they are shown."""
    piece, token_id = view.tokens.pieces[i], view.tokens.token_ids[i]
    says = f"{quote_token(piece)} {token_id}"
    return f"{says} ({piece.hex(' ').upper()})" if view.show_bytes else says


def _budget_words(view: TokenView) -> str:
    """How much of the context the text takes, as a sentence."""
    used = len(view.tokens.token_ids)
    if used > view.context:
        says = _("{used} tokens: more than the {context} that the model can read")
    else:
        says = _("{used} of the {context} tokens that the model can read")
    return says.format(used=f"{used:,}", context=f"{view.context:,}")


def _counts(record: Tokenization) -> list[str]:
    """Characters, tokens, and tokens for each character, each in words."""
    characters, tokens = len(record.text), len(record.token_ids)
    return [
        ngettext("{count} character", "{count} characters", characters).format(
            count=f"{characters:,}"
        ),
        ngettext("{count} token", "{count} tokens", tokens).format(count=f"{tokens:,}"),
        _("{ratio:.2f} tokens per character").format(ratio=tokens / characters),
    ]


def _lay_out(renderer: RendererBase, record: Tokenization, show_bytes: bool) -> tuple[list, int]:
    """Lines of (chips, the whole character they make up or "", number), and the tokens in them."""
    lines: list[list[tuple[list[_Chip], str, int]]] = [[]]
    left, shown = float(MARGIN), 0
    for first, last in record.groups:
        chips, width = [], 0.0
        for i in range(first, last):
            piece = record.pieces[i]
            texts = (
                cut(show_token(piece), 48),
                str(record.token_ids[i]),
                cut(piece.hex(" ").upper(), 72) if show_bytes else "",
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


def _draw_group(
    page: Axes, top: float, chips: list[_Chip], whole: str, number: int, show_bytes: bool
) -> None:
    for i, chip in enumerate(chips, number):
        rounded_box(page, (chip.left, top, chip.width, CHIP), 3, PALE[i % len(PALE)])
        middle = chip.left + chip.width / 2
        style = {"ha": "center", "va": "center_baseline"}
        write(page, middle, top + CHIP / 2, chip.token, **style)
        below = top + CHIP + ROW / 2
        write(page, middle, below, chip.token_id, **style, fontsize=SMALL, color=Colour.QUIET)
        if show_bytes:
            write(page, middle, below + ROW, chip.data, **style, fontsize=SMALL)
    if whole:
        line = top + CHIP + ROW * (1 + show_bytes) + 2
        left, right = chips[0].left + 2, chips[-1].left + chips[-1].width - 2
        page.plot([left, left, right, right], [line, line + 4, line + 4, line], color=Colour.QUIET)
        write(page, (left + right) / 2, line + 13, whole, ha="center", va="center_baseline")


def _draw_budget(page: Axes, middle: float, view: TokenView, hidden: int) -> None:
    """How much of the context the text takes: a bar, and the same in words."""
    used = len(view.tokens.token_ids)
    page.add_artist(Rectangle((MARGIN, middle - 6), 150, 12, facecolor="#E4E4E4"))
    share = min(used / view.context, 1)
    colour = Colour.CANDIDATE if used <= view.context else Colour.WRONG
    page.add_artist(Rectangle((MARGIN, middle - 6), max(1, 150 * share), 12, facecolor=colour))
    text = _budget_words(view)
    if hidden:
        more = ngettext("{count} more token not drawn", "{count} more tokens not drawn", hidden)
        text += "   ·   " + more.format(count=f"{hidden:,}")
    write(page, MARGIN + 160, middle, text, va="center_baseline")


def _on_page(box: Box) -> Box:
    """A box without what of it is wider than the page: a character of many long tokens may be."""
    left, top, width, height = box
    right = min(left + width, WIDTH)
    return min(left, right), top, max(0.0, right - left), height
