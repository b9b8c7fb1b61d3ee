"""Solved notebooks on the pretended GPU: do they run there, and do they print what is saved?

    python -m tests.solved_on_accelerator 01 07

Minutes a lesson, and so no part of the suite; run it when the code of a lesson changes.
"""

import os
import re
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course import ROOT

BEGIN = """
from tests.pretend_accelerator import pretend_accelerator
pretended = pretend_accelerator()
gpu = pretended.__enter__()
"""
END = "print(model.device, gpu.waits)"


def printed(cell) -> str:
    """What a cell printed or gave, as text; where a tensor lies is no part of it."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(output.text)
        elif "data" in output:
            parts.append(output.data.get("text/plain", ""))
    return re.sub(r",\s+device='cuda:0'", "", "".join(parts)).strip()


def run(notebook) -> list[str]:
    """Run a notebook in place.  What failed, and what was printed otherwise, a line each."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    saved = {cell.id: printed(cell) for cell in cells}
    first, last = nbformat.v4.new_code_cell(BEGIN), nbformat.v4.new_code_cell(END)
    notebook.cells = [first, *notebook.cells, last]
    client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": ROOT}})
    try:
        client.execute(env=os.environ | {"PYTHONPATH": str(ROOT), "COURSE_LEARNER": "off"})
    except CellExecutionError as error:
        return [str(error)[-3000:]]
    found = [f"the model, and how often the clock waited: {printed(last)}"]
    for cell in cells:
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        if not ignored and (now := printed(cell)) != saved[cell.id]:
            found.append(f"{cell.id}\n  saved {saved[cell.id]!r}\n  now   {now!r}")
    return found


if __name__ == "__main__":
    for number in sys.argv[1:]:
        for path in sorted((ROOT / "solutions/en").glob(f"{number}*.ipynb")):
            print(path.name, flush=True)
            for line in run(nbformat.read(path, as_version=4)):
                print(" ", line, flush=True)
