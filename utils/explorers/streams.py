"""Explorers of the streams: what each would say at each layer, and how far a change spreads."""

import ipywidgets as widgets

from utils.explorers.base import TextExplorer, last_remembered, position_slider, text_box
from utils.figures.streams import moved_picture, streams_picture
from utils.figures.style import quote_token
from utils.language import _
from utils.model import Model, prompt_ids, short_ids
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
from utils.tokens import Tokenizer, pieces_of, token_text

COLUMNS = 24  # positions that the grid has room for
LONGEST = 1024  # tokens; of each, a vector for every layer is kept


class _StreamsOfText(TextExplorer):
    """A text, traced once, and a slider over its positions."""

    def __init__(
        self,
        model: Model,
        tokenizer: Tokenizer,
        text: str,
        position: int = 0,
        **controls: widgets.Widget,
    ):
        self.model, self.tokenizer = model, tokenizer
        self._trace = last_remembered(self._trace_short)
        box, slider = text_box(_("text"), text), position_slider(position)
        super().__init__({"text": box, "position": slider, **controls})

    def _trace_short(self, text: str) -> Streams:
        short_ids(self.model, self.tokenizer, text, LONGEST)  # said before the pass
        return trace_streams(self.model, self.tokenizer, text)


class StreamsExplorer(_StreamsOfText):
    """The logit lens: what each stream would say next, if it were read at each layer.

    Controls: `text`; `position` and `layer` pick one cell of the grid, and its five likeliest next
    tokens and the length of its vector are shown.  Of a long text the last positions are shown.
    """

    picture = staticmethod(streams_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str):
        self._read = last_remembered(self._read_end)
        layers = model.config.get_text_config().num_hidden_layers
        layer = widgets.IntSlider(layers, 0, layers, description=_("layer"))
        super().__init__(model, tokenizer, text, layer=layer)

    def record(self, text: str, position: int, layer: int) -> Look:
        return look_at(self._read(text), layer, position)

    def _read_end(self, text: str) -> Reading:
        """The reading of the last positions, as many as the grid has room for."""
        streams = last_positions(self._trace(text), COLUMNS)
        return read_streams(self.model, self.tokenizer, streams)

    def positions(self, text: str) -> range:
        count = len(self._trace(text).tokens)
        return range(max(0, count - COLUMNS), count)


class ButterflyExplorer(_StreamsOfText):
    """Change one token of a text, and see how far each vector moves, layer by layer.

    Controls: `text`; `position` of the token to change; `word`, the one token to put there.
    """

    picture = staticmethod(moved_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str, position: int, word: str):
        box = text_box(_("new word"), word, width=None)
        super().__init__(model, tokenizer, text, position, word=box)

    def record(self, text: str, position: int, word: str) -> Moved:
        self._check_room(text)
        streams = self._trace(text)
        token_id = self._single_token(streams.tokens[position], word)
        return change_token(self.model, self.tokenizer, streams, position, token_id)

    def positions(self, text: str) -> range:
        return range(self._check_room(text))

    def _check_room(self, text: str) -> int:
        """How many tokens `text` has; ValueError, before it is traced, if they are too many."""
        count = prompt_ids(self.model, self.tokenizer, text).shape[1]
        if count > COLUMNS:
            raise ValueError(
                _("The text is {count} tokens long; the grid has room for {room}.").format(
                    count=count, room=COLUMNS
                )
            )
        return count

    def _start(self, positions: range) -> int:
        return min(self._position.value, positions[-1])

    def _single_token(self, old: str, word: str) -> int:
        """The id of `word`, with a space before it if the old token had one."""
        if not word.strip():
            raise ValueError(_("Write a new word to put in place of {old}.").format(old=repr(old)))
        spaced = " " + word.lstrip() if old.startswith(" ") else word
        ids = pieces_of(self.tokenizer, spaced)
        if len(ids) != 1:
            pieces = ", ".join(quote_token(token_text(self.tokenizer, i)) for i in ids)
            raise ValueError(
                _(
                    "{word} is {count} tokens: {pieces}. Choose a word of one token, so that every "
                    "position keeps its place."
                ).format(word=quote_token(spaced), count=len(ids), pieces=pieces)
            )
        return ids[0]
