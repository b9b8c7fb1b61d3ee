"""Cutting the tail by rank or by the winner: what exercises 3.3 and 3.5 check."""

from collections.abc import Callable, Iterator
from math import inf

import torch
from torch import Tensor
from transformers import LogitsProcessor, MinPLogitsWarper, TopKLogitsWarper

from course.graders.attempt import Attempt
from course.graders.lesson_03.logits import SIX_LOGITS, random_logits
from course.graders.spec import Check, Mistake, exercise
from utils.decoding import min_p_filter, top_k_filter, top_p_filter
from utils.language import N_, _


def filtered_mistakes(right: Callable[..., Tensor]) -> tuple[Mistake, ...]:
    """Faults that each of the three filters may have; `right` is the one that is asked for."""
    return (
        Mistake(
            "zero-not-inf",
            lambda logits, setting: right(logits, setting).masked_fill(
                right(logits, setting) == -inf, 0.0
            ),
            N_(
                "A logit of 0 is not cut: softmax gives it a probability. Use `-torch.inf`.",
                "로짓 0은 잘린 것이 아닙니다. 소프트맥스가 확률을 줍니다. `-torch.inf`를 쓰세요.",
            ),
        ),
        Mistake(
            "probabilities",
            lambda logits, setting: right(logits, setting).softmax(-1),
            N_(
                "These are probabilities. Return logits: what stays, stays as it was.",
                "이것은 확률입니다. 로짓을 돌려주세요. 남는 토큰의 로짓은 그대로여야 합니다.",
            ),
        ),
        *(
            Mistake(
                "probabilities",
                lambda logits, setting, cut=cut: logits.softmax(-1).masked_fill(
                    right(logits, setting) == -inf, cut
                ),
            )
            for cut in (0.0, -inf)
        ),
        Mistake(
            "inverted",
            lambda logits, setting: logits.masked_fill(right(logits, setting) > -inf, -inf),
            N_(
                "It is the wrong way round: you cut what should stay and kept the rest.",
                "거꾸로 되었습니다. 남길 것을 자르고 자를 것을 남겼습니다.",
            ),
        ),
        Mistake(
            "only-the-kept",
            lambda logits, setting: logits[right(logits, setting) > -inf],
            N_(
                "Only the kept logits came back. The result needs one logit for each token of "
                "the vocabulary, or the ids no longer fit.",
                "남긴 로짓만 돌아왔습니다. 어휘사전의 토큰마다 로짓이 하나씩 있어야 합니다. "
                "그렇지 않으면 id가 어긋납니다.",
            ),
        ),
        Mistake(
            "sorted",
            lambda logits, setting: right(logits, setting).sort(descending=True).values,
            N_(
                "The result is in order of size. Each logit must stay at its token's place.",
                "결과가 크기순입니다. 로짓은 원래 순서대로, 토큰의 id가 가리키는 인덱스에 "
                "있어야 합니다.",
            ),
        ),
        Mistake(
            "nothing-cut",
            lambda logits, setting: logits,
            N_(
                "Nothing was cut: the logits came back as they were.",
                "아무것도 잘리지 않았습니다. 로짓이 그대로 돌아왔습니다.",
            ),
        ),
    )


def like_the_library(
    attempt: Attempt, warper: Callable[[float], LogitsProcessor], settings: tuple[float, ...]
) -> Iterator[Check]:
    """One check for all `settings`, or the first that fails."""
    title = N_(
        "the same as the function of `transformers`, on 200 random logits",
        "무작위 로짓 200개에서 `transformers`의 함수와 같다",
    )
    for seed, setting in enumerate(settings):
        logits = random_logits(200, seed)
        expected = warper(setting)(None, logits[None])[0]
        check = attempt.compare(title, logits, setting, expected=expected)
        if not check.passed or seed == len(settings) - 1:
            yield check


