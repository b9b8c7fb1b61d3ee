"""What makes the same LLM faster: fewer bytes, several texts at once, several tokens a pass."""

from collections.abc import Sequence

import torch
from torch import Tensor

BLOCK = 32  # weights that share a scale


def unpack_block(block: Tensor) -> Tensor:
    """The 32 weights of a block as it was shipped: uint8 [20] → float32 [32].

    d and m are two float16; then come 16 bytes of two weights each, d · q + m: the low bits of all
    of them are the first 16 weights, the high bits the last 16.

    >>> unpack_block(torch.tensor([0, 60, 0, 0, *[33] * 16], dtype=torch.uint8))[[0, 31]]
    tensor([1., 2.])
    """
    d, m = block[:4].view(torch.float16).float()
    return d * torch.cat([block[4:] & 15, block[4:] >> 4]).float() + m


def packed_product(blocks: Tensor, x: Tensor) -> Tensor:
    """A packed matrix, uint8 [out, block, 20], times x, float32 [in]: [out].

    One block at a time is unpacked, and none is kept.

    >>> ones = torch.tensor([0, 0, 0, 60, *[0] * 16], dtype=torch.uint8)  # d = 0, m = 1
    >>> packed_product(ones.expand(1, 2, 20), torch.full((64,), 0.5))
    tensor([32.])
    """
    out = torch.zeros(len(blocks))
    for place, row in enumerate(blocks):
        for block, piece in zip(row, x.split(BLOCK), strict=True):
            out[place] += unpack_block(block) @ piece
    return out


def quantise(weights: Tensor, bits: int) -> tuple[Tensor, Tensor, Tensor]:
    """(d, m, q) of blocks, float [..., 32]: weights ≈ d · q + m, q whole numbers of so many bits.

    d, m: [..., 1]; q: float [..., 32], from 0 to 2**bits - 1.  No weight moves by more than d / 2.

    >>> d, m, q = quantise(torch.tensor([0.0, 0.2, 1.0, 3.0]), bits=2)
    >>> q
    tensor([0., 0., 1., 3.])
    """
    m = weights.amin(dim=-1, keepdim=True)
    d = (weights.amax(dim=-1, keepdim=True) - m) / (2**bits - 1)
    q = ((weights - m) / d.clamp(min=1e-12)).round()
    return d, m, q


def batch_places(lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(positions, mask) of several texts side by side, padded on the left to the longest.

    positions: int64 [text, longest], 0 at the padding; mask: bool, the same shape, True where a
    token stands.

    >>> batch_places([3, 2])[0]
    tensor([[0, 1, 2],
            [0, 0, 1]])
    """
    longest = max(lengths)
    places = torch.arange(longest) - (longest - torch.tensor(lengths)[:, None])
    return places.clamp(min=0), places >= 0


def looked_up(ids: list[int], n: int, k: int) -> list[int]:
    """At most k ids that followed the last n of `ids` where those stood before, the last time.

    Empty where they did not.

    >>> looked_up([1, 2, 3, 4, 1, 2], n=2, k=3)
    [3, 4, 1]
    """
    end = len(ids) - n
    for start in range(end - 1, -1, -1):
        if ids[start : start + n] == ids[end:]:
            return ids[start + n : start + n + k]
    return []


def accepted(guesses: list[int], logits: Tensor) -> list[int]:
    """What the model itself would have written: the guesses that are right, and one token more.

    logits: [guess + 1, vocab]; row i is what the model says where guess i stands, and the last row
    what it says after all of them.

    >>> accepted([2, 0], torch.eye(4)[[2, 1, 3]])
    [2, 1]
    """
    own = logits.argmax(dim=-1).tolist()
    right = 0
    while right < len(guesses) and guesses[right] == own[right]:
        right += 1
    return own[: right + 1]
