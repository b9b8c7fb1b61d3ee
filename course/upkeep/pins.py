"""Writes requirements.txt and environment.yml from the versions pinned in pyproject.toml.

`python -m course pins`, in the course's own environment: what the pinned packages brought along is
pinned at the version that is installed.
"""

import re
import tomllib
from importlib.metadata import distributions

from course import ROOT

OWN_TOOLS = {"pip", "setuptools", "wheel", "inside-a-transformer-llm"}


def pinned() -> tuple[list[str], list[str]]:
    """The pins of pyproject.toml: what the course needs, and what its tests need besides."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"], project["optional-dependencies"]["test"]


def installed() -> list[str]:
    """Every package of this environment with its version, less local tags such as "+cpu"."""
    return [
        f"{found.name}=={found.version.split('+')[0]}"
        for found in sorted(distributions(), key=lambda found: normal(found.name))
        if normal(found.name) not in OWN_TOOLS
    ]


def normal(pin: str) -> str:
    """A package's name as the index compares names."""
    return re.sub(r"[-_.]+", "-", pin.split("==")[0]).lower()


def requirements(all_pins: list[str]) -> str:
    return "# Every version, pinned.  Written by `make pins`.\n" + "\n".join(all_pins) + "\n"


def environment() -> str:
    """environment.yml: the same pins, taken by pip, for conda, Binder and hub images."""
    needs = "".join(f"      - {pin}\n" for pin in pinned()[0])
    return (
        "# For conda, Binder and JupyterHub images.  Written by `make pins`.\n"
        "name: inside-a-transformer-llm\n"
        "channels:\n  - conda-forge\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
        f"{needs}"
        "      - -e .\n"
    )


def main(_arguments: list[str]) -> int:
    (ROOT / "requirements.txt").write_text(requirements(installed()), encoding="utf-8")
    (ROOT / "environment.yml").write_text(environment(), encoding="utf-8")
    return 0
