"""nbval itself, on a piece of a solved notebook: what is saved is compared, so a lie is caught."""

import subprocess
import sys

import nbformat
import pytest

from course.build import ROOT

SAVED = "LlamaForCausalLM 134,515,008"


@pytest.mark.parametrize(
    ("printed", "passes"), [(SAVED, True), (SAVED.replace("8,", "9,").replace("008", "009"), False)]
)
def test_a_changed_number_is_caught(printed, passes, tmp_path):
    solved = nbformat.read(ROOT / "solutions/en/01_generation_loop.ipynb", as_version=4)
    ids = [cell.id for cell in solved.cells]
    solved.cells = solved.cells[: ids.index("load") + 1]
    output = solved.cells[-1].outputs[0]
    assert output.text.strip() == SAVED
    output.text = f"{printed}\n"
    nbformat.write(solved, tmp_path / "piece.ipynb")
    nbval = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:xdist"]
    run = subprocess.run(
        [*nbval, "-c", "/dev/null", "--rootdir", tmp_path, tmp_path / "piece.ipynb"],
        capture_output=True,
        text=True,
    )
    assert (run.returncode == 0) is passes, run.stdout
    assert ("mismatch" in run.stdout) is not passes
