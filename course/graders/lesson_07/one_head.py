"""What one head does, from scores to a weighted sum: what exercises 7.1 to 7.3 check."""

from collections.abc import Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_
from utils.parts import causal_mask

CLOSED = float("-inf")  # the score of a key that a query may not look at


def _products(query: Tensor, keys: Tensor) -> Tensor:
    return query @ keys.transpose(1, 2)


@exercise(
    "7.1",
    mistakes=(
        Mistake(
            "not-scaled",
            _products,
            N_(
                "The division is missing: by the square root of `head_dim`, `query.shape[-1]`.",
                "나누기가 빠졌습니다. `head_dim`, 곧 `query.shape[-1]`의 제곱근으로 나누세요.",
            ),
        ),
        Mistake(
            "divided-by-head-dim",
            lambda q, k: _products(q, k) / q.shape[-1],
            N_(
                "You divided by `head_dim` itself. It is its square root, `** 0.5`.",
                "`head_dim`으로 나누었습니다. 그 제곱근(`** 0.5`)으로 나누세요.",
            ),
        ),
        Mistake(
            "typed-in",
            lambda q, k: _products(q, k) / 8,
            N_(
                "You divided by 8, which is the root of this model's `head_dim`, 64. Here "
                "`head_dim` is another: take `query.shape[-1] ** 0.5`.",
                "8로 나누었습니다. 8은 이 모델의 `head_dim`인 64의 제곱근입니다. 여기서는 "
                "`head_dim`이 다르니 `query.shape[-1] ** 0.5`를 쓰세요.",
            ),
        ),
        *(
            Mistake(
                "star-not-product",
                lambda q, k, by=by: q * k / q.shape[-1] ** by,
                N_(
                    "`*` multiplies number by number. The dot product of every query with every "
                    "key is `query @ keys.transpose(1, 2)`.",
                    "`*`는 원소별로 곱합니다. 모든 쿼리와 모든 키의 내적은 "
                    "`query @ keys.transpose(1, 2)`입니다.",
                ),
            )
            for by in (0.5, 0)
        ),
        Mistake(
            "all-axes-turned",
            lambda q, k: q @ k.permute(2, 1, 0),
            N_(
                "`.T` turns all three axes round. Only the last two should change places: "
                "`keys.transpose(1, 2)`.",
                "`.T`는 세 축을 모두 뒤집습니다. 마지막 두 축만 맞바꾸세요: "
                "`keys.transpose(1, 2)`.",
            ),
        ),
        Mistake(
            "divided-by-positions",
            lambda q, k: _products(q, k) / k.shape[1] ** 0.5,
            N_(
                "You divided by the root of the number of keys. Take `head_dim`, the last axis.",
                "키의 개수의 제곱근으로 나누었습니다. 마지막 축인 `head_dim`의 제곱근을 쓰세요.",
            ),
        ),
        Mistake(
            "divided-by-heads",
            lambda q, k: _products(q, k) / q.shape[0] ** 0.5,
            N_(
                "You divided by the root of the number of heads. Take `head_dim`, the last axis.",
                "헤드 수의 제곱근으로 나누었습니다. 마지막 축인 `head_dim`의 제곱근을 쓰세요.",
            ),
        ),
        Mistake(
            "multiplied-by-root",
            lambda q, k: _products(q, k) * q.shape[-1] ** 0.5,
            N_(
                "You multiplied by the root. Divide by it: scores are to become smaller.",
                "제곱근을 곱했습니다. 점수가 작아지도록 나누세요.",
            ),
        ),
        Mistake(
            "keys-not-turned",
            lambda q, k: q @ k,
            N_(
                "`query @ keys` does not fit. Let the last two axes of the keys change "
                "places: `keys.transpose(1, 2)`.",
                "`query @ keys`는 모양이 맞지 않습니다. 키의 마지막 두 축을 맞바꾸세요. "
                "`keys.transpose(1, 2)`입니다.",
            ),
        ),
        Mistake(
            "query-and-key-swapped",
            lambda q, k: k @ q.transpose(1, 2) / q.shape[-1] ** 0.5,
            N_(
                "Rows and columns are swapped: each row should belong to a query.",
                "행과 열이 바뀌었습니다. 행 하나가 쿼리 하나여야 합니다.",
            ),
        ),
        Mistake(
            "softmax-already",
            lambda q, k: (_products(q, k) / q.shape[-1] ** 0.5).softmax(-1),
            N_(
                "That is one step too far: the softmax comes in the next exercise.",
                "한 단계 앞서갔습니다. 소프트맥스는 다음 연습 문제에서 합니다.",
            ),
        ),
        Mistake(
            "heads-mixed",
            lambda q, k: (q.mean(0) @ k.mean(0).T / q.shape[-1] ** 0.5).expand(len(q), -1, -1),
            N_(
                "The heads are mixed. Each has scores of its own.",
                "헤드가 섞였습니다. 점수는 헤드마다 따로 계산합니다.",
            ),
        ),
    ),
)
def attention_scores(attempt: Attempt) -> Iterator[Check]:
    for title, heads, queries, keys, width in (
        (N_("two heads, three positions", "헤드 2개, 위치 3개"), 2, 3, 3, 5),
        (
            N_("one query, five keys, as with a cache", "쿼리 1개, 키 5개(캐시를 쓸 때처럼)"),
            3,
            1,
            5,
            8,
        ),
    ):
        q, k = numbers(heads, queries, width), numbers(heads, keys, width, seed=1)
        expected = parts.attention_scores(q, k)
        yield attempt.compare(title, q, k, expected=expected)


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(~mask, CLOSED)


