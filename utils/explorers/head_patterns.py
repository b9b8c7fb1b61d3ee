"""The explorer of heads with a job: all heads of a model, ranked by how much they look one way."""

import ipywidgets as widgets

from utils.architecture import head_count
from utils.explorers.base import Explorer, last_remembered, text_box
from utils.figures.head_patterns import head_patterns_picture
from utils.head_patterns import PATTERNS, SAID_TWICE, RankedHead, Ranking, rank_heads
from utils.language import _
from utils.model import Model, short_ids
from utils.tokens import Tokenizer

LONGEST = 128  # tokens of a text that a matrix still shows


class HeadPatternExplorer(Explorer):
    """Which heads look one token back, at the first token, at a word, …

    Controls: `pattern`, one of `utils.head_patterns.PATTERNS`; `text`; `word`, for the pattern
    "word"; `rank` picks a head, 1 for the best, to see its matrix.
    """

    picture = staticmethod(head_patterns_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str, word: str = ""):
        self.model, self.tokenizer = model, tokenizer
        self._rank = last_remembered(self._rank_short)
        count = model.config.get_text_config().num_hidden_layers * head_count(model)
        super().__init__(
            {
                "pattern": widgets.Dropdown(
                    options=[(_(says), name) for name, says in PATTERNS.items()],
                    description=_("looks"),
                    layout=widgets.Layout(width="26em"),
                ),
                "text": text_box(_("text"), text),
                "word": text_box(_("word"), word, width=None),
                "rank": widgets.IntSlider(1, 1, count, description=_("rank")),
            }
        )
        self.controls["pattern"].observe(self._shut_what_is_ignored, "value")
        self._shut_what_is_ignored()

    def _shut_what_is_ignored(self, _change: object = None) -> None:
        """A text or a word that the pattern does not look at cannot be written in."""
        pattern = self.controls["pattern"].value
        self.controls["text"].disabled = pattern in SAID_TWICE
        self.controls["word"].disabled = pattern != "word"

    def record(self, pattern: str, text: str, word: str, rank: int) -> RankedHead:
        return RankedHead(self._rank(pattern, text, word), rank)

    def _rank_short(self, pattern: str, text: str, word: str) -> Ranking:
        if pattern not in SAID_TWICE:  # those look at another text
            short_ids(self.model, self.tokenizer, text, LONGEST)
        return rank_heads(self.model, self.tokenizer, pattern, text, word)
