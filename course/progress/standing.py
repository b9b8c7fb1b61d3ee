"""Where the learner stands: what is done, what was tried, and what comes next."""

from dataclasses import dataclass

from course.lessons import lesson_of
from course.notebooks.contents import Lesson, contents
from course.progress import events

PASSED, TRIED, OPEN = "✓", "~", "·"


@dataclass(frozen=True)
class LessonStanding:
    """One lesson, and for each of its exercises a mark: PASSED, TRIED or OPEN."""

    lesson: Lesson
    marks: tuple[str, ...]

    @property
    def passed(self) -> int:
        return self.marks.count(PASSED)

    @property
    def tried(self) -> int:
        return self.marks.count(TRIED)

    @property
    def done(self) -> bool:
        return self.passed == len(self.marks)


@dataclass(frozen=True)
class Standing:
    """All lessons that have exercises; `next` is the lesson and exercise to go on with, if any."""

    lessons: tuple[LessonStanding, ...]
    next: tuple[Lesson, str] | None

    @property
    def passed(self) -> int:
        return sum(lesson.passed for lesson in self.lessons)

    @property
    def exercises(self) -> int:
        return sum(len(lesson.marks) for lesson in self.lessons)


def standing(lessons: list[Lesson] | None = None, recorded: dict | None = None) -> Standing:
    """How far the learner is.

    lessons: as `contents` gives them; recorded: as `events.summary` does, {} for nobody.
    """
    lessons = contents() if lessons is None else lessons
    recorded = events.summary() if recorded is None else recorded

    def mark(exercise: str) -> str:
        mine = recorded.get(exercise)
        if mine is None or not mine.attempts:
            return OPEN
        return PASSED if mine.passed else TRIED

    rows = tuple(
        LessonStanding(lesson, tuple(map(mark, lesson.exercises)))
        for lesson in lessons
        if lesson.exercises
    )
    return Standing(rows, _next(rows, list(recorded)))


def _next(rows: tuple[LessonStanding, ...], begun: list[str]) -> tuple[Lesson, str] | None:
    """The first exercise not passed, from the lesson begun last onwards, and then from the start.

    Who skips an exercise and goes on is not sent back before the end.
    """
    last = lesson_of(begun[-1]) if begun else ""
    onwards = [row for row in rows if row.lesson.number >= last]
    before = [row for row in rows if row.lesson.number < last]
    for row in (*onwards, *before):
        for exercise, mark in zip(row.lesson.exercises, row.marks, strict=True):
            if mark != PASSED:
                return row.lesson, exercise
    return None
