"""What is drawn can be read: in both themes, in both languages, to the picture's edge, any script.

axe judges what a page says; the text inside pictures is judged here, as it is painted.
"""

import html
import unicodedata
from dataclasses import dataclass, replace

import nbformat
import numpy as np
import pytest
import torch
from nbconvert import HTMLExporter

from course.map import course_map
from tests.test_figures_picture import EXPLORERS, TEXT, explorer_named
from tests.tiny_models import TINY, tiny_tokenizer
from utils.attention import HeadView, record_attention
from utils.explorers.streams import StreamsExplorer
from utils.explorers.tokens import TokenizerExplorer
from utils.figures import streams, style, text
from utils.figures.gating import gating_picture
from utils.figures.head_shapes import head_shapes_picture
from utils.figures.losses import distance_picture, loss_picture
from utils.figures.one_query import one_query_picture
from utils.figures.page import new_page, write
from utils.figures.picture import Picture
from utils.figures.streams import streams_picture
from utils.figures.style import Colour, in_course_style, png, quote_token, show_token, turned
from utils.figures.text import StampingRenderer, drawable
from utils.figures.view import LOOK
from utils.gating import record_gating
from utils.head_shapes import head_shapes
from utils.language import use_language

INVERT = 0.933  # as view.css has it
HUE_ROTATE_180 = np.array(  # as the CSS filter effects define it
    [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]]
)


@dataclass(frozen=True)
class Painted:
    """One text of a picture, as it came onto it."""

    says: str
    outside: bool  # some of its ink is not in the picture, or on its last pixels
    light: float  # its contrast to what lies under it
    dark: float  # the same as JupyterLab's dark theme shows it


@pytest.fixture
def painted(monkeypatch) -> list[Painted]:
    """Every text that is painted from now on."""
    found: list[Painted] = []
    paint = StampingRenderer.draw_text

    def watch(renderer, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        ink, left, top = text._stamp(drawable(s), *text._look(prop), renderer.dpi, angle)
        if ink.size and not ismath:
            pixels = np.asarray(renderer.buffer_rgba())
            (rows, columns), first = ink.shape, (round(y) - top, round(x) + left)
            past = (first[0] + rows, first[1] + columns)
            outside = min(first) < 1 or past[0] >= len(pixels) or past[1] >= len(pixels[0])
            under = pixels[max(0, first[0]) : past[0], max(0, first[1]) : past[1], :3]
            ground = np.median(under.reshape(-1, 3), axis=0) / 255
            colour = np.array(gc.get_rgb()[:3])
            in_dark = contrast(in_the_dark(colour), in_the_dark(ground))
            found.append(Painted(s, outside, contrast(colour, ground), in_dark))
        paint(renderer, gc, x, y, s, prop, angle, ismath, mtext)

    monkeypatch.setattr(style, "PIXEL_DENSITY", 1)  # quicker, and the same places
    monkeypatch.setattr(StampingRenderer, "draw_text", watch)
    return found


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Of two colours, red green blue from 0 to 1; as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: np.ndarray) -> float:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def in_the_dark(colour: np.ndarray) -> np.ndarray:
    inverted = INVERT - (2 * INVERT - 1) * colour
    return (HUE_ROTATE_180 @ inverted).clip(0, 1)


def faults(painted: list[Painted]) -> list[Painted]:
    return [each for each in painted if each.outside or min(each.light, each.dark) < 4.5]


def test_the_dark_theme_is_what_is_measured_here():
    assert f"filter: invert({INVERT:.1%}) hue-rotate(180deg)" in LOOK
    white, black = in_the_dark(np.ones(3)), in_the_dark(np.zeros(3))
    np.testing.assert_allclose(white, 0x11 / 255, atol=0.002)  # JupyterLab's own ground
    np.testing.assert_allclose(black, INVERT, atol=0.002)
    red, _green, blue = in_the_dark(np.array([0, 0.447, 0.698]))
    assert blue > 2 * red  # what is said to be blue is blue


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", EXPLORERS)
def test_every_text_in_a_picture_can_be_read(painted, name, language):
    use_language(language)
    streams._drawn_reading.cache_clear()
    explorer_named(name)
    assert len(painted) > 5
    assert faults(painted) == []
    use_language("en")


