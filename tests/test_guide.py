"""The instructor's guide holds: its minutes, its links, what its demonstrations say will appear."""

import re
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import nbformat
import pytest

from course import ROOT
from course.graders import diagnosis_sentence
from course.lessons import lesson_files, lesson_of
from course.notebooks.lesson import read_lesson
from course.notebooks.words import exercise_numbers, exercise_words
from utils.language import LANGUAGES

WORKSHOP = ROOT / "course" / "workshop"
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
BLOCK = re.compile(r"(?ms)^```.*?^```")
LESSON_SOURCES = [path for path in lesson_files() if path.name[:2] != "00"]
# The subsections that each lesson has in the guide, in their order, whatever the language.
AIM, PICTURE, QUESTIONS, STUCK, DEMONSTRATION, SHORT_OF_TIME, NOTES = range(7)

each_language = pytest.mark.parametrize("lang", LANGUAGES)
each_lesson = pytest.mark.parametrize("path", LESSON_SOURCES, ids=lambda path: path.stem)


@cache
def guide(lang):
    return (WORKSHOP / f"guide.{lang}.md").read_text(encoding="utf-8")


@cache
def lesson_prose(path, lang):
    return [cell.source for cell in read_lesson(path) if cell.lang == lang]


@cache
def notebook(folder, lang, name):
    return nbformat.read(ROOT / folder / lang / f"{name}.ipynb", as_version=4)


