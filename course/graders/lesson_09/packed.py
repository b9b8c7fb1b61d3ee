"""Blocks of 4 bits, unpacked, multiplied and made: what exercises 9.1, 9.2 and 9.3 check."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_, _


def _packed(*shape: int, seed: int) -> Tensor:
    """Random blocks, uint8 [*shape, 20], whose d and m are reasonable numbers."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.rand(*shape, 2, generator=generator) - torch.tensor([0.0, 0.5])
    two = torch.randint(256, (*shape, 16), generator=generator, dtype=torch.uint8)
    return torch.cat([scales.half().view(torch.uint8), two], dim=-1)


def _weights(block: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(d, m, low, high) of a block."""
    d, m = block[:4].view(torch.float16).float()
    return d, m, (block[4:] & 15).float(), (block[4:] >> 4).float()


def _otherwise(mix: Callable) -> Callable:
    return lambda block: mix(*_weights(block))


@exercise(
    "9.1",
    mistakes=(
        Mistake(
            "high-first",
            _otherwise(lambda d, m, low, high: d * torch.cat([high, low]) + m),
            N_(
                "The high bits came first. The low 4 bits are the first 16 weights.",
                "높은 비트가 먼저 왔습니다. 앞의 가중치 16개는 낮은 4비트입니다.",
            ),
        ),
        Mistake(
            "in-turn",
            _otherwise(lambda d, m, low, high: d * torch.stack([low, high], -1).flatten() + m),
            N_(
                "Low and high bits take turns. First come all 16 low ones, then all 16 high ones.",
                "낮은 비트와 높은 비트가 번갈아 나옵니다. 낮은 것 16개가 모두 먼저, 높은 것 16개가 "
                "그다음입니다.",
            ),
        ),
        Mistake(
            "swapped",
            _otherwise(lambda d, m, low, high: m * torch.cat([low, high]) + d),
            N_(
                "`d` and `m` changed places: `d` comes first in the block.",
                "`d`와 `m`이 서로 바뀌었습니다. 블록에서 `d`가 먼저입니다.",
            ),
        ),
        Mistake(
            "not-shifted",
            _otherwise(lambda d, m, low, high: d * torch.cat([low, high * 16]) + m),
            N_(
                "The high bits are 16 times too large: they have to be moved down, `>> 4`.",
                "높은 비트가 16배 큽니다. `>> 4`로 아래로 옮겨야 합니다.",
            ),
        ),
        Mistake(
            "whole-byte",
            _otherwise(lambda d, m, low, high: d * torch.cat([low + 16 * high, high]) + m),
            N_(
                "The low weights hold the high bits as well: `& 15` keeps only the low 4.",
                "낮은 쪽에 높은 비트까지 들어 있습니다. `& 15`로 낮은 4비트만 남기세요.",
            ),
        ),
        Mistake(
            "no-minimum",
            _otherwise(lambda d, m, low, high: d * torch.cat([low, high])),
            N_("The lowest value `m` is not added.", "가장 작은 값 `m`을 더하지 않았습니다."),
        ),
        Mistake(
            "in-float16",
            lambda block: (
                block[:4].view(torch.float16)[0]
                * torch.cat([block[4:] & 15, block[4:] >> 4]).half()
                + block[:4].view(torch.float16)[1]
            ).float(),
            N_(
                "It was computed in float16 and rounded on the way. Make `d` and `m` float32 "
                "first, with `.float()`.",
                "float16으로 계산해서 도중에 반올림되었습니다. 먼저 `.float()`로 `d`와 `m`을 "
                "float32로 만드세요.",
            ),
        ),
    ),
)
def unpack_block(attempt: Attempt) -> Iterator[Check]:
    for seed in range(3):
        block = _packed(seed=seed)
        title = _("block {number}", "블록 {number}").format(number=seed + 1)
        expected = parts.unpack_block(block)
        yield attempt.compare(title, block, expected=expected, atol=1e-6, rtol=1e-6)


class _Largest(TorchDispatchMode):
    """Notes the most float numbers that any tensor made within it has."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                self.numbers = max(self.numbers, tensor.numel())
        return made


def _unpacked(blocks: Tensor) -> Tensor:
    """[out, in], as plain weights."""
    rows = [torch.cat([parts.unpack_block(block) for block in row]) for row in blocks]
    return torch.stack(rows)


@exercise(
    "9.2",
    mistakes=(
        Mistake(
            "same-piece",
            lambda blocks, x: (_unpacked(blocks).view(len(blocks), -1, 32) @ x[:32]).sum(-1),
            N_(
                "Every block was multiplied by the first 32 of `x`. Block i meets piece i.",
                "모든 블록을 `x`의 처음 32개와 곱했습니다. 블록 i는 조각 i와 곱해집니다.",
            ),
        ),
        Mistake(
            "last-block-only",
            lambda blocks, x: _unpacked(blocks)[:, -32:] @ x[-32:],
            N_(
                "Only the last block counts. Add up the shares: `+=`, not `=`.",
                "마지막 블록만 남았습니다. 몫을 더해야 합니다. `=`이 아니라 `+=`입니다.",
            ),
        ),
        Mistake(
            "not-summed",
            lambda blocks, x: (_unpacked(blocks).view(len(blocks), -1, 32) * x.view(-1, 32)).sum(
                -1
            ),
            N_(
                "The shares of the blocks are not added up: one number a row is asked for.",
                "블록의 몫을 더하지 않았습니다. 행마다 수 하나가 필요합니다.",
            ),
        ),
        Mistake(
            "one-row",
            lambda blocks, x: _unpacked(blocks)[0] @ x,
            N_("That is the first row alone.", "첫 행의 결과만 나왔습니다."),
        ),
    ),
    diagnoses={
        "whole-matrix": N_(
            "The result is right, but the whole matrix was unpacked at once: one tensor had "
            "{numbers} weights. Unpack a block, use it, and forget it.",
            "결과는 맞지만 행렬을 통째로 풀었습니다. 가중치 {numbers}개짜리 텐서가 생겼습니다. "
            "블록을 하나 풀어 쓰고 버리세요.",
        ),
    },
)
def packed_product(attempt: Attempt) -> Iterator[Check]:
    for rows, columns in ((3, 2), (6, 3)):
        blocks, x = _packed(rows, columns, seed=rows), numbers(32 * columns, seed=columns)
        title = _("{rows} rows of {columns} blocks", "블록 {columns}개짜리 행 {rows}개").format(
            rows=rows, columns=columns
        )
        expected = _unpacked(blocks) @ x
        yield attempt.compare(title, blocks, x, expected=expected, atol=1e-4)
    title, largest = N_("one block at a time", "블록을 하나씩"), _Largest()

    def watched(*given: Tensor) -> Tensor:
        with largest:
            return attempt.answer(*given)

    attempt.call(title, blocks, x, function=watched)
    if largest.numbers >= rows * columns * 32:
        yield attempt.fail(title, "whole-matrix", numbers=largest.numbers)
        return
    yield Check(title)


def _marks(block: Tensor, bits: int, steps: int, rounded: Callable) -> tuple:
    m = block.amin(dim=-1, keepdim=True)
    d = (block.amax(dim=-1, keepdim=True) - m) / steps
    return d, m, rounded((block - m) / d.clamp(min=1e-12))


def _no_care(block: Tensor, bits: int) -> tuple:
    m = block.amin(dim=-1, keepdim=True)
    d = (block.amax(dim=-1, keepdim=True) - m) / (2**bits - 1)
    return d, m, ((block - m) / d).round()


def _over_all(block: Tensor, bits: int) -> tuple:
    m = block.amin().expand(*block.shape[:-1], 1)
    d = ((block.amax() - block.amin()) / (2**bits - 1)).expand(*block.shape[:-1], 1)
    return d, m, ((block - m) / d.clamp(min=1e-12)).round()


@exercise(
    "9.3",
    mistakes=(
        Mistake(
            "one-step-too-many",
            lambda block, bits: _marks(block, bits, 2**bits, torch.round),
            N_(
                "`2**bits` marks have one step fewer between them: `2**bits - 1`.",
                "눈금이 `2**bits`개면 간격은 하나 적은 `2**bits - 1`개입니다.",
            ),
        ),
        Mistake(
            "cut-off",
            lambda block, bits: _marks(block, bits, 2**bits - 1, torch.floor),
            N_(
                "The digits were cut off, to the mark below. `round()` takes the nearest.",
                "소수점 아래를 잘라 아래쪽 눈금이 되었습니다. 가장 가까운 눈금은 `round()`입니다.",
            ),
        ),
        Mistake(
            "swapped",
            lambda block, bits: tuple(parts.quantise(block, bits)[place] for place in (1, 0, 2)),
            N_("`d` and `m` changed places.", "`d`와 `m`의 순서가 바뀌었습니다."),
        ),
        Mistake(
            "nan",
            _no_care,
            N_(
                "Where all values of a block are equal, `d` is 0, and 0 / 0 is nan. Divide by "
                "`d.clamp(min=1e-12)`.",
                "블록의 값이 모두 같으면 `d`가 0이고 0 / 0은 nan입니다. `d.clamp(min=1e-12)`로 "
                "나누세요.",
            ),
        ),
        Mistake(
            "one-for-all",
            _over_all,
            N_(
                "Lowest and highest were taken over all blocks. Each block has its own: `dim=-1`.",
                "가장 작은 값과 큰 값을 모든 블록에서 구했습니다. 블록마다 따로 `dim=-1`입니다.",
            ),
        ),
        Mistake(
            "not-rounded",
            lambda block, bits: _marks(block, bits, 2**bits - 1, lambda q: q),
            N_(
                "`q` is not whole: without rounding nothing is saved.",
                "`q`가 정수가 아닙니다. 반올림하지 않으면 비트가 줄지 않습니다.",
            ),
        ),
    ),
)
def quantise(attempt: Attempt) -> Iterator[Check]:
    for bits, block in (
        (2, numbers(32, seed=93)),
        (4, numbers(3, 32, seed=94)),
        (8, numbers(2, 32, seed=95)),
        (3, torch.full((1, 32), 0.25)),
    ):
        title = _("{bits} bits", "{bits}비트").format(bits=bits)
        yield attempt.compare(title, block, bits, expected=parts.quantise(block, bits))
