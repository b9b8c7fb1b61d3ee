"""The course's own environment, .venv: made with what comes with Python alone, mended if it broke.

A stamp in it, written last, says what it was made for: these pins, this Python, this folder.  A
.venv that is a link belongs to someone else, and is used as it is.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from course import ROOT
from course.machine import software
from course.machine.installing import SetUpError, install, surroundings
from utils.language import _

INSIDE = "COURSE_INSIDE_VENV"  # set for the command that goes on inside, and taken back by it
COURSE = "inside-a-transformer-llm"  # as a package
NEWEST_PYTHON = (3, 14)


def unfit() -> str:
    """Why the course cannot be installed with this Python on this machine; "" if it can."""
    version = "{}.{}".format(*sys.version_info)
    if sys.version_info[:2] > NEWEST_PYTHON:
        return _(
            "Python {version} is newer than what PyTorch is built for. Install Python "
            "{newest} from python.org, and start with that one."
        ).format(version=version, newest="{}.{}".format(*NEWEST_PYTHON))
    if sys.maxsize < 2**32:
        return _(
            "This Python is a 32-bit one, and there is no PyTorch for it. Install the 64-bit "
            "Python from python.org, and start with that one."
        )
    if sys.platform == "win32" and platform.machine() == "ARM64":
        return _(
            "Some packages of the course are not made for Windows on ARM. Install the x86-64 "
            "Python from python.org (Windows runs it, too), and start with that one."
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return _(
            "PyTorch is no longer made for Macs with an Intel processor, so the course cannot be "
            "installed here. Open it on another machine. (If this Mac has an Apple chip, this "
            "Python is made for Intel: install the one from python.org.)"
        )
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        return _(
            "This Python cannot make environments. On Debian and Ubuntu run "
            "`sudo apt install python{version}-venv`, then try again."
        ).format(version=version)
    return ""


def python_of(root: Path) -> Path:
    """The Python in the environment of the course in folder `root`."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_of(root: Path) -> Path:
    """The file that says what the environment was made for."""
    return root / ".venv" / "course.json"


def made_for(root: Path, python: str, tests: bool) -> dict:
    """What a stamp says of a whole environment."""
    pins = b"".join((root / name).read_bytes() for name in ("pyproject.toml", "requirements.txt"))
    return {
        "pins": hashlib.sha256(pins.replace(b"\r\n", b"\n")).hexdigest(),
        "python": python,
        "folder": str(root.resolve()),
        "tests": tests,
    }


def is_here(root: Path = ROOT, tests: bool = False) -> bool:
    """Whether the command can go on in this very Python: in .venv, or where all is installed."""
    if os.environ.pop(INSIDE, None):
        return True
    environment = root / ".venv"
    if Path(sys.prefix).resolve() == environment.resolve():
        return not trouble(root, tests)
    elsewhere = [place for place in sys.path if Path(place or ".").resolve() != root.resolve()]
    has_course = any(importlib.metadata.distributions(name=COURSE, path=elsewhere))
    needed = [*software.pins(), *(["pytest", "pytest-xdist"] if tests else [])]
    return not environment.exists() and has_course and all(map(software.installed, needed))


def trouble(root: Path, tests: bool) -> str:
    """What is wrong with the environment: "" or one of the keys of `SAYS`."""
    environment = root / ".venv"
    if environment.is_symlink():
        return ""
    if not environment.exists():
        return "none yet"
    python = _version(python_of(root))
    if python is None:
        return "broken"
    try:
        stamp = json.loads(stamp_of(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "unfinished"
    whole = made_for(root, python, tests)
    if stamp["python"] != python:
        return "broken"
    if stamp["folder"] != whole["folder"]:
        return "moved"
    if stamp["pins"] != whole["pins"]:
        return "changed"
    return "without tests" if tests and not stamp["tests"] else ""


MAKE_ANEW = {"none yet", "broken", "moved"}


def says(what: str) -> str:
    """What the learner is told before it is mended."""
    return {
        "none yet": _(
            "Setting the course up in its folder: about 3 GB, a few minutes, only this once."
        ),
        "broken": _("The environment in .venv does not work with this Python; making it anew."),
        "moved": _("The course's folder has moved; making its environment anew."),
        "unfinished": _("The set-up was not finished; going on with it."),
        "changed": _("The course needs other packages than before; bringing them up to date."),
        "without tests": _("Adding what the tests need."),
    }[what]


def _version(python: Path) -> str | None:
    """ "3.11" for an environment's Python; None where it does not start, is too old, has no pip."""
    code = "import sys, pip; print('{}.{}'.format(*sys.version_info))"
    try:
        run = subprocess.run(
            [str(python), "-c", code], env=surroundings(), capture_output=True, text=True
        )
    except OSError:
        return None
    found = re.fullmatch(r"(\d+)\.(\d+)\s*", run.stdout)
    if run.returncode or not found or (int(found[1]), int(found[2])) < software.OLDEST_PYTHON:
        return None
    return run.stdout.strip()


def can_start(root: Path = ROOT) -> bool:
    """Whether the environment's Python starts, whatever else may be missing."""
    return _version(python_of(root)) is not None


def set_up(root: Path = ROOT, tests: bool = False) -> None:
    """Make the environment, or mend it.  Raises SetUpError with what hinders it and what to do."""
    what = trouble(root, tests)
    if not what:
        return
    print(says(what), flush=True)
    try:
        stamp_of(root).unlink(missing_ok=True)
        if what in MAKE_ANEW:
            if problem := unfit():
                raise SetUpError(problem)
            _make_empty(root)
        extras = ".[test]" if tests else "."
        total = len((root / "requirements.txt").read_text(encoding="utf-8").splitlines())
        wanted = ["-c", str(root / "requirements.txt"), "-e", str(root) + extras.lstrip(".")]
        install(python_of(root), wanted, total, root / ".venv" / "set-up.log")
        stamp = made_for(root, str(_version(python_of(root))), tests)
        unfinished = stamp_of(root).with_suffix(".new")
        unfinished.write_text(json.dumps(stamp, indent=2), encoding="utf-8")
        os.replace(unfinished, stamp_of(root))
    except OSError as error:
        raise SetUpError(
            _(
                "The environment could not be written: {error}. Close what uses it, and try again."
            ).format(error=error)
        ) from error


def _make_empty(root: Path) -> None:
    environment = root / ".venv"
    if environment.is_file():
        environment.unlink()
    elif environment.exists():
        shutil.rmtree(environment)
    base = getattr(sys, "_base_executable", sys.executable)  # also where .venv's own is running
    made = subprocess.run(
        [base, "-m", "venv", str(environment)],
        env=surroundings(),
        capture_output=True,
        text=True,
        errors="replace",
    )
    if made.returncode:
        said = (made.stderr or made.stdout).strip().splitlines() or ["–"]
        raise SetUpError(
            _("Python could not make an environment: {reason}").format(reason=said[-1])
        )


def go_on(arguments: list[str], root: Path = ROOT) -> int:
    """Run the course's command inside the environment, and pass on what it returns."""
    command = [str(python_of(root)), "-m", "course", *arguments]
    return run(command, surroundings() | {INSIDE: "1"})


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> int:
    """Run `command` as if it stood in our place: Ctrl+C is its own, and so is being ended."""
    child = subprocess.Popen(command, env=environment, cwd=folder)
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
