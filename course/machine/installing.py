"""Runs pip with a line that says how far it is, and puts into words why it could not.

Nothing is imported here that does not come with Python: nothing else is installed yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from utils.language import _

NOTE_EVERY = 20  # packages, where the line cannot be written over
WIDTH = 78
# What would send packages elsewhere, or show Python other packages than the environment's own.
MISLEADING = {
    *("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__"),
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV"),
    *("PIP_NO_DEPS", "PIP_DRY_RUN", "PIP_CONSTRAINT", "PIP_QUIET", "PIP_VERBOSE"),
}


class SetUpError(Exception):
    """What hindered the set-up, and what to do about it."""


def surroundings() -> dict[str, str]:
    """The environment variables less those that mislead Python or pip."""
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    return kept | {"PYTHONNOUSERSITE": "1"}


class Progress:
    """How many packages pip has fetched, and what it is doing; on a terminal, with a clock."""

    def __init__(self, total: int):
        self.total = total
        self.fetched: set[str] = set()
        self.doing = ""
        self._began, self._noted = time.monotonic(), 0
        self._rewrites = sys.stdout.isatty()

    def hear(self, said: str) -> None:
        """Take note of a line of pip's."""
        if file := re.match(r"\s*(Downloading|Using cached|Processing) (\S+)( \([^)]*\))?", said):
            name = file[2].rsplit("/", 1)[-1]
            if name.endswith(".metadata"):
                return
            short = "-".join(name.split("-")[:2])
            self.fetched.add(short)
            self.doing = f"{short}{file[3] or ''}"
        elif package := re.match(r"\s*Collecting ([\w.-]+)", said):
            self.doing = package[1]
        elif said.startswith("Installing collected packages"):
            self.doing = _("unpacking all of them")
        else:
            return
        unpacks = said.startswith("Installing")
        if not self._rewrites and (unpacks or len(self.fetched) >= self._noted + NOTE_EVERY):
            self._noted = len(self.fetched)
            print(self.line(), flush=True)

    def line(self) -> str:
        """Where things stand, in one line."""
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        count = _("{count} of about {total} packages").format(
            count=len(self.fetched), total=max(self.total, len(self.fetched))
        )
        return f"  {minutes}:{seconds:02} · {count} · {self.doing}"

    def show_until(self, over: threading.Event) -> None:
        """Write the line anew each second, until `over`; nothing where output is no terminal."""
        while self._rewrites and not over.wait(1):
            print("\r" + self.line()[:WIDTH].ljust(WIDTH), end="", flush=True)
        if self._rewrites:
            print("\r" + " " * WIDTH + "\r", end="", flush=True)


def install(python: Path, wanted: list[str], total: int, log: Path) -> None:
    """pip install `wanted` with this `python`, `total` packages or so; what pip says goes to `log`.

    Raises SetUpError with the reason where pip fails.
    """
    command = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    # PIP_USER overrules pip.conf's `user = true`; in plain C, errors of the system are English.
    plain = {"PIP_USER": "0", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C"}
    progress, over, said = Progress(total), threading.Event(), []
    clock = threading.Thread(target=progress.show_until, args=(over,))
    with subprocess.Popen(
        [*command, *wanted],
        env=surroundings() | plain,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        clock.start()
        try:
            for line in pip.stdout or ():
                said.append(line)
                progress.hear(line)
        finally:
            over.set()
            clock.join()
            log.write_text("".join(said), encoding="utf-8")
    if pip.returncode:
        raise SetUpError(why("".join(said)) + "\n" + _("All that pip said: {log}").format(log=log))


def why(said: str) -> str:
    """What hindered pip, in a sentence, from what it said."""
    for sign, sentence in (
        (
            r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLError|SSLCertVerification",
            _(
                "The package index answered with a certificate that this Python does not trust. "
                "Where a proxy of your school or company opens TLS, ask for its certificate, and "
                "set PIP_CERT to that file."
            ),
        ),
        (
            r"No space left|Errno 28|WinError 112",
            _("The disk is full. The course needs about 3 GB; make room, and try again."),
        ),
        (
            r"Tunnel connection failed|ProxyError|NewConnectionError|NameResolution|ConnectTimeout"
            r"|ReadTimeout|Network is unreachable|name resolution"
            r"|Connection (refused|reset|broken)",
            _("No connection to the package index. Check the network (or its proxy); try again."),
        ),
        (
            r"Permission denied|Errno 13|WinError 5\b|WinError 32",
            _(
                "A file of the environment may not be written. Close what uses the course (other "
                "terminals, VS Code), or copy the course into a folder of your own; try again."
            ),
        ),
    ):
        if re.search(sign, said):
            return sentence
    if missing := re.search(r"No matching distribution found for (\S+)", said):
        return _("The package index has no {package} for this Python on this machine.").format(
            package=missing[1]
        )
    errors = [line for line in said.splitlines() if line.lstrip().lower().startswith("error")]
    lines = errors or [line for line in said.splitlines() if line.strip()] or ["–"]
    return _("pip could not install the packages: {reason}").format(reason=lines[-1].strip()[:300])
