"""Lesson 03, cutting the tail: what exercises 3.3 to 3.5 check."""

from math import inf

import torch
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course.graders.grading import Mistake, exercise
from course.graders.lesson_03 import SMALL, random_logits
from utils.decoding import min_p_filter, top_k_filter, top_p_filter
from utils.language import N_, _


def _filtered_mistakes(right) -> tuple[Mistake, ...]:
    """Faults that each of the three filters may have; `right` is the one that is asked for."""
    return (
        Mistake(
            "zero-not-inf",
            lambda logits, setting: right(logits, setting).masked_fill(
                right(logits, setting) == -inf, 0.0
            ),
            N_("A logit of 0 is not cut: softmax gives it a probability. Use `-torch.inf`."),
        ),
        Mistake(
            "probabilities",
            lambda logits, setting: right(logits, setting).softmax(-1),
            N_("These are probabilities. Return logits: what stays, stays as it was."),
        ),
        Mistake(
            "inverted",
            lambda logits, setting: logits.masked_fill(right(logits, setting) > -inf, -inf),
            N_("It is the wrong way round: you cut what should stay and kept the rest."),
        ),
        Mistake(
            "only-the-kept",
            lambda logits, setting: logits[right(logits, setting) > -inf],
            N_(
                "Only the kept logits came back. The result needs one logit for each token of "
                "the vocabulary, or the ids no longer fit."
            ),
        ),
        Mistake(
            "sorted",
            lambda logits, setting: right(logits, setting).sort(descending=True).values,
            N_("The result is in order of size. Each logit must stay at its token's place."),
        ),
        Mistake(
            "nothing-cut",
            lambda logits, setting: logits,
            N_("Nothing was cut: the logits came back as they were."),
        ),
    )


@exercise(
    "3.3",
    title="top-k",
    kind="implement",
    difficulty=2,
    minutes=6,
    hints=(
        N_("Find the k-th highest logit. What is lower than that is cut."),
        N_("`logits.topk(k).values[-1]` is the k-th highest; k must not exceed `len(logits)`."),
        N_("`logits.masked_fill(logits < kth_best, -torch.inf)` is a new tensor with them cut."),
    ),
)
def top_k(attempt):
    too_large = N_(
        "k may be larger than the vocabulary, and then everything stays: use `min(k, len(logits))`."
    )
    mistakes = (
        *_filtered_mistakes(top_k_filter),
        Mistake(
            "one-too-few",
            lambda logits, k: logits.masked_fill(
                logits <= logits.topk(min(k, len(logits))).values[-1], -inf
            ),
            N_("One too few is kept: the k-th itself should stay, so compare with `<`."),
        ),
        Mistake(
            "one-too-many",
            lambda logits, k: top_k_filter(logits, k + 1),
            N_("One too many is kept: is it the k-th highest that you compare with?"),
        ),
        Mistake(
            "the-lowest-kept",
            lambda logits, k: logits.masked_fill(
                logits > logits.sort().values[min(k, len(logits)) - 1], -inf
            ),
            N_("The lowest k were kept. Sort in descending order, or use `topk`."),
        ),
        Mistake("k-above-vocabulary", lambda logits, k: logits.topk(k), too_large),
        Mistake(
            "k-above-vocabulary",
            lambda logits, k: logits.sort(descending=True).values[k - 1],
            too_large,
        ),
    )
    yield attempt.compare(
        _("the {k} highest of {count}").format(k=2, count=6),
        SMALL,
        2,
        expected=top_k_filter(SMALL, 2),
        mistakes=mistakes,
    )
    for title, logits, k in (
        (N_("k = 1 leaves the winner alone"), SMALL, 1),
        (N_("k above the vocabulary keeps everything"), SMALL, 50),
    ):
        expected = top_k_filter(logits, k)
        yield attempt.compare(title, logits, k, expected=expected, mistakes=mistakes)
    yield from _like_the_library(attempt, TopKLogitsWarper, (1, 20, 150), mistakes)


def _like_the_library(attempt, warper, settings, mistakes):
    title = N_("the same as the function of `transformers`, on 200 random logits")
    for seed, setting in enumerate(settings):
        logits = random_logits(200, seed)
        expected = warper(setting)(None, logits[None])[0]
        check = attempt.compare(title, logits, setting, expected=expected, mistakes=mistakes)
        if not check.passed or seed == len(settings) - 1:
            yield check


def _descending(logits, p, cut_from) -> torch.Tensor:
    """Cut along the descending order: `cut_from(sums, probabilities)` says which places."""
    probabilities, order = logits.softmax(-1).sort(descending=True)
    cut = cut_from(probabilities.cumsum(-1), probabilities)
    result = logits.clone()
    result[order[cut]] = -inf
    return result


def _keep_first(cut: torch.Tensor) -> torch.Tensor:
    cut[0] = False
    return cut


def _sorted_places(logits, p) -> torch.Tensor:
    """The mask of the sorted logits, used on the logits as they stand."""
    probabilities = logits.softmax(-1).sort(descending=True).values
    before = probabilities.cumsum(-1) - probabilities
    return logits.masked_fill(_keep_first(before >= p), -inf)


def _least_likely_first(logits, p, keep_first: bool) -> torch.Tensor:
    probabilities, order = logits.softmax(-1).sort()
    cut = probabilities.cumsum(-1) - probabilities >= p
    if keep_first:
        cut[0] = False
    return logits.masked_fill(cut[order.argsort()], -inf)


