"""A model in a GGUF file, the form that llama.cpp reads: notes about it, and its packed tensors.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import struct
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from utils.language import _

NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
STRING, ARRAY = 8, 9
FLOAT32, Q4_1, Q8_0 = 0, 3, 8  # kinds of tensors
BLOCK, BLOCK_BYTES = 32, {Q4_1: 20, Q8_0: 34}


class PackedFile:
    """What a GGUF file says of its model, and its tensors, each read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ValueError(_("{file} is not a GGUF file.").format(file=path.name))
            _version, tensors, notes = _numbers(file, "IQQ")
            self.about = {
                _string(file): _value(file, *_numbers(file, "I")) for _each in range(notes)
            }
            self._tensors = {_string(file): _place(file) for _each in range(tensors)}
            step = self.about.get("general.alignment", 32)
            self._start = -(-file.tell() // step) * step  # the tensors, after a gap

    def names(self) -> set[str]:
        """The names of its tensors."""
        return set(self._tensors)

    def vector(self, name: str) -> np.ndarray:
        """A tensor of plain numbers: float32 [width]."""
        (width,), kind, at = self._tensors[name]
        if kind != FLOAT32:
            raise self._unknown(name)
        return np.fromfile(self.path, np.float32, width, offset=self._start + at)

    def blocks(self, name: str) -> np.ndarray:
        """A packed matrix as it lies in the file: uint8 [out, block, bytes of a block]."""
        (width, rows), kind, at = self._tensors[name]
        if kind not in BLOCK_BYTES:
            raise self._unknown(name)
        shape = rows, width // BLOCK, BLOCK_BYTES[kind]
        return np.fromfile(self.path, np.uint8, prod(shape), offset=self._start + at).reshape(shape)

    def _unknown(self, name: str) -> ValueError:
        return ValueError(
            _("{name} is not packed as Q4_1 or Q8_0, the two kinds that are read here.").format(
                name=name
            )
        )


def _numbers(file: BinaryIO, kinds: str) -> tuple:
    return struct.unpack(f"<{kinds}", file.read(struct.calcsize(f"<{kinds}")))


def _string(file: BinaryIO) -> str:
    return file.read(*_numbers(file, "Q")).decode(errors="replace")


def _value(file: BinaryIO, kind: int) -> Any:
    """A note: a number, a text or a list of them."""
    if kind == STRING:
        return _string(file)
    if kind != ARRAY:
        return _numbers(file, NUMBERS[kind])[0]
    inner, count = _numbers(file, "IQ")
    return [_value(file, inner) for _each in range(count)]


def _place(file: BinaryIO) -> tuple[tuple[int, ...], int, int]:
    """A tensor's shape, the innermost first, its kind, and where it begins among the tensors."""
    (dimensions,) = _numbers(file, "I")
    shape = _numbers(file, "Q" * dimensions)
    return shape, *_numbers(file, "IQ")
