"""How an answer is tried out: the learner's code is called with care, its result compared.

A grader is a generator of `Check`s.  Grading stops at the first one that fails, so that a learner
has one fault at a time to think about.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from course.graders import compare, errors, relations
from course.graders.compare import describe, equal, fault, near_difference
from course.graders.errors import error_text, explained
from course.graders.own_thread import looking_every, printed_to, raised_after
from course.graders.spec import Check, ExerciseSpec, Mistake, failed
from course.graders.surroundings import Watch, same_random_state, torch_defaults
from utils.language import N_, _

SECONDS = 10  # of computing, for all calls of an exercise together
TIMES_REFERENCE = 3  # more where the course's own solution is slow: it may take this many times
REFERENCE_SECONDS: dict[str, float] = {}  # by exercise: what all but the answer has taken so far
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
        "Your code had been computing for {seconds} seconds and was stopped. Is there a loop "
        "that never ends?",
        "코드가 {seconds}초 동안 계산해도 끝나지 않아 멈췄습니다. 끝나지 않는 반복문이 있나요?",
    ),
    "waits": N_(
        "Your code was not done after {seconds} seconds, though it hardly computed, and was "
        "stopped. Does it wait for something?",
        "코드가 계산은 거의 하지 않으면서 {seconds}초가 지나도 끝나지 않아 멈췄습니다. 무언가를 "
        "기다리고 있나요?",
    ),
    "changed-the-model": N_(
        "Your function changed the model: {what}. What can be undone is undone. Leave what you "
        "are given as it is.",
        "함수가 모델을 바꿨습니다: {what}. 되돌릴 수 있는 것은 되돌려 놓았습니다. 받은 모델은 "
        "그대로 두세요.",
    ),
    "check-failed": N_(
        "The check itself failed; this is not your mistake, and it does not count: {error}",
        "채점 코드에서 오류가 났습니다. 여러분의 실수가 아니며 시도로 세지 않습니다: {error}",
    ),
    "not-finished": N_(
        "Your function says itself that it is not implemented yet.",
        "함수에서 NotImplementedError가 났습니다. 아직 구현하지 않은 곳이 있습니다.",
    ),
    "none": N_(
        "Your function returned None. Does it end with `return`, or does it `yield` what is "
        "asked for one by one?",
        "함수가 None을 돌려주었습니다. 끝에 `return`이 있거나, 하나씩 내야 한다면 `yield`가 "
        "있나요?",
    ),
    "changed-in-place": N_(
        "Your function changed its argument in place. Work on a copy (`clone()`), and leave "
        "what you are given as it was.",
        "함수가 받은 인수 자체를 바꿨습니다. 사본(`clone()`)으로 작업하고, 받은 것은 그대로 "
        "두세요.",
    ),
    **errors.DIAGNOSES,
    **compare.DIAGNOSES,
    **relations.DIAGNOSES,
}
"""The sentences of what can go wrong in any exercise, by the diagnosis' name."""


class Refused(Exception):
    """Ends grading with a check that failed."""

    def __init__(self, check: Check, error: BaseException | None = None):
        self.check = check
        self.error = error  # what the learner's code raised


class TimeUp(BaseException):
    """Raised inside code that ran for too long; a BaseException, so that `except Exception` in a
    learner's loop does not swallow it."""


