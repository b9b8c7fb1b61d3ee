"""The explorer of speed limits: what bytes and bandwidth allow, on this machine and on others."""

from collections.abc import Mapping

import ipywidgets as widgets

from utils.bandwidth import MACHINES, WEIGHT_BYTES, Machine, SpeedLimits, speed_limit
from utils.explorers.base import Explorer
from utils.figures.bandwidth import speed_limit_picture
from utils.language import _
from utils.memory import KNOWN_MODELS

WIDE = {"description_width": "initial"}
Setting = tuple[str, int, int]  # model, bits, texts at once


class SpeedLimitExplorer(Explorer):
    """How many tokens a second a machine can write at most, by what it has to read.

    Controls: `machine`, `model`, `bits` (a weight), `texts` (at once).  mine: the machine at hand,
    beside the published ones; measured: tokens a second that it wrote, by model, bits and texts.
    """

    picture = staticmethod(speed_limit_picture)

    def __init__(
        self, mine: Machine | None = None, measured: Mapping[Setting, float] | None = None
    ):
        self.machines = {machine.name: machine for machine in [mine] if machine} | MACHINES
        self.mine, self.measured = mine, dict(measured or {})
        many = [2**power for power in range(9)]
        controls = {
            "machine": widgets.Dropdown(options=list(self.machines), description=_("machine")),
            "model": widgets.Dropdown(
                options=list(KNOWN_MODELS), value="SmolLM2-135M", description=_("model")
            ),
            "bits": widgets.Dropdown(
                options=list(WEIGHT_BYTES), value=32, description=_("bits a weight"), style=WIDE
            ),
            "texts": widgets.SelectionSlider(
                options=many, value=1, description=_("texts at once"), style=WIDE
            ),
        }
        super().__init__(controls)

    def record(self, machine: str, model: str, bits: int, texts: int) -> SpeedLimits:
        here = self.machines[machine]
        others = tuple(
            speed_limit(each, model, bits, texts)
            for each in self.machines.values()
            if each is not here
        )
        known = self.measured.get((model, bits, texts)) if here is self.mine else None
        return SpeedLimits(speed_limit(here, model, bits, texts), others, known)
