"""Puts a lesson's notebook back as it came, and keeps the learner's own beside it.

`python -m course reset 03` does it in both languages, `… reset 03 ko` in one.  What was written is
never lost: the notebook as it was gets a name with date and time, and stays in `kept/` beside it.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course import learner
from course.notebooks import build, built
from course.notebooks.contents import Lesson, find_lesson
from course.notebooks.copies import keep_copy
from course.notebooks.lesson import read_lesson
from utils.language import LANGUAGES, _


@dataclass(frozen=True)
class PutBack:
    """A notebook that is as it came; `kept` is the learner's own, None where there was none."""

    notebook: Path
    kept: Path | None


def put_back(lesson: Lesson, lang: str, folder: Path) -> PutBack:
    """Write the chapter of `lesson` into `folder`, as the course came with it, without solutions.

    A notebook that is there already, changed in any way, is kept beside it under a dated name.
    """
    path, text = folder / lesson.notebook, as_it_came(lesson.source, lang)
    kept = None
    if path.exists():
        if path.read_bytes() == text.encode():
            return PutBack(path, None)
        kept = keep_copy(path)
    write_whole(path, text.encode())
    return PutBack(path, kept)


def as_it_came(lesson: Path, lang: str) -> str:
    """The text of the chapter of the lesson in file `lesson`, without solutions."""
    chapter = build.notebook(read_lesson(lesson), lang, solved=False)
    built.note(chapter, lesson.stem)
    return nbformat.writes(chapter) + "\n"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and its folder where there is none: all of it, or what was there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def say(done: PutBack) -> str:
    """What was done to a notebook, in a sentence."""
    if done.kept is None:
        return _("{notebook} is as it came.").format(notebook=learner.shown(done.notebook))
    return _("{notebook} is as it came; yours is kept as {kept}.").format(
        notebook=learner.shown(done.notebook), kept=f"{done.kept.parent.name}/{done.kept.name}"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course reset", description=__doc__)
    parser.add_argument("lesson", metavar="LESSON", help="such as 03")
    parser.add_argument("language", nargs="?", choices=LANGUAGES, help="both by default")
    options = parser.parse_args(arguments)
    try:
        lesson = find_lesson(options.lesson)
        for lang in [options.language] if options.language else LANGUAGES:
            print(say(put_back(lesson, lang, learner.chapters() / lang)))
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(
        _(
            "If it is open in JupyterLab: File → Reload Notebook from Disk. my_llm.py and your "
            "progress are as they were; `python -m course progress --reset {lesson}` forgets the "
            "progress."
        ).format(lesson=lesson.number)
    )
    return 0
