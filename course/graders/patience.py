"""How long an answer may compute, and what happens then."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from course.graders.own_thread import looking_every, raised_after

WAITS = 12  # seconds by the clock, for each second of computing that is granted
LOOK_EVERY = 0.2  # seconds


class TimeUp(BaseException):
    """Raised inside code that ran for too long; a BaseException, so that `except Exception` in a
    learner's loop does not swallow it."""


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
