"""Lesson 07, attention: what its exercises check and its questions ask."""

import torch

from course.graders.grading import Mistake, exercise
from course.graders.questions import question
from utils import parts as steps
from utils.language import N_
from utils.parts import causal_mask

question(
    "7.a",
    N_("From ` it`, which token does head 2 of layer 27 look at most?"),
    (
        N_("because, the token just before"),
        N_("squirrel, the nearest noun"),
        N_("dog, who did the chasing"),
    ),
    right=2,
    because=N_(
        "It gives ` squirrel` 0.42 of its weight, and ` dog` 0.05. Nearly all of the rest goes to "
        "`The`, which this lesson comes back to."
    ),
)
question(
    "7.b",
    N_("Three query heads share one set of keys and values. What does that save most of?"),
    (
        N_("computing the softmax, which is done only once for the three"),
        N_("memory: the cache holds a third of the keys and values"),
        N_("queries: fewer of them have to be computed"),
    ),
    right=2,
    because=N_(
        "Each of the 9 heads still has queries, scores and weights of its own. But only 3 sets of "
        "keys and values are computed, kept for every token, and read again at every step."
    ),
)
question(
    "7.c",
    N_("The six vectors before ` it` are shuffled. What do these parts give for ` it`?"),
    (
        N_("the same vector as before"),
        N_("the same numbers in another order"),
        N_("a different vector"),
    ),
    right=1,
    because=N_(
        "Each key is scored on its own, and a weighted sum does not depend on the order of what is "
        "added up. Nothing so far knows where a token stands."
    ),
)
question(
    "7.d",
    N_("Head 6 of layer 18 is switched off. How much of the next token's probability moves?"),
    (N_("almost none"), N_("about half"), N_("almost all")),
    right=1,
    because=N_(
        "It looks at the first token whatever stands there, and takes next to nothing from it."
    ),
)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@exercise(
    "7.1",
    title=N_("All scores at once"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("`@` multiplies the last two axes and does so for each head."),
        N_(
            "`query @ keys` does not fit: the last two axes of the keys have to change places, "
            "`keys.transpose(1, 2)`."
        ),
        N_("Divide the product by `query.shape[-1] ** 0.5`."),
    ),
)
def attention_scores(attempt):
    def scores(q, k):
        return q @ k.transpose(1, 2)

    mistakes = (
        Mistake(
            "not-scaled",
            scores,
            N_("The division is missing: by the square root of `head_dim`, `query.shape[-1]`."),
        ),
        Mistake(
            "divided-by-head-dim",
            lambda q, k: scores(q, k) / q.shape[-1],
            N_("You divided by `head_dim` itself. It is its square root, `** 0.5`."),
        ),
        Mistake(
            "divided-by-positions",
            lambda q, k: scores(q, k) / k.shape[1] ** 0.5,
            N_("You divided by the root of the number of keys. Take `head_dim`, the last axis."),
        ),
        Mistake(
            "divided-by-heads",
            lambda q, k: scores(q, k) / q.shape[0] ** 0.5,
            N_("You divided by the root of the number of heads. Take `head_dim`, the last axis."),
        ),
        Mistake(
            "multiplied-by-root",
            lambda q, k: scores(q, k) * q.shape[-1] ** 0.5,
            N_("You multiplied by the root. Divide by it: scores are to become smaller."),
        ),
        Mistake(
            "keys-not-turned",
            lambda q, k: q @ k,
            N_(
                "`query @ keys` does not fit. Let the last two axes of the keys change places: "
                "`keys.transpose(1, 2)`."
            ),
        ),
        Mistake(
            "query-and-key-swapped",
            lambda q, k: k @ q.transpose(1, 2) / q.shape[-1] ** 0.5,
            N_("Rows and columns are swapped: each row should belong to a query."),
        ),
        Mistake(
            "softmax-already",
            lambda q, k: (scores(q, k) / q.shape[-1] ** 0.5).softmax(-1),
            N_("That is one step too far: the softmax comes in the next exercise."),
        ),
        Mistake(
            "heads-mixed",
            lambda q, k: (q.mean(0) @ k.mean(0).T / q.shape[-1] ** 0.5).expand(len(q), -1, -1),
            N_("The heads are mixed. Each has scores of its own."),
        ),
    )
    for title, heads, queries, keys, width in (
        (N_("two heads, three positions"), 2, 3, 3, 4),
        (N_("one query, five keys, as with a cache"), 3, 1, 5, 8),
    ):
        q, k = numbers(heads, queries, width), numbers(heads, keys, width, seed=1)
        expected = steps.attention_scores(q, k)
        yield attempt.compare(title, q, k, expected=expected, mistakes=mistakes)


