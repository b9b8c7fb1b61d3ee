"""How fast one text is written: in several ways, beside the library, and the most there can be.

To write one token a model multiplies a vector with each of its matrices. However clever the rest of
the program, it cannot write faster than those products are done.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import linear

Way = Callable[[Tensor, int], Iterable[int]]  # ids [1, position] and a number of tokens → new ids


@dataclass(frozen=True)
class Speeds:
    """Tokens a second of several ways to write the same text; medians of several rounds."""

    ways: tuple[tuple[str, float], ...]  # name and speed, in the order they were given
    library: float  # `model.generate` of transformers
    ceiling: float  # if one product with each matrix were the only work
    same: bool  # whether every way wrote the tokens that the library wrote
    prompt_tokens: int
    new_tokens: int


@torch.no_grad()
def measure_speeds(
    model,
    ways: dict[str, Way],
    matrices: list[Tensor],
    input_ids: Tensor,
    new_tokens: int = 16,
    rounds: int = 3,
) -> Speeds:
    """Let each way and the library write `new_tokens` after `input_ids`, in turn, `rounds` times.

    In turn, so that a machine that is busy for a moment slows all of them and not one.  The ceiling
    is one product with each of `matrices` for a token, and nothing else.  A text that ends before
    that, with an end token, counts for the tokens it has.
    """
    read = weight_reader(matrices)
    runs = {name: lambda way=way: list(way(input_ids, new_tokens)) for name, way in ways.items()}
    runs["library"] = lambda: library_writes(model, input_ids, new_tokens)
    runs["read"] = lambda: [read() for _token in range(new_tokens)]
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    written = {}
    for name in ("read", "library"):  # the first time of all is slower: memory is being set up
        runs[name]()
    for _round in range(rounds):
        for name, run in runs.items():
            start = _now(input_ids.device)
            written[name] = run()
            seconds[name].append(_now(input_ids.device) - start)
    typical = {name: median(times) for name, times in seconds.items()}
    return Speeds(
        ways=tuple((name, len(written[name]) / typical[name]) for name in ways),
        library=len(written["library"]) / typical["library"],
        ceiling=new_tokens / typical["read"],
        same=all(written[name] == written["library"] for name in ways),
        prompt_tokens=input_ids.shape[1],
        new_tokens=new_tokens,
    )


def library_writes(model, input_ids: Tensor, new_tokens: int) -> list[int]:
    """The ids that `model.generate` adds, the likeliest token each time, with its cache."""
    ids = model.generate(
        input_ids,
        attention_mask=torch.ones_like(input_ids),
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=0,
    )
    return ids[0, input_ids.shape[1] :].tolist()


@torch.no_grad()
def seconds_to_read(matrices: list[Tensor], vectors: int = 1, rounds: int = 5) -> float:
    """How long it takes to multiply each of `matrices`, [out, in], once: the median of `rounds`.

    vectors: with how many vectors each is multiplied.
    """
    read, seconds = weight_reader(matrices, vectors), []
    read()
    for _round in range(rounds):
        start = _now(matrices[0].device)
        read()
        seconds.append(_now(matrices[0].device) - start)
    return median(seconds)


def weight_reader(matrices: list[Tensor], vectors: int = 1) -> Callable[[], None]:
    """A function that reads each of `matrices`, [out, in], once: a product with some vectors."""
    inputs = {m.shape[1]: torch.ones(vectors, m.shape[1]).to(m) for m in matrices}

    def read() -> None:
        for matrix in matrices:
            linear(inputs[matrix.shape[1]], matrix)

    return read


def _now(device: torch.device) -> float:
    """The time, once an accelerator has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
