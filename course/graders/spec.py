"""What an exercise is to its grader: what it checks, how it goes wrong, and what is said then.

Its title, hints and minutes stand in the lesson, beside the cell that asks it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from utils.language import _


@dataclass(frozen=True)
class Check:
    """One thing that was tried: what was given, what came out, and what probably went wrong.

    `diagnosis` is a short name for the fault, the same in both languages; None if the check passed.
    `is_ours`: what failed is the check itself, and no fault of the learner's.  `tries` is code that
    can be pasted into a cell to try the case again.
    """

    title: str
    diagnosis: str | None = None
    says: str = ""
    given: str = ""
    got: str = ""
    expected: str = ""
    is_ours: bool = False
    tries: str = ""

    @property
    def passed(self) -> bool:
        return self.diagnosis is None


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong: a function of the same arguments that gives what learners then get.

    `says`, marked with N_(), is left out where the exercise's `diagnoses`, or an earlier mistake of
    the same name, have it.
    """

    name: str
    wrong: Callable
    says: str = ""


Grader = Callable[[Any], Iterator[Check]]  # takes an Attempt, and yields what it has tried


@dataclass(frozen=True)
class ExerciseSpec:
    """How an exercise is graded.

    `diagnoses` has the sentence of every fault that this grader can name, marked with N_(); what
    differs from one answer to the next is left open, in braces.
    """

    number: str
    grade: Grader
    mistakes: tuple[Mistake, ...]
    diagnoses: Mapping[str, str]


EXERCISES: dict[str, ExerciseSpec] = {}
"""The exercises of the lessons whose graders have been imported, by number."""


def exercise(
    number: str, *, mistakes: tuple[Mistake, ...] = (), diagnoses: Mapping[str, str] | None = None
) -> Callable[[Grader], Grader]:
    """Register the generator below as the grader of exercise `number`.

    mistakes: what `Attempt.compare` tries where a result differs; diagnoses: the sentences of
    those without one, and of what the grader finds by itself, by name.
    """
    said = dict(diagnoses or {})
    for mistake in mistakes:
        if said.setdefault(mistake.name, mistake.says) != (mistake.says or said[mistake.name]):
            raise ValueError(f"exercise {number}: two sentences for {mistake.name}")
    if silent := [name for name, says in said.items() if not says]:
        raise ValueError(f"exercise {number}: no sentence for {', '.join(silent)}")

    def register(grade: Grader) -> Grader:
        EXERCISES[number] = ExerciseSpec(number, grade, mistakes, said)
        return grade

    return register


def failed(
    sentences: Mapping[str, str],
    title: str,
    name: str,
    /,
    *,
    given: str = "",
    got: str = "",
    expected: str = "",
    tries: str = "",
    **values: object,
) -> Check:
    """A check that failed: diagnosis `name`, its sentence filled with `values`."""
    return Check(
        title, name, _(sentences[name]).format(**values), given, got, expected, tries=tries
    )