@exercise(
    "7.2",
    title=N_("From scores to weights"),
    kind="implement",
    difficulty=2,
    minutes=6,
    hints=(
        N_("First close what the mask forbids, then take the softmax: in this order."),
        N_("`masked_fill(~mask, float('-inf'))` writes −∞ where the mask is False."),
        N_("Then `.softmax(dim=-1)`: over the keys, so that each row sums to 1."),
    ),
)
def attention_weights(attempt):
    minus = float("-inf")

    def masked(scores, mask):
        return scores.masked_fill(~mask, minus)

    mistakes = (
        Mistake(
            "no-mask",
            lambda s, m: s.softmax(-1),
            N_("Positions look ahead: the mask is not used."),
        ),
        Mistake(
            "masked-after",
            lambda s, m: s.softmax(-1) * m,
            N_(
                "The mask came after the softmax, so the rows no longer sum to 1. Put −∞ into the "
                "scores first."
            ),
        ),
        Mistake(
            "zero-for-closed",
            lambda s, m: (s * m).softmax(-1),
            N_(
                "A score of 0 is not closed: the softmax still gives it a weight, for e⁰ is 1. It "
                "takes −∞."
            ),
        ),
        Mistake(
            "mask-upside-down",
            lambda s, m: s.masked_fill(m, minus).softmax(-1),
            N_("The mask is upside down: True means that a query may look. Use `~mask`."),
        ),
        Mistake(
            "over-queries",
            lambda s, m: masked(s, m).softmax(-2),
            N_("Your weights sum to 1 over the wrong axis: softmax over keys, `dim=-1`."),
        ),
        Mistake(
            "over-heads",
            lambda s, m: masked(s, m).softmax(0),
            N_("Your weights sum to 1 over the heads. Softmax over keys, `dim=-1`."),
        ),
        Mistake(
            "no-softmax",
            masked,
            N_("These are masked scores. The softmax is missing."),
        ),
        Mistake(
            "log-weights",
            lambda s, m: masked(s, m).log_softmax(-1),
            N_("These are logarithms. Use `softmax`, not `log_softmax`."),
        ),
        Mistake(
            "shared-out-without-exp",
            lambda s, m: (s * m) / (s * m).sum(-1, keepdim=True),
            N_("The scores were divided by their sum. The softmax takes `exp` of them first."),
        ),
    )
    for title, heads, n, queries in (
        (N_("two heads, four positions"), 2, 4, 4),
        (N_("one query that may see everything, as with a cache"), 2, 4, 1),
    ):
        scores, mask = 2 * numbers(heads, queries, n), causal_mask(n)[-queries:]
        expected = steps.attention_weights(scores, mask)
        yield attempt.compare(title, scores, mask, expected=expected, mistakes=mistakes)


@exercise(
    "7.3",
    title=N_("Values, each by its weight"),
    kind="implement",
    difficulty=1,
    minutes=3,
    hints=(
        N_("Number by number: result[h, q] is the sum over k of weights[h, q, k] · values[h, k]."),
        N_("A sum of products over an axis that both have is what a matrix product does."),
        N_("It is a single `@`, and no axis has to move."),
    ),
)
def combine(attempt):
    mistakes = (
        Mistake(
            "weights-turned",
            lambda w, v: w.transpose(1, 2) @ v,
            N_("The weights are turned around: a row of them belongs to a query already."),
        ),
        Mistake(
            "mean-not-sum",
            lambda w, v: w @ v / w.shape[-1],
            N_("Do not divide again: the weights sum to 1 already."),
        ),
        Mistake(
            "only-the-best",
            lambda w, v: torch.stack(
                [one[best] for one, best in zip(v, w.argmax(-1), strict=True)]
            ),
            N_("That is only the value with the largest weight. Add all of them, by weight."),
        ),
        Mistake(
            "not-added-up",
            lambda w, v: w[..., None] * v[:, None],
            N_("The products are there, but not added up: sum over the keys."),
        ),
        Mistake(
            "weights-not-used",
            lambda w, v: v.mean(1, keepdim=True).expand(-1, w.shape[1], -1),
            N_("All positions count the same here. Use the weights."),
        ),
        Mistake(
            "summed-over-queries",
            lambda w, v: (w[..., None] * v[:, None]).sum(1),
            N_("The sum runs over the queries. It should run over the keys."),
        ),
    )
    for title, heads, queries, keys, width in (
        (N_("two heads, four positions"), 2, 4, 4, 3),
        (N_("one query, five values, as with a cache"), 3, 1, 5, 4),
    ):
        weights = (2 * numbers(heads, queries, keys)).softmax(-1)
        values = numbers(heads, keys, width, seed=1)
        expected = steps.combine(weights, values)
        yield attempt.compare(title, weights, values, expected=expected, mistakes=mistakes)
