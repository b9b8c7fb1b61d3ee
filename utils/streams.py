"""Every token of a text runs through the model in a stream of its own: one vector, layer by layer.

Here the streams are taken out and looked at: what a vector would say if it were read on the spot,
and how far it moves when another token changes.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers.utils import ModelOutput

from utils.architecture import (
    check_position,
    check_reading,
    check_token,
    final_norm,
    not_a_stack,
    read_out,
)
from utils.decoding import Candidate, top_candidates
from utils.model import Model, check_rotary, kept_cache, prompt_ids
from utils.tokens import Tokenizer, token_text

ROWS = 256  # vectors that go through the LM head at once: with them, [rows, vocab] stays small


@dataclass(frozen=True, eq=False)
class Streams:
    """One forward pass: each token's stream, from the embedding to what the LM head reads.

    Layer 0 is the embeddings, layer n what block n gave; the last one has been through the final
    norm as well, as in the `hidden_states` of `transformers`.
    """

    tokens: tuple[str, ...]  # one for each position
    input_ids: Tensor  # int64 [position]: the whole text
    hidden_states: Tensor  # [layer + 1, position, width]
    first: int = 0  # the position of the first of them, where only the end of a text is kept


@dataclass(frozen=True, eq=False)
class Reading:
    """What every stream would say next at every layer, if it were read there and then."""

    streams: Streams
    candidates: tuple[
        tuple[tuple[Candidate, ...], ...], ...
    ]  # the likeliest, [layer + 1][position]
    tokens: tuple[tuple[str, ...], ...]  # the first of them
    probabilities: Tensor  # how likely that is, [layer + 1, position]


@dataclass(frozen=True, eq=False)
class Look:
    """One vector of a reading, looked at closely."""

    reading: Reading
    layer: int
    position: int
    column: int  # where in the reading that is
    length: float  # of the vector, before any norm
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, eq=False)
class Moved:
    """One token changed, and how far that moved each vector."""

    before: Streams
    after: Streams
    position: int  # where the token was changed
    distances: Tensor  # |after − before| / |before|, [layer + 1, position]
    same: Tensor  # bool [layer + 1, position]: not a single bit is different
    next_before: tuple[Candidate, ...]  # what the last stream predicts
    next_after: tuple[Candidate, ...]


def trace_streams(model: Model, tokenizer: Tokenizer, text: str) -> Streams:
    """The streams of `text`.  Raises ValueError for an empty text, or one past the context."""
    return trace_ids(model, tokenizer, prompt_ids(model, tokenizer, text)[0])


@torch.no_grad()
def trace_ids(model: Model, tokenizer: Tokenizer, input_ids: Tensor) -> Streams:
    """The streams of a text that is already tokens, int64 [position].

    Raises ValueError for a model whose last vectors are not what its logits are read from.
    """
    output = model(input_ids=input_ids[None], output_hidden_states=True, use_cache=False)
    hidden_states = _all_layers(model, output)
    check_reading(model, output.hidden_states[-1][0, -1], output.logits[0, -1])
    tokens = tuple(token_text(tokenizer, token_id) for token_id in input_ids.tolist())
    return Streams(tokens, input_ids, hidden_states[:, 0])


def _all_layers(model: Model, output: ModelOutput) -> Tensor:
    """[layer + 1, 1, position, width] of a pass.  Raises ValueError where a layer's are others."""
    hidden_states = output.hidden_states
    if len({vectors.shape for vectors in hidden_states}) > 1 or hidden_states[0].ndim != 3:
        raise not_a_stack(model)  # OPT-350m is narrower outside; Gemma 3n has four streams
    return torch.stack(hidden_states)


@torch.no_grad()
def one_at_a_time(model: Model, input_ids: Tensor) -> Tensor:
    """Hidden states [layer + 1, position, width] of ids [position], from a pass for each token.

    What a later token needs of the earlier ones is kept in the key-value cache.  Raises ValueError
    where the model counts positions otherwise as a text gets longer, keeps something else, or is
    no stack of blocks.
    """
    check_rotary(model, 1, len(input_ids))
    cache, columns = None, []
    for token_id in input_ids:
        output = model(
            input_ids=token_id[None, None],
            past_key_values=cache,
            use_cache=True,
            output_hidden_states=True,
        )
        cache = kept_cache(model, output)
        columns.append(_all_layers(model, output)[:, 0])
    return torch.cat(columns, dim=1)


