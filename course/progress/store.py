"""The file in which a learner's progress is kept: one small SQLite database on this machine.

Keeping it must never stand in a learner's way: where the file cannot be used nothing is raised, and
`take_notice()` has a sentence about it.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from platformdirs import user_data_path

from utils.language import _
from utils.places import OURS, NoHome, lock_at, place

SCHEMA_VERSION = 1
SCHEMA = f"""
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,      -- UTC, ISO 8601
        kind TEXT NOT NULL,    -- attempt, hint or answer; begun, for a class view
        name TEXT NOT NULL,    -- of the exercise or question; "3.2" is in lesson 3
        passed INTEGER,        -- an attempt: 1 if it passed; an answer: 1 if it was right
        detail TEXT            -- an attempt: its diagnosis; a hint: which; an answer: the choice
    );
    PRAGMA user_version = {SCHEMA_VERSION};
"""
COLUMNS = ("at", "kind", "name", "passed", "detail")

PATIENCE = 15  # seconds to wait for another kernel that is writing
# What SQLite says of a file that is damaged, is no database, or has other tables.
NOT_OURS = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
FILES = ("", "-wal", "-shm", "-journal")  # SQLite's own names for what belongs to one database

Result = TypeVar("Result")
_notices: list[str] = []


def take_notice() -> str | None:
    """What the learner should be told about the file, once: the next call returns None."""
    told = " ".join(dict.fromkeys(_notices))
    _notices.clear()
    return told or None


def progress_file() -> Path:
    """Where progress is kept: $COURSE_PROGRESS, else a file among this user's application data.

    Raises NoHome, an OSError, where the user has no home folder, or names somebody's who is nobody.
    """
    return place("COURSE_PROGRESS", lambda: user_data_path(OURS) / "progress.sqlite")


def use(work: Callable[[sqlite3.Connection], Result]) -> Result | None:
    """Do `work` on the file; if it fails, mend the file and try again; else leave a notice."""
    path = None
    try:
        path = progress_file()
        try:
            return _try(work, path)
        except sqlite3.Error:
            _mend(path)
            return _try(work, path)
    except NoHome as problem:
        _notices.append(_unkept(f"{problem}."))
    except (sqlite3.Error, OSError) as problem:
        says = _("Your progress could not be kept in {path} ({problem}).")
        _notices.append(_unkept(says.format(path=path, problem=problem)))
    return None


def _unkept(why: str) -> str:
    says = _(
        "{why} The exercises work all the same, and this notebook remembers them as long as its "
        "kernel runs; to keep them, set COURSE_PROGRESS to a file that can be written."
    )
    return says.format(why=why)


def _try(work: Callable[[sqlite3.Connection], Result], path: Path) -> Result:
    """Do `work` in a connection of its own, which no fork, thread or kill can leave half-used.

    mode=rw never makes a file: only `_mend` does, under its lock, so none is ever seen unfinished.
    """
    with closing(_connect(path, "rw")) as db:
        # Twice as fast in a crowd.  A kill loses no more than before; a power cut might.
        db.execute("PRAGMA synchronous = NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise _AnotherVersion(f"schema {version}, not {SCHEMA_VERSION}")
        return work(db)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # isolation_level=None: each statement is a transaction of its own
    uri = f"{path.as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)


class _AnotherVersion(sqlite3.DatabaseError):
    """The file is sound, but of another version of the course."""


def _mend(path: Path) -> None:
    """Leave a file that can be used: set one that cannot aside, begin one where there is none.

    Another kernel may have found the same fault: the lock lets one of them mend it, and the others
    find it mended.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_at(Path(f"{path}.lock"), PATIENCE):
        if not _is_usable(path):
            existed = os.path.lexists(path)
            kept = _set_aside(path)
            if existed:
                _notices.append(
                    _(
                        "Your progress file could not be read (it is damaged, or from another "
                        "version of the course). It is kept as {kept}, and a new one is begun."
                    ).format(kept=kept)
                )
            _begin(path)


def _is_usable(path: Path) -> bool:
    """Whether the file is sound.  Raises where the fault is not its own: no permission, no room."""
    if not path.is_file():
        return False
    try:
        return _try(_check, path) == ("ok",)
    except _AnotherVersion:
        return False
    except sqlite3.Error as problem:
        if problem.sqlite_errorcode & 0xFF in NOT_OURS:
            return False
        raise


def _check(db: sqlite3.Connection) -> tuple:
    db.execute(f"SELECT {', '.join(COLUMNS)} FROM events LIMIT 0")
    return db.execute("PRAGMA quick_check").fetchone()


def _set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it, so that nothing of the old gets into the new."""
    day = datetime.now().strftime("%Y-%m-%d")
    kept = path.with_name(f"{path.stem}-set-aside-{day}-{secrets.token_hex(4)}{path.suffix}")
    for ending in FILES:
        if os.path.lexists(f"{path}{ending}"):
            os.rename(f"{path}{ending}", f"{kept}{ending}")
    return kept


def _begin(path: Path) -> None:
    """Make an empty file beside its place and move it there whole."""
    unfinished = path.with_name(f"{path.name}.new")
    try:
        _make(unfinished, "wal")
    except sqlite3.OperationalError:  # some network folders cannot do WAL
        _make(unfinished, "delete")
    os.replace(unfinished, path)


def _make(path: Path, journal: str) -> None:
    for ending in FILES:  # of an attempt that was killed
        Path(f"{path}{ending}").unlink(missing_ok=True)
    with closing(_connect(path, "rwc")) as db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.executescript(SCHEMA)
