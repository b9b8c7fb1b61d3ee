"""Places, as angles: what exercise 7.7 checks."""

from collections.abc import Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_


def _turned(
    x: Tensor,
    positions: Tensor,
    theta: float,
    *,
    sign: int = 1,
    exponent: float = 1.0,
    degrees: bool = False,
    half_turn: bool = True,
) -> Tensor:
    """Rotary positions, with one thing or another gone wrong."""
    half = x.shape[-1] // 2
    angles = positions[:, None] / theta ** (exponent * torch.arange(half) / half)
    angles = torch.rad2deg(angles) if degrees else angles
    cos, sin = angles.cos(), sign * angles.sin()
    a, b = x[..., :half], x[..., half:]
    second = b * cos + a * sin if half_turn else b * cos - a * sin
    return torch.cat([a * cos - b * sin, second], dim=-1)


def _turned_neighbours(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """Numbers 2i and 2i + 1 turned together, as in the paper."""
    half = x.shape[-1] // 2
    order = torch.cat([torch.arange(half) * 2, torch.arange(half) * 2 + 1])
    result = torch.empty_like(x)
    result[..., order] = parts.rotary(x[..., order], positions, theta)
    return result


def _neighbours_to_halves(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """Numbers 2i and 2i + 1 turned together, and then put into two halves."""
    return parts.rotary(torch.cat([x[..., ::2], x[..., 1::2]], dim=-1), positions, theta)


@exercise(
    "7.7",
    mistakes=(
        Mistake(
            "turned-back",
            lambda x, p, t: _turned(x, p, t, sign=-1),
            N_(
                "You turned the other way round: check the two signs.",
                "반대 방향으로 회전했습니다. 두 부호를 확인하세요.",
            ),
        ),
        Mistake(
            "neighbours-paired",
            _turned_neighbours,
            N_(
                "You turned neighbours, 2i and 2i + 1, together, as the paper does. This "
                "model pairs number i of the first half with number i of the second.",
                "논문처럼 이웃한 2i와 2i + 1을 짝지어 회전했습니다. 이 모델은 앞 절반의 i번과 "
                "뒤 절반의 i번을 짝짓습니다.",
            ),
        ),
        Mistake("neighbours-paired", _neighbours_to_halves),
        Mistake(
            "own-positions",
            lambda x, p, t: _turned(x, torch.arange(x.shape[1]), t),
            N_(
                "You counted positions from 0 yourself. Use `positions`: a cache starts later.",
                "위치를 0부터 직접 세었습니다. `positions`를 쓰세요. 캐시를 쓰면 더 뒤에서 "
                "시작합니다.",
            ),
        ),
        Mistake(
            "too-slow-turning",
            lambda x, p, t: _turned(x, p, t, exponent=0.5),
            N_(
                "The exponent is half of what it should be: 2i / head_dim is i / half.",
                "지수가 절반입니다. 2i / head_dim은 i / half입니다.",
            ),
        ),
        Mistake(
            "too-fast-turning",
            lambda x, p, t: _turned(x, p, t, exponent=2.0),
            N_(
                "The exponent is twice what it should be: 2i / head_dim is i / half.",
                "지수가 두 배입니다. 2i / head_dim은 i / half입니다.",
            ),
        ),
        Mistake(
            "theta-not-divided",
            lambda x, p, t: _turned(x, p, t, exponent=-1.0),
            N_(
                "The angle is divided by the power of theta, not multiplied with it.",
                "theta의 거듭제곱을 곱하지 말고, 그것으로 나누세요.",
            ),
        ),
        Mistake(
            "one-angle-for-all",
            lambda x, p, t: _turned(x, p, t, exponent=0),
            N_(
                "All pairs turn by the same angle. The angle gets smaller as i grows.",
                "모든 짝을 같은 각만큼 회전했습니다. i가 클수록 각이 작아져야 합니다.",
            ),
        ),
        Mistake(
            "degrees",
            lambda x, p, t: _turned(x, p, t, degrees=True),
            N_(
                "`cos` and `sin` take radians: the angle as it is, without a factor.",
                "`cos`와 `sin`은 라디안을 받습니다. 각에 아무것도 곱하지 마세요.",
            ),
        ),
        Mistake(
            "one-sign-wrong",
            lambda x, p, t: _turned(x, p, t, half_turn=False),
            N_(
                "The second half is `b * cos + a * sin`, with a plus.",
                "뒤 절반은 더하기를 써서 `b * cos + a * sin`입니다.",
            ),
        ),
        Mistake(
            "not-turned",
            lambda x, p, t: x,
            N_(
                "Nothing was turned: what came out is what went in.",
                "회전하지 않았습니다. 들어간 것이 그대로 나왔습니다.",
            ),
        ),
        Mistake(
            "positions-as-row",
            lambda x, p, t: (
                x[..., : x.shape[-1] // 2] * (p / t ** (torch.arange(n := x.shape[-1] // 2) / n))
            ),
            N_(
                "The positions have to stand in a column, `positions[:, None]`, to meet every "
                "frequency.",
                "위치를 세로로 세워야(`positions[:, None]`) 위치와 주파수가 모두 짝지어집니다.",
            ),
        ),
    ),
)
def rotary(attempt: Attempt) -> Iterator[Check]:
    for title, heads, start, n, width, theta in (
        (N_("two heads, positions 0 to 4", "헤드 2개, 위치 0~4"), 2, 0, 5, 8, 100.0),
        (
            N_("positions 7 to 9, as with a cache", "위치 7~9(캐시를 쓸 때처럼)"),
            3,
            7,
            3,
            8,
            10000.0,
        ),
    ):
        x, positions = numbers(heads, n, width), torch.arange(start, start + n)
        expected = parts.rotary(x, positions, theta)
        yield attempt.compare(title, x, positions, theta, expected=expected)
