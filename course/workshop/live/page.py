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
        "title": _("Class view", "학급 화면"),
        "here": _("learners", "참가"),
        "away": _("away", "자리 비움"),
        "since": _("since", "시작"),
        "lost": _("no connection; trying again …", "연결이 끊겨 다시 시도합니다 …"),
        "nobody": _(
            "Nobody has sent anything yet. Learners join by COURSE_LIVE; as soon as one of them "
            "runs a check, it is here.",
            "아직 아무도 보낸 것이 없습니다. 학습자는 COURSE_LIVE로 참가하고, 확인 셀을 하나라도 "
            "실행하면 여기에 나타납니다.",
        ),
        "now": _("Where help is needed now", "지금 도움이 필요한 곳"),
        "fine": _("Nobody is stuck at present.", "지금은 막힌 사람이 없습니다."),
        "stuck": _("stuck", "막힘"),
        "working": _("working", "푸는 중"),
        "reached": _("reached", "도착"),
        "passed": _("passed", "통과"),
        "longest": _("longest {minutes} min", "가장 오래 {minutes}분"),
        "minutes": _("{minutes} min", "{minutes}분"),
        "stop": _("two thirds have passed: stop here", "셋 중 둘이 통과: 여기서 멈추기"),
        "board": _("for the board", "칠판에 그릴 그림"),
        "guide": _("the guide on this exercise", "안내서의 설명"),
        "planned": _(
            "After {minutes} min the lesson's own plan is at {planned}; half of the room is at "
            "{room} or further.",
            "{minutes}분이 지났습니다. 레슨의 시간 계획으로는 {planned}, 학급의 절반은 {room} 또는 "
            "그 뒤에 있습니다.",
        ),
        "over": _("the end", "끝"),
        "nowhere": _("no exercise", "문제 밖"),
        "questions": _("Questions: what the room guesses", "질문: 학급의 예상"),
        "guesses": _("{count} guesses", "{count}명이 예상"),
        "reveal": _("reveal", "공개"),
        "hide": _("hide", "가리기"),
        "say": _("Say it in their notebooks", "학습자의 노트북에 보내기"),
        "to": _("to", "받는 사람"),
        "all": _("all", "모두"),
        "at": _("those at {number}", "{number}을 푸는 사람"),
        "lookAtBoard": _("Look at the board", "칠판을 봐 주세요"),
        "stopHere": _("Stop here, go on together", "멈추고 함께 넘어가기"),
        "hint": _("Hint {number}", "힌트 {number}"),
        "words": _("in your own words", "직접 쓰기"),
        "send": _("Send", "보내기"),
        "sent": _("{at} to {to}: {what}", "{at} {to}: {what}"),
        "answer": _("Help with {number} …", "{number} 도와주기 …"),
        "projector": _("for the projector", "프로젝터용"),
        "instructor": _("for the instructor", "강사용"),
        "few": _(
            "What fewer than three share is not shown here.",
            "세 명 미만에게 해당하는 것은 여기에 나오지 않습니다.",
        ),
        "report": _("class report", "학급 보고서"),
        "end": _("end the class", "수업 마치기"),
        "sure": _(
            "End the class? Its report is kept; all that was sent for it is deleted, and those who "
            "stay begin a new one.",
            "수업을 마칠까요? 보고서는 남고, 모인 기록은 모두 지워집니다. 남아 있는 사람은 새 "
            "수업으로 시작합니다.",
        ),
        "failed": _("That did not arrive.", "전달되지 않았습니다."),
    }