@exercise(
    "7.2",
    mistakes=(
        Mistake(
            "no-mask",
            lambda s, m: s.softmax(-1),
            N_(
                "Positions look ahead: the mask is not used.",
                "뒤쪽 토큰을 보고 있습니다. 마스크를 쓰지 않았습니다.",
            ),
        ),
        Mistake(
            "masked-after",
            lambda s, m: s.softmax(-1) * m,
            N_(
                "The mask came after the softmax, so the rows no longer sum to 1. Put −∞ into "
                "the scores first.",
                "소프트맥스 다음에 마스크를 씌워서 행의 합이 1이 아닙니다. 먼저 점수에 −∞를 "
                "넣으세요.",
            ),
        ),
        Mistake(
            "zero-for-closed",
            lambda s, m: (s * m).softmax(-1),
            N_(
                "A score of 0 is not closed: the softmax still gives it a weight, for e⁰ is "
                "1. It takes −∞.",
                "점수를 0으로 바꾼다고 막히지 않습니다. e⁰ = 1이므로 소프트맥스가 가중치를 "
                "줍니다. −∞로 바꾸세요.",
            ),
        ),
        Mistake(
            "mask-upside-down",
            lambda s, m: s.masked_fill(m, CLOSED).softmax(-1),
            N_(
                "The mask is upside down: True means that a query may look. Use `~mask`.",
                "마스크가 거꾸로입니다. True는 볼 수 있다는 뜻입니다. `~mask`를 쓰세요.",
            ),
        ),
        Mistake(
            "over-queries",
            lambda s, m: _masked(s, m).softmax(-2),
            N_(
                "Your weights sum to 1 over the wrong axis: softmax over keys, `dim=-1`.",
                "합이 1이 되는 축이 다릅니다. 소프트맥스를 키 축(`dim=-1`)에 적용하세요.",
            ),
        ),
        Mistake(
            "over-heads",
            lambda s, m: _masked(s, m).softmax(0),
            N_(
                "Your weights sum to 1 over the heads. Softmax over keys, `dim=-1`.",
                "지금은 헤드 축을 따라 더했을 때 1이 됩니다. 소프트맥스를 키 축(`dim=-1`)에 "
                "적용하세요.",
            ),
        ),
        Mistake(
            "no-softmax",
            _masked,
            N_(
                "These are masked scores. The softmax is missing.",
                "이것은 마스크를 씌운 점수입니다. 소프트맥스가 빠졌습니다.",
            ),
        ),
        Mistake(
            "log-weights",
            lambda s, m: _masked(s, m).log_softmax(-1),
            N_(
                "These are logarithms. Use `softmax`, not `log_softmax`.",
                "이것은 로그값입니다. `log_softmax`가 아니라 `softmax`를 쓰세요.",
            ),
        ),
        Mistake(
            "shared-out-without-exp",
            lambda s, m: (s * m) / (s * m).sum(-1, keepdim=True),
            N_(
                "The scores were divided by their sum. The softmax takes `exp` of them first.",
                "점수를 그 합으로 나누었습니다. 소프트맥스는 먼저 `exp`를 취합니다.",
            ),
        ),
    ),
)
def attention_weights(attempt: Attempt) -> Iterator[Check]:
    for title, heads, n, queries in (
        (N_("two heads, four positions", "헤드 2개, 위치 4개"), 2, 4, 4),
        (
            N_(
                "one query that may see everything, as with a cache",
                "모두 볼 수 있는 쿼리 1개(캐시를 쓸 때처럼)",
            ),
            2,
            4,
            1,
        ),
    ):
        scores, mask = 2 * numbers(heads, queries, n), causal_mask(n)[-queries:]
        expected = parts.attention_weights(scores, mask)
        yield attempt.compare(title, scores, mask, expected=expected)


