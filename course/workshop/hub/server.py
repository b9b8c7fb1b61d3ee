"""Starts a learner's own JupyterLab on a hub, as that learner: notebooks, language, then Jupyter's.

The hub starts it in place of `jupyterhub-singleuser`: `python -m course.workshop.hub.server`.

- $COURSE_HUB_SHARED is the folder that `prepare` made.  A learner's first notebooks are copied from
  it, which takes no time; after an update of the course `course.notebooks.update` brings what is
  new and leaves what somebody has begun.
- $COURSE_HUB_PACKAGES is where the hub's own packages lie, where they are not in this environment.
- $COURSE_LANG is the language of this learner, of the menus, too.
"""

import importlib
import os
import shutil
import site
import sys
from pathlib import Path

from course import learner
from course.machine.lab import first_notebook, with_menus
from course.notebooks import update
from course.workshop.hub.prepare import VERSION, version
from utils.language import current_language

CULLING = [  # kernels that nobody has used for so many seconds, though their tab may be open
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
]


def bring_notebooks(prepared: Path, folder: Path) -> None:
    """Make the learner's folder of notebooks, or bring it up to date."""
    if not folder.exists():
        shutil.copytree(prepared, folder)
        return
    noted = folder / VERSION
    if not noted.is_file() or noted.read_text(encoding="utf-8") != version():
        update.update()
        noted.write_text(version(), encoding="utf-8")


def main() -> None:
    os.umask(0o077)  # what a learner writes is for nobody else
    os.environ.setdefault("COURSE_CHAPTERS", "~/llm-course/my_course")
    folder = learner.chapters().parent
    try:
        bring_notebooks(Path(os.environ["COURSE_HUB_SHARED"]) / "notebooks", folder)
    except OSError as problem:  # such as a full disk: there is still what they had
        print(update.no_place(problem), file=sys.stderr)
    lang = current_language()
    menus = with_menus(lang, os.environ.get("JUPYTER_CONFIG_PATH", ""))
    os.environ["JUPYTER_CONFIG_PATH"] = menus
    os.environ["JUPYTERHUB_ROOT_DIR"] = str(folder)
    os.environ["JUPYTERHUB_DEFAULT_URL"] = f"/lab/tree/{first_notebook(lang).as_posix()}"
    if packages := os.environ.get("COURSE_HUB_PACKAGES"):
        site.addsitedir(packages)  # behind the course's own, which a kernel has to itself
    sys.argv[1:] += CULLING
    importlib.import_module("jupyterhub.singleuser").main()


if __name__ == "__main__":
    main()
