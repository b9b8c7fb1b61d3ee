"""Drawing a token: what exercise 3.6 checks."""

from collections.abc import Iterator
from math import inf
from typing import Any

import torch
from torch import Tensor

from course.graders import relations
from course.graders.attempt import Attempt
from course.graders.compare import describe
from course.graders.lesson_03.logits import random_logits
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_, _

DRAWS = 3000
CRITICAL = 30.9  # chi-square with 5 degrees of freedom goes beyond this once in 100,000 times


def _draws(attempt: Attempt, title: str, logits: Tensor, seed: int, count: int) -> list[Any]:
    """What the learner's function draws, `count` times, from one generator."""

    def draw(logits: Tensor, generator: torch.Generator) -> list[Any]:
        return [attempt.answer(logits, generator) for _draw in range(count)]

    generator = torch.Generator().manual_seed(seed)
    name = describe(attempt.answer)
    return attempt.call(title, logits, generator, function=draw, name=name)


def _chi_square(counts: Tensor, probabilities: Tensor) -> float:
    expected = (probabilities * counts.sum()).clamp(min=1e-9)
    return float(((counts - expected) ** 2 / expected).sum())


@exercise(
    "3.6",
    mistakes=(
        Mistake(
            "no-softmax",
            lambda logits, generator: torch.multinomial(logits, 1, generator=generator).item(),
            N_(
                "`torch.multinomial` wants probabilities, and logits may be negative: softmax "
                "first.",
                "`torch.multinomial`은 확률을 받습니다. 로짓은 음수일 수 있으니 먼저 "
                "소프트맥스를 하세요.",
            ),
        ),
        Mistake(
            "probability-not-id",
            lambda logits, generator: logits.softmax(-1).max().item(),
            N_(
                "That is a probability. Return the id of the token that was drawn.",
                "그것은 확률입니다. 뽑힌 토큰의 id를 돌려주세요.",
            ),
        ),
    ),
    diagnoses={
        "cut-token-drawn": N_(
            "A token was drawn whose logit is -inf. Its probability is 0: use softmax.",
            "로짓이 -inf인 토큰이 뽑혔습니다. 그 확률은 0입니다. 소프트맥스를 쓰세요.",
        ),
        "always-the-winner": N_(
            "Every draw was the likeliest token: that is greedy search.",
            "언제나 1등만 뽑혔습니다. 그것은 탐욕적 검색입니다.",
        ),
        "seed-inside": N_(
            "Every draw was the same token. Is a seed set inside the function?",
            "언제나 같은 토큰이 뽑혔습니다. 함수 안에서 시드를 정하고 있나요?",
        ),
        "not-an-id": N_(
            "Every draw should be a token's id, an int from 0 to {last}.",
            "뽑은 것은 모두 토큰의 id, 곧 0부터 {last}까지의 int여야 합니다.",
        ),
        "uniform": N_(
            "Every token came up equally often, those that are cut too: use the probabilities.",
            "잘린 토큰까지 모두 똑같이 나왔습니다. 확률대로 뽑으세요.",
        ),
        "uniform-among-kept": N_(
            "All tokens that are left came up equally often: the probabilities were not used.",
            "남은 토큰이 모두 똑같이 나왔습니다. 확률을 쓰지 않았습니다.",
        ),
        "softmax-twice": N_(
            "It looks as if softmax had been taken twice.",
            "소프트맥스를 두 번 한 것 같습니다. 한 번만 하세요.",
        ),
        "frequencies": N_(
            "The frequencies do not follow the probabilities.",
            "나온 횟수가 확률을 따르지 않습니다.",
        ),
        "generator-ignored": N_(
            "Two generators with the same seed drew different tokens: pass "
            "`generator=generator` on to the function that draws.",
            "시드가 같은 두 생성기가 다른 토큰을 뽑았습니다. 뽑는 함수에 "
            "`generator=generator`를 넘기세요.",
        ),
        "same-for-every-seed": N_(
            "Whatever the seed, the same tokens come: use the generator that is given, and do "
            "not set a seed inside.",
            "시드가 무엇이든 같은 토큰이 나옵니다. 받은 생성기를 쓰고, 함수 안에서 시드를 "
            "정하지 마세요.",
        ),
    },
)
def sample(attempt: Attempt) -> Iterator[Check]:
    generator = torch.Generator().manual_seed(0)
    for title, token, logit in (
        (N_("one token is left: it is drawn", "하나만 남아 있으면 그것이 뽑힌다"), 3, 1.0),
        (N_("a negative logit does no harm", "로짓이 음수여도 된다"), 2, -1.0),
    ):
        logits = torch.full((6,), -inf).index_fill(0, torch.tensor([token]), logit)
        check = attempt.compare(title, logits, generator, expected=token)
        if check.diagnosis in ("other-value", "random-result", *relations.SINGLE):
            about = {"given": check.given, "got": check.got, "expected": check.expected}
            check = attempt.fail(title, "cut-token-drawn", **about)
        yield check

    title = _(
        "{count} draws are as frequent as their probabilities",
        "{count}번 뽑으면 확률만큼 나온다",
    ).format(count=DRAWS)
    logits = torch.tensor([0.5, 2.0, -inf, 1.2, -1.0, 1.0])
    drawn = _draws(attempt, title, logits, 1, DRAWS)
    if len(set(map(str, drawn))) == 1:
        yield _always_the_same(attempt, title, drawn[0])
        return
    yield _frequency_check(attempt, title, logits, drawn)

    title = N_(
        "the same seed draws the same tokens, another seed others",
        "시드가 같으면 같은 토큰을, 다르면 다른 토큰을 뽑는다",
    )
    spread = torch.zeros(1000)
    torch.manual_seed(1)
    first = _draws(attempt, title, spread, 5, 10)
    torch.manual_seed(2)
    if first != _draws(attempt, title, spread, 5, 10):
        yield attempt.fail(title, "generator-ignored")
    elif first == _draws(attempt, title, spread, 6, 10):
        yield attempt.fail(title, "same-for-every-seed")
    else:
        yield Check(title)


