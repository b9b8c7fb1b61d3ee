"""What a learner sees of the class view: the instructor's words beside an exercise, and a switch.

All of it is nothing where COURSE_LIVE is not set.
"""

import html
import time
from datetime import datetime
from typing import Any

import ipywidgets as widgets

from course.learner import is_learning
from course.notebooks.words import as_html, exercise_words
from course.progress import live
from utils.language import _

SHOWN = 600  # seconds: as long as an instructor's words stay

_regions: dict[str, widgets.HTML] = {}  # the newest of each exercise, which is the one seen
_notes: list[dict] = []  # what was said, "until" when it is shown


def notes_beside(exercise: str) -> list[widgets.Widget]:
    """A region, in a list, in which the instructor's words on `exercise`, or to all, will appear.

    An empty list where nobody is learning, or no class is on.
    """
    if not (live.is_on() and is_learning()):
        return []
    region = _regions[exercise] = widgets.HTML()
    live.start()
    _show()
    return [region]


def _hear(notes: list[dict]) -> None:
    """Keep what was said, and show it; also called with nothing, when it is time to take it off."""
    now = time.time()
    known = {note["id"] for note in _notes}
    for note in notes:
        if note["id"] not in known:
            _notes.append(note | {"at": now - note["ago"], "until": now - note["ago"] + SHOWN})
    _notes[:] = [note for note in _notes if note["until"] > now]
    _show()


live.heard.append(_hear)


def _show() -> None:
    for exercise, region in list(_regions.items()):
        mine = [note for note in _notes if note["exercise"] in (None, exercise)]
        region.value = _as_html(exercise, mine[-1]) if mine else ""


def _as_html(exercise: str, note: dict) -> str:
    at = datetime.fromtimestamp(note["at"]).strftime("%H:%M")
    head = _("From your instructor, {at}").format(at=at)
    return (
        '<div role="status" style="background:#fff4d6;color:#1a1a1a;line-height:1.5;'
        'border-left:4px solid #b35c00;padding:4px 12px">'
        f"<strong>{head}:</strong> {_words(exercise, note)}</div>"
    )


def _words(exercise: str, note: dict) -> str:
    """In the notebook's language, but for what the instructor has typed."""
    kind = note["kind"]
    if kind == "board":
        return _("please look at the board.")
    if kind == "stop":
        return _(
            "stop here, and we go on together. You lose nothing: later cells use the course's "
            "own function, and you can come back."
        )
    if kind == "hint":
        return as_html(exercise_words(exercise).hints[int(note["text"]) - 1])
    return html.escape(note["text"])


def said_about_sending() -> list[widgets.Widget]:
    """What goes to the class view, to whom, and a switch; an empty list where there is none."""
    if not (live.is_on() and is_learning()):
        return []
    says = widgets.HTML(_what_is_sent())
    choice = widgets.Checkbox(
        value=not live.stopped(),
        description=_("send to the class view"),
        indent=False,
        layout=widgets.Layout(width="max-content"),
    )

    def choose(change: dict[str, Any]) -> None:
        live.switch(change["new"])
        says.value = _what_is_sent()

    choice.observe(choose, names="value")
    live.heard.append(lambda _notes: setattr(says, "value", _what_is_sent()))
    live.start()
    return [widgets.VBox([says, choice], layout=widgets.Layout(padding="4px 14px"))]


def _what_is_sent() -> str:
    says = _(
        "You have joined a class view. While the class is on, this goes to your instructor: which "
        "exercise you check, whether it passes or what the check finds wrong, which hints you open "
        "and which guesses you make, and when. Not your code, and not your name."
    )
    if live.problem == "refused":
        says += " " + _(
            "At present the class view refuses what is sent: look at the code in COURSE_LIVE."
        )
    return f'<div style="line-height:1.5">{says}</div>'
