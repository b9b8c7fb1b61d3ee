"""Cutting the tail by the sum of probabilities: what exercise 3.4 checks."""

from collections.abc import Callable, Iterator
from math import inf

import torch
from torch import Tensor
from transformers import TopPLogitsWarper

from course.graders.attempt import Attempt, failures
from course.graders.compare import describe
from course.graders.lesson_03.filters import filtered_mistakes, like_the_library
from course.graders.lesson_03.logits import SIX_LOGITS
from course.graders.spec import Check, Mistake, exercise
from utils.decoding import top_k_filter, top_p_filter
from utils.language import N_


def _descending(logits: Tensor, cut_from: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Cut along the descending order: `cut_from(sums, probabilities)` says which places."""
    probabilities, order = logits.softmax(-1).sort(descending=True)
    cut = cut_from(probabilities.cumsum(-1), probabilities)
    result = logits.clone()
    result[order[cut]] = -inf
    return result


def _keep_first(cut: Tensor) -> Tensor:
    cut[0] = False
    return cut


def _sorted_places(logits: Tensor, p: float) -> Tensor:
    """The mask of the sorted logits, used on the logits as they stand."""
    probabilities = logits.softmax(-1).sort(descending=True).values
    before = probabilities.cumsum(-1) - probabilities
    return logits.masked_fill(_keep_first(before >= p), -inf)


def _least_likely_first(logits: Tensor, p: float, keep_first: bool) -> Tensor:
    probabilities, order = logits.softmax(-1).sort()
    cut = probabilities.cumsum(-1) - probabilities >= p
    if keep_first:
        cut[0] = False
    return logits.masked_fill(cut[order.argsort()], -inf)


@exercise(
    "3.4",
    mistakes=(
        *filtered_mistakes(top_p_filter),
        Mistake(
            "winner-cut",
            lambda logits, p: _descending(logits, lambda sums, each: sums - each >= p),
            N_(
                "Nothing is left to draw. The likeliest token stays, even if p is 0.",
                "뽑을 것이 하나도 남지 않았습니다. p가 0이어도 1등은 남습니다.",
            ),
        ),
        Mistake(
            "crossing-token-cut",
            lambda logits, p: _descending(logits, lambda sums, _each: sums > p),
            N_(
                "The token with which the sum reaches p was cut. It should stay: without it "
                "the kept ones fall short of p.",
                "합이 p에 이르게 하는 토큰을 잘랐습니다. 그 토큰은 남아야 합니다. 없으면 합이 "
                "p에 모자랍니다.",
            ),
        ),
        Mistake(
            "crossing-token-cut",
            lambda logits, p: _descending(logits, lambda sums, _each: _keep_first(sums > p)),
        ),
        Mistake(
            "not-sorted",
            lambda logits, p: logits.masked_fill(
                _keep_first(logits.softmax(-1).cumsum(-1) - logits.softmax(-1) >= p), -inf
            ),
            N_(
                "You added up in the order of the vocabulary. Sort first, likeliest first.",
                "어휘사전의 순서대로 더했습니다. 먼저 확률이 높은 순서로 정렬하세요.",
            ),
        ),
        Mistake(
            "not-sorted",
            lambda logits, p: logits.masked_fill(
                logits.softmax(-1).cumsum(-1) - logits.softmax(-1) >= p, -inf
            ),
        ),
        Mistake(
            "wrong-places",
            _sorted_places,
            N_(
                "What is to be cut was found in sorted order, and then cut at other tokens' "
                "places. `order` says whose place each one is.",
                "자를 것을 정렬된 순서에서 찾은 다음, 그 인덱스를 원래 순서에 그대로 써서 다른 "
                "토큰을 잘랐습니다. 정렬된 확률이 어느 토큰의 것인지는 `order`에 들어 있습니다.",
            ),
        ),
        Mistake(
            "least-likely-first",
            lambda logits, p: _least_likely_first(logits, p, keep_first=True),
            N_(
                "You added up from the unlikely end. Sort with `descending=True`.",
                "확률이 낮은 쪽부터 더했습니다. `descending=True`로 정렬하세요.",
            ),
        ),
        Mistake(
            "least-likely-first",
            lambda logits, p: _least_likely_first(logits, p, keep_first=False),
        ),
        Mistake(
            "threshold",
            lambda logits, p: logits.masked_fill(logits.softmax(-1) < p, -inf),
            N_(
                "You compared each probability with p. It is their running sum that counts.",
                "확률 하나하나를 p와 비교했습니다. 비교할 것은 차례로 더한 합입니다.",
            ),
        ),
        Mistake(
            "p-of-the-tokens",
            lambda logits, p: top_k_filter(logits, max(1, round(p * len(logits)))),
            N_(
                "That is a share p of the tokens. A share p of the probability is asked for.",
                "토큰 수의 p만큼을 남겼습니다. 확률의 p만큼을 남겨야 합니다.",
            ),
        ),
    ),
    diagnoses={
        "past-p": N_(
            "One too many is left: where the sum is p exactly, p is reached. Cut what comes when "
            "the likelier ones already hold p or more: `>=`.",
            "하나가 더 남았습니다. 합이 정확히 p이면 p에 이른 것입니다. 앞의 것들이 이미 p "
            "이상이면 자르세요: `>=`.",
        ),
    },
)
def top_p(attempt: Attempt) -> Iterator[Check]:
    example = torch.tensor([0.1, 0.35, 0.05, 0.3, 0.2]).log()
    for title, logits, p in (
        (N_("the lesson's example, in another order", "본문의 예, 순서를 바꾸어서"), example, 0.5),
        (N_("six logits", "로짓 여섯 개"), SIX_LOGITS, 0.9),
        (N_("a small p leaves the winner", "p가 작으면 1등만 남는다"), example, 0.2),
        (N_("p = 0 leaves the winner", "p = 0이면 1등만 남는다"), example, 0.0),
        (N_("p = 1 cuts nothing", "p = 1이면 아무것도 자르지 않는다"), example, 1.0),
    ):
        expected = top_p_filter(logits, p)
        yield attempt.compare(title, logits, p, expected=expected)
    yield from failures(_reached_exactly(attempt))
    yield from like_the_library(attempt, TopPLogitsWarper, (0.5, 0.9, 0.95))


def _reached_exactly(attempt: Attempt) -> Iterator[Check]:
    """Of four equal tokens, two or three together are p exactly; which of them, does not matter."""
    title, logits = N_("the sum is p exactly", "합이 정확히 p일 때"), torch.zeros(4)
    for p, count in ((0.5, 2), (0.75, 3)):
        got = attempt.call(title, logits, p)
        kept = int((got > -inf).sum()) if isinstance(got, Tensor) else count
        name = "past-p" if kept > count else "crossing-token-cut"
        about = {"got": describe(got), "given": f"logits = {logits.tolist()}\np = {p}"}
        yield Check(title) if kept == count else attempt.fail(title, name, **about)
