"""What each exercise checks and each question asks: `lesson_01`, …, the long ones in rooms."""

import importlib
import pkgutil

from course.graders.grading import EXERCISES
from course.graders.questions import QUESTIONS

__all__ = ["EXERCISES", "QUESTIONS"]

for _module in pkgutil.iter_modules(__path__):  # importing a lesson's module registers what it has
    if _module.name.startswith("lesson_"):
        importlib.import_module(f"{__name__}.{_module.name}")
