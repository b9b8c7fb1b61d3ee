"""The tables of the READMEs and the instructor's guide that repeat what lessons say of themselves.

A row is known by its link to a lesson.  Its minutes and titles are read from there, and clock times
are added up from the first of a table; everything else in those files is left alone.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

from course import ROOT
from course.lessons import lesson_of
from course.notebooks.contents import Lesson, contents
from course.notebooks.words import exercise_words

ROWS = re.compile(r"(?m)(?:^\|.*\n)+")
LESSON = re.compile(r"\[(\d\d)\]\([^)]*chapters/")
NUMBER = re.compile(r"\b\d+\.\d+\b")
CLOCK = re.compile(r"\d\d:\d\d")


def files() -> list[Path]:
    """The files with such tables."""
    guide = "course/workshop/guide"
    names = ("README.md", "README.ko.md", f"{guide}.en.md", f"{guide}.ko.md")
    return [ROOT / name for name in names if (ROOT / name).exists()]


def brought_up_to_date(path: Path) -> str:
    """The text of a file with its tables as the lessons are now; its name tells the language."""
    lessons = contents("ko" if ".ko" in path.name else "en")
    return ROWS.sub(lambda found: _table(found[0], lessons), path.read_text(encoding="utf-8"))


def _table(table: str, lessons: list[Lesson]) -> str:
    head, rule, *rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()
    ]
    kinds = [bool(LESSON.match(row[0])) for row in rows]
    if all(kinds):
        links = re.sub(r"\[.*", "", table.split("](")[1])  # such as "chapters/en/00_…ipynb) | …"
        folder = links.split(")")[0].rsplit("/", 1)[0]
        rows = [_lesson_row(lesson, folder, len(head)) for lesson in _listed(lessons, rows)]
    elif len(head) == 3:
        rows = _clocked([_timed(row, lessons) for row in rows])
    else:
        return table
    lines = [head, rule, *rows]
    return "".join(f"| {' | '.join(cells)} |\n".replace("|  |", "| |") for cells in lines).replace(
        "| --- ", "|---"
    )


def _listed(lessons: list[Lesson], rows: list[list[str]]) -> list[Lesson]:
    """The lessons that belong into the list: from the one that is its first now."""
    first = LESSON.findall(rows[0][0])[0]
    return [lesson for lesson in lessons if lesson.number >= first]


def _lesson_row(lesson: Lesson, folder: str, columns: int) -> list[str]:
    link = f"[{lesson.number}]({folder}/{lesson.notebook})"
    if columns == 3:  # the README's: what it is about, what one builds in it
        return [link, lesson.title, lesson.builds]
    minutes = (lesson.minutes, lesson.reading, lesson.minutes - lesson.reading)
    return [f"{link} · {lesson.short_title}", *map(str, minutes)]


def _timed(row: list[str], lessons: list[Lesson]) -> list[str]:
    """A row of a timetable: a lesson's reading, and the exercises that it names."""
    when, _minutes, what = row
    found = LESSON.match(what)
    own = found[1] if found else None
    numbers = [number for number in NUMBER.findall(what) if lesson_of(number) == own]
    if not numbers:
        return row
    lesson = next(lesson for lesson in lessons if lesson.number == own)
    minutes = lesson.reading + sum(exercise_words(number).minutes for number in numbers)
    return [when, str(minutes), what]


def _clocked(rows: list[list[str]]) -> list[list[str]]:
    """The same rows, each beginning when the one before it ends."""
    if not all(CLOCK.fullmatch(row[0]) for row in rows):
        return rows
    now, timed = datetime.strptime(rows[0][0], "%H:%M"), []
    for _when, minutes, what in rows:
        timed.append([f"{now:%H:%M}", minutes, what])
        now += timedelta(minutes=int(minutes or 0))
    return timed
