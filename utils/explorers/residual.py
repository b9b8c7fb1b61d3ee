"""Explorer of the residual stream: what each layer adds to it, as size and as logit of a token."""

from dataclasses import replace

import ipywidgets as widgets

from utils.explorers.base import TextExplorer, last_remembered, position_slider, text_box
from utils.figures.residual import residual_picture
from utils.language import _
from utils.model import Model, short_ids
from utils.residual import Contributions, contributions, trace_residual
from utils.tokens import Tokenizer, single_token

LONGEST = 256  # tokens; every part of every layer is kept for each of them


class PositionExplorer(TextExplorer):
    """A text, a slider over its positions, and a word whose logit is looked at."""

    def __init__(
        self, model: Model, tokenizer: Tokenizer, text: str, word: str, **controls: widgets.Widget
    ):
        self.model, self.tokenizer = model, tokenizer
        super().__init__(
            {
                "text": text_box(_("text"), text),
                "position": position_slider(),
                "word": text_box(_("token"), word, width=None),
                **controls,
            }
        )

    def positions(self, text: str) -> range:
        return range(short_ids(self.model, self.tokenizer, text, LONGEST).shape[1])

    def token_id(self, word: str) -> int | None:
        """The id of the one token that `word` is; None where none is chosen."""
        return single_token(self.tokenizer, word) if word.strip() else None


class ResidualExplorer(PositionExplorer):
    """What attention and feed-forward of each layer add at one position of a text.

    Controls: `text`; `position`; `word`, the token whose logit is shared out, one token, or empty
    for the likeliest next one; `layer`, one whose parts are told, or -1 for none.
    """

    picture = staticmethod(residual_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str, word: str = ""):
        self._trace = last_remembered(lambda text: trace_residual(model, tokenizer, text))
        layers = model.config.get_text_config().num_hidden_layers
        layer = widgets.SelectionSlider(
            options=[("–", -1), *((str(i), i) for i in range(layers))], description=_("layer")
        )
        super().__init__(model, tokenizer, text, word, layer=layer)

    def record(self, text: str, position: int, word: str, layer: int) -> Contributions:
        self.positions(text)  # a text that is too long is refused before it is traced
        trace, token_id = self._trace(text), self.token_id(word)
        found = contributions(self.model, self.tokenizer, trace, position, token_id)
        return replace(found, layer=None if layer < 0 else layer)
