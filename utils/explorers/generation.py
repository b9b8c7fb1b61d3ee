"""Explorer of the generation loop: let the model write token by token, or choose for it."""

from dataclasses import replace

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.candidates import candidate_words
from utils.figures.generation import continuation_figure
from utils.figures.style import quote_token
from utils.generation import Continuation, continuation, steps_from
from utils.language import _, ngettext
from utils.model import context_length, prompt_ids
from utils.tokens import token_text


class GenerationExplorer(Explorer):
    """Step through a generation: every press of "one token" is one forward pass.

    Controls: `prompt`; `chat_template` puts the prompt into the model's chat template; `instead`
    takes another of the five candidates, a token id, in place of the last token, and writing goes
    on from there.  Actions: `one_token`, `ten_tokens`, `back`, `restart`.
    """

    def __init__(self, model, tokenizer, prompt: str):
        self.model, self.tokenizer = model, tokenizer
        self._asked, self._prompt_ids, self._steps = None, None, ()
        controls = {
            "prompt": widgets.Text(
                prompt,
                description=_("prompt"),
                continuous_update=False,
                style={"description_width": "initial"},
                layout=widgets.Layout(width="97%"),
            ),
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
            text = self._in_chat_template(prompt) if chat_template else prompt
            self._prompt_ids = prompt_ids(self.model, self.tokenizer, text)
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

    def figure(self, record: Continuation):
        return continuation_figure(record)

    def words(self, record: Continuation) -> str:
        """Milliseconds are left to the picture: they differ from run to run."""
        passes = len(record.steps)
        lines = [_("prompt: {prompt}").format(prompt=quote_token(record.prompt_text))]
        if record.steps:
            last = record.steps[-1].token
            lines += [
                ngettext(
                    "{passes} pass so far: {text}", "{passes} passes so far: {text}", passes
                ).format(passes=passes, text=quote_token(record.new_text)),
                _("the last token, {token}, was taken from {candidates}").format(
                    token=quote_token(last), candidates=candidate_words(record.candidates)
                ),
            ]
        else:
            lines.append(_("nothing written yet"))
        if record.ended:
            lines.append(_("the model ended the text by itself"))
        return "\n".join(lines)

    def _in_chat_template(self, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError(_("The prompt is empty: write something for the model to go on from."))
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )

    def _offer(self, now: Continuation) -> None:
        """Put the last step's candidates into the dropdown, without a redraw of its own."""
        redrawing, self._redrawing = self._redrawing, False
        options = [
            (f"{quote_token(c.token)}  {c.probability:.2f}", c.token_id) for c in now.candidates
        ]
        taken = now.steps[-1].token_id if now.steps else None
        self.controls["instead"].options = options
        self.controls["instead"].value = taken
        self.controls["instead"].disabled = not options
        self._redrawing = redrawing

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
