"""What is lost without a feed-forward layer, or without an attention layer: switch it off and see.

A layer that is switched off adds nothing to the residual stream; what came in goes on as it was.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from utils.architecture import blocks, check_layer, check_parts_add, check_token
from utils.decoding import Candidate, top_candidates
from utils.generation import next_logits
from utils.hooks import first_tensor, hooked, skipped, with_first
from utils.language import _
from utils.losses import loss_by_position
from utils.model import Model, prompt_ids, ready_ids
from utils.tokens import Tokenizer, text_ids, token_text


@contextmanager
def without_feed_forward(model: Model, layers: int | Iterable[int]) -> Iterator[None]:
    """Within it, the feed-forward layers of the blocks `layers` add nothing to the stream.

        with without_feed_forward(model, [22]):
            model(...)

    Afterwards the model is as it was, after an error too.  Raises ValueError for a layer that the
    model does not have, and for an architecture whose feed-forward layers cannot be told, or
    give more than what they add (BLOOM, MPT).
    """
    with _switched_off(model, layers, "feed_forward"):
        yield


@contextmanager
def without_attention(model: Model, layers: int | Iterable[int]) -> Iterator[None]:
    """Within it, the attention layers of the blocks `layers` add nothing to the stream.

    Afterwards, and for what cannot be done, as in `without_feed_forward`.
    """
    with _switched_off(model, layers, "attention"):
        yield


OFF = {"feed_forward": without_feed_forward, "attention": without_attention}


def _check_part(part: str) -> None:
    if part not in OFF:
        raise ValueError(
            _("There is no part {name}. There are: {names}.").format(
                name=repr(part), names=", ".join(OFF)
            )
        )


@contextmanager
def _switched_off(model: Model, layers: int | Iterable[int], part: str) -> Iterator[None]:
    found = blocks(model)
    check_parts_add(model, found[:1])  # all blocks are built alike
    layers = list(layers) if isinstance(layers, Iterable) else [layers]
    for layer in layers:
        check_layer(layer, len(found))

    def nothing(_module, _inputs, outputs):
        return with_first(outputs, torch.zeros_like(first_tensor(outputs)))

    with hooked([getattr(found[layer], part) for layer in layers], nothing):
        yield


@contextmanager
def _remembered(model: Model) -> Iterator[list]:
    """Within it, what each block gives in the next pass is kept in the list that this gives."""
    kept = []
    modules = [block.module for block in blocks(model)]
    with hooked(modules, lambda _module, _inputs, outputs: kept.append(outputs)):
        yield kept


@contextmanager
def _one_off(model: Model, part: str, layer: int, outputs: list) -> Iterator[None]:
    """Within it, `part` of one layer is off, and the blocks below give the `outputs` remembered.

    What is switched off in a block changes nothing below it, so half of all the work can be spared.
    """
    below = [block.module for block in blocks(model)[:layer]]
    with skipped(below, outputs[:layer]), _switched_off(model, layer, part):
        yield


@dataclass(frozen=True, eq=False)
class WithoutEach:
    """What follows a text, and how likely that stays when one layer at a time is switched off."""

    input_ids: Tensor  # [1, position]
    tokens: tuple[str, ...]
    token_id: int  # the token that is followed
    token: str
    part: str  # "feed_forward" or "attention"
    candidates: tuple[Candidate, ...]  # of the whole model
    probability: float  # of the followed token, with the whole model
    without: Tensor  # [layer]: its probability without that layer
    still_first: Tensor  # bool [layer]: whether it is the likeliest even so


@dataclass(frozen=True, eq=False)
class SwitchedOff:
    """Some layers switched off together: what follows the text now."""

    each: WithoutEach
    layers: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    probability: float  # of the followed token


def without_each(
    model: Model,
    tokenizer: Tokenizer,
    text: str,
    part: str = "feed_forward",
    token_id: int | None = None,
) -> WithoutEach:
    """Switch each layer's `part` off in turn, and follow one token: the likeliest, or `token_id`.

    Takes half a pass for every layer.  Raises ValueError for an empty text, one past the context,
    another part, and an id outside the vocabulary.
    """
    _check_part(part)
    if token_id is not None:
        check_token(model, token_id)
    ids = prompt_ids(model, tokenizer, text)
    with _remembered(model) as outputs:
        logits, _output = next_logits(model, ids, use_cache=False)
    token_id = int(logits.argmax()) if token_id is None else token_id
    each = []
    for layer in range(len(blocks(model))):
        with _one_off(model, part, layer, outputs):
            each.append(next_logits(model, ids, use_cache=False)[0])
    rows = torch.stack(each)
    return WithoutEach(
        input_ids=ids,
        tokens=tuple(token_text(tokenizer, i) for i in ids[0].tolist()),
        token_id=token_id,
        token=token_text(tokenizer, token_id),
        part=part,
        candidates=top_candidates(logits, tokenizer),
        probability=float(logits.softmax(-1)[token_id]),
        without=rows.softmax(-1)[:, token_id].cpu(),
        still_first=(rows.argmax(-1) == token_id).cpu(),
    )


def switch_off(
    model: Model, tokenizer: Tokenizer, each: WithoutEach, layers: Iterable[int]
) -> SwitchedOff:
    """What follows the text of `each` without all of `layers` at once."""
    layers = tuple(layers)
    with OFF[each.part](model, layers):
        logits = next_logits(model, each.input_ids)[0]
    return SwitchedOff(
        each,
        layers,
        top_candidates(logits, tokenizer),
        probability=float(logits.softmax(-1)[each.token_id]),
    )


@dataclass(frozen=True, eq=False)
class LayerLosses:
    """How badly a text is predicted without one layer's attention, or its feed-forward."""

    tokens: int  # of the text
    whole: float  # the mean loss of the whole model
    attention: Tensor  # [layer]
    feed_forward: Tensor  # [layer]


@torch.no_grad()
def losses_without_each(
    model: Model, tokenizer: Tokenizer, text: str, tokens: int = 32
) -> LayerLosses:
    """The mean loss on the first `tokens` of `text`, with every layer's two parts off in turn.

    That takes a whole pass, and two half ones for every layer.  Raises ValueError for a text of
    fewer than two tokens.
    """
    first = text_ids(tokenizer, text)[:tokens]
    if len(first) < 2:
        raise ValueError(_("The text is too short: two tokens are needed for a prediction."))
    ids = ready_ids(model, first)

    def loss() -> float:
        return float(loss_by_position(model(input_ids=ids, use_cache=False).logits, ids).mean())

    with _remembered(model) as outputs:
        whole = loss()
    found: dict[str, list[float]] = {part: [] for part in OFF}
    for part, losses in found.items():
        for layer in range(len(blocks(model))):
            with _one_off(model, part, layer, outputs):
                losses.append(loss())
    return LayerLosses(
        ids.shape[1], whole, **{part: torch.tensor(losses) for part, losses in found.items()}
    )
