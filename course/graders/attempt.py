"""How an answer is tried out: the learner's code is called with care, its result compared.

A grader is a generator of `Check`s.  Grading stops at the first one that fails, so that a learner
has one fault at a time to think about.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from course.graders import compare, errors, relations
from course.graders.case import given_in_words, to_try_again
from course.graders.compare import describe, equal, fault, near_difference
from course.graders.errors import error_text, explained
from course.graders.evidence import Case, axes_of, copied, most_believed, never_used
from course.graders.own_thread import printed_to
from course.graders.patience import WAITS, TimeUp, time_limit
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
    "random-result": N_(
        "Called twice with the same, your function gave two results. Is something drawn at random?",
        "같은 인수로 두 번 불렀더니 결과가 다릅니다. 무언가를 무작위로 뽑고 있나요?",
    ),
    "never-used": N_(
        "Your function never uses `{name}`. What is it for?",
        "함수에서 `{name}` 인수를 한 번도 쓰지 않습니다. 무엇에 쓰이는 인수인가요?",
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
    cases: list[Case] = field(default_factory=list)  # all that were compared
    _began: float = field(default_factory=time.thread_time)
    suspects: dict[str, Check] = field(default_factory=dict)  # what the last failure may have been
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
        kept, kept_named = copied(given), copied(named)
        case = self._case(function, given, named, name)

        def refuse(diagnosis: str, **about: Any) -> Refused:
            return Refused(self.fail(title, diagnosis, **case, **about))

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
            found, says = explained(error, self.answer)
            check = Check(title, found, says, got=error_text(error))
            check = replace(check, given=case["given"], tries=case["tries"])
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
        exercise's own, gives for the same arguments, that is the diagnosis, and of several that
        which agrees on most of what was tried; otherwise type, shape, dtype, device and values are
        looked at in turn.
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
            shown = near_difference(got, expected, **close)
        case = Case(given, named, got, (*mistakes, *self.spec.mistakes), close)
        self.cases.append(case)
        if raised is None and equal(got, expected, **close):
            return Check(title)
        about: dict[str, Any] = {
            **self._case(function or self.answer, given, named, name),
            "got": shown[0],
            "expected": shown[1] or describe(expected),
        }
        otherwise = raised or self._fault(title, got, expected, **close)
        if otherwise.diagnosis in (*VAGUE, *relations.SINGLE) and function is None:
            again = self.call(title, *given, **named)
            if not equal(again, got, **close):
                otherwise = self.fail(title, "random-result")
        otherwise = replace(otherwise, **about)
        if suspects := case.suspects():
            checks = {each: self.fail(title, each, **about) for each in suspects}
            return self._most_believed(checks, otherwise)
        return otherwise

    def _most_believed(self, suspects: dict[str, Check], otherwise: Check) -> Check:
        """Of the mistakes that fit the case at hand, the one that fits the other cases best.

        One that fits no other of several gives way to a relation between the numbers.
        """
        *others, _this = self.cases
        name, fits = most_believed(list(suspects), others)
        self.suspects = suspects if len(suspects) > 1 else {}
        might = sum(case.knows(name) for case in others)
        if might > 1 and not fits and otherwise.diagnosis in relations.DIAGNOSES:
            return otherwise
        return suspects[name]

    def look_on(self, check: Check, trials: Iterator[Check]) -> Check:
        """`check`, or what else it may have been, once the next cases have been tried, too."""
        if check not in self.suspects.values():
            return check
        suspects, printed, known = self.suspects, self.printed.tell(), len(self.cases)
        try:
            for _more in zip(range(LOOK_ON), trials, strict=False):
                pass
        except Exception:  # whatever comes of it, the check at hand stands
            pass
        self.printed.truncate(printed)
        others = [*self.cases[: known - 1], *self.cases[known:]]
        return suspects[most_believed(list(suspects), others)[0]]

    def _fault(self, title: str, got: Any, expected: Any, **close: float) -> Check:
        diagnosis, says = fault(got, expected, axes=axes_of(self.answer), **close)
        if diagnosis in VAGUE and (name := never_used(self.answer)):
            return self.fail(title, "never-used", name=name)
        return Check(title, diagnosis, says)

    def _case(
        self, function: Callable, given: tuple, named: dict, name: str | None
    ) -> dict[str, str]:
        """What was given, in words, and code to try it again where it is the answer's own call."""
        own = function is self.answer or name is not None
        return {
            "given": given_in_words(
                name or function, self.answer if own else function, given, named
            ),
            "tries": to_try_again(self.answer, given, named) if own else "",
        }


VAGUE = ("differs", "other-value", "wrong-shape")
LOOK_ON = 2  # checks after one that failed, where it may be one mistake or another


def failures(checks: Iterable[Check]) -> Iterator[Check]:
    """The first of these that failed, if any: further cases, of which a right answer hears nothing.

    An exercise shows a handful of checks; what else it tries is tried here.
    """
    for check in checks:
        if not check.passed:
            yield check
            return


def grade(spec: ExerciseSpec, answer: Any) -> tuple[list[Check], str]:
    """The checks of `answer` up to the first that fails, and what the learner's code printed.

    A fault in the grader is a failed check that `is_ours`; this raises nothing of its own.
    """
    attempt, checks = Attempt(spec, answer), []
    with torch_defaults(), same_random_state():
        try:
            for check in (trials := spec.grade(attempt)):
                checks.append(check)
                if not check.passed:
                    checks[-1] = attempt.look_on(check, trials)
                    break
        except Refused as refused:
            checks.append(refused.check)
        except Exception as error:
            checks.append(our_fault(error))
    return checks, attempt.printed.getvalue()


def our_fault(error: Exception) -> Check:
    """A failed check that is no fault of the learner's: what went wrong in ours."""
    sentence = DIAGNOSES[name := "check-failed"]
    title = N_("the check itself", "채점 자체")
    return Check(title, name, _(sentence).format(error=error_text(error)[:400]), is_ours=True)


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
