"""Explorer of decoding: turn the settings, watch the distribution change, and draw from it."""

from collections.abc import Iterable

import ipywidgets as widgets
import torch
from torch import Tensor

from utils.decoding import Decoding, decoding_stages, sample, sampler
from utils.explorers.base import Explorer, text_box
from utils.figures.decoding import decoding_picture
from utils.generation import Step, next_logits, steps_from
from utils.language import _
from utils.model import Model, context_length, end_token_ids, prompt_ids
from utils.tokens import Tokenizer, text_after, token_bytes

ROWS, TOKENS = 10, 20  # tokens with a bar of their own; tokens that one press writes


class DecodingExplorer(Explorer):
    """The next token's distribution, before and after each filter, in the library's order.

    Controls: `prompt`, `temperature`, `top_k`, `top_p`, `min_p`, `seed`.  Actions: `draw_one`,
    `draw_500`, and `continue_text`, which goes on from the prompt with these settings.  The model
    runs when the prompt changes and when the text goes on; any control that is moved starts the
    draws and the text anew.
    """

    picture = staticmethod(decoding_picture)

    def __init__(self, model: Model, tokenizer: Tokenizer, prompt: str):
        self.model, self.tokenizer = model, tokenizer
        self._asked: str | None = None
        self._settings: tuple[str, tuple[float, int, float, float], int] | None = None
        vocabulary = model.config.get_text_config().vocab_size
        ks = [k for k in (*range(1, 101), 200, 500, 1000, 2000, 5000, 10000) if k < vocabulary]
        slider = {
            "style": {"description_width": "90px"},
            "layout": widgets.Layout(width="350px"),
        }
        controls = {
            "prompt": text_box(_("prompt"), prompt, "704px", style={"description_width": "90px"}),
            "temperature": widgets.FloatSlider(
                1.0, min=0.05, max=3.0, step=0.05, description=_("temperature"), **slider
            ),
            "top_k": widgets.SelectionSlider(
                options=[*((str(k), k) for k in ks), (_("all"), vocabulary)],
                value=vocabulary,
                description="top-k",
                **slider,
            ),
            "top_p": widgets.FloatSlider(
                1.0, min=0.0, max=1.0, step=0.01, description="top-p", **slider
            ),
            "min_p": widgets.FloatSlider(
                0.0, min=0.0, max=1.0, step=0.01, description="min-p", **slider
            ),
            "seed": widgets.BoundedIntText(
                0,
                min=0,
                max=9999,
                description=_("seed"),
                style={"description_width": "90px"},
                layout=widgets.Layout(width="200px"),
            ),
        }
        actions = {
            "draw_one": (_("draw one"), lambda: self._draw(1)),
            "draw_500": (_("draw 500"), lambda: self._draw(500)),
            "continue_text": (_("continue the text"), self._write),
        }
        super().__init__(controls, actions)

    def _arrange(self) -> widgets.Widget:
        prompt, temperature, top_k, top_p, min_p, seed = self.controls.values()
        buttons = widgets.HBox(list(self.actions.values()))
        return widgets.VBox(
            [
                prompt,
                widgets.HBox([temperature, top_k]),
                widgets.HBox([top_p, min_p]),
                widgets.HBox([seed, buttons]),
            ]
        )

    def record(
        self, prompt: str, temperature: float, top_k: int, top_p: float, min_p: float, seed: int
    ) -> Decoding:
        if prompt != self._asked:
            self._ids = prompt_ids(self.model, self.tokenizer, prompt)
            logits, _output = next_logits(self.model, self._ids)
            self._logits = logits.cpu()
            self._rows = self._with_bytes(logits.topk(min(ROWS, len(logits))).indices)
            self._asked = prompt
        settings = (temperature, top_k, top_p, min_p)
        if (prompt, settings, seed) != self._settings:
            self._settings = (prompt, settings, seed)
            self._stages = decoding_stages(self._logits, *settings)
            # Draws and text have a generator each: neither depends on how often the other ran.
            self._for_draws = torch.Generator().manual_seed(seed)
            for_text = torch.Generator().manual_seed(seed)
            self._choose = sampler(*settings, generator=for_text)
            self._drawn: tuple[int, ...] = ()
            self._steps: tuple[Step, ...] = ()
        written = [step.token_id for step in self._steps]
        drawn = self._drawn
        return Decoding(
            prompt_text=prompt,
            prompt=self._with_bytes(self._ids[0]),
            rows=self._rows,
            stages=self._stages,
            drawn=drawn,
            last_drawn=token_bytes(self.tokenizer, drawn[-1]) if drawn else None,
            written=self._with_bytes(written),
            written_text=text_after(self.tokenizer, self._ids[0].tolist(), written),
        )

    def _with_bytes(self, token_ids: Iterable[int] | Tensor) -> tuple[tuple[int, bytes], ...]:
        """Each id and its bytes: a token may hold only a part of a character."""
        return tuple((int(i), token_bytes(self.tokenizer, int(i))) for i in token_ids)

    def _draw(self, count: int) -> None:
        logits = self.now().stages[-1].logits
        new = (sample(logits, self._for_draws) for _draw in range(count))
        self._drawn = (*self._drawn, *new)
        self.redraw()

    def _write(self) -> None:
        self.now()
        last = self._steps[-1] if self._steps else None
        if last and last.token_id in end_token_ids(self.model, self.tokenizer):
            raise ValueError(_("The text has ended by itself. Another seed starts another text."))
        ids = last.ids_after() if last else self._ids
        room = context_length(self.model) - ids.shape[1]
        if room < 1:
            raise ValueError(_("The context is full: the model can read no more than this."))
        new = steps_from(self.model, self.tokenizer, ids, min(TOKENS, room), choose=self._choose)
        self._steps = (*self._steps, *new)
        self.redraw()
