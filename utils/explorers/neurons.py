"""Explorer of the neurons of a feed-forward layer: which are strong, and what they push towards."""

import ipywidgets as widgets

from utils.explorers.residual import PositionExplorer
from utils.figures.neurons import neurons_picture
from utils.language import _
from utils.model import Model
from utils.neurons import NeuronsAt, strongest_neurons
from utils.tokens import Tokenizer


class NeuronExplorer(PositionExplorer):
    """The strongest neurons of a feed-forward layer at one position, and what they push towards.

    Controls: `text`; `position`; `layer`; `word`, one token: the neurons are then ordered by how
    far they raise its logit; empty, they are ordered by the length of what they add.
    """

    picture = staticmethod(neurons_picture)

    def __init__(
        self, model: Model, tokenizer: Tokenizer, text: str, layer: int = 0, word: str = ""
    ):
        last = model.config.get_text_config().num_hidden_layers - 1
        slider = widgets.IntSlider(layer, 0, last, description=_("layer"))
        super().__init__(model, tokenizer, text, word, layer=slider)

    def record(self, text: str, position: int, word: str, layer: int) -> NeuronsAt:
        self.positions(text)  # a text that is too long is refused
        token_id = self.token_id(word)
        return strongest_neurons(
            self.model, self.tokenizer, text, layer, position, count=7, token_id=token_id
        )
