"""What travels between a learner's kernel and the class view, and what of it is let in.

A kernel posts to `…/events`, with `Authorization: room CODE KEY` in a room, or `token TOKEN`, the
user's own, on a hub:

    {"now": "2026-03-02T09:31:05.120+00:00",    the learner's clock, which may be wrong
     "seen": 4,                                 the newest of the instructor's words it has
     "events": [{"at": "…", "kind": "attempt", "name": "7.2", "passed": false,
                 "detail": "over-queries"}, …]}

and is answered

    {"session": "9f2c…", "age": 1805.2,         which class, and for how many seconds it has been on
     "notes": [{"id": 5, "exercise": "7.2", "kind": "hint", "text": "2", "ago": 1.3}, …]}

An event is let in once, however often it is sent: `who`, `at`, `kind` and `name` tell it from all
others.  No free text is let in: a name is an exercise's or a question's, and a detail is one of the
course's diagnoses, a hint's number or a choice's.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from course.graders import all_exercises
from course.graders.attempt import DIAGNOSES
from course.notebooks.words import exercise_numbers, question_numbers, question_words

MOST_EVENTS = 5_000  # of one learner in one class
WORDS = 300  # letters that an instructor may send
KINDS = {"begun", "attempt", "hint", "answer"}
SAYS = {"board", "stop", "hint", "text"}  # what an instructor can send


@dataclass(frozen=True)
class Event:
    """Something that a learner did; `at` is in seconds, by the service's clock."""

    at: float
    kind: str  # one of KINDS
    name: str  # of an exercise or a question
    passed: bool | None
    detail: str | None
    said_at: str  # by the learner's clock


@dataclass(frozen=True)
class Note:
    """Something that the instructor said, to those at one exercise, or to all."""

    id: int
    at: float
    exercise: str | None
    kind: str  # one of SAYS
    text: str


def read_message(body: bytes, now: float, began: float) -> tuple[int, list[Event]]:
    """What a kernel has seen, and the events it sends.  Raises ValueError where it is no message.

    An event that is none is left out: its sender could only send it again.
    """
    try:
        message = json.loads(body)
        their_now = datetime.fromisoformat(message["now"])
        seen, events = int(message["seen"]), list(message["events"])
    except (TypeError, KeyError, ArithmeticError, RecursionError) as problem:
        raise ValueError("not a message of this course") from problem
    read = [_event(each, their_now, now, began) for each in events]
    return seen, [event for event in read if event]


def _event(said: Any, their_now: datetime, now: float, began: float) -> Event | None:
    try:
        kind, name, said_at = said["kind"], said["name"], said["at"]
        ago = (their_now - datetime.fromisoformat(said_at)).total_seconds()
        passed = None if said["passed"] is None else bool(said["passed"])
        detail = None if said["detail"] is None else str(said["detail"])
        if len(said_at) > 40 or not _is_known(kind, name, detail):
            return None
    except (TypeError, KeyError, ValueError):
        return None
    if kind == "attempt" and detail not in diagnoses(name):
        detail = None  # of another version of the course: that it failed counts all the same
    return Event(min(max(now - ago, began), now), kind, name, passed, detail, said_at)


def _is_known(kind: str, name: str, detail: str | None) -> bool:
    if kind == "answer":
        return name in choices() and detail in choices()[name]
    return kind in KINDS and name in exercises() and (kind != "hint" or detail in ("1", "2", "3"))


def read_note(body: bytes) -> tuple[str | None, str, str]:
    """Exercise, kind and text of what an instructor says.  Raises ValueError."""
    try:
        said = json.loads(body)
        exercise, kind, text = said["exercise"] or None, said["kind"], str(said["text"]).strip()
    except (TypeError, KeyError) as problem:
        raise ValueError("not a message of this course") from problem
    known = exercise is None or exercise in exercises()
    fits = {
        "hint": exercise is not None and text in ("1", "2", "3"),
        "text": 0 < len(text) <= WORDS,
    }
    if not (known and kind in SAYS and fits.get(kind, True)):
        raise ValueError("nothing that can be sent")
    return exercise, kind, text


@cache
def exercises() -> frozenset[str]:
    return frozenset(exercise_numbers())


@cache
def choices() -> dict[str, tuple[str, ...]]:
    """Of each question its choices, as they are sent: "1", "2", …"""
    counts = {number: len(question_words(number, "en").choices) for number in question_numbers()}
    return {number: tuple(str(i + 1) for i in range(many)) for number, many in counts.items()}


@cache
def diagnoses(exercise: str) -> frozenset[str]:
    """The names of all that can go wrong in an exercise."""
    return frozenset(DIAGNOSES.keys() | all_exercises()[exercise].diagnoses.keys())
