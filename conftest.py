"""Whoever runs pytest is not learning: no notebook that it runs counts as progress.

It stands up here so that `pytest --nbval chapters` finds it, too; kernels are started with it.
"""

import os
from pathlib import Path

import pytest

from course.notebooks import built

os.environ["COURSE_LEARNER"] = "off"
# What notebooks have saved was computed on a CPU, and is compared on a machine with a GPU, too.
os.environ.setdefault("COURSE_DEVICE", "cpu")

ROOT = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """In a run of everything a learner's notebook beside the course's own is not judged."""
    everything = [Path(arg).name for arg in config.args] == config.getini("testpaths")
    if everything and collection_path.suffix == ".ipynb" and ROOT in collection_path.parents:
        solved = collection_path.parent.parent.name == "solutions"
        return None if built.is_as_built(collection_path, solved) else True
    return None
