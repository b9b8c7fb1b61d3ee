"""The text of `my_llm.py`, part by part, and what comes of running it."""

import builtins
import linecache
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from course.learner import MY_LLM, my_llm_file
from course.my_llm.standalone import global_names
from utils.language import _

HEAD = re.compile(r"(?m)^# ── (\d+\.\d+) (\w+) ─*\n")
Section = tuple[str, str, str]  # number, name and source of a part


def split(text: str) -> tuple[str, list[Section]]:
    """What stands before the first part, and the parts."""
    preface, *rest = HEAD.split(text)
    return preface, [
        (number, name, source.rstrip() + "\n\n\n")
        for number, name, source in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]


def joined(preface: str, sections: list[Section]) -> str:
    """The text of a file: the opposite of `split`."""
    heads = (
        f"# ── {number} {name} {'─' * (70 - len(number + name))}\n{source}"
        for number, name, source in sections
    )
    return (preface + "".join(heads)).rstrip() + "\n"


# Any Python can start it: the course goes on in its own, and fills in the parts that are missing.
RUN = """\
if __name__ == "__main__":  # python my_llm.py "Once upon a time"
    import runpy
    import sys
    from importlib.util import find_spec
    from pathlib import Path

    here = Path(__file__).resolve()
    sys.path += [str(folder) for folder in here.parents if (folder / "course").is_dir()]
    if find_spec("course") is None:
        sys.exit({lost!r})
    sys.argv[1:1] = ["write", str(here)]
    runpy.run_module("course", run_name="__main__")


"""


def new_preface() -> str:
    """How a file begins, in the learner's language: what it is, and how it runs in a terminal."""
    words = _(
        "The LLM I wrote, part by part.\n\nEach part passed its exercise. This file is mine: "
        "lesson 08 runs what stands here."
    )
    lost = _("The course is not here: put this file back into the course's folder to run it.")
    return f'"""{words}\n"""\n\n{RUN.format(lost=lost)}'


@dataclass(frozen=True)
class Run:
    """What came of running a text: the learner's parts by number, or why one cannot be used."""

    path: Path
    text: str
    mine: dict[str, object] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


_last: Run | None = None
_one_at_a_time = threading.RLock()  # cells and widgets run on two threads


def learners_parts() -> tuple[dict[str, object], dict[str, str]]:
    """The learner's parts by number, and why some of them cannot be used.

    The file is run once, as long as its text is the same: what is imported from it twice is one
    thing, and what it prints appears once.  The text is compared and not the file's time, as two
    changes may fall within one tick of that clock.  Raises OSError and UnicodeDecodeError.
    """
    path = my_llm_file()
    if path is None or not path.exists():
        return {}, {}
    with _one_at_a_time:
        run = Run(path, path.read_text(encoding="utf-8"))
        last = _last
        if last is None or (last.path, last.text) != (run.path, run.text):
            remember(run)  # before it runs: a part that asks for the others gets those above it
            try:
                run_parts(run)
            except BaseException:  # stopped by hand: half a run is none
                remember(None)
                raise
            last = run
        return last.mine, last.problems


def remember(run: Run | None) -> None:
    """Take `run` for what the file gives, as long as that text stands in it."""
    global _last
    _last = run


def run_parts(run: Run) -> None:
    """Fill in what each part gives, or why it cannot be used.

    Each is run for itself and sees the parts above it, so that two helpers that happen to
    have the same name in two lessons do not get in each other's way.
    """
    above: dict[str, object] = {}
    for number, name, source in split(run.text)[1]:
        names, title = {**above, "__name__": "my_llm"}, f"{MY_LLM}, {number}"
        linecache.cache[title] = len(source), None, source.splitlines(True), title
        try:
            exec(compile(source, title, "exec"), names)
            names |= {part: value for part, value in above.items() if part != name}
            known = names.keys() | vars(builtins).keys()
            if unknown := sorted(global_names(source) - known):
                raise NameError(", ".join(unknown))
            run.mine[number] = above[name] = names[name]
        except Exception as problem:  # the learner may have written anything into their file
            run.problems[number] = f"{type(problem).__name__}: {problem}"
