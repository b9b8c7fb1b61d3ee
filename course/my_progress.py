"""The learner's progress over all lessons, with what comes next, and a way to start anew."""

import html
from pathlib import Path

import ipywidgets as widgets

from course import learner
from course.notebooks.contents import Lesson, contents
from course.notebooks.reset import put_back
from course.notebooks.update import behind, newer
from course.notebooks.words import as_html
from course.progress import events
from course.progress.figure import next_words, progress_picture
from course.progress.live_notes import said_about_sending
from course.progress.standing import Standing, standing
from utils.explorers.base import Explorer
from utils.language import _, current_language

ALL = "all"


class ProgressExplorer(Explorer):
    """A row for each lesson: exercises passed and attempted, minutes, a link, and the next step.

    Control: `lesson`, the one to start anew, or "all".  Actions: `refresh` looks again; `anew` asks
    first; then `yes` puts the notebook back and forgets the progress, keeping copies of both, and
    `no` leaves all as it is.  In a solved notebook it shows nobody's progress.
    """

    picture = staticmethod(progress_picture)

    def __init__(self) -> None:
        self._lessons = [lesson for lesson in contents() if lesson.exercises]
        names = [
            (f"{lesson.number} · {lesson.short_title}", lesson.number) for lesson in self._lessons
        ]
        controls = {
            "lesson": widgets.Dropdown(
                options=[*names, (_("all lessons"), ALL)],
                description=_("lesson"),
                style={"description_width": "initial"},
                layout=widgets.Layout(width="max-content"),
            )
        }
        actions = {
            "refresh": (_("look again"), self.redraw),
            "anew": (_("start anew …"), self._ask),
            "yes": (_("yes, start anew"), self._start_anew),
            "no": (_("no, leave it"), self._hide),
        }
        self._standing: Standing | None = None
        self._links, self._asks = widgets.HTML(), widgets.HTML()
        super().__init__(controls, actions)
        below, message, picture = self.children
        parts = picture, self._links, *said_about_sending(), below, message
        self.children: tuple[widgets.Widget, ...] = parts

    def _arrange(self) -> widgets.Widget:
        for button in self.actions.values():
            button.layout.width = "max-content"
        refresh, anew, yes, no = self.actions.values()
        self._confirm = widgets.VBox([self._asks, widgets.HBox([yes, no])])
        self._hide()
        anew_one = widgets.HBox([self.controls["lesson"], anew])
        choice = widgets.HBox([refresh, anew_one], layout=widgets.Layout(grid_gap="24px"))
        return widgets.VBox([choice, self._confirm])

    def record(self, lesson: str) -> Standing:
        return standing(self._lessons, None if learner.is_learning() else {})

    def _show(self, record: Standing) -> None:
        self._hide()
        self.say("")
        if record != self._standing:  # to choose a lesson changes nothing of the picture
            super()._show(record)
            self._standing = record
        self._links.value = _links(record)
        if problem := events.take_notice():
            self.say(problem)

    def _hide(self) -> None:
        self._confirm.layout.display = "none"

    def _ask(self) -> None:
        _somebodys()
        style = "line-height:1.5;background:#eef4fb;padding:6px 10px"
        question = html.escape(self._question())
        self._asks.value = f'<div role="alert" style="{style}">{question}</div>'
        self._confirm.layout.display = ""

    def _question(self) -> str:
        which = self.controls["lesson"].label
        return _(
            "Start anew: {lesson}? The notebook will be as it came, its exercises not attempted. "
            "Nothing is lost: your notebook and your progress are kept as copies with today's "
            "date, and my_llm.py stays as it is."
        ).format(lesson=which)

    def _start_anew(self) -> None:
        _somebodys()
        which = self.controls["lesson"].value
        chosen = [lesson for lesson in self._lessons if which in (lesson.number, ALL)]
        folder, kept = learner.my_notebooks(), []
        if folder.is_dir():
            done = [put_back(lesson, current_language(), folder) for lesson in chosen]
            kept = [put.kept for put in done if put.kept]
        forgotten = events.clear(None if which == ALL else str(int(which)))
        kept += [forgotten] if forgotten else []
        self.redraw()
        if not self._says:
            self.say(_started(kept))


def _somebodys() -> None:
    """Raises ValueError in a solved notebook, where nothing is anybody's."""
    if not learner.is_learning():
        raise ValueError(_("A solved notebook is for reading. Start anew from your own."))


def _started(kept: list[Path]) -> str:
    said = _("Done.")
    if kept:
        said += " " + _("Kept: {files}.").format(files=", ".join(path.name for path in kept))
    return said + " " + _("A notebook that is open: File → Reload Notebook from Disk.")


def _links(record: Standing) -> str:
    """The next step, and a link to every lesson's notebook, beside this one."""

    def link(lesson: Lesson, text: str) -> str:
        style = "color:#0b5394;text-decoration:underline"
        where = f'href="{lesson.notebook}" target="_blank"'
        return f'<a {where} style="{style}">{html.escape(text)}</a>'

    coming = next_words(record)
    if record.next:
        coming = link(record.next[0], coming)
    lessons = [
        link(row.lesson, f"{row.lesson.number} {row.lesson.short_title}") for row in record.lessons
    ]
    changed = behind(current_language()) if learner.is_learning() else []
    return (
        f'<div style="line-height:1.7;padding:4px 14px"><strong>{coming}</strong><br>'
        f"{' · '.join(lessons)}{'<br>' + as_html(newer(changed)) if changed else ''}</div>"
    )
