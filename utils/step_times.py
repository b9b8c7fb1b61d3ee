"""How long a step takes as the text grows, with the cache and without: measured on this machine."""

import time
from dataclasses import dataclass

import numpy as np
import torch

from utils.language import _
from utils.model import context_length

LENGTHS = (16, 32, 64, 128, 256, 512)
SHORT = 128


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one pass after texts of several lengths."""

    lengths: tuple[int, ...]  # tokens
    without: tuple[float, ...]  # seconds to compute all positions of the text
    cached: tuple[float, ...]  # seconds to compute one more position, those of the text being kept

    def step_seconds(self, prompt_tokens: int, new_tokens: int, use_cache: bool) -> np.ndarray:
        """Seconds of each step of an answer, float [new_tokens]; between the measured, in a line.

        The first step reads the whole prompt, both ways.
        """
        if prompt_tokens < 1 or new_tokens < 1:
            raise ValueError(_("Give at least one prompt token and at least one new token."))
        read = prompt_tokens + np.arange(new_tokens)  # tokens of the text at each step
        seconds = np.interp(read, self.lengths, self.without)
        if use_cache:
            seconds[1:] = np.interp(read[1:] - 1, self.lengths, self.cached)
        return seconds


@torch.no_grad()
def measure_steps(model, lengths: tuple[int, ...] = LENGTHS, repeats: int = 2) -> StepTimes:
    """Time one step after texts of these lengths, both ways.

    Up to `SHORT` tokens it is the fastest of `repeats`; longer texts take long, and are run once.

    The texts are random tokens: the time does not depend on what a text says. Lengths that do not
    fit into the model's context are left out; ValueError if none does.
    """
    lengths = tuple(sorted(n for n in lengths if 1 <= n < context_length(model)))
    if not lengths:
        raise ValueError(_("None of these lengths fits into the model's context."))
    generator = torch.Generator().manual_seed(0)
    vocab = model.get_input_embeddings().num_embeddings
    ids = torch.randint(vocab, (1, lengths[-1]), generator=generator).to(model.device)
    model(ids[:, : lengths[0]])  # the first pass of all is slower: memory is being set up
    without, cached = [], []
    for length in lengths:
        runs = [
            _both_ways(model, ids[:, :length]) for _run in range(repeats if length <= SHORT else 1)
        ]
        for seconds, times in zip(
            map(min, zip(*runs, strict=True)), (without, cached), strict=True
        ):
            times.append(seconds)
    return StepTimes(lengths, tuple(without), tuple(cached))


def _both_ways(model, ids) -> tuple[float, float]:
    """Seconds of a pass over `ids`, and of a pass over one more token with what that one kept."""
    start = _now(model)
    kept = model(ids, use_cache=True, logits_to_keep=1).past_key_values
    between = _now(model)
    model(ids[:, -1:], past_key_values=kept, use_cache=True)
    return between - start, _now(model) - between


def _now(model) -> float:
    """The time, once the accelerator has done all it was given."""
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    elif model.device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


@dataclass(frozen=True)
class AnswerTimes:
    """What was measured, and the answer whose time is told from it."""

    times: StepTimes
    prompt_tokens: int
    new_tokens: int
