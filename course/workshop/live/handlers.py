"""What the class view answers: to learners' kernels, and to the instructor's page."""

import asyncio
import json
import secrets
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from course.workshop.live import page, report
from course.workshop.live.doors import Door
from course.workshop.live.protocol import choices, diagnoses, read_message, read_note
from course.workshop.live.store import Store
from course.workshop.live.summary import snapshot
from utils.language import LANGUAGES, _, current_language

LOOK = 1.0  # seconds: no page is told more often
AT_LEAST = 10.0  # seconds: nor less often, since minutes pass without an event
HEARD_FOR = 600  # seconds: how long a kernel that comes late is told what was said


def get_ready() -> None:
    """Read all lessons and graders, and make the pages: it takes seconds, and nobody waits yet."""
    choices()
    diagnoses("1.1")
    for lang in LANGUAGES:
        page.live_page(lang, "")


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
