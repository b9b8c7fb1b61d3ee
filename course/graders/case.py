"""What an answer was given: in words, an argument a line, and as code that tries it once more."""

import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course.graders import models
from course.graders.compare import describe

IN_FULL = 24  # numbers of a tensor that are shown in words
WRITTEN = 256  # numbers of a tensor that are written into code


def given_in_words(function: Callable | str, answer: Any, given: tuple, named: dict) -> str:
    """Every argument of a call, each on a line of its own; the bare call if there is none."""
    lines = [
        f"{name} = {_shown(value)}" if name else _shown(value)
        for name, value in _with_names(answer, given, named)
    ]
    name = function if isinstance(function, str) else getattr(function, "__name__", "answer")
    return "\n".join(lines) or f"{name}()"


def to_try_again(answer: Any, given: tuple, named: dict) -> str:
    """Code that calls the answer as it was called; "" where an argument cannot be written down."""
    name = getattr(answer, "__name__", "")
    if not name.isidentifier() or isinstance(answer, type) or not (given or named):
        return ""
    rooms = {"torch"}
    try:
        lines = [
            f"    {f'{key}=' if key else ''}{_code(value, rooms)},"
            for key, value in _with_names(answer, given, named)
        ]
    except _CannotBeWritten:
        return ""
    call = "\n".join([f"{name}(", *lines, ")"])
    if inspect.isgeneratorfunction(answer):
        call = f"list({call})"
    used = [room for room in sorted(rooms) if f"{room}." in call]
    return "\n".join([*(f"import {room}" for room in used), call])


class _CannotBeWritten(Exception):
    """Nobody knows code that makes this value."""


def _with_names(answer: Any, given: tuple, named: dict) -> Iterator[tuple[str, Any]]:
    """The arguments with the names that the answer has for them; "" where it has none."""
    try:
        parameters = list(inspect.signature(answer).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    names = plain if len(plain) >= len(given) else [""] * len(given)
    yield from zip(names, given, strict=False)
    yield from named.items()


def _shown(value: Any) -> str:
    if not isinstance(value, Tensor) or value.numel() > IN_FULL or value.is_meta:
        return describe(value)
    usual = value.dtype in (torch.float32, torch.int64, torch.bool)
    return _numbers(value.tolist(), lambda n: f"{n:.4g}") + ("" if usual else f" {_dtype(value)}")


def _numbers(value: Any, written: Callable[[float], str]) -> str:
    """Numbers, and lists of them, as they are written in Python."""
    if isinstance(value, list):
        return f"[{', '.join(_numbers(part, written) for part in value)}]"
    return written(value) if isinstance(value, float) else str(value)


def _exactly(number: float) -> str:
    """The fewest digits that make this float32 again."""
    return str(np.float32(number)) if float(np.float32(number)) == number else repr(number)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _code(value: Any, rooms: set[str]) -> str:
    """An expression that makes `value`; the modules that it needs are added to `rooms`."""
    if made := models.made_by(value):
        rooms.add("course.graders.models")
        room, _dot, _rest = made.partition("(")
        rooms.add(room.rpartition(".")[0])
        return made
    if isinstance(value, Tensor):
        return _tensor_code(value)
    if isinstance(value, torch.Generator):
        return f"torch.Generator().manual_seed({value.initial_seed()})"
    if isinstance(value, nn.Linear) and value.bias is None:
        rooms.add("course.graders.models")
        return f"course.graders.models.linear({_tensor_code(value.weight)})"
    if isinstance(value, nn.RMSNorm):
        rooms.add("course.graders.models")
        return f"course.graders.models.norm({_tensor_code(value.weight)}, eps={value.eps})"
    if isinstance(value, list | tuple):
        inside = ", ".join(_code(part, rooms) for part in value)
        one = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{one})"
    if isinstance(value, float) and not abs(value) < float("inf"):
        return f'float("{value}")'
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, FunctionType):
        home, name = str(value.__module__), value.__name__
        if getattr(sys.modules.get(home), name, None) is value:
            rooms.add(home)
            return f"{home}.{name}"
    raise _CannotBeWritten


def _tensor_code(tensor: Tensor) -> str:
    if tensor.numel() > WRITTEN or tensor.is_meta:
        raise _CannotBeWritten
    if not tensor.numel():
        return f"torch.zeros({list(tensor.shape)}, dtype={tensor.dtype})"
    numbers = _numbers(tensor.tolist(), _exactly)
    for odd in ("inf", "nan"):
        numbers = numbers.replace(odd, f"torch.{odd}")
    usual = tensor.dtype in (torch.float32, torch.int64, torch.bool)
    return f"torch.tensor({numbers}{'' if usual else f', dtype={tensor.dtype}'})"
