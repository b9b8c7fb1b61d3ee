"""Several texts in one pass: how long a pass takes, by their number."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from utils.model import Model
from utils.timing import clock

TEXTS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class BatchTimes:
    """Seconds of one pass in which each of so many texts gets one token."""

    texts: tuple[int, ...]
    seconds: tuple[float, ...]

    def tokens_a_second(self) -> tuple[float, ...]:
        """Of all texts together.

        >>> BatchTimes(texts=(1, 4), seconds=(0.1, 0.2)).tokens_a_second()
        (10.0, 20.0)
        """
        return tuple(n / s for n, s in zip(self.texts, self.seconds, strict=True))


@torch.no_grad()
def measure_batches(model: Model, texts: Sequence[int] = TEXTS, rounds: int = 2) -> BatchTimes:
    """Time a pass over one position of each of so many texts; the best of `rounds`.

    No text has a past: while texts are short, reading their caches takes next to nothing.
    """
    seconds = []
    for count in texts:
        ids = torch.zeros(count, 1, dtype=torch.int64, device=model.device)
        times = []
        for _round in range(rounds):
            start = clock(model.device)
            model(ids, use_cache=False)
            times.append(clock(model.device) - start)
        seconds.append(min(times))
    return BatchTimes(tuple(texts), tuple(seconds))
