"""The tree as a whole: clean by ruff and mypy, nothing stale, the same pins, imports one way."""

import ast
import dataclasses
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from typing import get_args, get_type_hints

import nbformat
import pytest
from torch import Tensor

from course import ROOT
from course.notebooks.build import build
from course.upkeep import pins

# `doctor` asks the store even where `transformers` is missing, and need not wait seconds for it.
IMPORT_LATE = {
    ("utils/model_store.py", "convert"),
    ("utils/model_store.py", "quiet_transformers"),
}
# What a module may import stands above it here, or beside it.  `decoding` runs no model: to choose
# a token is one of the parts of the LLM that a learner builds.
ORDER = [
    {"language", "callbacks"},
    {"places"},
    {"device", "model_store", "tokens"},
    {"model", "decoding", "architecture", "plain", "hooks", "norms"},
    {"parts"},
    {"rooms"},  # generation, streams, attention …: whatever is not named here
    {"figures"},
    {"explorers"},
    {"course"},
]


def test_ruff_has_nothing_to_say():
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, str(ROOT)]
        run = subprocess.run(ruff, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def test_mypy_has_nothing_to_say():
    mypy = [sys.executable, "-m", "mypy", "--no-error-summary"]
    run = subprocess.run(mypy, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_built_notebook_is_stale():
    assert build(check=True).stale == []


def test_pins_are_the_same_everywhere():
    needs, test_needs = pins.pinned()
    assert all(pin.count("==") == 1 for pin in needs + test_needs)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(pin.count("==") == 1 for pin in lines if not pin.startswith("#"))
    normal = {pins.normal(line): line.split("==")[1] for line in lines if "==" in line}
    for pin in needs + test_needs:
        assert normal[pins.normal(pin)] == pin.split("==")[1]
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == pins.environment()


def floor(module: str) -> int:
    """Where a module stands in the one way through."""
    top, *below = module.split(".")
    name = below[0] if top == "utils" and below else top
    known = (number for number, names in enumerate(ORDER) if name in names)
    return next(known, ORDER.index({"rooms"}))


def module_of(path) -> str:
    """utils/parts/llm.py → utils.parts.llm; of a package the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


PATHS = [path for folder in ("course", "utils") for path in (ROOT / folder).rglob("*.py")]
MODULES = {module_of(path): path for path in PATHS}
UTILS = sorted(name for name in MODULES if name.startswith("utils"))


def imported(module: str) -> set[str]:
    """Which modules of the tree a module imports, `from utils import x` being `utils.x`."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno} imports from where it stands"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & MODULES.keys()
            if inner - MODULES.keys():
                found.add(node.module)
    return found & MODULES.keys()


@pytest.mark.parametrize("module", UTILS)
def test_imports_point_one_way(module):
    wrong = [other for other in imported(module) if floor(other) > floor(module)]
    assert not wrong


def test_no_imports_go_round_in_a_circle():
    order = TopologicalSorter({module: imported(module) for module in MODULES})
    order.prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stand_at_the_top(path):
    name = path.relative_to(ROOT).as_posix()
    inside = {
        (name, function.name)
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert inside == {each for each in IMPORT_LATE if each[0] == name}


def holds_tensors(kind) -> bool:
    """Whether values of this type are tensors, or hold some."""
    if dataclasses.is_dataclass(kind) and kind.__module__ in MODULES:
        return any(map(holds_tensors, get_type_hints(kind).values()))
    inner = any(map(holds_tensors, get_args(kind)))
    return inner or (isinstance(kind, type) and issubclass(kind, Tensor))


@pytest.mark.parametrize("module", [name for name in UTILS if floor(name) < floor("utils.figures")])
def test_records_cannot_be_changed_and_those_of_tensors_are_not_compared(module):
    """`==` of two tensors is no answer, so two records of them are equal only if they are one."""
    there = vars(importlib.import_module(module)).values()
    records = [
        each
        for each in there
        if isinstance(each, type) and dataclasses.is_dataclass(each) and each.__module__ == module
    ]
    for record in records:
        is_filled = record.__name__ in ("StaticCache", "PackedCache")
        assert record.__dataclass_params__.frozen or is_filled
        assert record.__eq__ is object.__eq__ or not holds_tensors(record)


def test_a_notebook_imports_from_the_top_of_the_course_and_from_utils_only():
    doors = {path.stem for path in (ROOT / "course").glob("*.py")} | {"my_llm", "lessons"}
    for path in ROOT.glob("solutions/en/*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for name in re.findall(r"(?m)^\s*(?:from|import) (course[\w.]*)", cell.source):
                assert name.removeprefix("course.") in doors, f"{path.name}: {name}"


def public_functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods that others call; what makes an object is called by its class."""
    return [
        node
        for scope in ast.walk(tree)
        if isinstance(scope, (ast.Module, ast.ClassDef))
        for node in scope.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if not node.name.startswith("_") or node.name in ("__init__", "__call__", "__new__")
    ]


def unsaid(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parameters of a function that have no type, and "return" where that has none."""
    every = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    untyped = [arg.arg for arg in every if not arg.annotation and arg.arg not in ("self", "cls")]
    returns = function.returns or function.name == "__init__"
    return untyped if returns else [*untyped, "return"]


TYPED = [path for path in PATHS if "lessons" not in path.parts]


@pytest.mark.parametrize("path", TYPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_say_what_they_take_and_give(path):
    functions = public_functions(ast.parse(path.read_text(encoding="utf-8")))
    missing = {function.name: unsaid(function) for function in functions}
    assert not {name: names for name, names in missing.items() if names}
