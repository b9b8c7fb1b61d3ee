"""Rotary positions by hand: a query and a key of four numbers, turned by where they stand."""

from dataclasses import dataclass

import torch
from torch import Tensor

from utils.parts.heads import rotary

QUERY, KEY = (1.0, 2.0, 1.0, 0.0), (2.0, 1.0, 0.0, 1.0)
THETA = 100.0  # small, so that the slow one of two pairs turns visibly: 1/10 for each token


@dataclass(frozen=True)
class Turning:
    """A query `distance` tokens after its key.  Numbers i and i + 2 of four are one pair."""

    key_position: int
    distance: int

    @property
    def query_position(self) -> int:
        return self.key_position + self.distance

    @property
    def angles(self) -> tuple[float, float]:
        """How far each pair turns for one token, in radians."""
        return 1.0, THETA**-0.5

    @property
    def query(self) -> Tensor:
        """The query, turned: [4]."""
        return turned(QUERY, self.query_position)

    @property
    def key(self) -> Tensor:
        """The key, turned: [4]."""
        return turned(KEY, self.key_position)

    @property
    def products(self) -> Tensor:
        """Number by number; their sum is the score before it is scaled: [4]."""
        return self.query * self.key


def turned(vector: tuple[float, ...], position: int) -> Tensor:
    """Four numbers, turned as they are at `position`: [4].

    >>> turned((1.0, 0.0, 0.0, 0.0), 1)
    tensor([0.5403, 0.0000, 0.8415, 0.0000])
    """
    return rotary(torch.tensor([[vector]]), torch.tensor([position]), THETA)[0, 0]
