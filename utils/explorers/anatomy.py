"""Explorer of a model's anatomy: pick a part, and see what goes in and what comes out."""

import ipywidgets as widgets

from utils.anatomy import Anatomy, ForwardPass, diagram_parts, trace_components
from utils.decoding import top_candidates
from utils.explorers.base import Explorer, last_remembered, text_box
from utils.figures.anatomy import KIND_NAMES, anatomy_picture
from utils.language import _
from utils.model import Model, short_ids
from utils.tokens import Tokenizer

LONGEST = 512  # tokens; what goes into every part and comes out is kept


class AnatomyExplorer(Explorer):
    """The model as a diagram, with shapes and shares of the parameters, for any text.

    Controls: `text`; `part`, by the name it has in the model ("self_attn"), besides "tokenizer" and
    "softmax"; `block`, which of the blocks its parts are taken from.
    """

    picture = staticmethod(anatomy_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str):
        self.model, self.tokenizer = model, tokenizer
        self._flow = last_remembered(self._trace)
        flow = self._flow(text)
        last = max(part.layer or 0 for part in flow.components)
        controls = {
            "text": text_box(_("text"), text),
            "part": widgets.Dropdown(
                options=[
                    (f"{part.key} · {_(KIND_NAMES[part.kind])}", part.key)
                    for part in reversed(diagram_parts(flow, 0))
                ],
                value="tokenizer",
                description=_("part"),
                layout=widgets.Layout(width="420px"),
            ),
            "block": widgets.IntSlider(0, 0, last, description=_("block")),
        }
        super().__init__(controls)

    def _trace(self, text: str) -> ForwardPass:
        short_ids(self.model, self.tokenizer, text, LONGEST)  # said before the work
        return trace_components(self.model, self.tokenizer, text)

    def record(self, text: str, part: str, block: int) -> Anatomy:
        flow = self._flow(text)
        if part is None:
            raise ValueError(_("Pick a part."))
        parts = diagram_parts(flow, block)
        candidates = top_candidates(flow.logits, self.tokenizer)
        return Anatomy(
            parts=parts,
            picked=next(box for box in parts if box.key == part),
            layer=block,
            layers=self.controls["block"].max + 1,
            flow=flow,
            candidates=candidates,
            logits=tuple(flow.logits[c.token_id].item() for c in candidates),
        )