@exercise(
    "3.3",
    mistakes=(
        *filtered_mistakes(top_k_filter),
        Mistake(
            "one-too-few",
            lambda logits, k: logits.masked_fill(
                logits <= logits.topk(min(k, len(logits))).values[-1], -inf
            ),
            N_(
                "One too few is kept: the k-th itself should stay, so compare with `<`.",
                "하나 적게 남았습니다. k번째도 남아야 하므로 `<`로 비교하세요.",
            ),
        ),
        Mistake(
            "one-too-many",
            lambda logits, k: top_k_filter(logits, k + 1),
            N_(
                "One too many is kept: is it the k-th highest that you compare with?",
                "하나 많이 남았습니다. 비교하는 값이 k번째로 높은 로짓인가요?",
            ),
        ),
        Mistake(
            "the-lowest-kept",
            lambda logits, k: logits.masked_fill(
                logits > logits.sort().values[min(k, len(logits)) - 1], -inf
            ),
            N_(
                "The lowest k were kept. Sort in descending order, or use `topk`.",
                "가장 낮은 k개가 남았습니다. 내림차순으로 정렬하거나 `topk`를 쓰세요.",
            ),
        ),
        Mistake(
            "k-above-vocabulary",
            lambda logits, k: logits.topk(k),
            N_(
                "k may be larger than the vocabulary, and then everything stays: use `min(k, "
                "len(logits))`.",
                "k가 어휘사전보다 클 수도 있고, 그때는 모두 남습니다. `min(k, len(logits))`를 "
                "쓰세요.",
            ),
        ),
        Mistake("k-above-vocabulary", lambda logits, k: logits.sort(descending=True).values[k - 1]),
    ),
)
def top_k(attempt: Attempt) -> Iterator[Check]:
    yield attempt.compare(
        _("the {k} highest of {count}", "{count}개 가운데 가장 높은 {k}개").format(k=2, count=6),
        SIX_LOGITS,
        2,
        expected=top_k_filter(SIX_LOGITS, 2),
    )
    for title, logits, k in (
        (N_("k = 1 leaves the winner alone", "k = 1이면 1등만 남는다"), SIX_LOGITS, 1),
        (
            N_("k above the vocabulary keeps everything", "k가 어휘사전보다 크면 모두 남는다"),
            SIX_LOGITS,
            50,
        ),
    ):
        expected = top_k_filter(logits, k)
        yield attempt.compare(title, logits, k, expected=expected)
    yield from like_the_library(attempt, TopKLogitsWarper, (1, 20, 150))


@exercise(
    "3.5",
    mistakes=(
        *filtered_mistakes(min_p_filter),
        Mistake(
            "fixed-bar",
            lambda logits, p: logits.masked_fill(logits.softmax(-1) < p, -inf),
            N_(
                "The bar is p itself. It should be p times the winner's probability.",
                "p를 그대로 기준으로 썼습니다. 기준은 1등 확률의 p배입니다.",
            ),
        ),
        Mistake(
            "bar-in-logits",
            lambda logits, p: logits.masked_fill(logits < p * logits.max(), -inf),
            N_(
                "The bar was put up among the logits. Compare probabilities: softmax first.",
                "기준을 로짓에 적용했습니다. 먼저 소프트맥스로 확률을 구해서 확률끼리 비교하세요.",
            ),
        ),
        Mistake(
            "below-the-winner",
            lambda logits, p: logits.masked_fill(
                logits.softmax(-1) < logits.softmax(-1).max() - p, -inf
            ),
            N_(
                "You subtracted p from the winner's probability. Multiply.",
                "1등의 확률에서 p를 뺐습니다. 곱하세요.",
            ),
        ),
        Mistake(
            "top-p-instead",
            top_p_filter,
            N_(
                "That is top-p. Here nothing is added up; each is compared with the winner.",
                "그것은 top-p입니다. 여기서는 더하지 않고, 하나하나를 1등과 비교합니다.",
            ),
        ),
    ),
)
def min_p(attempt: Attempt) -> Iterator[Check]:
    peaked = torch.tensor([0.08, 0.6, 0.05, 0.2, 0.04, 0.03]).log()
    flat = torch.tensor([0.2, 0.04, 0.4, 0.06, 0.3]).log()
    for title, logits, p in (
        (N_("the winner has 0.4 and p is 0.25", "1등이 0.4이고 p가 0.25일 때"), flat, 0.25),
        (N_("the winner has 0.6 and p is 0.1", "1등이 0.6이고 p가 0.1일 때"), peaked, 0.1),
        (N_("six logits", "로짓 여섯 개"), SIX_LOGITS, 0.3),
        (N_("p = 0 cuts nothing", "p = 0이면 아무것도 자르지 않는다"), SIX_LOGITS, 0.0),
        (N_("p = 1 leaves the winner", "p = 1이면 1등만 남는다"), SIX_LOGITS, 1.0),
    ):
        expected = min_p_filter(logits, p)
        yield attempt.compare(title, logits, p, expected=expected)
    yield from like_the_library(attempt, MinPLogitsWarper, (0.05, 0.2, 0.5))
