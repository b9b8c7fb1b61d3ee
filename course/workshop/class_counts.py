"""Counts what became of each exercise and each question in a class."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from course.lessons import by_number
from course.notebooks.words import question_numbers, question_words

OFTEN = 3  # so many diagnoses are shown for an exercise
MANY = 3  # so many attempts, or hints, say that it was hard
BUSY = "too-slow"  # what is said of an answer that was stopped: the machine may have been busy


@dataclass(frozen=True)
class Row:
    """What became of one exercise in a class."""

    exercise: str
    begun: int  # learners who checked an answer or opened a hint
    attempted: int  # those who checked an answer
    passed: int
    hard_for: int  # those who have begun and not passed, or took MANY attempts, or all hints
    attempts_to_pass: float | None  # median of those who passed
    minutes: float | None  # the same, from the first check or hint on
    hints: int  # opened, by all together
    diagnoses: tuple[tuple[str, int, int], ...]  # name, learners it was given, times; most first

    @property
    def need(self) -> tuple:
        """The larger, the more this exercise needs explaining again: first by how many were lost,
        then by those who are lost still, by how long the others took and how much help it was."""
        return (self.hard_for, self.begun - self.passed, self.attempts_to_pass or 0, self.hints)


def rows(records: list[dict]) -> list[Row]:
    """One row for each exercise that somebody has begun, the one most in need first."""
    by_exercise: dict[str, list[dict]] = {}
    for record in records:
        for done in record["exercises"]:
            if done["attempts"] or done["hints"]:
                by_exercise.setdefault(done["exercise"], []).append(done)
    found = [_row(exercise, done) for exercise, done in by_exercise.items()]
    return sorted(
        sorted(found, key=lambda row: by_number(row.exercise)),
        key=lambda row: row.need,
        reverse=True,
    )


def _row(exercise: str, all_done: list[dict]) -> Row:
    learners: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for done in all_done:
        learners.update(done["diagnoses"].keys())
        times.update(done["diagnoses"])
    often = sorted(times, key=lambda name: (-learners[name], -times[name], name))
    passed = [done for done in all_done if done["passed"]]
    return Row(
        exercise,
        begun=len(all_done),
        attempted=sum(done["attempts"] > 0 for done in all_done),
        passed=len(passed),
        hard_for=sum(map(_was_hard, all_done)),
        attempts_to_pass=_median(done["attempts_to_pass"] for done in passed),
        minutes=_median(done.get("minutes") for done in passed),
        hints=sum(done["hints"] for done in all_done),
        diagnoses=tuple((name, learners[name], times[name]) for name in often[:OFTEN]),
    )


def _was_hard(done: dict) -> bool:
    """Whether somebody was lost here.  A check that was stopped since the machine was busy is no
    attempt of theirs."""
    if not done["passed"]:
        return bool(done["hints"] or done["attempts"] > done["diagnoses"].get(BUSY, 0))
    tries = done["attempts_to_pass"] - done["diagnoses"].get(BUSY, 0)
    return tries >= MANY or done["hints"] >= MANY


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def guesses(records: list[dict]) -> dict[str, list[int]]:
    """Of each question that somebody was asked, how many guessed each of its choices."""
    found = {}
    for question in question_numbers():
        choices = len(question_words(question).choices)
        taken = Counter(record.get("guesses", {}).get(question) for record in records)
        counts = [taken[choice] for choice in range(1, choices + 1)]
        if any(counts):
            found[question] = counts
    return found
