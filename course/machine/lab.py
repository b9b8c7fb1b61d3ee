"""Opens the course: prepares the model the first time, then JupyterLab at its front door."""

import argparse
import os
import sys
from pathlib import Path

from jupyterlab.labapp import LabApp

from course import ROOT
from utils.language import LANGUAGES, current_language, use_language
from utils.model_store import ModelError, prepare_model

MENUS = ROOT / "course" / "data" / "menus"


def first_notebook(lang: str) -> Path:
    """The notebook that the course opens on, relative to the course's folder."""
    return Path("chapters", lang, "00_start_here.ipynb")


def with_menus(lang: str, config_path: str = "") -> str:
    """What $JUPYTER_CONFIG_PATH must be for a JupyterLab with menus in `lang` and no news pop-ups.

    These are defaults, of this one server; what a learner sets for themselves wins.
    """
    return os.pathsep.join(filter(None, [str(MENUS / lang), config_path]))


def has_screen() -> bool:
    """Whether a browser could open here: always on Windows and macOS, with a display on Linux."""
    return not sys.platform.startswith("linux") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course lab", description=__doc__)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default=current_language())
    options, for_jupyter = parser.parse_known_args(arguments)
    use_language(options.language)
    try:
        prepare_model()
    except ModelError as problem:
        print(problem, file=sys.stderr)
        return 1
    config_path = os.environ.get("JUPYTER_CONFIG_PATH", "")
    os.environ["JUPYTER_CONFIG_PATH"] = with_menus(options.language, config_path)
    os.environ["COURSE_LANG"] = options.language
    LabApp.launch_instance(
        [
            f"--ServerApp.root_dir={ROOT}",
            f"--LabApp.default_url=/lab/tree/{first_notebook(options.language).as_posix()}",
            *([] if has_screen() else ["--no-browser"]),
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            *for_jupyter,
        ]
    )
    return 0
