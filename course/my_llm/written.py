"""What a learner wrote: the functions in it, its source, and whether they have begun at all."""

import ast
import dis
import inspect
import linecache
import textwrap
from dataclasses import dataclass
from types import FunctionType
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DOES_NOTHING = ("RESUME", "NOP", "RETURN_VALUE")  # of what `...` is compiled to; and None, loaded


@dataclass(frozen=True)
class Written:
    """The `def` or `class` that made something: as text, decorators and all, and as a tree."""

    text: str
    tree: Definition


def functions_of(thing: Any) -> list[FunctionType]:
    """The function that `thing` is, or the methods of its class, without what decorates them."""
    parts = map(_member, vars(thing).values()) if isinstance(thing, type) else [thing]
    return [part for part in map(_bare, parts) if isinstance(part, FunctionType)]


def _member(part: Any) -> Any:
    """What stands behind a property, a static method or a class method."""
    return part.fget if isinstance(part, property) else getattr(part, "__func__", part)


def _bare(part: Any) -> Any:
    return inspect.unwrap(part) if callable(part) else part


def written(thing: Any) -> Written | None:
    """How `thing`, a function or class, was written; None where no source of it can be had.

    A notebook's cells have theirs; a class is found by its methods, as it does not know its file.
    There is none of a lambda, of what is made by `exec`, and of a cell under `%%time`.
    """
    for function in functions_of(thing):
        code = function.__code__
        name = thing.__name__ if isinstance(thing, type) else code.co_name
        lines = linecache.getlines(code.co_filename)
        around = [
            node
            for node in ast.walk(_parsed("".join(lines)))
            if isinstance(node, Definition)
            and node.name == name
            and _first_line(node) <= code.co_firstlineno <= (node.end_lineno or 0)
        ]
        if around:  # the innermost comes last
            own = lines[_first_line(around[-1]) - 1 : around[-1].end_lineno]
            return Written(textwrap.dedent("".join(own)).rstrip(), around[-1])
    return None


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.parse("")


def _first_line(node: Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def is_untouched(answer: Any) -> bool:
    """Whether `answer` is what the course came with: `...`, a body of nothing but `...`, or a
    helper of its own from utils.

    Code beside a `...` that was left standing is an answer, and so is a class with one method
    written.  A docstring, `pass` and `...` alone are none.
    """
    if answer is ... or str(getattr(answer, "__module__", "")).startswith("utils."):
        return True
    functions = functions_of(answer)
    if not isinstance(answer, type):
        return bool(functions) and _is_empty(functions[0])
    bases = [base for base in answer.__bases__ if base is not object]
    return all([*map(_is_empty, functions), *map(is_untouched, bases)]) and all(
        name.startswith("__") or isinstance(_bare(_member(value)), FunctionType)
        for name, value in vars(answer).items()
    )


def _is_empty(function: FunctionType) -> bool:
    """Whether the body is nothing but `...`; by what it was compiled to where it cannot be read."""
    if function.__name__ == "<lambda>":
        return False
    source = written(function)
    if source is None:
        return all(
            step.opname in DOES_NOTHING
            or (step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval is None)
            for step in dis.get_instructions(function)
        )
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and _says_nothing(statement.value))
        for statement in source.tree.body
    )


def _says_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and (value.value is ... or isinstance(value.value, str))
