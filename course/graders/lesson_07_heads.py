"""Lesson 07, many heads: what exercises 7.4 to 7.6 check."""

import torch

from course.graders.grading import Mistake, exercise
from course.graders.lesson_07 import numbers
from utils import parts as steps
from utils.language import N_


@exercise(
    "7.4",
    title=N_("Split into heads"),
    kind="implement",
    difficulty=2,
    minutes=4,
    hints=(
        N_("Two moves: cut the last axis in two, then bring the heads' axis to the front."),
        N_("`x.view(len(x), heads, -1)` cuts: [position, head, head_dim]."),
        N_("`.transpose(0, 1)` brings the heads to the front."),
    ),
)
def split_heads(attempt):
    mistakes = (
        Mistake(
            "only-cut",
            lambda x, h: x.reshape(len(x), h, -1),
            N_("The heads are cut, but stand on the second axis: `.transpose(0, 1)` is missing."),
        ),
        Mistake(
            "positions-mixed",
            lambda x, h: x.reshape(h, len(x), -1),
            N_(
                "The shape is right, but the positions got mixed: `view` does not move numbers. "
                "Cut first, `view(len(x), heads, -1)`, and then `transpose(0, 1)`."
            ),
        ),
        Mistake(
            "every-nth",
            lambda x, h: x.reshape(len(x), -1, h).permute(2, 0, 1),
            N_(
                "Each head got every `heads`-th number. Its numbers stand side by side: "
                "`view(len(x), heads, -1)`."
            ),
        ),
        Mistake(
            "head-dim-for-heads",
            lambda x, h: x.reshape(len(x), -1, h).transpose(0, 1),
            N_("`heads` is how many heads there are, not how wide each is."),
        ),
        Mistake(
            "numbers-first",
            lambda x, h: x.reshape(len(x), h, -1).permute(1, 2, 0),
            N_("The last two axes are swapped: it is `[head, position, head_dim]`."),
        ),
    )
    for title, n, heads, width in (
        (N_("four positions, two heads"), 4, 2, 6),
        (N_("one position, three heads"), 1, 3, 2),
        (N_("five positions, four heads"), 5, 4, 8),
    ):
        x = torch.arange(n * heads * width, dtype=torch.float32).view(n, heads * width)
        expected = steps.split_heads(x, heads)
        yield attempt.compare(title, x, heads, expected=expected, mistakes=mistakes)


@exercise(
    "7.5",
    title=N_("Merge the heads"),
    kind="implement",
    difficulty=2,
    minutes=3,
    hints=(
        N_("The two moves of `split_heads`, backwards."),
        N_("First `.transpose(0, 1)`: [position, head, head_dim]."),
        N_("Then join the last two axes: `.flatten(1)`."),
    ),
)
def merge_heads(attempt):
    mistakes = (
        Mistake(
            "positions-mixed",
            lambda x: x.reshape(x.shape[1], -1),
            N_(
                "The shape is right, but heads and positions got mixed: `.transpose(0, 1)` has to "
                "come first."
            ),
        ),
        Mistake(
            "only-turned",
            lambda x: x.transpose(0, 1),
            N_("The last two axes are still apart: join them with `.flatten(1)`."),
        ),
        Mistake(
            "every-nth",
            lambda x: x.permute(1, 2, 0).flatten(1),
            N_("The heads' numbers alternate. Each head's numbers should stay side by side."),
        ),
        Mistake(
            "heads-added",
            lambda x: x.sum(0),
            N_("The heads were added up. Put them side by side instead."),
        ),
        Mistake(
            "heads-averaged",
            lambda x: x.mean(0),
            N_("The heads were averaged. Put them side by side instead."),
        ),
        Mistake(
            "still-by-head",
            lambda x: x.flatten(1),
            N_("There is one row for each head. There should be one for each position."),
        ),
        Mistake(
            "view-refused",
            lambda x: x.transpose(0, 1).view(x.shape[1], -1),
            N_(
                "After `transpose`, the numbers no longer lie in order, and `view` refuses. Use "
                "`reshape` or `flatten`, which copy."
            ),
        ),
    )
    for title, heads, n, width in (
        (N_("two heads, four positions"), 2, 4, 3),
        (N_("three heads, one position"), 3, 1, 2),
        (N_("four heads, five positions"), 4, 5, 2),
    ):
        x = torch.arange(n * heads * width, dtype=torch.float32).view(heads, n, width)
        yield attempt.compare(title, x, expected=steps.merge_heads(x), mistakes=mistakes)


@exercise(
    "7.6",
    title=N_("Each head its keys"),
    kind="implement",
    difficulty=2,
    minutes=4,
    hints=(
        N_("With two key-value heads and 3 groups, the order is 0, 0, 0, 1, 1, 1."),
        N_("`x.repeat(3, 1, 1)` would give 0, 1, 0, 1, 0, 1. Another function repeats in place."),
        N_("`x.repeat_interleave(groups, dim=0)`."),
    ),
)
def repeat_kv(attempt):
    mistakes = (
        Mistake(
            "tiled",
            lambda x, g: x.repeat(g, 1, 1),
            N_(
                "The order is 0, 1, …, 0, 1, …, but head h should get x[h // groups]: 0, 0, …, "
                "1, 1, …. Use `repeat_interleave`."
            ),
        ),
        Mistake(
            "positions-repeated",
            lambda x, g: x.repeat_interleave(g, dim=1),
            N_("The positions were repeated. Repeat the heads, `dim=0`."),
        ),
        Mistake(
            "numbers-repeated",
            lambda x, g: x.repeat_interleave(g, dim=2),
            N_("The numbers of each vector were repeated. Repeat the heads, `dim=0`."),
        ),
        Mistake(
            "flat",
            lambda x, g: x.repeat_interleave(g),
            N_("Without `dim=0`, all axes were joined into one and every number repeated."),
        ),
        Mistake(
            "extra-axis",
            lambda x, g: x[:, None].expand(-1, g, -1, -1),
            N_("There is an axis too many: join the first two, `.flatten(0, 1)`."),
        ),
        Mistake(
            "not-repeated",
            lambda x, g: x,
            N_("Nothing was repeated: `groups` is how often each head comes."),
        ),
        Mistake(
            "first-head-only",
            lambda x, g: x[:1].expand(len(x) * g, -1, -1),
            N_("Every head got the keys of the first. Head h gets x[h // groups]."),
        ),
    )
    for title, kv_heads, groups in (
        (N_("two key-value heads, three groups"), 2, 3),
        (N_("one group: nothing is shared"), 3, 1),
        (N_("one key-value head for all"), 1, 4),
    ):
        x = numbers(kv_heads, 4, 2)
        expected = steps.repeat_kv(x, groups)
        yield attempt.compare(title, x, groups, expected=expected, mistakes=mistakes)