def _always_the_same(attempt: Attempt, title: str, token: Any) -> Check:
    """One token came every time: because it is the winner, or because a seed is set each time."""
    others = [random_logits(50, seed) for seed in range(8)]
    greedy = all(_draws(attempt, title, some, 1, 1) == [int(some.argmax())] for some in others)
    return attempt.fail(
        title, "always-the-winner" if greedy else "seed-inside", got=describe(token)
    )


def _frequency_check(attempt: Attempt, title: str, logits: Tensor, drawn: list[Any]) -> Check:
    """Compares frequencies with the probabilities, and with those of known mistakes."""
    last = len(logits) - 1
    odd = [token for token in drawn if type(token) is not int or not 0 <= token <= last]
    if odd:
        return attempt.fail(title, "not-an-id", got=describe(odd[0]), last=last)
    counts = torch.bincount(torch.tensor(drawn), minlength=len(logits)).float()
    probabilities = logits.softmax(-1)
    if _chi_square(counts, probabilities) < CRITICAL:
        return Check(title)
    name = "frequencies"
    for known, weights in (
        ("uniform", torch.ones_like(logits)),
        ("uniform-among-kept", (logits > -inf).float()),
        ("softmax-twice", probabilities.softmax(-1)),
    ):
        if _chi_square(counts, weights / weights.sum()) < CRITICAL:
            name = known
    return attempt.fail(
        title,
        name,
        given=describe(logits),
        got=_shares(counts / counts.sum()),
        expected=_shares(probabilities),
    )


def _shares(probabilities: Tensor) -> str:
    return ", ".join(f"{share:.2f}" for share in probabilities.tolist())
