"""Which Python a notebook's kernel starts in: JupyterLab may find another one than the course's."""

from __future__ import annotations

import os
import subprocess
import sys

from course.machine.software import Unready, course_module, install_all
from utils.language import _

NAME = "python3"  # the kernel that every notebook of the course asks for
PATIENCE = 30  # seconds


def kernel() -> str:
    """Whether notebooks run in this Python, by what Jupyter itself would start."""
    specs = course_module("jupyter_client.kernelspec")
    try:
        spec = specs.KernelSpecManager().get_kernel_spec(NAME)
    except specs.NoSuchKernel as problem:
        raise Unready(
            _("Jupyter knows no kernel {name}").format(name=NAME), install_all()
        ) from problem
    started = spec.argv[0]
    if started in ("python", "python3", "python{}.{}".format(*sys.version_info)):
        return _("notebooks run in this Python")  # Jupyter takes these words for itself
    if _prefix(started) != os.path.realpath(sys.prefix):
        raise Unready(
            _("notebooks would run in {python}, which is not the course's").format(python=started),
            _("Delete the folder {folder}, and start JupyterLab again.").format(
                folder=spec.resource_dir
            ),
        )
    return _("notebooks run in this Python")


def _prefix(python: str) -> str | None:
    """The folder of a Python's environment; None where it does not start."""
    ask = [python, "-c", "import sys; print(sys.prefix)"]
    try:
        run = subprocess.run(ask, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None
    return os.path.realpath(run.stdout.strip()) if run.returncode == 0 else None
