"""The LLM that the learner writes: each function that passes its exercise is kept in `my_llm.py`.

The file lies beside the learner's notebooks (course/learner.py says where) and is theirs.
`from course.my_llm import rms_norm` gives the learner's own `rms_norm` where that exercise is
passed, and the course's where it is not, or where nobody is learning. The file is run when it is
first asked for, and again only when something in it has changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.graders import exercise_spec
from course.graders.attempt import grade
from course.learner import my_llm_file
from course.my_llm.file import learners_parts
from utils import parts as the_courses
from utils.figures.model_map import whose_picture
from utils.figures.picture import Picture
from utils.language import _

# What lessons 08 and 09 use: number of the exercise → the course's own, under the same name.
PARTS: dict[str, Callable] = {
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
    "9.1": the_courses.unpack_block,
    "9.2": the_courses.packed_product,
    "9.3": the_courses.quantise,
    "9.4": the_courses.batch_places,
    "9.5": the_courses.looked_up,
    "9.6": the_courses.accepted,
}
ON_THE_MAP = {  # part of the map → the exercises that are it
    "embedding": ("2.1",),
    "streams": ("4.1", "8.1"),
    "block": ("6.3", "8.3", "8.4", "8.6"),
    "attention": ("7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "8.2"),
    "cache": ("5.1", "8.7"),
    "feed_forward": ("6.2",),
    "norm": ("6.1",),
    "lm_head": ("2.4",),
    "decoding": ("3.1", "3.2", "3.4", "3.6"),
    "loop": ("5.5", "8.5"),
}
FASTER = "9"  # from here on parts make the LLM faster, and no lesson before 09 speaks of them


@dataclass(frozen=True)
class Part:
    """A part of the LLM as it is used now: the learner's own, or the course's."""

    number: str
    name: str
    value: object
    mine: bool
    problem: str = ""  # why the learner's own cannot be used, where there is one


def parts() -> dict[str, Part]:
    """Every part of the LLM by its name: the learner's own where it can be used."""
    try:
        mine, problems = learners_parts()
    except (OSError, UnicodeDecodeError) as problem:
        mine, problems = {}, dict.fromkeys(PARTS, str(problem))
    found = {}
    for number, reference in PARTS.items():
        name = reference.__name__
        value = mine.get(number, reference)
        found[name] = Part(number, name, value, number in mine, problems.get(number, ""))
    return found


def whose_code() -> str:
    """A line for each part that lesson 08 uses: whose code runs, the learner's own or the course's.

    The learner may have changed the file by hand: each of their parts is checked once more.
    """
    lines = []
    for part in parts().values():
        if part.number >= FASTER:
            continue
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


def my_map() -> Picture:
    """The map of the LLM: in colour what is the learner's own, and how much of each part is."""
    found = {part.number: part for part in parts().values() if part.number < FASTER}
    of = {box: [found[number] for number in numbers] for box, numbers in ON_THE_MAP.items()}
    own = [part.name for part in found.values() if part.mine]
    others = [part.name for part in found.values() if not part.mine]
    title = _("Whose code runs: {count} of {all} parts are mine").format(
        count=len(own), all=len(found)
    )
    notes = [
        _("{whose}: {names}").format(whose=whose, names=", ".join(names))
        for whose, names in ((_("mine"), own), (_("the course's"), others))
        if names
    ]
    return whose_picture(
        title,
        {box: [part.name for part in those if part.mine] for box, those in of.items()},
        {box: [part.name for part in those] for box, those in of.items()},
        notes,
    )


def _passes(part: Part) -> bool:
    checks, _printed = grade(exercise_spec(part.number), part.value)
    return all(check.passed for check in checks)


def my_llm() -> str:
    """The learner's file, as it is now."""
    try:
        path = my_llm_file()
        if path is not None and path.exists():
            return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        return _("my_llm.py cannot be read ({problem}).").format(problem=problem)
    return _(
        "There is no my_llm.py here yet: a part is written into it when its exercise in your "
        "notebook is passed."
    )


def __getattr__(name: str) -> Any:
    """`from course.my_llm import rms_norm`: the part of that name, as it is used now."""
    if name.startswith("_") or (part := parts().get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return part.value
