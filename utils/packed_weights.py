"""Weights as they were shipped: blocks of 4 or 8 bits, kept packed and multiplied packed.

A block is 32 weights of a row that share what they are made from.  Q4_1: weight = d · q + m, with
q from 0 to 15, in 20 bytes; Q8_0: weight = d · q, with q from -127 to 127, in 34.  d and m are
float16.
"""

from dataclasses import dataclass

import numpy as np

from utils.packed_kernels import ROWS, times_4_bits, times_8_bits


@dataclass(frozen=True, eq=False)
class FourBits:
    """A matrix [out, in] of Q4_1, in tiles of 16 rows."""

    rows: int  # out
    packed: (
        np.ndarray
    )  # uint8 [tile, block, byte, row]; weight i in the low bits, i + 16 in the high
    scale: np.ndarray  # d, float32 [tile, block, row]
    minimum: np.ndarray  # m

    def times(self, x: np.ndarray) -> np.ndarray:
        """x [position, in] times the matrix: float32 [position, out]."""
        out = np.empty((len(x), self.rows), np.float32)
        times_4_bits(x, self.packed, self.scale, self.minimum, out)
        return out

    def unpacked(self, rows: np.ndarray) -> np.ndarray:
        """The rows of these numbers, int [n], as plain weights: float32 [n, in]."""
        tile, row = rows // ROWS, rows % ROWS
        two = self.packed[tile, :, :, row]  # [n, block, byte]
        weights = np.concatenate([two & 15, two >> 4], axis=-1).astype(np.float32)
        weights *= self.scale[tile, :, row, None]
        weights += self.minimum[tile, :, row, None]
        return weights.reshape(len(rows), -1)


@dataclass(frozen=True, eq=False)
class EightBits:
    """A matrix [out, in] of Q8_0, in tiles of 16 rows."""

    rows: int  # out
    packed: np.ndarray  # int8 [tile, block, 32, row]
    scale: np.ndarray  # d, float32 [tile, block, row]

    def times(self, x: np.ndarray) -> np.ndarray:
        """x [position, in] times the matrix: float32 [position, out]."""
        out = np.empty((len(x), self.rows), np.float32)
        times_8_bits(x, self.packed, self.scale, out)
        return out

    def unpacked(self, rows: np.ndarray) -> np.ndarray:
        """The rows of these numbers, int [n], as plain weights: float32 [n, in]."""
        tile, row = rows // ROWS, rows % ROWS
        weights = self.packed[tile, :, :, row] * self.scale[tile, :, row, None]
        return weights.reshape(len(rows), -1)


Matrix = FourBits | EightBits


def tiled(blocks: np.ndarray) -> Matrix:
    """A matrix from its rows of blocks as they lie in the file, uint8 [out, block, 20 or 34].

    Rows are made up to whole tiles with zeros.
    """
    rows = len(blocks)
    if rows % ROWS:
        blocks = np.pad(blocks, ((0, -rows % ROWS), (0, 0), (0, 0)))
    tiles = blocks.reshape(-1, ROWS, *blocks.shape[1:]).transpose(0, 2, 3, 1)

    def half(at: int) -> np.ndarray:  # a float16 at this byte of each block
        low, high = tiles[:, :, at].astype(np.uint16), tiles[:, :, at + 1].astype(np.uint16)
        return (low | high << 8).view(np.float16).astype(np.float32, order="C")

    if blocks.shape[-1] == 20:
        return FourBits(rows, np.ascontiguousarray(tiles[:, :, 4:]), half(0), half(2))
    return EightBits(rows, np.ascontiguousarray(tiles[:, :, 2:]).view(np.int8), half(0))
