"""A lesson's source: one Python file in jupytext's percent format, read into cells and checked.

Cells with `lang="ko"` or `lang="en"` stand in adjacent pairs and go to that language's notebooks;
all others go to both.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext

from course.lessons import lesson_files
from course.notebooks.concepts import CONCEPTS
from utils.language import LANGUAGES, _


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
        if node.cell_type == "code":
            code_id, texts = node.metadata.get("id", ""), 0
            cell_id = code_id
        else:  # numbered after the code cell above, so that an edit elsewhere changes no id
            texts += lang != "en"
            cell_id = f"{code_id}-text-{texts}"
        tags = tuple(node.metadata.get("tags", ()))
        cells.append(Cell(node.cell_type, node.source, line, lang, cell_id, tags))
    _check(path, cells)
    return cells


def _check(path: Path, cells: list[Cell]) -> None:
    def refuse(cell: Cell, why: str):
        raise LessonError(f"{path.name}:{cell.line}: {why}")

    seen = set()
    for cell, before, after in zip(cells, [None, *cells], [*cells[1:], None], strict=False):
        if cell.lang not in (None, *LANGUAGES):
            refuse(cell, f'lang="{cell.lang}" is neither "ko" nor "en"')
        if cell.kind == "markdown" and cell.lang is None:
            refuse(cell, 'a markdown cell needs lang="ko" or lang="en"')
        pair = {"ko": after, "en": before}.get(cell.lang, cell)
        if cell.lang and (
            pair is None
            or {cell.lang, pair.lang} != {"ko", "en"}
            or (pair.kind, pair.id) != (cell.kind, cell.id)
        ):
            refuse(cell, f'this "{cell.lang}" cell has no counterpart beside it')
        if cell.kind == "code" and not re.fullmatch(r"[a-zA-Z0-9-]{1,64}", cell.id):
            refuse(cell, 'a code cell needs an id="…" of letters, digits and dashes')
        if (cell.id, cell.lang) in seen:
            refuse(cell, f'the id "{cell.id}" is used twice')
        seen |= {(cell.id, lang) for lang in ((cell.lang,) if cell.lang else (None, *LANGUAGES))}
        for tag in cell.tags:
            if re.fullmatch(r"C\d+", tag) and tag not in CONCEPTS:
                refuse(cell, f'"{tag}" is no concept of course/concepts.py')
        if re.findall(r"# (BEGIN|END) SOLUTION", cell.source) not in ([], ["BEGIN", "END"]):
            refuse(cell, "BEGIN SOLUTION and END SOLUTION must come as one pair in a cell")


def no_lesson(name: str) -> str:
    """The sentence that `name` is no lesson, and which there are."""
    lessons = ", ".join(path.stem for path in lesson_files())
    return _("There is no lesson {name}. There are: {lessons}.").format(
        name=repr(name), lessons=lessons
    )
