"""Several texts side by side: what exercise 9.4 checks."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_, _


def _with(positions: Callable | None = None, mask: Callable | None = None) -> Callable:
    """`parts.batch_places`, its positions or mask changed."""

    def places(lengths: list[int]) -> tuple[Tensor, Tensor]:
        right = parts.batch_places(lengths)
        return (
            positions(lengths, *right) if positions else right[0],
            mask(lengths, *right) if mask else right[1],
        )

    return places


def _columns(lengths: list[int], positions: Tensor, _mask: Tensor) -> Tensor:
    return torch.arange(positions.shape[1]).expand_as(positions).contiguous()


def _on_the_right(lengths: list[int]) -> tuple[Tensor, Tensor]:
    columns = torch.arange(max(lengths)).expand(len(lengths), -1)
    mask = columns < torch.tensor(lengths)[:, None]
    return columns * mask, mask


@exercise(
    "9.4",
    mistakes=(
        Mistake(
            "padded-right",
            _on_the_right,
            N_(
                "The padding is on the right. It belongs on the left, so that all texts end in the "
                "same column.",
                "패딩이 오른쪽에 있습니다. 모든 글이 같은 열에서 끝나도록 왼쪽에 넣으세요.",
            ),
        ),
        Mistake(
            "padded-right",
            lambda lengths: (
                torch.arange(max(lengths)).repeat(len(lengths), 1),
                _on_the_right(lengths)[1],
            ),
        ),
        Mistake(
            "counted-from-the-pad",
            _with(positions=_columns),
            N_(
                "Positions are counted from the first pad. Position 0 is each text's first token.",
                "위치를 패딩부터 셌습니다. 0번 위치는 각 글의 첫 토큰입니다.",
            ),
        ),
        Mistake(
            "below-zero",
            _with(
                positions=lambda lengths, positions, mask: (
                    _columns(lengths, positions, mask)
                    - positions.shape[1]
                    + torch.tensor(lengths)[:, None]
                )
            ),
            N_(
                "Pads have positions below 0. Give them 0: `clamp(min=0)`.",
                "패딩의 위치가 음수입니다. `clamp(min=0)`으로 0으로 두세요.",
            ),
        ),
        Mistake(
            "mask-turned-round",
            _with(mask=lambda lengths, positions, mask: ~mask),
            N_(
                "The mask is turned round: it is True where a token stands, and False at the pads.",
                "마스크가 거꾸로입니다. 토큰이 있는 곳이 True, 패딩이 False입니다.",
            ),
        ),
        Mistake(
            "first-token-masked",
            _with(mask=lambda lengths, positions, mask: positions > 0),
            N_(
                "The first token of each text is masked as well: 0 is its position, too, and not "
                "only that of the pads.",
                "글의 첫 토큰까지 가렸습니다. 위치 0은 첫 토큰의 위치이기도 합니다.",
            ),
        ),
        Mistake(
            "swapped",
            lambda lengths: parts.batch_places(lengths)[::-1],
            N_(
                "Positions and mask changed places.",
                "위치와 마스크의 순서가 바뀌었습니다.",
            ),
        ),
        Mistake(
            "one-too-far",
            _with(positions=lambda lengths, positions, mask: (positions + 1) * mask),
            N_(
                "One too far: the first token of a text is at position 0.",
                "하나씩 밀렸습니다. 글의 첫 토큰은 0번 위치입니다.",
            ),
        ),
    ),
)
def batch_places(attempt: Attempt) -> Iterator[Check]:
    for lengths in ([5, 3], [1, 4, 2], [3, 3]):
        title = _("texts of {lengths} tokens", "길이가 {lengths}인 글").format(
            lengths=", ".join(map(str, lengths))
        )
        yield attempt.compare(title, lengths, expected=parts.batch_places(lengths))
