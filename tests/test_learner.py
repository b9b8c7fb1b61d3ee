"""Whose answers are kept, in real kernels: a chapter's, from wherever it is run, and no others."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from course import ROOT
from course.learner import chapters, is_learning, my_llm_file
from course.progress import events

CELLS = ("language", "solved", "imports", "ex-6-1", "check-6-1")
ANSWER = "from course.exercise import Question\n\nQuestion('6.a').answer(1)"


@pytest.fixture(autouse=True)
def as_a_learner_starts_it(learner, monkeypatch):
    """Nothing is set but where things are kept."""
    monkeypatch.delenv("COURSE_LEARNER")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the course as it is here, from any folder
    return learner


def half(kind: str) -> nbformat.NotebookNode:
    """The first cells of lesson 06, as far as an answer; exercise 6.1 filled in by the learner."""
    book = nbformat.read(ROOT / kind / "en" / "06_block.ipynb", as_version=4)
    solved = nbformat.read(ROOT / "solutions" / "en" / "06_block.ipynb", as_version=4)
    right = {cell.id: cell.source for cell in solved.cells}
    book.cells = [cell for cell in book.cells if cell.id in CELLS]
    for cell in book.cells:
        cell.source, cell.outputs, cell.execution_count = right[cell.id], [], None
    book.cells.append(nbformat.v4.new_code_cell(ANSWER, id="guess"))
    return book


def run_in(folder, book: nbformat.NotebookNode) -> str:
    """What the check of 6.1 says when the notebook is run with `folder` as its working folder."""
    NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    check = next(cell for cell in book.cells if cell.id == "check-6-1")
    return check.outputs[-1].data["text/plain"]


@pytest.mark.parametrize("where", ["root", "chapters"])
def test_a_solved_notebook_is_nobody_s_wherever_it_runs(learner, where):
    folder = {"root": ROOT, "chapters": learner}[where]
    book = half("solutions")
    assert [cell.id for cell in book.cells][:2] == ["language", "solved"]
    assert run_in(folder, book).endswith("Passed.")
    assert list(events.rows()) == []
    assert not (learner / "my_llm.py").exists()


def test_a_chapter_is_the_learner_s_from_another_folder(learner):
    assert run_in(ROOT, half("chapters")).endswith("Passed.")
    assert events.summary()["6.1"].passed
    assert [row["kind"] for row in events.rows()] == ["attempt", "answer"]
    assert "# ── 6.1 rms_norm ─" in (learner / "my_llm.py").read_text(encoding="utf-8")


def test_nbval_over_a_half_solved_chapter_keeps_nothing(learner, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    shutil.copy(ROOT / "conftest.py", tmp_path)
    nbformat.write(half("chapters"), learner / "06_block.ipynb")
    nbval = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:xdist"]
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    run = subprocess.run(
        [*nbval, "chapters"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert " 5 passed" in run.stdout, run.stdout
    assert list(events.rows()) == []
    assert not (learner / "my_llm.py").exists()


def test_a_kernel_of_its_own_is_a_learner_s(learner, monkeypatch):
    assert is_learning()
    assert my_llm_file() == learner / "my_llm.py"
    monkeypatch.delenv("COURSE_CHAPTERS")
    assert chapters() == ROOT / "chapters"
    monkeypatch.setenv("COURSE_CHAPTERS", "~/course/chapters")
    assert chapters().is_absolute()
    assert "~" not in str(chapters())
    monkeypatch.setenv("COURSE_LEARNER", "off")
    assert not is_learning()
    assert my_llm_file() is None
