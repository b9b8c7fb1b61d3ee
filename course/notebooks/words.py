"""What a lesson says of itself, its exercises and its questions, and puts into no notebook.

All of it stands in the lesson, both languages side by side, beside the cell that uses it:

    # %% [markdown] lang="en" lesson="03"
    # the sampler                                 what a learner builds in it
    #
    # - C10 Every token has a probability …       what it teaches: its cells are tagged with these

    # %% [markdown] lang="en"
    # ### Exercise 3.1 · Greedy search            the title
    # …
    # %% id="check-3-1" kind="implement" difficulty=1 minutes=5
    Exercise("3.1").check(greedy)
    # %% [markdown] lang="en" hints="3.1"
    # 1. The first of three hints.
    # 2. …
    # %% [markdown] lang="en" question="3.a"
    # What is asked?
    #
    # - [ ] a choice
    #   - What it overlooks, if it is wrong: said to whoever chooses it.
    # - [x] the right one
    #
    # Why it is right.

The widgets of exercises and questions read their words from here.
"""

import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from course.lessons import by_number, lesson_files, lesson_of
from utils.language import _, current_language

KINDS = ("implement", "predict", "find", "measure")
CELL = re.compile(r"(?m)^# %%(.*)\n((?:(?!# %%).*\n?)*)")
TITLE = re.compile(r"(?m)^### \S+ (\d+\.\d+) · (.+)$")
CONCEPT = re.compile(r"(?m)^- (C\d+) (.+(?:\n  .+)*)")
CHOICE = re.compile(r"- \[( |x)\] ")
OVERLOOKS = re.compile(r"\n +- ")  # a list item inside a choice


class WordsError(ValueError):
    """Words that cannot be used: of which exercise or question, and what they should look like."""

    def __init__(self, number: str, says: str):
        super().__init__(says)
        self.number = number


@dataclass(frozen=True)
class ExerciseWords:
    """What a learner reads of an exercise, in one language, besides its text in the lesson."""

    number: str
    title: str
    kind: str  # one of KINDS
    difficulty: int  # 1 to 5
    minutes: int
    hints: tuple[str, ...]  # three; each says more than the one before


@dataclass(frozen=True)
class QuestionWords:
    """A question with choices, in one language; `right` is the index of one."""

    number: str
    asks: str
    choices: tuple[str, ...]
    overlooks: tuple[str, ...]  # one for each choice, and nothing for the right one
    right: int
    because: str


@dataclass(frozen=True)
class LessonWords:
    """What a lesson is for, in one language: what a learner builds in it, and what it teaches."""

    builds: str
    concepts: dict[str, str]  # id, such as "C10", by which cells are tagged → a sentence
    exercises: dict[str, ExerciseWords]  # by number, in their order
    questions: dict[str, QuestionWords]


def exercise_words(number: str, lang: str | None = None) -> ExerciseWords:
    """The words of exercise `number`, such as "3.2", in `lang` or the language in use.

    Raises ValueError with the numbers there are.
    """
    return _find("exercises", number, lang)


def question_words(number: str, lang: str | None = None) -> QuestionWords:
    """The words of question `number`, such as "3.a".  Otherwise as `exercise_words`."""
    return _find("questions", number, lang)


def exercise_numbers() -> list[str]:
    """All exercises of the course, in their order."""
    numbers = [n for path in lesson_files() for n in lesson_words(path, "en").exercises]
    return sorted(numbers, key=by_number)


def question_numbers() -> list[str]:
    """All questions of the course, in their order."""
    return [number for path in lesson_files() for number in lesson_words(path, "en").questions]


def _find(which: str, number: str, lang: str | None) -> Any:
    if re.fullmatch(r"\d+\.\w+", number):
        for path in lesson_files(lesson_of(number)):
            if found := getattr(lesson_words(path, lang or current_language()), which).get(number):
                return found
    known = exercise_numbers() if which == "exercises" else question_numbers()
    raise ValueError(
        _("There is no number {number}. There are: {numbers}.").format(
            number=number, numbers=", ".join(known)
        )
    )


