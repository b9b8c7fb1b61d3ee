"""The class view's page: one HTML file in one language, which asks the service for the counts."""

import json
import re
from functools import cache
from typing import Any

from course.graders import diagnosis_sentence
from course.lessons import lesson_of
from course.notebooks.contents import contents
from course.notebooks.words import (
    as_html,
    exercise_numbers,
    exercise_words,
    question_numbers,
    question_words,
)
from course.workshop.html_page import WORKSHOP, font_faces
from course.workshop.live.protocol import WORDS, diagnoses
from course.workshop.speaker_notes import speaker_notes
from utils.language import LANGUAGES, _, current_language, use_language

TEMPLATE = WORKSHOP / "live" / "page.html"
BOARD = re.compile(r"(?ms)^```\w*\n(.*?)^```")  # the picture in the guide


def live_page(lang: str, token: str) -> str:
    """The page in `lang`; `token` goes with all that it asks the service for."""
    return _page(lang).replace("@TOKEN@", json.dumps(token))


@cache
def _page(lang: str) -> str:
    before = current_language()
    use_language(lang)
    words = {
        "ui": _labels(),
        "lessons": {
            lesson.number: {"title": as_html(lesson.short_title), "board": _board(lesson.number)}
            for lesson in contents()
        },
        "exercises": {number: _exercise(number) for number in exercise_numbers()},
        "questions": {number: _question(number) for number in question_numbers()},
    }
    use_language(before)
    text = json.dumps(words, ensure_ascii=False).replace("</", "<\\/")
    page = TEMPLATE.read_text(encoding="utf-8")
    other = next(code for code in LANGUAGES if code != lang)
    for name, value in {
        "@LANG@": lang,
        "@OTHER@": other,
        "@OTHERS_NAME@": LANGUAGES[other],
        "@LONGEST@": str(WORDS),
        "@WORDS@": text,
    }.items():
        page = page.replace(name, value)
    return page.replace("@FONTS@", font_faces(frozenset(page)))


def _exercise(number: str) -> dict[str, Any]:
    said = exercise_words(number)
    notes = speaker_notes(lesson_of(number), current_language()).get(number, "")
    items = re.split(r"(?m)^- ", notes)
    return {
        "title": as_html(said.title),
        "minutes": said.minutes,
        "hints": list(map(as_html, said.hints)),
        "says": {name: as_html(diagnosis_sentence(number, name)) for name in diagnoses(number)},
        "guide": [as_html(" ".join(item.split())) for item in items if item.strip()],
    }


def _question(number: str) -> dict[str, Any]:
    said = question_words(number)
    return {
        "asks": as_html(said.asks),
        "choices": list(map(as_html, said.choices)),
        "right": said.right,
    }


def _board(lesson: str) -> str:
    """The picture that the guide draws on the board."""
    found = BOARD.search(speaker_notes(lesson, current_language()).get("title", ""))
    return as_html(found[1]) if found else ""


def _labels() -> dict[str, str]:
    return {
        "title": _("Class view"),
        "here": _("learners"),
        "away": _("away"),
        "since": _("since"),
        "lost": _("no connection; trying again …"),
        "nobody": _(
            "Nobody has sent anything yet. Learners join by COURSE_LIVE; as soon as one of them "
            "runs a check, it is here."
        ),
        "now": _("Where help is needed now"),
        "fine": _("Nobody is stuck at present."),
        "stuck": _("stuck"),
        "working": _("working"),
        "reached": _("reached"),
        "passed": _("passed"),
        "longest": _("longest {minutes} min"),
        "minutes": _("{minutes} min"),
        "stop": _("two thirds have passed: stop here"),
        "board": _("for the board"),
        "guide": _("the guide on this exercise"),
        "planned": _(
            "After {minutes} min the lesson's own plan is at {planned}; half of the room is at "
            "{room} or further."
        ),
        "over": _("the end"),
        "nowhere": _("no exercise"),
        "questions": _("Questions: what the room guesses"),
        "guesses": _("{count} guesses"),
        "reveal": _("reveal"),
        "hide": _("hide"),
        "say": _("Say it in their notebooks"),
        "to": _("to"),
        "all": _("everybody"),
        "at": _("those at {number}"),
        "lookAtBoard": _("Look at the board"),
        "stopHere": _("Stop here, go on together"),
        "hint": _("Hint {number}"),
        "words": _("in your own words"),
        "send": _("Send"),
        "sent": _("{at} to {to}: {what}"),
        "answer": _("Help with {number} …"),
        "projector": _("for the projector"),
        "instructor": _("for the instructor"),
        "few": _("What fewer than three share is not shown here."),
        "report": _("class report"),
        "end": _("end the class"),
        "sure": _(
            "End the class? Its report is kept; all that was sent for it is deleted, and those who "
            "stay begin a new one."
        ),
        "failed": _("That did not arrive."),
    }
