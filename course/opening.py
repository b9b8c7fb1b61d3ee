"""What the first cell of every notebook does: the language, and no file that hides a library.

A file `torch.py` beside a notebook is what `import torch` finds there, and what then goes wrong
names anything but the cause.  So this imports nothing but Python's own, and looks first.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

from course import ROOT
from utils.language import _, use_language

OURS = {"course", "utils"}


class HiddenLibrary(ImportError):
    """A file beside the notebook has the name of a library; it says which, and what to do."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # where in the course it was noticed is none of the learner's business


def open_in(code: str) -> None:
    """Speak `code`, "ko" or "en", from now on.  The first cell of every notebook calls this.

    Raises HiddenLibrary where a file in the working folder would be imported for a library.
    """
    use_language(code)
    for found in hiding(Path.cwd()):
        raise HiddenLibrary(
            _(
                "The file {file} in {folder} hides the library of that name, which the course "
                "needs: rename it, restart the kernel, and run this cell again."
            ).format(file=found.name, folder=found.parent)
        )


def hiding(folder: Path) -> list[Path]:
    """The files in `folder` that Python would import in place of a library not yet loaded."""
    folder = folder.resolve()
    if folder == ROOT.resolve():
        return []
    beside = [*folder.glob("*.py"), *(file.parent for file in folder.glob("*/__init__.py"))]
    elsewhere = [place for place in sys.path if Path(place or ".").resolve() != folder]
    return [
        path
        for path in sorted(beside)
        if path.stem in OURS or PathFinder.find_spec(path.stem, elsewhere)
        if not _is_loaded(path)
    ]


def _is_loaded(path: Path) -> bool:
    """Whether the library itself came first: then the file hides nothing any more."""
    module = sys.modules.get(path.stem)
    file = getattr(module, "__file__", None)
    return module is not None and (file is None or path not in (Path(file), Path(file).parent))
