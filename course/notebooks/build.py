"""Turns each lesson into four notebooks: a chapter to work in and a solved one, Korean and English.

Left out of chapters is what stands between `# BEGIN SOLUTION` and `# END SOLUTION`, the value on
a line `name = value  # SOLUTION`, and a cell tagged "solution".
"""

import argparse
import itertools
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course import ROOT
from course.lessons import lesson_files
from course.notebooks import built, tables
from course.notebooks.copies import keep_copy
from course.notebooks.lesson import Cell, LessonError, in_language, no_lesson, read_lesson
from utils.language import LANGUAGES, _

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


def says_the_same(path: Path, made: nbformat.NotebookNode) -> bool:
    """Whether the notebook at `path` has the very cells of `made`, whatever they have shown."""
    try:
        return _sources(nbformat.read(path, as_version=4)) == _sources(made)
    except Exception:  # nothing there, or whatever somebody has put there
        return False


@dataclass
class Outcome:
    """What was stale, and is written by now; what somebody had written into."""

    stale: list[str] = field(default_factory=list)
    others: dict[str, Path | None] = field(default_factory=dict)  # → the copy that was kept of it


def build(names: Sequence[str] = (), check: bool = False, rerun: bool = False) -> Outcome:
    """Write the notebooks and tables that are stale, or with `check` only name them.

    A solved notebook is executed when its code has changed, or always with `rerun`.  Where somebody
    has written into what the course built, a copy is kept; what the course did not build is left.
    """
    found = Outcome()
    for lesson in lesson_files():
        if names and not any(lesson.stem.startswith(name) for name in names):
            continue
        cells = read_lesson(lesson)
        for lang, kind in itertools.product(LANGUAGES, ("chapters", "solutions")):
            path = ROOT / kind / lang / f"{lesson.stem}.ipynb"
            made = notebook(cells, lang, solved=kind == "solutions")
            _write(path, made, found, check, rerun)
    if not names:
        _remove_orphans(found, check)
        _write_tables(found, check)
    return found


def _is_solved(path: Path) -> bool:
    return path.parent.parent.name == "solutions"


def _write(
    path: Path, made: nbformat.NotebookNode, found: Outcome, check: bool, rerun: bool
) -> None:
    """Write one notebook where it is stale, and execute it if it must be."""
    name, solved = path.relative_to(ROOT).as_posix(), _is_solved(path)
    same = says_the_same(path, made)
    if same and built.version(path) == built.fingerprint(made) and not (rerun and solved):
        return
    if path.exists() and not same and not built.is_as_built(path, solved):
        found.others[name] = None if check else keep_copy(path)
        if check:
            return
    found.stale.append(name)
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        if solved and (rerun or not take_outputs(made, path)):
            print(f"running {name} …", flush=True)
            execute(made, path.parent)
        built.note(made, path.stem)
        nbformat.write(made, path)


def _remove_orphans(found: Outcome, check: bool) -> None:
    """Remove what was built of a lesson that is gone, unless somebody has written into it."""
    lessons = {lesson.stem for lesson in lesson_files()}
    for kind, lang in itertools.product(("chapters", "solutions"), LANGUAGES):
        for path in sorted((ROOT / kind / lang).glob("*.ipynb")):
            if path.stem not in lessons and built.is_as_built(path, _is_solved(path)):
                found.stale.append(f"{path.relative_to(ROOT).as_posix()} (no lesson)")
                if not check:
                    path.unlink()


def _write_tables(found: Outcome, check: bool) -> None:
    """Bring the tables of READMEs and guides up to date."""
    for path in tables.files():
        if (current := tables.brought_up_to_date(path)) != path.read_text(encoding="utf-8"):
            found.stale.append(path.relative_to(ROOT).as_posix())
            if not check:
                path.write_text(current, encoding="utf-8")


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
        found = build(options.lessons, options.check, options.rerun)
    except (LessonError, CellExecutionError) as error:
        print(error, file=sys.stderr)
        return 1
    for name in found.stale:
        if name.endswith("(no lesson)") and not options.check:
            print(f"removed {name}")
        else:
            print(f"stale: {name}" if options.check else f"wrote {name}")
    for name, kept in found.others.items():
        if kept is None:
            print(_("{notebook}: somebody has written into it.").format(notebook=name))
        else:
            says = _("{notebook}: somebody had written into it; that is kept as {kept}.")
            print(says.format(notebook=name, kept=kept.relative_to(ROOT).as_posix()))
    return int(options.check and bool(found.stale))
