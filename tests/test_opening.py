"""The first cell of a notebook, run as it stands: in a strange folder, beside strange files."""

import subprocess
import sys

import nbformat
import pytest

from course import ROOT


def run_first_cell(lang: str, folder, *options: str) -> tuple[int, str]:
    """What the cell returns and says, run with `folder` as the working folder, as a kernel does."""
    notebook = nbformat.read(ROOT / "chapters" / lang / "01_generation_loop.ipynb", as_version=4)
    [cell] = [cell for cell in notebook.cells if cell.id == "language"]
    path = "" if options else f"import sys; sys.path.insert(1, {str(ROOT)!r})\n"
    run = subprocess.run(
        [sys.executable, *options, "-X", "utf8", "-"],
        input=path + cell.source,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
    )
    return run.returncode, run.stdout + run.stderr


def test_it_runs_from_any_folder_beside_files_that_hide_nothing(tmp_path):
    for name in ("my_llm", "notes"):
        (tmp_path / f"{name}.py").write_text("")
    assert run_first_cell("ko", tmp_path) == (0, "")
    assert run_first_cell("en", "/") == (0, "")


@pytest.mark.parametrize(
    ("name", "lang", "says"),
    [
        ("torch", "en", "torch.py"),
        ("transformers", "ko", "transformers.py"),
        ("utils", "en", "utils.py is beside this notebook, rename it"),
        ("course", "ko", "course.py나 utils.py가 있다면 이름을 바꾸세요"),
    ],
)
def test_a_file_that_hides_a_library_is_noticed(tmp_path, name, lang, says):
    (tmp_path / f"{name}.py").write_text("")
    code, said = run_first_cell(lang, tmp_path)
    assert code
    assert says in said.splitlines()[-1]


@pytest.mark.parametrize(("lang", "says"), [("en", "is not found"), ("ko", "찾지 못했습니다")])
def test_where_the_course_is_not_installed_it_says_what_to_do(tmp_path, lang, says):
    code, said = run_first_cell(lang, tmp_path, "-I", "-S")
    assert code
    assert "ModuleNotFoundError" not in said
    assert says in said
    assert "`python -m course lab`" in said
