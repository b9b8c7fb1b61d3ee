"""Explorer of the tokenizer: type any text and see what the model is given in its place."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.tokens import tokens_picture
from utils.language import _
from utils.model import Model, context_length
from utils.tokens import Tokenizer, TokenView, tokenize


class TokenizerExplorer(Explorer):
    """Any text as its tokens, with their ids.

    Controls: `text`; `show_bytes` adds the bytes under each token.
    """

    picture = staticmethod(tokens_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, text: str):
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

    def record(self, text: str, show_bytes: bool) -> TokenView:
        return TokenView(tokenize(self.tokenizer, text), self.context, show_bytes)
