"""Which notebooks in `chapters/` and `solutions/` the course has built, and which are others' own.

`course/data/built.json` notes for each notebook what was written into it.  One that is not listed
or says anything else by now, is a learner's: nobody overwrites, removes or judges it.
"""

import hashlib
import json
from pathlib import Path

NOTED = Path("course", "data", "built.json")  # in the course's folder


def fingerprint(notebook: dict, solved: bool) -> str:
    """What the cells of a notebook say, in 16 letters.

    In a chapter what they have shown counts, too: one that somebody has run is theirs.  A solved
    one is run by us, and shows other numbers on other machines.
    """
    said = [
        [
            cell.get("id"),
            cell["cell_type"],
            "".join(cell["source"]),
            cell["metadata"].get("tags", []),
            bool(cell.get("outputs")) and not solved,
        ]
        for cell in notebook["cells"]
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def noted(root: Path) -> dict[str, str]:
    """notebook → its fingerprint when it was built, in the course at `root`."""
    try:
        return dict(json.loads((root / NOTED).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def note(root: Path, every: dict[str, str]) -> None:
    """Write down what the notebooks are, as `noted` gives it."""
    path = root / NOTED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def is_as_built(path: Path, root: Path) -> bool:
    """Whether the notebook at `path` is one that the course built, and says what it said then."""
    name = path.relative_to(root).as_posix()
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        now = fingerprint(notebook, solved=name.startswith("solutions/"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # anything can lie there
        return False
    return noted(root).get(name) == now
