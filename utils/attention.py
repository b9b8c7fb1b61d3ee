"""Attention as a model does it: every layer's queries, keys, values, scores, weights, outputs.

The model is run over a text with an attention function that keeps what it is given and computes.
It does so for the thread that records; one that runs the same model meanwhile gets the model's own.
The steps themselves stand, one small function each, in `utils.parts.heads`.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import (
    ALL_MASK_ATTENTION_FUNCTIONS,
    AttentionMaskInterface,
    eager_mask,
)
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from utils.architecture import attention_modules, head_count, output_projection
from utils.hooks import first_tensor, hooked, one_at_a_time
from utils.language import _
from utils.model import Model, prompt_ids
from utils.parts import repeat_kv
from utils.tokens import Tokenizer, token_text

MOST_BYTES = 2 * 10**9  # of scores and weights that a record keeps
ROUNDING = 0.005  # a sum of weights may miss 1 by that in half precision


@dataclass(frozen=True, eq=False)
class AttentionRecord:
    """One text's way through every attention layer of a model.  `record.weights[layer]` and so on.

    Queries and keys are as they are multiplied: with positions in them (rotary), and normed in
    models that norm them. With grouped queries there are fewer keys and values than queries:
    query head h uses key-value head h // groups.
    """

    tokens: tuple[str, ...]  # one for each position
    input_ids: Tensor  # int64 [position]
    inputs: tuple[Tensor, ...]  # [position, width]: what the layer reads, after the block's norm
    queries: tuple[Tensor, ...]  # [head, position, head_dim]
    keys: tuple[Tensor, ...]  # [kv_head, position, head_dim]
    values: tuple[Tensor, ...]  # [kv_head, position, head_dim]
    scores: tuple[Tensor, ...]  # [head, query, key]: query · key, scaled, before the mask
    masks: tuple[Tensor, ...]  # bool [query, key]: where a query may look (sliding windows differ)
    weights: tuple[Tensor, ...]  # [head, query, key]: softmax of the masked scores; rows sum to 1,
    # or to less in models with a sink (gpt-oss), which takes its share and hands over nothing
    outputs: tuple[Tensor, ...]  # [position, width]: what the layer gives, after its projection

    @property
    def layers(self) -> int:
        return len(self.weights)

    def masked_scores(self, layer: int) -> Tensor:
        """The scores of a layer with -inf where a query may not look: [head, query, key].

        Their softmax is the weights; in models with a sink it is more, by what the sink takes.
        """
        return self.scores[layer].masked_fill(~self.masks[layer], float("-inf"))

    def sink(self, layer: int) -> Tensor:
        """What the sink takes of each query's attention, [head, query]: 0 in models without one."""
        taken = 1 - self.weights[layer].float().sum(-1)
        return taken * (taken > ROUNDING)

    def groups(self, layer: int) -> int:
        """How many query heads share one key-value head."""
        return len(self.queries[layer]) // len(self.keys[layer])

    def contributions(self, layer: int, head: int) -> Tensor:
        """What each position hands over: weight · value, [query, key, head_dim].

        Their sum over the keys is what the head gives.
        """
        values = self.values[layer][head // self.groups(layer)]
        return self.weights[layer][head, :, :, None] * values


RECORDED = {f.name for f in fields(AttentionRecord)} - {"tokens", "input_ids"}


def record_attention(model: Model, tokenizer: Tokenizer, text: str) -> AttentionRecord:
    """Run `model` over `text` and keep what every attention layer computes.

    The weights are those of `output_attentions=True` under eager attention; the model computes the
    whole pass with eager attention and is left as it was.  Raises ValueError for an empty text, one
    past the context, and a model whose attention `transformers` cannot exchange.
    """
    return record_ids(model, tokenizer, prompt_ids(model, tokenizer, text)[0])


@torch.no_grad()
def record_ids(model: Model, tokenizer: Tokenizer, input_ids: Tensor) -> AttentionRecord:
    """The record of a text that is already tokens, int64 [position].

    Raises ValueError for a model whose attention `transformers` cannot exchange, and, before the
    pass, for a text of which more than MOST_BYTES would be kept.
    """
    count = model.config.get_text_config().num_hidden_layers
    pair = 2 * count * head_count(model) * model.dtype.itemsize  # a score and a weight, every head
    longest = math.isqrt(MOST_BYTES // pair)
    if len(input_ids) > longest:
        raise ValueError(
            _(
                "The text is {count} tokens long. Of each pair of tokens every head of every layer "
                "is kept, which would be {size:.1f} GB; there is room for {longest} tokens."
            ).format(count=len(input_ids), size=pair * len(input_ids) ** 2 / 1e9, longest=longest)
        )
    with _recording(model) as layers:
        model(input_ids=input_ids[None], use_cache=False)
    if any(RECORDED - layers.get(layer, {}).keys() for layer in range(count)):
        raise _cannot_record(model)
    kept = {n: tuple(layers[layer][n][0] for layer in range(count)) for n in RECORDED}
    tokens = tuple(token_text(tokenizer, token_id) for token_id in input_ids.tolist())
    return AttentionRecord(tokens, input_ids, **kept)


_layers: ContextVar[dict[int, dict[str, Tensor]] | None] = ContextVar("layers", default=None)


@cache
def _recorder(own: str) -> str:
    """The recorder's name as an attention implementation, for a model whose own is `own`."""
    # By number: transformers looks for words such as "flash" in the names of implementations.
    name = f"course-recorder-{_recorder.cache_info().currsize}"
    AttentionInterface.register(name, partial(_record_and_attend, own))
    AttentionMaskInterface.register(name, partial(_mask, own))
    return name


def _mask(own: str, *args: Any, **kwargs: Any) -> Tensor | None:
    recording = _layers.get() is not None
    make = eager_mask if recording else ALL_MASK_ATTENTION_FUNCTIONS[own]
    return make(*args, **kwargs)


def _record_and_attend(
    own: str,
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *args: Any,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    """An attention implementation: the model's own eager one, and what it computes is kept.

    Where this thread records nothing, `own` attends as if there were no recorder.
    """
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    layers = _layers.get()
    if layers is None:
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(own, eager)
        return attend(module, query, key, value, attention_mask, *args, scaling=scaling, **options)
    if eager is None:
        raise _cannot_record(module)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    output, weights = eager(
        module, query, key, value, attention_mask, *args, scaling=scaling, **options
    )
    scores = query @ repeat_kv(key, query.shape[1] // key.shape[1]).transpose(-2, -1) * scaling
    if cap := options.get("softcap"):  # Gemma 2
        scores = cap * torch.tanh(scores / cap)
    if attention_mask is None:  # one token looks at itself
        mask = torch.ones_like(scores[:, 0], dtype=torch.bool)
    else:
        mask = attention_mask[:, 0] == 0
    layers[module.layer_idx] |= {
        "queries": query,
        "keys": key,
        "values": value,
        "scores": scores,
        "masks": mask,
        "weights": weights,
    }
    return output, weights


@contextmanager
def _recording(model: Model) -> Iterator[dict[int, dict[str, Tensor]]]:
    """Within it, `model` fills the dict that this gives: layer → name → tensor.

    A second thread that would record waits for the first, which knows what to put back.
    """
    layers: dict[int, dict[str, Tensor]] = {}

    def before(module: Any, inputs: Tensor) -> None:
        layers[module.layer_idx] = {"inputs": inputs}

    def after(module: Any, _inputs: Tensor, outputs: Tensor | tuple) -> None:
        layers[module.layer_idx]["outputs"] = first_tensor(outputs)

    with one_at_a_time, ExitStack() as undo:
        implementations = _implementations(model.config)
        recorders = {name: _recorder(own) for name, own in implementations.items()}
        undo.callback(_layers.reset, _layers.set(layers))
        undo.callback(model.set_attn_implementation, implementations)
        undo.enter_context(hooked(attention_modules(model), before, before=True))
        undo.enter_context(hooked(attention_modules(model), after))
        model.set_attn_implementation(recorders)
        yield layers


def _implementations(config: Any) -> dict[str, str]:
    """Which attention a model and its parts use: "" or the name of the part → implementation."""
    implementations = {"": config._attn_implementation}
    for name in config.sub_configs:
        if (part := getattr(config, name)) is not None:
            implementations[name] = part._attn_implementation
    return implementations


@contextmanager
def without_head(model: Model, layer: int, head: int) -> Iterator[None]:
    """Within it, one head of `model` gives nothing: its output is 0.

    Raises ValueError for a layer or a head that the model does not have, and for a model in which
    some blocks have no attention layer.
    """
    modules, count = attention_modules(model), head_count(model)
    if len(modules) != model.config.get_text_config().num_hidden_layers:
        raise ValueError(
            _(
                "{architecture} does not have an attention layer of a known kind in each block, so "
                "its heads cannot be switched off here."
            ).format(architecture=type(model).__name__)
        )
    if not (0 <= layer < len(modules) and 0 <= head < count):
        raise ValueError(
            _(
                "There is no layer {layer}, head {head}. Layers go from 0 to {last_layer}, heads "
                "from 0 to {last_head}."
            ).format(layer=layer, head=head, last_layer=len(modules) - 1, last_head=count - 1)
        )

    def switch_off(_module: nn.Module, inputs: Tensor) -> Tensor:
        outputs = inputs.unflatten(-1, (count, -1)).clone()
        outputs[..., head, :] = 0
        return outputs.flatten(-2)

    with hooked([output_projection(modules[layer])], switch_off, before=True):
        yield


def _cannot_record(model: nn.Module) -> ValueError:
    return ValueError(
        _(
            "The attention of {architecture} cannot be recorded: it does not go through the "
            "AttentionInterface of transformers. Try a model of the Llama family."
        ).format(architecture=type(model).__name__)
    )


@dataclass(frozen=True, eq=False)
class HeadView:
    """One layer of a record, seen from one position through one head, or through all."""

    attention: AttentionRecord
    layer: int
    head: int
    position: int  # the one that looks
    view: str  # "scores", "masked" or "weights"
    all_heads: bool = False

    def grid(self) -> np.ndarray:
        """[head, query, key] of the view; nan where the mask closes."""
        if self.view == "weights":
            return self.attention.weights[self.layer].float().cpu().numpy()
        scores = self.attention.scores[self.layer]
        if self.view == "masked":
            scores = scores.masked_fill(~self.attention.masks[self.layer], float("nan"))
        return scores.float().cpu().numpy()

    def row(self) -> list[float]:
        """What the view says of each position, for the head and the position picked: [key]."""
        return self.grid()[self.head, self.position].tolist()

    def weights(self) -> list[float]:
        """Where the picked position looks through the picked head, whatever the view: [key]."""
        return self.attention.weights[self.layer][self.head, self.position].tolist()

    def lengths(self) -> list[float]:
        """How long each weighted value is: |weight · value|, [key]."""
        parts = self.attention.contributions(self.layer, self.head)[self.position]
        return parts.float().norm(dim=-1).tolist()

    def sharing(self) -> list[int]:
        """The heads that read the same keys and values as this one, itself among them."""
        groups = self.attention.groups(self.layer)
        first = self.head // groups * groups
        return list(range(first, first + groups))