def split_at(mark, text):
    """The parts of `text` that begin with a heading of this depth, by that heading."""
    parts = re.split(rf"(?m)^{mark} (.+)$", text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def chapter(path, lang):
    """What the guide says of a lesson: its subsections, in order."""
    title = lesson_prose(path, lang)[0].splitlines()[0].removeprefix("# ")
    subsections = split_at("###", split_at("##", guide(lang))[title])
    assert len(subsections) == NOTES + 1
    return list(subsections.values())


def lesson_minutes(number):
    """(all, reading, exercises) as the head of lesson `number`, such as "03", says."""
    path = next(path for path in LESSON_SOURCES if path.name.startswith(number))
    return tuple(map(int, re.findall(r"(\d+)분", lesson_prose(path, "ko")[0])[:3]))


def tables(lang, first):
    """Each table whose first cell matches `first`, as a list of rows of cells."""
    found = []
    for table in re.findall(r"(?m)(?:^\|.*\n)+", guide(lang)):
        lines = table.splitlines()[2:]  # after the head and the rule
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        if re.match(first, rows[0][0]):
            found.append(rows)
    return found


def exercise_minutes(text):
    return sum(exercise_words(number).minutes for number in re.findall(r"\b\d\.\d+\b", text))


CLOCK, AT_HOME, LIST, EXAMPLE = r"\d\d:\d\d$", r"at home|집에서", r"\[\d\d\]", r"\d+$"


@each_language
def test_the_list_of_lessons_has_their_minutes(lang):
    (rows,) = tables(lang, LIST)
    assert [LINK.match(row[0])[1] for row in rows] == [path.name[:2] for path in LESSON_SOURCES]
    for lesson, *minutes in rows:
        assert tuple(map(int, minutes)) == lesson_minutes(LINK.match(lesson)[1]), lesson


@each_language
def test_a_timetable_ends_when_it_says(lang):
    timetables = tables(lang, CLOCK)
    assert len(timetables) == 4  # half a day, a day, and two evenings
    for rows in timetables:
        for (begins, minutes, _), (then, *_rest) in pairwise(rows):
            ends = datetime.strptime(begins, "%H:%M") + timedelta(minutes=int(minutes))
            assert ends.strftime("%H:%M") == then, f"{begins} + {minutes} minutes"
        assert not rows[-1][1]


@each_language
def test_a_row_takes_the_reading_and_the_exercises_that_it_names(lang):
    rows = [row for table in tables(lang, f"{CLOCK}|{AT_HOME}") for row in table]
    lessons = [(minutes, what) for _, minutes, what in rows if LINK.match(what)]
    assert len(lessons) == 20
    for minutes, what in lessons:
        number = LINK.match(what)[1]
        named = re.findall(r"\b(\d)\.\d+\b", what)
        assert set(named) == {number.lstrip("0")}, what
        assert int(minutes) == lesson_minutes(number)[1] + exercise_minutes(what), what


@each_language
def test_the_example_is_a_row_of_half_a_day(lang):
    (example,) = tables(lang, EXAMPLE)
    row = next(row for row in tables(lang, CLOCK)[0] if row[2].startswith("[03]"))
    assert sum(int(minutes) for minutes, _ in example) == int(row[1])
    assert sum(exercise_minutes(what) for _, what in example) == exercise_minutes(row[2])
    for minutes, what in example:
        assert exercise_minutes(what) in (0, int(minutes)), what


@each_language
def test_links_lead_somewhere(lang):
    for _, target in LINK.findall(guide(lang)):
        path, _, cell_id = target.partition("#cell-id=")
        assert (WORKSHOP / path).is_file(), target
        assert f"/{lang}/" in path or path.startswith("guide."), target
        if cell_id:
            folder, _, name = path.removeprefix("../../").removesuffix(".ipynb").split("/")
            assert cell_id in {cell.id for cell in notebook(folder, lang, name).cells}, target


def test_both_languages_have_the_same_structure():
    texts = [guide(lang).replace(f"/{lang}/", "/") for lang in ("ko", "en")]
    blocks = [BLOCK.findall(text) for text in texts]
    assert blocks[0] == blocks[1]
    texts = [BLOCK.sub("", text) for text in texts]
    depths = [re.findall(r"(?m)^(#+) ", text) for text in texts]
    assert depths[0] == depths[1]
    sections = [re.split(r"(?m)^(?=#+ )", text)[2:] for text in texts]  # after the first's links
    for ko, en in zip(*sections, strict=True):
        heading = f"{ko.splitlines()[0]} / {en.splitlines()[0]}"
        assert sorted(CODE.findall(ko)) == sorted(CODE.findall(en)), heading
        assert [x[1] for x in LINK.findall(ko)] == [x[1] for x in LINK.findall(en)], heading
        for start in (r"(?m)^- ", r"(?m)^\d+\. ", r"(?m)^\| *[\d:]*"):
            assert len(re.findall(start, ko)) == len(re.findall(start, en)), heading


@each_language
@each_lesson
def test_a_picture_for_the_board_is_no_wider_than_a_page(path, lang):
    (picture,) = BLOCK.findall(chapter(path, lang)[PICTURE])
    assert max(map(len, picture.splitlines())) <= 80


@each_language
@each_lesson
def test_speaker_notes_follow_the_lesson(path, lang):
    sections = re.findall(r"(?m)^## (.+)$", "\n".join(lesson_prose(path, lang)))
    assert list(split_at("####", chapter(path, lang)[NOTES])) == sections


@each_language
@each_lesson
def test_a_demonstration_promises_what_the_solved_notebook_shows(path, lang):
    shown = []
    for cell in notebook("solutions", lang, path.stem).cells:
        shown += [cell.id, cell.source]
        for output in cell.get("outputs", ()):
            shown.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    everything = "\n".join(shown)
    for promised in CODE.findall(chapter(path, lang)[DEMONSTRATION]):
        assert promised in everything, f"`{promised}` is not in the solved notebook"


@each_language
@each_lesson
def test_a_demonstration_names_controls_as_they_are_labelled(path, lang):
    catalogue = (ROOT / "utils/locale/ko/LC_MESSAGES/course.po").read_text(encoding="utf-8")
    explorers = "".join(
        p.read_text(encoding="utf-8") for p in (ROOT / "utils/explorers").glob("*.py")
    )  # "min-p"
    kind = "msgid" if lang == "en" else "msgstr"
    demonstration = " ".join(CODE.sub("", chapter(path, lang)[DEMONSTRATION]).split())
    for label in re.findall(r"\*([^*]+)\*", demonstration):
        assert f'{kind} "{label}"' in catalogue or f'"{label}"' in explorers, label


@each_language
@each_lesson
def test_sticking_points_are_diagnoses_of_the_graders(path, lang):
    stuck = chapter(path, lang)[STUCK]
    assert set(re.findall(r"(?m)^- (\d\.\d+)", stuck)) <= set(exercise_numbers())
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", stuck)
    cells = {cell.id for cell in read_lesson(path) if cell.kind == "code"}
    diagnoses = [name for name in named if name not in cells]
    assert len(diagnoses) >= 3
    known = [number for number in exercise_numbers() if lesson_of(number) == path.name[:2]]
    for name in diagnoses:
        assert any(diagnosis_sentence(number, name) for number in known), name
