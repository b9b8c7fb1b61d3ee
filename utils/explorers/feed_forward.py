"""Explorer of feed-forward layers: switch some off, and see what is predicted without them."""

import ipywidgets as widgets

from utils.explorers.base import Explorer, last_remembered, text_box
from utils.feed_forward import SwitchedOff, WithoutEach, switch_off, without_each
from utils.figures.feed_forward import PARTS, switched_off_picture
from utils.language import _
from utils.model import Model, short_ids
from utils.tokens import Tokenizer

LONGEST = 128  # tokens; half a pass for every layer, and what each gave is kept


class FeedForwardExplorer(Explorer):
    """Switch off the feed-forward layers of some blocks, and see what is predicted then.

    Controls: `prompt`; `layers`, a range, (first, last), that is switched off; `part`,
    "feed_forward" or "attention".  Below, the token that the whole model finds likeliest is
    followed while each layer alone is off.
    """

    picture = staticmethod(switched_off_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, prompt: str, layer: int = 0):
        self.model, self.tokenizer = model, tokenizer
        self._each = last_remembered(self._without_each)
        last = model.config.get_text_config().num_hidden_layers - 1
        super().__init__(
            {
                "prompt": text_box(_("prompt"), prompt),
                "layers": widgets.IntRangeSlider(
                    value=(layer, layer), min=0, max=last, description=_("layers off")
                ),
                "part": widgets.Dropdown(
                    options=[(_(says), part) for part, says in PARTS.items()],
                    description=_("part"),
                ),
            }
        )

    def record(self, prompt: str, layers: tuple[int, int], part: str) -> SwitchedOff:
        off = range(layers[0], layers[1] + 1)
        return switch_off(self.model, self.tokenizer, self._each(prompt, part), off)

    def _without_each(self, prompt: str, part: str) -> WithoutEach:
        short_ids(self.model, self.tokenizer, prompt, LONGEST)  # said before the work
        return without_each(self.model, self.tokenizer, prompt, part)
