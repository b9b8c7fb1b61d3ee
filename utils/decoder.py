"""A whole Llama-family model in one short file: what lesson 08 builds, as a reference.

Made for speed with one text: matrices that read the same vector are fused into one, all of them are
multiplied in the form that is fastest on this machine, and keys and values go into memory that is
taken once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import rms_norm, scaled_dot_product_attention
from transformers import GenerationConfig
from transformers.activations import ACT2FN

from utils.decoder_forms import fastest_form
from utils.decoder_weights import (
    BlockWeights,
    Matrix,
    block_weights,
    check_architecture,
    longest_text,
)
from utils.decoding import greedy
from utils.generation_settings import configured
from utils.language import _
from utils.model import Model, end_token_ids
from utils.parts import new_tokens


@dataclass(eq=False)
class StaticCache:
    """Keys and values, float [layer, 1, kv_head, position, head_dim]; `length` positions filled."""

    keys: Tensor
    values: Tensor
    length: int = 0

    def get_seq_length(self) -> int:
        return self.length


@dataclass(frozen=True, eq=False)
class Decoder:
    """A causal language model, one text at a time, with the weights of the model it is made from.

    Its dtype and device are that model's.  `Decoder.from_model(model)` makes one.
    """

    embedding: Tensor  # [vocab, width]
    blocks: tuple[BlockWeights, ...]
    norm: Tensor  # [width]
    head: Matrix  # [vocab, width]
    cos: Tensor  # [position, head_dim], for every position there is room for
    sin: Tensor  # the same, its first half negative
    heads: int
    kv_heads: int
    epsilon: float
    activation: Callable[[Tensor], Tensor]
    end_ids: frozenset[int]
    settings: GenerationConfig
    longest: int  # the text that the model itself can read, in tokens

    @classmethod
    @torch.no_grad()
    def from_model(cls, model: Model, max_positions: int = 2048) -> "Decoder":
        """Take the weights out of a Llama, Mistral, Qwen2 or Phi-3 of `transformers`.

        max_positions: the longest text to make room for, at most the model's context or sliding
        window.  On a CPU it may have matrices of its own, as large as the model's: a
        short trial tells in which form this machine multiplies fastest.  Raises ValueError
        for a model of another kind, or one without an LM head.
        """
        if max_positions < 1:
            raise ValueError(
                _("max_positions must be 1 or more: make room for at least one token.")
            )
        check_architecture(model)
        config, stack, longest = model.config, model.model, longest_text(model)
        weight = model.get_input_embeddings().weight
        positions = torch.arange(min(max_positions, longest), device=weight.device)
        cos, sin = (angles[0] for angles in stack.rotary_emb(weight, positions[None]))
        first, second = sin.chunk(2, dim=-1)
        blocks, head = [block_weights(layer) for layer in stack.layers], model.lm_head.weight
        form = fastest_form([m.weight for block in blocks for m in block.matrices()])
        return cls(
            embedding=weight,
            blocks=tuple(block.laid_out(form) for block in blocks),
            norm=stack.norm.weight,
            head=Matrix(head, None, form(head)),
            cos=cos,
            sin=torch.cat([-first, second], dim=-1),
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            epsilon=config.rms_norm_eps,
            activation=ACT2FN[config.hidden_act],
            end_ids=end_token_ids(model),
            settings=model.generation_config,
            longest=longest,
        )

    @property
    def max_positions(self) -> int:
        """The longest text there is room for, in tokens."""
        return len(self.cos)

    def matrices(self) -> list[Tensor]:
        """All that is multiplied with to write a token, each [out, in]."""
        return [*(m.weight for block in self.blocks for m in block.matrices()), self.head.weight]

    def new_cache(self) -> StaticCache:
        """An empty cache with room for `max_positions`."""
        shape = (len(self.blocks), 1, self.kv_heads, *self.cos.shape)
        return StaticCache(self.cos.new_empty(shape), self.cos.new_empty(shape))

    @torch.no_grad()
    def __call__(self, input_ids: Tensor, cache: StaticCache | None = None) -> Tensor:
        """Logits [1, position, vocab] of `input_ids`, int64 [1, position].

        With a cache they go on from the text that it holds, and are kept in it.  Raises ValueError
        for a text longer than `max_positions`.
        """
        return self.head(self._read(input_ids, cache))

    def generate(self, input_ids: Tensor, max_new_tokens: int) -> Tensor:
        """`input_ids`, int64 [1, position], and the likeliest tokens after them: [1, all].

        The ids of `model.generate(input_ids, do_sample=False)`, but for roundings in half
        precision, which may lead to another token.  Errors as in `tokens`.
        """
        new = list(self.tokens(input_ids, max_new_tokens))
        return torch.cat([input_ids, input_ids.new_tensor([new])], dim=1)

    @torch.no_grad()
    def tokens(
        self, input_ids: Tensor, max_new_tokens: int, choose: Callable[[Tensor], int] = greedy
    ) -> Iterator[int]:
        """Yield the ids of new tokens as they are chosen; an end token is the last.

        `choose` turns logits, float32 [vocab], into an id.  Raises ValueError if the text would get
        longer than `max_positions`.
        """
        if max_new_tokens < 1:
            raise ValueError(_("max_new_tokens must be 1 or more: ask for at least one token."))
        self._check_room(input_ids.shape[1] + max_new_tokens)
        cache, whole = self.new_cache(), input_ids[:, :0]
        adjusted = configured(self.settings, self.end_ids, input_ids.shape[1], max_new_tokens)

        def read(unseen: Tensor) -> Tensor:
            nonlocal whole
            whole = torch.cat([whole, unseen], dim=1)
            last = self._read(unseen, cache)[:, -1:]  # nobody asks for the other logits
            return adjusted(whole, self.head(last)[0, 0].float())

        yield from new_tokens(read, input_ids, max_new_tokens, choose, self.end_ids)

    def _read(self, input_ids: Tensor, cache: StaticCache | None) -> Tensor:
        """All but the LM head: [1, position, width]."""
        if input_ids.ndim != 2 or len(input_ids) != 1 or not input_ids.numel():
            raise ValueError(_("Give the ids of one text that is not empty: [1, position]."))
        past = cache.length if cache else 0
        self._check_room(past + input_ids.shape[1])
        x = self.embedding[input_ids]
        for layer, block in enumerate(self.blocks):
            x = x + self._attention(self._norm(x, block.norm_1), block, cache, layer, past)
            gate, up = block.gate_up(self._norm(x, block.norm_2)).chunk(2, dim=-1)
            x = x + block.down(self.activation(gate) * up)
        if cache:
            cache.length = past + input_ids.shape[1]
        return self._norm(x, self.norm)

    def _attention(
        self, x: Tensor, block: BlockWeights, cache: StaticCache | None, layer: int, past: int
    ) -> Tensor:
        new, total = x.shape[1], past + x.shape[1]
        qkv = block.qkv(x).view(1, new, -1, self.cos.shape[1]).transpose(1, 2)
        qk, values = qkv.split([self.heads + self.kv_heads, self.kv_heads], dim=1)
        # Each pair of numbers, i and i + half a head, turns by an angle that grows with the place.
        qk = qk * self.cos[past:total] + qk.roll(qk.shape[-1] // 2, -1) * self.sin[past:total]
        queries, keys = qk.split([self.heads, self.kv_heads], dim=1)
        if cache:
            cache.keys[layer, :, :, past:total] = keys
            cache.values[layer, :, :, past:total] = values
            keys, values = cache.keys[layer, :, :, :total], cache.values[layer, :, :, :total]
        mask = None
        if past and new > 1:  # new positions after old ones: each sees all up to itself
            mask = torch.ones(new, total, dtype=torch.bool, device=x.device).tril(past)
        combined = scaled_dot_product_attention(
            queries, keys, values, mask, is_causal=not past and new > 1, enable_gqa=True
        )
        return block.output(combined.transpose(1, 2).flatten(2))

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return rms_norm(x, weight.shape, weight, self.epsilon)

    def _check_room(self, count: int) -> None:
        if count > self.longest:
            raise ValueError(
                _(
                    "The text would have {count} tokens, and a decoder of this model has room for "
                    "{room} at most. Shorten it."
                ).format(room=self.longest, count=count)
            )
        if count > self.max_positions:
            raise ValueError(
                _(
                    "The text would have {count} tokens, and this decoder made room for {room}. "
                    "Shorten it, or give Decoder.from_model a larger max_positions."
                ).format(room=self.max_positions, count=count)
            )
