"""A lesson's source: one Python file in jupytext's percent format, read into cells and checked.

Cells with `lang="ko"` or `lang="en"` stand in adjacent pairs and go to that language's notebooks;
all others go to both, each with the docstring in its language where two stand side by side.  What a
lesson says of its exercises and questions stands in pairs of its own, which go into no notebook:
see `course.notebooks.words`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import jupytext

from course.lessons import lesson_files
from course.notebooks.words import WordsError, lesson_words
from utils.language import LANGUAGES, _

DOCSTRING = r'"""(?:(?!""").)*"""'
DOCSTRINGS = re.compile(rf"(?ms)^( +)({DOCSTRING})\n\1({DOCSTRING})$")  # Korean, then English
WORDS = {"lesson", "hints", "question"}  # the attribute of a cell that goes into no notebook


def in_language(source: str, lang: str) -> str:
    """`source` with the docstring in `lang` where two stand side by side, the Korean one first."""
    return DOCSTRINGS.sub(lambda m: m[1] + m[2 if lang == "ko" else 3], source)


class LessonError(ValueError):
    """A lesson that cannot be built; the message opens with file and line."""


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson: `kind` "markdown" or "code"; `lang` "ko", "en" or None for both."""

    kind: str
    source: str
    line: int
    lang: str | None
    id: str
    tags: tuple[str, ...]


def read_lesson(path: Path) -> list[Cell]:
    """The cells of a lesson, checked.  Raises LessonError naming file and line."""
    text = path.read_text(encoding="utf-8")
    lines = [n for n, line in enumerate(text.split("\n"), 1) if line.startswith("# %%")]
    nodes = jupytext.reads(text, fmt="py:percent").cells
    if len(nodes) != len(lines):
        raise LessonError(f"{path.name}:1: text before the first '# %%' cell")

    cells, code_id, texts = [], "start", 0
    for node, line in zip(nodes, lines, strict=True):
        lang = node.metadata.get("lang")
        if words := WORDS & node.metadata.keys():
            kind, cell_id = "words", f"{min(words)}-{node.metadata[min(words)]}"
        elif node.cell_type == "code":
            kind, texts = "code", 0
            cell_id = code_id = node.metadata.get("id", "")
        else:  # numbered after the code cell above, so that an edit elsewhere changes no id
            kind, texts = "markdown", texts + (lang != "en")
            cell_id = f"{code_id}-text-{texts}"
        tags = tuple(node.metadata.get("tags", ()))
        cells.append(Cell(kind, node.source, line, lang, cell_id, tags))
    _check(path, cells)
    _check_words(path, cells)
    return [cell for cell in cells if cell.kind != "words"]


def _check(path: Path, cells: list[Cell]) -> None:
    def refuse(cell: Cell, why: str) -> NoReturn:
        raise LessonError(f"{path.name}:{cell.line}: {why}")

    seen = set()
    for cell, before, after in zip(cells, [None, *cells], [*cells[1:], None], strict=False):
        if cell.lang not in (None, *LANGUAGES):
            refuse(cell, f'lang="{cell.lang}" is neither "ko" nor "en"')
        if cell.kind != "code" and cell.lang is None:
            refuse(cell, 'a markdown cell needs lang="ko" or lang="en"')
        pair = {"ko": after, "en": before}[cell.lang] if cell.lang else cell
        if cell.lang and (
            pair is None
            or {cell.lang, pair.lang} != {"ko", "en"}
            or (pair.kind, pair.id) != (cell.kind, cell.id)
        ):
            refuse(cell, f'this "{cell.lang}" cell has no counterpart beside it')
        if cell.kind == "code" and not re.fullmatch(r"[a-zA-Z0-9-]{1,64}", cell.id):
            refuse(cell, 'a code cell needs an id="…" of letters, digits and dashes')
        if cell.id.startswith("ex-") and '"""' in DOCSTRINGS.sub("", cell.source):
            refuse(cell, "a docstring stands in both languages side by side, the Korean one first")
        if (cell.id, cell.lang) in seen:
            refuse(cell, f'the id "{cell.id}" is used twice')
        seen |= {(cell.id, lang) for lang in ((cell.lang,) if cell.lang else (None, *LANGUAGES))}
        if re.findall(r"# (BEGIN|END) SOLUTION", cell.source) not in ([], ["BEGIN", "END"]):
            refuse(cell, "BEGIN SOLUTION and END SOLUTION must come as one pair in a cell")


def _check_words(path: Path, cells: list[Cell]) -> None:
    """Every exercise and question asked has its words, and the two languages agree on them."""

    def refuse(number: str, why: str) -> NoReturn:
        ids = f"hints-{number}", f"question-{number}", f"check-{number.replace('.', '-')}"
        line = next((cell.line for cell in cells if cell.id in ids), 1)
        raise LessonError(f"{path.name}:{line}: {why}")

    try:
        ko, en = (lesson_words(path, lang) for lang in ("ko", "en"))
    except WordsError as problem:
        refuse(problem.number, str(problem))
    for cell in cells:
        for tag in cell.tags:
            if re.fullmatch(r"C\d+", tag) and tag not in en.concepts:
                raise LessonError(f'{path.name}:{cell.line}: "{tag}" is no concept of this lesson')
    if ko.concepts.keys() != en.concepts.keys():
        raise LessonError(f"{path.name}:1: the languages do not name the same concepts")
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    for what, korean, english in (
        ("Exercise", ko.exercises, en.exercises),
        ("Question", ko.questions, en.questions),
    ):
        asked = set(re.findall(what + r'\("([\w.]+)"\)', code))
        for number in sorted(asked ^ english.keys() | asked ^ korean.keys()):
            refuse(number, f'{what}("{number}") is not asked, or has no words beside it')
    for number, question in en.questions.items():
        other = ko.questions[number]
        if (question.right, len(question.choices)) != (other.right, len(other.choices)):
            refuse(number, f"question {number} has other choices in the other language")


def no_lesson(name: str) -> str:
    """The sentence that `name` is no lesson, and which there are."""
    lessons = ", ".join(path.stem for path in lesson_files())
    return _("There is no lesson {name}. There are: {lessons}.").format(
        name=repr(name), lessons=lessons
    )
