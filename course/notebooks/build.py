"""Turns each lesson into four notebooks: a chapter to work in and a solved one, Korean and English.

Left out of chapters is what stands between `# BEGIN SOLUTION` and `# END SOLUTION`, the value on
a line `name = value  # SOLUTION`, and a cell tagged "solution".
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course import ROOT
from course.lessons import lesson_files
from course.notebooks import tables
from course.notebooks.lesson import Cell, LessonError, in_language, no_lesson, read_lesson
from utils.language import LANGUAGES

PLACEHOLDER = {"ko": "...  # 여기에 코드를 쓰세요", "en": "...  # your code here"}
# The second cell of a solved notebook: whoever runs it, from wherever, it is nobody's progress.
KEEP_NOTHING = "from course.learner import keep_nothing\n\nkeep_nothing()  # "
READ_ONLY = {
    "ko": "풀이 노트북은 읽는 곳이라, 여기서 실행한 것은 진도에 남지 않습니다",
    "en": "a solved notebook is for reading: what runs here is nobody's progress",
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SOLVED_ONLY = "solution"
KEPT = re.compile(r"-\d{4}(-\d\d){2}-\d{6}(-\d+)?$")  # what `reset` calls a learner's own notebook
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def without_solution(source: str, lang: str) -> str:
    """`source` as a chapter shows it: `...` and a word to the learner where the solution stood."""
    source = re.sub(
        r"(?ms)^([ \t]*)# BEGIN SOLUTION.*# END SOLUTION[^\n]*",
        lambda m: m[1] + PLACEHOLDER[lang],
        source,
    )
    return re.sub(r"(?m)^(\s*\w+ = ).*  # SOLUTION$", lambda m: m[1] + PLACEHOLDER[lang], source)


def with_solution(source: str) -> str:
    """`source` as the solved notebook shows it: without the markers."""
    source = re.sub(r"(?m)^\s*# (BEGIN|END) SOLUTION\n?", "", source)
    return re.sub(r"(?m)  # SOLUTION$", "", source).rstrip("\n")


def notebook(cells: list[Cell], lang: str, solved: bool) -> nbformat.NotebookNode:
    """One of the four notebooks of a lesson, not executed."""
    nodes = []
    for cell in cells:
        if cell.lang not in (None, lang) or (SOLVED_ONLY in cell.tags and not solved):
            continue
        if cell.kind == "markdown":
            node = nbformat.v4.new_markdown_cell(cell.source, id=cell.id)
        else:
            source = in_language(cell.source, lang)
            source = with_solution(source) if solved else without_solution(source, lang)
            node = nbformat.v4.new_code_cell(source, id=cell.id)
        if cell.tags:
            node.metadata.tags = list(cell.tags)
        nodes.append(node)
        if solved and cell.id == "language":
            nodes.append(nbformat.v4.new_code_cell(KEEP_NOTHING + READ_ONLY[lang], id="solved"))
    return nbformat.v4.new_notebook(cells=nodes, metadata=METADATA)


def execute(node: nbformat.NotebookNode, folder: Path) -> None:
    """Run `node` in `folder`, as JupyterLab would; its outputs stay in it, less widget state.

    On the CPU, on a machine with a GPU, too: there other kernels round otherwise.
    """
    NotebookClient(
        node,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": folder}},
    ).execute(env={**os.environ, "COURSE_DEVICE": "cpu"})
    node.metadata = nbformat.from_dict(METADATA)
    for cell in node.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)


def take_outputs(node: nbformat.NotebookNode, path: Path) -> bool:
    """Give `node` the outputs of the notebook at `path`, if that ran the very same code.

    Then only prose or tags have changed, and nothing needs to be executed.
    """
    if not path.exists():
        return False
    cells, before = _code(node), _code(nbformat.read(path, as_version=4))
    if [(c.id, c.source) for c in cells] != [(c.id, c.source) for c in before]:
        return False
    for cell, ran in zip(cells, before, strict=True):
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    return True


def _code(node: nbformat.NotebookNode) -> list:
    return [cell for cell in node.cells if cell.cell_type == "code"]


def _sources(node: nbformat.NotebookNode) -> list:
    return [(c.id, c.cell_type, c.source, c.metadata.get("tags")) for c in node.cells]


def _is_current(path: Path, built: nbformat.NotebookNode) -> bool:
    return path.exists() and _sources(nbformat.read(path, as_version=4)) == _sources(built)


def build(names: Sequence[str] = (), check: bool = False, rerun: bool = False) -> list[str]:
    """Write the notebooks and tables that are stale, or with `check` only name them.

    Returns what was stale.  A solved notebook is executed when its code has changed, or always
    with `rerun`.
    """
    stale, wanted = [], set()
    for lesson in lesson_files():
        cells = read_lesson(lesson)
        for lang in LANGUAGES:
            for kind in ("chapters", "solutions"):
                path = ROOT / kind / lang / f"{lesson.stem}.ipynb"
                wanted.add(path)
                if names and not any(lesson.stem.startswith(name) for name in names):
                    continue
                solved = kind == "solutions"
                built = notebook(cells, lang, solved)
                if _is_current(path, built) and not (rerun and solved):
                    continue
                stale.append(str(path.relative_to(ROOT)))
                if not check:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if solved and (rerun or not take_outputs(built, path)):
                        print(f"running {stale[-1]} …", flush=True)
                        execute(built, path.parent)
                    nbformat.write(built, path)
    for path in () if names else tables.files():
        if (current := tables.brought_up_to_date(path)) != path.read_text(encoding="utf-8"):
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(current, encoding="utf-8")
    built = {*ROOT.glob("chapters/*/*.ipynb"), *ROOT.glob("solutions/*/*.ipynb")}
    for path in sorted(path for path in built - wanted if not KEPT.search(path.stem)):
        stale.append(f"{path.relative_to(ROOT)} (no lesson)")
        if not check:
            path.unlink()
    return stale


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course build", description=__doc__)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 01; all by default")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    parser.add_argument("--rerun", action="store_true", help="execute all solved notebooks again")
    options = parser.parse_args(arguments)
    for name in options.lessons:
        if not lesson_files(name):
            print(no_lesson(name), file=sys.stderr)
            return 1
    try:
        stale = build(options.lessons, options.check, options.rerun)
    except (LessonError, CellExecutionError) as error:
        print(error, file=sys.stderr)
        return 1
    for name in stale:
        print(f"stale: {name}" if options.check else f"wrote {name}")
    return int(options.check and bool(stale))