@exercise(
    "3.4",
    title="top-p",
    kind="implement",
    difficulty=3,
    minutes=10,
    hints=(
        N_(
            "`probabilities, order = logits.softmax(-1).sort(descending=True)` gives the sizes and "
            "whose they are."
        ),
        N_(
            "A token stays if what stands *before* it is still under p: "
            "`probabilities.cumsum(-1) - probabilities < p`. The first one always stays."
        ),
        N_("Cut in a clone, at the tokens' own places: `filtered[order[cut]] = -torch.inf`."),
    ),
)
def top_p(attempt):
    mistakes = (
        *_filtered_mistakes(top_p_filter),
        Mistake(
            "winner-cut",
            lambda logits, p: _descending(logits, p, lambda sums, each: sums - each >= p),
            N_("Nothing is left to draw. The likeliest token stays, even if p is 0."),
        ),
        Mistake(
            "crossing-token-cut",
            lambda logits, p: _descending(logits, p, lambda sums, _p: sums > p),
            N_(
                "The token with which the sum reaches p was cut. It should stay: without it the "
                "kept ones fall short of p."
            ),
        ),
        Mistake(
            "crossing-token-cut",
            lambda logits, p: _descending(logits, p, lambda sums, _p: _keep_first(sums > p)),
            N_(
                "The token with which the sum reaches p was cut. It should stay: without it the "
                "kept ones fall short of p."
            ),
        ),
        Mistake(
            "not-sorted",
            lambda logits, p: logits.masked_fill(
                _keep_first(logits.softmax(-1).cumsum(-1) - logits.softmax(-1) >= p), -inf
            ),
            N_("You added up in the order of the vocabulary. Sort first, likeliest first."),
        ),
        Mistake(
            "not-sorted",
            lambda logits, p: logits.masked_fill(
                logits.softmax(-1).cumsum(-1) - logits.softmax(-1) >= p, -inf
            ),
            N_("You added up in the order of the vocabulary. Sort first, likeliest first."),
        ),
        Mistake(
            "wrong-places",
            _sorted_places,
            N_(
                "What is to be cut was found in sorted order, and then cut at other tokens' "
                "places. `order` says whose place each one is."
            ),
        ),
        Mistake(
            "least-likely-first",
            lambda logits, p: _least_likely_first(logits, p, keep_first=True),
            N_("You added up from the unlikely end. Sort with `descending=True`."),
        ),
        Mistake(
            "least-likely-first",
            lambda logits, p: _least_likely_first(logits, p, keep_first=False),
            N_("You added up from the unlikely end. Sort with `descending=True`."),
        ),
        Mistake(
            "threshold",
            lambda logits, p: logits.masked_fill(logits.softmax(-1) < p, -inf),
            N_("You compared each probability with p. It is their running sum that counts."),
        ),
        Mistake(
            "p-of-the-tokens",
            lambda logits, p: top_k_filter(logits, max(1, round(p * len(logits)))),
            N_("That is a share p of the tokens. A share p of the probability is asked for."),
        ),
    )
    example = torch.tensor([0.1, 0.35, 0.05, 0.3, 0.2]).log()
    for title, logits, p in (
        (N_("the lesson's example, in another order"), example, 0.5),
        (N_("six logits"), SMALL, 0.9),
        (N_("a small p leaves the winner"), example, 0.2),
        (N_("p = 0 leaves the winner"), example, 0.0),
        (N_("p = 1 cuts nothing"), example, 1.0),
    ):
        expected = top_p_filter(logits, p)
        yield attempt.compare(title, logits, p, expected=expected, mistakes=mistakes)
    yield from _like_the_library(attempt, TopPLogitsWarper, (0.5, 0.9, 0.95), mistakes)


@exercise(
    "3.5",
    title="min-p",
    kind="implement",
    difficulty=3,
    minutes=6,
    hints=(
        N_("The bar is in probabilities, so start with `logits.softmax(-1)`."),
        N_("The bar is `p * probabilities.max()`: it moves with the winner."),
        N_("`logits.masked_fill(probabilities < bar, -torch.inf)`."),
    ),
)
def min_p(attempt):
    mistakes = (
        *_filtered_mistakes(min_p_filter),
        Mistake(
            "fixed-bar",
            lambda logits, p: logits.masked_fill(logits.softmax(-1) < p, -inf),
            N_("The bar is p itself. It should be p times the winner's probability."),
        ),
        Mistake(
            "bar-in-logits",
            lambda logits, p: logits.masked_fill(logits < p * logits.max(), -inf),
            N_("The bar was put up among the logits. Compare probabilities: softmax first."),
        ),
        Mistake(
            "below-the-winner",
            lambda logits, p: logits.masked_fill(
                logits.softmax(-1) < logits.softmax(-1).max() - p, -inf
            ),
            N_("You subtracted p from the winner's probability. Multiply."),
        ),
        Mistake(
            "top-p-instead",
            top_p_filter,
            N_("That is top-p. Here nothing is added up; each is compared with the winner."),
        ),
    )
    peaked = torch.tensor([0.08, 0.6, 0.05, 0.2, 0.04, 0.03]).log()
    flat = torch.tensor([0.2, 0.04, 0.4, 0.06, 0.3]).log()
    for title, logits, p in (
        (N_("the winner has 0.4 and p is 0.25"), flat, 0.25),
        (N_("the winner has 0.6 and p is 0.1"), peaked, 0.1),
        (N_("six logits"), SMALL, 0.3),
        (N_("p = 0 cuts nothing"), SMALL, 0.0),
        (N_("p = 1 leaves the winner"), SMALL, 1.0),
    ):
        expected = min_p_filter(logits, p)
        yield attempt.compare(title, logits, p, expected=expected, mistakes=mistakes)
    yield from _like_the_library(attempt, MinPLogitsWarper, (0.05, 0.2, 0.5), mistakes)
