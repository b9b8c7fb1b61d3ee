"""The explorer of times: how long an answer takes on this machine, with the cache and without."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.timing import answer_times_picture
from utils.language import _
from utils.timing import AnswerTimes, StepTimes

WIDE = {"description_width": "initial"}


class StepTimesExplorer(Explorer):
    """How long an answer takes on this machine, with the cache and without.

    Controls: `prompt_tokens`, `new_tokens`.  Made from what `measure_steps` measured.
    """

    picture = staticmethod(answer_times_picture)

    def __init__(self, times: StepTimes):
        self.times = times
        half = max(1, times.lengths[-1] // 2)
        controls = {
            "prompt_tokens": widgets.IntSlider(
                min(16, half), 1, half, description=_("prompt tokens"), style=WIDE
            ),
            "new_tokens": widgets.IntSlider(
                min(200, half), 1, half, description=_("new tokens"), style=WIDE
            ),
        }
        super().__init__(controls)

    def record(self, prompt_tokens: int, new_tokens: int) -> AnswerTimes:
        return AnswerTimes(self.times, prompt_tokens, new_tokens)
