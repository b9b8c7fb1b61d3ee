"""Whoever runs pytest is not learning: no notebook that it runs counts as progress.

It stands up here so that `pytest --nbval chapters` finds it, too; kernels are started with it.
"""

import os
from pathlib import Path

from course.notebooks import built

os.environ["COURSE_LEARNER"] = "off"

ROOT = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A learner's notebook beside the course's own is not judged, unless asked for by name."""
    if collection_path.suffix == ".ipynb" and ROOT in collection_path.parents:
        return None if built.is_as_built(collection_path, ROOT) else True
    return None
