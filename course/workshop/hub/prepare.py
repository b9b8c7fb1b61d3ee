"""What all learners of a hub share is made once, before the first of them comes.

`python -m course.workshop.hub.prepare FOLDER` makes the model, the notebooks as they come, and the
compiled modules; an image of the course is made with it, and so is a hub on one machine.
"""

import compileall
import hashlib
import importlib
import os
import sys
import sysconfig
from pathlib import Path

from course import ROOT
from course.notebooks import update
from utils.model_store import prepare_model

VERSION = ".version"  # in the folder of the notebooks: which course they are of


def prepare(folder: Path) -> None:
    """Make all that is shared, for reading.  Raises ModelError, or OSError.

    The model goes where $COURSE_CACHE says, the notebooks into FOLDER/notebooks.
    """
    prepare_model()
    notebooks = folder / "notebooks"
    os.environ["COURSE_CHAPTERS"] = str(notebooks / "my_course")
    update.update()
    (notebooks / VERSION).write_text(version(), encoding="utf-8")
    compile_modules()


def version() -> str:
    """A number that is another one when any of the course's notebooks is."""
    noted = hashlib.sha256()
    for path in sorted((ROOT / "chapters").glob("*/*.ipynb")):
        noted.update(path.read_bytes())
    return noted.hexdigest()


def compile_modules() -> None:
    """Compile every module, which no learner may write; else each kernel would, for 40 seconds."""
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        compileall.compile_dir(place, quiet=2, workers=0)
    for package in ("course", "utils"):
        compileall.compile_dir(ROOT / package, quiet=2)
    for module in ("course.exercise", "utils.model"):  # what the system then has read already
        importlib.import_module(module)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
