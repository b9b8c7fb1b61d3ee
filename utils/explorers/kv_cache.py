"""The explorer of the cache: step through a generation, and see what is computed and kept."""

import ipywidgets as widgets

from utils.explorers.base import Explorer, last_remembered, text_box
from utils.figures.kv_cache import cache_picture
from utils.kv_cache import CacheAt, trace_cache
from utils.language import _
from utils.model import Model
from utils.tokens import Tokenizer

STEPS = 12


class CacheExplorer(Explorer):
    """Step through a generation and see what is computed, with the cache and without.

    Controls: `prompt`; `step`, from 1 to 12.  Action: `next_step`.
    """

    picture = staticmethod(cache_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, prompt: str):
        self._trace = last_remembered(lambda text: trace_cache(model, tokenizer, text, STEPS))
        controls = {
            "prompt": text_box(_("prompt"), prompt),
            "step": widgets.IntSlider(1, 1, STEPS, description=_("step")),
        }
        super().__init__(controls, {"next_step": (_("next step"), self._next)})

    def record(self, prompt: str, step: int) -> CacheAt:
        trace = self._trace(prompt)
        return CacheAt(trace, min(step, len(trace.steps)))

    def _next(self) -> None:
        slider = self.controls["step"]
        if slider.value >= len(self.now().trace.steps):
            raise ValueError(
                _("That was the last step. Move the slider back, or change the prompt.")
            )
        slider.value += 1
