"""What holds for the learner's answer alone: for the thread on which it is tried out.

A widget's callback may run on another thread meanwhile, and it is none of the answer's.
"""

import ctypes
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_changing = threading.Lock()


class _Outputs:
    """Stands in for `sys.stdout`: some threads write to a stream of their own, all others on."""

    def __init__(self, others: TextIO):
        self._others = others
        self._own: dict[int, TextIO] = {}

    def write(self, text: str) -> int:
        return self._own.get(threading.get_ident(), self._others).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own.get(threading.get_ident(), self._others), name)


def _installed() -> _Outputs:
    """The one in the place of `sys.stdout`, put there if there is none."""
    if not isinstance(sys.stdout, _Outputs):
        sys.stdout = cast(TextIO, _Outputs(sys.stdout))
    return cast(_Outputs, sys.stdout)


@contextmanager
def printed_to(stream: TextIO) -> Iterator[None]:
    """Within it, what this thread prints goes to `stream`; what others print, where it went."""
    me = threading.get_ident()
    with _changing:
        outputs = _installed()
        before = outputs._own.get(me)
        outputs._own[me] = stream
    try:
        yield
    finally:
        with _changing:
            del outputs._own[me]
            if before is not None:
                outputs._own[me] = before
            if not outputs._own and sys.stdout is cast(TextIO, outputs):  # the last one leaves
                sys.stdout = outputs._others


@contextmanager
def raised_after(seconds: float, error: type[BaseException]) -> Iterator[None]:
    """Raise `error` in this thread after `seconds`, and again soon after if that was swallowed.

    It comes between two steps of Python: not in the midst of one long product or sleep, but after.
    """
    me, over, ringing = threading.get_ident(), threading.Event(), threading.Lock()

    def raise_in_thread(what: Any) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), what)

    def ring() -> None:
        wait = seconds
        while not over.wait(wait):
            with ringing:
                if not over.is_set():
                    raise_in_thread(ctypes.py_object(error))
            wait = 0.2

    threading.Thread(target=ring, daemon=True).start()
    try:
        yield
    finally:
        with ringing:
            over.set()
            raise_in_thread(None)  # takes back one that has not come yet


@contextmanager
def looking_every(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    """Within it, call `look` in the main thread, on which we are, every so many seconds.

    `look` may raise, which ends even a long sleep.  A system's alarm does it; Windows has none, and
    there another thread sends what Ctrl+C sends.
    """
    if not hasattr(signal, "setitimer"):
        with _looking_by_thread(seconds, look):
            yield
        return
    before = signal.signal(signal.SIGALRM, lambda *_: look())
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _looking_by_thread(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    ours, over = threading.Event(), threading.Event()

    def interrupted(number: int, frame: Any) -> None:
        if ours.is_set():
            ours.clear()
            if not over.is_set():
                look()
        elif callable(before):  # the learner's own Ctrl+C
            before(number, frame)

    def ring() -> None:
        while not over.wait(seconds):
            ours.set()
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, interrupted)
    thread = threading.Thread(target=ring, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGINT, before)  # calls `interrupted` first where it is still due
