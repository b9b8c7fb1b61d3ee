"""How long a model takes, by one clock: to write a text, to take a step, to pass over a text.

To write one token a model multiplies a vector with each of its matrices.  However clever the
program, it cannot write faster than all those numbers are read, once, with all cores.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch import Tensor

from utils.cores import Busy, Spent, multiplying, reading
from utils.language import _
from utils.model import Model, context_length
from utils.streams import one_at_a_time

Way = Callable[[Tensor, int], Iterable[int]]  # ids [1, position] and a number of tokens → new ids
LENGTHS = (16, 32, 64, 128, 256, 512)  # tokens of a text after which a step is timed
SHORT = 128  # up to here a step is timed several times


def clock(device: torch.device) -> float:
    """The time in seconds, once `device` has done all that it was given.

    Python goes on while an accelerator still works: without waiting for it, what one measures is
    how long it takes to ask.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def spent(work: Callable[[], object], device: torch.device, rounds: int = 5) -> Spent:
    """What `work` takes: the median of `rounds`, after one more to set memory up.

    Other programs take time from all threads alike, and so leave the number of cores as it is.
    """
    work()
    walls, busy = [], Busy()
    for _round in range(rounds):
        start = clock(device)
        with busy:
            work()
        walls.append(clock(device) - start)
    return Spent(median(walls), busy.cores)


# A text, written in several ways ------------------------------------------------------------


@dataclass(frozen=True)
class Speeds:
    """Tokens a second of several ways to write the same text; medians of several rounds."""

    ways: tuple[tuple[str, float], ...]  # name and speed, in the order they were given
    library: float  # `model.generate` of transformers
    limit: float  # if reading all weights once, with all cores, were the only work
    product: float  # if one product with each matrix were, as PyTorch multiplies
    cores: float  # that such products keep busy …
    threads: int  # … of those that PyTorch may use
    same: bool  # whether every way wrote the tokens that the library wrote
    prompt_tokens: int
    new_tokens: int


