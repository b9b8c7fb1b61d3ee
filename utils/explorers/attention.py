"""The attention explorer: any text, any layer, any head, and where each token looks."""

import math

import ipywidgets as widgets

from utils.attention import AttentionRecord, record_attention
from utils.explorers.base import Explorer
from utils.figures.attention import VIEWS, HeadView, attention_figure
from utils.figures.style import quote_token
from utils.language import _

LONGEST = 128  # tokens of a text that a matrix still shows
NAMED = 5  # positions that the words name


class AttentionExplorer(Explorer):
    """Where one token of a text looks, through one head of a layer or through all of them.

    Controls: `text`; `layer`, `head`; `position`, the token that looks; `view`, one of "weights",
    "masked", "scores"; `all_heads`, whether the whole layer is drawn.
    """

    def __init__(self, model, tokenizer, text: str, layer: int = 0, head: int = 0):
        self.model, self.tokenizer = model, tokenizer
        self._asked: str | None = None
        self._record: AttentionRecord | None = None
        self._redrawing = False
        config = model.config.get_text_config()
        last_layer, last_head = config.num_hidden_layers - 1, config.num_attention_heads - 1
        box = widgets.Text(
            text,
            description=_("text"),
            continuous_update=False,
            layout=widgets.Layout(width="97%"),
        )
        self._position = widgets.IntSlider(0, 0, 0, description=_("position"))
        box.observe(lambda change: self._fit(change["new"]), names="value")
        self._fit(text)
        super().__init__(
            {
                "text": box,
                "layer": widgets.IntSlider(layer, 0, last_layer, description=_("layer")),
                "head": widgets.IntSlider(head, 0, last_head, description=_("head")),
                "position": self._position,
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

    def figure(self, record: HeadView):
        return attention_figure(record)

    def words(self, record: HeadView) -> str:
        lines = [
            _("layer {layer}, position {position}, {token}").format(
                layer=record.layer,
                position=record.position,
                token=quote_token(record.record.tokens[record.position]),
            )
        ]
        if record.all_heads:
            return "\n".join(
                [*lines, *map(lambda h: self._of_head(record, h), self._heads(record))]
            )
        shared = record.sharing()
        if len(shared) > 1:
            lines[0] += _("; heads {shared} share keys and values").format(
                shared=", ".join(map(str, shared))
            )
        row, weights = record.row(), record.weights()
        if record.view != "weights":
            label = _("highest scores: {tokens}")
            lines.append(label.format(tokens=self._most(record, row)))
            closed = sum(map(math.isnan, row))
            if record.view == "masked":
                lines.append(_("closed by the mask: {count}").format(count=closed))
        says = _("head {head} looks at: {tokens}")
        lines.append(says.format(head=record.head, tokens=self._most(record, weights)))
        says = _("length of weight · value: {tokens}")
        lines.append(says.format(tokens=self._most(record, record.lengths())))
        return "\n".join(lines)

    def _heads(self, record: HeadView) -> range:
        return range(len(record.record.weights[record.layer]))

    def _of_head(self, record: HeadView, head: int) -> str:
        weights = record.record.weights[record.layer][head, record.position].tolist()
        says = _("head {head} (keys and values {shared}): {tokens}")
        shared = head // record.record.groups(record.layer)
        return says.format(head=head, shared=shared, tokens=self._most(record, weights, 2))

    @staticmethod
    def _most(record: HeadView, numbers: list[float], count: int = NAMED) -> str:
        """The positions with the largest numbers: "' dog' 0.53, ' squirrel' 0.25"."""
        known = [i for i, number in enumerate(numbers) if not math.isnan(number)]
        top = sorted(known, key=lambda i: -round(numbers[i], 2))[:count]
        return ", ".join(
            f"{quote_token(record.record.tokens[i])} {numbers[i]:.2f}" for i in top
        ).replace("-0.00", "0.00")

    def _attend(self, text: str) -> AttentionRecord:
        if text != self._asked:
            record = record_attention(self.model, self.tokenizer, text)
            if len(record.tokens) > LONGEST:
                raise ValueError(
                    _("The text is {count} tokens long; the matrix has room for {room}.").format(
                        count=len(record.tokens), room=LONGEST
                    )
                )
            self._record, self._asked = record, text
        return self._record

    def _fit(self, text: str) -> None:
        """Give the slider the positions of a new text.  One that is refused is so by `record`."""
        try:
            last = len(self._attend(text).tokens) - 1
        except ValueError:
            return
        redrawing, self._redrawing = self._redrawing, False
        self._position.max = last
        self._position.value = last
        self._redrawing = redrawing
