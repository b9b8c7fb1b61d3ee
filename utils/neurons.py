"""The neurons of a feed-forward layer: which are active at a token, and what they push towards.

A neuron is one number between the layer's two steps. What it adds to the stream is that number
times its column of the layer's last matrix.
"""

from dataclasses import dataclass

import torch
from torch import nn

from utils.architecture import (
    blocks,
    check_layer,
    check_position,
    check_token,
    final_norm,
    last_matrix,
)
from utils.hooks import hooked
from utils.model import Model, prompt_ids
from utils.norms import freeze_norm, in_double
from utils.residual import read_direction, trace_blocks
from utils.tokens import Tokenizer, token_text

WORDS = 5  # that are shown of those a neuron pushes towards


@dataclass(frozen=True)
class Neuron:
    """One neuron of a feed-forward layer: how active it is, and which words it pushes towards."""

    number: int
    activation: float
    size: float  # the length of the vector that it adds to the stream
    towards: tuple[str, ...]  # the tokens whose logits it raises most here, first the most
    push: float | None  # what it adds to the logit of the chosen token; None if none was chosen


@dataclass(frozen=True, eq=False)
class NeuronsAt:
    """The strongest neurons of one layer at one position of a text."""

    tokens: tuple[str, ...]
    layer: int
    position: int
    neurons: int  # how many there are in the layer
    share: float  # how much of the squared activations the strongest 1 % of them make up
    token: str | None  # the token they are ordered by, if one was chosen
    strongest: tuple[Neuron, ...]


@torch.no_grad()
def strongest_neurons(
    model: Model,
    tokenizer: Tokenizer,
    text: str,
    layer: int,
    position: int = -1,
    count: int = 5,
    token_id: int | None = None,
) -> NeuronsAt:
    """The neurons of feed-forward `layer` that add most at `position` of `text`.

    What a neuron adds, read through the final norm (its scale frozen) and the LM head, is a push
    towards some words and away from others ("Transformer Feed-Forward Layers Are Key-Value
    Memories", Geva et al., 2021). With `token_id` the neurons are ordered by how far they raise
    that token's logit.  Raises ValueError for a layer, a position or an id that is not there.
    """
    found = blocks(model)
    check_layer(layer, len(found))
    if token_id is not None:
        check_token(model, token_id)
    ids = prompt_ids(model, tokenizer, text)
    check_position(position, ids.shape[1])
    matrix, kept = last_matrix(model, found[layer].feed_forward), []
    with hooked([matrix], lambda _module, inputs: kept.append(inputs), before=True):
        passes = trace_blocks(model, ids)
    activations = in_double(kept[0].reshape(-1, kept[0].shape[-1])[position])
    columns = in_double(matrix.weight)
    adds = activations[:, None] * (columns.T if isinstance(matrix, nn.Linear) else columns)
    if own_norm := passes[layer].last_norm:  # Gemma: what the layer gives is normed, then added
        adds = freeze_norm(own_norm, passes[layer].feed_forward_outputs[position]).share(adds)
    sizes, end = adds.norm(dim=-1), passes[-1].outputs[position]
    pushes = None
    if token_id is not None:
        pushes = adds @ read_direction(model, end, token_id)[0]
    order = (sizes if pushes is None else pushes).topk(min(count, len(adds))).indices
    head, read = model.get_output_embeddings().weight, freeze_norm(final_norm(model), end).share
    words = (read(adds[order]).to(head) @ head.T).topk(WORDS).indices
    strongest = tuple(
        Neuron(
            number,
            activation=float(activations[number]),
            size=float(sizes[number]),
            towards=tuple(token_text(tokenizer, token) for token in row),
            push=None if pushes is None else float(pushes[number]),
        )
        for number, row in zip(order.tolist(), words.tolist(), strict=True)
    )
    squares = activations.square().sort(descending=True).values
    return NeuronsAt(
        tokens=tuple(token_text(tokenizer, i) for i in ids[0].tolist()),
        layer=layer,
        position=position % ids.shape[1],
        neurons=len(activations),
        share=float(squares[: max(1, len(squares) // 100)].sum() / squares.sum()),
        token=None if token_id is None else token_text(tokenizer, token_id),
        strongest=strongest,
    )
