"""How to look into a part of a model while it works, or to change what it does for a while.

What is put on a model here comes off again, whatever happens meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn


@contextmanager
def hooked(
    modules: Iterable[nn.Module], function: Callable, before: bool = False
) -> Iterator[None]:
    """Within it, `function` is called each time one of `modules` has run, or before it runs.

    After a module: function(module, inputs, outputs), `inputs` being the tensor that the module
    reads and `outputs` all that it gives, which may be a tuple (see `first_tensor`).
    Before: function(module, inputs).  What the function returns takes the place of the outputs, or
    of the inputs; with None they stay.  Afterwards the hooks are gone, after an error too.
    """

    def ask_before(module, args, kwargs):
        name = None if args else _first_name(kwargs)
        new = function(module, args[0] if args else kwargs[name])
        if new is None:
            return None
        return ((new, *args[1:]), kwargs) if args else (args, {**kwargs, name: new})

    def ask_after(module, args, kwargs, outputs):
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
    as it did, after an error too.
    """
    with ExitStack() as undo:
        for module, output in zip(modules, outputs, strict=True):
            own = vars(module)
            if "forward" in own:  # somebody has put one there before: accelerate does
                undo.callback(own.update, forward=own["forward"])
            else:
                undo.callback(own.pop, "forward")
            module.forward = lambda *_args, output=output, **_options: output
        yield


def first_tensor(outputs: Tensor | tuple) -> Tensor:
    """What a module gave: the first of several, if there are several."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


def with_first(outputs: Tensor | tuple, tensor: Tensor) -> Tensor | tuple:
    """`outputs` of a module with `tensor` in place of the first of them, or of all there is."""
    return (tensor, *outputs[1:]) if isinstance(outputs, tuple) else tensor
