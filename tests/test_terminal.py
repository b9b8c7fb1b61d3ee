"""The commands in a terminal and in a pipe, and what matplotlib says on a new machine."""

import os
import subprocess
import sys

import pytest

from course import ROOT


@pytest.mark.parametrize(
    ("arguments", "code"), [("progress", 141), ("progress --help", 0), ("reset 99", 1), ("", 2)]
)
def test_who_reads_no_further_gets_no_traceback(arguments, code):
    read, write = os.pipe()
    os.close(read)  # as `head` does, only sooner
    command = [sys.executable, "-m", "course", *arguments.split()]
    with os.fdopen(write, "wb", 0) as pipe:
        run = subprocess.run(command, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert "Traceback" not in run.stderr
    assert "BrokenPipe" not in run.stderr
    assert run.returncode == code


def test_matplotlib_starts_without_a_word(tmp_path):
    finder = tmp_path / "fc-list"
    finder.write_text("#!/bin/sh\\necho no cache >&2\\n", encoding="utf-8")
    finder.chmod(0o755)
    surroundings = {"MPLCONFIGDIR": "/dev/null/x", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    code = "import utils.figures, logging, os; os.write(2, b'heard')"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
    )
    assert (run.stdout, run.stderr) == ("", "heard")
