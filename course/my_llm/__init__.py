"""The LLM that the learner writes: each function that passes its exercise is kept in `my_llm.py`.

The file lies beside the learner's notebooks and is theirs. `from course.my_llm import rms_norm`
gives the learner's own `rms_norm` where that exercise is passed, and the course's where it is not.
"""

import builtins
import linecache
import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from course.graders import exercise_spec
from course.graders.attempt import grade
from course.lessons import by_number
from course.my_llm.standalone import NotAlone, global_names, standing_alone
from course.notebooks.words import exercise_words
from course.progress import events
from utils import parts as the_courses
from utils.language import _

FILE = "my_llm.py"
PARTS = {  # what lesson 08 uses: number of the exercise → the course's own, under the same name
    "2.1": the_courses.embed,
    "2.4": the_courses.lm_head,
    "3.1": the_courses.greedy,
    "3.2": the_courses.apply_temperature,
    "3.4": the_courses.top_p_filter,
    "3.6": the_courses.sample,
    "4.1": the_courses.causal_mask,
    "5.1": the_courses.KVCache,
    "5.5": the_courses.stream_text,
    "6.1": the_courses.rms_norm,
    "6.2": the_courses.feed_forward,
    "6.3": the_courses.block,
    "7.1": the_courses.attention_scores,
    "7.2": the_courses.attention_weights,
    "7.3": the_courses.combine,
    "7.4": the_courses.split_heads,
    "7.5": the_courses.merge_heads,
    "7.6": the_courses.repeat_kv,
    "7.7": the_courses.rotary,
    "8.1": the_courses.places_and_mask,
    "8.2": the_courses.attention,
    "8.3": the_courses.run_layer,
    "8.4": the_courses.forward,
    "8.5": the_courses.write,
    "8.6": the_courses.fuse,
    "8.7": the_courses.RoomyCache,
}
HEAD = re.compile(r"(?m)^# ── (\d+\.\d+) (\w+) ─*\n")


@dataclass(frozen=True)
class Part:
    """A part of the LLM as it is used now: the learner's own, or the course's."""

    number: str
    name: str
    value: object
    mine: bool
    problem: str = ""  # why the learner's own cannot be used, where there is one


def my_file() -> Path | None:
    """Where the learner's file lies; None where nobody is learning: solved notebooks and tests."""
    folder = Path.cwd()
    return folder / FILE if folder.parent.name == "chapters" and not _tested() else None


def _tested() -> bool:
    """Whether this is a test, or a kernel that nbval has started in one."""
    return "PYTEST_CURRENT_TEST" in os.environ


def keep(number: str, answer) -> str | None:
    """Keep the source of `answer`, which passed exercise `number`.  Returns a sentence about it.

    What the learner has written into the file by hand stays; a part is replaced by a newer one only
    after the whole file was copied.  Raises nothing.
    """
    path = my_file()
    if path is None or exercise_words(number).kind != "implement":
        return None
    try:
        with FileLock(events.progress_file().with_name(f"{FILE}.lock"), timeout=10):
            return _keep(path, number, answer)
    except NotAlone as problem:
        return _(
            "This could not be kept in my_llm.py: it uses {name}, which is only in this notebook. "
            "Take it as an argument, or make it inside, and check again."
        ).format(name=problem)
    except (OSError, UnicodeDecodeError) as problem:
        return _("This could not be kept in my_llm.py ({problem}).").format(problem=problem)


