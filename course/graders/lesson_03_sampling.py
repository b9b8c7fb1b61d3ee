"""Lesson 03, drawing and repeating: what exercises 3.6 and 3.7 check."""

from dataclasses import replace
from math import inf

import torch

from course.graders.grading import Check, Mistake, describe, exercise, fail
from course.graders.lesson_03 import random_logits
from utils.language import N_, _

DRAWS = 3000
CRITICAL = 30.9  # chi-square with 5 degrees of freedom goes beyond this once in 100,000 times


def _draws(attempt, title: str, logits, seed: int, count: int) -> list:
    """What the learner's function draws, `count` times, from one generator."""

    def draw(logits, generator):
        return [attempt.answer(logits, generator) for _draw in range(count)]

    draw.__name__ = getattr(attempt.answer, "__name__", "answer")
    generator = torch.Generator().manual_seed(seed)
    function = draw if callable(attempt.answer) else attempt.answer
    return attempt.call(title, logits, generator, function=function)


def _chi_square(counts: torch.Tensor, probabilities: torch.Tensor) -> float:
    expected = (probabilities * counts.sum()).clamp(min=1e-9)
    return float(((counts - expected) ** 2 / expected).sum())


@exercise(
    "3.6",
    title=N_("Draw"),
    kind="implement",
    difficulty=2,
    minutes=6,
    hints=(
        N_("`logits.softmax(-1)` gives the probabilities."),
        N_("`torch.multinomial(probabilities, 1)` draws one place, as a tensor."),
        N_("Pass `generator=generator` on to it, and return `.item()` of the result."),
    ),
)
def sample(attempt):
    no_softmax = N_(
        "`torch.multinomial` wants probabilities, and logits may be negative: softmax first."
    )
    mistakes = (
        Mistake(
            "no-softmax",
            lambda logits, generator: torch.multinomial(logits, 1, generator=generator).item(),
            no_softmax,
        ),
        Mistake(
            "probability-not-id",
            lambda logits, generator: logits.softmax(-1).max().item(),
            N_("That is a probability. Return the id of the token that was drawn."),
        ),
    )
    generator = torch.Generator().manual_seed(0)
    for title, token, logit in (
        (N_("one token is left: it is drawn"), 3, 1.0),
        (N_("a negative logit does no harm"), 2, -1.0),
    ):
        logits = torch.full((6,), -inf).index_fill(0, torch.tensor([token]), logit)
        check = attempt.compare(title, logits, generator, expected=token, mistakes=mistakes)
        if check.diagnosis == "differs":
            says = _("A token was drawn whose logit is -inf. Its probability is 0: use softmax.")
            check = replace(check, diagnosis="cut-token-drawn", says=says)
        yield check

    title = _("{count} draws are as frequent as their probabilities").format(count=DRAWS)
    logits = torch.tensor([0.5, 2.0, -inf, 1.2, -1.0, 1.0])
    drawn = _draws(attempt, title, logits, 1, DRAWS)
    if len(set(map(str, drawn))) == 1:
        yield _always_the_same(attempt, title, drawn[0])
        return
    yield _frequency_check(title, logits, drawn)

    title = N_("the same seed draws the same tokens, another seed others")
    spread = torch.zeros(1000)
    torch.manual_seed(1)
    first = _draws(attempt, title, spread, 5, 10)
    torch.manual_seed(2)
    if first != _draws(attempt, title, spread, 5, 10):
        says = _(
            "Two generators with the same seed drew different tokens: pass `generator=generator` "
            "on to the function that draws."
        )
        yield fail(title, "generator-ignored", says)
    elif first == _draws(attempt, title, spread, 6, 10):
        says = _(
            "Whatever the seed, the same tokens come: use the generator that is given, and do not "
            "set a seed inside."
        )
        yield fail(title, "seed-inside", says)
    else:
        yield Check(title)


def _always_the_same(attempt, title: str, token) -> Check:
    """One token came every time: because it is the winner, or because a seed is set each time."""
    others = [random_logits(50, seed) for seed in range(8)]
    if all(_draws(attempt, title, some, 1, 1) == [int(some.argmax())] for some in others):
        says = _("Every draw was the likeliest token: that is greedy search.")
        return fail(title, "always-the-winner", says, got=describe(token))
    says = _("Every draw was the same token. Is a seed set inside the function?")
    return fail(title, "seed-inside", says, got=describe(token))


