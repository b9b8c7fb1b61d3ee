"""How surprised a model is by each token of a text, up to its context and past it.

Position after position, the loss tells what the model still makes of a text.
"""

import torch
from torch import Tensor, nn

from utils.language import _
from utils.model import Model, check_rotary, context_length, kept_cache


def loss_by_position(logits: Tensor, input_ids: Tensor) -> Tensor:
    """How surprised the model was by each token but the first: [position − 1].

    logits: [1, position, vocab]; input_ids: int64 [1, position].  The logits at a position are for
    the token after it, so they are compared with the ids shifted by one.

    >>> loss_by_position(torch.zeros(1, 3, 4), torch.tensor([[0, 1, 2]]))  # ln 4: no idea of four
    tensor([1.3863, 1.3863])
    """
    return nn.functional.cross_entropy(logits[0, :-1].float(), input_ids[0, 1:], reduction="none")


@torch.no_grad()
def long_losses(model: Model, input_ids: Tensor, rows: int = 512) -> Tensor:
    """`loss_by_position` of ids [1, position] of any length, `rows` positions at a time.

    One pass in pieces: each reads the earlier ones through the cache, and only its own logits are
    kept.  Past the context length the model is asked for what it was never trained to do.
    Raises ValueError where it has a table of positions that ends before the text does, and where
    its rotary positions change on the way.
    """
    length = input_ids.shape[1]
    _positions_in_table(model, length)
    check_rotary(model, min(rows, length), length)
    cache, losses = None, []
    for start in range(0, length - 1, rows):
        piece = input_ids[:, start : start + rows]
        output = model(input_ids=piece, past_key_values=cache, use_cache=True)
        cache = kept_cache(model, output)
        targets = input_ids[0, start + 1 : start + 1 + rows]
        logits = output.logits[0, : len(targets)].float()
        losses.append(nn.functional.cross_entropy(logits, targets, reduction="none"))
    return torch.cat(losses).cpu()


@torch.no_grad()
def loss_at_distance(model: Model, input_ids: Tensor, first: int, distance: int) -> float:
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


def _positions_in_table(model: Model, wanted: int) -> None:
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
