"""Explorer of the tokenizer: type any text and see what the model is given in its place."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.style import quote_token
from utils.figures.tokenizer import budget_words, count_words, tokenizer_figure
from utils.language import _, ngettext
from utils.model import context_length
from utils.tokens import Tokenization, tokenize

TOLD = 40  # tokens that the words list at most


class TokenizerExplorer(Explorer):
    """Any text as its tokens, with their ids.

    Controls: `text`; `show_bytes` adds the bytes under each token.
    """

    def __init__(self, model, tokenizer, text: str):
        self.tokenizer, self.context = tokenizer, context_length(model)
        controls = {
            "text": widgets.Textarea(
                text,
                description=_("text"),
                rows=2,
                layout=widgets.Layout(width="97%"),
            ),
            "show_bytes": widgets.Checkbox(
                False,
                description=_("show the bytes under each token"),
                indent=False,
                layout=widgets.Layout(width="auto"),
            ),
        }
        super().__init__(controls)

    def record(self, text: str, show_bytes: bool) -> tuple[Tokenization, bool]:
        return tokenize(self.tokenizer, text), show_bytes

    def figure(self, record: tuple[Tokenization, bool]):
        tokens, show_bytes = record
        return tokenizer_figure(tokens, self.context, show_bytes)

    def words(self, record: tuple[Tokenization, bool]) -> str:
        record, show_bytes = record
        shown = list(zip(record.pieces, record.token_ids, strict=True))[:TOLD]
        if show_bytes:
            told = [f"{quote_token(p)} {i} ({p.hex(' ').upper()})" for p, i in shown]
        else:
            told = [f"{quote_token(piece)} {token_id}" for piece, token_id in shown]
        if len(record.token_ids) > TOLD:
            told.append("…")
        lines = ["; ".join(count_words(record)), budget_words(record, self.context)]
        lines.append(", ".join(told))
        split = [(first, last) for first, last in record.groups if last - first > 1]
        if split:
            first, last = split[0]
            lines.append(
                ngettext(
                    "{count} character is spread over several tokens: {example}",
                    "{count} characters are spread over several tokens, the first one {example}",
                    len(split),
                ).format(count=len(split), example=quote_token(b"".join(record.pieces[first:last])))
            )
        return "\n".join(lines)