def _frequency_check(title: str, logits: torch.Tensor, drawn: list) -> Check:
    """Compares frequencies with the probabilities, and with those of known mistakes."""
    odd = [token for token in drawn if type(token) is not int or not 0 <= token < len(logits)]
    if odd:
        says = _("Every draw should be a token's id, an int from 0 to {last}.").format(
            last=len(logits) - 1
        )
        return fail(title, "not-an-id", says, got=describe(odd[0]))
    counts = torch.bincount(torch.tensor(drawn), minlength=len(logits)).float()
    probabilities = logits.softmax(-1)
    if _chi_square(counts, probabilities) < CRITICAL:
        return Check(title)
    possible = (logits > -inf).float()
    known = (
        (
            "uniform",
            torch.ones_like(logits),
            _("Every token came up equally often, those that are cut too: use the probabilities."),
        ),
        (
            "uniform-among-kept",
            possible,
            _("All tokens that are left came up equally often: the probabilities were not used."),
        ),
        (
            "softmax-twice",
            probabilities.softmax(-1),
            _("It looks as if softmax had been taken twice."),
        ),
    )
    diagnosis, says = "frequencies", _("The frequencies do not follow the probabilities.")
    for name, weights, sentence in known:
        if _chi_square(counts, weights / weights.sum()) < CRITICAL:
            diagnosis, says = name, sentence
    return fail(
        title,
        diagnosis,
        says,
        given=describe(logits),
        got=", ".join(f"{share:.2f}" for share in (counts / counts.sum()).tolist()),
        expected=", ".join(f"{share:.2f}" for share in probabilities.tolist()),
    )


def _windows(ids: list[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


@exercise(
    "3.7",
    title=N_("Repeated n-grams"),
    kind="implement",
    difficulty=2,
    minutes=6,
    hints=(
        N_("The n-gram at `i` is `tuple(token_ids[i : i + n])`. How many are there?"),
        N_("There are `len(token_ids) - n + 1`: the last one ends with the last token."),
        N_("`len(set(ngrams))` of them are new, so `1 - len(set(ngrams)) / len(ngrams)` are not."),
    ),
)
def repeated(attempt):
    def rate(ngrams):
        return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0

    by_zero = N_("A text shorter than n has no n-grams: return 0.0 before you divide.")
    mistakes = (
        Mistake("shorter-than-n", lambda ids, n: 1 - len(set()) / 0, by_zero),
        Mistake("shorter-than-n", lambda ids, n: 0 / 0.0, by_zero),
        Mistake(
            "share-of-new",
            lambda ids, n: 1 - rate(_windows(ids, n)),
            N_("That is the share of *new* n-grams. Take it from 1."),
        ),
        Mistake(
            "number-not-share",
            lambda ids, n: len(_windows(ids, n)) - len(set(_windows(ids, n))),
            N_("That is how many are repeats. Divide by the number of n-grams."),
        ),
        Mistake(
            "n-ignored",
            lambda ids, n: rate(_windows(ids, 1)),
            N_("Single tokens were counted. An n-gram is n of them in a row."),
        ),
        Mistake(
            "last-one-missing",
            lambda ids, n: rate(_windows(ids, n)[:-1]),
            N_("The last n-gram is missing: there are `len(token_ids) - n + 1`."),
        ),
        Mistake(
            "in-steps-of-n",
            lambda ids, n: rate(_windows(ids, n)[::n]),
            N_("You went in steps of n. n-grams overlap: one starts at each token."),
        ),
        Mistake(
            "divided-by-tokens",
            lambda ids, n: (len(_windows(ids, n)) - len(set(_windows(ids, n)))) / len(ids),
            N_(
                "You divided by the number of tokens. There are only `len(token_ids) - n + 1` "
                "n-grams; shorter pieces at the end are none."
            ),
        ),
        Mistake(
            "first-one-too",
            lambda ids, n: (
                sum(_windows(ids, n).count(g) > 1 for g in _windows(ids, n)) / len(_windows(ids, n))
            ),
            N_("The first time is no repeat: count an n-gram only if it stood *earlier*."),
        ),
    )
    loop = [7, 8, 9, 7, 8, 9, 7, 8, 9, 8, 8, 9]
    for title, ids, n in (
        (N_("a text in a loop, 3-grams"), loop, 3),
        (N_("the lesson's example"), [1, 2, 1, 2, 1], 2),
        (N_("the same text, single tokens"), loop, 1),
        (N_("nothing is repeated"), [1, 2, 3, 4, 5, 6], 2),
        (N_("fewer than n tokens"), [1, 2], 3),
        (N_("no tokens at all"), [], 2),
    ):
        expected = rate(_windows(ids, n))
        yield attempt.compare(title, ids, n, expected=expected, mistakes=mistakes)
