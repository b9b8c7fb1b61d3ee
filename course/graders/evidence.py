"""What speaks for a mistake: the cases on which it gives what the answer gave."""

import dis
import inspect
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from torch import Tensor

from course.graders.compare import equal
from course.graders.errors import error_text
from course.graders.spec import Mistake


@dataclass(frozen=True)
class Case:
    """One call that was compared: its arguments, what came out (or an error's text), and the
    mistakes that it could have been."""

    given: tuple
    named: dict[str, Any]
    got: Any
    mistakes: tuple[Mistake, ...]
    close: dict[str, float]

    def suspects(self) -> list[str]:
        """The mistakes that give what came out, the first to be believed first."""
        names = [mistake.name for mistake in self.mistakes if self._fits(mistake)]
        return list(dict.fromkeys(names))

    def knows(self, name: str) -> bool:
        """Whether it could have been this mistake."""
        return any(mistake.name == name for mistake in self.mistakes)

    def fits(self, name: str) -> bool:
        """Whether one of the mistakes of this name gives what came out."""
        return any(mistake.name == name and self._fits(mistake) for mistake in self.mistakes)

    def _fits(self, mistake: Mistake) -> bool:
        gives = outcome(mistake.wrong, copied(self.given), copied(self.named))
        return equal(self.got, gives, **self.close)


def most_believed(suspects: list[str], others: list[Case]) -> tuple[str, int]:
    """The suspect that fits most of the other cases, and how many; of equals the first."""
    fits = {name: sum(case.fits(name) for case in others) for name in suspects}
    best = max(suspects, key=lambda name: fits[name])
    return best, fits[best]


def outcome(wrong: Callable, given: tuple, named: dict) -> Any:
    """What a mistake gives for these arguments; the text of its error where it raises one."""
    try:
        return wrong(*given, **named)
    except Exception as error:
        return error_text(error)


def copied(values: Any) -> Any:
    """Copies of tensors, lists and the like; models and tokenizers are passed as they are."""
    if isinstance(values, tuple):
        return tuple(map(copied, values))
    if isinstance(values, dict):
        return {name: copied(value) for name, value in values.items()}
    if isinstance(values, Tensor):
        return values.clone()
    return deepcopy(values) if isinstance(values, list | set) else values


def never_used(answer: Any) -> str:
    """The first argument of a function that its code never reads; "" where there is none."""
    function = inspect.unwrap(answer) if callable(answer) else None
    if not isinstance(function, FunctionType):
        return ""
    code = function.__code__
    read = {
        step.argval
        for step in dis.get_instructions(code)
        if step.opname.startswith(("LOAD_", "COPY_FREE")) and isinstance(step.argval, str)
    } | {*code.co_cellvars}
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return next((name for name in arguments if name not in read), "")


def axes_of(answer: Any) -> tuple[str, ...]:
    """What the axes of its result are called in the answer's docstring: "Return [head, query]"."""
    says = getattr(answer, "__doc__", None)
    found = re.search(r"Returns? [^\[.]*?(?:shape of \w+: )?[^\[.]*\[([^\]]+)\]", says or "")
    return tuple(name.strip() for name in found[1].split(",")) if found else ()
