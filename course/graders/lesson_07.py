"""Lesson 07, attention: what its exercises check and its questions ask."""

from functools import cache

import torch

from course.graders.grading import Check, Mistake, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils import attention_steps as steps
from utils.attention import record_attention, record_ids
from utils.circuits import rank, said_twice
from utils.language import N_, _
from utils.streams import causal_mask

TEXT = "The dog chased the squirrel because it"
OTHER_TEXTS = (
    "In the morning the old man walked down to the harbour and looked at the boats.",
    "She opened the letter, read it twice, and put it back into the drawer.",
)
ENOUGH = 0.5  # share of its attention that a head must give to what it is said to look at

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


def _turned(x, positions, theta, *, sign=1, exponent=1.0, degrees=False, half_turn=True):
    """Rotary positions, with one thing or another gone wrong."""
    half = x.shape[-1] // 2
    angles = positions[:, None] / theta ** (exponent * torch.arange(half) / half)
    angles = torch.rad2deg(angles) if degrees else angles
    cos, sin = angles.cos(), sign * angles.sin()
    a, b = x[..., :half], x[..., half:]
    second = b * cos + a * sin if half_turn else b * cos - a * sin
    return torch.cat([a * cos - b * sin, second], dim=-1)


def _turned_neighbours(x, positions, theta):
    """Numbers 2i and 2i + 1 turned together, as in the paper."""
    half = x.shape[-1] // 2
    order = torch.cat([torch.arange(half) * 2, torch.arange(half) * 2 + 1])
    result = torch.empty_like(x)
    result[..., order] = steps.rotary(x[..., order], positions, theta)
    return result


