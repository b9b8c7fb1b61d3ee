"""The LLM that the learner writes: each function that passes its exercise is kept in `my_llm.py`.

The file lies beside the learner's notebooks (course/learner.py says where) and is theirs.
`from course.my_llm import rms_norm` gives the learner's own `rms_norm` where that exercise is
passed, and the course's where it is not, or where nobody is learning. The file is run when it is
first asked for, and again only when something in it has changed.
"""

from dataclasses import dataclass

from course.graders import EXERCISES
from course.graders.grading import grade
from course.learner import my_llm_file
from course.my_llm.file import learners_parts
from utils import attention_steps, decoder_parts, decoding, kv_cache, streaming, streams
from utils.language import _

PARTS = {  # what lesson 08 uses: number of the exercise → the course's own, under the same name
    "2.1": decoder_parts.embed,
    "2.4": decoder_parts.lm_head,
    "3.1": decoding.greedy,
    "3.2": decoding.apply_temperature,
    "3.4": decoding.top_p_filter,
    "3.6": decoding.sample,
    "4.1": streams.causal_mask,
    "5.1": kv_cache.KVCache,
    "5.5": streaming.stream_text,
    "6.1": decoder_parts.rms_norm,
    "6.2": decoder_parts.feed_forward,
    "6.3": decoder_parts.block,
    "7.1": attention_steps.attention_scores,
    "7.2": attention_steps.attention_weights,
    "7.3": attention_steps.combine,
    "7.4": attention_steps.split_heads,
    "7.5": attention_steps.merge_heads,
    "7.6": attention_steps.repeat_kv,
    "7.7": attention_steps.rotary,
    "8.1": decoder_parts.places_and_mask,
    "8.2": decoder_parts.attention,
    "8.3": decoder_parts.run_layer,
    "8.4": decoder_parts.forward,
    "8.5": decoder_parts.write,
    "8.6": decoder_parts.fuse,
    "8.7": decoder_parts.RoomyCache,
}


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
    checks, _printed = grade(EXERCISES[part.number], part.value)
    return all(check.passed for check in checks)


def my_llm() -> str:
    """The learner's file, as it is now."""
    path = my_llm_file()
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
