"""The lessons as they are written: every concept shown, both languages alike, times that add up."""

import re
from itertools import pairwise

import nbformat
import pytest

from course import ROOT
from course.lessons import lesson_files
from course.notebooks.lesson import read_lesson
from course.notebooks.words import exercise_numbers, exercise_words, lesson_words, question_numbers

PATHS = lesson_files()
each_lesson = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def pairs(path):
    """The lesson's pairs of Korean and English cells."""
    cells = read_lesson(path)
    return [(ko, en) for ko, en in pairwise(cells) if ko.lang == "ko"]


@each_lesson
def test_shows_its_concepts_in_executed_cells(path):
    wanted = lesson_words(path, "en").concepts.keys()
    assert bool(wanted) == (path.name[:2] != "00")
    for lang in ("ko", "en"):
        solved = nbformat.read(ROOT / f"solutions/{lang}/{path.stem}.ipynb", as_version=4)
        shown = {
            tag
            for cell in solved.cells
            if cell.cell_type == "code" and cell.execution_count and cell.outputs
            for tag in cell.metadata.get("tags", [])
        }
        assert wanted <= shown


def test_every_concept_is_taught_once():
    taught = [concept for path in PATHS for concept in lesson_words(path, "en").concepts]
    assert taught == [f"C{number:02d}" for number in range(1, len(taught) + 1)]


@each_lesson
def test_languages_have_the_same_structure(path):
    for ko, en in pairs(path):
        assert re.search("[가-힣]", ko.source) or ko.kind == "code"
        assert not re.search("[가-힣]", re.sub("`[^`]*`|“[^”]*”", "", en.source))
        for pattern in (r"(?m)^#+ ", r"\]\([^)]*\)", r"\$[^$]+\$", r"`[^`]+`"):
            found = [sorted(re.findall(pattern, cell.source)) for cell in (ko, en)]
            assert found[0] == found[1], f"{path.name}:{ko.line}"


@each_lesson
def test_minutes_are_the_sum_of_their_parts(path):
    number = str(int(path.name[:2]))
    if number == "0":
        return
    head = read_lesson(path)
    exercises = sum(
        exercise_words(n).minutes for n in exercise_numbers() if n.split(".")[0] == number
    )
    for cell in head[:2]:
        total, reading, solving = map(
            int, re.findall(r"(\d+)(?:분| minutes| to read| for)", cell.source)[:3]
        )
        assert reading + solving == total
        assert solving == exercises
        stop = {"ko": "(?m)^## 쉬어 가기: ", "en": "(?m)^## A place to stop: "}[cell.lang]
        stops = sum(len(re.findall(stop, each.source)) for each in head if each.lang == cell.lang)
        assert 45 <= total / (1 + stops) <= 100


@each_lesson
def test_cells_are_short_and_all_exercises_and_questions_are_asked(path):
    cells = read_lesson(path)
    for cell in cells:
        if cell.kind == "code":
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 25, f"{path.name}:{cell.line}"
    text = "\n".join(cell.source for cell in cells)
    number = str(int(path.name[:2]))
    for kind, known in (("Exercise", exercise_numbers()), ("Question", question_numbers())):
        asked = set(re.findall(kind + r'\("([^"]+)"\)', text))
        assert asked == {n for n in known if n.split(".")[0] == number}


@each_lesson
def test_chapters_hold_no_solution(path):
    for cell in read_lesson(path):
        for solution in re.findall(r"(?s)# BEGIN SOLUTION\n(.*?)# END SOLUTION", cell.source):
            for lang in ("ko", "en"):
                chapter = nbformat.read(ROOT / f"chapters/{lang}/{path.stem}.ipynb", as_version=4)
                assert not any(solution.strip() in c.source for c in chapter.cells)
                assert not any("SOLUTION" in c.source for c in chapter.cells)
