"""Explorer of a model's anatomy: pick a part, and see what goes in and what comes out."""

import ipywidgets as widgets

from utils.anatomy import ForwardPass, trace_components
from utils.decoding import top_candidates
from utils.explorers.base import Explorer
from utils.figures.anatomy import (
    KIND_NAMES,
    Anatomy,
    Part,
    anatomy_figure,
    parameter_words,
    part_names,
    share_words,
)
from utils.figures.candidates import candidate_words
from utils.figures.style import quote_token
from utils.language import _


class AnatomyExplorer(Explorer):
    """The model as a diagram, with shapes and shares of the parameters, for any text.

    Controls: `text`; `part`, by the name it has in the model ("self_attn"), besides "tokenizer" and
    "softmax"; `block`, which of the blocks its parts are taken from.
    """

    def __init__(self, model, tokenizer, text: str):
        self.model, self.tokenizer = model, tokenizer
        self._flow = trace_components(model, tokenizer, text)
        last = max(part.layer or 0 for part in self._flow.components)
        controls = {
            "text": widgets.Text(
                text,
                description=_("text"),
                continuous_update=False,
                layout=widgets.Layout(width="97%"),
            ),
            "part": widgets.Dropdown(
                options=[
                    (f"{part.key} · {_(KIND_NAMES[part.kind])}", part.key)
                    for part in reversed(_parts(self._flow, 0))
                ],
                value="tokenizer",
                description=_("part"),
                layout=widgets.Layout(width="420px"),
            ),
            "block": widgets.IntSlider(0, 0, last, description=_("block")),
        }
        super().__init__(controls)

    def record(self, text: str, part: str, block: int) -> Anatomy:
        if text != self._flow.tokens.text:
            self._flow = trace_components(self.model, self.tokenizer, text)
        if part is None:
            raise ValueError(_("Pick a part."))
        parts = _parts(self._flow, block)
        logits = self._flow.outputs[parts[-2].component.name][-1].float()
        candidates = top_candidates(logits, self.tokenizer)
        return Anatomy(
            parts=parts,
            picked=next(box for box in parts if box.key == part),
            layer=block,
            layers=self.controls["block"].max + 1,
            flow=self._flow,
            candidates=candidates,
            logits=tuple(logits[c.token_id].item() for c in candidates),
        )

    def figure(self, record: Anatomy):
        return anatomy_figure(record)

    def words(self, record: Anatomy) -> str:
        picked = record.picked
        lines = [
            _("{text}, {count} tokens, goes through: {parts}").format(
                text=quote_token(record.flow.tokens.text),
                count=len(record.flow.tokens.token_ids),
                parts=" → ".join(_with_share(part) for part in record.parts),
            ),
            f"{', '.join(part_names(picked))}: {picked.takes} → {picked.gives}",
        ]
        if picked.component:
            shapes = ", ".join(f"{name} {list(shape)}" for name, shape in picked.component.weights)
            lines.append(f"{parameter_words(picked.component)}; {shapes}")
        if picked.kind in ("lm_head", "softmax"):
            lines.append(
                _("likeliest next: {tokens}").format(tokens=candidate_words(record.candidates))
            )
        return "\n".join(lines)


def _with_share(part: Part) -> str:
    return f"{part.key} ({share_words(part)})" if part.component else part.key


def _parts(flow: ForwardPass, block: int) -> tuple[Part, ...]:
    """The diagram's boxes from bottom to top, with one `block` to stand for all."""
    boxes = []
    for part in flow.components:
        if part.layer not in (None, block):
            continue
        same = [
            p for p in flow.components if p.short_name == part.short_name and p.layer is not None
        ]
        share = part.share if part.layer is None else sum(p.share for p in same)
        boxes.append(
            Part(part.short_name, part.name, part.kind, part.takes, part.gives, share, part)
        )
    logits = boxes[-1].gives
    return (
        Part("tokenizer", "tokenizer", "tokenizer", _("text"), "[position]", 0.0, None),
        *boxes,
        Part("softmax", "softmax", "softmax", logits, logits, 0.0, None),
    )
