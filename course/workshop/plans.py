"""The guide's plans: which exercises of a lesson each keeps, and how long the lesson then takes."""

import re
from functools import cache

from course.workshop.html_page import WORKSHOP
from utils.language import _

PLANS = ("half-day", "day", "evenings")  # in the guide's order
ROW = re.compile(r"(?m)^\|[^|]*\| (\d+) \| \[(\d\d)\]\([^)]*\), \S+ ([\d., ]+) \|$")


@cache
def plan_rows(plan: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Minutes and exercises of each lesson in a plan, by its number, such as "07"; those that are
    done at home, too."""
    guide = (WORKSHOP / "guide.en.md").read_text(encoding="utf-8")
    timetables = re.split(r"(?m)^## ", guide.split("## Timetables\n")[1])[0]
    _before, _lessons, *plans = re.split(r"(?m)^### ", timetables)
    rows = ROW.findall(plans[PLANS.index(plan)])
    return {lesson: (int(minutes), tuple(kept.split(", "))) for minutes, lesson, kept in rows}


def plan_row(plan: str, lesson: str) -> tuple[int, tuple[str, ...]]:
    """The same of a lesson, such as "07_attention".  Raises ValueError where the plan lacks it."""
    try:
        return plan_rows(plan)[lesson[:2]]
    except KeyError:
        says = _("The plan {plan} leaves lesson {lesson} out.")
        raise ValueError(says.format(plan=plan, lesson=lesson[:2])) from None
