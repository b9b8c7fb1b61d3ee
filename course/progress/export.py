"""The learner's record, as a table to read and as a file to hand in.

`python -m course progress --export json > mine.json` writes what an instructor needs, and nothing
that says who the learner is:

    {
      "format": "inside-a-transformer-llm/progress",
      "version": 1,
      "learner": "3f9c21ab",       random, made up once on this machine; never a user's name
      "exercises": [               those attempted, or with a hint opened; in the course's order
        {
          "lesson": "03",          as in the names of the notebooks
          "exercise": "3.2",
          "attempts": 4,           checks of an answer; an untouched one is none
          "passed": true,          at least once
          "attempts_to_pass": 3,   up to the first that passed, it included; null if none did
          "diagnoses": {"multiplied": 2},   name → how often; the graders' own short names
          "hints": 1,              how many of the three were opened
          "minutes": 6.5           from the first check or hint to the first pass; null if none
        },
        …
      ],
      "guesses": {"3.a": 2}        of questions, the choice that was taken first; from 1
    }

`--export csv` has one row for each exercise with the same columns, "learner" first, and no guesses;
its diagnoses are one cell, `multiplied:2 wrong-shape:1`, and what is null is empty.  Exercise 7.1
is 7.01 there and 7.10 is 7.10: pandas and spreadsheets take them for numbers, to which 7.1 and 7.10
are one; and so they are also sorted as they come.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from typing import TextIO

from course.learner import my_notebooks, shown
from course.lessons import by_number, lesson_of
from course.notebooks.contents import find_lesson
from course.progress import events
from course.progress.standing import standing
from utils.language import _
from utils.places import NoHome

FORMAT = {"format": "inside-a-transformer-llm/progress", "version": 1}
COLUMNS = (
    "lesson",
    "exercise",
    "attempts",
    "passed",
    "attempts_to_pass",
    "diagnoses",
    "hints",
    "minutes",
)


def exercises(of: dict[str, events.ExerciseProgress] | None = None) -> list[dict]:
    """One dict of COLUMNS for each exercise in the record, in the course's order.

    of: what `events.summary` gives; this learner's, where there is none.
    """
    done_by = events.summary() if of is None else of
    return [
        dict(
            zip(
                COLUMNS,
                (
                    lesson_of(number),
                    number,
                    done.attempts,
                    done.passed,
                    done.attempts_to_pass,
                    dict(Counter(done.diagnoses)),
                    done.hints_opened,
                    _minutes(done),
                ),
                strict=True,
            )
        )
        for number, done in sorted(done_by.items(), key=lambda item: by_number(item[0]))
    ]


def _minutes(done: events.ExerciseProgress) -> float | None:
    if done.passed_at is None:
        return None
    return round((done.passed_at - done.first_at).total_seconds() / 60, 1)


def record(learner: str | None, rows: list[dict]) -> dict:
    """What an instructor gets of a learner, as this module's docstring says.

    rows: the learner's events, as `events.rows` gives them.
    """
    done = exercises(events.summary(rows))
    return {**FORMAT, "learner": learner, "exercises": done, "guesses": events.guesses(rows)}


def export_json(file: TextIO) -> None:
    """Write this learner's `record` to `file`."""
    json.dump(record(events.learner_id(), list(events.rows())), file, indent=1)
    file.write("\n")


def export_csv(file: TextIO) -> None:
    """Write the same to `file` as a table."""
    rows = csv.DictWriter(file, ("learner", *COLUMNS), lineterminator="\n")
    rows.writeheader()
    learner = events.learner_id()
    for row in exercises():
        found = " ".join(f"{name}:{times}" for name, times in row["diagnoses"].items())
        number = padded_number(row["exercise"])
        rows.writerow({**row, "exercise": number, "learner": learner, "diagnoses": found})


def padded_number(exercise: str) -> str:
    """An exercise as a number that only this one has: "7.1" → "7.01", "7.10" → "7.10"."""
    return "{}.{:02d}".format(*by_number(exercise))


def plain_number(exercise: str) -> str:
    """An exercise as the course writes it, from either form: "7.01" → "7.1"."""
    return "{}.{}".format(*by_number(exercise))


def table() -> str:
    """How far the learner is: for each lesson a mark an exercise, passes, minutes and title."""
    now = standing()
    widest = max(len(row.marks) for row in now.lessons)
    lines = [
        f"{row.lesson.number}  {''.join(row.marks):{widest}}  {row.passed:2}/{len(row.marks):<3} "
        + _("{minutes} min").format(minutes=row.lesson.minutes)
        + f"  {row.lesson.title}"
        for row in now.lessons
    ]
    lines.append(_("✓ passed   ~ attempted   · not yet"))
    lines.append(
        _("{passed} of {all} exercises passed.").format(passed=now.passed, all=now.exercises)
    )
    if now.next:
        lesson, exercise = now.next
        lines.append(
            _("Next: exercise {exercise}, in {notebook}").format(
                exercise=exercise, notebook=shown(my_notebooks() / lesson.notebook)
            )
        )
    return "\n".join(lines)


def forget(lesson: str) -> str:
    """Forget the progress of one lesson, or of "all".  Returns a sentence.  Raises ValueError."""
    number = None if lesson == "all" else str(int(find_lesson(lesson).number))
    copy = events.clear(number)
    if problem := events.take_notice():
        return problem
    if copy is None:
        return _("There was nothing to forget.")
    return _("Forgotten. The progress until now is kept in {copy}.").format(copy=copy)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course progress",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", choices=("csv", "json"), help="write the record to the terminal")
    what.add_argument("--reset", metavar="LESSON", help="forget one lesson, such as 03, or all")
    options = parser.parse_args(arguments)
    if options.reset:
        try:
            print(forget(options.reset))
        except ValueError as problem:
            print(problem, file=sys.stderr)
            return 1
    elif options.export:
        {"csv": export_csv, "json": export_json}[options.export](sys.stdout)
    else:
        try:
            print(table())
        except NoHome as problem:  # $COURSE_CHAPTERS names nobody's
            print(problem, file=sys.stderr)
            return 1
    if notice := events.take_notice():
        print(notice, file=sys.stderr)
        return 1
    return 0
