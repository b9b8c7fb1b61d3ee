"""The look of the figures: every script draws without a warning, and a token is written in full."""

import io
import logging
import unicodedata
import warnings

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from utils.figures.style import (
    FONT,
    PIXEL_DENSITY,
    Colour,
    in_course_style,
    new_figure,
    png,
    quote_token,
    set_margins,
    show_token,
)

TEXTS = {
    "Korean": "온도 0.20에서 다음 토큰의 확률 뷁 힣 ㄱ ㅏ",
    "English": "The capital of France is Paris: it's $5, not $6",
    "mixed": "쿼리 · 키 × 값 → softmax … − ≈ ✓ ✗ ␣Paris ⏎ ⇥ ⟨EC·88⟩ � □ ∅",
    "decomposed Korean": unicodedata.normalize("NFD", "각한글"),
    "other scripts": "😀 👍🏽 漢字 日本語 हिन्दी العربية ไทย Ελληνικά Кириллица",
}


@in_course_style
def draw(text: str, parse_math: bool | None = None):
    figure = new_figure(480, 120)
    axes = figure.add_subplot()
    axes.barh(["␣단어", "␣word"], [0.7, -0.1])
    axes.set_title(text)
    axes.text(0.1, 0, text, parse_math=parse_math)
    return figure


def pixels(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png(figure))).convert("L"))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_script_draws_without_a_warning(text, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        png(draw(text))
    assert not caplog.records


def test_hangul_beside_a_formula_is_not_tofu():
    formula = r" $\frac{q \cdot k}{\sqrt{d}}$"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (pixels(draw(word + formula, parse_math=True)) for word in ("가", "힣"))
    assert (one != other).any()


def test_the_font_has_every_syllable_and_stays_small():
    glyphs = TTFont(FONT, lazy=True).getBestCmap()
    wanted = [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x3131, 0x318F)]
    wanted += [*range(0xAC00, 0xD7A4), *map(ord, "·…×−≈→←↑↓⏎␣√∑∞≤≥≠")]
    assert [chr(code) for code in wanted if code not in glyphs] == []
    assert FONT.stat().st_size < 1_300_000
    assert "SIL OPEN FONT LICENSE" in FONT.with_name("NotoSansKR-OFL.txt").read_text(
        encoding="utf-8"
    )


def test_a_dollar_is_a_dollar():
    assert (pixels(draw("$x$")) != pixels(draw("$x$", parse_math=True))).any()


def test_the_file_holds_the_pixels_that_were_drawn():
    figure = draw("토큰")
    opened = np.asarray(Image.open(io.BytesIO(png(figure))))
    np.testing.assert_array_equal(opened, figure.canvas.buffer_rgba())


def test_the_same_figure_is_the_same_bytes():
    assert png(draw("토큰 token")) == png(draw("토큰 token"))


def test_size_and_margins_are_in_css_pixels():
    @in_course_style
    def draw_black_axes():
        figure = new_figure(720, 300)
        set_margins(figure, left=100, right=20, top=30, bottom=50)
        figure.add_subplot(facecolor="black", xticks=[], yticks=[])
        return figure

    black = pixels(draw_black_axes()) < 128
    assert black.shape == (300 * PIXEL_DENSITY, 720 * PIXEL_DENSITY)
    rows, columns = black.nonzero()
    edges = np.array([columns.min(), columns.max() + 1, rows.min(), rows.max() + 1]) / PIXEL_DENSITY
    np.testing.assert_allclose(edges, [100, 700, 30, 250], atol=1)


def test_the_learners_own_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    png(draw("토큰"))
    assert dict(matplotlib.rcParams) == before


def test_a_figure_out_of_style_is_refused():
    with pytest.raises(RuntimeError, match="@in_course_style"):
        new_figure(100, 100)


def test_the_colours_are_colours():
    for name, value in vars(Colour).items():
        if isinstance(value, str) and value.startswith("#"):
            assert matplotlib.colors.is_color_like(value), name
    assert {Colour.WEIGHTS, Colour.SIGNED} <= set(matplotlib.colormaps)


@pytest.mark.parametrize(
    ("token", "shown", "quoted"),
    [
        ("Paris", "Paris", "'Paris'"),
        (" Paris", "␣Paris", "' Paris'"),
        (" 서울", "␣서울", "' 서울'"),
        ("  ", "␣␣", "'  '"),
        ("\n\n", "⏎⏎", "'⏎⏎'"),
        ("\t", "⇥", "'⇥'"),
        ("", "∅", "'∅'"),
        ("$", "$", "'$'"),
        ("\r", "⟨U+000D⟩", "'⟨U+000D⟩'"),
        ("\u200b", "⟨U+200B⟩", "'⟨U+200B⟩'"),
        ("\ufffd", "�", "'�'"),
        (b"\xec\x88", "⟨EC·88⟩", "'⟨EC·88⟩'"),
        (b" \xec\x88", "␣⟨EC·88⟩", "' ⟨EC·88⟩'"),
        ("수".encode(), "수", "'수'"),
        ("<|im_start|>", "<|im_start|>", "'<|im_start|>'"),
    ],
)
def test_a_token_is_written_in_full(token, shown, quoted):
    assert show_token(token) == shown
    assert quote_token(token) == quoted
