"""Explorer of the residual stream: what each layer adds to it, as size and as logit of a token."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.candidates import candidate_words
from utils.figures.residual import residual_figure
from utils.figures.style import quote_token
from utils.language import _
from utils.model import prompt_ids
from utils.residual import (
    Contributions,
    ResidualTrace,
    contributions,
    single_token,
    trace_residual,
)

LONGEST = 256  # tokens; every part of every layer is kept for each of them


class PositionExplorer(Explorer):
    """A text, a slider over its positions, and a word whose logit is looked at."""

    def __init__(self, model, tokenizer, text: str, word: str, **controls: widgets.Widget):
        self.model, self.tokenizer = model, tokenizer
        self._redrawing = False
        box = widgets.Text(
            text,
            description=_("text"),
            continuous_update=False,
            layout=widgets.Layout(width="97%"),
        )
        self._position = widgets.IntSlider(0, 0, 0, description=_("position"))
        chosen = widgets.Text(word, description=_("token"), continuous_update=False)
        box.observe(lambda change: self._fit(change["new"]), names="value")
        self._fit(text)
        super().__init__({"text": box, "position": self._position, "word": chosen, **controls})

    def _fit(self, text: str) -> None:
        """Give the slider the positions of a new text.  One that is refused is so by `record`."""
        try:
            last = self._ids(text).shape[1] - 1
        except ValueError:
            return
        redrawing, self._redrawing = self._redrawing, False
        self._position.max = last
        self._position.value = last
        self._redrawing = redrawing

    def _ids(self, text: str):
        ids = prompt_ids(self.model, self.tokenizer, text)
        if ids.shape[1] > LONGEST:
            raise ValueError(
                _("The text is {count} tokens long; there is room for {room}.").format(
                    count=ids.shape[1], room=LONGEST
                )
            )
        return ids


class ResidualExplorer(PositionExplorer):
    """What attention and feed-forward of each layer add at one position of a text.

    Controls: `text`; `position`; `word`, the token whose logit is shared out, one token, or empty
    for the likeliest next one.
    """

    def __init__(self, model, tokenizer, text: str, word: str = ""):
        self._asked: str | None = None
        self._trace: ResidualTrace | None = None
        super().__init__(model, tokenizer, text, word)

    def record(self, text: str, position: int, word: str) -> Contributions:
        if text != self._asked:
            self._ids(text)
            self._trace = trace_residual(self.model, self.tokenizer, text)
            self._asked = text
        token_id = single_token(self.tokenizer, word) if word.strip() else None
        return contributions(self.model, self.tokenizer, self._trace, position, token_id)

    def figure(self, record: Contributions):
        return residual_figure(record)

    def words(self, record: Contributions) -> str:
        return "\n".join(
            [
                _("position {position}, {seen}; likeliest next: {candidates}").format(
                    position=record.position,
                    seen=quote_token(record.trace.tokens[record.position]),
                    candidates=candidate_words(record.candidates[:3]),
                ),
                _("length of the stream: {start} at the start, {end} after the last block").format(
                    start=_rounded(record.start_size), end=_rounded(record.stream_sizes[-1])
                ),
                _longest(record),
                _("logit of {token}: {logit:.1f}, of which {start:.1f} from the start").format(
                    token=quote_token(record.token),
                    logit=record.logit,
                    start=record.start_logit + record.constant,
                ),
                _("most from attention: {layers}; all layers {total:.1f}").format(
                    layers=_most(record.attention_logits), total=record.attention_logits.sum()
                ),
                _("most from feed-forward: {layers}; all layers {total:.1f}").format(
                    layers=_most(record.feed_forward_logits),
                    total=record.feed_forward_logits.sum(),
                ),
            ]
        ).replace("-0.0", "0.0")


def _most(logits) -> str:
    """The three layers that add most: "layer 24 +2.4, layer 22 +2.0"."""
    best = logits.topk(min(3, len(logits))).indices.tolist()
    return ", ".join(
        _("layer {layer} {logit:+.1f}").format(layer=layer, logit=logits[layer]) for layer in best
    )


def _longest(record: Contributions) -> str:
    """Which part of which layer adds the longest vector."""
    attention, feed_forward = record.attention_sizes, record.feed_forward_sizes
    if attention.max() > feed_forward.max():
        says, sizes = _("longest addition: attention of layer {layer}, {length}"), attention
    else:
        says, sizes = _("longest addition: feed-forward of layer {layer}, {length}"), feed_forward
    return says.format(layer=int(sizes.argmax()), length=_rounded(sizes.max()))


def _rounded(length) -> str:
    """Two digits: the last ones differ from machine to machine."""
    return f"{float(f'{float(length):.2g}'):g}"
