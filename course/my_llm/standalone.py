"""The source of what a learner wrote in a notebook, made to stand alone in a file."""

import ast
import builtins
import dis
import importlib
import inspect
import linecache
from types import CodeType, FunctionType, ModuleType

ALSO_IN = ("torch", "torch.nn.functional", "math")  # where functions written in C can be had


class NotAlone(Exception):
    """What stands in the way: a name that exists only in the notebook."""


def standing_alone(thing, kept: dict[str, str]) -> str:
    """The source of `thing`, a function or class, with the imports and helpers that it uses.

    kept: names that the file has already, and their source; those are used from there. Raises
    NotAlone for a thing without source, and where it uses something that cannot be written down.
    """
    lines: dict[str, str] = {}  # name → import or assignment
    helpers: dict[str, str] = {}
    own = _source(thing)
    _gather(thing, own, kept, lines, helpers, {thing.__name__})
    head = "\n".join(sorted(lines.values(), key=lambda line: (" = " in line, line)))
    return "\n\n\n".join(filter(None, [head, *helpers.values(), own]))


def _gather(thing, source: str, kept, lines, helpers, seen: set[str]) -> None:
    names = _globals_of(thing)
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
            helper = _source(value)
            if kept.get(name, "").rstrip().endswith(helper):
                continue
            _gather(value, helper, kept, lines, helpers, seen)
            helpers[name] = helper
        else:
            raise NotAlone(name)


def _source(thing) -> str:
    """The `def` or `class` that made `thing`.

    A class of a notebook is found by its methods: it does not know its file itself.
    """
    codes = [part.__code__ for part in _functions(thing)]
    if not codes or any(function.__closure__ for function in _functions(thing)[:1]):
        raise NotAlone(getattr(thing, "__name__", type(thing).__name__))
    lines = linecache.getlines(codes[0].co_filename)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        tree = ast.parse("")
    for node in tree.body:
        if getattr(node, "name", None) == thing.__name__ and isinstance(
            node, ast.FunctionDef | ast.ClassDef
        ):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "".join(lines[first - 1 : node.end_lineno]).rstrip()
    raise NotAlone(thing.__name__)


def _functions(thing) -> list[FunctionType]:
    if isinstance(thing, type):
        return [part for part in map(inspect.unwrap, _callables(thing)) if _is_function(part)]
    thing = inspect.unwrap(thing)
    return [thing] if _is_function(thing) else []


def _callables(thing: type) -> list:
    return [part for part in vars(thing).values() if callable(part)]


def _is_function(part) -> bool:
    return isinstance(part, FunctionType)


def _globals_of(thing) -> dict:
    return _functions(thing)[0].__globals__


def global_names(source: str) -> set[str]:
    """The names that `source` uses and does not define at its top level."""
    module = compile(source, "my_llm", "exec")
    used, made = set(), set()
    for code in _codes(module):
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                used.add(step.argval)
            elif step.opname == "STORE_NAME":
                made.add(step.argval)
    return {name for name in used - made if not name.startswith("__")}


def _codes(code: CodeType):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _import(name: str, value) -> str | None:
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


def _constant(name: str, value) -> str | None:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'{name} = float("{value}")'
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        return None
    return f"{name} = {value!r}" if same and len(repr(value)) < 1000 else None