@torch.no_grad()
def measure_speeds(
    model: Model,
    ways: dict[str, Way],
    matrices: list[Tensor],
    input_ids: Tensor,
    new_tokens: int = 16,
    rounds: int = 3,
) -> Speeds:
    """Let each way and the library write `new_tokens` after `input_ids`, in turn, `rounds` times.

    In turn, so that a machine that is busy for a moment slows all of them and not one.  So are
    `matrices` read, and multiplied with one vector, once for each token.  A text that ends before
    that, with an end token, counts for the tokens it has.
    """
    limits = {"reading": reading(matrices), "product": multiplying(matrices)}

    def run_of(way: Way) -> Callable[[], list]:
        return lambda: list(way(input_ids, new_tokens))

    def repeated(work: Callable[[], object]) -> Callable[[], list]:
        return lambda: [work() for _token in range(new_tokens)]

    runs = {name: run_of(way) for name, way in ways.items()}
    runs["library"] = lambda: library_writes(model, input_ids, new_tokens)
    runs |= {name: repeated(work) for name, work in limits.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    busy = {name: Busy() for name in runs}
    written = {}
    for name in (*limits, "library"):  # the first time of all is slower: memory is being set up
        runs[name]()
    for _round in range(rounds):
        for name, run in runs.items():
            start = clock(input_ids.device)
            with busy[name]:
                written[name] = run()
            seconds[name].append(clock(input_ids.device) - start)
    speed = {name: len(written[name]) / median(times) for name, times in seconds.items()}
    return Speeds(
        ways=tuple((name, speed[name]) for name in ways),
        library=speed["library"],
        limit=speed["reading"],
        product=speed["product"],
        cores=busy["product"].cores,
        threads=torch.get_num_threads(),
        same=all(written[name] == written["library"] for name in ways),
        prompt_tokens=input_ids.shape[1],
        new_tokens=new_tokens,
    )


def library_writes(model: Model, input_ids: Tensor, new_tokens: int) -> list[int]:
    """The ids that `model.generate` adds, the likeliest token each time, with its cache."""
    ids = model.generate(
        input_ids,
        attention_mask=torch.ones_like(input_ids),
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=0,
    )
    return ids[0, input_ids.shape[1] :].tolist()


# A step, with the cache and without -----------------------------------------------------------


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one pass after texts of several lengths."""

    lengths: tuple[int, ...]  # tokens
    without: tuple[float, ...]  # seconds to compute all positions of the text
    cached: tuple[float, ...]  # seconds to compute one more position, those of the text being kept

    def step_seconds(self, prompt_tokens: int, new_tokens: int, use_cache: bool) -> np.ndarray:
        """Seconds of each step of an answer, float [new_tokens]; between the measured, in a line.

        The first step reads the whole prompt, both ways.

        >>> times = StepTimes(lengths=(10, 20), without=(1.0, 2.0), cached=(0.2, 0.3))
        >>> times.step_seconds(10, 3, use_cache=False)
        array([1. , 1.1, 1.2])
        >>> times.step_seconds(10, 3, use_cache=True)
        array([1.  , 0.2 , 0.21])
        """
        if prompt_tokens < 1 or new_tokens < 1:
            raise ValueError(_("Give at least one prompt token and at least one new token."))
        read = prompt_tokens + np.arange(new_tokens)  # tokens of the text at each step
        seconds = np.interp(read, self.lengths, self.without)
        if use_cache:
            seconds[1:] = np.interp(read[1:] - 1, self.lengths, self.cached)
        return seconds


@torch.no_grad()
def measure_steps(model: Model, lengths: tuple[int, ...] = LENGTHS, repeats: int = 2) -> StepTimes:
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
    without: list[float] = []
    cached: list[float] = []
    for length in lengths:
        runs = [
            _both_ways(model, ids[:, :length]) for _run in range(repeats if length <= SHORT else 1)
        ]
        for seconds, times in zip(
            map(min, zip(*runs, strict=True)), (without, cached), strict=True
        ):
            times.append(seconds)
    return StepTimes(lengths, tuple(without), tuple(cached))


def _both_ways(model: Model, ids: Tensor) -> tuple[float, float]:
    """Seconds of a pass over `ids`, and of a pass over one more token with what that one kept."""
    start = clock(model.device)
    kept = model(ids, use_cache=True, logits_to_keep=1).past_key_values
    between = clock(model.device)
    model(ids[:, -1:], past_key_values=kept, use_cache=True)
    return between - start, clock(model.device) - between


# A text, at once and one by one -------------------------------------------------------------


@dataclass(frozen=True)
class PassTimes:
    """How long the same `tokens` positions took, at once and one after the other."""

    tokens: int
    at_once: float  # seconds
    one_by_one: float


def pass_times(
    model: Model, input_ids: Tensor, lengths: Sequence[int], rounds: int = 2
) -> Iterator[PassTimes]:
    """Time the first n of ids [position], at once and one by one, for each n of `lengths`.

    The best of `rounds` times counts: what slows a pass down is whatever else the machine does.
    """
    one_at_a_time(model, input_ids[:1])  # the first pass of all takes longer, whatever it does
    for length in lengths:
        ids, at_once, one_by_one = input_ids[:length], [], []
        for _round in range(rounds):
            start = clock(model.device)
            with torch.no_grad():
                model(input_ids=ids[None], output_hidden_states=True)
            between = clock(model.device)
            one_at_a_time(model, ids)
            at_once.append(between - start)
            one_by_one.append(clock(model.device) - between)
        yield PassTimes(len(ids), min(at_once), min(one_by_one))


@dataclass(frozen=True)
class AnswerTimes:
    """What was measured, and the answer whose time is told from it."""

    times: StepTimes
    prompt_tokens: int
    new_tokens: int