def last_positions(streams: Streams, count: int) -> Streams:
    """The last `count` positions of `streams`; all of them, if there are no more."""
    first = len(streams.tokens) - count
    if first <= 0:
        return streams
    return Streams(
        streams.tokens[first:], streams.input_ids, streams.hidden_states[:, first:], first
    )


@torch.no_grad()
def readable(model: Model, streams: Streams) -> Tensor:
    """The streams' vectors as the LM head knows them: with the final norm at every layer."""
    early, last = streams.hidden_states[:-1], streams.hidden_states[-1:]
    return torch.cat([final_norm(model)(early), last])  # `transformers` has normed the last one


def logit_lens(model: Model, streams: Streams) -> Tensor:
    """Float32 [layer + 1, position, vocab]: the logits, if each layer's output were the last.

    The last layer's are the model's own.  The idea is nostalgebraist's ("interpreting GPT: the
    logit lens", 2020).  It takes 4 · layers · positions · vocab bytes; `read_streams` does not.
    """
    return torch.stack([read_out(model, layer) for layer in readable(model, streams)])


def read_streams(model: Model, tokenizer: Tokenizer, streams: Streams, count: int = 5) -> Reading:
    """The likeliest next tokens at every layer and position, computed a few rows at a time."""
    best = [
        probabilities.topk(min(count, probabilities.shape[-1]))
        for rows in readable(model, streams).flatten(0, 1).split(ROWS)
        for probabilities in [read_out(model, rows).softmax(-1)]
    ]
    shape = (*streams.hidden_states.shape[:2], -1)
    ids = torch.cat([b.indices for b in best]).view(shape)
    shares = torch.cat([b.values for b in best]).view(shape).cpu()
    words = {i: token_text(tokenizer, i) for i in ids.flatten().tolist()}
    candidates = tuple(
        tuple(
            tuple(Candidate(i, words[i], share) for i, share in zip(*cell, strict=True))
            for cell in zip(*row, strict=True)
        )
        for row in zip(ids.tolist(), shares.tolist(), strict=True)
    )
    tokens = tuple(tuple(cell[0].token for cell in row) for row in candidates)
    return Reading(streams, candidates, tokens, shares[..., 0])


def candidates_at(
    model: Model, tokenizer: Tokenizer, streams: Streams, layer: int, position: int, count: int = 5
) -> tuple[Candidate, ...]:
    """The likeliest next tokens, if the stream at `position` were read after `layer`."""
    one = replace(streams, hidden_states=streams.hidden_states[:, [position]])
    return top_candidates(read_out(model, readable(model, one)[layer, 0]), tokenizer, count)


def look_at(reading: Reading, layer: int, position: int) -> Look:
    """One vector of `reading`: its length and the likeliest next tokens."""
    streams, column = reading.streams, position - reading.streams.first
    return Look(
        reading,
        layer,
        position,
        column,
        length=float(streams.hidden_states[layer, column].float().norm()),
        candidates=reading.candidates[layer][column],
    )


def change_token(
    model: Model, tokenizer: Tokenizer, streams: Streams, position: int, token_id: int
) -> Moved:
    """Put another token at `position` of the text, and see how far every vector moves.

    Raises ValueError for a position outside the text and an id outside the vocabulary.
    """
    check_position(position, len(streams.input_ids))
    position %= len(streams.input_ids)
    check_token(model, token_id)
    ids = streams.input_ids.clone()
    ids[position] = token_id
    after = trace_ids(model, tokenizer, ids)
    old, new = streams.hidden_states.float(), after.hidden_states.float()
    length = old.norm(dim=-1)
    return Moved(
        before=streams,
        after=after,
        position=position,
        distances=((new - old).norm(dim=-1) / length.clamp_min(1e-12)).cpu(),
        same=(new == old).all(-1).cpu(),
        next_before=candidates_at(model, tokenizer, streams, -1, -1, 3),
        next_after=candidates_at(model, tokenizer, after, -1, -1, 3),
    )
