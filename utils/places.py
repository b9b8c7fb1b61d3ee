"""Folders and files that somebody names, or that lie in a home folder which may not be there."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from utils.language import _

OURS = "inside-a-transformer-llm"


class NoHome(OSError):
    """A path cannot be told, because there is no such home folder.  The message says so."""


def place(variable: str, otherwise: Callable[[], str | Path]) -> Path:
    """The place that an environment variable names, else another; absolute, with "~" told.

    Raises NoHome where either is in the home folder of a user who has none, or of nobody.
    """
    chosen = os.environ.get(variable)
    try:
        return Path(chosen or otherwise()).expanduser().absolute()
    except RuntimeError as problem:
        says = _("{path}: there is no such home folder. Set ${variable} to a place of your own")
        raise NoHome(says.format(path=chosen or "~", variable=variable)) from problem


def can_be_made(folder: Path) -> bool:
    """Whether something could be written into `folder`, which need not be there yet."""
    try:
        there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    except OSError:
        return False


def for_a_while() -> Path:
    """This user's folder among the machine's temporary ones, for who has no home.

    It need not be there yet.  Raises OSError where somebody else has taken its name.
    """
    folder = Path(tempfile.gettempdir()) / f"{OURS}-{_user()}"
    if os.path.lexists(folder) and hasattr(os, "getuid"):
        who = folder.lstat()
        if who.st_uid != os.getuid() or folder.is_symlink():
            raise PermissionError(f"{folder} is somebody else's")
    return folder


def lock_at(path: Path, timeout: float = -1) -> FileLock:
    """The lock at `path`; one of this user's own beside it, where another's lies in the way."""
    if os.path.lexists(path) and not os.access(path, os.R_OK | os.W_OK):
        path = path.with_name(f"{path.stem}-{_user()}{path.suffix}")
    return FileLock(path, timeout=timeout)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "me"
