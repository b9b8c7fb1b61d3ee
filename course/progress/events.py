"""What this learner has done: every attempt, hint and answer, in one small file on this machine.

Nothing here raises where the file cannot be used: `take_notice()` then has a sentence about it, and
what this kernel was told waits in memory until it can be kept.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from course.progress import live
from course.progress.store import COLUMNS, SCHEMA_VERSION, progress_file, take_notice, use

__all__ = ["COLUMNS", "SCHEMA_VERSION", "progress_file", "take_notice"]  # of its file


Event = tuple[str, str, str, bool | None, str | None]  # COLUMNS
_waiting: dict[str, list[Event]] = {}  # by the place that was asked for
_one_at_a_time = threading.RLock()  # cells and widgets run on two threads


@dataclass(frozen=True)
class ExerciseProgress:
    """How far a learner is with one exercise.  Times are in UTC."""

    attempts: int
    passed: bool
    hints_opened: int
    first_at: datetime
    passed_at: datetime | None
    attempts_to_pass: int | None  # up to the first that passed, that one included
    diagnoses: tuple[str, ...]  # one for each failed attempt that had one, in order


_begun: set[str] = set()  # exercises whose check this kernel has run


def record_begun(exercise: str) -> None:
    """Keep that the check of `exercise` was run here for the first time, answered or not.

    Only a class view asks for that, so it is kept where there is one.
    """
    if live.is_on() and exercise not in _begun:
        _begun.add(exercise)
        _record("begun", exercise, None, None)


def record_attempt(exercise: str, passed: bool, diagnosis: str | None = None) -> None:
    """Keep that a check of `exercise`, such as "3.2", passed or failed, and what went wrong."""
    _record("attempt", exercise, passed, diagnosis)


def record_hint(exercise: str, hint: int) -> None:
    """Keep that hint number `hint` of `exercise` was opened."""
    _record("hint", exercise, None, str(hint))


def record_answer(question: str, choice: str, correct: bool) -> None:
    """Keep which guess the learner made before the answer was revealed."""
    _record("answer", question, correct, choice)


def summary(of: Iterable[dict] | None = None) -> dict[str, ExerciseProgress]:
    """Every exercise that was attempted or had a hint opened, in the order they were begun.

    of: events as `rows` gives them; this learner's, where there are none.
    """
    by_exercise: dict[str, list[dict]] = {}
    for row in rows() if of is None else of:
        if row["kind"] in ("attempt", "hint"):
            by_exercise.setdefault(row["name"], []).append(row)
    return {exercise: _progress(events) for exercise, events in by_exercise.items()}


def guesses(of: Iterable[dict]) -> dict[str, int]:
    """Of each question the choice, from 1, that was guessed first: no answer was shown before it.

    of: events as `rows` gives them.
    """
    found: dict[str, int] = {}
    for row in of:
        if row["kind"] == "answer":
            found.setdefault(row["name"], int(row["detail"]))
    return found


def _progress(events: list[dict]) -> ExerciseProgress:
    attempts = [event for event in events if event["kind"] == "attempt"]
    passes = [datetime.fromisoformat(event["at"]) for event in attempts if event["passed"]]
    return ExerciseProgress(
        attempts=len(attempts),
        passed=bool(passes),
        hints_opened=len({event["detail"] for event in events if event["kind"] == "hint"}),
        first_at=datetime.fromisoformat(events[0]["at"]),
        passed_at=passes[0] if passes else None,
        attempts_to_pass=[a["passed"] for a in attempts].index(True) + 1 if passes else None,
        diagnoses=tuple(event["detail"] for event in attempts if event["detail"]),
    )


def rows() -> Iterator[dict]:
    """All events in the order they were kept, each a dict of COLUMNS, ready for csv or json."""
    columns = ", ".join(COLUMNS)
    found = use(lambda db: db.execute(f"SELECT {columns} FROM events ORDER BY id").fetchall())
    for values in [*(found or []), *_not_kept_yet()]:
        row = dict(zip(COLUMNS, values, strict=True))
        yield row | {"passed": None if row["passed"] is None else bool(row["passed"])}


def clear(lesson: str | None = None) -> Path | None:
    """Forget one lesson, "3" for every name that starts with "3.", or everything.

    All that was known until then is kept in a dated copy beside the file.  Returns that copy; None
    where there was nothing to forget, or where no copy could be made: then nothing is forgotten.
    """
    start = "" if lesson is None else f"{lesson}."

    def keep_and_forget(db: sqlite3.Connection) -> Path | None:
        which = "substr(name, 1, ?) = ? AND id <= ?"
        newest = db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        forget = (len(start), start, newest)  # what another kernel adds meanwhile stays
        if not db.execute(f"SELECT count(*) FROM events WHERE {which}", forget).fetchone()[0]:
            return None
        now = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        copy = progress_file().with_name(f"progress-{now}-{token_hex(2)}.sqlite")
        db.execute("VACUUM INTO ?", (str(copy),))
        db.execute(f"DELETE FROM events WHERE {which}", forget)
        return copy

    with _one_at_a_time:
        waiting = _not_kept_yet()
        waiting[:] = [event for event in waiting if not event[2].startswith(start)]
    return use(keep_and_forget)


def learner_id() -> str | None:
    """Whose record this is: a random name, made up once, that says nothing about the person.

    A file of an older version of the course is given one; None where it cannot be kept.
    """

    def read_or_make(db: sqlite3.Connection) -> str:
        db.execute("CREATE TABLE IF NOT EXISTS learner (id TEXT NOT NULL)")
        made = "INSERT INTO learner SELECT ? WHERE NOT EXISTS (SELECT * FROM learner)"
        db.execute(made, (token_hex(4),))
        return db.execute("SELECT id FROM learner").fetchone()[0]

    return use(read_or_make)


def _record(kind: str, name: str, passed: bool | None, detail: str | None) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    statement = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?)"

    def insert(db: sqlite3.Connection) -> bool:
        db.execute("BEGIN IMMEDIATE")  # all that waits, or nothing of it
        db.executemany(statement, waiting)
        db.execute("COMMIT")
        return True

    with _one_at_a_time:
        waiting = _not_kept_yet()
        waiting.append((now, kind, name, passed, detail))
        if use(insert):
            waiting.clear()
    live.tell((now, kind, name, passed, detail))


def _not_kept_yet() -> list[Event]:
    """The events of this kernel that could not be written into the file so far."""
    return _waiting.setdefault(os.environ.get("COURSE_PROGRESS", ""), [])
