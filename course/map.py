"""The map of a transformer LLM at the head of every lesson: what it opens, and what it leaves shut.

`course_map("05")` ends a cell; without a number it is the map of the whole course.  A click on a
part opens its lesson.
"""

from course.lessons import lesson_files
from utils.figures.model_map import PARTS, map_picture
from utils.figures.picture import Picture
from utils.language import _

OPENED_IN = {  # part of the map → the lesson that opens it; a lesson that opens none has them all
    "text": "01",
    "token": "01",
    "loop": "01",
    "tokenizer": "02",
    "embedding": "02",
    "lm_head": "02",
    "decoding": "03",
    "streams": "04",
    "cache": "05",
    "block": "06",
    "residual": "06",
    "feed_forward": "06",
    "norm": "06",
    "attention": "07",
}


def course_map(lesson: str | None = None) -> Picture:
    """The map with the parts that `lesson`, such as "05", opens; the whole map without one.

    Raises ValueError where no lesson of that number opens anything.
    """
    lessons = [path.name[:2] for path in lesson_files()][1:]
    if lesson not in (None, *lessons):
        raise ValueError(
            _("The map has lessons 01 to {last}, not {lesson}.").format(
                last=lessons[-1], lesson=repr(lesson)
            )
        )
    opened = {part for part, number in OPENED_IN.items() if lesson == number} or {*OPENED_IN}
    if lesson is None:
        title = _("Map of a transformer LLM, with the lesson that opens each part")
        after = [f"{number}: {_names(number)}" for number in sorted(set(OPENED_IN.values()))]
    elif lesson == "09":
        title = _("Lesson 09 leaves the map as it is, and makes all of it faster")
        after = []
    elif opened == OPENED_IN.keys():
        title = _("Lesson {lesson} puts all of it together").format(lesson=lesson)
        after = []
    else:
        title = _("Lesson {lesson} opens: {parts}").format(lesson=lesson, parts=_names(lesson))
        after = []
    links = {path.name[:2]: f"{path.stem}.ipynb" for path in lesson_files()}
    return map_picture(title, OPENED_IN, opened, after, links)


def _names(lesson: str) -> str:
    return ", ".join(_(PARTS[part]) for part in PARTS if OPENED_IN[part] == lesson)
