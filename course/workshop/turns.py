"""The slides on which the room works: exercises that follow each other, with a clock."""

import re

import nbformat
from nbformat import NotebookNode as Node

from course.notebooks.words import exercise_words
from course.workshop.leads import ASKS, lead, width
from utils.language import _

EXERCISE = re.compile(r"(?m)^### \S+ (\d+\.\d+) · .*$")
ROOM = {2: 330, 3: 170}  # letters that fit for each, of so many exercises on one slide


def task(text: str, stub: str) -> Node:
    """A cell with the text of one exercise; what else is said of it stands in its metadata."""
    number = EXERCISE.findall(text)[0]
    said = exercise_words(number)
    cell = nbformat.v4.new_markdown_cell(text.split("\n", 1)[1].strip())
    about = {"number": number, "title": f"{number} · {said.title}", "minutes": said.minutes}
    cell.metadata.task = nbformat.from_dict({**about, "stub": stub})
    return cell


def turn(tasks: list[Node]) -> tuple[list[Node], str, int]:
    """What a slide of these exercises shows, what is said of them, and their minutes.

    A single one has its whole text and its stub; of several there are the task and what to write.
    """
    about = [cell.metadata.task for cell in tasks]
    minutes = sum(each.minutes for each in about)
    if len(tasks) == 1:
        words = f"**{about[0].title}**\n\n{tasks[0].source}"
        stub = nbformat.v4.new_code_cell(about[0].stub, metadata={"size": _fitting(about[0].stub)})
        return [nbformat.v4.new_markdown_cell(words), stub], "", minutes
    words = "\n".join(map(_line, tasks, [ROOM.get(len(tasks), 0)] * len(tasks)))
    says = "\n\n".join(f"**{cell.metadata.task.title}** {cell.source}" for cell in tasks)
    return [nbformat.v4.new_markdown_cell(words)], says, minutes


def _line(cell: Node, room: int) -> str:
    about = cell.metadata.task
    minutes = _("{minutes} min").format(minutes=about.minutes)
    asks = f"{lead(cell.source, room, ASKS)}<br>" if room else ""
    return f"- **{about.title}** · {minutes}<br>{asks}`{_signature(about.stub)}`"


def _fitting(code: str) -> int:
    """The largest letters, in px, in which no line of this code is broken."""
    return min(23, int(1120 / (0.602 * max(map(width, code.split("\n"))))))


def _signature(stub: str) -> str:
    first = re.findall(r"(?m)^(?:def |class |\w+ = ).*$", stub)[0]
    return re.sub(r"^(def|class) |:$|  # .*$", "", first)
