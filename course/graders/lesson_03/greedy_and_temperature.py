"""The winner, and the temperature: what exercises 3.1, 3.2 and 3.8 check."""

from collections.abc import Iterator
from math import inf
from numbers import Real

import torch
from torch import Tensor

from course.graders.attempt import Attempt, Refused
from course.graders.compare import describe
from course.graders.lesson_03.logits import SIX_LOGITS, random_logits
from course.graders.models import default_model
from course.graders.spec import Check, Mistake, exercise
from utils.decoding import apply_temperature
from utils.generation import next_logits
from utils.language import N_, _
from utils.model import prompt_ids


@exercise(
    "3.1",
    mistakes=(
        Mistake(
            "score-not-id",
            lambda logits: logits.max().item(),
            N_(
                "That is the highest score itself. Its place in the vocabulary is asked for: "
                "argmax.",
                "그것은 가장 높은 점수 자체입니다. 그 점수의 인덱스(argmax)를 돌려주세요.",
            ),
        ),
        Mistake(
            "probability-not-id",
            lambda logits: logits.softmax(-1).max().item(),
            N_(
                "That is the winner's probability. Its place in the vocabulary is asked for.",
                "그것은 1등의 확률입니다. 1등의 인덱스, 곧 토큰의 id를 돌려주세요.",
            ),
        ),
        Mistake(
            "without-the-sign",
            lambda logits: logits.abs().argmax().item(),
            N_(
                "The sign was lost. A logit of -9 is far below one of 2.",
                "부호가 사라졌습니다. 로짓 -9는 2보다 훨씬 낮습니다.",
            ),
        ),
        Mistake(
            "the-least-likely",
            lambda logits: logits.argmin().item(),
            N_(
                "That is the lowest logit. Greedy search takes the highest: argmax.",
                "그것은 가장 낮은 로짓입니다. 탐욕적 검색은 가장 높은 것을 고릅니다: argmax.",
            ),
        ),
        Mistake(
            "the-whole-order",
            lambda logits: logits.argsort(descending=True).tolist(),
            N_(
                "Those are all tokens in order. Return the first one's id only.",
                "모든 토큰을 순서대로 돌려주었습니다. 1등의 id 하나만 돌려주세요.",
            ),
        ),
    ),
)
def greedy(attempt: Attempt) -> Iterator[Check]:
    for title, logits in (
        (N_("six logits", "로짓 여섯 개"), torch.tensor([0.5, 2.0, -1.0, 1.2, -1.5, 0.1])),
        (
            N_("a logit far below the others", "하나만 훨씬 낮을 때"),
            torch.tensor([0.5, 2.0, -1.0, 1.2, -9.0, 0.1]),
        ),
        (
            N_("all logits negative", "로짓이 모두 음수일 때"),
            torch.tensor([-4.0, -2.5, -1.5, -7.0]),
        ),
        (N_("a larger vocabulary", "더 큰 어휘사전"), random_logits(1000, 1)),
    ):
        expected = int(logits.argmax())
        yield attempt.compare(title, logits, expected=expected)


