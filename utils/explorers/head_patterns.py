"""The explorer of heads with a job: all heads of a model, ranked by how much they look one way."""

import ipywidgets as widgets

from utils.explorers.base import Explorer, last_remembered, text_box
from utils.figures.head_patterns import BEST, head_patterns_picture
from utils.head_patterns import PATTERNS, RankedHead, rank_heads
from utils.language import _
from utils.model import Model
from utils.tokens import Tokenizer


class HeadPatternExplorer(Explorer):
    """Which heads look one token back, at the first token, at a word, …

    Controls: `pattern`, one of `utils.head_patterns.PATTERNS`; `text`; `word`, for the pattern
    "word"; `rank` picks one of the best heads, to see its matrix.
    """

    picture = staticmethod(head_patterns_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str, word: str = ""):
        self._rank = last_remembered(lambda *asked: rank_heads(model, tokenizer, *asked))
        config = model.config.get_text_config()
        heads = config.num_hidden_layers * config.num_attention_heads
        super().__init__(
            {
                "pattern": widgets.Dropdown(
                    options=[(_(says), name) for name, says in PATTERNS.items()],
                    description=_("looks"),
                    layout=widgets.Layout(width="26em"),
                ),
                "text": text_box(_("text"), text),
                "word": text_box(_("word"), word, width=None),
                "rank": widgets.IntSlider(1, 1, min(BEST, heads), description=_("rank")),
            }
        )

    def record(self, pattern: str, text: str, word: str, rank: int) -> RankedHead:
        return RankedHead(self._rank(pattern, text, word), rank)
