"""How an answer is tried out: the learner's code is called with care, its result compared.

A grader is a generator of `Check`s.  Grading stops at the first one that fails, so that a learner
has one fault at a time to think about.
"""

import contextlib
import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from utils.language import N_, _

SECONDS = 10


@dataclass(frozen=True)
class Check:
    """One thing that was tried: what was given, what came out, and what probably went wrong.

    `diagnosis` is a short name for the fault, the same in both languages; None if the check passed.
    """

    title: str
    diagnosis: str | None = None
    says: str = ""
    given: str = ""
    got: str = ""
    expected: str = ""

    @property
    def passed(self) -> bool:
        return self.diagnosis is None


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong: a function of the same arguments that gives what learners then get."""

    name: str
    wrong: Callable
    says: str


@dataclass(frozen=True)
class Exercise:
    """What is known about an exercise before it is answered.  Sentences marked with N_()."""

    number: str
    title: str
    kind: str  # "implement", "predict", "find" or "measure"
    difficulty: int  # 1 to 5
    minutes: int
    hints: tuple[str, str, str]
    grade: Callable[["Attempt"], Iterator[Check]]


EXERCISES: dict[str, Exercise] = {}


def exercise(number: str, **about) -> Callable:
    """Register the generator below as the grader of exercise `number`; `about` as in `Exercise`."""

    def register(grade):
        EXERCISES[number] = Exercise(number=number, grade=grade, **about)
        return grade

    return register


class Refused(Exception):
    """Ends grading with a check that failed."""

    def __init__(self, check: Check):
        self.check = check


class TimeUp(BaseException):
    """Raised inside code that ran for too long; a BaseException, so that `except Exception` in a
    learner's loop does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float):
    """Raise TimeUp in the block after `seconds`, and again soon after if that was swallowed.

    Needs the main thread and a system with SIGALRM, which Windows lacks: there, no limit.
    """
    if not hasattr(signal, "setitimer") or (
        threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def ring(_signal, _frame):
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01), 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Attempt:
    """The learner's answer, and the ways to try it.  `printed` gathers what their code prints."""

    answer: object
    printed: io.StringIO = field(default_factory=io.StringIO)
    seconds_left: float = field(default_factory=lambda: SECONDS)

    def call(self, title: str, *given, function: Callable | None = None, **named):
        """What the learner's function returns for copies of the arguments.

        Raises Refused if it raises, takes too long, returns None or changes what it is given.
        `function` is called in place of the answer where the answer is an object with methods.
        """
        function = function or self.answer
        kept, kept_named = _copy(given), _copy(named)
        says = _call_text(function, given, named)

        def refuse(diagnosis: str, sentence: str, got: str = ""):
            raise Refused(Check(title, diagnosis, sentence, says, got))

        if not callable(function):
            refuse(
                "not-a-function",
                _("This exercise takes a function; pass it without calling it."),
                describe(function),
            )
        start = time.monotonic()
        try:
            with time_limit(self.seconds_left), contextlib.redirect_stdout(self.printed):
                value = function(*kept, **kept_named)
        except TimeUp:
            refuse(
                "too-slow",
                _(
                    "Your code was still running after {seconds} seconds and was "
                    "stopped. Is there a loop that never ends?"
                ).format(seconds=SECONDS),
            )
        except NotImplementedError:
            refuse("not-finished", _("Your function says itself that it is not implemented yet."))
        except (Exception, SystemExit) as error:
            refuse(
                "raised",
                _("Your code raised an error: {error}").format(error=_error_text(error)[:400])
                + _where(error),
                _error_text(error),
            )
        self.seconds_left -= time.monotonic() - start
        if value is None:
            refuse("none", _("Your function returned None. Does it end with `return`?"), "None")
        if not (_same(kept, given) and _same(kept_named, named)):
            refuse(
                "changed-in-place",
                _(
                    "Your function changed its argument in place. Work on a "
                    "copy (`clone()`), and leave what you are given as it was."
                ),
            )
        return value

    def compare(
        self,
        title: str,
        *given,
        expected,
        mistakes: tuple[Mistake, ...] = (),
        atol: float = 1e-5,
        rtol: float = 1e-4,
        function: Callable | None = None,
        **named,
    ) -> Check:
        """Call the learner's function and compare its result with `expected`.

        If what came out, a value or an error, is what one of the `mistakes` gives for the same
        arguments, that is the diagnosis; otherwise type, shape, dtype, device and values are
        looked at in turn.
        """
        close = {"atol": atol, "rtol": rtol}
        try:
            got = self.call(title, *given, function=function, **named)
        except Refused as refused:
            if refused.check.diagnosis != "raised":
                raise
            got, diagnosis, says = refused.check.got, "raised", refused.check.says
        else:
            if equal(got, expected, **close):
                return Check(title)
            diagnosis, says = _fault(got, expected) or ("differs", _differs(got, expected, close))
        for mistake in mistakes:
            if equal(got, _outcome(mistake.wrong, _copy(given), _copy(named)), **close):
                diagnosis, says = mistake.name, _(mistake.says)
                break
        return Check(
            title,
            diagnosis,
            says,
            _call_text(function or self.answer, given, named),
            got if diagnosis == "raised" else describe(got),
            describe(expected),
        )


def fail(title: str, diagnosis: str, says: str, **about) -> Check:
    """A check that failed; `about` may hold `given`, `got` and `expected`, in words."""
    return Check(title, diagnosis, says, **about)


