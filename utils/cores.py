"""How many cores are at work, and the least work that a token takes: all weights, once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear


@dataclass(frozen=True)
class Spent:
    """What some work takes: seconds on the wall, and how many cores were busy meanwhile."""

    seconds: float
    cores: float  # the processor's time of all threads, to that of the one that asked for the work


class Busy:
    """Sums up, over the blocks that it is around, what all threads worked, and what this did."""

    everyone = this_one = 0.0

    def __enter__(self) -> None:
        self.everyone -= time.process_time()
        self.this_one -= time.thread_time()

    def __exit__(self, *_error: object) -> None:
        self.everyone += time.process_time()
        self.this_one += time.thread_time()

    @property
    def cores(self) -> float:
        return self.everyone / self.this_one if self.this_one > 0 else 1.0


def reading(matrices: Sequence[Tensor]) -> Callable[[], None]:
    """A function that reads all numbers of `matrices` once, with all cores: a plain sum."""

    def read() -> None:
        for matrix in matrices:
            matrix.sum()

    return read


def multiplying(matrices: Sequence[Tensor], vectors: int = 1) -> Callable[[], None]:
    """A function that multiplies each of `matrices`, [out, in], with some vectors, once."""
    inputs = {m.shape[1]: torch.ones(vectors, m.shape[1]).to(m) for m in matrices}

    def multiply() -> None:
        for matrix in matrices:
            linear(inputs[matrix.shape[1]], matrix)

    return multiply
