"""nbval itself, on a piece of a solved notebook: what is saved is compared, so a lie is caught."""

import subprocess
import sys

import nbformat

from course import ROOT

SAVED, LIE = "tensor([1., 3.])", "tensor([1., 4.])"
CELLS = ("tensor-shape", "tensor-index")


def test_a_changed_number_is_caught(tmp_path):
    """That the same piece passes as it was saved is proved by this run of the suite itself."""
    solved = nbformat.read(ROOT / "solutions/en/00_start_here.ipynb", as_version=4)
    solved.cells = [cell for cell in solved.cells if cell.id in CELLS]
    output = solved.cells[-1].outputs[0]
    assert output.text.endswith(f"{SAVED}\n")
    output.text = output.text.replace(SAVED, LIE)
    nbformat.write(solved, tmp_path / "piece.ipynb")
    nbval = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:xdist"]
    run = subprocess.run(
        [*nbval, "-c", "/dev/null", "--rootdir", tmp_path, tmp_path / "piece.ipynb"],
        capture_output=True,
        text=True,
    )
    assert "1 failed" in run.stdout, run.stdout
    assert "mismatch" in run.stdout
    assert SAVED in run.stdout, "what the cell really prints is shown beside what was saved"
