"""`python my_llm.py "Once upon a time"`: the learner's LLM writes in a terminal."""

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from course import my_llm
from utils.generation import check_room
from utils.language import _
from utils.model import load_model, prompt_ids
from utils.model_store import ModelError


def main(arguments: list[str]) -> int:
    """Go on from a prompt with the parts of a file, each piece of text as soon as it is there.

    Parts that the file lacks, or that cannot be run, are the course's: a sentence says which.
    """
    parser = argparse.ArgumentParser(prog="python my_llm.py")
    parser.add_argument("file", help=argparse.SUPPRESS)
    parser.add_argument("prompt", help=_("the text to go on from"))
    parser.add_argument("--new", type=int, default=60, help=_("tokens to write (60)"))
    parser.add_argument(
        "--temperature", type=float, help=_("draw each token; without it, the likeliest is taken")
    )
    options = parser.parse_args(arguments)
    os.environ.update(COURSE_MY_LLM=options.file, COURSE_LEARNER="on")
    parts = my_llm.parts()
    if missing := _missing(parts.values()):
        print(missing, file=sys.stderr)
    try:
        _write(parts, options.prompt, options.new, options.temperature)
    except KeyboardInterrupt:
        print()
        return 130  # as the system's own commands: 128 + SIGINT
    except (ValueError, ModelError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _missing(parts: Iterable[my_llm.Part]) -> str:
    """Which parts are the course's, and why, where one cannot be run; nothing if none is."""
    others = [part for part in parts if not part.mine]
    if not others:
        return ""
    names = ", ".join(
        f"{part.number} {part.name}" + (f" ({part.problem})" if part.problem else "")
        for part in others
    )
    return _("From the course, because not in my_llm.py or not running there: {names}.").format(
        names=names
    )


def _write(parts: dict[str, my_llm.Part], prompt: str, new: int, temperature: float | None) -> None:
    code: dict[str, Any] = {name: part.value for name, part in parts.items()}

    def choose(logits: Tensor) -> int:
        if temperature is None:
            return code["greedy"](logits)
        return code["sample"](code["apply_temperature"](logits, temperature))

    if new < 1:
        raise ValueError(_("max_new_tokens must be 1 or more: ask for at least one token."))
    if temperature is not None and not 0 < temperature < float("inf"):
        raise ValueError(
            _("The temperature must be above 0 and finite, not {temperature}.").format(
                temperature=temperature
            )
        )
    model, tokenizer = load_model("smollm2", device="cpu")
    ids = prompt_ids(model, tokenizer, prompt)
    check_room(model, ids.shape[1], new)
    torch.seed()
    print(prompt, end="", flush=True)
    written = code["write"](model, ids, new, choose)
    for piece in code["stream_text"](written, tokenizer):
        print(piece, end="", flush=True)
    print()
