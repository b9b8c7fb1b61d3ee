"""The words of each diagnosis: what a grader tells a learner of the fault that it has named.

They stand beside the names in the graders, and are read from there: nothing runs.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from course import ROOT
from course.lessons import lesson_of
from utils.language import _

GRADERS = ROOT / "course" / "graders"


def words(exercise: str, name: str) -> str:
    """The sentence of diagnosis `name` in `exercise`, such as "3.2"; "" where there is none."""
    known = _sentences(GRADERS / "grading.py")
    for module in GRADERS.glob(f"lesson_{lesson_of(exercise)}*.py"):
        known = known | _sentences(module)
    sentence = known.get((exercise, name)) or known.get((None, name), "")
    # what differs from one attempt to the next is left open
    return re.sub(r"\{\w*\}", "…", _(sentence)) if sentence else ""


@cache
def _sentences(path: Path) -> dict[tuple[str | None, str], str]:
    """Sentences by exercise and name; under None as well, for those that stand by themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    variables = [
        (node.lineno, node.targets[0].id, sentence)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if (sentence := _sentence(node.value))
    ]

    def said(value: ast.expr) -> str | None:
        if isinstance(value, ast.Name):  # the last one of this name, in the lines above
            above = [v for v in variables if v[0] <= value.lineno and v[1] == value.id]
            return max(above)[2] if above else None
        return _sentence(value)

    found = {}
    for part in tree.body:
        exercise = _exercise(part)
        for node in ast.walk(part):
            for name, *values in _named(node):
                sentence = next(filter(None, map(said, values)), None)
                if sentence:
                    found.setdefault((exercise, name), sentence)
                    found.setdefault((None, name), sentence)
    return found


def _named(node: ast.AST) -> Iterator[tuple]:
    """What looks like a diagnosis in a call, a tuple or a dict: a name, and what stands after."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
    else:
        values = getattr(node, "args", getattr(node, "elts", ()))
        values = values if isinstance(values, list) else []
        pairs = ((value, *values[i:]) for i, value in enumerate(values, 1))
    for key, *rest in pairs:
        if isinstance(key, ast.Constant) and _is_name(key.value):
            yield key.value, *rest


def _exercise(part: ast.stmt) -> str | None:
    """The number in `@exercise("3.2", …)` above a function."""
    for decorator in getattr(part, "decorator_list", ()):
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "exercise":
            return ast.literal_eval(decorator.args[0])
    return None


def _is_name(value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z]+(-[a-z]+)*", value) is not None


def _sentence(node: ast.expr) -> str | None:
    """What stands inside the first `_()` or `N_()` of an expression."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("_", "N_"):
            [message] = call.args
            return message.value if isinstance(message, ast.Constant) else None
    return None