@exercise(
    "7.3",
    mistakes=(
        Mistake(
            "weights-turned",
            lambda w, v: w.transpose(1, 2) @ v,
            N_(
                "The weights are turned around: a row of them belongs to a query already.",
                "가중치를 뒤집었습니다. 행 하나가 이미 쿼리 하나의 것입니다.",
            ),
        ),
        Mistake(
            "star-not-product",
            lambda w, v: w * v,
            N_(
                "`*` multiplies number by number. A sum of the values by their weights is "
                "`weights @ values`.",
                "`*`는 원소별로 곱합니다. 값을 가중치만큼 더하는 것은 `weights @ values`입니다.",
            ),
        ),
        Mistake(
            "mean-not-sum",
            lambda w, v: w @ v / w.shape[-1],
            N_(
                "Do not divide again: the weights sum to 1 already.",
                "또 나누지 마세요. 가중치의 합은 이미 1입니다.",
            ),
        ),
        Mistake(
            "only-the-best",
            lambda w, v: torch.stack(
                [one[best] for one, best in zip(v, w.argmax(-1), strict=True)]
            ),
            N_(
                "That is only the value with the largest weight. Add all of them, by weight.",
                "가중치가 가장 큰 값 하나뿐입니다. 모든 값을 가중치만큼 더하세요.",
            ),
        ),
        Mistake(
            "not-added-up",
            lambda w, v: w[..., None] * v[:, None],
            N_(
                "The products are there, but not added up: sum over the keys.",
                "곱하기는 했지만 더하지 않았습니다. 키 축을 따라 더하세요.",
            ),
        ),
        Mistake(
            "weights-not-used",
            lambda w, v: v.mean(1, keepdim=True).expand(-1, w.shape[1], -1),
            N_(
                "All positions count the same here. Use the weights.",
                "모든 위치를 똑같이 쳤습니다. 가중치를 쓰세요.",
            ),
        ),
        Mistake(
            "summed-over-queries",
            lambda w, v: (w[..., None] * v[:, None]).sum(1),
            N_(
                "The sum runs over the queries. It should run over the keys.",
                "쿼리 축을 따라 더했습니다. 키 축을 따라 더해야 합니다.",
            ),
        ),
    ),
)
def combine(attempt: Attempt) -> Iterator[Check]:
    for title, heads, queries, keys, width in (
        (N_("two heads, four positions", "헤드 2개, 위치 4개"), 2, 4, 4, 3),
        (
            N_("one query, five values, as with a cache", "쿼리 1개, 값 5개(캐시를 쓸 때처럼)"),
            3,
            1,
            5,
            4,
        ),
    ):
        weights = (2 * numbers(heads, queries, keys)).softmax(-1)
        values = numbers(heads, keys, width, seed=1)
        expected = parts.combine(weights, values)
        yield attempt.compare(title, weights, values, expected=expected)
