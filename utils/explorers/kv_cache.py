"""Explorers of the cache: step through a generation, measure its time, and weigh its memory."""

import ipywidgets as widgets
import torch

from utils.explorers.base import Explorer
from utils.figures.kv_cache import cache_figure, show_bytes
from utils.figures.memory import memory_figure
from utils.figures.step_times import step_times_figure
from utils.figures.style import quote_token
from utils.kv_cache import CacheTrace, trace_cache
from utils.language import _
from utils.memory import KNOWN_MODELS, MemoryUse, memory_use
from utils.timing import StepTimes

WIDE = {"description_width": "initial"}
STEPS = 12


class CacheExplorer(Explorer):
    """Step through a generation and see what is computed, with the cache and without.

    Controls: `prompt`; `step`, from 1 to 12.  Action: `next_step`.
    """

    def __init__(self, model, tokenizer, prompt: str):
        self.model, self.tokenizer = model, tokenizer
        self._asked, self._trace = None, None
        controls = {
            "prompt": widgets.Text(
                prompt,
                description=_("prompt"),
                continuous_update=False,
                layout=widgets.Layout(width="97%"),
            ),
            "step": widgets.IntSlider(1, 1, STEPS, description=_("step")),
        }
        super().__init__(controls, {"next_step": (_("next step"), self._next)})

    def record(self, prompt: str, step: int) -> tuple[CacheTrace, int]:
        if prompt != self._asked:
            self._trace = trace_cache(self.model, self.tokenizer, prompt, STEPS)
            self._asked = prompt
        return self._trace, min(step, len(self._trace.steps))

    def figure(self, record):
        return cache_figure(*record)

    def words(self, record) -> str:
        trace, step = record
        steps = trace.steps[:step]
        now = steps[-1]
        return "\n".join(
            [
                _("prompt: {prompt}").format(prompt=quote_token("".join(trace.prompt))),
                _("written after step {step}: {text}").format(
                    step=step, text=quote_token("".join(trace.written[:step]))
                ),
                _("without the cache: {now} positions computed now, {all} so far").format(
                    now=now.positions_without, all=sum(s.positions_without for s in steps)
                ),
                _("with the cache: {now} computed now, {all} so far").format(
                    now=now.positions, all=sum(s.positions for s in steps)
                ),
                _("the cache holds {kept} positions in each of {layers} layers").format(
                    kept=_range(now.kept), layers=len(now.kept)
                ),
                _("bytes predicted: {predicted:,}, measured: {measured:,}").format(
                    predicted=now.predicted_bytes, measured=now.measured_bytes
                ),
            ]
        )

    def _next(self) -> None:
        slider = self.controls["step"]
        if self._trace is None or slider.value >= len(self._trace.steps):
            raise ValueError(
                _("That was the last step. Move the slider back, or change the prompt.")
            )
        slider.value += 1


def _range(numbers: tuple[int, ...]) -> str:
    """All of them where they are the same; where some layers keep fewer, from … to …."""
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"


class StepTimesExplorer(Explorer):
    """How long an answer takes on this machine, with the cache and without.

    Controls: `prompt_tokens`, `new_tokens`.  Made from what `measure_steps` measured.
    """

    def __init__(self, times: StepTimes):
        self.times = times
        half = max(1, times.lengths[-1] // 2)
        controls = {
            "prompt_tokens": widgets.IntSlider(
                min(16, half), 1, half, description=_("prompt tokens"), style=WIDE
            ),
            "new_tokens": widgets.IntSlider(
                min(200, half), 1, half, description=_("new tokens"), style=WIDE
            ),
        }
        super().__init__(controls)

    def record(self, prompt_tokens: int, new_tokens: int) -> tuple[StepTimes, int, int]:
        return self.times, prompt_tokens, new_tokens

    def figure(self, record):
        return step_times_figure(*record)

    def words(self, record) -> str:
        times, prompt_tokens, new_tokens = record
        without, cached = (
            times.step_seconds(prompt_tokens, new_tokens, use_cache) for use_cache in (False, True)
        )
        return "\n".join(
            [
                _("{new} new tokens after a prompt of {prompt}:").format(
                    new=new_tokens, prompt=prompt_tokens
                ),
                _("without the cache {seconds:.2f} s, the last step {last:.3f} s").format(
                    seconds=without.sum(), last=without[-1]
                ),
                _("with the cache {seconds:.2f} s, the last step {last:.3f} s").format(
                    seconds=cached.sum(), last=cached[-1]
                ),
                _("{times:.1f} times as fast").format(times=without.sum() / cached.sum()),
            ]
        )


class MemoryExplorer(Explorer):
    """How many bytes the cache of a published model takes, beside its weights.

    Controls: `model`, `tokens` (a power of 2), `batch` (texts at once), `dtype` ("float32",
    "bfloat16", "int8": of weights and cache alike).
    """

    def __init__(self, model: str = "SmolLM2-135M"):
        lengths = [2**power for power in range(7, 18)]
        controls = {
            "model": widgets.Dropdown(
                options=list(KNOWN_MODELS), value=model, description=_("model")
            ),
            "tokens": widgets.SelectionSlider(
                options=[(f"{n:,}", n) for n in lengths], value=1024, description=_("tokens")
            ),
            "batch": widgets.IntSlider(1, 1, 64, description=_("texts at once"), style=WIDE),
            "dtype": widgets.Dropdown(
                options=["float32", "bfloat16", "int8"],
                value="bfloat16",
                description=_("precision"),
            ),
        }
        super().__init__(controls)

    def record(self, model: str, tokens: int, batch: int, dtype: str) -> MemoryUse:
        if None in (model, tokens, dtype):
            raise ValueError(_("Choose a model, a number of tokens and a precision."))
        return memory_use(model, tokens, batch, getattr(torch, dtype))

    def figure(self, record: MemoryUse):
        return memory_figure(record)

    def words(self, record: MemoryUse) -> str:
        model = record.model
        lines = [
            _("{model}: {texts} × {tokens:,} tokens, {number}").format(
                model=model.name,
                texts=record.batch,
                tokens=record.tokens,
                number=str(record.dtype).removeprefix("torch."),
            ),
            _("weights {weights}, cache {cache}: {ratio:.2g} times the weights").format(
                weights=show_bytes(record.weights),
                cache=show_bytes(record.cache),
                ratio=record.cache / record.weights,
            ),
        ]
        if model.kv_heads == model.heads:
            lines.append(
                _(
                    "multi-head: each of the {heads} query heads has keys and values of its own"
                ).format(heads=model.heads)
            )
        else:
            lines.append(
                _(
                    "grouped-query: {heads} query heads share {kv_heads} key-value heads; with "
                    "{heads} it would be {cache}"
                ).format(
                    heads=model.heads, kv_heads=model.kv_heads, cache=show_bytes(record.multi_head)
                )
            )
        window = getattr(model.config, "sliding_window", None)
        if window and record.tokens >= window:
            lines.append(
                _("it looks back {window:,} tokens at most, and keeps no more than that").format(
                    window=window
                )
            )
        if record.tokens > model.context:
            lines.append(
                _("more than its context length of {context:,}: what it would take").format(
                    context=model.context
                )
            )
        return "\n".join(lines)
