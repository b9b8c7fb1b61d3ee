"""Puts a lesson's notebook back as it came, and keeps the learner's own beside it.

`python -m course reset 03` does it in both languages, `… reset 03 ko` in one.  What was written is
never lost: the notebook as it was gets a name with date and time, and stays in its folder.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course import ROOT, learner
from course.notebooks import build
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
    path = folder / lesson.notebook
    chapter = build.notebook(read_lesson(lesson.source), lang, solved=False)
    as_it_came = nbformat.writes(chapter) + "\n"
    kept = None
    if path.exists():
        if path.read_text(encoding="utf-8") == as_it_came:
            return PutBack(path, None)
        kept = keep_copy(path)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(as_it_came, encoding="utf-8")
    os.replace(unfinished, path)
    return PutBack(path, kept)


def say(done: PutBack) -> str:
    """What was done to a notebook, in a sentence."""
    if done.kept is None:
        return _("{notebook} is as it came.").format(notebook=_shown(done.notebook))
    return _("{notebook} is as it came; yours is kept as {kept}.").format(
        notebook=_shown(done.notebook), kept=done.kept.name
    )


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name


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
