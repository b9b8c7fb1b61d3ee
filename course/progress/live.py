"""What a learner's kernel tells the class view: sent beside the course's work, never in its way.

Only where COURSE_LIVE is set: `http://host:port#code` for a class in one room, or the address of
the service on a hub, where the user's own token speaks for them.  What goes is what the progress
file keeps of an event, its COLUMNS: no code, no name.  Sending never waits, never raises, and needs
no answer.  What could not be sent is sent later, from the progress file.

`python -m course live` is the other side; course/workshop/live/protocol.py says what is said.
"""

import json
import os
import secrets
import sqlite3
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

from course.progress.store import COLUMNS, use

MOST_WAITING = 200  # events; what is older is in the progress file all the same
AT_ONCE = 50  # events in one message
PATIENCE = 3  # seconds for one message
LOOK_AGAIN = 5.0  # seconds: so often it asks whether the instructor has said something
FOR_NOTHING = 60.0  # seconds: and so often where the service turns it away, or is not there

Row = tuple[str, str, str, bool | None, str | None]  # of COLUMNS

heard: list[Callable[[list[dict]], None]] = []
"""Called with the instructor's words, on the thread that sends, whenever it has had an answer."""
problem = ""
"""Why nothing reaches the class view at present: "refused" or "away"; "" where all is well."""

_waiting: deque[Row] = deque(maxlen=MOST_WAITING)
_wake, _starting = Event(), Lock()
_thread: Thread | None = None
# No proxy: the instructor's machine is in this room, and a hub is where this server runs.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_on() -> bool:
    """Whether there is a class view to be told."""
    return bool(os.environ.get("COURSE_LIVE"))


def tell(event: Row) -> None:
    """Send an event soon.  Neither waits nor raises."""
    with suppress(Exception):
        if is_on():
            _waiting.append(event)
            start()
            _wake.set()


def start() -> None:
    """Begin to send, and to listen for the instructor, unless that is going on."""
    global _thread
    with _starting:
        if is_on() and not (_thread and _thread.is_alive()):  # a forked process has no thread
            _thread = Thread(target=_go_on, name="course-live", daemon=True)
            _thread.start()


def stopped() -> bool:
    """Whether this learner has switched sending off."""
    return _joined()[1] is None


def switch(on: bool) -> None:
    """Send from now on, or nothing any more, from all kernels of this learner.

    What happens while it is off is not sent afterwards either.
    """
    _joined()
    since = _now() if on else None
    use(lambda db: db.execute("UPDATE live SET since = ? WHERE address = ?", (since, _address())))
    _wake.set()


def _go_on() -> None:
    line = _Line()
    while is_on():
        with suppress(Exception):  # whatever it is, it is no concern of the learner's
            line.exchange()
        _wake.wait(FOR_NOTHING if problem == "refused" else LOOK_AGAIN)
        _wake.clear()


class _Line:
    """The connection with one class: what it has heard, and whether it owes older events."""

    def __init__(self) -> None:
        self.session, self.began, self.seen, self.behind = "", _now(), 0, True

    def exchange(self) -> None:
        """Say what there is to say, and hear what the instructor says.  Raises what goes wrong."""
        key, since = _joined()
        if since is None:
            _waiting.clear()
            return
        taken = [_waiting.popleft() for _ in range(min(len(_waiting), AT_ONCE))]
        try:
            self._say(key, taken)
            if self.behind:
                rows = _rows_since(max(since, self.began))
                for first in range(0, len(rows), AT_ONCE):
                    self._say(key, rows[first : first + AT_ONCE])
                self.behind = False
        except Exception:
            self.behind = True
            _waiting.extendleft(reversed(taken))
            raise
        if _waiting:
            _wake.set()

    def _say(self, key: str, rows: list[Row]) -> None:
        global problem
        events = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        body = {"now": _now(), "seen": self.seen, "events": events}
        try:
            answer = _post(key, body)
        except urllib.error.HTTPError as refusal:
            problem = "refused" if refusal.code in (401, 403) else "away"
            raise
        except Exception:
            problem = "away"
            raise
        problem = ""
        if answer["session"] != self.session:  # a class has begun, or the service has another file
            self.session, self.seen, self.behind = answer["session"], 0, True
        self.began = _now(ago=answer["age"])
        self.seen = max([self.seen, *(note["id"] for note in answer["notes"])])
        for listener in heard:
            with suppress(Exception):
                listener(answer["notes"])


def _post(key: str, body: dict) -> dict:
    code = _address().partition("#")[2]
    who = f"room {code} {key}" if code else f"token {os.environ.get('JUPYTERHUB_API_TOKEN', '')}"
    request = urllib.request.Request(
        _address().partition("#")[0].rstrip("/") + "/events",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": who},
    )
    with _opener.open(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def _address() -> str:
    return os.environ.get("COURSE_LIVE", "").strip()


def _now(ago: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(timespec="milliseconds")


def _joined() -> tuple[str, str | None]:
    """By which key this learner is known in this class, and since when they send; None: not now.

    The key is drawn here and says nothing of the learner; in a room it is what keeps another from
    sending in their place.  Where the progress file cannot be used, this kernel has one of its own.
    """

    def read_or_make(db: sqlite3.Connection) -> tuple[str, str | None]:
        db.execute("CREATE TABLE IF NOT EXISTS live (address TEXT PRIMARY KEY, key, since)")
        found = "SELECT key, since FROM live WHERE address = ?"
        if not db.execute(found, (_address(),)).fetchone():  # nearly always it is there: no writing
            db.execute("INSERT OR IGNORE INTO live VALUES (?, ?, ?)", (_address(), *_spare))
        return db.execute(found, (_address(),)).fetchone()

    return use(read_or_make) or _spare


def _rows_since(at: str) -> list[Row]:
    columns = ", ".join(COLUMNS)
    found = f"SELECT {columns} FROM events WHERE at >= ? ORDER BY id"
    return use(lambda db: db.execute(found, (at,)).fetchall()) or []


_spare = (secrets.token_hex(16), _now())
