"""Lesson 02, from the stack to probabilities: what exercises 2.3 and 2.4 check."""

import torch
from torch import nn

from course.graders.grading import Mistake, exercise
from course.graders.lesson_02 import numbers
from utils.language import N_


def _mistaken_softmaxes() -> tuple[Mistake, ...]:
    def over(logits, axis, shift=None, keep=True):
        powers = (logits if shift is None else logits - shift).exp()
        return powers / powers.sum(axis, keepdim=keep)

    return (
        Mistake(
            "overflow",
            lambda x: over(x, -1),
            N_(
                "`exp(1000)` is too large for any float, so inf / inf came out. Subtract the "
                "largest logit first: the result is the same."
            ),
        ),
        Mistake(
            "global-max",
            lambda x: over(x, -1, shift=x.max()),
            N_(
                "You subtracted the largest logit of all rows, so a row of small ones vanishes "
                "and 0 / 0 comes out. Subtract each row's own: `max(dim=-1, keepdim=True)`."
            ),
        ),
        Mistake(
            "wrong-axis",
            lambda x: x.softmax(0),
            N_("It sums to 1 over the wrong axis. The tokens stand on the last one: dim=-1."),
        ),
        Mistake(
            "all-axes",
            lambda x: x.flatten().softmax(0).view(x.shape),
            N_("All rows together sum to 1. Each row on the last axis should."),
        ),
        Mistake(
            "no-keepdim",
            lambda x: over(x, -1, shift=x.amax(-1, keepdim=True), keep=False),
            N_("The sums lost their axis, so they met the wrong rows: `keepdim=True`."),
        ),
        Mistake(
            "no-exp",
            lambda x: x / x.sum(-1, keepdim=True),
            N_("Logits can be negative, so dividing by their sum is not enough: take `exp` first."),
        ),
        Mistake(
            "not-normalised",
            lambda x: (x - x.amax(-1, keepdim=True)).exp(),
            N_("These do not sum to 1 yet: divide by their sum."),
        ),
        Mistake(
            "not-normalised",
            lambda x: x.exp(),
            N_("These do not sum to 1 yet: divide by their sum."),
        ),
        Mistake(
            "logarithms",
            lambda x: x.log_softmax(-1),
            N_("Those are the logarithms of the probabilities: a softmax, not a log-softmax."),
        ),
        Mistake(
            "min-not-max",
            lambda x: over(x, -1, shift=x.amin(-1, keepdim=True)),
            N_("You subtracted the smallest logit. Subtract the largest, so that none is above 0."),
        ),
    )


@exercise(
    "2.3",
    title=N_("Softmax"),
    kind="implement",
    difficulty=3,
    minutes=7,
    hints=(
        N_("`exp` makes every number positive; dividing by their sum makes them sum to 1."),
        N_(
            "Subtracting the same number from all logits changes no probability. Which number "
            "keeps `exp` from overflowing?"
        ),
        N_(
            "`powers = (logits - logits.amax(-1, keepdim=True)).exp()`, then divide by "
            "`powers.sum(-1, keepdim=True)`."
        ),
    ),
)
def softmax(attempt):
    square = numbers(3, 3, seed=1) * 2
    for title, logits in (
        (N_("one row of logits"), torch.tensor([1.0, -2.0, 3.0, 0.5])),
        (N_("three rows, each by itself"), square),
        (N_("logits a hundred apart"), torch.tensor([50.0, -50.0, 49.0])),
        (N_("a logit of 1000"), torch.tensor([1000.0, 998.0, -5.0])),
        (N_("a logit of -inf: probability 0"), torch.tensor([-torch.inf, 0.0, 1.0])),
        (N_("rows far apart"), torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, -1.0]])),
        (N_("three axes"), numbers(2, 3, 4, seed=2) * 3),
    ):
        expected = logits.softmax(-1)
        yield attempt.compare(title, logits, expected=expected, mistakes=_mistaken_softmaxes())


@exercise(
    "2.4",
    title=N_("The LM head"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("A token's logit is the dot product of the hidden state with that token's row."),
        N_("All dot products at once are one matrix product, `@`."),
        N_(
            "`weight` is `[vocab, width]`; `weight.T` is `[width, vocab]`, which fits `hidden @ …`."
        ),
    ),
)
def lm_head(attempt):
    mistakes = (
        Mistake(
            "not-transposed",
            lambda hidden, weight: hidden @ weight,
            N_("`weight` is `[vocab, width]`: turn it round, `weight.T`, to multiply by it."),
        ),
        Mistake(
            "axes-swapped",
            lambda hidden, weight: weight @ hidden.transpose(-1, -2),
            N_("Positions and tokens are swapped: `hidden @ weight.T` has positions first."),
        ),
        Mistake(
            "wrong-way-round",
            lambda hidden, weight: weight @ hidden,
            N_("The hidden states come first in the product: `hidden @ weight.T`."),
        ),
        Mistake(
            "probabilities",
            lambda hidden, weight: (hidden @ weight.T).softmax(-1),
            N_("Those are probabilities. The LM head ends before the softmax, with logits."),
        ),
        Mistake(
            "only-the-last",
            lambda hidden, weight: (hidden @ weight.T)[..., -1, :],
            N_("Only the last position is there. Give logits for every position."),
        ),
        Mistake(
            "ids-not-logits",
            lambda hidden, weight: (hidden @ weight.T).argmax(-1),
            N_("Those are ids: a choice was made already. All the logits are asked for."),
        ),
        Mistake(
            "cosines",
            lambda hidden, weight: (
                nn.functional.normalize(hidden, dim=-1) @ nn.functional.normalize(weight, dim=-1).T
            ),
            N_("Those are cosines. The LM head takes plain dot products, lengths and all."),
        ),
    )
    weight, square = numbers(7, 4, seed=4), numbers(4, 4, seed=5)
    for title, hidden, matrix in (
        (N_("three positions"), numbers(3, 4, seed=6), weight),
        (N_("a batch of two texts"), numbers(2, 3, 4, seed=7), weight),
        (N_("as many tokens as numbers in a vector"), numbers(2, 4, seed=8), square),
    ):
        expected = hidden @ matrix.T
        yield attempt.compare(title, hidden, matrix, expected=expected, mistakes=mistakes)
