"""Is the software as the course needs it?  Python, packages, device, fonts, JupyterLab's widgets.

Each function says in a few words what it found, or raises Unready with the remedy.  Whatever does
not come with Python is imported while looking: it may be the very thing that is missing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from course import ROOT
from course.machine import limits
from utils.language import _

FONT = ROOT / "utils" / "fonts" / "NotoSansKR-Regular.otf"
OLDEST_PYTHON = (3, 11)
FRONT_ENDS = {  # the part of a package that runs in the browser, below share/jupyter
    "jupyterlab_widgets": "labextensions/@jupyter-widgets/jupyterlab-manager/package.json",
    "anywidget": "labextensions/anywidget/package.json",
}


class Unready(Exception):
    """A thing that is not as it should be: what was found, and what to do about it."""

    def __init__(self, says: str, remedy: str):
        super().__init__(says)
        self.remedy = remedy


def python() -> str:
    """This Python's version; Unready where it is too old."""
    version = "{}.{}.{}".format(*sys.version_info)
    if sys.version_info[:2] < OLDEST_PYTHON:
        oldest = "{}.{}".format(*OLDEST_PYTHON)
        raise Unready(
            _("{version} is too old for the course").format(version=version),
            _(
                "Install Python {oldest} or newer from python.org, delete the folder .venv, and "
                "run `python -m course lab`."
            ).format(oldest=oldest),
        )
    return version


def pins() -> dict[str, str]:
    """package → the version that the course was tested with, as pyproject.toml pins it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [needs] = re.findall(r"(?s)\ndependencies = \[(.*?)\n\]", text)
    return dict(re.findall(r'"([\w.-]+)==([^"]+)"', needs))


def installed(package: str) -> str | None:
    """A package's version, less a build's own tag such as "+cpu"; None where it is missing."""
    try:
        return importlib.metadata.version(package).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def missing_packages() -> list[str]:
    """The pinned packages that are not installed."""
    return [package for package in pins() if installed(package) is None]


def packages() -> str:
    """Whether every pinned package is here, in the version that the course was tested with."""
    missing = missing_packages()
    faults = [_("missing: {packages}").format(packages=", ".join(missing))] if missing else []
    faults += [
        _("{package} {version} (the course needs {pin})").format(
            package=package, version=installed(package), pin=pin
        )
        for package, pin in pins().items()
        if installed(package) not in (None, pin)
    ]
    if faults:
        raise Unready("; ".join(faults), install_all())
    return _("all {count} as the course needs them").format(count=len(pins()))


def install_all() -> str:
    """What brings the packages: where this Python is not the course's own, the set-up makes one."""
    if installed("inside-a-transformer-llm") is None:
        return _(
            "In the course's folder run `python -m course lab`: it sets everything up in .venv. "
            "Afterwards ask again with `python -m course doctor`."
        )
    command = f"{Path(sys.executable).as_posix()} -m pip install -c requirements.txt -e ."
    return _("In the course's folder run `{command}`.").format(command=command)


def course_module(module: str) -> Any:
    """A module, and with it the packages that it needs.  Raises Unready where one is missing."""
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise Unready(
            _("not looked at yet ({error})").format(error=in_short(error)),
            _("First see to the packages, as said above; then run doctor again."),
        ) from error


def device() -> str:
    """What the model will compute on."""
    torch = course_module("torch")
    cores = f"{limits.cores():.3g}"
    try:
        picked = course_module("utils.device").pick_device()
    except ValueError as problem:
        says, _dot, remedy = str(problem).partition(". ")
        raise Unready(says, remedy) from problem
    if picked.startswith("cuda"):
        return _("{gpu}, by CUDA").format(gpu=torch.cuda.get_device_name(picked))
    if picked == "mps":
        return _("this Mac's GPU, by MPS")
    return _("the CPU, with {cores} cores; no GPU is needed").format(cores=cores)


def fonts() -> str:
    """Whether the font is whole, and has Hangul."""
    try:
        font = course_module("matplotlib.ft2font").FT2Font(str(FONT))
        whole = bool(font.get_char_index(ord("한")))
    except (OSError, RuntimeError):
        whole = False
    if not whole:
        raise Unready(
            _("{font}, which pictures with Hangul need, is missing or damaged").format(
                font=FONT.name
            ),
            _("In the course's folder run `git checkout utils/fonts`, or get the course anew."),
        )
    return _("{font} came with the course").format(font=FONT.name)


def widgets() -> str:
    """JupyterLab takes the first front end on its path: it must be the kernel's counterpart."""
    path = course_module("jupyter_core.paths").jupyter_path()
    for package, place in FRONT_ENDS.items():
        served = next((f for f in (Path(p, place) for p in path) if f.exists()), None)
        if served is None or installed(package) is None:
            raise Unready(
                _("the browser's part of {package} is missing").format(package=package),
                install_all(),
            )
        files = importlib.metadata.files(package) or ()
        own = next(file.locate() for file in files if str(file).endswith(place))
        versions = [_version_in(served), _version_in(Path(own))]
        if versions[0] != versions[1]:
            raise Unready(
                _("the browser would run {package} {served}, the kernel needs {own}").format(
                    package=package, served=versions[0], own=versions[1]
                ),
                _("Delete the folder {folder}, and start JupyterLab again.").format(
                    folder=served.parent
                ),
            )
    pins_of_all = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    [pin] = re.findall(r"(?m)^jupyterlab_widgets==(\S+)", pins_of_all)
    found = installed("jupyterlab_widgets")
    if found != pin:
        raise Unready(
            _("{package} {version} (the course needs {pin})").format(
                package="jupyterlab_widgets", version=found, pin=pin
            ),
            install_all(),
        )
    return _("front end and kernel agree (ipywidgets {version})").format(
        version=installed("ipywidgets")
    )


def _version_in(package_json: Path) -> str:
    return json.loads(package_json.read_text(encoding="utf-8"))["version"]


def in_short(error: Exception) -> str:
    """An error's kind and the first line of what it says, in 200 characters at most."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
