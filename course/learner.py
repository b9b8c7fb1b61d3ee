"""Is somebody learning here, and where does what they write belong?  Everything asks this module.

Whoever runs a chapter is learning: their answers count as progress, and code that passes is kept in
their `my_llm.py`.  It is never guessed from where a notebook lies or runs; two say otherwise:

- a solved notebook, which is for reading, calls `keep_nothing()` in its second cell;
- `COURSE_LEARNER=off` says it for all that is started with it, such as a test of the notebooks.

Nobody's answers are checked and shown all the same; only nothing of them is kept or looked up.
"""

import os
from pathlib import Path

from course import ROOT
from utils.language import current_language
from utils.places import place

MY_LLM = "my_llm.py"


def is_learning() -> bool:
    """Whether what is answered here is somebody's, to be kept."""
    return os.environ.get("COURSE_LEARNER", "").lower() != "off"


def keep_nothing() -> None:
    """From now on nobody is learning in this kernel, nor in what it starts."""
    os.environ["COURSE_LEARNER"] = "off"


def chapters() -> Path:
    """The folder that holds the learner's notebooks, in ko/ and en/.

    $COURSE_CHAPTERS, for a hub where each user has a copy of their own; else the course's.  Raises
    NoHome, an OSError, where it begins with a "~" of nobody; so do those below.
    """
    return place("COURSE_CHAPTERS", lambda: ROOT / "chapters")


def my_notebooks() -> Path:
    """The folder of the learner's notebooks in the language in use."""
    return chapters() / current_language()


def my_llm_file() -> Path | None:
    """Where the learner's LLM is kept; None where nobody is learning.

    $COURSE_MY_LLM, a file; else `my_llm.py` beside their notebooks.
    """
    if not is_learning():
        return None
    return place("COURSE_MY_LLM", lambda: my_notebooks() / MY_LLM)
