"""The source of what a learner wrote in a notebook, made to stand alone in a file."""

import ast
import builtins
import importlib
import symtable
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from course.my_llm.written import functions_of, written

ALSO_IN = ("torch", "torch.nn.functional", "math")  # where functions written in C can be had


class NotAlone(Exception):
    """What stands in the way: a name that exists only in the notebook."""


class NoSource(Exception):
    """It was not written as a `def` or `class` that can be read."""


def standing_alone(thing: Any, kept: dict[str, str]) -> str:
    """The source of `thing`, a function or class, with the imports and helpers that it uses.

    kept: names that the file has already, and their source; those are used from there. Raises
    NoSource for a thing without source, NotAlone where it uses what cannot be written down.
    """
    own = _source(thing)
    lines: dict[str, str] = {}  # name → import or assignment
    helpers: dict[str, str] = {}
    _gather(thing, own, kept, lines, helpers, {thing.__name__})
    head = "\n".join(sorted(lines.values(), key=lambda line: (" = " in line, line)))
    return "\n\n\n".join(filter(None, [head, *helpers.values(), own]))


def _source(thing: Any) -> str:
    source = written(thing)
    if source is None:
        raise NoSource
    for function in functions_of(thing):  # __class__ is there wherever `super()` is called
        for name in {*function.__code__.co_freevars} - {"__class__"}:
            raise NotAlone(name)
    return source.text


def _gather(
    thing: Any,
    source: str,
    kept: dict[str, str],
    lines: dict[str, str],
    helpers: dict[str, str],
    seen: set[str],
) -> None:
    """Add to `lines` and `helpers` what `source`, which made `thing`, uses and `seen` lacks."""
    names = functions_of(thing)[0].__globals__
    for name in sorted(global_names(source) - seen):
        seen.add(name)
        if name not in names:
            continue  # a built-in; or a name that nothing has needed yet
        value = names[name]
        if line := _import(name, value) or _constant(name, value):
            lines[name] = line
        elif getattr(value, "__module__", None) == "my_llm" and name in kept:
            continue
        elif isinstance(value, FunctionType | type) and value.__module__ == "__main__":
            try:
                helper = _source(value)
            except NoSource:
                raise NotAlone(name) from None
            if kept.get(name, "").rstrip().endswith(helper):
                continue
            _gather(value, helper, kept, lines, helpers, seen)
            also = "" if name == value.__name__ else f"\n\n\n{name} = {value.__name__}"
            helpers[name] = helper + also
        else:
            raise NotAlone(name)


def global_names(source: str) -> set[str]:
    """The names that `source` uses and does not define at its top level."""
    module = symtable.symtable(source, "my_llm", "exec")
    made = {name.get_name() for name in module.get_symbols() if name.is_local()}
    return {
        name.get_name()
        for scope in _scopes(module)
        for name in scope.get_symbols()
        if name.is_referenced() and name.is_global() and not name.get_name().startswith("__")
    } - made


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for inner in scope.get_children():
        yield from _scopes(inner)


def _import(name: str, value: Any) -> str | None:
    """The import that gives `value` under `name`, if there is one."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
    own = getattr(value, "__name__", None)
    for module in (getattr(value, "__module__", None), *ALSO_IN):
        if not isinstance(own, str) or module in (None, "__main__", "my_llm"):
            continue
        if getattr(vars(builtins), own, None) is value:
            return None
        try:
            found = getattr(importlib.import_module(module), own, None)
        except ImportError:
            continue
        if found is value:
            return f"from {module} import {own}" + (f" as {name}" if own != name else "")
    return None


def _constant(name: str, value: Any) -> str | None:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'{name} = float("{value}")'
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        return None
    return f"{name} = {value!r}" if same and len(repr(value)) < 1000 else None
