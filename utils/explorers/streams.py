"""Explorers of the streams: what each would say at each layer, and how far a change spreads."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.candidates import candidate_words
from utils.figures.streams import moved_figure, streams_figure
from utils.figures.style import quote_token
from utils.language import _, ngettext
from utils.streams import (
    Look,
    Moved,
    Reading,
    Streams,
    change_token,
    last_positions,
    look_at,
    read_streams,
    trace_streams,
)
from utils.tokens import token_text

COLUMNS = 24  # positions that the grid has room for


class _StreamsOfText(Explorer):
    """A text, traced once, and a slider over its positions that goes as far as the text does."""

    def __init__(
        self, model, tokenizer, text: str, position: int | None = None, **controls: widgets.Widget
    ):
        self.model, self.tokenizer = model, tokenizer
        self._asked: str | None = None
        self._streams: Streams | None = None
        self._redrawing = False
        box = widgets.Text(
            text,
            description=_("text"),
            continuous_update=False,
            layout=widgets.Layout(width="97%"),
        )
        self._position = widgets.IntSlider(description=_("position"), min=0, max=0)
        box.observe(lambda change: self._fit(change["new"]), names="value")
        self._fit(text)
        if position is not None:
            self._position.value = position
        super().__init__({"text": box, "position": self._position, **controls})

    def _fit(self, text: str) -> None:
        """Give the slider the positions of a new text.  One that is refused is so by `record`."""
        try:
            self._trace(text)
        except ValueError:
            return
        redrawing, self._redrawing = self._redrawing, False
        first, last = self._range()
        self._position.min, self._position.max = 0, last
        self._position.min, self._position.value = first, self._start(last)
        self._redrawing = redrawing

    def _trace(self, text: str) -> Streams:
        if text != self._asked:
            self._streams = trace_streams(self.model, self.tokenizer, text)
            self._asked = text
        return self._streams

    def _range(self) -> tuple[int, int]:
        """The first and the last position that may be picked."""
        return 0, len(self._streams.tokens) - 1

    def _start(self, last: int) -> int:
        """The position that is picked when a new text comes."""
        return min(self._position.value, last)


class StreamsExplorer(_StreamsOfText):
    """The logit lens: what each stream would say next, if it were read at each layer.

    Controls: `text`; `position` and `layer` pick one cell of the grid, and its five likeliest next
    tokens and the length of its vector are shown.  Of a long text the last positions are shown.
    """

    def __init__(self, model, tokenizer, text: str):
        self._reading: Reading | None = None
        layers = model.config.get_text_config().num_hidden_layers
        layer = widgets.IntSlider(layers, 0, layers, description=_("layer"))
        super().__init__(model, tokenizer, text, layer=layer)

    def record(self, text: str, position: int, layer: int) -> Look:
        streams = last_positions(self._trace(text), COLUMNS)
        if self._reading is None or self._reading.streams.input_ids is not streams.input_ids:
            self._reading = read_streams(self.model, self.tokenizer, streams)
        return look_at(self.model, self.tokenizer, self._reading, layer, position)

    def figure(self, record: Look):
        return streams_figure(record)

    def words(self, record: Look) -> str:
        streams = record.reading.streams
        lines = [
            _("layer {layer}, position {position}, {token}: {candidates}").format(
                layer=record.layer,
                position=record.position,
                token=quote_token(streams.tokens[record.column]),
                candidates=candidate_words(record.candidates),
            ),
            _("length of the vector: {length}").format(length=_rounded(record.length)),
        ]
        if record.position == streams.first + len(streams.tokens) - 1:
            lines.append(_("This is the last stream, the one that predicts the next token."))
            said = [row[-1] for row in record.reading.tokens]
            since = max((i + 1 for i, token in enumerate(said) if token != said[-1]), default=0)
            lines.append(
                _("Its final word, {token}, leads from layer {since} on.").format(
                    token=quote_token(said[-1]), since=since
                )
            )
        return "\n".join(lines)

    def _range(self) -> tuple[int, int]:
        last = len(self._streams.tokens) - 1
        return max(0, last + 1 - COLUMNS), last

    def _start(self, last: int) -> int:
        return last


class ButterflyExplorer(_StreamsOfText):
    """Change one token of a text, and see how far each vector moves, layer by layer.

    Controls: `text`; `position` of the token to change; `word`, the one token to put there.
    """

    def __init__(self, model, tokenizer, text: str, position: int, word: str):
        box = widgets.Text(word, description=_("new word"), continuous_update=False)
        super().__init__(model, tokenizer, text, position, word=box)

    def record(self, text: str, position: int, word: str) -> Moved:
        streams = self._trace(text)
        if len(streams.tokens) > COLUMNS:
            raise ValueError(
                _("The text is {count} tokens long; the grid has room for {room}.").format(
                    count=len(streams.tokens), room=COLUMNS
                )
            )
        token_id = self._single_token(streams.tokens[position], word)
        return change_token(self.model, self.tokenizer, streams, position, token_id)

    def figure(self, record: Moved):
        return moved_figure(record)

    def words(self, record: Moved) -> str:
        position, tokens = record.position, record.after.tokens
        last = len(record.distances) - 1
        lines = [
            _("{old} became {new} at position {position}").format(
                old=quote_token(record.before.tokens[position]),
                new=quote_token(tokens[position]),
                position=position,
            )
        ]
        still = int(record.same.all(0).long().cumprod(0).sum())
        lines.append(
            ngettext(
                "{count} position from the left is the same at every layer, to the last bit",
                "{count} positions from the left are the same at every layer, to the last bit",
                still,
            ).format(count=still)
        )
        for column in range(still, len(tokens)):
            begins = int((~record.same[:, column]).long().argmax())
            lines.append(
                _("{token} moves from layer {begins} on, by {distance:.2f} in the end").format(
                    token=quote_token(tokens[column]),
                    begins=begins,
                    distance=float(record.distances[last, column]),
                )
            )
        lines.append(
            _("next token before: {before}; after: {after}").format(
                before=candidate_words(record.next_before[:1]),
                after=candidate_words(record.next_after[:1]),
            )
        )
        return "\n".join(lines)

    def _single_token(self, old: str, word: str) -> int:
        """The id of `word`, with a space before it if the old token had one."""
        if not word.strip():
            raise ValueError(_("Write a new word to put in place of {old}.").format(old=repr(old)))
        spaced = " " + word.lstrip() if old.startswith(" ") else word
        ids = self.tokenizer(spaced, add_special_tokens=False).input_ids
        if len(ids) != 1:
            pieces = ", ".join(quote_token(token_text(self.tokenizer, i)) for i in ids)
            raise ValueError(
                _(
                    "{word} is {count} tokens: {pieces}. Choose a word of one token, so that every "
                    "position keeps its place."
                ).format(word=quote_token(spaced), count=len(ids), pieces=pieces)
            )
        return ids[0]


def _rounded(length: float) -> str:
    """Two digits: the last ones differ from machine to machine."""
    return f"{float(f'{length:.2g}'):g}"
