"""Text, drawn once and then remembered: half of the time that a figure takes is in its letters.

A slider redraws the same words at every step.  matplotlib lays out and paints each anew; here a
text is one stamp, kept by what it says, its size and its angle, and set on whole pixels.
"""

import math
import unicodedata
from functools import cache, lru_cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.ft2font import RenderMode

Stamp = tuple[np.ndarray, int, int]  # its ink, uint8 [row, column], and where its left top lies
KEPT = 4096  # texts: some megabytes
# Korean first, or Hangul beside $…$ is drawn as boxes.  DejaVu has most alphabets and some emoji.
FAMILIES = ("Noto Sans KR", "DejaVu Sans")


class StampingCanvas(FigureCanvasAgg):
    """Draws a figure as Agg does, but for its text."""

    _size: tuple[int, int, float] | None = None  # of the renderer that is kept

    def get_renderer(self) -> "StampingRenderer":
        width, height = self.get_width_height(physical=True)
        size = width, height, self.figure.dpi
        if self._size != size:
            self.renderer, self._size = StampingRenderer(*size), size
        return self.renderer


class StampingRenderer(RendererAgg):
    """Agg, with texts kept from one figure to the next.  Formulas are drawn as ever."""

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        return _measured(drawable(s), *_look(prop), self.dpi)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False,
        mtext: Any = None,
    ) -> None:  # fmt: skip
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        ink, left, top = _stamp(drawable(s), *_look(prop), self.dpi, angle)
        if ink.size:
            bottom = round(y) - top + ink.shape[0]
            self._renderer.draw_text_image(ink, round(x) + left, bottom, 0, gc)

    def _get_font_height_metrics(self, prop: Any) -> tuple[float, float, float]:
        """Ascent, descent and gap of a line.  matplotlib asks for it at each text."""
        return _line_heights(*_look(prop), self.dpi)


@lru_cache(KEPT)
def drawable(text: str) -> str:
    """`text` as the course's fonts can draw it: what they lack as its code point, ⟨U+1F642⟩.

    Hangul that is spelled in single letters (NFD) is drawn in syllables.
    """
    joined = unicodedata.normalize("NFC", text)
    if joined.isascii():
        return joined
    known = _characters()
    return "".join(c if ord(c) in known or c < " " else f"⟨U+{ord(c):04X}⟩" for c in joined)


@cache
def _characters() -> frozenset[int]:
    """The characters that the course's font or DejaVu has, which comes with matplotlib."""
    fonts = (get_font(fontManager.findfont(name)) for name in FAMILIES)
    return frozenset().union(*(font.get_charmap() for font in fonts))


def _look(prop: FontProperties) -> tuple[tuple[str, ...], float]:
    """All of a font that the course's figures set."""
    return tuple(prop.get_family()), prop.get_size_in_points()


def _font(family: tuple[str, ...], size: float, dpi: float) -> Any:
    font = get_font(fontManager._find_fonts_by_props(FontProperties(family=family, size=size)))
    font.clear()
    font.set_size(size, dpi)
    return font


@lru_cache(KEPT)
def _measured(
    text: str, family: tuple[str, ...], size: float, dpi: float
) -> tuple[float, float, float]:
    font = _font(family, size, dpi)
    font.set_text(text, 0.0, flags=get_hinting_flag())
    width, height = font.get_width_height()
    return width / 64, height / 64, font.get_descent() / 64


@lru_cache(KEPT)
def _line_heights(family: tuple[str, ...], size: float, dpi: float) -> tuple[float, float, float]:
    font = _font(family, size, dpi)
    table = font.get_sfnt_table("OS/2")
    scale = size * dpi / 72 / font.get_sfnt_table("head")["unitsPerEm"]
    gap, ascent, descent = ("sTypoLineGap", "sTypoAscender", "sTypoDescender")
    return table[ascent] * scale, -table[descent] * scale, table[gap] * scale


@lru_cache(KEPT)
def _stamp(text: str, family: tuple[str, ...], size: float, dpi: float, angle: float) -> Stamp:
    """A text's ink, as matplotlib would paint it with its baseline's start at the origin."""
    font, flags = _font(family, size, dpi), get_hinting_flag()
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = (0x10000 * np.array([[cos, -sin], [sin, cos]])).round().astype(int)
    glyphs = []
    for item in font._layout(text, flags=flags, features=None, language=None):
        item.ft_object.set_size(size, dpi)
        right, up = item.x * cos - item.y * sin, item.x * sin + item.y * cos
        item.ft_object._set_transform(turn, [round(0x40 * right), round(0x40 * up)])
        bitmap = item.ft_object._render_glyph(item.glyph_index, flags, RenderMode.NORMAL)
        if bitmap.buffer.size:
            glyphs.append((np.array(bitmap.buffer), bitmap.left, bitmap.top))
    if not glyphs:
        return np.zeros((0, 0), np.uint8), 0, 0
    left, top = min(each[1] for each in glyphs), max(each[2] for each in glyphs)
    right = max(x + ink.shape[1] for ink, x, _y in glyphs)
    low = min(y - ink.shape[0] for ink, _x, y in glyphs)
    whole = np.zeros((top - low, right - left), np.uint8)
    for ink, x, y in glyphs:
        rows, columns = ink.shape
        place = whole[top - y : top - y + rows, x - left : x - left + columns]
        np.maximum(place, ink, out=place)
    return whole, left, top
