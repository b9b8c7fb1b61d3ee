"""How an answer is tried out: the learner's code is called with care, its result compared.

A grader is a generator of `Check`s.  Grading stops at the first one that fails, so that a learner
has one fault at a time to think about.
"""

import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from course.graders import compare
from course.graders.compare import describe, equal, fault
from course.graders.own_thread import printed_to, raised_after
from course.graders.spec import Check, ExerciseSpec, Mistake, failed
from utils.language import N_, _

SECONDS = 10
DIAGNOSES = {
    "not-a-function": N_(
        "This exercise takes a function; pass it without calling it.",
        "이 문제에는 함수가 필요합니다. 호출하지 말고 함수 자체를 넘겨 주세요.",
    ),
    "not-a-class": N_(
        "This exercise takes the class itself: `check({name})`, without brackets.",
        "이 연습 문제는 클래스 자체를 받습니다. 괄호 없이 `check({name})`라고 쓰세요.",
    ),
    "method-missing": N_(
        "The class has no method `{name}`.",
        "클래스에 `{name}` 메서드가 없습니다.",
    ),
    "too-slow": N_(
        "Your code was still running after {seconds} seconds and was stopped. Is there a loop "
        "that never ends?",
        "{seconds}초가 지나도 코드가 끝나지 않아 멈췄습니다. 끝나지 않는 반복문이 있나요?",
    ),
    "not-finished": N_(
        "Your function says itself that it is not implemented yet.",
        "함수에서 NotImplementedError가 났습니다. 아직 구현하지 않은 곳이 있습니다.",
    ),
    "raised": N_("Your code raised an error: {error}", "코드에서 오류가 났습니다: {error}"),
    "none": N_(
        "Your function returned None. Does it end with `return`?",
        "함수가 None을 돌려주었습니다. 끝에 `return`이 있나요?",
    ),
    "changed-in-place": N_(
        "Your function changed its argument in place. Work on a copy (`clone()`), and leave "
        "what you are given as it was.",
        "함수가 받은 인수 자체를 바꿨습니다. 사본(`clone()`)으로 작업하고, 받은 것은 그대로 "
        "두세요.",
    ),
    **compare.DIAGNOSES,
}
"""The sentences of what can go wrong in any exercise, by the diagnosis' name."""


class Refused(Exception):
    """Ends grading with a check that failed."""

    def __init__(self, check: Check):
        self.check = check


