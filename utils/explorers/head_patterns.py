"""The circuit explorer: all heads of a model, ranked by how much they look one way."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.attention import ranking_figure
from utils.head_patterns import PATTERNS, SAID_TWICE, Ranking, rank_heads
from utils.language import _

BEST = 8  # heads that are named, and can be looked at one by one


class CircuitExplorer(Explorer):
    """Which heads look one token back, at the first token, at a word, …

    Controls: `pattern`, one of `utils.head_patterns.PATTERNS`; `text`; `word`, for the pattern
    "word"; `rank` picks one of the best heads, to see its matrix.
    """

    def __init__(self, model, tokenizer, text: str, word: str = ""):
        self.model, self.tokenizer = model, tokenizer
        self._asked: tuple | None = None
        self._ranking: Ranking | None = None
        wide = widgets.Layout(width="97%")
        count = model.config.get_text_config()
        heads = count.num_hidden_layers * count.num_attention_heads
        super().__init__(
            {
                "pattern": widgets.Dropdown(
                    options=[(_(says), name) for name, says in PATTERNS.items()],
                    description=_("looks"),
                    layout=widgets.Layout(width="26em"),
                ),
                "text": widgets.Text(
                    text, description=_("text"), continuous_update=False, layout=wide
                ),
                "word": widgets.Text(word, description=_("word"), continuous_update=False),
                "rank": widgets.IntSlider(1, 1, min(BEST, heads), description=_("rank")),
            }
        )

    def record(self, pattern: str, text: str, word: str, rank: int) -> tuple[Ranking, int]:
        asked = (pattern, text, word)
        if asked != self._asked:
            self._ranking = rank_heads(self.model, self.tokenizer, *asked)
            self._asked = asked
        return self._ranking, rank

    def figure(self, record: tuple[Ranking, int]):
        return ranking_figure(*record)

    def words(self, record: tuple[Ranking, int]) -> str:
        ranking, rank = record
        best = ranking.best(BEST)
        says = _("layer {layer} head {head} {score:.2f}")
        heads = [says.format(layer=b[0], head=b[1], score=b[2]) for b in best]
        lines = [
            _("looks {pattern}: {heads}").format(
                pattern=_(PATTERNS[ranking.pattern]), heads=", ".join(heads)
            ),
            _("mean of all {count} heads: {score:.2f}").format(
                count=ranking.scores.numel(), score=float(ranking.scores.mean())
            ),
            _("drawn: {head}").format(head=heads[rank - 1]),
        ]
        if ranking.pattern in SAID_TWICE:
            lines.append(
                _("tried on {count} random tokens, said twice").format(
                    count=len(ranking.record.tokens) // 2
                )
            )
        return "\n".join(lines)