WAITS = 12  # seconds by the clock, for each second of computing that is granted
LOOK_EVERY = 0.2  # seconds


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block once it has computed for `seconds`, and again if that is swallowed.

    What counts is what this thread computes itself, so that a busy machine makes no answer late;
    for code that only waits there is a far limit by the clock, too.  On the main thread a signal
    does it, which ends a long sleep, too; other threads know none.
    """
    seconds = max(seconds, 0.01)
    if threading.current_thread() is not threading.main_thread():
        with raised_after(seconds, TimeUp):
            yield
        return
    computed, began = time.thread_time() + seconds, time.monotonic()

    def look() -> None:
        if time.thread_time() >= computed or time.monotonic() - began >= WAITS * seconds:
            raise TimeUp

    with looking_every(min(seconds, LOOK_EVERY), look):
        yield


@dataclass
class Attempt:
    """The learner's answer to an exercise, and the ways to try it.

    `printed` gathers what their code prints.
    """

    spec: ExerciseSpec
    answer: Any
    printed: io.StringIO = field(default_factory=io.StringIO)
    seconds_left: float = field(default_factory=lambda: SECONDS)
    watch: Watch = field(default_factory=Watch)
    _began: float = field(default_factory=time.thread_time)
    _computed: float = 0.0  # seconds that the answer itself has taken so far

    def patience(self) -> float:
        """Seconds that a call may compute: what is left, and more where the reference is slow."""
        ours = time.thread_time() - self._began - self._computed
        number = self.spec.number
        REFERENCE_SECONDS[number] = max(ours, REFERENCE_SECONDS.get(number, 0.0))
        return self.seconds_left + TIMES_REFERENCE * REFERENCE_SECONDS[number]

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
        call_text = _call_text(name or function, given, named)

        def refuse(diagnosis: str, **about: Any) -> Refused:
            return Refused(self.fail(title, diagnosis, given=call_text, **about))

        if not callable(function):
            raise refuse("not-a-function", got=describe(function))
        self.watch.over(self.answer, function, given, named)
        seconds, start = self.patience(), time.thread_time()
        error = None
        try:
            with torch_defaults(), printed_to(self.printed), time_limit(seconds):
                value = function(*kept, **kept_named)
        except (Exception, SystemExit, TimeUp) as raised:
            error = raised
        computed = time.thread_time() - start
        self._computed += computed
        self.seconds_left -= computed
        if what := self.watch.put_back():
            raise refuse("changed-the-model", what=what)
        if isinstance(error, TimeUp):
            if computed < seconds / 2:
                raise refuse("waits", seconds=round(WAITS * seconds))
            raise refuse("too-slow", seconds=round(seconds))
        if isinstance(error, NotImplementedError):
            raise refuse("not-finished")
        if error is not None:
            name, says = explained(error, self.answer)
            check = Check(title, name, says, given=call_text, got=error_text(error))
            raise Refused(check, error) from error
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
        raised: Check | None = None
        try:
            got = self.call(title, *given, function=function, name=name, **named)
        except Refused as refused:
            if refused.error is None:
                raise
            raised, got, shown = refused.check, refused.check.got, (refused.check.got, "")
        else:
            if equal(got, expected, **close):
                return Check(title)
            raised, shown = None, near_difference(got, expected, **close)
        about: dict[str, Any] = {
            "given": _call_text(name or function or self.answer, given, named),
            "got": shown[0],
            "expected": shown[1] or describe(expected),
        }
        for mistake in (*mistakes, *self.spec.mistakes):
            if equal(got, _outcome(mistake.wrong, _copy(given), _copy(named)), **close):
                return self.fail(title, mistake.name, **about)
        if raised:
            return Check(title, raised.diagnosis, raised.says, **about)
        diagnosis, says = fault(got, expected, **close)
        return Check(title, diagnosis, says, **about)


def grade(spec: ExerciseSpec, answer: Any) -> tuple[list[Check], str]:
    """The checks of `answer` up to the first that fails, and what the learner's code printed.

    A fault in the grader is a failed check that `is_ours`; this raises nothing of its own.
    """
    attempt, checks = Attempt(spec, answer), []
    with torch_defaults(), same_random_state():
        try:
            for check in spec.grade(attempt):
                checks.append(check)
                if not check.passed:
                    break
        except Refused as refused:
            checks.append(refused.check)
        except Exception as error:
            checks.append(_our_fault(error))
    return checks, attempt.printed.getvalue()


def _our_fault(error: Exception) -> Check:
    sentence = DIAGNOSES[name := "check-failed"]
    title = N_("the check itself", "채점 자체")
    return Check(title, name, _(sentence).format(error=error_text(error)[:400]), is_ours=True)


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
        return error_text(error)
