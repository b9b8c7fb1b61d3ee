"""Lesson 03, decoding: what its exercises check and its questions ask."""

from dataclasses import replace
from math import inf
from numbers import Real

import torch
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course.graders.grading import Check, Mistake, Refused, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.decoding import apply_temperature, min_p_filter, top_k_filter, top_p_filter
from utils.generation import next_logits
from utils.language import N_, _
from utils.model import prompt_ids

question(
    "3.a",
    N_(
        "After “In the middle of the night,” the model writes 60 tokens, the likeliest each time. "
        "How much of that is new?"
    ),
    (
        N_("all of it: each sentence says something else"),
        N_("about half: some phrases come back"),
        N_("about a quarter: the rest repeats it word for word"),
    ),
    right=3,
    because=N_("After its first sentence it writes that same sentence again and again."),
)
question(
    "3.b",
    N_("You lower the temperature from 2 to 0.05 and draw. What does drawing turn into?"),
    (
        N_("every token becomes equally likely"),
        N_("greedy search: the winner is drawn practically every time"),
        N_("the likeliest token becomes ever less likely"),
    ),
    right=2,
    because=N_(
        "Dividing by a small number makes the differences large. After softmax the winner has "
        "nearly all of the probability."
    ),
)
question(
    "3.c",
    N_("The temperature rises from 0.5 to 1.5. Which filter still keeps the same tokens?"),
    (N_("top-k"), N_("top-p"), N_("min-p"), N_("all three")),
    right=1,
    because=N_(
        "A temperature changes the probabilities but not their order. top-k looks at the order "
        "only; top-p and min-p look at the probabilities."
    ),
)


def _random_logits(size: int, seed: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)) * 2


SMALL = torch.tensor([0.5, 2.0, -1.0, 1.2, -3.0, 0.1])


@exercise(
    "3.1",
    title=N_("Greedy search"),
    kind="implement",
    difficulty=1,
    minutes=2,
    hints=(
        N_("You need the place of the highest logit, not the logit itself."),
        N_("`logits.argmax()` is that place, as a tensor."),
        N_("`.item()` makes an int of a tensor with one number."),
    ),
)
def greedy(attempt):
    mistakes = (
        Mistake(
            "score-not-id",
            lambda logits: logits.max().item(),
            N_(
                "That is the highest score itself. Its place in the vocabulary is asked for: "
                "argmax."
            ),
        ),
        Mistake(
            "probability-not-id",
            lambda logits: logits.softmax(-1).max().item(),
            N_("That is the winner's probability. Its place in the vocabulary is asked for."),
        ),
        Mistake(
            "without-the-sign",
            lambda logits: logits.abs().argmax().item(),
            N_("The sign was lost. A logit of -9 is far below one of 2."),
        ),
        Mistake(
            "the-least-likely",
            lambda logits: logits.argmin().item(),
            N_("That is the lowest logit. Greedy search takes the highest: argmax."),
        ),
        Mistake(
            "the-whole-order",
            lambda logits: logits.argsort(descending=True).tolist(),
            N_("Those are all tokens in order. Return the first one's id only."),
        ),
    )
    for title, logits in (
        (N_("six logits"), torch.tensor([0.5, 2.0, -1.0, 1.2, -1.5, 0.1])),
        (N_("a logit far below the others"), torch.tensor([0.5, 2.0, -1.0, 1.2, -9.0, 0.1])),
        (N_("all logits negative"), torch.tensor([-4.0, -2.5, -1.5, -7.0])),
        (N_("a larger vocabulary"), _random_logits(1000, 1)),
    ):
        expected = int(logits.argmax())
        yield attempt.compare(title, logits, expected=expected, mistakes=mistakes)


