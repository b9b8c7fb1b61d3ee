"""Which notebooks are as the course built them, and which somebody has written into.

The builder notes in a notebook what it wrote.  A notebook keeps that note when it is copied, and
when JupyterLab saves it: so it also says from which version of its lesson it was made.
"""

import hashlib
import json
from pathlib import Path

NOTE = "course"  # in a notebook's metadata
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError)  # anything can lie there


def fingerprint(notebook: dict) -> str:
    """What the cells of a notebook say, in 16 letters; not what they have shown."""
    said = [
        [
            cell.get("id"),
            cell["cell_type"],
            "".join(cell["source"]),
            cell["metadata"].get("tags", []),
        ]
        for cell in notebook["cells"]
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def note(notebook: dict, lesson: str) -> None:
    """Note in a notebook that it is, as it is now, the course's of `lesson`, "03_decoding"."""
    notebook["metadata"][NOTE] = {"lesson": lesson, "built": fingerprint(notebook)}


def noted(notebook: dict) -> str | None:
    """The fingerprint of what a notebook was made from; None where no note says it."""
    return notebook["metadata"].get(NOTE, {}).get("built")


def version(path: Path) -> str | None:
    """The same of the notebook at `path`; None as well where there is none that can be read."""
    try:
        return noted(json.loads(path.read_text(encoding="utf-8")))
    except UNREADABLE:
        return None


def has_outputs(notebook: dict) -> bool:
    """Whether somebody has run a cell, and saved what it showed."""
    return any(cell.get("outputs") for cell in notebook["cells"])


def is_as_built(path: Path, solved: bool) -> bool:
    """Whether nobody has written into the notebook at `path`, nor given it another name.

    One that somebody has run is theirs; a solved one is run by us, and shows what it likes.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        as_noted = {"lesson": path.stem, "built": fingerprint(notebook)}
        return notebook["metadata"].get(NOTE) == as_noted and (solved or not has_outputs(notebook))
    except UNREADABLE:
        return False
