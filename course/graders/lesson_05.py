"""Lesson 05, the key-value cache: what its exercises check and its questions ask."""

from course.graders.grading import Mistake, exercise
from course.graders.questions import question
from utils.language import N_, _

question(
    "5.a",
    N_(
        "A prompt of 5 tokens, and 8 new ones are written without a cache. How many positions do "
        "all passes compute together?"
    ),
    (N_("8"), N_("12 or 13"), N_("68")),
    right=3,
    because=N_(
        "The passes compute 5, 6, 7, 8, 9, 10, 11 and 12 positions, the whole text each time: "
        "68 in all."
    ),
)
question(
    "5.b",
    N_("Only one new token is written. How much time does the cache save?"),
    (N_("nothing at all"), N_("about half"), N_("as much as with a long answer")),
    right=1,
    because=N_(
        "The first pass has to compute the whole prompt, cache or no cache. Only the steps after "
        "it can read what it kept."
    ),
)
question(
    "5.c",
    N_("`Sarah` becomes `David` in the middle of a text. Which positions of the cache can stay?"),
    (
        N_("all but the changed one"),
        N_("only those before the changed one"),
        N_("no position at all"),
    ),
    right=2,
    because=N_(
        "Every later position has looked at the name, so its keys and values change too. What "
        "stands before the name never saw it."
    ),
)
question(
    "5.d",
    N_("How large is that server's cache when all 32 texts are full?"),
    (N_("less than 1 GB"), N_("about 10 GB"), N_("more than half the size of the weights")),
    right=3,
    because=N_(
        "2 × 80 × 8 × 128 × 8,192 × 32 × 2 bytes are 86 GB, beside 141 GB of weights. How many "
        "can be served at once is often a question of the cache."
    ),
)
question(
    "5.e",
    N_("The same text, streamed and not streamed. When is its last token there?"),
    (
        N_("much earlier when it is streamed"),
        N_("at about the same time"),
        N_("much later when it is streamed"),
    ),
    right=2,
    because=N_(
        "Streaming computes nothing faster. It only shows each token when it is there, and not "
        "all of them at the end."
    ),
)


@exercise(
    "5.2",
    title=N_("How many positions?"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("Without the cache the first pass computes the prompt, the next one position more."),
        N_("With it, the first pass computes the prompt, and every later one a single position."),
        N_(
            "There are `new_tokens` passes. With the cache that makes `prompt_tokens` for the "
            "first and 1 for each of the others."
        ),
    ),
)
def positions_computed(attempt):
    def without(prompt, new):
        return sum(prompt + step for step in range(new))

    mistakes = (
        Mistake(
            "last-token-read",
            lambda p, n, use_cache: p + n if use_cache else without(p + 1, n),
            N_(
                "The last token written was counted as well. It is never put into the model: one "
                "position fewer in each pass, or one in all with the cache."
            ),
        ),
        Mistake(
            "mixed-up",
            lambda p, n, use_cache: without(p, n) if use_cache else p + n - 1,
            N_("That is the count of the other case: look at what `use_cache` says."),
        ),
        Mistake(
            "does-not-grow",
            lambda p, n, use_cache: p * n,
            N_("The text grows by one token in each pass; that counts the prompt each time."),
        ),
        Mistake(
            "prompt-forgotten",
            lambda p, n, use_cache: n if use_cache else n * (n - 1) // 2,
            N_("The prompt's positions are missing. The first pass computes all of them."),
        ),
        Mistake(
            "prompt-forgotten",
            lambda p, n, use_cache: n - 1 if use_cache else n * (n + 1) // 2,
            N_("The prompt's positions are missing. The first pass computes all of them."),
        ),
        Mistake(
            "one-pass-too-many",
            lambda p, n, use_cache: p + n if use_cache else without(p, n + 1),
            N_("There is one pass too many: each pass gives one token, so there are `new_tokens`."),
        ),
    )
    for prompt, new, use_cache in (
        (5, 8, False),
        (5, 8, True),
        (3, 20, False),
        (40, 1, True),
        (40, 1, False),
    ):
        yield attempt.compare(
            _("{prompt} prompt tokens, {new} new, use_cache={use_cache}").format(
                prompt=prompt, new=new, use_cache=use_cache
            ),
            prompt,
            new,
            use_cache,
            expected=prompt + new - 1 if use_cache else without(prompt, new),
            mistakes=mistakes,
        )


@exercise(
    "5.3",
    title=N_("The size of the cache"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("How many numbers are the keys of one layer? `[kv_heads, position, head_dim]`."),
        N_("There are as many values as keys, and the same again in every layer."),
        N_("Multiply 2 and all five arguments."),
    ),
)
def cache_bytes(attempt):
    def right(layers, heads, size, tokens, number):
        return 2 * layers * heads * size * tokens * number

    mistakes = (
        Mistake(
            "keys-only",
            lambda *a: right(*a) // 2,
            N_("That is half of it: keys and values are both kept."),
        ),
        Mistake(
            "one-layer",
            lambda *a: right(1, *a[1:]),
            N_("That is one layer's part. Every layer keeps its own."),
        ),
        Mistake(
            "one-head",
            lambda *a: right(a[0], 1, *a[2:]),
            N_("The number of key-value heads is missing."),
        ),
        Mistake(
            "no-head-size",
            lambda *a: right(*a[:2], 1, *a[3:]),
            N_("The head size is missing: each key is a vector of `head_dim` numbers."),
        ),
        Mistake(
            "one-token",
            lambda *a: right(*a[:3], 1, a[4]),
            N_("That is a single token's part. Every token adds as much."),
        ),
        Mistake(
            "numbers-not-bytes",
            lambda *a: right(*a[:4], 1),
            N_("That counts numbers. Each of them takes `bytes_per_number` bytes."),
        ),
        Mistake(
            "bits",
            lambda *a: right(*a) * 8,
            N_("That counts bits. `bytes_per_number` already is in bytes."),
        ),
        Mistake(
            "megabytes",
            lambda *a: right(*a) / 1e6,
            N_("That is megabytes. Return bytes, an `int`."),
        ),
        Mistake(
            "squared",
            lambda *a: right(*a) * a[3],
            N_("`tokens` is in it twice. The cache grows by the same amount with every token."),
        ),
    )
    for title, arguments in (
        (N_("a small model"), (5, 3, 16, 7, 4)),
        (N_("SmolLM2-135M, 1,000 tokens in float32"), (30, 3, 64, 1000, 4)),
        (N_("Llama-3-8B, 8,192 tokens in bfloat16"), (32, 8, 128, 8192, 2)),
    ):
        yield attempt.compare(title, *arguments, expected=right(*arguments), mistakes=mistakes)
