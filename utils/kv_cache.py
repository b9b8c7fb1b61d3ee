"""The cache of keys and values: what a model keeps of the text so far, and what that costs.

A model that keeps them computes each position of a text once; one that does not computes all of
them again for every new token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import Cache, DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from utils.decoding import greedy
from utils.generation import check_room, next_logits
from utils.generation_settings import configured
from utils.hooks import hooked
from utils.language import _
from utils.model import (
    Model,
    check_length,
    check_rotary,
    context_length,
    end_token_ids,
    kept_cache,
    prompt_ids,
)
from utils.parts import new_tokens
from utils.tokens import Tokenizer, token_text

LONGEST_PROMPT = 120  # tokens that `trace_cache` takes: more would not be told apart in a picture


# Work ---------------------------------------------------------------------------------------


def positions_computed(prompt_tokens: int, new_tokens: int, use_cache: bool = True) -> int:
    """How many positions all passes together compute to write `new_tokens` after a prompt.

    Without the cache each pass computes the whole text so far; with it, only what is new. The last
    token written is never read.  Raises ValueError for less than one token of either kind.

    >>> positions_computed(3, 4, use_cache=False)  # 3 + 4 + 5 + 6
    18
    >>> positions_computed(3, 4)  # 3 + 1 + 1 + 1
    6
    """
    if prompt_tokens < 1 or new_tokens < 1:
        raise ValueError(_("Give at least one prompt token and at least one new token."))
    if use_cache:
        return prompt_tokens + new_tokens - 1
    return new_tokens * prompt_tokens + new_tokens * (new_tokens - 1) // 2


@contextmanager
def counting_positions(model: Model) -> Iterator[list[int]]:
    """While the block runs, the list it gets gains one number a forward pass: its positions."""
    counts: list[int] = []

    def count(_module: nn.Module, _ids: Tensor, vectors: Tensor) -> None:
        counts.append(vectors.shape[1])

    with hooked([model.get_input_embeddings()], count):
        yield counts


def generate_with_cache(model: Model, input_ids: Tensor, max_new_tokens: int) -> Tensor:
    """Greedy continuation of `input_ids`, int64 [1, position], each position computed once.

    Returns [1, position + new], the end token included where the model ends by itself: the same ids
    as `model.generate(input_ids, max_new_tokens=…, do_sample=False)`, in float32.  In half
    precision another order of the same sums rounds otherwise, and may lead to another token.
    Raises ValueError for no ids, for no new tokens, where the context is too short for both, and
    where the model's generation config or rotary positions ask for another way.
    """
    if max_new_tokens < 1:
        raise ValueError(_("max_new_tokens must be 1 or more: ask for at least one token."))
    check_length(model, input_ids.shape[-1])
    check_room(model, input_ids.shape[-1], max_new_tokens)
    cache, whole, ends = None, input_ids[:, :0], end_token_ids(model)
    adjusted = configured(model.generation_config, ends, input_ids.shape[1], max_new_tokens)

    def read(unseen: Tensor) -> Tensor:
        nonlocal cache, whole
        logits, output = next_logits(model, unseen, past_key_values=cache, use_cache=True)
        cache, whole = kept_cache(model, output), torch.cat([whole, unseen], dim=1)
        return adjusted(whole, logits)

    written = list(new_tokens(read, input_ids, max_new_tokens, ends=ends))
    return torch.cat([input_ids, input_ids.new_tensor([written])], dim=1)


# Memory -------------------------------------------------------------------------------------


def cache_bytes(
    layers: int, kv_heads: int, head_dim: int, tokens: int, bytes_per_number: int
) -> int:
    """Bytes of the keys and values of `tokens` positions.

    >>> cache_bytes(layers=30, kv_heads=3, head_dim=64, tokens=1000, bytes_per_number=4)
    46080000
    """
    return 2 * layers * kv_heads * head_dim * tokens * bytes_per_number


def predicted_cache_bytes(
    config: PreTrainedConfig, tokens: int, batch: int = 1, dtype: torch.dtype | None = None
) -> int:
    """How many bytes of keys and values a model with this `config` keeps of `tokens` positions.

    config: a `transformers` config; dtype: the config's own by default.
    2 · batch · kv heads · head size · bytes a number, times the positions each layer keeps: all of
    them, or in a layer with a sliding window of w the last w - 1 (the w-th is the newest token,
    still to come). Raises ValueError where a model keeps something else than keys and values.

    >>> from transformers import GPT2Config
    >>> predicted_cache_bytes(GPT2Config(), tokens=1000, dtype=torch.float16)
    36864000
    """
    if tokens < 0 or batch < 1:
        raise ValueError(_("tokens must be 0 or more, and batch 1 or more."))
    config = config.get_text_config(decoder=True)
    kinds = DynamicCache(config=config).layers
    plain = all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in kinds)
    if not plain or getattr(config, "kv_lora_rank", None) or getattr(config, "multi_query", False):
        raise ValueError(
            _("What {architecture} keeps of a text is not counted here.").format(
                architecture=config.model_type
            )
        )
    heads = config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    dtype = dtype or config.dtype or torch.float32
    if isinstance(dtype, str):  # saving a model leaves the name only in its config
        dtype = getattr(torch, dtype)
    number = dtype.itemsize
    kept = (
        min(tokens, layer.sliding_window - 1) if layer.is_sliding else tokens for layer in kinds
    )
    return batch * sum(cache_bytes(1, kv_heads, head_dim, positions, number) for positions in kept)


def measured_cache_bytes(cache: Cache) -> int:
    """How many bytes the keys and values in `cache`, a model's `past_key_values`, hold now."""
    return sum(
        part.nbytes
        for layer in cache.layers
        for part in (layer.keys, layer.values)
        if part is not None
    )