def lesson_words(path: Path, lang: str) -> LessonWords:
    """What a lesson says in `lang`.  Raises WordsError for what is missing or cannot be read."""
    return _words(path.read_text(encoding="utf-8"), lang)


@cache
def _words(lesson: str, lang: str) -> LessonWords:
    titles: dict[str, str] = {}
    about: dict[str, dict[str, str]] = {}
    hints: dict[str, str] = {}
    questions: dict[str, QuestionWords] = {}
    builds, concepts = "", {}
    for attributes, text in _cells(lesson):
        if attributes.get("id", "").startswith("check-") and "kind" in attributes:
            about[attributes["id"].removeprefix("check-").replace("-", ".")] = attributes
        if attributes.get("lang") != lang:
            continue
        if "lesson" in attributes:
            builds, *_rest = text.split("\n\n")
            concepts = {i: _one_line(says) for i, says in CONCEPT.findall(text)}
        titles |= dict(TITLE.findall(text))
        if number := attributes.get("hints"):
            hints[number] = text
        if number := attributes.get("question"):
            questions[number] = _question(number, text)
    if odd := hints.keys() ^ about.keys() or about.keys() - titles.keys():
        raise WordsError(
            min(odd),
            f"exercise {min(odd)} needs, in {lang!r}: a heading with its number and title; a check "
            'cell with kind="…" difficulty=… minutes=…; and a cell of hints',
        )
    exercises = {
        number: _exercise(number, titles[number], about[number], hints[number]) for number in about
    }
    return LessonWords(_one_line(builds), concepts, exercises, questions)


def _cells(lesson: str) -> Iterator[tuple[dict[str, str], str]]:
    """The attributes of each cell, and its text; a markdown cell's without its "# "."""
    for head, text in CELL.findall(lesson):
        attributes = {name: a or b for name, a, b in re.findall(r'(\w+)=(?:"([^"]*)"|(\d+))', head)}
        if "[markdown]" in head:
            text = re.sub(r"(?m)^# ?", "", text)
        yield attributes, text


def _exercise(number: str, title: str, about: dict[str, str], hints: str) -> ExerciseWords:
    three = re.split(r"(?m)^\d\. ", hints)[1:]
    kind, difficulty = about["kind"], int(about.get("difficulty", 0))
    if len(three) != 3 or kind not in KINDS or not 1 <= difficulty <= 5 or "minutes" not in about:
        raise WordsError(
            number,
            f"exercise {number}: three hints, numbered 1. to 3.; a kind, one of "
            f"{', '.join(KINDS)}; a difficulty from 1 to 5; and minutes",
        )
    said = tuple(map(_one_line, three))
    return ExerciseWords(number, title, kind, difficulty, int(about["minutes"]), said)


def _question(number: str, text: str) -> QuestionWords:
    parts = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    choices = re.split(r"\n(?=- \[)", parts[1]) if len(parts) == 3 else []
    marks = [mark[1] for mark in map(CHOICE.match, choices) if mark]
    if len(choices) < 2 or len(marks) < len(choices) or marks.count("x") != 1:
        raise WordsError(
            number,
            f"question {number}: what is asked, a list of choices `- [ ]` with one `- [x]`, and "
            "why it is right, with an empty line between them",
        )
    said = [[_one_line(part) for part in OVERLOOKS.split(choice[6:])] for choice in choices]
    for mark, (choice, *overlooks) in zip(marks, said, strict=True):
        if len(overlooks) != (mark == " ") or "" in overlooks:
            raise WordsError(
                number,
                f"question {number}, {choice!r}: below a wrong choice one item `  - `, which says "
                "what it overlooks, and below the right one none",
            )
    return QuestionWords(
        number,
        asks=_one_line(parts[0]),
        choices=tuple(choice for choice, *_overlooks in said),
        overlooks=tuple("".join(overlooks) for _choice, *overlooks in said),
        right=marks.index("x"),
        because=_one_line(parts[2]),
    )


def as_html(sentence: str) -> str:
    """A sentence with `code` between backticks, as HTML."""
    parts = html.escape(sentence).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _one_line(text: str) -> str:
    return " ".join(textwrap.dedent(text).split())
