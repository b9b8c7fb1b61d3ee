"""The widgets a learner answers in: `Exercise` checks code, `Question` asks for a guess."""

import html
from typing import Any

import ipywidgets as widgets

from course.graders import graded
from course.graders.spec import Check
from course.learner import is_learning
from course.lessons import lesson_files, lesson_of
from course.my_llm.keeping import keep
from course.my_llm.written import is_untouched
from course.notebooks.words import (
    ExerciseWords,
    QuestionWords,
    as_html,
    exercise_words,
    question_words,
)
from course.progress import events
from course.progress.live_notes import notes_beside
from utils.callbacks import wait_for_cells
from utils.language import _, current_language

GOOD, BAD, QUIET = "#00614a", "#a3330b", "#595959"  # told apart by ✓ and ✗ too, not by colour alone


class _Answered(widgets.VBox):
    """What both widgets share: words for nbval, and HTML where no widget runs."""

    def __init__(self, children: list[widgets.Widget]):
        wait_for_cells()
        super().__init__(children)
        self.add_class("course-widget")

    def __repr__(self) -> str:
        return self.words()

    def _repr_mimebundle_(self, **options: Any) -> dict:
        bundle = super()._repr_mimebundle_(**options)
        return {**bundle, "text/plain": self.words(), "text/html": self.html()}


class Exercise(_Answered):
    """One exercise: `Exercise("1.2").check(fn)` tries the answer and shows what was found.

    The words and the HTML that a notebook keeps say only what the answer is worth; attempts and
    hints, which differ from learner to learner, are shown live.
    """

    def __init__(self, number: str):
        self.number = exercise_words(number).number
        self.checks: list[Check] = []
        self.printed = ""
        self.attempted = False
        self._kept: str | None = None  # what became of the answer that passed
        self._result, self._notes = widgets.HTML(), widgets.HTML()
        layout = widgets.Layout(width="max-content")  # as wide as its words, in any language
        self._hint_button = widgets.Button(layout=layout)
        self._hint_button.on_click(lambda _button: self.hint())
        self._hints = widgets.HTML()
        self._hints_shown = 0
        shown = [self._result, self._notes, self._hint_button, self._hints]
        super().__init__([*shown, *notes_beside(self.number)])
        self._show()

    @property
    def said(self) -> ExerciseWords:
        """What the lesson says of this exercise, in the language in use."""
        return exercise_words(self.number)

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)

    def check(self, answer: Any) -> "Exercise":
        """Grade `answer`, a function or a value; an untouched one is "not attempted yet"."""
        if is_learning():
            events.record_begun(self.number)
        self.attempted = not is_untouched(answer)
        if self.attempted:
            self.checks, self.printed = graded(self.number, answer)
            last = self.checks[-1]
            if is_learning() and not last.is_ours:
                events.record_attempt(self.number, self.passed, last.diagnosis)
            self._kept = keep(self.number, answer) if self.passed else None
        self._show()
        return self

    def hint(self) -> "Exercise":
        """Open one more hint, by the same path as a hand on the button."""
        if self._hints_shown < len(self.said.hints):
            self._hints_shown += 1
            if is_learning():
                events.record_hint(self.number, self._hints_shown)
            self._show()
        return self

    def words(self) -> str:
        title = _("Exercise {number}: {title}").format(number=self.number, title=self.said.title)
        if not self.attempted:
            return f"{title}\n{_untouched()}"
        lines = [title]
        for check in self.checks:
            lines.append(f"{'✓' if check.passed else '✗'} {_(check.title)}")
            if not check.passed:
                lines += [f"  {label}:{_indented(text)}" for label, text in _details(check)]
        lines.append(_("Passed.") if self.passed else _("Not there yet."))
        return "\n".join(lines)

    def html(self) -> str:
        said = self.said
        head = _("Exercise {number}").format(number=self.number)
        about = _("difficulty {difficulty} of 5, about {minutes} minutes").format(
            difficulty=said.difficulty, minutes=said.minutes
        )
        rows = [
            f"<strong>{head} · {as_html(said.title)}</strong> "
            f'<span style="color:{QUIET}">{about}</span>'
        ]
        if not self.attempted:
            rows.append(f'<div style="color:{QUIET}">{_untouched()}</div>')
        for check in self.checks if self.attempted else ():
            mark, colour = ("✓", GOOD) if check.passed else ("✗", BAD)
            rows.append(f'<div style="color:{colour}">{mark} {_text(_(check.title))}</div>')
            if not check.passed:
                rows += [
                    f'<div style="margin-left:1.4em"><em>{label}:</em> {_lines(text)}</div>'
                    for label, text in _details(check)
                ]
                rows.append(_to_try(check.tries))
        if self.attempted:
            verdict, colour = (_("Passed."), GOOD) if self.passed else (_("Not there yet."), BAD)
            rows.append(f'<div style="color:{colour}"><strong>{verdict}</strong></div>')
        if self.printed:
            label, printed = _("Your code printed"), _text(self.printed[:2000])
            rows.append(f"<details><summary>{label}</summary><pre>{printed}</pre></details>")
        return _box("".join(rows))

    def _show(self) -> None:
        self._result.value = self.html()
        self._notes.value = "".join(
            f'<div style="color:{QUIET}">{_text(line)}</div>' for line in self._live_notes()
        )
        hints = [f"<li>{as_html(hint)}</li>" for hint in self.said.hints[: self._hints_shown]]
        left = len(self.said.hints) - self._hints_shown
        if not left:
            path = f"../../solutions/{current_language()}/{_lesson_file(self.number)}"
            label = _("Open the solved notebook")
            hints.append(f'<li><a href="{path}" target="_blank">{label}</a></li>')
        self._hints.value = f'<ol style="line-height:1.5">{"".join(hints)}</ol>' if hints else ""
        self._hint_button.description = _("Hint ({left} left)").format(left=left)
        self._hint_button.disabled = left == 0

    def _live_notes(self) -> list[str]:
        if not is_learning():
            return []
        mine = events.summary().get(self.number)
        notes = []
        if mine and mine.attempts:
            notes.append(_("Attempts so far: {attempts}").format(attempts=mine.attempts))
            if mine.passed and not self.passed:
                notes.append(_("You have passed this exercise before; that is kept."))
        return [*notes, *filter(None, (self._kept, events.take_notice()))]


