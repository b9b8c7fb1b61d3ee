"""`python -m course test`: proves the course; what else is written goes to pytest.

One run of pytest proves all of it; lint and stale notebooks are tests, too (tests/test_tree.py).
Two workers with one thread each: two kernels that both want every core wait for each other.
"""

import os
import sys

from course import ROOT
from course.machine.setting_up import run
from utils.model_store import ModelError, prepare_model

WORKERS = ["-n", "2", "--dist=loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    try:
        prepare_model()
    except ModelError as problem:
        print(problem, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pytest", *WORKERS, *arguments]
    return run(command, os.environ | {"OMP_NUM_THREADS": "1"}, folder=ROOT)
