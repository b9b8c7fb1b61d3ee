"""Texts of many tokens: what they cost at once and one by one, and up to and past the context.

Position after position, the loss tells what the model still makes of them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.language import _
from utils.model import context_length
from utils.streams import loss_by_position


@dataclass(frozen=True)
class PassTimes:
    """How long the same `tokens` positions took, at once and one after the other."""

    tokens: int
    at_once: float  # seconds
    one_by_one: float


@torch.no_grad()
def one_at_a_time(model, input_ids: Tensor) -> Tensor:
    """Hidden states [layer + 1, position, width] of ids [position], from a pass for each token.

    What a later token needs of the earlier ones is kept in the key-value cache.
    """
    cache, columns = None, []
    for token_id in input_ids:
        output = model(
            input_ids=token_id[None, None],
            past_key_values=cache,
            use_cache=True,
            output_hidden_states=True,
        )
        cache = output.past_key_values
        columns.append(torch.stack(output.hidden_states)[:, 0])
    return torch.cat(columns, dim=1)


def pass_times(model, input_ids: Tensor, lengths: Sequence[int]) -> Iterator[PassTimes]:
    """Time the first n of ids [position], at once and one by one, for each n of `lengths`.

    The better of two times counts: what slows a pass down is whatever else the machine does.
    """
    one_at_a_time(model, input_ids[:1])  # the first pass of all takes longer, whatever it does
    for length in lengths:
        ids, at_once, one_by_one = input_ids[:length], [], []
        for _twice in range(2):
            start = time.perf_counter()
            with torch.no_grad():
                model(input_ids=ids[None], output_hidden_states=True)
            between = time.perf_counter()
            one_at_a_time(model, ids)
            at_once.append(between - start)
            one_by_one.append(time.perf_counter() - between)
        yield PassTimes(len(ids), min(at_once), min(one_by_one))


@torch.no_grad()
def long_losses(model, input_ids: Tensor, rows: int = 512) -> Tensor:
    """`loss_by_position` of ids [1, position] of any length, `rows` positions at a time.

    One pass in pieces: each reads the earlier ones through the cache, and only its own logits are
    kept.  Past the context length the model is asked for what it was never trained to do.
    Raises ValueError where it has a table of positions that ends before the text does.
    """
    length = input_ids.shape[1]
    _positions_in_table(model, length)
    cache, losses = None, []
    for start in range(0, length - 1, rows):
        piece = input_ids[:, start : start + rows]
        output = model(input_ids=piece, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        targets = input_ids[0, start + 1 : start + 1 + rows]
        logits = output.logits[0, : len(targets)].float()
        losses.append(nn.functional.cross_entropy(logits, targets, reduction="none"))
    return torch.cat(losses).cpu()


@torch.no_grad()
def loss_at_distance(model, input_ids: Tensor, first: int, distance: int) -> float:
    """The mean loss of all but the `first` tokens, set `distance` positions further right.

    input_ids: [1, position].  The tokens stay what they are; only their positions are counted as
    if that many others stood in between.  The first token after the gap is predicted from before
    it, and is left out.
    """
    length = input_ids.shape[1]
    _positions_in_table(model, length + distance)
    positions = torch.arange(length, device=input_ids.device)
    positions[first:] += distance
    logits = model(input_ids=input_ids, position_ids=positions[None]).logits
    return loss_by_position(logits, input_ids)[first:].mean().item()


def _positions_in_table(model, wanted: int) -> None:
    """Refuse positions that a model with a learned table of them does not have."""
    limit = context_length(model)
    for table in model.modules():
        is_table = isinstance(table, nn.Embedding) and table is not model.get_input_embeddings()
        if is_table and limit <= table.num_embeddings < wanted:
            raise ValueError(
                _(
                    "{architecture} has learned a vector for each of {limit} positions, and this "
                    "text needs {wanted}. Shorten it."
                ).format(architecture=type(model).__name__, limit=limit, wanted=wanted)
            )
