"""Questions that ask for a guess before a cell shows the answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question with choices; `right` is the index of one.  Sentences marked with N_()."""

    number: str
    asks: str
    choices: tuple[str, ...]
    right: int
    because: str


QUESTIONS: dict[str, Question] = {}


def question(number: str, asks: str, choices: tuple[str, ...], right: int, because: str) -> None:
    """Register question `number`, such as "1.a"; `right` counts from 1, as a learner does."""
    QUESTIONS[number] = Question(number, asks, choices, right - 1, because)
