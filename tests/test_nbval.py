"""nbval itself, on a piece of a solved notebook: what is saved is compared, so a lie is caught."""

import subprocess
import sys

import nbformat

from course import ROOT

SAVED = "LlamaForCausalLM 134,515,008"
LIE = "LlamaForCausalLM 134,515,009"


def test_a_changed_number_is_caught(tmp_path):
    """That the same piece passes as it was saved is proved by this run of the suite itself."""
    solved = nbformat.read(ROOT / "solutions/en/01_generation_loop.ipynb", as_version=4)
    ids = [cell.id for cell in solved.cells]
    solved.cells = solved.cells[: ids.index("load") + 1]
    output = solved.cells[-1].outputs[0]
    assert output.text.strip() == SAVED
    output.text = f"{LIE}\n"
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
