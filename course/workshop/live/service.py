"""The class view: who is stuck where, and on what, as it happens.  `python -m course live`.

On the instructor's machine it listens on this machine only; with --room on the network of the room,
too.  Learners join with the line that it prints; nobody else sends anything.  Started by a
JupyterHub as one of its services, it lets in whom the hub says: custom:live:send may send,
custom:live:read may look.

It keeps one SQLite file until the class is ended on its page, and then the report, in a folder:
$COURSE_LIVE_FOLDER, else one among this user's application data.  A service that was stopped goes
on with the class that was on.
"""

import argparse
import asyncio
import json
import os
import secrets
import socket
import sqlite3
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_data_path
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from course.workshop.live import page, report
from course.workshop.live.doors import Door, Hub, Room, is_on_hub
from course.workshop.live.protocol import LARGEST, read_message, read_note
from course.workshop.live.store import Store
from course.workshop.live.summary import snapshot
from utils.language import LANGUAGES, _, current_language, use_language
from utils.places import OURS, place

LOOK = 1.0  # seconds: no page is told more often
AT_LEAST = 10.0  # seconds: nor less often, since minutes pass without an event
HEARD_FOR = 600  # seconds: how long a kernel that comes late is told what was said


class _Handler(RequestHandler):
    """What all of the service's pages share: the class, and who stands at the door."""

    def initialize(self, store: Store, door: Door, folder: Path) -> None:
        self.store, self.door, self.folder = store, door, folder

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            "font-src data:; connect-src 'self'; frame-ancestors 'none'; form-action 'none'",
        )

    async def is_let_in(self) -> bool:
        """Whether the instructor asks; all others are told that they may not."""
        if await self.door.is_instructor(self):
            return True
        self.set_status(403)
        return False


class Events(_Handler):
    """Where learners' kernels send, and hear what the instructor says."""

    async def post(self) -> None:
        identity = await self.door.learner(self)
        if not identity:
            self.set_status(403)
            return
        now, session = time.time(), self.store.session
        try:
            seen, events = read_message(self.request.body, now, session.began)
        except ValueError as problem:
            self.set_status(400, str(problem))
            return
        who = self.store.alias(identity)
        if events:
            self.store.add(who, events)
        done = {e.name for e in self.store.by_who.get(who, ()) if e.passed}
        notes = [
            {**asdict(note), "ago": round(now - note.at, 1)}
            for note in self.store.notes
            if note.id > seen and now - note.at < HEARD_FOR and note.exercise not in done
        ]
        self.write({"session": session.id, "age": now - session.began, "notes": notes})


class Page(_Handler):
    async def get(self) -> None:
        if not await self.door.is_instructor(self):
            await self.door.turned_away(self)
            return
        asked = self.get_query_argument("lang", current_language())
        lang = asked if asked in LANGUAGES else "en"
        self.write(page.live_page(lang, self.door.token_of_page(self)))


class Updates(_Handler):
    """What the page shows, as server-sent events: at once, and whenever there is something new."""

    gone = False

    def on_connection_close(self) -> None:
        self.gone = True

    async def get(self) -> None:
        if not await self.is_let_in():
            return
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        version, told = -1, 0.0
        while not self.gone:
            if self.store.version != version or time.time() - told > AT_LEAST:
                version, told = self.store.version, time.time()
                self.write(f"data: {json.dumps(self._now(told))}\n\n")
                try:
                    await self.flush()
                except StreamClosedError:
                    return
            await asyncio.sleep(LOOK)

    def _now(self, now: float) -> dict:
        said = [asdict(note) for note in self.store.notes[-3:]]
        began = self.store.session.began
        return {"now": now, "began": began, "said": said, **snapshot(self.store.by_who, now)}


class Say(_Handler):
    async def post(self) -> None:
        if not await self.is_let_in():
            return
        try:
            self.store.say(*read_note(self.request.body))
        except ValueError as problem:
            self.set_status(400, str(problem))


class Report(_Handler):
    async def get(self) -> None:
        if await self.is_let_in():
            self.write(report.as_page(self.store.by_who))


class End(_Handler):
    """Writes the report of the class, and forgets all that it was made of."""

    async def post(self) -> None:
        if not await self.is_let_in():
            return
        kept = self.folder / f"class-report-{datetime.now():%Y-%m-%d-%H%M%S}.html"
        try:
            kept.write_text(report.as_page(self.store.by_who), encoding="utf-8")
        except OSError as problem:  # nothing is forgotten that is nowhere else
            self.set_status(500)
            says = _("The report cannot be written to {path}: {why}.")
            self.write({"says": says.format(path=kept, why=problem.strerror)})
            return
        self.store.end()
        says = _("The class has ended. Its report: {path}")
        self.write({"says": says.format(path=kept)})


def application(store: Store, door: Door, folder: Path, prefix: str = "") -> Application:
    """The service, of which all addresses begin with `prefix`."""
    shared = {"store": store, "door": door, "folder": folder}
    return Application(
        [
            (f"{prefix}/", Page, shared),
            (f"{prefix}/events", Events, shared),
            (f"{prefix}/updates", Updates, shared),
            (f"{prefix}/say", Say, shared),
            (f"{prefix}/report", Report, shared),
            (f"{prefix}/end", End, shared),
            *door.routes(prefix),
        ],
        cookie_secret=secrets.token_hex(32),
        log_function=lambda _handler: None,  # no list of who asked when
    )


def listen(app: Application, host: str, port: int) -> HTTPServer:
    """Begin to listen, in the event loop that runs.  Raises OSError."""
    server = HTTPServer(app, max_body_size=LARGEST, xheaders=False)
    server.listen(port, host)
    return server


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course live", description=__doc__)
    parser.add_argument("--room", action="store_true", help="listen on the room's network, too")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default=current_language())
    options = parser.parse_args(arguments)
    use_language(options.language)
    try:
        folder = place("COURSE_LIVE_FOLDER", lambda: user_data_path(OURS) / "live")
        store = Store(folder)
        return asyncio.run(_serve(store, folder, options.room, options.port))
    except (OSError, sqlite3.Error) as problem:
        says = _("The class view cannot start: {why}.")
        print(says.format(why=problem), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        print(_kept_words())
        return 0


async def _serve(store: Store, folder: Path, room: bool, port: int) -> int:
    if is_on_hub():
        here = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
        listen(application(store, Hub(), folder, prefix), here.hostname or "", here.port or 80)
    else:
        session = store.session
        door = Room(session.code, session.key)
        listen(application(store, door, folder), "0.0.0.0" if room else "127.0.0.1", port)
        print(_joining_words(f"http://{_own_address() if room else '127.0.0.1'}:{port}", store))
    await asyncio.Event().wait()
    return 0


def _joining_words(address: str, store: Store) -> str:
    lines = [
        _("The class view, for you alone: {page}"),
        _("Learners join with:            {join}"),
    ]
    if store.went_on:
        lines.append(_("It goes on with the class that was on."))
    return "\n".join(lines).format(
        page=f"{address}/#{store.session.key}",
        join=f"COURSE_LIVE={address}#{store.session.code} python -m course lab",
    )


def _kept_words() -> str:
    return _("The class is not over: `python -m course live` goes on with it. End it on its page.")


def _own_address() -> str:
    """By which address the others in the room reach this machine; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address that is nobody's
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
