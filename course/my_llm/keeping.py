"""Writes code that passed its exercise into the learner's `my_llm.py`, and loses nothing of it."""

import os
from pathlib import Path
from typing import Any

from course.graders import exercise_spec
from course.graders.attempt import grade
from course.learner import my_llm_file
from course.lessons import by_number
from course.my_llm import PARTS
from course.my_llm.file import Run, joined, new_preface, remember, run_parts, split
from course.my_llm.standalone import NoSource, NotAlone, standing_alone
from course.notebooks.copies import keep_copy
from course.notebooks.words import exercise_words
from utils.language import _
from utils.places import lock_at

PATIENCE = 30  # seconds for another kernel that keeps a part: it is graded once more meanwhile


class _FailsAlone(Exception):
    """What passed in the notebook does not pass as it would stand in the file."""


def keep(number: str, answer: Any) -> str | None:
    """Keep the source of `answer`, which passed exercise `number`.  Returns a sentence about it.

    What the learner has written into the file by hand stays; a part is replaced by a newer one only
    after the whole file was copied.  Nothing is written that does not pass by itself.  Raises
    nothing.
    """
    if exercise_words(number).kind != "implement":
        return None
    try:
        path = my_llm_file()
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock_at(path.with_name(f".{path.name}.lock"), PATIENCE):
            return _keep(path, number, answer)
    except NotAlone as problem:
        return _(
            "This could not be kept in my_llm.py: it uses {name}, which is only in this notebook. "
            "Take it as an argument, or make it inside, and check again."
        ).format(name=problem)
    except NoSource:
        return _(
            "This could not be kept in my_llm.py: its code cannot be read here. Write it as a def "
            "or class in a cell of its own, without %%time above it, run that cell, and check "
            "again."
        )
    except _FailsAlone as problem:
        return _(
            "This could not be kept in my_llm.py: without this notebook it does not pass "
            "({problem}). Make all that it uses inside it, and check again."
        ).format(problem=problem)
    except (OSError, UnicodeDecodeError) as problem:
        return _("This could not be kept in my_llm.py ({problem}).").format(problem=problem)


def _keep(path: Path, number: str, answer: Any) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else new_preface()
    preface, sections = split(text)
    body = standing_alone(answer, kept={part: source for _n, part, source in sections})
    name = (PARTS.get(number) or answer).__name__
    if answer.__name__ != name:  # lesson 08 looks for it by this name
        body += f"\n\n\n{name} = {answer.__name__}"
    old = [source for n, _name, source in sections if n == number]
    if old and old[0].strip() == body.strip():
        return _("It is in my_llm.py already.")
    sections = [section for section in sections if section[0] != number]
    sections.append((number, name, body + "\n\n\n"))
    sections.sort(key=lambda section: by_number(section[0]))
    run = Run(path, joined(preface, sections))
    _prove(number, run)
    copy = keep_copy(path) if old else None
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(run.text, encoding="utf-8")
    os.replace(unfinished, path)
    remember(run)
    return _said(path, copy)


def _prove(number: str, run: Run) -> None:
    """Raises _FailsAlone unless exercise `number` is passed by what stands in the file alone."""
    run_parts(run)
    if number in run.problems:
        raise _FailsAlone(run.problems[number])
    checks, _printed = grade(exercise_spec(number), run.mine[number])
    for check in checks:
        # it was quick enough before: a busy machine is no reason not to keep it
        if not check.passed and check.diagnosis != "too-slow":
            raise _FailsAlone(_(check.title))


def _said(path: Path, copy: Path | None) -> str:
    beside = path.parent.resolve() == Path.cwd().resolve()
    if copy:
        return _("Kept in my_llm.py; the file as it was before is {copy}.").format(
            copy=copy.name if beside else copy
        )
    if beside:
        return _("Kept in my_llm.py, beside this notebook.")
    return _("Kept in {file}.").format(file=path)
