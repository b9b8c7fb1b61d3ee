"""Solutions spoilt by program: swapped operands, a dropped keyword, another axis, one off, …

`python -m tests.mutants [3.4 …]` grades every one and prints those that pass.
"""

import ast
import copy
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch

from course.graders import attempt, exercise_spec
from course.graders.attempt import grade
from course.lessons import lesson_files
from course.notebooks.build import with_solution
from course.notebooks.lesson import read_lesson
from utils.language import use_language

OTHER: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ALIKE = (  # things of one model that a hand mixes up
    ("q_proj", "k_proj", "v_proj"),
    ("gate_proj", "up_proj"),
    ("input_layernorm", "post_attention_layernorm"),
    ("num_attention_heads", "num_key_value_heads"),
    ("embed_tokens", "lm_head"),
    ("argmax", "argmin", "max"),
    ("sum", "mean"),
    ("cos", "sin"),
    ("values", "indices"),
    ("keys", "values"),
)
EQUIVALENT = {  # of a batch of one, a matrix's two axes, a device, a message: right after all
    "one less: 0 → -1",
    "one less: 1 → 0",
    "sign dropped: -1 → 1",
    "arguments swapped: keys.transpose(1, 2) → keys.transpose(2, 1)",
    "other argument: query → keys",
    "other argument: x → positions",
}
TIMES = ast.Mult, ast.Add  # whose operands may change places


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(what was done, the source after it), for every single spoiling of a function or class."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    for place, _node in enumerate(ast.walk(tree)):
        for way in range(40):
            spoilt = copy.deepcopy(tree)
            node = list(ast.walk(spoilt))[place]
            before = _short(node)
            changes = list(_changes(node, spoilt))
            if way >= len(changes):
                break
            what, change = changes[way]
            change()
            after = ast.unparse(ast.fix_missing_locations(spoilt))
            if after not in seen:
                seen.add(after)
                yield f"{what}: {before} → {_short(node)}", after


def _short(node: ast.AST) -> str:
    try:
        return " ".join(ast.unparse(node).split())[:60]
    except Exception:
        return ""


def _changes(node: ast.AST, tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """The ways to spoil one node, as functions that do it in place."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in OTHER:
            yield "other operator", lambda: setattr(node, "op", OTHER[type(node.op)]())
        if not isinstance(node.op, TIMES):
            yield "operands swapped", lambda: _swap(node)
        yield "left alone", lambda: _become(node, node.left)
        yield "right alone", lambda: _become(node, node.right)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield "other comparison", lambda: node.ops.__setitem__(0, OTHER[type(node.ops[0])]())
    if isinstance(node, ast.UnaryOp):
        yield "sign dropped", lambda: _become(node, node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "turned round", lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "one more", lambda: setattr(node, "value", node.value + 1)
        yield "one less", lambda: setattr(node, "value", node.value - 1)
    if isinstance(node, ast.Call):
        for i, _keyword in enumerate(node.keywords):
            yield "keyword dropped", lambda i=i: node.keywords.pop(i)
        for i in range(len(node.args) - 1):
            yield "arguments swapped", lambda i=i: _swap_arguments(node.args, i)
        for i in range(len(node.args)):
            yield "argument dropped", lambda i=i: node.args.pop(i)
        if isinstance(node.func, ast.Attribute):
            yield "call dropped", lambda: _become(node, node.func.value)
        elif len(node.args) == 1:
            yield "call dropped", lambda: _become(node, node.args[0])
    if isinstance(node, ast.Attribute):
        for alike in ALIKE:
            if node.attr in alike:
                for other in alike:
                    if other != node.attr:
                        yield "other attribute", lambda other=other: setattr(node, "attr", other)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "index dropped", lambda: _become(node, node.value)
    if isinstance(node, ast.Slice):
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                yield "slice opened", lambda end=end: setattr(node, end, None)
    if isinstance(node, ast.IfExp):
        yield "always", lambda: _become(node, node.body)
        yield "never", lambda: _become(node, node.orelse)
    if isinstance(node, ast.If):
        yield "always", lambda: setattr(node, "test", ast.Constant(True))
        yield "never", lambda: setattr(node, "test", ast.Constant(False))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        names = sorted({part.arg for part in ast.walk(tree) if isinstance(part, ast.arg)})
        if node.id in names:
            for name in names:
                if name not in (node.id, "self"):
                    yield "other argument", lambda name=name: setattr(node, "id", name)
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            for i, statement in enumerate(block):
                if not isinstance(statement, ast.FunctionDef | ast.ClassDef) and not (
                    isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
                ):
                    yield (
                        f"line dropped ({_short(statement)})",
                        lambda i=i, block=block: block.__setitem__(i, ast.Pass()),
                    )


def _swap(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _swap_arguments(arguments: list[ast.expr], i: int) -> None:
    arguments[i : i + 2] = arguments[i + 1], arguments[i]


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = type(other)
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


@cache
def solutions() -> dict[str, str]:
    """By exercise: the solution's cell."""
    return {
        cell.id.removeprefix("ex-").replace("-", "."): with_solution(cell.source)
        for lesson in lesson_files()
        for cell in read_lesson(lesson)
        if cell.lang is None and cell.id.startswith("ex-")
    }


def code_exercises() -> list[str]:
    """The exercises whose answer is a function or a class."""
    return [n for n, source in solutions().items() if source.startswith(("def ", "class "))]


@cache
def _solved() -> dict[str, Any]:
    names: dict[str, Any] = {"torch": torch}
    for source in solutions().values():
        exec(source, names)
    return names


def answer_from(number: str, source: str) -> Any:
    """What `source` defines, beside the solutions of all other exercises; None if it breaks."""
    names = dict(_solved())
    defined = ast.parse(source).body[0]
    try:
        exec(source, names)
    except Exception:
        return None
    return names[defined.name]


def diagnosis_of(number: str, source: str) -> str | None:
    """The diagnosis that a spoilt solution gets; None if it passes."""
    answer = answer_from(number, source)
    return "broken" if answer is None else grade(exercise_spec(number), answer)[0][-1].diagnosis


def main(numbers: list[str]) -> None:
    use_language("en")
    attempt.SECONDS = 1
    total: Counter[str] = Counter()
    for number in numbers or code_exercises():
        said: Counter[str] = Counter()
        for what, source in mutants(solutions()[number]):
            name = diagnosis_of(number, source)
            said[name or "PASSED"] += 1
            if name is None:
                print(f"  {number} passes: {what}", flush=True)
            elif name in ("differs", "other-value", "wrong-shape", "raised", "check-failed"):
                print(f"     {number} only {name}: {what}", flush=True)
        print(number, sum(said.values()), dict(said.most_common()), flush=True)
        total += said
    print(sum(total.values()), dict(total.most_common()))


if __name__ == "__main__":
    main(sys.argv[1:])
