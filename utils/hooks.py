"""How to look into a part of a model while it works, or to change what it does for a while.

What is put on a model here comes off again, whatever happens meanwhile.  And it holds for the
thread that put it on, and for no other: a front end may run a widget's callback on one thread while
a cell runs the same model on another, and each gets the numbers of a model of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock, get_ident
from typing import Any

from torch import Tensor, nn

one_at_a_time = RLock()
"""Held by whoever puts something in the place of a model's own, which only one can put back."""


@contextmanager
def hooked(
    modules: Iterable[nn.Module], function: Callable, before: bool = False
) -> Iterator[None]:
    """Within it, `function` is called each time one of `modules` has run, or before it runs.

    That is, has been run by this thread.
    After a module: function(module, inputs, outputs), `inputs` being the tensor that the module
    reads and `outputs` all that it gives, which may be a tuple (see `first_tensor`).
    Before: function(module, inputs).  What the function returns takes the place of the outputs, or
    of the inputs; with None they stay.  Afterwards the hooks are gone, after an error too.
    """

    mine = get_ident()

    # Another thread may meet a hook that is half on or half off, and call it without `kwargs`.
    def ask_before(module, args, kwargs=None):
        if get_ident() != mine:
            return None
        name = None if args else _first_name(kwargs)
        new = function(module, args[0] if args else kwargs[name])
        if new is None:
            return None
        return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, name: new})

    def ask_after(module, args, *kwargs_and_outputs):
        if get_ident() != mine:
            return None
        kwargs, outputs = kwargs_and_outputs
        return function(module, args[0] if args else kwargs[_first_name(kwargs)], outputs)

    with ExitStack() as undo:
        for module in modules:
            if before:
                handle = module.register_forward_pre_hook(ask_before, with_kwargs=True)
            else:
                handle = module.register_forward_hook(ask_after, with_kwargs=True)
            undo.callback(handle.remove)
        yield


def _first_name(kwargs: dict) -> str:
    """Under which name a module that is called by names only gets the tensor that it reads."""
    if "hidden_states" in kwargs:
        return "hidden_states"
    return next(name for name, value in kwargs.items() if value is not None)


@contextmanager
def skipped(modules: Iterable[nn.Module], outputs: Iterable) -> Iterator[None]:
    """Within it, each of `modules` gives the one of `outputs` that is its own, computing nothing.

    A hook cannot do that: it comes before the work, or after it.  Afterwards each module computes
    as it did, after an error too, and for other threads it does so all the time.  A second thread
    that would skip something waits for the first.
    """
    with one_at_a_time, ExitStack() as undo:
        for module, output in zip(modules, outputs, strict=True):
            own = vars(module)
            if "forward" in own:  # somebody has put one there before: accelerate does
                undo.callback(own.update, forward=own["forward"])
            else:
                undo.callback(own.pop, "forward")
            module.forward = _giving(output, module.forward)
        yield


def _giving(output: Any, forward: Callable) -> Callable:
    """A forward that gives `output` to this thread, and to others what the module's own gives."""
    mine = get_ident()

    def give(*args: Any, **kwargs: Any) -> Any:
        return output if get_ident() == mine else forward(*args, **kwargs)

    return give


def first_tensor(outputs: Tensor | tuple | list) -> Tensor:
    """What a module gave: the first of several, if there are several."""
    return outputs[0] if isinstance(outputs, tuple | list) else outputs


def with_first(outputs: Tensor | tuple | list, tensor: Tensor) -> Tensor | tuple | list:
    """`outputs` of a module with `tensor` in place of the first of them, or of all there is."""
    if not isinstance(outputs, tuple | list):
        return tensor
    return type(outputs)((tensor, *outputs[1:]))  # the first GPT gives lists
