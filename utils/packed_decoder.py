"""The course's model, written with as it was shipped: 4 bits a weight, never made larger.

It computes what `utils.decoder` computes from a fifth of the bytes, and it is the same model: the
numbers of the float32 file are these, unpacked.  It needs neither that file nor PyTorch.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from utils.language import _
from utils.model_store import packed_model
from utils.packed_file import PackedFile
from utils.packed_kernels import attend, gated, numba, rms_norm, turn_and_keep
from utils.packed_llama import (
    PackedBlock,
    check_llama,
    end_ids,
    head_counts,
    packed_block,
    turns,
)
from utils.packed_weights import Matrix, tiled

AT_ONCE = 64  # positions of a long text that go through the model together
PATIENCE = 1.5  # seconds that a learner waits before being told what for
TAKING_TURNS = (
    threading.Lock()
)  # not all of numba's ways to use the cores serve two callers at once

Numbers = Any  # ids or logits: arrays of numpy, or tensors of PyTorch where ids are given as such


def likeliest(logits: Numbers) -> int:
    """The id of the highest of logits [vocab]."""
    return int(logits.argmax())


@dataclass(eq=False)
class PackedCache:
    """Keys and values, float32 [layer, kv_head, position, head_dim]; `length` positions filled."""

    keys: np.ndarray
    values: np.ndarray
    length: int = 0

    def get_seq_length(self) -> int:
        return self.length


@dataclass(frozen=True, eq=False)
class PackedDecoder:
    """A Llama in 4 and 8 bits, one text at a time.  `PackedDecoder.load()` makes one.

    Several threads may call it; they take turns.
    """

    embedding: Matrix  # [vocab, width]
    blocks: tuple[PackedBlock, ...]
    norm: np.ndarray  # [width]
    head: Matrix  # [vocab, width]
    cos: np.ndarray  # [position, head_dim / 2], for every position there is room for
    sin: np.ndarray
    heads: int
    kv_heads: int
    epsilon: float
    end_ids: frozenset[int]
    longest: int  # the text that the model itself can read, in tokens
    threads: int = 1

    @classmethod
    def load(cls, path: str | Path | None = None, max_positions: int = 2048) -> "PackedDecoder":
        """The model in a GGUF file; without one, the course's own, as it was shipped.

        max_positions: the longest text to make room for.  The first time on a machine its code is
        compiled, which takes some seconds.  Raises ValueError without numba, or for a model that is
        not a plain Llama in Q4_1 and Q8_0; ModelError if there is no model to be had.
        """
        if numba is None:
            raise ValueError(
                _(
                    "This decoder is compiled by numba, which is missing. Run "
                    "`python -m course lab` once: it installs it."
                )
            )
        if max_positions < 1:
            raise ValueError(
                _("max_positions must be 1 or more: make room for at least one token.")
            )
        file = PackedFile(Path(path) if path else packed_model())
        check_llama(file)
        longest = file.about["llama.context_length"]
        heads, kv_heads = head_counts(file)
        cos, sin = turns(file, min(max_positions, longest))
        embedding = tiled(file.blocks("token_embd.weight"))
        own_head = "output.weight" in file.names()
        decoder = cls(
            embedding=embedding,
            blocks=tuple(packed_block(file, n) for n in range(file.about["llama.block_count"])),
            norm=file.vector("output_norm.weight"),
            head=tiled(file.blocks("output.weight")) if own_head else embedding,
            cos=cos,
            sin=sin,
            heads=heads,
            kv_heads=kv_heads,
            epsilon=file.about["llama.attention.layer_norm_rms_epsilon"],
            end_ids=end_ids(file),
            longest=longest,
        )
        with patience(_("Compiling the packed decoder, this once: about 15 seconds …")):
            return decoder.on_best_threads()

    def on_best_threads(self) -> "PackedDecoder":
        """The same on one core or on all, whichever is faster on this machine now."""
        ways = [replace(self, threads=n) for n in sorted({1, numba.config.NUMBA_NUM_THREADS})]
        seconds: dict[int, list[float]] = {way.threads: [] for way in ways}
        for _round in range(4):  # in the first everything is compiled
            for way in ways:
                start = time.perf_counter()
                way(np.zeros((1, 1), np.int64))
                seconds[way.threads].append(time.perf_counter() - start)
        return min(ways, key=lambda way: min(seconds[way.threads]))

    @property
    def max_positions(self) -> int:
        """The longest text there is room for, in tokens."""
        return len(self.cos)

    def new_cache(self, room: int | None = None) -> PackedCache:
        """An empty cache with room for so many positions; without a number, for `max_positions`."""
        size = 2 * self.cos.shape[1]
        shape = len(self.blocks), self.kv_heads, room or self.max_positions, size
        return PackedCache(np.empty(shape, np.float32), np.empty(shape, np.float32))

    def __call__(self, input_ids: Numbers, cache: PackedCache | None = None) -> Numbers:
        """Logits [1, position, vocab] of `input_ids`, int64 [1, position].

        With a cache they go on from the text that it holds, and are kept in it.  Raises ValueError
        for a text longer than `max_positions`.
        """
        if cache is None:
            count = as_array(input_ids).size
            self._check_room(count, self.max_positions)
            cache = self.new_cache(count)
        logits = self._read(input_ids, cache, last_only=False)
        return like(input_ids, logits[None])

    def generate(self, input_ids: Numbers, max_new_tokens: int) -> Numbers:
        """`input_ids`, int64 [1, position], and the likeliest tokens after them: [1, all].

        Errors as in `tokens`.
        """
        new = list(self.tokens(input_ids, max_new_tokens))
        ids = as_array(input_ids)
        return like(input_ids, np.append(ids, np.array([new], ids.dtype), axis=1))

    def tokens(
        self,
        input_ids: Numbers,
        max_new_tokens: int,
        choose: Callable[[Numbers], int] = likeliest,
    ) -> Iterator[int]:
        """Yield the ids of new tokens as they are chosen; an end token is the last.

        `choose` turns logits, float32 [vocab], into an id.  Raises ValueError if the text would get
        longer than `max_positions`.
        """
        if max_new_tokens < 1:
            raise ValueError(_("max_new_tokens must be 1 or more: ask for at least one token."))
        unseen = as_array(input_ids)
        whole = unseen.size + max_new_tokens
        self._check_room(whole, self.max_positions)
        cache = self.new_cache(whole)
        for _step in range(max_new_tokens):
            logits = self._read(unseen, cache, last_only=True)[0]
            token = choose(like(input_ids, logits))
            yield token
            if token in self.end_ids:
                return
            unseen = np.array([[token]])

    def _read(self, input_ids: Numbers, cache: PackedCache, last_only: bool) -> np.ndarray:
        """Logits [position, vocab], or those of the last position alone: [1, vocab]."""
        ids = as_array(input_ids)
        if ids.ndim != 2 or len(ids) != 1 or not ids.size:
            raise ValueError(_("Give the ids of one text that is not empty: [1, position]."))
        self._check_room(cache.length + ids.size, cache.keys.shape[2])
        with TAKING_TURNS:
            numba.set_num_threads(self.threads)
            pieces = [
                self._pass(ids[0, at : at + AT_ONCE], cache) for at in range(0, ids.size, AT_ONCE)
            ]
            wanted = pieces[-1][-1:] if last_only else np.concatenate(pieces)
            return self.head.times(self._norm(wanted, self.norm))

    def _pass(self, ids: np.ndarray, cache: PackedCache) -> np.ndarray:
        """Ids [position] through all blocks, and into the cache: [position, width]."""
        x, past = self.embedding.unpacked(ids), cache.length
        for block, keys, values in zip(self.blocks, cache.keys, cache.values, strict=True):
            qkv = block.qkv.times(self._norm(x, block.norm_1)).reshape(len(x), -1, keys.shape[-1])
            turn_and_keep(qkv, self.cos, self.sin, past, keys, values)
            taken = np.empty((len(x), self.heads * keys.shape[-1]), np.float32)
            attend(qkv, keys, values, past, taken)
            x += block.output.times(taken)
            gate_up = block.gate_up.times(self._norm(x, block.norm_2))
            inner = np.empty((len(x), gate_up.shape[1] // 2), np.float32)
            gated(gate_up, inner)
            x += block.down.times(inner)
        cache.length = past + len(x)
        return x

    def _norm(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        rms_norm(x, weight, self.epsilon, out)
        return out

    def _check_room(self, count: int, room: int) -> None:
        if count > room:
            raise ValueError(
                _(
                    "The text would have {count} tokens, and there is room for {room}. Shorten it, "
                    "or load with a larger max_positions: the model reads {longest} at most."
                ).format(count=count, room=room, longest=self.longest)
            )


def as_array(ids: Numbers) -> np.ndarray:
    """Ids as numpy has them; those of a GPU are fetched."""
    return np.asarray(ids.cpu() if hasattr(ids, "new_tensor") else ids)


def like(given: Numbers, array: np.ndarray) -> Numbers:
    """`array` as what was given: an array of numpy, or a tensor where that was one."""
    if not hasattr(given, "new_tensor"):
        return array
    return sys.modules["torch"].from_numpy(array).to(given.device)


@contextmanager
def patience(message: str) -> Iterator[None]:
    """Say `message` to whoever waits for more than a moment."""
    timer = threading.Timer(PATIENCE, print, [message], {"file": sys.stderr})
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