@exercise(
    "3.2",
    mistakes=(
        Mistake(
            "multiplied",
            lambda logits, t: logits * t,
            N_(
                "You multiplied. Divide: a temperature of 0.5 should make differences larger.",
                "곱했습니다. 나누세요. 온도가 0.5이면 차이가 더 커져야 합니다.",
            ),
        ),
        Mistake(
            "probabilities",
            lambda logits, t: (logits / t).softmax(-1),
            N_(
                "These are probabilities. Return the logits; softmax comes later.",
                "이것은 확률입니다. 로짓을 돌려주세요. 소프트맥스는 나중에 합니다.",
            ),
        ),
        Mistake(
            "softmax-first",
            lambda logits, t: logits.softmax(-1) / t,
            N_(
                "The softmax came before the division, so the result is not a distribution.",
                "소프트맥스를 나눗셈보다 먼저 해서, 결과가 확률 분포가 아니게 되었습니다.",
            ),
        ),
        Mistake(
            "flipped",
            lambda logits, t: t / logits,
            N_(
                "It is upside down: divide the logits by the temperature.",
                "거꾸로 나누었습니다. 로짓을 온도로 나누세요.",
            ),
        ),
        Mistake(
            "whole-division",
            lambda logits, t: logits // t,
            N_(
                "`//` rounds down to whole numbers. Divide with `/`.",
                "`//`는 정수로 내림합니다. `/`로 나누세요.",
            ),
        ),
        Mistake(
            "not-applied",
            lambda logits, t: logits,
            N_(
                "The logits came back as they were: the temperature did nothing.",
                "로짓이 그대로 돌아왔습니다. 온도가 아무 일도 하지 않았습니다.",
            ),
        ),
    ),
    diagnoses={
        "other-error": N_(
            "Raise a ValueError yourself, before you divide: `raise ValueError(…)`.",
            "나누기 전에 직접 ValueError를 일으키세요: `raise ValueError(…)`.",
        ),
        "not-refused": N_(
            "Such a temperature makes no distribution. Check it first, and refuse it with "
            "`raise ValueError(…)`.",
            "그런 온도로는 확률 분포가 나오지 않습니다. 먼저 검사해서 `raise ValueError(…)`로 "
            "거절하세요.",
        ),
    },
)
def temperature(attempt: Attempt) -> Iterator[Check]:
    for value in (0.5, 2.0, 0.7):
        title = _("temperature {temperature}", "온도 {temperature}").format(temperature=value)
        expected = apply_temperature(SIX_LOGITS, value)
        yield attempt.compare(title, SIX_LOGITS, value, expected=expected)
    for value in (0, -1.0):
        title = _(
            "temperature {temperature} raises a ValueError",
            "온도 {temperature}에는 ValueError를 일으킨다",
        ).format(temperature=value)
        yield _refuses(attempt, title, SIX_LOGITS, value)


def _refuses(attempt: Attempt, title: str, logits: Tensor, temperature: float) -> Check:
    """Passes if the learner's function raises ValueError for this temperature."""
    try:
        got = describe(attempt.call(title, logits, temperature))
    except Refused as refused:
        got = refused.check.got
        if refused.error is not None:
            if isinstance(refused.error, ValueError):
                return Check(title)
            return attempt.fail(title, "other-error", got=got, expected="ValueError")
        if refused.check.diagnosis != "none":
            raise
    return attempt.fail(title, "not-refused", got=got, expected="ValueError")


FRANCE = "The capital of France is"
STEP = 0.05  # of the explorer's slider


@exercise(
    "3.8",
    diagnoses={
        "not-a-number": N_(
            "Give the temperature as a number, such as 0.7.",
            "온도를 숫자로 쓰세요. 예를 들면 0.7입니다.",
        ),
        "out-of-range": N_("A temperature is above 0.", "온도는 0보다 큽니다."),
        "wrong-direction": N_(
            "Below 1 the winner gains. Go above 1.",
            "1보다 낮으면 1등의 확률이 올라갑니다. 1보다 높이세요.",
        ),
        "too-low": N_(
            "The winner still has one half or more.",
            "1등의 확률이 아직 절반 이상입니다.",
        ),
        "too-high": N_(
            "It is under one half already one step of 0.05 earlier.",
            "한 눈금(0.05) 앞에서 이미 절반 밑입니다.",
        ),
    },
)
def under_one_half(attempt: Attempt) -> Iterator[Check]:
    value, title = (
        attempt.answer,
        N_(
            "the first step of the slider that is under one half",
            "절반 밑으로 떨어지는 첫 눈금",
        ),
    )
    if not isinstance(value, Real) or isinstance(value, bool):
        yield attempt.fail(title, "not-a-number", got=describe(value))
        return
    temperature = float(value)
    if not 0 < temperature < inf:
        yield attempt.fail(title, "out-of-range", got=describe(value))
        return

    model, tokenizer = default_model()
    logits, _output = next_logits(model, prompt_ids(model, tokenizer, FRANCE))

    def winner(at: float) -> float:
        return float(apply_temperature(logits, at).softmax(-1).max())

    got = _(
        "at temperature {temperature} the winner has {share:.2f}",
        "온도 {temperature}에서 1등의 확률은 {share:.2f}",
    ).format(temperature=f"{temperature:g}", share=winner(temperature))
    if winner(temperature) >= 0.5:
        yield attempt.fail(title, "wrong-direction" if temperature < 1 else "too-low", got=got)
    elif temperature > STEP and winner(temperature - STEP) < 0.5:
        yield attempt.fail(title, "too-high", got=got)
    else:
        yield Check(title)
