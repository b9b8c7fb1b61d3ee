"""The loop that makes a language model write: run the model, pick a token, append it, again.

Nothing is hidden in here that lesson 01 does not build: `generate` is `generation_steps`, joined.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.utils import ModelOutput

from utils.decoding import Candidate, greedy, top_candidates
from utils.generation_settings import configured
from utils.language import _
from utils.model import (
    Model,
    check_rotary,
    context_length,
    end_token_ids,
    kept_cache,
    prompt_ids,
)
from utils.timing import clock
from utils.tokens import Tokenizer, text_after, token_text


@dataclass(frozen=True, eq=False)
class Step:
    """One pass through the model, and the token it led to."""

    input_ids: Tensor  # [1, position]: the whole text so far, before this step's token
    logits: Tensor  # [vocab], float32: the scores for the next token, as it was chosen from them
    token_id: int  # the token chosen from them
    token: str  # that token's text
    positions: int  # how many positions this pass computed
    seconds: float  # how long the pass took, until the device had done it

    def ids_after(self) -> Tensor:
        """The text with this step's token appended: [1, position + 1]."""
        return torch.cat([self.input_ids, self.input_ids.new_tensor([[self.token_id]])], dim=1)


@dataclass(frozen=True, eq=False)
class Continuation:
    """A text on its way: its prompt, and the steps taken since."""

    prompt: tuple[str, ...]  # token by token
    prompt_text: str
    steps: tuple[Step, ...]
    new_text: str
    candidates: tuple[Candidate, ...]  # of the last step; none before the first
    ended: bool  # whether the last step gave the end token


def continuation(
    model: Model, tokenizer: Tokenizer, prompt: Tensor, steps: tuple[Step, ...]
) -> Continuation:
    """The record of what has been written after `prompt`, ids [1, position], in `steps`."""
    last = steps[-1] if steps else None
    return Continuation(
        prompt=tuple(token_text(tokenizer, token_id) for token_id in prompt[0].tolist()),
        prompt_text=tokenizer.decode(prompt[0]),
        steps=steps,
        new_text=text_after(tokenizer, prompt[0].tolist(), [step.token_id for step in steps]),
        candidates=top_candidates(last.logits, tokenizer) if last else (),
        ended=last is not None and last.token_id in end_token_ids(model, tokenizer),
    )


@torch.no_grad()
def next_logits(model: Model, input_ids: Tensor, **options: Any) -> tuple[Tensor, ModelOutput]:
    """One forward pass: the last position's logits, float32 [vocab], and the model's output.

    input_ids: [1, position].  `options` go to the model, such as `past_key_values`.
    """
    output = model(input_ids=input_ids, **options)
    return output.logits[0, -1].float(), output


def generation_steps(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int = 50,
    *,
    use_cache: bool = True,
    choose: Callable[[Tensor], int] = greedy,
) -> Iterator[Step]:
    """Continue `prompt`, one `Step` for each new token, computed when it is asked for.

    Ends after the model's end token, or after `max_new_tokens`.  `choose` turns logits [vocab] into
    a token id.  Raises ValueError for an empty prompt, where the context is too short, and
    where the model's generation config or rotary positions ask for another way of writing.
    """
    if max_new_tokens < 1:
        raise ValueError(_("max_new_tokens must be 1 or more: ask for at least one token."))
    input_ids = prompt_ids(model, tokenizer, prompt)
    check_room(model, input_ids.shape[1], max_new_tokens)
    return steps_from(model, tokenizer, input_ids, max_new_tokens, use_cache, choose)


def check_room(model: Model, prompt_tokens: int, max_new_tokens: int) -> None:
    """Raise ValueError where the new tokens do not fit into the context after the prompt's.

    So where the model's rotary positions would change while they are written.
    """
    room = context_length(model) - prompt_tokens
    if room < 1:
        raise ValueError(
            _(
                "The prompt fills the model's context, and leaves no room for a new token: "
                "shorten it."
            )
        )
    if max_new_tokens > room:
        raise ValueError(
            _(
                "The prompt leaves room for {room} new tokens in the model's context: "
                "shorten the prompt, or ask for at most {room}."
            ).format(room=room)
        )
    check_rotary(model, prompt_tokens, prompt_tokens + max_new_tokens - 1)  # the last is not read


def steps_from(
    model: Model,
    tokenizer: Tokenizer,
    input_ids: Tensor,
    max_new_tokens: int,
    use_cache: bool = True,
    choose: Callable[[Tensor], int] = greedy,
) -> Iterator[Step]:
    """As `generation_steps`, from the ids [1, position] of a text that is already tokens.

    A loop of its own beside `utils.parts.new_tokens`: it can do without a cache, and reads the
    whole text again for each token.  What the model's generation config does to the logits comes
    before the choice, as in the library.
    """
    ends = end_token_ids(model, tokenizer)
    prompt = input_ids.shape[1]
    check_rotary(model, prompt, prompt + max_new_tokens - 1)
    adjusted = configured(model.generation_config, ends, prompt, max_new_tokens)
    cache, unseen = None, input_ids
    for _step in range(max_new_tokens):
        start = clock(model.device)
        logits, output = next_logits(model, unseen, past_key_values=cache, use_cache=use_cache)
        seconds = clock(model.device) - start
        cache = kept_cache(model, output) if use_cache else None
        logits = adjusted(input_ids, logits)
        token_id = choose(logits)
        token = token_text(tokenizer, token_id)
        step = Step(input_ids, logits, token_id, token, unseen.shape[1], seconds)
        yield step
        if token_id in ends:
            return
        input_ids = step.ids_after()
        unseen = input_ids[:, -1:] if use_cache else input_ids


def generate(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int = 50,
    *,
    use_cache: bool = True,
    choose: Callable[[Tensor], int] = greedy,
) -> str:
    """The text that the model writes after `prompt`, without the prompt and without end tokens.

    With `choose=greedy` it is what `model.generate(do_sample=False)` writes, its generation config
    included; in half precision roundings may lead to another token, with the cache or without.
    Arguments and errors as in `generation_steps`.
    """
    steps = generation_steps(
        model, tokenizer, prompt, max_new_tokens, use_cache=use_cache, choose=choose
    )
    return tokenizer.decode([step.token_id for step in steps], skip_special_tokens=True)
