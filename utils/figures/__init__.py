"""Pictures.  Matplotlib is started here, before any of them, and without a word.

On a new machine it would say in a learner's notebook that it looks for fonts, or that it may not
write into a folder, and so would the programs that it asks.
"""

import contextlib
import importlib
import logging
import os
from collections.abc import Iterator


@contextlib.contextmanager
def _without_a_word() -> Iterator[None]:
    log, kept = logging.getLogger("matplotlib"), None
    level = log.level
    log.setLevel(logging.ERROR)
    with contextlib.suppress(OSError):  # a process may have no stderr
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    finally:
        log.setLevel(level)
        if kept is not None:
            os.dup2(kept, 2)
            os.close(kept)


with _without_a_word():
    importlib.import_module("matplotlib.font_manager")
