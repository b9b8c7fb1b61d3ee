"""How far a learner is: a row for each lesson, a box for each exercise."""

from matplotlib.axes import Axes

from course.notebooks.contents import Lesson
from course.progress.standing import OPEN, PASSED, TRIED, LessonStanding, Standing
from utils.figures.page import WIDTH, Box, new_page, rounded_box, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.language import _, ngettext

ROW, TOP = 29, 40
FIRST_BOX, BOX = 348, 25  # where the boxes begin, and from one to the next, in CSS pixels
LOOKS = {  # mark → the box's colour, its edge, and the mark's colour
    PASSED: ("#00795A", "#00795A", "white"),
    TRIED: ("#FBE3B5", Colour.GENERATED, Colour.TEXT),
    OPEN: ("white", "#A8A8A8", None),  # an empty box
}


@in_course_style
def progress_picture(record: Standing) -> Picture:
    """A row for each lesson; a thick frame and an arrow are around what comes next."""
    height = TOP + ROW * len(record.lessons) + 30
    figure, page = new_page(height)
    write(page, 14, 18, _total(record), fontsize=11.5)
    regions = []
    for i, row in enumerate(record.lessons):
        regions += _draw_row(page, TOP + ROW * i, row, record.next)
    _draw_legend(page, height - 16)
    return Picture(figure, progress_words(record), tuple(regions))


def progress_words(record: Standing) -> str:
    """How many exercises are passed, in all and in each lesson, and what comes next."""
    says = _("{number} {title}, {minutes}: {passed} of {all} passed, {tried} attempted")
    rows = [
        says.format(
            number=row.lesson.number,
            title=row.lesson.short_title,
            minutes=_minutes(row.lesson),
            passed=row.passed,
            all=len(row.marks),
            tried=row.tried,
        )
        for row in record.lessons
    ]
    return "\n".join([_total(record), *rows, next_words(record)])


def next_words(record: Standing) -> str:
    """Which exercise to go on with."""
    if record.next is None:
        return _("All exercises are passed. The LLM is yours.")
    lesson, exercise = record.next
    return _("Next: exercise {exercise} in lesson {lesson}").format(
        exercise=exercise, lesson=lesson.number
    )


def _total(record: Standing) -> str:
    return ngettext(
        "Your progress: {passed} of {all} exercise passed",
        "Your progress: {passed} of {all} exercises passed",
        record.exercises,
    ).format(passed=record.passed, all=record.exercises)


def _minutes(lesson: Lesson) -> str:
    return _("{minutes} min").format(minutes=lesson.minutes)


def _draw_row(
    page: Axes, top: float, row: LessonStanding, coming: tuple[Lesson, str] | None
) -> list[Region]:
    lesson, middle, regions = row.lesson, top + ROW / 2, []
    page.plot((14, WIDTH - 14), (top, top), color="#E4E4E4", lw=0.8)
    write(page, 14, middle, f"{lesson.number}  {lesson.short_title}", va="center_baseline")
    minutes = {"va": "center_baseline", "ha": "right", "fontsize": 9.5}
    write(page, WIDTH - 14, middle, _minutes(lesson), **minutes)
    for i, (exercise, mark) in enumerate(zip(lesson.exercises, row.marks, strict=True)):
        is_next = coming == (lesson, exercise)
        box = _draw_mark(page, FIRST_BOX + BOX * i, middle, mark, is_next)
        says = f"{exercise}: {_meaning(mark, is_next)}"
        regions.append(Region(box, says, href=lesson.link(exercise)))
    if coming and coming[0] is lesson:
        write(page, FIRST_BOX - 12, middle, "▸", ha="center", fontsize=13)
    return regions


def _draw_mark(page: Axes, left: float, middle: float, mark: str, is_next: bool) -> Box:
    fill, edge, ink = LOOKS[mark]
    box = (left, middle - 9, 18, 18)
    edge, line = (Colour.TEXT, 2.2) if is_next else (edge, 1)
    rounded_box(page, box, 4, fill, edge, line)
    if ink:
        write(page, left + 9, middle, mark, ha="center", color=ink, fontsize=10)
    return box


def _meaning(mark: str, is_next: bool) -> str:
    """What a mark says; of two things the first that is true."""
    if mark == OPEN:
        return _("next") if is_next else _("not attempted yet")
    return _("passed") if mark == PASSED else _("attempted")


def _draw_legend(page: Axes, y: float) -> None:
    for i, (mark, is_next) in enumerate(((PASSED, False), (TRIED, False), (OPEN, True))):
        left = FIRST_BOX + 110 * i
        _draw_mark(page, left, y, mark, is_next)
        write(page, left + 25, y, _meaning(mark, is_next), va="center_baseline", fontsize=9.5)
