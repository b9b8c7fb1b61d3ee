"""The class report, from what the class has sent: nobody needs to hand in anything."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from course.progress import events, export
from course.workshop import class_report
from course.workshop.live.protocol import Event, choices
from course.workshop.live.summary import way


def as_page(by_who: Mapping[str, list[Event]]) -> str:
    """The report as one HTML file.  by_who: the events of each learner."""
    guesses = [way(each).guesses for each in by_who.values()]
    counted = {
        number: tuple(sum(g.get(number) == choice for g in guesses) for choice in sent)
        for number, sent in choices().items()
    }
    asked = {number: counts for number, counts in counted.items() if any(counts)}
    return class_report.page(records(by_who), [], asked)


def records(by_who: Mapping[str, list[Event]]) -> list[dict]:
    """What each learner would hand in, as `course.progress.export` says, under their alias."""
    return [
        {**export.FORMAT, "learner": who, "exercises": export.exercises(_summary(each))}
        for who, each in by_who.items()
    ]


def _summary(each: list[Event]) -> dict[str, events.ExerciseProgress]:
    in_order = sorted(each, key=lambda event: event.at)
    return events.summary(
        asdict(event) | {"at": datetime.fromtimestamp(event.at, UTC).isoformat()}
        for event in in_order
    )