@exercise(
    "3.2",
    title=N_("Temperature"),
    kind="implement",
    difficulty=1,
    minutes=4,
    hints=(
        N_("One division does it: the logits by the temperature."),
        N_("No softmax here. Logits go in and logits come out."),
        N_("First `if temperature <= 0: raise ValueError(…)`, then return the division."),
    ),
)
def temperature(attempt):
    mistakes = (
        Mistake(
            "multiplied",
            lambda logits, t: logits * t,
            N_("You multiplied. Divide: a temperature of 0.5 should make differences larger."),
        ),
        Mistake(
            "probabilities",
            lambda logits, t: (logits / t).softmax(-1),
            N_("These are probabilities. Return the logits; softmax comes later."),
        ),
        Mistake(
            "softmax-first",
            lambda logits, t: logits.softmax(-1) / t,
            N_("The softmax came before the division, so the result is not a distribution."),
        ),
        Mistake(
            "flipped",
            lambda logits, t: t / logits,
            N_("It is upside down: divide the logits by the temperature."),
        ),
        Mistake(
            "whole-division",
            lambda logits, t: logits // t,
            N_("`//` rounds down to whole numbers. Divide with `/`."),
        ),
        Mistake(
            "not-applied",
            lambda logits, t: logits,
            N_("The logits came back as they were: the temperature did nothing."),
        ),
    )
    for value in (0.5, 2.0, 0.7):
        title = _("temperature {temperature}").format(temperature=value)
        expected = apply_temperature(SMALL, value)
        yield attempt.compare(title, SMALL, value, expected=expected, mistakes=mistakes)
    for value in (0, -1.0):
        title = _("temperature {temperature} raises a ValueError").format(temperature=value)
        yield _refuses(attempt, title, SMALL, value)


def _refuses(attempt, title: str, *given) -> Check:
    """Passes if the learner's function raises ValueError for these arguments."""
    try:
        got = attempt.call(title, *given)
    except Refused as refused:
        if refused.check.diagnosis == "none":
            got = None
        elif refused.check.diagnosis != "raised":
            raise
        elif refused.check.got.startswith("ValueError"):
            return Check(title)
        else:
            says = _("Raise a ValueError yourself, before you divide: `raise ValueError(…)`.")
            return fail(title, "other-error", says, got=refused.check.got, expected="ValueError")
    says = _(
        "Such a temperature makes no distribution. Check it first, and refuse it with "
        "`raise ValueError(…)`."
    )
    return fail(title, "not-refused", says, got=describe(got), expected="ValueError")


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
        logits = _random_logits(200, seed)
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
    others = [_random_logits(50, seed) for seed in range(8)]
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


FRANCE = "The capital of France is"
STEP = 0.05  # of the explorer's slider


@exercise(
    "3.8",
    title=N_("Under one half"),
    kind="find",
    difficulty=1,
    minutes=5,
    hints=(
        N_("Set the explorer's prompt to `The capital of France is`, and all filters to off."),
        N_("Read the first bar of the column *temperature* while you raise it from 1."),
        N_("At 1.2 it is still above one half, at 1.3 well below."),
    ),
)
def under_one_half(attempt):
    value, title = attempt.answer, N_("the first step of the slider that is under one half")
    if not isinstance(value, Real) or isinstance(value, bool):
        says = _("Give the temperature as a number, such as 0.7.")
        yield fail(title, "not-a-number", says, got=describe(value))
        return
    if not 0 < value < inf:
        says = _("A temperature is above 0.")
        yield fail(title, "out-of-range", says, got=describe(value))
        return

    model, tokenizer = default_model()
    logits, _output = next_logits(model, prompt_ids(model, tokenizer, FRANCE))

    def winner(temperature: float) -> float:
        return float(apply_temperature(logits, temperature).softmax(-1).max())

    got = _("at temperature {temperature} the winner has {share:.2f}").format(
        temperature=f"{value:g}", share=winner(value)
    )
    if winner(value) >= 0.5:
        if value < 1:
            says = _("Below 1 the winner gains. Go above 1.")
            yield fail(title, "wrong-direction", says, got=got)
        else:
            yield fail(title, "too-low", _("The winner still has one half or more."), got=got)
    elif value > STEP and winner(value - STEP) < 0.5:
        says = _("It is under one half already one step of 0.05 earlier.")
        yield fail(title, "too-high", says, got=got)
    else:
        yield Check(title)
