"""A widget's callback waits for the running cell, in every front end.

JupyterLab 4.6 may bring what a hand does to a widget on another thread than the one on which cells
run (a "subshell"), in the middle of a cell.  What a callback changes there, in a model or in the
process, the cell would compute with; and no lock of ours could cover a cell's own `model(ids)`.
"""

import asyncio
import signal
from collections.abc import Callable
from functools import wraps
from threading import Event, current_thread, main_thread
from typing import Any

from IPython import get_ipython

KINDS = ("comm_open", "comm_msg", "comm_close")  # what front ends say of widgets
BEAT = 0.2  # seconds after which a waiting thread looks whether the kernel still lives
PAUSE = 0.002  # seconds in which the kernel takes what a front end has said
_going_on: set[asyncio.Task] = set()  # a loop alone does not keep its tasks


def wait_for_cells() -> None:
    """From now on, this process's kernel does what front ends say of widgets on the main thread.

    So it comes after the cell that runs, and before one that is still to come, as it did before
    there were subshells.  A control that was moved meanwhile answers once, from where it was left:
    front ends do not say more before they are answered.  Without a kernel there is nothing to do.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    handlers = getattr(kernel, "shell_handlers", {})
    for kind in KINDS:
        if kind in handlers and not hasattr(handlers[kind], "__wrapped__"):
            handlers[kind] = _on_main_thread(kernel, handlers[kind])


def _on_main_thread(kernel: Any, handle: Callable) -> Callable:
    """`handle`, one of the kernel's handlers of messages, done on the main thread."""

    def in_turn(message: tuple, done: Event) -> None:
        try:
            _interruptible(handle, *message)
        finally:
            done.set()

    @wraps(handle)
    def wait(*message: Any) -> Any:
        if current_thread() is main_thread():
            return handle(*message)
        done = Event()
        kernel.io_loop.add_callback(in_turn, message, done)
        # Not awaited: of what comes while it awaits something, ipykernel tells no front end that it
        # is done, and a control that hears of no end never says anything again.
        while not done.wait(BEAT) and kernel.io_loop.asyncio_loop.is_running():
            pass
        return None

    return wait


def little_by_little(go_on: Callable[[], bool]) -> None:
    """Call `go_on` until it says False; in between, the kernel hears what a hand does.

    So a long answer of a widget can be watched, and stopped by a button.  It waits for cells, as
    other callbacks do.  Where no loop is running, nobody could be heard, and it is done at once.
    """

    async def steps() -> None:
        while _interruptible(go_on):
            await asyncio.sleep(PAUSE)

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        while go_on():
            pass
        return
    task = loop.create_task(steps())
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)


def _interruptible(handle: Callable, *given: Any) -> Any:
    """`handle(*given)`; as around a cell, the learner's ■ interrupts it, and not the kernel."""
    if current_thread() is not main_thread():
        return handle(*given)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return handle(*given)
    except KeyboardInterrupt:
        return None
    finally:
        signal.signal(signal.SIGINT, before)
