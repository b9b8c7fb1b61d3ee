"""Where a class is: of each exercise who is at it, who is stuck, and on what; of questions guesses.

Only counts leave this module, and no row is one learner.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from course.lessons import by_number, lesson_of
from course.notebooks.contents import contents
from course.notebooks.words import exercise_words
from course.workshop.live.protocol import Event, choices

STUCK_AFTER = 1.5  # times an exercise's minutes
FAILED = 4  # checks
AWAY_AFTER = 10, 3  # minutes without a sign, and times an exercise's minutes: the longer of both
AT_ONCE = 20  # seconds: checks that begin so soon one after another were run together
STATES = ("reached", "working", "stuck", "passed", "away")


@dataclass
class Way:
    """How one learner came to where they are."""

    place: str | None = None  # the exercise they are at
    since: float = 0.0  # when they came there
    last: float = 0.0  # their last sign
    been: set[str] = field(default_factory=set)  # exercises they came to
    waiting: set[str] = field(default_factory=set)  # run with a whole notebook, to come to later
    passed: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)  # the newest diagnosis of each exercise
    tried: set[str] = field(default_factory=set)  # checked, or with a hint opened
    guesses: dict[str, str] = field(default_factory=dict)  # the first of each question

    def go(self, exercise: str | None, at: float) -> None:
        if exercise != self.place:
            self.place, self.since = exercise, at
        if exercise:
            self.been.add(exercise)
            self.waiting.discard(exercise)


def way(events: list[Event]) -> Way:
    """The way of one learner through what they did.

    Who runs a whole notebook begins all its exercises at once, and is at the first of them; and
    who passes one of those is at the next.
    """
    mine, begun_at = Way(), float("-inf")
    for event in sorted(events, key=lambda event: event.at):
        exercise, mine.last = event.name, event.at
        if event.kind == "answer":
            mine.guesses.setdefault(exercise, event.detail or "")
            continue
        if event.kind == "begun":
            together = event.at - begun_at < AT_ONCE and mine.place is not None
            begun_at = event.at
            if not together:
                mine.go(exercise, event.at)
            elif exercise not in mine.been:
                mine.waiting.add(exercise)
            continue
        mine.tried.add(exercise)
        mine.go(exercise, event.at)
        if event.kind == "attempt" and event.passed:
            mine.passed.add(exercise)
            ahead = [n for n in mine.waiting if lesson_of(n) == lesson_of(exercise)]
            ahead = [n for n in ahead if by_number(n) > by_number(exercise)]
            mine.go(min(ahead, key=by_number, default=None), event.at)
        elif event.kind == "attempt":
            mine.failed[exercise] += 1
            if event.detail:
                mine.wrong[exercise] = event.detail
    return mine


def state(mine: Way, exercise: str, now: float) -> str:
    """One of STATES: how a learner who has come to `exercise` is with it."""
    if exercise in mine.passed:
        return "passed"
    if mine.place != exercise:
        return "reached"  # and went on
    if is_away(mine, now):
        return "away"
    if now - mine.since > 60 * STUCK_AFTER * _minutes(exercise) or mine.failed[exercise] >= FAILED:
        return "stuck"
    return "working" if exercise in mine.tried else "reached"


def is_away(mine: Way, now: float) -> bool:
    """Whether there has been no sign for longer than anybody thinks in silence."""
    at_least, times = AWAY_AFTER
    thinks = times * _minutes(mine.place) if mine.place else 0
    return now - mine.last > 60 * max(at_least, thinks)


def snapshot(by_who: Mapping[str, list[Event]], now: float) -> dict[str, Any]:
    """All that the page shows, as JSON can hold it."""
    ways = [way(events) for events in by_who.values() if events]
    numbers = sorted({number for mine in ways for number in mine.been}, key=by_number)
    asked = sorted({number for mine in ways for number in mine.guesses})
    return {
        "learners": len(ways),
        "away": sum(is_away(mine, now) for mine in ways),
        "exercises": [_exercise(number, ways, now) for number in numbers],
        "questions": [_question(number, ways) for number in asked],
        "lessons": [_lesson(lesson, ways, by_who, now) for lesson in _lessons_of(numbers)],
    }


def _exercise(number: str, ways: list[Way], now: float) -> dict[str, Any]:
    here = [mine for mine in ways if number in mine.been]
    states = [state(mine, number, now) for mine in here]
    stuck = [mine for mine, how in zip(here, states, strict=True) if how == "stuck"]
    wrong = Counter(
        mine.wrong[number]
        for mine, how in zip(here, states, strict=True)
        if number in mine.wrong and mine.place == number and how in ("working", "stuck")
    )
    return {
        "number": number,
        **{name: states.count(name) for name in STATES},
        "longest": round(max((now - mine.since for mine in stuck), default=0)),
        "wrong": [{"name": name, "learners": many} for name, many in wrong.most_common()],
    }


def _question(number: str, ways: list[Way]) -> dict[str, Any]:
    guesses = Counter(mine.guesses[number] for mine in ways if number in mine.guesses)
    return {"number": number, "guesses": [guesses[choice] for choice in choices()[number]]}


def _lesson(
    lesson: str, ways: list[Way], by_who: Mapping[str, list[Event]], now: float
) -> dict[str, Any]:
    """Where the room is in a lesson, and where it would be by the lesson's own minutes."""
    times = [e.at for events in by_who.values() for e in events if lesson_of(e.name) == lesson]
    all_places = [mine.place for mine in ways if mine.place and not is_away(mine, now)]
    places = sorted((p for p in all_places if lesson_of(p) == lesson), key=by_number)
    minutes = (now - min(times)) / 60
    return {
        "number": lesson,
        "minutes": round(minutes),
        "room": places[(len(places) - 1) // 2] if places else None,  # half are here or further
        "planned": _planned(lesson, minutes),
    }


def _planned(lesson: str, minutes: float) -> str | None:
    """The exercise at which a room is after so many minutes; None where the lesson is over.

    What is read is counted to the exercises evenly, since a lesson does not say where it is read.
    """
    whole = next(each for each in contents() if each.number == lesson)
    share = whole.minutes / sum(map(_minutes, whole.exercises))
    for exercise in whole.exercises:
        minutes -= share * _minutes(exercise)
        if minutes < 0:
            return exercise
    return None


def _lessons_of(numbers: list[str]) -> list[str]:
    return sorted({lesson_of(number) for number in numbers})


@cache
def _minutes(exercise: str) -> int:
    return exercise_words(exercise, "en").minutes
