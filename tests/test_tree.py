"""The tree as a whole: clean by ruff, nothing stale, the same pins everywhere, imports one way."""

import ast
import subprocess
import sys

import pytest

from course import ROOT
from course.notebooks.build import build
from course.upkeep import pins

# `doctor` asks the store even where `transformers` is missing, and need not wait seconds for it.
IMPORT_LATE = {
    ("utils/model_store.py", "convert"),
    ("utils/model_store.py", "quiet_transformers"),
}
ORDER = ["model_store", "model", "rooms", "figures", "explorers", "course"]


def test_ruff_has_nothing_to_say():
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, str(ROOT)]
        run = subprocess.run(ruff, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


def test_no_built_notebook_is_stale():
    assert build(check=True) == []


def test_pins_are_the_same_everywhere():
    needs, test_needs = pins.pinned()
    assert all(pin.count("==") == 1 for pin in needs + test_needs)
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert all(pin.count("==") == 1 for pin in lines if not pin.startswith("#"))
    normal = {pins.normal(line): line.split("==")[1] for line in lines if "==" in line}
    for pin in needs + test_needs:
        assert normal[pins.normal(pin)] == pin.split("==")[1]
    assert (ROOT / "environment.yml").read_text() == pins.environment()


def layer(module: str) -> int:
    """Where a module stands in the one way through: what it may import stands further left."""
    parts = module.split(".")
    if parts[0] == "course":
        return ORDER.index("course")
    if len(parts) > 1 and parts[1] in ("language", "locale"):
        return -1
    name = parts[1] if len(parts) > 1 and parts[1] in ORDER else "rooms"
    return ORDER.index(name)


@pytest.mark.parametrize(
    "path",
    [path for path in (ROOT / "utils").rglob("*.py")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_imports_point_one_way(path):
    here = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0]
            in (
                "utils",
                "course",
            )
        ):
            assert layer(node.module) <= here, f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    "path",
    [path for folder in ("course", "utils") for path in (ROOT / folder).rglob("*.py")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_imports_stand_at_the_top(path):
    name = path.relative_to(ROOT).as_posix()
    inside = {
        (name, function.name)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert inside == {each for each in IMPORT_LATE if each[0] == name}
