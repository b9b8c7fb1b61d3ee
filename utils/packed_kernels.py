"""What a token costs, compiled: products with packed weights, norm, rotary positions, attention.

Six short functions for numba, which makes machine code of them when they are first called and keeps
it.  Weights lie in tiles of 16 rows, side by side, so that one instruction works on all 16.  Every
array here is float32 [position, …] unless its name is of packed weights.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from utils.model_store import cache_folder

# A thread that waits for the others spins; for long, it takes the core that they need.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
try:
    import numba
    from numba import prange
except ImportError:  # `PackedDecoder.load` says so
    numba = None
    prange = range

ROWS = 16  # rows of a tile: as many float32 as the widest registers hold
BLOCK = 32  # weights that share a scale
# Sums may be taken in another order; that alone lets sixteen of them go on at once.
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp", "afn"}

if numba and not os.access(Path(__file__).parent, os.W_OK):
    numba.config.CACHE_DIR = str(cache_folder() / "compiled")


def compiled(parallel: bool) -> Callable[[Callable], Callable]:
    """A decorator: compile on the first call, for all cores if `parallel`, and keep the code."""

    def decorate(function: Callable) -> Callable:
        if numba is None:
            return function
        try:
            return numba.njit(parallel=parallel, fastmath=ANY_ORDER, cache=True)(function)
        except RuntimeError:  # no folder to keep it in
            return numba.njit(parallel=parallel, fastmath=ANY_ORDER)(function)

    return decorate


@compiled(parallel=True)
def times_4_bits(
    x: np.ndarray, packed: np.ndarray, scale: np.ndarray, minimum: np.ndarray, out: np.ndarray
) -> None:
    """out [position, row] = x [position, in] times weights of 4 bits: scale · q + minimum.

    packed: uint8 [tile, block, byte, row], two weights a byte, 16 places apart; scale, minimum:
    [tile, block, row].  A block is unpacked once for all positions.
    """
    for tile in prange(packed.shape[0]):
        total = np.zeros((x.shape[0], ROWS), np.float32)
        weights = np.empty((BLOCK, ROWS), np.float32)
        for block in range(packed.shape[1]):
            for row in range(ROWS):
                d, m = scale[tile, block, row], minimum[tile, block, row]
                for byte in range(BLOCK // 2):
                    two = packed[tile, block, byte, row]
                    # By way of int32: numba would make an int64, and half as many fit.
                    weights[byte, row] = d * np.float32(np.int32(two & 15)) + m
                    weights[byte + 16, row] = d * np.float32(np.int32(two >> 4)) + m
            for position in range(x.shape[0]):
                inputs = x[position, block * BLOCK : (block + 1) * BLOCK]
                for row in range(ROWS):
                    dot = np.float32(0)
                    for i in range(BLOCK):
                        dot += weights[i, row] * inputs[i]
                    total[position, row] += dot
        for position in range(x.shape[0]):
            for row in range(min(ROWS, out.shape[1] - tile * ROWS)):  # the last tile may be padded
                out[position, tile * ROWS + row] = total[position, row]


@compiled(parallel=True)
def times_8_bits(x: np.ndarray, packed: np.ndarray, scale: np.ndarray, out: np.ndarray) -> None:
    """out [position, row] = x [position, in] times weights of 8 bits: scale · q.

    packed: int8 [tile, block, 32, row]; scale: [tile, block, row].
    """
    for tile in prange(packed.shape[0]):
        total = np.zeros((x.shape[0], ROWS), np.float32)
        for block in range(packed.shape[1]):
            for position in range(x.shape[0]):
                inputs = x[position, block * BLOCK : (block + 1) * BLOCK]
                for row in range(ROWS):
                    dot = np.float32(0)
                    for i in range(BLOCK):
                        dot += np.float32(np.int32(packed[tile, block, i, row])) * inputs[i]
                    total[position, row] += scale[tile, block, row] * dot
        for position in range(x.shape[0]):
            for row in range(min(ROWS, out.shape[1] - tile * ROWS)):  # the last tile may be padded
                out[position, tile * ROWS + row] = total[position, row]


@compiled(parallel=False)
def rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float, out: np.ndarray) -> None:
    """out = x [position, width] divided by its own size, times weight [width]."""
    for position in range(x.shape[0]):
        squares = np.float32(0)
        for i in range(x.shape[1]):
            squares += x[position, i] * x[position, i]
        size = np.float32(1) / np.sqrt(squares / np.float32(x.shape[1]) + np.float32(epsilon))
        for i in range(x.shape[1]):
            out[position, i] = x[position, i] * size * weight[i]


@compiled(parallel=False)
def turn_and_keep(
    qkv: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    past: int,
    keys: np.ndarray,
    values: np.ndarray,
) -> None:
    """Turn queries (in place) and keys by their positions; put keys and values into the cache.

    qkv: [position, head, head_dim], queries first, then keys, then values; cos, sin: [position,
    head_dim / 2] from 0 on; keys, values: [kv_head, position, head_dim], `past` of them filled.
    """
    kv_heads, half = keys.shape[0], cos.shape[1]
    heads = qkv.shape[1] - 2 * kv_heads
    for new in range(qkv.shape[0]):
        place = past + new
        for head in range(heads + kv_heads):
            for i in range(half):
                first, second = qkv[new, head, i], qkv[new, head, i + half]
                qkv[new, head, i] = first * cos[place, i] - second * sin[place, i]
                qkv[new, head, i + half] = second * cos[place, i] + first * sin[place, i]
        for head in range(kv_heads):
            for i in range(2 * half):
                keys[head, place, i] = qkv[new, heads + head, i]
                values[head, place, i] = qkv[new, heads + kv_heads + head, i]


@compiled(parallel=True)
def attend(
    qkv: np.ndarray, keys: np.ndarray, values: np.ndarray, past: int, out: np.ndarray
) -> None:
    """out [position, head · head_dim]: what each head takes from all positions up to its own."""
    kv_heads, size = keys.shape[0], keys.shape[2]
    heads = qkv.shape[1] - 2 * kv_heads
    for job in prange(qkv.shape[0] * heads):
        new, head = job // heads, job % heads
        group, seen = head // (heads // kv_heads), past + new + 1
        weights = np.empty(seen, np.float32)
        highest, whole = np.float32(-np.inf), np.float32(0)
        for place in range(seen):
            score = np.float32(0)
            for i in range(size):
                score += qkv[new, head, i] * keys[group, place, i]
            weights[place] = score / np.sqrt(np.float32(size))
            highest = max(highest, weights[place])
        for place in range(seen):
            weights[place] = np.exp(weights[place] - highest)
            whole += weights[place]
        taken = np.zeros(size, np.float32)
        for place in range(seen):
            for i in range(size):
                taken[i] += weights[place] * values[group, place, i]
        for i in range(size):
            out[new, head * size + i] = taken[i] / whole


@compiled(parallel=False)
def gated(gate_up: np.ndarray, out: np.ndarray) -> None:
    """out [position, inner] = silu(gate) · up, from both side by side [position, 2 · inner]."""
    inner = out.shape[1]
    for position in range(out.shape[0]):
        for i in range(inner):
            gate = gate_up[position, i]
            out[position, i] = gate / (np.float32(1) + np.exp(-gate)) * gate_up[position, inner + i]
