"""How fast one text is written: in several ways, beside the library, and the most there can be.

To write one token a model reads each of its weights once. However clever the program, it cannot
write faster than the machine reads.
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
    ceiling: float  # if reading all weights were the only work
    same: bool  # whether every way wrote the tokens that the library wrote
    prompt_tokens: int
    new_tokens: int


@torch.no_grad()
def measure_speeds(
    model, ways: dict[str, Way], input_ids: Tensor, new_tokens: int = 16, rounds: int = 3
) -> Speeds:
    """Let each way and the library write `new_tokens` after `input_ids`, in turn, `rounds` times.

    In turn, so that a machine that is busy for a moment slows all of them and not one.  The model
    should have that much to say: an end token before would end some of them early.
    """
    read = weight_reader(model)
    runs = {name: lambda way=way: list(way(input_ids, new_tokens)) for name, way in ways.items()}
    runs["library"] = lambda: library_writes(model, input_ids, new_tokens)
    runs["read"] = read
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    written = {}
    for name in ("read", "library"):  # the first time of all is slower: memory is being set up
        runs[name]()
    for _round in range(rounds):
        for name, run in runs.items():
            start = _now(input_ids)
            written[name] = run()
            seconds[name].append(_now(input_ids) - start)
    typical = {name: median(times) for name, times in seconds.items()}
    return Speeds(
        ways=tuple((name, new_tokens / typical[name]) for name in ways),
        library=new_tokens / typical["library"],
        ceiling=1 / typical["read"],
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


def weight_reader(model) -> Callable[[], None]:
    """A function that reads every matrix of `model` once: a product with one vector for each.

    A tied embedding counts once. Looking up a token's embedding reads one row, so one that is not
    tied to the LM head does not count.
    """
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    matrices = [p for p in model.parameters() if p.ndim == 2 and (p is not embedding or p is head)]
    vectors = {m.shape[1]: torch.ones(1, m.shape[1]).to(m) for m in matrices}

    def read() -> None:
        for matrix in matrices:
            linear(vectors[matrix.shape[1]], matrix)

    return read


def _now(tensor: Tensor) -> float:
    """The time, once an accelerator has done all it was given."""
    if tensor.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter()
