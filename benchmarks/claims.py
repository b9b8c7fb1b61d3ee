"""What a row of the report says, and the machine it was measured on."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Claim:
    """Something the course says of itself, and what was measured."""

    what: str
    against: str
    target: str
    measured: str
    met: bool | None  # None where there is no bound to keep
    why: str = ""  # it may fall short


@dataclass(frozen=True)
class Result:
    """A row's claims, and the numbers they were made from."""

    claims: list[Claim]
    numbers: dict = field(default_factory=dict)

    def as_json(self) -> dict:
        return asdict(self)


def in_turn(rounds: int, **ways: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each way in each round; the ways take turns, so that a busy moment is shared."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _round in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line),
        "unknown processor",
    )
    memory = next((int(s.split()[1]) for s in _lines("/proc/meminfo") if "MemTotal" in s), 0)
    return {
        "processor": cpu,
        "threads": str(torch.get_num_threads()),
        "memory": f"{memory / 1e6:.0f} GB",
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "busy with other work": (_lines("/proc/loadavg") or ["unknown"])[0].split()[0],
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
