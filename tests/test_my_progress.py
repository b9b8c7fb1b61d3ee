"""The front door: the map, and the learner's progress with its three faces."""

import random

import nbformat
import pytest

from course.map import OPENED_IN, course_map
from course.my_progress import ProgressExplorer
from course.notebooks.contents import contents
from course.notebooks.lesson import read_lesson
from course.progress import events
from utils.figures.model_map import PARTS
from utils.figures.style import png
from utils.language import use_language


@pytest.fixture(autouse=True)
def notebooks(learner):
    """A learner's folder of the English chapters, of which two are there; they work elsewhere."""
    for name in ("01_generation_loop", "03_decoding"):
        (learner / f"{name}.ipynb").write_text(f"mine: {name}", encoding="utf-8")
    return learner


def shown(figure) -> set[str]:
    return {text.get_text() for text in figure.axes[0].texts}


def test_every_part_of_the_map_is_opened_by_a_lesson():
    assert OPENED_IN.keys() == PARTS.keys()
    assert {*OPENED_IN.values()} <= {lesson.number for lesson in contents()}


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_map_of_a_lesson_shows_and_says_what_it_opens(lang):
    use_language(lang)
    seen = set()
    for number in sorted({*OPENED_IN.values()}):
        picture = course_map(number)
        assert f" {number}" in picture.words.splitlines()[0]
        labels = shown(picture.figure)
        assert number in labels  # not by colour alone: the lesson's number stands at what is open
        assert not labels & ({*OPENED_IN.values()} - {number})
        seen.add(png(picture.figure))
    assert len(seen) == len({*OPENED_IN.values()})
    whole = course_map()
    assert {*OPENED_IN.values()} <= shown(whole.figure)
    for number in OPENED_IN.values():
        assert f"\n{number}: " in whole.words
    for lesson in contents()[1:]:
        assert lesson.number in course_map(lesson.number).words
    assert repr(whole) == whole.words


def test_a_lesson_that_opens_nothing_is_refused():
    with pytest.raises(ValueError, match=r"01 to \d\d, not '99'"):
        course_map("99")


def test_every_lesson_shows_its_map_after_the_language():
    for lesson in contents():
        code = [cell for cell in read_lesson(lesson.source) if cell.kind == "code"]
        ids = list(dict.fromkeys(cell.id for cell in code))
        assert ids[:2] == ["language", "map"], lesson.number
        call = next(cell.source for cell in code if cell.id == "map").splitlines()[-1]
        number = "" if lesson.number == "00" else f'"{lesson.number}"'
        assert call == f"course_map({number})"


def test_progress_in_words_picture_and_links():
    nothing = ProgressExplorer()
    assert repr(nothing).startswith("Your progress: 0 of ")
    assert "Next: exercise 1.1 in lesson 01" in repr(nothing)
    events.record_attempt("1.1", True)
    events.record_attempt("1.2", False, "added-up")
    explorer = ProgressExplorer()
    assert repr(explorer).startswith("Your progress: 1 of ")
    assert "01 The generation loop, 60 min: 1 of 4 passed, 1 attempted" in repr(explorer)
    bundle, _metadata = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert bundle["image/png"] != nothing._repr_mimebundle_()[0]["image/png"]
    assert "Next: exercise 1.2" in explorer._links.value
    for lesson in contents():
        assert (f'href="{lesson.notebook}"' in explorer._links.value) == (lesson.number != "00")
    nothing.press("refresh")
    assert repr(nothing) == repr(explorer)


def test_all_done():
    for lesson in contents():
        for number in lesson.exercises:
            events.record_attempt(number, True)
    assert "All exercises are passed." in repr(ProgressExplorer())


def test_to_start_anew_is_asked_first_and_keeps_everything(notebooks, tmp_path):
    for number in ("1.1", "3.1", "3.2"):
        events.record_attempt(number, True)
    before = list(events.rows())
    explorer = ProgressExplorer().set(lesson="03").press("anew")
    assert explorer._confirm.layout.display == ""
    assert "Start anew: 03 · Decoding?" in explorer._asks.value
    explorer.press("no")
    assert explorer._confirm.layout.display == "none"
    assert list(events.rows()) == before

    explorer.press("anew").press("yes")
    assert explorer._confirm.layout.display == "none"
    assert list(events.summary()) == ["1.1"]
    (kept,) = notebooks.glob("03_decoding-*.ipynb")
    assert kept.read_text(encoding="utf-8") == "mine: 03_decoding"
    assert len(nbformat.read(notebooks / "03_decoding.ipynb", as_version=4).cells) > 20
    assert (notebooks / "01_generation_loop.ipynb").read_text(
        encoding="utf-8"
    ) == "mine: 01_generation_loop"
    (copy,) = tmp_path.glob("progress-*.sqlite")
    assert f"Kept: {kept.name}, {copy.name}." in repr(explorer)

    explorer.set(lesson="all").press("anew").press("yes")
    assert events.summary() == {}
    assert len(list(notebooks.glob("01_generation_loop-*.ipynb"))) == 1
    assert "Your progress: 0 of " in repr(explorer)


def test_a_solved_notebook_is_nobodys(notebooks, monkeypatch):
    events.record_attempt("1.1", True)
    before = {path: path.read_text(encoding="utf-8") for path in notebooks.iterdir()}
    monkeypatch.setenv("COURSE_LEARNER", "off")
    explorer = ProgressExplorer()
    assert "Your progress: 0 of " in repr(explorer)
    for action in ("anew", "yes"):
        explorer.press(action)
        assert "A solved notebook is for reading." in repr(explorer)
    assert events.summary()["1.1"].passed
    assert {path: path.read_text(encoding="utf-8") for path in notebooks.iterdir()} == before


def test_where_progress_cannot_be_kept_the_page_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.sqlite"))
    assert "COURSE_PROGRESS" in repr(ProgressExplorer())


def test_two_hundred_moves():
    draw = random.Random(0)
    explorer = ProgressExplorer()
    numbers = [number for lesson in contents() for number in lesson.exercises]
    for _move in range(200):
        if draw.random() < 0.15:
            events.record_attempt(draw.choice(numbers), draw.random() < 0.5)
        explorer.set(lesson=draw.choice(["01", "08", "all", "9", None, 3]))
        explorer.press(draw.choice(["refresh", "anew", "no"]))
    assert "COURSE" not in repr(explorer)