def grade(spec: Exercise, answer: object) -> tuple[list[Check], str]:
    """The checks of `answer` up to the first that fails, and what the learner's code printed."""
    attempt, checks = Attempt(answer), []
    try:
        for check in spec.grade(attempt):
            checks.append(check)
            if not check.passed:
                break
    except Refused as refused:
        checks.append(refused.check)
    return checks, attempt.printed.getvalue()


def equal(got, expected, atol: float = 1e-5, rtol: float = 1e-4) -> bool:
    """Whether `got` is `expected`: the same kind of thing, and for floats close enough."""
    if isinstance(expected, Tensor):
        return (
            isinstance(got, Tensor)
            and got.shape == expected.shape
            and got.dtype == expected.dtype
            and got.device == expected.device
            and torch.allclose(got.float(), expected.float(), atol=atol, rtol=rtol, equal_nan=True)
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(got, list | tuple)
            and len(got) == len(expected)
            and all(equal(g, e, atol, rtol) for g, e in zip(got, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(equal(got[key], expected[key], atol, rtol) for key in expected)
        )
    if isinstance(expected, float):
        return (
            isinstance(got, float | int)
            and not isinstance(got, bool)
            and (abs(got - expected) <= atol + rtol * abs(expected))
        )
    return type(got) is type(expected) and got == expected


def _fault(got, expected) -> tuple[str, str] | None:
    """What is wrong with the kind of thing that came out, before its values are looked at."""
    kind = _kind(expected)
    if isinstance(expected, Tensor):
        if isinstance(got, list | tuple):
            return "list-for-tensor", _("A Python list came out; a tensor was asked for.")
        if not isinstance(got, Tensor):
            return "wrong-type", _("{got} came out; a tensor was asked for.").format(got=_kind(got))
        if got.device != expected.device:
            return "wrong-device", _(
                "The result is on {got}, what was given on {expected}."
            ).format(got=got.device, expected=expected.device)
        if got.shape != expected.shape:
            if got.shape == (1, *expected.shape):
                return "batch-kept", _(
                    "The result has one axis too many in front: the batch axis was kept, or added."
                )
            return "wrong-shape", _("The shape is {got}; it should be {expected}.").format(
                got=list(got.shape), expected=list(expected.shape)
            )
        if got.dtype != expected.dtype:
            return "wrong-dtype", _("The numbers are {got}; they should stay {expected}.").format(
                got=_dtype(got), expected=_dtype(expected)
            )
        if got.is_floating_point() and got.isnan().any() and not expected.isnan().any():
            return "nan", _(
                "Some numbers are nan (not a number): something like inf - inf or 0 / 0."
            )
    elif isinstance(got, Tensor):
        return "tensor-for-value", _(
            "A tensor came out; {kind} was asked for. `.item()` turns a "
            "tensor with one number into that number."
        ).format(kind=kind)
    elif type(got) is not type(expected) and not isinstance(expected, float | list | tuple):
        return "wrong-type", _("{got} came out; {kind} was asked for.").format(
            got=_kind(got), kind=kind
        )
    return None


def _differs(got, expected, close: dict) -> str:
    if not isinstance(expected, Tensor):
        return _("That is not the value expected.")
    wrong = ~torch.isclose(got.float(), expected.float(), equal_nan=True, **close)
    first = tuple(wrong.nonzero()[0].tolist())
    return _(
        "{wrong} of {all} numbers differ; the first at index {index}: {got} where {expected} "
        "was expected."
    ).format(
        wrong=int(wrong.sum()),
        all=wrong.numel(),
        index=list(first),
        got=f"{got[first].item():.4g}",
        expected=f"{expected[first].item():.4g}",
    )


def describe(value) -> str:
    """A value in a few words: a tensor's shape, type and first numbers; anything else shortened."""
    if isinstance(value, Tensor):
        numbers = [] if value.is_meta else value.detach().flatten()[:6].tolist()
        shown = ", ".join(f"{n:.4g}" if isinstance(n, float) else str(n) for n in numbers)
        more = ", …" if value.numel() > 6 else ""
        return f"tensor {list(value.shape)} {_dtype(value)}: {shown}{more}"
    if isinstance(value, torch.nn.Module):
        return type(value).__name__
    if isinstance(value, list | tuple):
        inside = ", ".join(map(describe, value[:6])) + (", …" if len(value) > 6 else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {describe(v)}' for key, v in value.items())}}}"[:400]
    if isinstance(value, float):
        return f"{value:.4g}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = repr(value)
    if " object at 0x" in text:
        return type(value).__name__
    return text if len(text) <= 160 else text[:159] + "…"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


_KINDS = {
    int: N_("a whole number (int)"),
    float: N_("a number (float)"),
    str: N_("a text (str)"),
    bool: N_("True or False"),
    list: N_("a list"),
    tuple: N_("a tuple"),
    dict: N_("a dict"),
}


def _kind(value) -> str:
    return _(_KINDS[type(value)]) if type(value) in _KINDS else type(value).__name__


def _call_text(function, given: tuple, named: dict) -> str:
    name = getattr(function, "__name__", "answer")
    arguments = [describe(v) for v in given] + [f"{k}={describe(v)}" for k, v in named.items()]
    return f"{name}({', '.join(arguments)})"


def _copy(values):
    """Copies of tensors, lists and the like; models and tokenizers are passed as they are."""
    if isinstance(values, tuple):
        return tuple(map(_copy, values))
    if isinstance(values, dict):
        return {name: _copy(value) for name, value in values.items()}
    if isinstance(values, Tensor):
        return values.clone()
    return deepcopy(values) if isinstance(values, list | set) else values


def _same(kept, given) -> bool:
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


def _outcome(wrong: Callable, given: tuple, named: dict):
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
    return _(" (line {line} of your cell)").format(line=line) if line else ""