class Question(_Answered):
    """Predict, then reveal: a question with choices.

    The right one opens the explanation; a wrong one is told what it overlooks.
    """

    def __init__(self, number: str):
        self.number = question_words(number).number
        self.chosen: int | None = None
        self._prompt, self._reply = widgets.HTML(), widgets.HTML()
        self._choices = widgets.RadioButtons(
            options=[(text, i) for i, text in enumerate(self.said.choices)],
            value=None,
            layout=widgets.Layout(width="auto"),
        )
        self._choices.observe(self._on_choice, names="value")
        super().__init__([self._prompt, self._choices, self._reply])
        self._show()

    @property
    def said(self) -> QuestionWords:
        """What the lesson asks, in the language in use."""
        return question_words(self.number)

    def answer(self, choice: int) -> "Question":
        """Choose the choice with this number, counted from 1, by the same path as a hand."""
        if not 1 <= choice <= len(self.said.choices):
            raise ValueError(
                _("Choose a number from 1 to {last}.").format(last=len(self.said.choices))
            )
        self._choices.value = choice - 1
        return self

    def _on_choice(self, change: dict) -> None:
        self.chosen = change["new"]
        if self.chosen is not None and is_learning():
            events.record_answer(self.number, str(self.chosen + 1), self._right())
        self._show()

    def _right(self) -> bool:
        return self.chosen == self.said.right

    def _verdict(self) -> str:
        if self.chosen is None:
            return ""
        return _("✓ That is it.") if self._right() else _("✗ Not quite.")

    def _why(self) -> str:
        if self.chosen is None:
            return ""
        return self.said.because if self._right() else self.said.overlooks[self.chosen]

    def words(self) -> str:
        lines = [self.said.asks]
        for i, text in enumerate(self.said.choices):
            lines.append(f"{'●' if i == self.chosen else '○'} {text}")
        if self.chosen is not None:
            lines += [self._verdict(), self._why()]
        return "\n".join(lines)

    def html(self) -> str:
        marks = [
            f"<li>{'●' if i == self.chosen else '○'} {as_html(text)}</li>"
            for i, text in enumerate(self.said.choices)
        ]
        choices = f'<ul style="list-style:none;padding-left:1em">{"".join(marks)}</ul>'
        return _box(f"{self._asks()}{choices}{self._reply_html()}")

    def _asks(self) -> str:
        label, asks = _("Your guess"), as_html(self.said.asks)
        return f"<strong>{label}:</strong> {asks}"

    def _reply_html(self) -> str:
        if self.chosen is None:
            return ""
        colour = GOOD if self._right() else BAD
        verdict = f'<strong style="color:{colour}">{self._verdict()}</strong>'
        return f'<div role="status">{verdict} {as_html(self._why())}</div>'

    def _show(self) -> None:
        self._prompt.value = f'<div style="line-height:1.5">{self._asks()}</div>'
        self._reply.value = self._reply_html()


def _untouched() -> str:
    return _("not attempted yet")


def _lesson_file(number: str) -> str:
    return lesson_files(lesson_of(number))[0].stem + ".ipynb"


def _details(check: Check) -> list[tuple[str, str]]:
    rows = [
        (_("given"), check.given),
        (_("came out"), check.got),
        (_("expected"), check.expected),
        (_("probably"), check.says),
    ]
    return [(label, text) for label, text in rows if text]


def _indented(text: str) -> str:
    """Several lines stand below their label, one line beside it."""
    return f" {text}" if "\n" not in text else "".join(f"\n    {line}" for line in text.split("\n"))


def _lines(text: str) -> str:
    shown = _text(text)
    return shown if "\n" not in text else f'<pre style="margin:0 0 0 1.4em">{shown}</pre>'


def _to_try(code: str) -> str:
    """Code to paste into a cell, folded away."""
    if not code:
        return ""
    label = _("Try this case: paste it into a cell")
    return (
        f'<details style="margin-left:1.4em"><summary>{label}</summary>'
        f"<pre>{_text(code)}</pre></details>"
    )


def _text(text: str) -> str:
    return html.escape(text)


def _box(inside: str) -> str:
    return (
        '<div style="border-left:4px solid #4477aa;padding:4px 12px;line-height:1.5">'
        f"{inside}</div>"
    )
