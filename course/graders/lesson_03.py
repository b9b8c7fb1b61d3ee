"""Lesson 03, decoding: what its exercises check and its questions ask."""

from math import inf
from numbers import Real

import torch

from course.graders.grading import Check, Mistake, Refused, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.decoding import apply_temperature
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


def random_logits(size: int, seed: int) -> torch.Tensor:
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
        (N_("a larger vocabulary"), random_logits(1000, 1)),
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