def test_a_text_that_cannot_be_read_is_found(painted):
    @in_course_style
    def draw():
        figure, page = new_page(100)
        write(page, 20, 20, "well")
        write(page, 20, 50, "pale", color=Colour.REMOVED)
        write(page, 735, 80, "beyond")
        return figure

    png(draw())
    assert [each.says for each in faults(painted)] == ["pale", "beyond"]


PICTURES = {
    "distances": lambda _model, _tokenizer: distance_picture([0, 1000], [2.0, 7.5], 3.25, 512),
    "gating": lambda *tiny: gating_picture(record_gating(*tiny, TEXT, layer=1)),
    "head shapes": lambda model, _tokenizer: head_shapes_picture(head_shapes(model, 5)),
    "losses": lambda *_tiny: loss_picture([3.0, 2.5], [3.0, 2.5, 2.0, 9.0], 512, 1024),
    "map": lambda *_tiny: course_map(),
    "map of a lesson": lambda *_tiny: course_map("06"),
    "one query": lambda *tiny: one_query_picture(
        HeadView(record_attention(*tiny, TEXT), 1, 2, 3, "weights")
    ),
    "surest": lambda *tiny: sure_cells(*tiny),
}


def sure_cells(model, tokenizer) -> Picture:
    """The lens of a model that is sure of everything: its cells are as blue as can be."""
    reading = StreamsExplorer(model, tokenizer, TEXT).now()
    sure = replace(reading.reading, probabilities=torch.ones_like(reading.reading.probabilities))
    return streams_picture(replace(reading, reading=sure))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_text_in_a_picture_of_a_lesson_can_be_read(painted, name, language):
    use_language(language)
    PICTURES[name](TINY["llama"](), tiny_tokenizer()).image()
    assert len(painted) > 3
    assert faults(painted) == []
    use_language("en")


MISSING = {"🙂": "⟨U+1F642⟩", " র": "␣⟨U+09B0⟩", "漢字": "⟨U+6F22⟩⟨U+5B57⟩", "न": "⟨U+0928⟩"}


@pytest.mark.parametrize("token", MISSING)
def test_a_character_that_the_fonts_lack_is_its_code_point(token):
    assert show_token(token) == MISSING[token] == show_token(token.encode())
    assert quote_token(token) == f"'{token}'"  # words keep it


def test_what_the_fonts_have_is_left_alone():
    for known in ("␣Paris", "다음 토큰", "Ωμέγα Привет 😀", "⟨EC·88⟩ ⏎ ⇥ ∅ ▸ ✓ ✗"):
        assert drawable(known) == known


def test_decomposed_hangul_is_drawn_joined():
    apart = unicodedata.normalize("NFD", "각한글")
    assert drawable(apart) == show_token(apart) == "각한글"
    assert quote_token(apart) == f"'{apart}'"


def test_no_picture_has_a_box_in_place_of_a_character(painted):
    explorer = explorer_named("tokens")
    assert isinstance(explorer, TokenizerExplorer)
    explorer.set(text="🙂 र 각", show_bytes=False)
    known = text._characters()
    assert {c for each in painted for c in drawable(each.says) if ord(c) not in known} == set()


def test_a_turned_label_has_no_bracket():
    assert turned("␣dog") == "·dog"


def test_an_exported_picture_keeps_its_words():
    """From the output's metadata, where the template reads them: nbconvert's "lab" does not."""
    picture = course_map("06")
    data, metadata = picture._repr_mimebundle_()
    kept = {kind: data[kind] for kind in ("image/png", "text/plain")}  # as a solved notebook's
    output = nbformat.v4.new_output("display_data", kept, metadata=metadata)
    cell = nbformat.v4.new_code_cell("course_map('06')", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page, _resources = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert f'alt="{picture.words}"' in html.unescape(page)
