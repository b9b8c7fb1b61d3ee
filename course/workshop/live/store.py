"""What a class has sent, in one SQLite file, and the secrets of that class, in another.

A learner is known by an alias that lasts for one class: an HMAC of what the doorkeeper knows them
by, under a secret that is thrown away when the class ends, together with all they have sent.  A
service that is killed in the middle of a class goes on with it.
"""

import hmac
import json
import os
import secrets
import sqlite3
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from course.workshop.live.protocol import MOST_EVENTS, Event, Note

SCHEMA = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;  -- a kill loses nothing that was answered
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS events (
        who TEXT, said_at TEXT, at REAL, kind TEXT, name TEXT, passed INTEGER, detail TEXT,
        UNIQUE (who, said_at, kind, name)
    );
    CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, exercise TEXT, kind TEXT, text TEXT
    );
"""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
ONE_DAY = 12 * 3600  # seconds: a class that began before that is over


@dataclass(frozen=True)
class Session:
    """One class: `code` lets learners in, `key` the instructor; `secret` makes the aliases."""

    id: str
    began: float
    secret: str
    code: str
    key: str


class Store:
    """The class that is on, in `folder`: the one that was going on there, or a new one."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._secrets = folder / "session.json"
        self._db = sqlite3.connect(folder / "live.sqlite", isolation_level=None)
        os.chmod(folder / "live.sqlite", 0o600)
        self._db.executescript(SCHEMA)
        found = self._read()
        self.went_on = found is not None
        self.session = found or self._begin(_code(), secrets.token_urlsafe(16))
        self.version = 0  # another one whenever there is something new
        self.by_who: dict[str, list[Event]] = {}
        columns = "who, at, kind, name, passed, detail, said_at"
        for who, *values in self._db.execute(f"SELECT {columns} FROM events ORDER BY rowid"):
            self._remember(who, Event(*values))
        self.notes = [
            Note(*values)
            for values in self._db.execute("SELECT id, at, exercise, kind, text FROM notes")
        ]

    def alias(self, identity: str) -> str:
        """By what name this class knows a learner; another class knows them by another."""
        secret = bytes.fromhex(self.session.secret)
        return hmac.new(secret, identity.encode(), "sha256").hexdigest()[:16]

    def add(self, who: str, events: list[Event]) -> None:
        """Keep what is new of `events`, all or nothing of it.  Raises sqlite3.Error."""
        room = MOST_EVENTS - len(self.by_who.setdefault(who, []))
        new = []
        self._db.execute("BEGIN")
        try:
            for e in events[:room]:
                row = (who, e.said_at, e.at, e.kind, e.name, e.passed, e.detail)
                put = "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
                if self._db.execute(put, row).rowcount:
                    new.append(e)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        for event in new:
            self._remember(who, event)
        self.version += 1

    def say(self, exercise: str | None, kind: str, text: str) -> None:
        """Keep what the instructor says, for kernels to fetch."""
        at = time.time()
        put = "INSERT INTO notes (at, exercise, kind, text) VALUES (?, ?, ?, ?)"
        number = self._db.execute(put, (at, exercise, kind, text)).lastrowid or 0
        self.notes.append(Note(number, at, exercise, kind, text))
        self.version += 1

    def end(self) -> None:
        """Forget this class and its secret, and begin another, for those who have the code."""
        self._forget()
        self.session = self._begin(self.session.code, self.session.key)
        self.by_who, self.notes, self.version = {}, [], self.version + 1

    def close(self) -> None:
        self._db.close()

    def _remember(self, who: str, event: Event) -> None:
        self.by_who.setdefault(who, []).append(event)

    def _read(self) -> Session | None:
        try:
            found = Session(**json.loads(self._secrets.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if time.time() - found.began < ONE_DAY else None

    def _begin(self, code: str, key: str) -> Session:
        self._forget()
        session = Session(secrets.token_hex(8), time.time(), secrets.token_hex(32), code, key)
        unfinished = self._secrets.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with open(
            os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(asdict(session), file)
        os.replace(unfinished, self._secrets)
        return session

    def _forget(self) -> None:
        self._secrets.unlink(missing_ok=True)
        self._db.execute("DELETE FROM events")
        self._db.execute("DELETE FROM notes")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _code() -> str:
    drawn = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"
