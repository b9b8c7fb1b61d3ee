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
import importlib
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_data_path
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.web import Application, RequestHandler

from course.workshop.live.doors import Hub, Room, is_on_hub
from utils.language import LANGUAGES, _, current_language, use_language
from utils.places import OURS, place

LARGEST = 64_000  # bytes of one message


class Front(HTTPServerConnectionDelegate):
    """Passes each request to `app`: at first to one that asks for patience.

    What a class needs takes many seconds to load, and a hub gives up what does not listen by then.
    """

    def __init__(self) -> None:
        self.app = Application([(".*", _NotYet)], log_function=lambda _handler: None)

    def start_request(self, server_conn: object, request_conn: Any) -> Any:
        return self.app.start_request(server_conn, request_conn)


class _NotYet(RequestHandler):
    """A browser looks again by itself, and so does a kernel; a hub takes 503 for a service down."""

    def prepare(self) -> None:
        self.set_status(200 if self.request.method == "GET" else 503)
        self.set_header("Refresh", "2")
        self.finish(_("The class view is starting …"))


def listen(app: Application | Front, host: str, port: int) -> HTTPServer:
    """Begin to listen, in the event loop that runs.  Raises OSError."""
    server = HTTPServer(app, max_body_size=LARGEST)
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
        return asyncio.run(_serve(folder, options.room, options.port))
    except (OSError, sqlite3.Error, ModuleNotFoundError) as problem:  # on a hub: its own package
        says = _("The class view cannot start: {why}.")
        print(says.format(why=problem), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        print(_kept_words())
        return 0


async def _serve(folder: Path, room: bool, port: int) -> int:
    front, prefix, host = Front(), "", "0.0.0.0" if room else "127.0.0.1"
    if is_on_hub():
        here = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
        prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
        host, port = here.hostname or host, here.port or 80
    listen(front, host, port)
    handlers = await asyncio.to_thread(importlib.import_module, "course.workshop.live.handlers")
    await asyncio.to_thread(handlers.get_ready)
    store = handlers.Store(folder)
    session = store.session
    if is_on_hub():
        front.app = handlers.application(store, Hub(), folder, prefix)
    else:
        front.app = handlers.application(store, Room(session.code, session.key), folder)
        address = f"http://{_own_address() if room else host}:{port}"
        print(_joining_words(address, session.key, session.code, store.went_on), flush=True)
    await asyncio.Event().wait()
    return 0


def _joining_words(address: str, key: str, code: str, went_on: bool) -> str:
    lines = [
        _("The class view, for you alone: {page}"),
        _("Learners join with:            {join}"),
    ]
    if went_on:
        lines.append(_("It goes on with the class that was on."))
    return "\n".join(lines).format(
        page=f"{address}/#{key}",
        join=f"COURSE_LIVE={address}#{code} python -m course lab",
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
