"""Lesson 08, rebuild: what its exercises check and its questions ask."""

import torch

from course.graders.grading import Mistake, exercise
from course.graders.questions import question
from utils import parts
from utils.language import N_, _
from utils.parts import causal_mask

question(
    "8.a",
    N_(
        "With the cache, one token at a time goes into the model. The sixth token of a text comes "
        "in alone. By which position are its query and its key turned?"
    ),
    (N_("0, it is alone"), N_("5, where it stands in the text"), N_("1, it is one token")),
    right=2,
    because=N_(
        "The keys in the cache were turned by the positions 0 to 4. The new one has to stand "
        "behind them, or everything looks as near as if the text began here."
    ),
)
question(
    "8.b",
    N_(
        "Your parts use the model's own matrices, but not one line of its code. How near will your "
        "logits be to the model's?"
    ),
    (
        N_("equal to the last bit, always"),
        N_("equal up to rounding: the last digits may differ"),
        N_("similar, but now and then another token wins"),
    ),
    right=2,
    because=N_(
        "The same sums, in another order here and there. Rounding then differs in the last digits, "
        "far too little to change which token wins."
    ),
)
question(
    "8.c",
    N_(
        "One token takes some 270 million multiplications and additions, and this model's weights "
        "are 538 MB. What do they mostly wait for, when one text is written?"
    ),
    (
        N_("for the processor to multiply"),
        N_("for the weights to arrive from memory"),
        N_("for Python to run its loops"),
    ),
    right=2,
    because=N_(
        "Each weight is fetched from memory for one multiplication and one addition. A processor "
        "does those far faster than memory can bring the next number."
    ),
)


@exercise(
    "8.1",
    title=N_("Where new tokens stand, and what they see"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("Positions count on from what is there: the first new one is number `past`."),
        N_("`torch.arange(past, past + new)` gives them."),
        N_(
            "The mask is the lower part of the whole text's mask: the last `new` rows of "
            "`causal_mask(past + new)`."
        ),
    ),
)
def places_and_mask(attempt):
    right = parts.places_and_mask
    mistakes = (
        Mistake(
            "from-zero",
            lambda past, new: (torch.arange(new), right(past, new)[1]),
            N_("The positions start at 0 again. They count on: the first new one is `past`."),
        ),
        Mistake(
            "all-places",
            lambda past, new: (torch.arange(past + new), right(past, new)[1]),
            N_("Those are the positions of the whole text. Only the new ones are asked for."),
        ),
        Mistake(
            "one-too-far",
            lambda past, new: (right(past, new)[0] + 1, right(past, new)[1]),
            N_("One too far: positions count from 0, so the first new one is number `past`."),
        ),
        Mistake(
            "square-mask",
            lambda past, new: (right(past, new)[0], causal_mask(new)),
            N_("The mask covers only the new tokens. They look at the old ones, too."),
        ),
        Mistake(
            "first-rows",
            lambda past, new: (right(past, new)[0], causal_mask(past + new)[:new]),
            N_("Those are the first rows of the mask. The new tokens are the last ones."),
        ),
        Mistake(
            "whole-mask",
            lambda past, new: (right(past, new)[0], causal_mask(past + new)),
            N_("That is the whole text's mask. Only the rows of the new tokens are asked for."),
        ),
        Mistake(
            "sees-the-future",
            lambda past, new: (right(past, new)[0], torch.ones(new, past + new) > 0),
            N_("Here each new token sees those after it. Each may look up to itself."),
        ),
        Mistake(
            "swapped",
            lambda past, new: right(past, new)[::-1],
            N_("Mask and positions changed places. Return `(positions, mask)`."),
        ),
    )
    for past, new in ((0, 4), (3, 2), (5, 1)):
        title = _("{new} new after {past}").format(new=new, past=past)
        expected = right(past, new)
        yield attempt.compare(title, past, new, expected=expected, mistakes=mistakes)
