"""Is there a model, memory and disk to work with, and may the course write where it must?

Each function says in a few words what it found, or raises Unready with the remedy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from course.machine import limits
from course.machine.software import Unready, course_module, missing_packages
from utils.language import _

MEMORY = 1_500_000_000  # bytes: a notebook with the model loaded, and JupyterLab beside it
ROOM = 100_000_000  # bytes for notebooks and progress, once the model is there


def model() -> str:
    """Every byte is read: about a second."""
    store = course_module("utils.model_store")
    try:
        store.check_readable(store.model_folder())
    except store.Unreadable as problem:
        raise Unready(
            _("{model} is here, but you may not read it").format(model=store.MODEL), str(problem)
        ) from problem
    if not store.model_folder().exists():
        raise Unready(
            _("{model} is not on this machine yet").format(model=store.MODEL),
            _("Run `python -m course lab` with a network: it fetches the model, this once."),
        )
    try:
        store.verify()
    except (store.ModelError, OSError) as problem:
        raise Unready(
            _("{model} is damaged").format(model=store.MODEL),
            _(
                "Delete the folder {folder} and run `python -m course lab`: the model is made anew."
            ).format(folder=store.model_folder()),
        ) from problem
    return _("{model} is here, and every byte of it is as it should be").format(model=store.MODEL)


def free_memory() -> float:
    """Bytes that new programs can have; within a container's limit, where there is one."""
    return min(course_module("psutil").virtual_memory().available, limits.memory_left())


def memory() -> str:
    """How much memory is free; enough for a lesson, or Unready."""
    remedy = _(
        "A lesson needs {needed:.1f} GB. Close other programs, and in JupyterLab the "
        "notebooks you are not using (Kernel → Shut Down All Kernels)."
    )
    return _enough(free_memory(), MEMORY, remedy.format(needed=MEMORY / 1e9))


def _enough(free: float, needed: float, remedy: str) -> str:
    """How many bytes are free, in words; Unready with this remedy where more are needed."""
    says = _("{free:.1f} GB free").format(free=free / 1e9)
    if free < needed:
        raise Unready(says, remedy)
    return says


def _existing(folder: Path) -> Path:
    """`folder`, or the first one above it that is there."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def disk() -> str:
    """How much disk is free; enough for the model, where it is still to be made, or Unready."""
    store = course_module("utils.model_store")
    needed = ROOM if store.is_whole(store.model_folder()) else store.BYTES_NEEDED
    free = shutil.disk_usage(_existing(store.cache_folder())).free
    remedy = _(
        "{needed:.1f} GB must be free in {folder}. Free some space, or set $COURSE_CACHE "
        "to a folder on another disk."
    )
    return _enough(free, needed, remedy.format(needed=needed / 1e9, folder=store.cache_folder()))


def _try_to_write(folder: Path) -> None:
    """Raises OSError where nothing can be written.  Leaves nothing behind."""
    with tempfile.TemporaryFile(dir=_existing(folder)) as file:
        file.write(b"\0")


def progress_folder() -> str:
    """Whether what a learner passes can be kept."""
    store = course_module("course.progress.store")
    try:
        path = store.progress_file()
    except OSError as problem:
        raise Unready(
            str(problem),
            _("Exercises work, but what you pass is forgotten when a kernel ends."),
        ) from problem
    try:
        _try_to_write(path.parent)
        if path.exists():
            path.open("r+b").close()
    except OSError as problem:
        raise Unready(
            _("{path} cannot be written").format(path=path),
            _(
                "Exercises work, but what you pass is not kept. Set $COURSE_PROGRESS to a file of "
                "your own, in a folder that you may write in."
            ),
        ) from problem
    return _("can be written")


def cache_folder() -> str:
    """Whether the model can be kept, or need not be because it is there already."""
    store = course_module("utils.model_store")
    try:
        _try_to_write(store.cache_folder())
    except OSError as problem:
        if store.is_whole(store.model_folder()):
            return _("shared and read-only; the model is in it, so nothing need be written")
        raise Unready(
            _("nothing can be written in {folder}").format(folder=store.cache_folder()),
            _("Set $COURSE_CACHE to a folder of your own, and run `python -m course lab`."),
        ) from problem
    return _("can be written")


def network() -> str:
    """Whether there is something still to fetch; nothing is asked of the network itself."""
    what = _("the packages") if missing_packages() else ""
    if not what:
        try:
            model()
        except Unready:
            what = _("the model")
    if what:
        raise Unready(
            _("needed once, to fetch {what}").format(what=what),
            _("Connect this machine; afterwards the course works without a network."),
        )
    return _("not needed: all is on this machine")
