"""The table of contents: every lesson's number, title, minutes and exercises, read from the lesson.

Nothing of it is typed a second time: what a lesson says of itself holds everywhere.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course.lessons import lesson_files
from course.notebooks.lesson import no_lesson, read_lesson
from course.notebooks.words import lesson_words
from utils.language import current_language


@dataclass(frozen=True)
class Lesson:
    """A lesson as its source describes it, in one language."""

    number: str  # "03"
    source: Path
    title: str  # "Decoding: one token out of a distribution"
    minutes: int  # 0 for 00, which has no exercises
    reading: int  # how many of them are for reading and running
    builds: str  # what a learner builds in it, "" where nothing
    exercises: tuple[str, ...]  # their numbers, as they come

    @property
    def notebook(self) -> str:
        """The file's name, the same in chapters/ and solutions/ and in both languages."""
        return f"{self.source.stem}.ipynb"

    def link(self, exercise: str | None) -> str:
        """To the notebook, from one beside it; or right to the cell of one of its exercises."""
        cell = f"#cell-id=ex-{exercise.replace('.', '-')}" if exercise else ""
        return self.notebook + cell

    @property
    def short_title(self) -> str:
        """The title up to its colon."""
        return self.title.split(":")[0]


def contents(lang: str | None = None) -> list[Lesson]:
    """All lessons in their order, in `lang` or the language in use."""
    lang = lang or current_language()
    return [_read(path, lang) for path in lesson_files()]


@cache  # a lesson takes 30 ms to read, and the map asks for all of them at every turn
def _read(path: Path, lang: str) -> Lesson:
    cells = read_lesson(path)
    head = next(cell.source for cell in cells if cell.kind == "markdown" and cell.lang == lang)
    minutes = re.search(r"\*\*(\d+)(?:분| minutes)\*\* = \D*(\d+)", head)
    said = lesson_words(path, lang)
    return Lesson(
        number=path.name[:2],
        source=path,
        title=head.splitlines()[0].split("·", 1)[1].strip(),
        minutes=int(minutes[1]) if minutes else 0,
        reading=int(minutes[2]) if minutes else 0,
        builds=said.builds,
        exercises=tuple(said.exercises),
    )


def find_lesson(name: str) -> Lesson:
    """The lesson called `name`: "3", "03", "03_decoding", "decoding", or a notebook's path.

    Raises ValueError with a sentence that names the lessons there are.
    """
    wanted = Path(name).name.lower().removesuffix(".ipynb")
    for lesson in contents():
        stem = lesson.source.stem
        if wanted in (stem, stem[3:], lesson.number, lesson.number.lstrip("0") or "0"):
            return lesson
    raise ValueError(no_lesson(name))
