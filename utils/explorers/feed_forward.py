"""Explorers of feed-forward layers: switch some off, and see which neurons push towards what."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.explorers.residual import PositionExplorer
from utils.feed_forward import SwitchedOff, WithoutEach, switch_off, without_each
from utils.figures.candidates import candidate_words
from utils.figures.feed_forward import (
    PARTS,
    neurons_figure,
    off_words,
    switched_off_figure,
)
from utils.figures.style import quote_token
from utils.language import _, ngettext
from utils.neurons import NeuronsAt, strongest_neurons
from utils.residual import single_token


class FeedForwardExplorer(Explorer):
    """Switch off the feed-forward layers of some blocks, and see what is predicted then.

    Controls: `prompt`; `layers`, a range, (first, last), that is switched off; `part`,
    "feed_forward" or "attention".  Below, the token that the whole model finds likeliest is
    followed while each layer alone is off.
    """

    def __init__(self, model, tokenizer, prompt: str, layer: int = 0):
        self.model, self.tokenizer = model, tokenizer
        self._asked: tuple[str, str] | None = None
        self._each: WithoutEach | None = None
        last = model.config.get_text_config().num_hidden_layers - 1
        super().__init__(
            {
                "prompt": widgets.Text(
                    prompt,
                    description=_("prompt"),
                    continuous_update=False,
                    layout=widgets.Layout(width="97%"),
                ),
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
        if (prompt, part) != self._asked:
            self._each = without_each(self.model, self.tokenizer, prompt, part)
            self._asked = prompt, part
        off = range(layers[0], layers[1] + 1)
        return switch_off(self.model, self.tokenizer, self._each, off)

    def figure(self, record: SwitchedOff):
        return switched_off_figure(record)

    def words(self, record: SwitchedOff) -> str:
        each = record.each
        token = quote_token(each.token)
        lost = [str(layer) for layer, first in enumerate(each.still_first) if not first]
        says = ngettext(
            "no longer the likeliest without the {part} of this layer alone: {layers}",
            "no longer the likeliest without the {part} of one of these layers: {layers}",
            len(lost),
        ).format(part=_(PARTS[each.part]), layers=", ".join(lost) or "–")
        return "\n".join(
            [
                _("the whole model: {candidates}").format(
                    candidates=candidate_words(each.candidates[:3])
                ),
                f"{off_words(record)}: {candidate_words(record.candidates[:3])}",
                f"{token} {each.probability:.2f} → {record.probability:.2f}; {says}",
            ]
        )


class NeuronExplorer(PositionExplorer):
    """The strongest neurons of a feed-forward layer at one position, and what they push towards.

    Controls: `text`; `position`; `layer`; `word`, one token: the neurons are then ordered by how
    far they raise its logit; empty, they are ordered by the length of what they add.
    """

    def __init__(self, model, tokenizer, text: str, layer: int = 0, word: str = ""):
        last = model.config.get_text_config().num_hidden_layers - 1
        slider = widgets.IntSlider(layer, 0, last, description=_("layer"))
        super().__init__(model, tokenizer, text, word, layer=slider)

    def record(self, text: str, position: int, word: str, layer: int) -> NeuronsAt:
        self._ids(text)
        token_id = single_token(self.tokenizer, word) if word.strip() else None
        return strongest_neurons(
            self.model, self.tokenizer, text, layer, position, count=7, token_id=token_id
        )

    def figure(self, record: NeuronsAt):
        return neurons_figure(record)

    def words(self, record: NeuronsAt) -> str:
        lines = [
            _("layer {layer}, position {position}, {token}").format(
                layer=record.layer,
                position=record.position,
                token=quote_token(record.tokens[record.position]),
            ),
            _(
                "the strongest 1 % of {neurons} neurons hold {share:.0%} of the squared activations"
            ).format(neurons=record.neurons, share=record.share),
        ]
        for neuron in record.strongest:
            says = _("neuron {number}, activation {activation:.0f}, pushes towards {words}")
            says = says.format(
                number=neuron.number,
                activation=neuron.activation,
                words=", ".join(map(quote_token, neuron.towards[:3])),
            )
            if neuron.push is not None:
                says += _("; logit of {token} {push:+.1f}").format(
                    token=quote_token(record.token), push=neuron.push
                )
            lines.append(says)
        return "\n".join(lines)
