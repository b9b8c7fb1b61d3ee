"""What every explorer can do, on one made for the test: it redraws when it should, only then."""

import weakref

import ipywidgets as widgets
import pytest
import torch

from utils.explorers.base import (
    REMEMBERING,
    Explorer,
    TextExplorer,
    last_remembered,
    position_slider,
    text_box,
)
from utils.figures.picture import Picture, Region
from utils.figures.style import in_course_style, new_figure
from utils.model_store import ModelError

BROKEN = Explorer._broken  # what a learner has; in other tests it raises


@in_course_style
def letter_picture(record: tuple[str, int]) -> Picture:
    text, position = record
    regions = (Region((0, 0, 9, 9), "first", {"position": 0}),)
    return Picture(
        new_figure(200, 120), f"letter {position} of '{text}': {text[position]}", regions
    )


class Letters(TextExplorer):
    """The letters of a text; counts how often it was asked for a record."""

    picture = staticmethod(letter_picture)

    def __init__(self, text: str):
        self.asked = 0
        super().__init__({"text": text_box("text", text), "position": position_slider()})

    def record(self, text: str, position: int) -> tuple[str, int]:
        self.asked += 1
        if not text:
            raise ValueError("no text")
        return text, position

    def positions(self, text: str) -> range:
        if not text:
            raise ValueError("no text")
        return range(len(text))


def test_it_draws_once_when_it_is_made_and_once_for_each_move():
    letters = Letters("abc")
    assert letters.asked == 1
    assert repr(letters) == "letter 2 of 'abc': c"
    letters.set(text="abcdef", position=3)
    assert letters.asked == 2
    assert repr(letters) == "letter 3 of 'abcdef': d"
    letters.controls["position"].value = 1  # a hand on the slider
    assert letters.asked == 3
    assert [region.text for region in letters.regions] == ["first"]


def test_quietly_is_quiet_within_another():
    letters = Letters("abc")
    with letters.quietly():
        with letters.quietly():
            letters.controls["position"].value = 0
        letters.controls["position"].value = 1
    assert letters.asked == 1
    letters.controls["position"].value = 2
    assert letters.asked == 2


def test_quiet_ends_with_an_error():
    letters = Letters("abc")
    with pytest.raises(RuntimeError), letters.quietly():
        raise RuntimeError
    letters.controls["position"].value = 0
    assert letters.asked == 2


@pytest.mark.parametrize("error", [RuntimeError("out of luck"), MemoryError(), KeyError("x")])
def test_any_error_becomes_a_sentence_that_tells_box_and_picture_apart(monkeypatch, error):
    monkeypatch.setattr(Explorer, "_broken", BROKEN)
    letters = Letters("abc")

    def fails(*_asked, **_values):
        raise error

    monkeypatch.setattr(Letters, "positions", fails)
    monkeypatch.setattr(Letters, "record", fails)
    letters.controls["text"].value = "abcd"  # a hand
    words, says = repr(letters).split("\n")
    assert words == "letter 2 of 'abc': c"
    assert says.startswith(f"This did not work: {type(error).__name__}")
    assert says.endswith(". The picture still shows what was there before.")
    assert 'role="alert"' in letters._message.value
    assert repr(Letters("abc")) == says.removesuffix(
        " The picture still shows what was there before."
    )
    monkeypatch.undo()
    assert repr(letters.set(text="ab")) == "letter 1 of 'ab': b"


def test_what_a_model_error_says_is_said(monkeypatch):
    letters = Letters("abc")

    def fails(**_values):
        raise ModelError("Run `python -m course lab` once.")

    monkeypatch.setattr(letters, "record", fails)
    letters.redraw()
    assert repr(letters) == "letter 2 of 'abc': c\nRun `python -m course lab` once."


def test_a_text_that_is_refused_leaves_slider_and_picture():
    letters = Letters("abc")
    letters.set(text="")
    assert repr(letters) == "letter 2 of 'abc': c\nno text"
    assert letters.controls["position"].max == 2
    assert letters.set(text="ab").controls["position"].max == 1


def test_the_mime_bundle_has_picture_words_and_live_view():
    bundle, metadata = Letters("abc")._repr_mimebundle_()
    assert bundle["text/plain"] == "letter 2 of 'abc': c"
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert metadata["image/png"] == {"width": 200, "alt": "letter 2 of 'abc': c"}


def test_only_the_last_is_remembered_and_no_error():
    asked = []

    @last_remembered
    def length(text: str) -> int:
        asked.append(text)
        if not text:
            raise ValueError("no text")
        return len(text)

    assert [length("a"), length("a"), length("ab"), length("a")] == [1, 1, 2, 1]
    for _again in (1, 2):
        with pytest.raises(ValueError, match="no text"):
            length("")
    assert length("a") == 1
    assert asked == ["a", "ab", "a", "", ""]


def test_explorers_that_nobody_touches_any_more_keep_no_tensors():
    def explorer():
        return last_remembered(lambda _text: torch.zeros(3))

    made = [explorer() for _again in range(REMEMBERING + 1)]  # a cell, run again and again
    kept = [weakref.ref(each("a")) for each in made]
    assert [each() is None for each in kept] == [True] + [False] * REMEMBERING
    assert made[-1]("a") is kept[-1]()
    made[0]("a")  # touched after all
    assert [each() is None for each in kept] == [True] * 2 + [False] * (REMEMBERING - 1)


def test_a_text_box_answers_when_it_is_left():
    box = text_box("prompt", "hello")
    assert isinstance(box, widgets.Text)
    assert not box.continuous_update
    assert issubclass(Letters, Explorer)


def test_a_pick_from_code_is_a_click_in_the_picture():
    letters = Letters("abc")
    assert repr(letters.pick(position=0)) == "letter 0 of 'abc': a"
    letters.set(position=2)
    version = letters._picture._front_end.shown["version"]
    letters._picture._hear(None, {"pick": 0, "of": version}, [])
    assert repr(letters) == "letter 0 of 'abc': a"
    letters.set(position=2)
    letters._picture._hear(None, {"pick": 0, "of": version}, [])  # of a picture that is gone
    assert repr(letters) == "letter 2 of 'abc': c"
    with pytest.raises(ValueError, match=r"pick\(position=0\)"):
        letters.pick(position=1)
    with pytest.raises(ValueError, match="Exactly one"):
        letters.pick()


def test_bytes_are_sent_once_a_front_end_has_said_that_it_runs():
    view = Letters("abc")._picture
    assert "base64" in view.plain.value
    assert view._front_end.png == b""
    view._hear(None, {"alive": True}, [])
    assert "base64" not in view.plain.value
    assert view._front_end.png.startswith(b"\x89PNG")
