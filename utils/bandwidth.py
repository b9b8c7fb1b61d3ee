"""How fast a machine can write at most: from the bytes of a pass and how fast it reads them.

Each pass reads all weights once, whatever the number of texts, and the cache of each text; and it
takes two operations (multiply, add) for each weight and text.  The longer of the two is the limit.
The published figures are the makers' own: memory bandwidth, and half-precision operations without
sparsity.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from utils.kv_cache import predicted_cache_bytes
from utils.language import _
from utils.memory import KNOWN_MODELS, KnownModel

TOKENS = 1024  # of each text, in the cache
# Bytes a weight, with what a block of 32 shares: d in 8 bits; d and m in 4 and 2.
WEIGHT_BYTES = {32: 4.0, 16: 2.0, 8: 34 / 32, 4: 20 / 32, 2: 12 / 32}


@dataclass(frozen=True)
class Machine:
    """What a machine can do at most."""

    name: str
    bandwidth: float  # bytes a second from its memory
    operations: float  # multiplications and additions a second
    memory: float | None  # bytes; None where nobody has said


_PUBLISHED = (
    Machine("Raspberry Pi 5", 17e9, 0.07e12, 8e9),
    Machine("Apple M2 Ultra", 800e9, 27.2e12, 192e9),
    Machine("NVIDIA RTX 4090", 1008e9, 165e12, 24e9),
    Machine("NVIDIA A100 80GB", 2039e9, 312e12, 80e9),
    Machine("NVIDIA H100 SXM", 3350e9, 989e12, 80e9),
    Machine("NVIDIA H200", 4800e9, 989e12, 141e9),
)
MACHINES = {machine.name: machine for machine in _PUBLISHED}


@dataclass(frozen=True)
class SpeedLimit:
    """What a pass over a model costs a machine at least, and the tokens a second that allows."""

    machine: Machine
    model: KnownModel
    bits: int
    texts: int
    weights: float  # bytes
    cache: float  # bytes, of all texts

    @property
    def reading(self) -> float:
        """Seconds to read weights and cache."""
        return (self.weights + self.cache) / self.machine.bandwidth

    @property
    def computing(self) -> float:
        """Seconds to multiply and add."""
        return 2 * self.model.parameters * self.texts / self.machine.operations

    @property
    def tokens_a_second(self) -> float:
        """Of all texts together, at most."""
        return self.texts / max(self.reading, self.computing)

    @property
    def fits(self) -> bool:
        """Whether the memory holds weights and cache; True where nobody knows its size."""
        return self.machine.memory is None or self.weights + self.cache <= self.machine.memory


@dataclass(frozen=True)
class SpeedLimits:
    """One machine's limit among those of others."""

    here: SpeedLimit
    others: tuple[SpeedLimit, ...]
    measured: float | None  # tokens a second, where somebody has measured just this


def speed_limit(machine: Machine, model: str, bits: int, texts: int) -> SpeedLimit:
    """The limit of `texts` texts of TOKENS tokens each, with weights of so many bits.

    Raises ValueError for a model that is not in KNOWN_MODELS, and for other bits than those of
    WEIGHT_BYTES.

    >>> round(speed_limit(MACHINES["NVIDIA H100 SXM"], "Llama-3-8B", 16, 1).tokens_a_second)
    207
    """
    if model not in KNOWN_MODELS or bits not in WEIGHT_BYTES or texts < 1:
        raise ValueError(
            _("Choose a model, bits out of {bits}, and one text or more.").format(
                bits=", ".join(map(str, WEIGHT_BYTES))
            )
        )
    known = KNOWN_MODELS[model]
    cache = predicted_cache_bytes(known.config, TOKENS, texts, torch.bfloat16)
    return SpeedLimit(
        machine, known, bits, texts, known.parameters * WEIGHT_BYTES[bits], float(cache)
    )


def measure_machine(name: str, tensors: Iterable[Tensor], rounds: int = 3) -> Machine:
    """What this machine does: how fast it reads `tensors`, and how fast it multiplies.

    Reading is adding up all numbers, the least that one can do with them; multiplying is a product
    of two square matrices.  The best of `rounds` counts.
    """
    weights = list(tensors)
    square = torch.ones(768, 768)

    def best(work: Callable[[], object]) -> float:
        times = []
        for _round in range(rounds):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    reading = best(lambda: [tensor.sum() for tensor in weights])
    computing = best(lambda: square @ square)
    return Machine(
        name, sum(tensor.nbytes for tensor in weights) / reading, 2 * 768**3 / computing, None
    )
