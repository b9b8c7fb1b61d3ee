"""The residual stream: where it starts, what each block adds to it, and what that makes of a logit.

A block passes on what came in and adds two things: what attention found, and what the feed-forward
layer made of it. So the last vector is a sum, and so is every logit read from it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.architecture import (
    Block,
    blocks,
    check_layer,
    check_position,
    check_reading,
    check_token,
    final_norm,
    not_a_stack,
    read_out,
)
from utils.decoding import Candidate, top_candidates
from utils.hooks import first_tensor, hooked, with_first
from utils.language import _
from utils.model import Model, prompt_ids
from utils.norms import freeze_norm, in_double
from utils.tokens import Tokenizer, token_text


@dataclass(frozen=True, eq=False)
class BlockPass:
    """What happened in one block while a text ran through the model.  Tensors [position, width]."""

    block: Block
    inputs: Tensor
    attention: Tensor  # what is added to the stream, after a norm of its own where there is one
    feed_forward: Tensor
    outputs: Tensor  # inputs + attention + feed_forward
    feed_forward_outputs: Tensor  # of the feed-forward layer itself
    last_norm: nn.Module | None  # the norm between that and the stream, in Gemma; None in others


@dataclass(frozen=True, eq=False)
class ResidualTrace:
    """One text's way through all blocks, as a sum: start + attention + feed_forward = end."""

    tokens: tuple[str, ...]
    start: Tensor  # [position, width]: the embeddings, as the first block gets them
    attention: Tensor  # [layer, position, width]: what each attention layer adds
    feed_forward: Tensor  # [layer, position, width]: what each feed-forward layer adds
    end: Tensor  # [position, width]: what leaves the last block, before the final norm
    logits: Tensor  # [position, vocab]: what the model makes of that


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each part adds at one position: its size, and its share of one token's logit.

    Sizes are lengths of vectors. The shares of the logit, start + attention + feed_forward +
    constant, sum to `logit`, the model's own.
    """

    trace: ResidualTrace
    position: int
    token_id: int
    token: str  # whose logit
    start_size: float
    attention_sizes: Tensor  # [layer]
    feed_forward_sizes: Tensor  # [layer]
    stream_sizes: Tensor  # [layer]: the stream after each block
    start_logit: float
    attention_logits: Tensor  # [layer]
    feed_forward_logits: Tensor  # [layer]
    constant: float  # from the biases of the final norm and of the LM head, where there are any
    logit: float
    candidates: tuple[Candidate, ...]  # the likeliest next tokens here
    layer: int | None = None  # one that is looked at closely

    def running_total(self) -> Tensor:
        """The logit so far: at the start, and after each block, [layer + 1].  Constant included."""
        added = self.attention_logits + self.feed_forward_logits
        start = added.new_tensor([self.start_logit + self.constant])
        return torch.cat([start, added]).cumsum(0)


def trace_residual(model: Model, tokenizer: Tokenizer, text: str) -> ResidualTrace:
    """Take the residual stream of `text` apart.

    Raises ValueError for an empty text, one past the context, and an architecture whose blocks do
    not add attention and feed-forward to one stream.
    """
    ids = prompt_ids(model, tokenizer, text)
    passes, logits = _run(model, ids)
    return ResidualTrace(
        tokens=tuple(token_text(tokenizer, token_id) for token_id in ids[0].tolist()),
        start=passes[0].inputs,
        attention=torch.stack([one.attention for one in passes]),
        feed_forward=torch.stack([one.feed_forward for one in passes]),
        end=passes[-1].outputs,
        logits=logits,
    )


def trace_blocks(model: Model, input_ids: Tensor) -> tuple[BlockPass, ...]:
    """Run ids [1, position] through `model`, and keep what each block adds to the stream.

    In some models (GPT-NeoX) both parts read the block's inputs, in others the feed-forward layer
    reads them with attention's share already added; added up it is the same.  Raises ValueError
    where the inputs and the two shares do not make the outputs, or the last outputs, normed and
    read, not the model's logits.
    """
    return _run(model, input_ids)[0]


@torch.no_grad()
def _run(model: Model, input_ids: Tensor) -> tuple[tuple[BlockPass, ...], Tensor]:
    """As `trace_blocks`; and the logits, [position, vocab]."""
    found = blocks(model)
    notes: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    parts = [(one.module, one.attention, one.feed_forward, *one.norms()) for one in found]

    def note(module: nn.Module, inputs: Tensor, outputs: Tensor | tuple) -> None:
        notes[module] = inputs, first_tensor(outputs)

    with hooked([module for modules in parts for module in modules], note):
        logits = model(input_ids=input_ids, use_cache=False).logits
    passes = tuple(_put_together(model, block, notes) for block in found)
    check_reading(model, final_norm(model)(passes[-1].outputs[-1]), logits[0, -1])
    return passes, logits[0]


def _put_together(
    model: Model, block: Block, notes: dict[nn.Module, tuple[Tensor, Tensor]]
) -> BlockPass:
    inputs, outputs = notes[block.module]

    def added(part: nn.Module) -> tuple[Tensor, nn.Module | None]:
        """What a part gave; or what a norm made of it, if one took the very tensor it gave."""
        gave = notes[part][1]
        for norm in block.norms():
            if norm in notes and notes[norm][0] is gave:
                return notes[norm][1], norm
        return gave, None

    attention, _norm = added(block.attention)
    feed_forward, last_norm = added(block.feed_forward)
    total = inputs + attention + feed_forward
    error = (total - outputs).abs().max()
    if error > 16 * torch.finfo(total.dtype).eps * total.abs().max().clamp(min=1):
        raise not_a_stack(model)
    own = notes[block.feed_forward][1]
    return BlockPass(block, inputs[0], attention[0], feed_forward[0], outputs[0], own[0], last_norm)


@torch.no_grad()
def contributions(
    model: Model,
    tokenizer: Tokenizer,
    trace: ResidualTrace,
    position: int,
    token_id: int | None = None,
) -> Contributions:
    """What each part adds at `position`, as size and as logit of `token_id`, or of the likeliest.

    The final norm divides the vector by its own size, so it is no sum of what it would make of the
    parts. Its scale is frozen: every part is divided by the size that the whole has here. A logit
    cap (Gemma 2) is frozen in the same way.  Raises ValueError for a position outside the text and
    an id outside the vocabulary.
    """
    check_position(position, len(trace.tokens))
    position %= len(trace.tokens)
    start, end = trace.start[position], trace.end[position]
    attention, feed_forward = trace.attention[:, position], trace.feed_forward[:, position]
    logits = trace.logits[position].float()
    token_id = int(logits.argmax()) if token_id is None else token_id
    check_token(model, token_id)
    direction, constant = _direction(model, end, token_id, float(logits[token_id]))
    stream = start.float() + (attention.float() + feed_forward.float()).cumsum(0)
    return Contributions(
        trace=trace,
        position=position,
        token_id=token_id,
        token=token_text(tokenizer, token_id),
        start_size=float(start.float().norm()),
        attention_sizes=attention.float().norm(dim=-1).cpu(),
        feed_forward_sizes=feed_forward.float().norm(dim=-1).cpu(),
        stream_sizes=stream.norm(dim=-1).cpu(),
        start_logit=float(in_double(start) @ direction),
        attention_logits=(in_double(attention) @ direction).float().cpu(),
        feed_forward_logits=(in_double(feed_forward) @ direction).float().cpu(),
        constant=constant,
        logit=float(logits[token_id]),
        candidates=top_candidates(logits, tokenizer),
    )


@torch.no_grad()
def read_direction(model: Model, end: Tensor, token_id: int) -> tuple[Tensor, float]:
    """The direction [width] along which a vector adds to the logit of `token_id`, and a constant.

    end: [width], what leaves the last block.  logit = end · direction + constant, and with the
    scale of the final norm frozen at `end`, the parts of `end` have their shares of it.
    """
    logit = float(read_out(model, final_norm(model)(end))[token_id])
    return _direction(model, end, token_id, logit)


def _direction(model: Model, end: Tensor, token_id: int, logit: float) -> tuple[Tensor, float]:
    norm, head = final_norm(model), model.get_output_embeddings()
    frozen, row = freeze_norm(norm, end), in_double(head.weight[token_id])
    direction, constant = frozen.behind(row), float(frozen.bias @ row)
    if head.bias is not None:
        constant += float(head.bias[token_id])
    raw = float(in_double(end) @ direction) + constant
    after = logit / raw if raw else 1.0  # what the model does to its logits after the LM head
    return direction * after, constant * after


@torch.no_grad()
def blend(
    model: Model, tokenizer: Tokenizer, text: str, other: str, layer: int, share: float
) -> Tensor:
    """Logits, float32 [vocab], from halfway between two texts: read on from a mix of their vectors.

    After block `layer` each position's vector becomes (1 − share) · text's + share · other's, and
    the blocks above read that.  share 0 gives what follows `text`, 1 what follows `other`.
    Raises ValueError unless both texts have as many tokens, `layer` exists, and share is 0 to 1.
    """
    found = blocks(model)
    check_layer(layer, len(found))
    if not 0 <= share <= 1:
        raise ValueError(_("The share must be between 0 and 1, not {share}.").format(share=share))
    ids = [prompt_ids(model, tokenizer, each) for each in (text, other)]
    if ids[0].shape != ids[1].shape:
        raise ValueError(
            _(
                "The texts are {one} and {two} tokens long. Only texts with as many tokens can be "
                "blended, position by position."
            ).format(one=ids[0].shape[1], two=ids[1].shape[1])
        )
    mixed = torch.tensor([1 - share, share], dtype=model.dtype, device=model.device)

    def mix(_module, _inputs, outputs):
        vectors = first_tensor(outputs)
        both = torch.einsum("t,tpw->pw", mixed, vectors).expand_as(vectors)
        return with_first(outputs, both)

    with hooked([found[layer].module], mix):
        return model(input_ids=torch.cat(ids), use_cache=False).logits[0, -1].float()
