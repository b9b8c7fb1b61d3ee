"""Opens the course: prepares the model the first time, then JupyterLab at its front door."""

import argparse
import json
import os
import sys
from pathlib import Path

from jupyterlab.labapp import LabApp

from course import ROOT
from utils.language import LANGUAGES, current_language, use_language
from utils.model_store import ModelError, prepare_model

LOCALES = {"ko": "ko_KR", "en": "en"}


def first_notebook(lang: str) -> Path:
    """The notebook that the course opens on, relative to the course's folder."""
    return Path("chapters", lang, "00_start_here.ipynb")


def set_menus(lang: str, prefix: Path = Path(sys.prefix)) -> None:
    """Give this course's JupyterLab menus in `lang`, and no news pop-ups.

    These are defaults in the course's own environment; what a learner sets for themselves wins.
    """
    folder = prefix / "share" / "jupyter" / "lab" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    defaults = {
        "@jupyterlab/translation-extension:plugin": {"locale": LOCALES[lang]},
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
    }
    (folder / "overrides.json").write_text(json.dumps(defaults, indent=2), encoding="utf-8")


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
    set_menus(options.language)
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
