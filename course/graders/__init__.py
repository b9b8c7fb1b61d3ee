"""What each exercise checks, and what is said of each fault: a module or a folder for each lesson.

A lesson's graders are imported when one of its exercises is asked for.
"""

import importlib
import pkgutil
import re
from typing import Any

from course.graders.attempt import DIAGNOSES, grade, our_fault
from course.graders.spec import EXERCISES, Check, ExerciseSpec
from course.lessons import lesson_of
from utils.language import _


def exercise_spec(number: str) -> ExerciseSpec:
    """How exercise `number`, such as "3.2", is graded.  Raises KeyError where nobody knows."""
    if number not in EXERCISES:
        _import(f"{__name__}.lesson_{lesson_of(number)}")
    return EXERCISES[number]


def graded(number: str, answer: Any) -> tuple[list[Check], str]:
    """What `grade` finds of an answer to exercise `number`; our own fault where there is no grader
    to be had, because a module does not load."""
    try:
        spec = exercise_spec(number)
    except Exception as error:
        return [our_fault(error)], ""
    return grade(spec, answer)


def all_exercises() -> dict[str, ExerciseSpec]:
    """The graders of all lessons, by the exercise's number."""
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("lesson_"):
            _import(f"{__name__}.{module.name}")
    return EXERCISES


def _import(name: str) -> None:
    """Import a lesson's module, or a folder and all in it: each registers what it grades."""
    for module in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", ())):
        importlib.import_module(f"{name}.{module.name}")


def diagnosis_sentence(number: str, name: str) -> str:
    """What is said of fault `name` in exercise `number`; "" where nobody knows it.

    What differs from one answer to the next is left open: "…".
    """
    try:
        sentences = {**DIAGNOSES, **exercise_spec(number).diagnoses}
    except (KeyError, ValueError, ModuleNotFoundError):
        sentences = DIAGNOSES
    return re.sub(r"\{\w*(:[^}]*)?\}", "…", _(sentences[name])) if name in sentences else ""
