"""What the site shows of a lesson, in its order: the solved notebook's cells, answers folded away.

An exercise is shown as a learner finds it; below it are its hints and its solution, a question's
answer below its choices.  Every heading has an address, the same in both languages.
"""

import base64
import re
import struct
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode as Node

from course.notebooks.words import (
    TITLE,
    ExerciseWords,
    QuestionWords,
    as_html,
    exercise_words,
    question_words,
)
from course.workshop.html_page import read
from utils.language import _

HIDDEN = ("language", "solved")  # what sets up a notebook, and says nothing to a reader
HEADING = re.compile(r"(?m)^(?=#{1,3} )")
NOTEBOOK_LINK = re.compile(r"(\]\([^)\s]+)\.ipynb(?=[)#])")


def cells(lesson: str, lang: str) -> list[Node]:
    """The cells of a page; one with an `anchor` in its metadata begins a section."""
    stubs = {cell.id: cell.source for cell in read("chapters", lang, lesson)}
    shown: list[Node] = []
    for cell in read("solutions", lang, lesson):
        asked = re.search(r'Question\("(.+?)"\)', cell.source)
        if cell.cell_type == "markdown":
            shown += _sections(cell)
        elif cell.id.startswith("ex-"):
            shown += _exercise(cell, stubs[cell.id], lang)
        elif cell.id.startswith("question-") and asked:
            shown.append(html_cell(_question(question_words(asked[1], lang))))
        elif cell.id not in HIDDEN and not re.fullmatch(r"question-\w+-answered", cell.id):
            if cell.id.startswith("check-"):
                cell.metadata.closes = True
                _leave_to_the_lesson(cell)
            cell.metadata.no_code = cell.id == "map"
            _name_pictures(lesson, cell)
            shown.append(cell)
    return shown


def pictures(shown: list[Node]) -> dict[str, bytes]:
    """The pictures of these cells by the names that the page calls them by, as PNG."""
    outputs = [output for cell in shown for output in cell.get("outputs", ())]
    return {
        output.metadata["image/png"].file: base64.b64decode(output.data["image/png"])
        for output in outputs
        if "image/png" in output.get("data", ())
    }


def html_cell(html: str) -> Node:
    """A cell that shows this HTML and nothing else."""
    output = nbformat.v4.new_output("display_data", {"text/html": html})
    return nbformat.v4.new_code_cell(outputs=[output], metadata={"no_code": True})


def words_cell(source: str, anchor: str = "") -> Node:
    """A cell of Markdown; with an `anchor` it begins a section."""
    return nbformat.v4.new_markdown_cell(source, metadata={"anchor": anchor})


def _sections(cell: Node) -> Iterator[Node]:
    """A cell of text, cut where a heading stands; links to notebooks lead to their pages."""
    source = NOTEBOOK_LINK.sub(r"\1.html", cell.source)
    headings = 0
    for part in filter(str.strip, HEADING.split(source)):
        if not part.startswith("#"):
            yield words_cell(part)
            continue
        exercise = TITLE.match(part)
        headings += 1
        anchor = cell.id if headings == 1 else f"{cell.id}-{headings}"
        yield words_cell(part, f"exercise-{_dashed(exercise[1])}" if exercise else anchor)


def _exercise(cell: Node, stub: str, lang: str) -> list[Node]:
    """The stub, the hints, and the solution, folded up together with the check below it."""
    said = exercise_words(cell.id.removeprefix("ex-").replace("-", "."), lang)
    cell.metadata.opens = _("Solution")
    return [nbformat.v4.new_code_cell(stub), html_cell(_hints(said)), cell]


def _leave_to_the_lesson(check: Node) -> None:
    """Take difficulty and minutes out of what a check has put out: they stand above already."""
    for output in check.outputs:
        said = output.data["text/html"]
        output.data["text/html"] = re.sub(
            r"(</strong>) <span[^>]*>[^<]*</span>", r"\1", said, count=1
        )


def _hints(said: ExerciseWords) -> str:
    about = _("difficulty {difficulty} of 5, about {minutes} minutes").format(
        difficulty=said.difficulty, minutes=said.minutes
    )
    label = _("Hint {number}")
    folded = [
        _folded(label.format(number=i), f"<p>{as_html(hint)}</p>")
        for i, hint in enumerate(said.hints, 1)
    ]
    return "\n".join([f'<p class="quiet">{about}</p>', *folded])


def _question(said: QuestionWords) -> str:
    """What is asked, the choices, and folded up which is right and what the others overlook."""
    choices = "\n".join(f"<li>{as_html(choice)}</li>" for choice in said.choices)
    answers = "\n".join(
        f"<li>{'✓' if i == said.right else '✗'} <strong>{as_html(choice)}</strong> "
        f"{as_html(said.because if i == said.right else said.overlooks[i])}</li>"
        for i, choice in enumerate(said.choices)
    )
    label, answer = _("Your guess"), _("Answer")
    return (
        f'<div class="question" id="question-{_dashed(said.number)}">\n'
        f"<p><strong>{label}:</strong> {as_html(said.asks)}</p>\n<ul>\n{choices}\n</ul>\n"
        f"{_folded(answer, f'<ul>{answers}</ul>')}\n</div>"
    )


def _folded(label: str, html: str) -> str:
    return f"<details><summary>{label}</summary>\n{html}\n</details>"


def _dashed(number: str) -> str:
    return number.replace(".", "-")


def _name_pictures(lesson: str, cell: Node) -> None:
    """Say of each picture in which file it will be, and how high it is on the page."""
    for i, output in enumerate(cell.outputs):
        if "image/png" in output.get("data", ()):
            about = output.metadata["image/png"]
            width, height = struct.unpack(">II", base64.b64decode(output.data["image/png"])[16:24])
            about.file = f"pictures/{lesson[:2]}-{cell.id}{i or ''}.png"
            about.height = round(about.width * height / width)