@exercise(
    "7.7",
    title=N_("Turn by the position"),
    kind="implement",
    difficulty=4,
    minutes=9,
    hints=(
        N_(
            "First the angles, for each position and each i: `positions[:, None] / theta ** "
            "(torch.arange(half) / half)`, where half = head_dim // 2: 2i / head_dim is i / half."
        ),
        N_("`a = x[..., :half]`, `b = x[..., half:]`; `cos` and `sin` of the angles fit to both."),
        N_("`torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)`."),
    ),
)
def rotary(attempt):
    mistakes = (
        Mistake(
            "turned-back",
            lambda x, p, t: _turned(x, p, t, sign=-1),
            N_("You turned the other way round: check the two signs."),
        ),
        Mistake(
            "neighbours-paired",
            _turned_neighbours,
            N_(
                "You turned neighbours, 2i and 2i + 1, together, as the paper does. This model "
                "pairs number i of the first half with number i of the second."
            ),
        ),
        Mistake(
            "own-positions",
            lambda x, p, t: _turned(x, torch.arange(x.shape[1]), t),
            N_("You counted positions from 0 yourself. Use `positions`: a cache starts later."),
        ),
        Mistake(
            "too-slow-turning",
            lambda x, p, t: _turned(x, p, t, exponent=0.5),
            N_("The exponent is half of what it should be: 2i / head_dim is i / half."),
        ),
        Mistake(
            "too-fast-turning",
            lambda x, p, t: _turned(x, p, t, exponent=2.0),
            N_("The exponent is twice what it should be: 2i / head_dim is i / half."),
        ),
        Mistake(
            "theta-not-divided",
            lambda x, p, t: _turned(x, p, t, exponent=-1.0),
            N_("The angle is divided by the power of theta, not multiplied with it."),
        ),
        Mistake(
            "one-angle-for-all",
            lambda x, p, t: _turned(x, p, t, exponent=0),
            N_("All pairs turn by the same angle. The angle gets smaller as i grows."),
        ),
        Mistake(
            "degrees",
            lambda x, p, t: _turned(x, p, t, degrees=True),
            N_("`cos` and `sin` take radians: the angle as it is, without a factor."),
        ),
        Mistake(
            "one-sign-wrong",
            lambda x, p, t: _turned(x, p, t, half_turn=False),
            N_("The second half is `b * cos + a * sin`, with a plus."),
        ),
        Mistake(
            "not-turned",
            lambda x, p, t: x,
            N_("Nothing was turned: what came out is what went in."),
        ),
        Mistake(
            "positions-as-row",
            lambda x, p, t: (
                x[..., : x.shape[-1] // 2] * (p / t ** (torch.arange(n := x.shape[-1] // 2) / n))
            ),
            N_(
                "The positions have to stand in a column, `positions[:, None]`, to meet every "
                "frequency."
            ),
        ),
    )
    for title, heads, start, n, width, theta in (
        (N_("two heads, positions 0 to 4"), 2, 0, 5, 8, 100.0),
        (N_("positions 7 to 9, as with a cache"), 3, 7, 3, 8, 10000.0),
    ):
        x, positions = numbers(heads, n, width), torch.arange(start, start + n)
        expected = steps.rotary(x, positions, theta)
        yield attempt.compare(title, x, positions, theta, expected=expected, mistakes=mistakes)


def _layer(x, q_proj, k_proj, v_proj, o_proj, heads, kv_heads, theta, *, wrong=None):
    """An attention layer, with one thing or another gone wrong."""
    positions = torch.arange(len(x))

    def turned(vectors, count):
        if wrong == "not-turned":
            return steps.split_heads(vectors, count)
        if wrong == "turned-before-split":
            return steps.split_heads(steps.rotary(vectors[None], positions, theta)[0], count)
        return steps.rotary(steps.split_heads(vectors, count), positions, theta)

    matrices = (q_proj, k_proj, v_proj)
    q, k, v = (x @ (m if wrong == "matrices-not-turned" else m.T) for m in matrices)
    q, k = turned(q, heads), turned(k, kv_heads)
    v = turned(v, kv_heads) if wrong == "values-turned" else steps.split_heads(v, kv_heads)
    if wrong == "queries-for-keys":
        k = q[:kv_heads]
    groups = heads // kv_heads
    if wrong == "tiled":
        k, v = k.repeat(groups, 1, 1), v.repeat(groups, 1, 1)
    elif wrong != "not-repeated":
        k, v = steps.repeat_kv(k, groups), steps.repeat_kv(v, groups)
    scores = steps.attention_scores(q, k)
    if wrong == "not-scaled":
        scores = scores * q.shape[-1] ** 0.5
    mask = causal_mask(len(x))
    weights = steps.attention_weights(scores, mask | (wrong == "no-mask"))
    merged = steps.merge_heads(steps.combine(weights, v))
    if wrong == "no-output-matrix":
        return merged
    result = merged @ (o_proj if wrong == "output-matrix-not-turned" else o_proj.T)
    return result + x if wrong == "residual-added" else result


LAYER_MISTAKES = {
    "no-output-matrix": N_("The last step is missing: `@ o_proj.T`."),
    "not-turned": N_("Queries and keys have no positions in them: `rotary` is missing."),
    "values-turned": N_("The values were turned too. Only queries and keys are."),
    "turned-before-split": N_("Split into heads first, then turn: each head is turned by itself."),
    "tiled": N_("Heads 0, 1, 2 share keys 0: `repeat_kv`, not `repeat`."),
    "no-mask": N_("Positions look ahead: use `causal_mask(len(x))`."),
    "not-scaled": N_("The scores are not divided by the root of `head_dim`."),
    "matrices-not-turned": N_(
        "The matrices are [out, in], as the model keeps them: multiply with `q_proj.T`."
    ),
    "output-matrix-not-turned": N_("The last matrix is [out, in] too: `@ o_proj.T`."),
    "queries-for-keys": N_("The keys were made with the matrix of the queries. Use `k_proj`."),
    "not-repeated": N_(
        "There are fewer keys and values than queries: give each head its own with `repeat_kv`."
    ),
    "residual-added": N_(
        "`x` was added. That is the block's doing, outside this layer, as in lesson 06."
    ),
}


@exercise(
    "7.8",
    title=N_("The attention layer"),
    kind="implement",
    difficulty=3,
    minutes=8,
    hints=(
        N_(
            "Three lines to begin with: `q`, `k` and `v`, each `split_heads(x @ …_proj.T, …)`; q "
            "has `heads` heads, k and v have `kv_heads`."
        ),
        N_(
            "Then `rotary(…, torch.arange(len(x)), theta)` for q and k, and "
            "`repeat_kv(…, heads // kv_heads)` for k and v."
        ),
        N_(
            "`attention_weights(attention_scores(q, k), causal_mask(len(x)))`, then "
            "`merge_heads(combine(weights, v)) @ o_proj.T`."
        ),
    ),
)
def attention_layer(attempt):
    mistakes = tuple(
        Mistake(name, lambda *args, name=name: _layer(*args, wrong=name), says)
        for name, says in LAYER_MISTAKES.items()
    )
    for title, heads, kv_heads, head_dim, width in (
        (N_("four heads, two of keys and values"), 4, 2, 4, 12),
        (N_("three heads with keys and values of their own"), 3, 3, 2, 10),
    ):
        x = numbers(5, width)
        q, k, v = (
            numbers(count * head_dim, width, seed=seed) / 2
            for seed, count in enumerate((heads, kv_heads, kv_heads), 1)
        )
        given = (x, q, k, v, numbers(width, heads * head_dim, seed=4), heads, kv_heads, 100.0)
        expected = steps.attention_layer(*given)
        yield attempt.compare(title, *given, expected=expected, mistakes=mistakes)
    model, _tokenizer = default_model()
    config, record = model.config, _record(TEXT)
    matrices = steps.projections(model.model.layers[27].self_attn)
    theta = config.rope_parameters["rope_theta"]
    sizes = (config.num_attention_heads, config.num_key_value_heads, theta)
    given = (record.inputs[27], *matrices.values(), *sizes)
    title = N_("layer 27 of the model itself")
    yield attempt.compare(title, *given, expected=record.outputs[27], mistakes=mistakes)


@cache
def _record(text: str):
    return record_attention(*default_model(), text)


@cache
def _said_twice(seed: int):
    model, tokenizer = default_model()
    return record_ids(model, tokenizer, said_twice(model, tokenizer, seed=seed))


def _head(attempt, title: str):
    """(layer, head), or a failed check that says why the answer is none."""
    answer, config = attempt.answer, default_model()[0].config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    if not pair or not all(isinstance(n, int) and not isinstance(n, bool) for n in answer):
        says = _("Give two whole numbers, the layer and the head, such as (5, 3).")
        return fail(title, "not-a-pair", says, got=describe(answer))
    layer, head = answer
    if 0 <= layer < layers and 0 <= head < heads:
        return layer, head
    if 0 <= head < layers and 0 <= layer < heads:
        says = _("There is no such head. The layer comes first, then the head.")
        return fail(title, "swapped", says, got=describe(answer))
    says = _("There is no such head: layers go from 0 to {layer}, heads from 0 to {head}.")
    says = says.format(layer=layers - 1, head=heads - 1)
    return fail(title, "no-such-head", says, got=describe(answer))


def _looks(records, pattern: str, layer: int, head: int) -> float:
    """The head's mean score for a pattern, over several records."""
    scores = [rank(record, pattern).scores[layer, head].item() for record in records]
    return sum(scores) / len(scores)


def _find(attempt, title: str, records, pattern: str, others: dict[str, str]):
    """Check a head that should look as `pattern` says; `others`: patterns it may have instead."""
    found = _head(attempt, title)
    if isinstance(found, Check):
        return found
    score = _looks(records, pattern, *found)
    if score >= ENOUGH:
        return Check(title)
    about = {"given": describe(attempt.answer), "got": f"{score:.2f}", "expected": f"> {ENOUGH}"}
    before = (found[0] - 1, found[1] - 1)
    if min(before) >= 0 and _looks(records, pattern, *before) >= ENOUGH:
        says = _("You seem to count from 1: layers and heads are counted from 0.")
        return fail(title, "counted-from-one", says, **about)
    for other, says in others.items():
        if _looks(records, other, *found) >= ENOUGH:
            return fail(title, f"looks-{other}", _(says), **about)
    says = _("It gives only {share:.2f} of its attention there. Look for more than a half.")
    return fail(title, "looks-elsewhere", says.format(share=score), **about)


PARKED = N_("This head rests on the first token most of the time.")


@exercise(
    "7.9",
    title=N_("A previous-token head"),
    kind="find",
    difficulty=1,
    minutes=3,
    hints=(
        N_("In the explorer of heads with a job, choose *at the token before*."),
        N_("The best heads are named at the top right: layer first, then head."),
        N_("The best of all stands in layer 16."),
    ),
)
def previous_token_head(attempt):
    records = [_record(text) for text in OTHER_TEXTS]
    others = {
        "first": PARKED,
        "itself": N_("This head looks at the token itself, not at the one before."),
    }
    title = N_("on two other texts it looks at the token before")
    yield _find(attempt, title, records, "previous", others)


@exercise(
    "7.10",
    title=N_("An induction head"),
    kind="find",
    difficulty=2,
    minutes=3,
    hints=(
        N_("In the explorer of heads with a job, choose *at what followed the same token*."),
        N_("In the matrix of such a head, a slanting line begins where the text repeats."),
        N_("The best two stand in layers 17 and 18."),
    ),
)
def induction_head(attempt):
    records = [_said_twice(seed) for seed in (1, 2)]
    others = {
        "same": N_(
            "This head looks at the same token where it stood before. An induction head looks at "
            "the one after that."
        ),
        "previous": N_("This head looks at the token before, repeated or not."),
        "first": PARKED,
    }
    title = N_("on other random tokens, said twice, it looks at what followed")
    yield _find(attempt, title, records, "induction", others)


@exercise(
    "7.11",
    title=N_("The head that links `it` to `dog`"),
    kind="find",
    difficulty=1,
    minutes=3,
    hints=(
        N_("Choose *from the end, at the word* in the explorer, and write the word `dog`."),
        N_("The bars name the best heads. One is well ahead of the others."),
        N_("It stands in layer 13."),
    ),
)
def it_to_dog_head(attempt):
    title = N_("from ` it` it looks at ` dog` more than any other head does")
    found = _head(attempt, title)
    if isinstance(found, Check):
        yield found
        return
    record = _record(TEXT)
    to_dog = rank(record, "word", "dog").scores
    best = to_dog.max().item()
    score = to_dog[found].item()
    if score >= best - 0.05:
        yield Check(title)
        return
    weights = record.weights[found[0]][found[1], -1]
    token = record.tokens[int(weights.argmax())]
    about = {"given": describe(attempt.answer), "got": f"{score:.2f}", "expected": f"{best:.2f}"}
    if token == " dog":
        says = _("It does look at ' dog', but another head does so more.")
        yield fail(title, "not-the-strongest", says, **about)
    elif token == record.tokens[0]:
        yield fail(title, "looks-first", _(PARKED), **about)
    else:
        says = _("From ' it' this head looks most at {token}.").format(token=repr(token))
        yield fail(title, "looks-elsewhere", says, **about)
