"""The map of a transformer LLM at the head of every lesson: what it opens, and what it leaves shut.

`course_map("05")` ends a cell; without a number it is the map of the whole course.
"""

from utils.figures.model_map import PARTS, map_picture
from utils.figures.picture import Picture
from utils.language import _

OPENED_IN = {  # part of the map → the lesson that opens it; lesson 08 puts all of them together
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
ALL_TOGETHER = "08"


def course_map(lesson: str | None = None) -> Picture:
    """The map with the parts that `lesson`, such as "05", opens; the whole map without one.

    Raises ValueError where no lesson of that number opens anything.
    """
    opened = {part for part, number in OPENED_IN.items() if lesson in (number, ALL_TOGETHER, None)}
    if not opened:
        raise ValueError(
            _("The map has lessons 01 to {last}, not {lesson}.").format(
                last=ALL_TOGETHER, lesson=repr(lesson)
            )
        )
    if lesson is None:
        title = _("Map of a transformer LLM, with the lesson that opens each part")
        lessons = sorted(set(OPENED_IN.values()))
        after = [f"{number}: {_names(number)}" for number in lessons]
    elif lesson == ALL_TOGETHER:
        title = _("Lesson {lesson} puts all of it together").format(lesson=lesson)
        after = []
    else:
        title = _("Lesson {lesson} opens: {parts}").format(lesson=lesson, parts=_names(lesson))
        after = []
    return map_picture(title, OPENED_IN, opened, after)


def _names(lesson: str) -> str:
    return ", ".join(_(PARTS[part]) for part in PARTS if OPENED_IN[part] == lesson)
