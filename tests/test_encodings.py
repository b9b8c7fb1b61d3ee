"""Whatever is read or written as text says in which encoding: old systems have others."""

import ast

import pytest

from course import ROOT

FOLDERS = ("utils", "course", "tests", "benchmarks")
PATHS = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
PATHS = [path for path in PATHS if not {"lessons", "wrong_answers"} & {*path.parts}]
PLACE = {"read_text": 0, "write_text": 1}  # of the encoding, given by place


def names_no_encoding(call: ast.Call) -> bool:
    """Whether a call reads or writes text in an encoding that it does not name."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    if name in PLACE:
        return len(call.args) <= PLACE[name]
    if name != "open" or (
        isinstance(getattr(call.func, "value", None), ast.Name)
        and (call.func.value.id in ("os", "Image", "zipfile", "webbrowser", "no_proxy", "_opener"))
    ):
        return False
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    mode = [word for word in words if isinstance(word, str) and set(word) <= set("rwaxbt+")]
    return not mode or "b" not in mode[-1]


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("p.read_text()", True),
        ("p.read_text(errors='replace')", True),
        ("p.write_text(x)", True),
        ("open(p)", True),
        ("p.open('a')", True),
        ("p.open('rb')", False),
        ("p.write_text(x, encoding='utf-8')", False),
    ],
)
def test_it_is_noticed(code, bad):
    assert names_no_encoding(ast.parse(code, mode="eval").body) == bad


def test_every_text_names_its_encoding():
    found = []
    for path in PATHS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and names_no_encoding(node):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found