class TimeUp(BaseException):
    """Raised inside code that ran for too long; a BaseException, so that `except Exception` in a
    learner's loop does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block after `seconds`, and again soon after if that was swallowed.

    On the main thread a signal does it, which ends a long sleep, too.  Other threads, and Windows,
    know no such signal.
    """
    seconds = max(seconds, 0.01)
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and hasattr(signal, "setitimer")):
        with raised_after(seconds, TimeUp):
            yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Attempt:
    """The learner's answer to an exercise, and the ways to try it.

    `printed` gathers what their code prints.
    """

    spec: ExerciseSpec
    answer: Any
    printed: io.StringIO = field(default_factory=io.StringIO)
    seconds_left: float = field(default_factory=lambda: SECONDS)

    def fail(self, title: str, name: str, /, **about: Any) -> Check:
        """A check that failed with diagnosis `name`, one of this exercise's or of any exercise's.

        `about` may hold `given`, `got` and `expected`, in words; the rest fills the sentence.
        """
        return failed({**DIAGNOSES, **self.spec.diagnoses}, title, name, **about)

    def call(
        self,
        title: str,
        *given: Any,
        function: Callable | None = None,
        name: str | None = None,
        **named: Any,
    ) -> Any:
        """What the learner's function returns for copies of the arguments.

        Raises Refused if it raises, takes too long, returns None or changes what it is given.
        `function` is called in place of the answer where the answer is an object with methods;
        `name` is what it is called in words, where that is not its own name.
        """
        function = function or self.answer
        kept, kept_named = _copy(given), _copy(named)
        says = _call_text(name or function, given, named)

        def refuse(diagnosis: str, **about: Any) -> Refused:
            return Refused(self.fail(title, diagnosis, given=says, **about))

        if not callable(function):
            raise refuse("not-a-function", got=describe(function))
        start = time.monotonic()
        try:
            with time_limit(self.seconds_left), printed_to(self.printed):
                value = function(*kept, **kept_named)
        except TimeUp:
            raise refuse("too-slow", seconds=SECONDS) from None
        except NotImplementedError:
            raise refuse("not-finished") from None
        except (Exception, SystemExit) as error:
            text = _error_text(error)
            raise refuse("raised", error=text[:400] + _where(error), got=text) from error
        self.seconds_left -= time.monotonic() - start
        if value is None:
            raise refuse("none", got="None")
        if not (_same(kept, given) and _same(kept_named, named)):
            raise refuse("changed-in-place")
        return value

    def made(self, title: str, *given: Any, name: str, methods: tuple[str, ...]) -> Any:
        """An object of the learner's class `name`, made with the arguments `given`.

        Raises Refused as `call` does, where the answer is no class, and where one of `methods` is
        missing.
        """
        if not isinstance(self.answer, type):
            raise Refused(self.fail(title, "not-a-class", got=describe(self.answer), name=name))
        thing = self.call(title, *given)
        for method in methods:
            if not callable(getattr(thing, method, None)):
                raise Refused(self.fail(title, "method-missing", name=method))
        return thing

    def compare(
        self,
        title: str,
        *given: Any,
        expected: Any,
        mistakes: tuple[Mistake, ...] = (),
        atol: float = 1e-5,
        rtol: float = 1e-4,
        function: Callable | None = None,
        name: str | None = None,
        **named: Any,
    ) -> Check:
        """Call the learner's function and compare its result with `expected`.

        If what came out, a value or an error, is what one of the `mistakes`, or one of the
        exercise's own, gives for the same arguments, that is the diagnosis; otherwise type, shape,
        dtype, device and values are looked at in turn.
        """
        close = {"atol": atol, "rtol": rtol}
        about: dict[str, Any] = {}
        otherwise: Check | None = None
        try:
            got = self.call(title, *given, function=function, name=name, **named)
        except Refused as refused:
            if refused.check.diagnosis != "raised":
                raise
            otherwise, got, shown = refused.check, refused.check.got, refused.check.got
        else:
            if equal(got, expected, **close):
                return Check(title)
            shown = describe(got)
        about = {
            "given": _call_text(name or function or self.answer, given, named),
            "got": shown,
            "expected": describe(expected),
        }
        for mistake in (*mistakes, *self.spec.mistakes):
            if equal(got, _outcome(mistake.wrong, _copy(given), _copy(named)), **close):
                return self.fail(title, mistake.name, **about)
        if otherwise:
            return Check(title, "raised", otherwise.says, **about)
        diagnosis, values = fault(got, expected, atol, rtol)
        return Check(title, diagnosis, _(DIAGNOSES[diagnosis]).format(**values), **about)


def grade(spec: ExerciseSpec, answer: Any) -> tuple[list[Check], str]:
    """The checks of `answer` up to the first that fails, and what the learner's code printed."""
    attempt, checks = Attempt(spec, answer), []
    try:
        for check in spec.grade(attempt):
            checks.append(check)
            if not check.passed:
                break
    except Refused as refused:
        checks.append(refused.check)
    return checks, attempt.printed.getvalue()


def _call_text(function: Callable | str, given: tuple, named: dict) -> str:
    if not isinstance(function, str):
        function = getattr(function, "__name__", "answer")
    arguments = [describe(v) for v in given] + [f"{k}={describe(v)}" for k, v in named.items()]
    return f"{function}({', '.join(arguments)})"


def _copy(values: Any) -> Any:
    """Copies of tensors, lists and the like; models and tokenizers are passed as they are."""
    if isinstance(values, tuple):
        return tuple(map(_copy, values))
    if isinstance(values, dict):
        return {name: _copy(value) for name, value in values.items()}
    if isinstance(values, Tensor):
        return values.clone()
    return deepcopy(values) if isinstance(values, list | set) else values


def _same(kept: Any, given: Any) -> bool:
    if isinstance(given, Tensor):
        return kept.shape == given.shape and torch.equal(
            kept.nan_to_num() if kept.is_floating_point() else kept,
            given.nan_to_num() if given.is_floating_point() else given,
        )
    if isinstance(given, dict):
        return kept.keys() == given.keys() and all(_same(kept[k], given[k]) for k in given)
    if isinstance(given, tuple | list):
        return len(kept) == len(given) and all(map(_same, kept, given))
    return True


def _outcome(wrong: Callable, given: tuple, named: dict) -> Any:
    """What a mistake gives for these arguments; the text of its error where it raises one."""
    try:
        return wrong(*given, **named)
    except Exception as error:
        return _error_text(error)


def _error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _where(error: BaseException) -> str:
    """The line of the learner's own code in which an error was raised."""
    trace, line = error.__traceback__, None
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith(("<ipython", "/tmp/ipykernel")) or (
            "ipykernel_" in trace.tb_frame.f_code.co_filename
        ):
            line = trace.tb_lineno
        trace = trace.tb_next
    return (
        _(" (line {line} of your cell)", " (셀의 {line}번째 줄)").format(line=line) if line else ""
    )
