"""Positions and mask of the new tokens: what exercise 8.1 checks."""

from collections.abc import Iterator

import torch

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_, _
from utils.parts import causal_mask


@exercise(
    "8.1",
    mistakes=(
        Mistake(
            "from-zero",
            lambda past, new: (torch.arange(new), parts.places_and_mask(past, new)[1]),
            N_(
                "The positions start at 0 again. They count on: the first new one is `past`.",
                "위치가 다시 0부터 시작합니다. 이어서 세야 합니다. 첫 새 토큰은 `past`번입니다.",
            ),
        ),
        Mistake(
            "all-places",
            lambda past, new: (torch.arange(past + new), parts.places_and_mask(past, new)[1]),
            N_(
                "Those are the positions of the whole text. Only the new ones are asked for.",
                "글 전체의 위치입니다. 새 토큰의 위치만 돌려주세요.",
            ),
        ),
        Mistake(
            "one-too-far",
            lambda past, new: (
                parts.places_and_mask(past, new)[0] + 1,
                parts.places_and_mask(past, new)[1],
            ),
            N_(
                "One too far: positions count from 0, so the first new one is number `past`.",
                "하나씩 밀렸습니다. 위치는 0부터 세므로 첫 새 토큰은 `past`번입니다.",
            ),
        ),
        Mistake(
            "square-mask",
            lambda past, new: (parts.places_and_mask(past, new)[0], causal_mask(new)),
            N_(
                "The mask covers only the new tokens. They look at the old ones, too.",
                "마스크에 새 토큰만 있습니다. 새 토큰은 앞의 토큰도 봅니다.",
            ),
        ),
        Mistake(
            "first-rows",
            lambda past, new: (parts.places_and_mask(past, new)[0], causal_mask(past + new)[:new]),
            N_(
                "Those are the first rows of the mask. The new tokens are the last ones.",
                "마스크의 처음 행들입니다. 새 토큰은 마지막 행들입니다.",
            ),
        ),
        Mistake(
            "whole-mask",
            lambda past, new: (parts.places_and_mask(past, new)[0], causal_mask(past + new)),
            N_(
                "That is the whole text's mask. Only the rows of the new tokens are asked for.",
                "글 전체의 마스크입니다. 새 토큰의 행만 돌려주세요.",
            ),
        ),
        Mistake(
            "sees-the-future",
            lambda past, new: (
                parts.places_and_mask(past, new)[0],
                torch.ones(new, past + new) > 0,
            ),
            N_(
                "Here each new token sees those after it. Each may look up to itself.",
                "새 토큰이 뒤의 토큰까지 봅니다. 새 토큰마다 자기 자신까지만 볼 수 있습니다.",
            ),
        ),
        Mistake(
            "swapped",
            lambda past, new: parts.places_and_mask(past, new)[::-1],
            N_(
                "Mask and positions changed places. Return `(positions, mask)`.",
                "마스크와 위치의 순서가 바뀌었습니다. `(positions, mask)`를 돌려주세요.",
            ),
        ),
    ),
)
def places_and_mask(attempt: Attempt) -> Iterator[Check]:
    for past, new in ((0, 4), (3, 2), (5, 1)):
        title = _("{new} new after {past}", "{past}개 뒤에 새 토큰 {new}개").format(
            new=new, past=past
        )
        yield attempt.compare(title, past, new, expected=parts.places_and_mask(past, new))
