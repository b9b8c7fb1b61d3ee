"""The explorer of memory: how many bytes a published model and its cache take."""

import ipywidgets as widgets
import torch

from utils.explorers.base import Explorer
from utils.figures.memory import memory_picture
from utils.language import _
from utils.memory import KNOWN_MODELS, MemoryUse, memory_use


class MemoryExplorer(Explorer):
    """How many bytes the cache of a published model takes, beside its weights.

    Controls: `model`, `tokens` (a power of 2), `batch` (texts at once), `dtype` ("float32",
    "bfloat16", "int8": of weights and cache alike).
    """

    picture = staticmethod(memory_picture)

    def __init__(self, model: str = "SmolLM2-135M"):
        lengths = [2**power for power in range(7, 18)]
        wide = {"description_width": "initial"}
        controls = {
            "model": widgets.Dropdown(
                options=list(KNOWN_MODELS), value=model, description=_("model")
            ),
            "tokens": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in lengths], value=1024, description=_("tokens")
            ),
            "batch": widgets.IntSlider(1, 1, 64, description=_("texts at once"), style=wide),
            "dtype": widgets.Dropdown(
                options=["float32", "bfloat16", "int8"],
                value="bfloat16",
                description=_("precision"),
            ),
        }
        super().__init__(controls)

    def record(self, model: str, tokens: int, batch: int, dtype: str) -> MemoryUse:
        if None in (model, tokens, dtype):
            raise ValueError(_("Choose a model, a number of tokens and a precision."))
        return memory_use(model, tokens, batch, getattr(torch, dtype))
