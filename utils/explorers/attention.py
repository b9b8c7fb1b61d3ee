"""The attention explorer: any text, any layer, any head, and where each token looks."""

import ipywidgets as widgets

from utils.architecture import head_count
from utils.attention import AttentionRecord, HeadView, record_ids
from utils.explorers.base import TextExplorer, last_remembered, position_slider, text_box
from utils.figures.attention import VIEWS, attention_picture
from utils.language import _
from utils.model import Model, prompt_ids
from utils.tokens import Tokenizer

LONGEST = 128  # tokens of a text that a matrix still shows


class AttentionExplorer(TextExplorer):
    """Where one token of a text looks, through one head of a layer or through all of them.

    Controls: `text`; `layer`, `head`; `position`, the token that looks; `view`, one of "weights",
    "masked", "scores"; `all_heads`, whether the whole layer is drawn.
    """

    picture = staticmethod(attention_picture)

    def __init__(
        self, model: Model, tokenizer: Tokenizer, text: str, layer: int = 0, head: int = 0
    ):
        self.model, self.tokenizer = model, tokenizer
        self._attend = last_remembered(self._attend_to)
        last_layer, last_head = (
            model.config.get_text_config().num_hidden_layers - 1,
            head_count(model) - 1,
        )
        super().__init__(
            {
                "text": text_box(_("text"), text),
                "layer": widgets.IntSlider(layer, 0, last_layer, description=_("layer")),
                "head": widgets.IntSlider(head, 0, last_head, description=_("head")),
                "position": position_slider(),
                "view": widgets.Dropdown(
                    options=[(_(says), name) for name, says in reversed(VIEWS.items())],
                    description=_("view"),
                ),
                "all_heads": widgets.Checkbox(
                    False, description=_("all heads of the layer"), indent=False
                ),
            }
        )

    def _arrange(self) -> widgets.Widget:
        text, *sliders = (self.controls[name] for name in ("text", "layer", "head", "position"))
        choices = widgets.VBox([self.controls["view"], self.controls["all_heads"]])
        return widgets.VBox([text, widgets.HBox([widgets.VBox(sliders), choices])])

    def record(
        self, text: str, layer: int, head: int, position: int, view: str, all_heads: bool
    ) -> HeadView:
        return HeadView(self._attend(text), layer, head, position, view, all_heads)

    def positions(self, text: str) -> range:
        return range(len(self._attend(text).tokens))

    def _attend_to(self, text: str) -> AttentionRecord:
        ids = prompt_ids(self.model, self.tokenizer, text)[0]
        if len(ids) > LONGEST:  # said before the pass: a long text takes gigabytes
            raise ValueError(
                _("The text is {count} tokens long; the matrix has room for {room}.").format(
                    count=len(ids), room=LONGEST
                )
            )
        return record_ids(self.model, self.tokenizer, ids)
