"""Explorer of the generation loop: let the model write token by token, or choose for it."""

from dataclasses import replace

import ipywidgets as widgets
from torch import Tensor

from utils.explorers.base import Explorer, text_box
from utils.figures.generation import continuation_picture
from utils.figures.style import quote_token
from utils.generation import Continuation, Step, continuation, steps_from
from utils.language import _
from utils.model import Model, chat_ids, context_length, prompt_ids
from utils.tokens import Tokenizer, token_text


class GenerationExplorer(Explorer):
    """Step through a generation: every press of "one token" is one forward pass.

    Controls: `prompt`; `chat_template` puts the prompt into the model's chat template; `instead`
    takes another of the five candidates, a token id, in place of the last token, and writing goes
    on from there.  Actions: `one_token`, `ten_tokens`, `back`, `restart`.
    """

    picture = staticmethod(continuation_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, prompt: str):
        self.model, self.tokenizer = model, tokenizer
        self._asked: tuple[str, bool] | None = None
        self._steps: tuple[Step, ...] = ()
        controls = {
            "prompt": text_box(_("prompt"), prompt, style={"description_width": "initial"}),
            "chat_template": widgets.Checkbox(
                False,
                description=_("chat template"),
                disabled=not tokenizer.chat_template,
                indent=False,
                layout=widgets.Layout(width="auto"),
            ),
            "instead": widgets.Dropdown(
                options=[],
                description=_("choose instead"),
                style={"description_width": "initial"},
            ),
        }
        actions = {
            "one_token": (_("one token"), lambda: self._write(1)),
            "ten_tokens": (_("ten tokens"), lambda: self._write(10)),
            "back": (_("back"), lambda: self._keep(self._steps[:-1])),
            "restart": (_("restart"), lambda: self._keep(())),
        }
        super().__init__(controls, actions)

    def _arrange(self) -> widgets.Widget:
        prompt, chat_template, instead = self.controls.values()
        buttons = widgets.HBox(list(self.actions.values()))
        return widgets.VBox([prompt, chat_template, buttons, instead])

    def record(self, prompt: str, chat_template: bool, instead: int | None) -> Continuation:
        if (prompt, chat_template) != self._asked:
            ids_of = self._in_chat_template if chat_template else prompt_ids
            self._prompt_ids = ids_of(self.model, self.tokenizer, prompt)
            self._asked, self._steps = (prompt, chat_template), ()
        elif self._steps and instead is not None and instead != self._steps[-1].token_id:
            token = token_text(self.tokenizer, instead)
            self._steps = (
                *self._steps[:-1],
                replace(self._steps[-1], token_id=instead, token=token),
            )
        now = continuation(self.model, self.tokenizer, self._prompt_ids, self._steps)
        self._offer(now)
        return now

    @staticmethod
    def _in_chat_template(model: Model, tokenizer: Tokenizer, prompt: str) -> Tensor:
        if not prompt.strip():
            raise ValueError(_("The prompt is empty: write something for the model to go on from."))
        return chat_ids(model, tokenizer, prompt)

    def _offer(self, now: Continuation) -> None:
        """Put the last step's candidates into the dropdown, without a redraw of its own."""
        options = [
            (f"{quote_token(c.token)}  {c.probability:.2f}", c.token_id) for c in now.candidates
        ]
        taken = now.steps[-1].token_id if now.steps else None
        instead = self.controls["instead"]
        with self.quietly():
            instead.options = options
            instead.value = taken
            instead.disabled = not options

    def _write(self, count: int) -> None:
        asked = self.controls["prompt"].value, self.controls["chat_template"].value
        if asked != self._asked:  # the prompt is one that was refused: say so again
            self.redraw()
            return
        if continuation(self.model, self.tokenizer, self._prompt_ids, self._steps).ended:
            raise ValueError(_("The text has ended. Press “back” or “restart”, or change it."))
        ids = self._steps[-1].ids_after() if self._steps else self._prompt_ids
        room = context_length(self.model) - ids.shape[1]
        if room < 1:
            raise ValueError(_("The context is full: the model can read no more than this."))
        new = steps_from(self.model, self.tokenizer, ids, min(count, room), use_cache=False)
        self._keep((*self._steps, *new))

    def _keep(self, steps: tuple) -> None:
        self._steps = steps
        self._offer(continuation(self.model, self.tokenizer, self._prompt_ids, steps))
        self.redraw()
