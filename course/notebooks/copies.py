"""Copies that protect what a learner wrote: in `kept/` beside it, with date and time in a name."""

import shutil
from datetime import datetime
from pathlib import Path

KEPT = "kept"


def keep_copy(path: Path) -> Path:
    """Copy the file at `path`; returns the copy, "kept/name-2026-11-22-205143.py" or "…-2.py".

    Its name was free: of many copies made in one second none overwrites another.  Raises OSError
    where no copy can be made, and leaves none half-made.
    """
    copy = free_name(path)
    try:
        shutil.copy2(path, copy)
    except OSError:
        copy.unlink()
        raise
    return copy


def free_name(path: Path) -> Path:
    """A dated name that no file had until now; an empty file holds it, so that nobody else can."""
    folder = path.parent / KEPT
    folder.mkdir(parents=True, exist_ok=True)
    now, more = f"{datetime.now():%Y-%m-%d-%H%M%S}", 1
    while True:
        ending = f"-{more}" if more > 1 else ""
        copy = folder / f"{path.stem}-{now}{ending}{path.suffix}"
        try:
            copy.open("xb").close()
            return copy
        except FileExistsError:
            more += 1