# A generation with and without the cache, step by step -----------------------------------------


@dataclass(frozen=True)
class CacheStep:
    """One new token, written both ways: what was computed for it, and what was kept after it."""

    positions: int  # computed in this pass with the cache
    positions_without: int  # computed in this pass without it
    kept: tuple[int, ...]  # positions that each layer keeps after it
    predicted_bytes: int
    measured_bytes: int


@dataclass(frozen=True)
class CacheTrace:
    """A short generation, with and without the cache."""

    prompt: tuple[str, ...]  # the prompt's tokens
    written: tuple[str, ...]  # the new ones, one a step
    steps: tuple[CacheStep, ...]
    same: bool  # whether both ways wrote the same tokens


def trace_cache(
    model: Model, tokenizer: Tokenizer, prompt: str, max_new_tokens: int = 12
) -> CacheTrace:
    """Continue `prompt` twice, with the cache and without, and count what happens.

    It ends early where the model ends the text. In half precision both ways may round otherwise,
    and then choose another token: `same` says so. Raises ValueError if the prompt is empty, longer
    than `LONGEST_PROMPT` tokens, or leaves no room for the new ones, and for a model that keeps
    something else than keys and values.
    """
    ids = prompt_ids(model, tokenizer, prompt)
    length = ids.shape[1]
    longest = min(LONGEST_PROMPT, context_length(model) - max_new_tokens)
    if length > longest:
        raise ValueError(
            _("That prompt has {count} tokens; here it may have up to {longest}.").format(
                count=length, longest=longest
            )
        )
    check_rotary(model, length, length + max_new_tokens - 1)
    cache, whole, same = None, ids[:, :0], True
    steps: list[CacheStep] = []

    def read_both_ways(unseen: Tensor) -> Tensor:
        nonlocal cache, whole, same
        whole = torch.cat([whole, unseen], dim=1)
        logits, output = next_logits(model, unseen, past_key_values=cache, use_cache=True)
        again, _output = next_logits(model, whole, use_cache=False)
        cache, same = kept_cache(model, output), same and greedy(again) == greedy(logits)
        predicted = predicted_cache_bytes(model.config, whole.shape[1], dtype=model.dtype)
        kept = tuple(layer.keys.shape[-2] for layer in cache.layers)
        positions, without = counts[-2:]
        steps.append(CacheStep(positions, without, kept, predicted, measured_cache_bytes(cache)))
        return logits

    with counting_positions(model) as counts:
        written = list(new_tokens(read_both_ways, ids, max_new_tokens, ends=end_token_ids(model)))
    prompt_tokens, new = (
        tuple(token_text(tokenizer, token_id) for token_id in part)
        for part in (ids[0].tolist(), written)
    )
    return CacheTrace(prompt_tokens, new, tuple(steps), same)


@dataclass(frozen=True)
class CacheAt:
    """A generation, with the cache and without, as far as one of its steps."""

    trace: CacheTrace
    step: int  # from 1