def _keep(path: Path, number: str, answer) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else _preface()
    preface, sections = _split(text)
    name = (PARTS.get(number) or answer).__name__
    body = standing_alone(answer, kept={part: source for _n, part, source in sections})
    if answer.__name__ != name:  # lesson 08 looks for it by this name
        body += f"\n\n\n{name} = {answer.__name__}"
    old = [source for n, own, source in sections if n == number]
    if old and old[0].strip() == body.strip():
        return _("It is in my_llm.py already.")
    said = _("Kept in my_llm.py, beside this notebook.")
    if old:
        copy = path.with_name(f"my_llm-{datetime.now():%Y-%m-%d-%H%M%S}.py")
        shutil.copy2(path, copy)
        said = _("Kept in my_llm.py; the file as it was before is {copy}.").format(copy=copy.name)
    sections = [section for section in sections if section[0] != number]
    sections.append((number, name, body + "\n\n\n"))
    sections.sort(key=lambda section: by_number(section[0]))
    heads = (
        f"# ── {n} {part} {'─' * (70 - len(n + part))}\n{source}" for n, part, source in sections
    )
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text((preface + "".join(heads)).rstrip() + "\n", encoding="utf-8")
    os.replace(unfinished, path)
    return said


def _preface() -> str:
    words = _(
        "The LLM I wrote, part by part.\n\nEach part passed its exercise. This file is mine: "
        "lesson 08 runs what stands here."
    )
    return f'"""{words}\n"""\n\n'


def _split(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """What stands before the first part, and (number, name, source) of each."""
    preface, *rest = HEAD.split(text)
    return preface, [
        (number, name, source.rstrip() + "\n\n\n")
        for number, name, source in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]


def parts() -> dict[str, Part]:
    """Every part of the LLM by its name: the learner's own where it can be used."""
    mine, problems = _mine()
    found = {}
    for number, reference in PARTS.items():
        name = reference.__name__
        value = mine.get(number, reference)
        found[name] = Part(number, name, value, number in mine, problems.get(number, ""))
    return found


def _mine() -> tuple[dict, dict[str, str]]:
    """The learner's parts by number, and why some of them cannot be used.

    Each part is run for itself and sees the parts above it, so that two helpers that happen to have
    the same name in two lessons do not get in each other's way.
    """
    path = my_file()
    if path is None or not path.exists():
        return {}, {}
    try:
        _before, sections = _split(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        return {}, dict.fromkeys(PARTS, str(problem))
    mine, problems, above = {}, {}, {}
    for number, name, source in sections:
        names, title = {**above, "__name__": "my_llm"}, f"{FILE}, {number}"
        linecache.cache[title] = len(source), None, source.splitlines(True), title
        try:
            exec(compile(source, title, "exec"), names)
            names |= {part: value for part, value in above.items() if part != name}
            known = names.keys() | vars(builtins).keys()
            if unknown := sorted(global_names(source) - known):
                raise NameError(", ".join(unknown))
            mine[number] = above[name] = names[name]
        except Exception as problem:  # the learner may have written anything into their file
            problems[number] = f"{type(problem).__name__}: {problem}"
    return mine, problems


def whose_code() -> str:
    """A line for each part: whose code runs, the learner's own or the course's.

    The learner may have changed the file by hand: each of their parts is checked once more.
    """
    lines = []
    for part in parts().values():
        whose = _("mine") if part.mine else _("the course's")
        if part.problem:
            whose = _("the course's, because mine cannot be run: {problem}").format(
                problem=part.problem
            )
        elif part.mine and not _passes(part):
            whose = _("mine, but it does not pass exercise {number} any more").format(
                number=part.number
            )
        lines.append(f"{part.number}  {part.name:18}{whose}")
    return "\n".join(lines)


def _passes(part: Part) -> bool:
    checks, _printed = grade(exercise_spec(part.number), part.value)
    return all(check.passed for check in checks)


def my_llm() -> str:
    """The learner's file, as it is now."""
    path = my_file()
    if path is None or not path.exists():
        return _(
            "There is no my_llm.py here yet: a part is written into it when its exercise in "
            "chapters/ is passed."
        )
    return path.read_text(encoding="utf-8")


def __getattr__(name: str):
    """`from course.my_llm import rms_norm`: the part of that name, as it is used now."""
    if name.startswith("_") or (part := parts().get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return part.value
