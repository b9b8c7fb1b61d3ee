"""Lesson 05, the key-value cache: what its exercises check and its questions ask."""

from functools import cache

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from course.graders.grading import Check, Mistake, Refused, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.kv_cache import ForTransformers, counting_positions
from utils.kv_cache import generate_with_cache as reference
from utils.language import N_, _
from utils.streaming import UNFINISHED
from utils.streaming import stream_text as reference_stream

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


def _chunks() -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    """(layer, keys, values): two passes over two layers, of 4 positions and then of 3."""
    generator = torch.Generator().manual_seed(5)
    return [
        (layer, *(torch.randn(1, 5, count, 6, generator=generator) for _part in range(2)))
        for count in (4, 3)
        for layer in (0, 1)
    ]


def _mistaken_appends(before: list) -> tuple[Mistake, ...]:
    """How an append goes wrong after the chunks `before`."""

    def mine(layer, keys, values):
        """All chunks of this layer so far, the newest last: keys, values."""
        old = [chunk for chunk in before if chunk[0] == layer]
        return [k for _layer, k, _v in old] + [keys], [v for _layer, _k, v in old] + [values]

    def joined(parts, axis=2):
        return tuple(torch.cat(part, dim=axis) for part in parts)

    def everyones(layer, keys, values):
        chunks = [*before, (layer, keys, values)]
        return joined(([k for _l, k, _v in chunks], [v for _l, _k, v in chunks]))

    return (
        Mistake(
            "only-new",
            lambda layer, keys, values: (keys, values),
            N_("Only the new ones came back. Return all of this layer's, the older ones first."),
        ),
        Mistake(
            "layers-mixed",
            everyones,
            N_("The layers share one store. Keep each layer's keys and values apart."),
        ),
        Mistake(
            "new-first",
            lambda *chunk: joined([part[::-1] for part in mine(*chunk)]),
            N_("The new ones stand in front. Positions go from left to right: new ones last."),
        ),
        *(
            Mistake(
                "wrong-axis",
                lambda *chunk, axis=axis: joined(mine(*chunk), axis),
                N_("They were joined along another axis. Positions are axis 2 of 4."),
            )
            for axis in (0, 1, 3)
        ),
        Mistake(
            "swapped",
            lambda *chunk: joined(mine(*chunk))[::-1],
            N_("Keys and values changed places. Return `(keys, values)`."),
        ),
        Mistake(
            "keys-twice",
            lambda *chunk: joined([mine(*chunk)[0]] * 2),
            N_("The keys came back as values too. Are the values kept on their own?"),
        ),
        Mistake(
            "values-not-kept",
            lambda layer, keys, values: (joined(mine(layer, keys, values))[0], values),
            N_("The older values are missing. Keep values as you keep keys."),
        ),
        Mistake(
            "only-keys",
            lambda *chunk: joined(mine(*chunk))[0],
            N_("Only the keys came back. Return both, `(keys, values)`."),
        ),
    )


def _mistaken_lengths(before: list) -> tuple[Mistake, ...]:
    counts = [keys.shape[2] for _layer, keys, _values in before]
    return (
        Mistake(
            "counts-all-layers",
            lambda: sum(counts),
            N_("That adds up the layers. All of them hold the same positions: count one layer's."),
        ),
        *(
            Mistake(
                "counts-calls",
                lambda count=count: count,
                N_("That counts calls, or layers. Count positions: the size of axis 2."),
            )
            for count in (len(counts), 2)
        ),
        Mistake(
            "newest-only",
            lambda: counts[-1],
            N_("That is the length of the newest part. Count all positions kept so far."),
        ),
        *(
            Mistake(
                "wrong-size",
                lambda axis=axis: before[-1][1].shape[axis],
                N_("That is the size of another axis. Positions are axis 2."),
            )
            for axis in (0, 1, 3)
        ),
    )


def _is_empty(attempt, title: str, store) -> Check:
    """A new cache that holds something has it from another cache, or from an earlier try."""
    count = attempt.call(title, function=store.get_seq_length)
    if not isinstance(count, int) or count < 1:
        return attempt.compare(title, function=store.get_seq_length, expected=0)
    says = _(
        "A new cache already holds {count} positions. Make the dict in `__init__`, as `self.…`; in "
        "the body of the class, all caches share it."
    )
    got, expected = str(count), "0"
    says = says.format(count=count)
    return fail(title, "shared-between-caches", says, got=got, expected=expected)


@exercise(
    "5.1",
    title=N_("A KV cache of your own"),
    kind="implement",
    difficulty=3,
    minutes=10,
    hints=(
        N_("In `__init__`, make an empty dict: layer number → what is kept of that layer."),
        N_(
            "In `append`, join old and new with `torch.cat([old, new], dim=2)`, for keys and for "
            "values; a layer that is not in the dict yet has no old ones."
        ),
        N_(
            "Store the joined pair and return it. `get_seq_length` is 0 for an empty dict, else "
            "`keys.shape[2]` of any layer."
        ),
    ),
)
def own_cache(attempt):
    title = N_("a new cache is empty")
    if not isinstance(attempt.answer, type):
        says = _("This exercise takes the class itself: `check(KVCache)`, without brackets.")
        yield fail(title, "not-a-class", says, got=describe(attempt.answer))
        return
    store = attempt.call(title)
    for name in ("append", "get_seq_length"):
        if not callable(getattr(store, name, None)):
            says = _("The class has no method `{name}`.").format(name=name)
            yield fail(title, "method-missing", says)
            return
    yield _is_empty(attempt, title, store)
    before = []
    for chunk in _chunks():
        layer, keys, _values = chunk
        mine = [part for part in [*before, chunk] if part[0] == layer]
        yield attempt.compare(
            _("layer {layer}, {count} new positions").format(layer=layer, count=keys.shape[2]),
            *chunk,
            function=store.append,
            expected=tuple(torch.cat([part[i] for part in mine], dim=2) for i in (1, 2)),
            mistakes=_mistaken_appends(before),
        )
        before.append(chunk)
        if layer == 1:
            yield attempt.compare(
                _("{count} positions are kept").format(
                    count=sum(part[1].shape[2] for part in mine)
                ),
                function=store.get_seq_length,
                expected=sum(part[1].shape[2] for part in mine),
                mistakes=_mistaken_lengths(before),
            )
    second = attempt.call(N_("a second cache is empty too"))
    yield _is_empty(attempt, N_("a second cache is empty too"), second)
    model, tokenizer = default_model()
    ids = tokenizer("The capital of France is Paris", return_tensors="pt").input_ids

    def real_model():
        mine = ForTransformers(second)
        parts = [model(part, past_key_values=mine).logits for part in (ids[:, :4], ids[:, 4:])]
        return torch.cat(parts, dim=1)[0].argmax(-1).tolist()

    expected = model(ids).logits[0].argmax(-1).tolist()
    yield attempt.compare(
        N_("the real model computes with your cache"), function=real_model, expected=expected
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


@cache
def _tiny_model(end_token: int | None = None):
    """A Llama of two layers and random weights, quick to run.  `end_token` ends its texts."""
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=end_token,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = LlamaForCausalLM(config)
    return model.eval().requires_grad_(False)


def _write(model, ids, count, *, pass_cache=True, whole=False, stop=True, column=-1, twice=False):
    """The ids that a loop with the cache writes, with one thing or another gone wrong in it."""
    kept, unseen = None, ids
    for _step in range(count):
        output = model(unseen, past_key_values=kept, use_cache=True)
        kept = output.past_key_values if pass_cache else None
        token = output.logits[:, column].argmax(-1, keepdim=True)
        unseen = ids[:, -1:] if twice else token
        ids = torch.cat([ids, token], dim=1)
        unseen = ids if whole else unseen
        if stop and token.item() == model.generation_config.eos_token_id:
            break
    return ids


_MISTAKEN_LOOPS = (
    Mistake(
        "new-only",
        lambda m, ids, n: _write(m, ids, n)[:, ids.shape[1] :],
        N_("The prompt is missing. Return all ids, the prompt's first."),
    ),
    Mistake(
        "past-the-end",
        lambda m, ids, n: _write(m, ids, n, stop=False),
        N_("It wrote on after the end token, `model.generation_config.eos_token_id`."),
    ),
    Mistake(
        "end-token-dropped",
        lambda m, ids, n: _write(m, ids, n)[:, :-1],
        N_("The last token is missing: the end token belongs to the result, and so does the last."),
    ),
    Mistake(
        "one-too-many",
        lambda m, ids, n: _write(m, ids, n + 1),
        N_("There is one token too many: does your loop run `max_new_tokens` times?"),
    ),
    Mistake(
        "cache-not-passed",
        lambda m, ids, n: _write(m, ids, n, pass_cache=False),
        N_(
            "The model saw only the newest token and no cache. Give it the `past_key_values` of "
            "the pass before."
        ),
    ),
    Mistake(
        "whole-text-again",
        lambda m, ids, n: _write(m, ids, n, whole=True),
        N_(
            "The whole text went in beside the cache, so the model read it twice. With a cache, "
            "give it only what is new."
        ),
    ),
    Mistake(
        "one-token-behind",
        lambda m, ids, n: _write(m, ids, n, twice=True),
        N_("The token before the newest one went in again. Give it the token just chosen."),
    ),
    Mistake(
        "first-position",
        lambda m, ids, n: _write(m, ids, n, column=0),
        N_("The logits of the first position were used. The next token follows the last one."),
    ),
)


@exercise(
    "5.4",
    title=N_("The loop with a cache"),
    kind="implement",
    difficulty=3,
    minutes=10,
    hints=(
        N_(
            "Keep two things: `cache`, which begins as `None`, and `unseen`, what the model has "
            "not read yet, which begins as `input_ids`."
        ),
        N_(
            "In the loop: `output = model(unseen, past_key_values=cache, use_cache=True)`, then "
            "`cache = output.past_key_values`."
        ),
        N_(
            "The new token is `output.logits[:, -1].argmax(-1, keepdim=True)`. It is the next "
            "`unseen`, and goes to the end of `input_ids`."
        ),
    ),
)
def generate_with_cache(attempt):
    model, prompt = _tiny_model(), torch.tensor([[11, 3, 40, 22]])
    end = int(reference(model, prompt, 4)[0, -1])
    real, tokenizer = default_model()
    text = tokenizer("The capital of Italy is", return_tensors="pt").input_ids
    for title, m, ids, count in (
        (N_("eight tokens more"), model, prompt, 8),
        (N_("it stops at the end token"), _tiny_model(end), prompt, 8),
        (N_("a single token"), model, prompt[:, :2], 1),
        (N_("the real model"), real, text, 6),
    ):
        yield attempt.compare(
            title, m, ids, count, expected=reference(m, ids, count), mistakes=_MISTAKEN_LOOPS
        )

    def passes(model, input_ids, max_new_tokens):
        with counting_positions(model) as counts:
            attempt.answer(model, input_ids, max_new_tokens)
        return counts

    passes.__name__ = "generate_with_cache"
    title, given = N_("each position is computed once"), (model, prompt, 8)
    counts = attempt.call(title, *given, function=passes)
    if sum(counts) <= 4 + 8:
        yield Check(title)
        return
    says = _(
        "The tokens are right, but positions were computed again. After the first pass, give the "
        "model only the newest token and the cache."
    )
    yield fail(title, "not-cached", says, got=str(counts), expected=str([4, *[1] * 7]))


def _sure(ids: list[int], tokenizer) -> list[str]:
    """For each number of tokens read, the text that is certain by then, at the least."""
    sure = [""]
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[:end], skip_special_tokens=True)
        sure.append(sure[-1] if text.endswith(UNFINISHED) else text)
    return sure


def _joined(pieces) -> str:
    """A learner's pieces as one text; what is no text shows as what it is."""
    if isinstance(pieces, str) or pieces is None:
        return pieces
    return "".join(piece if isinstance(piece, str) else f"‹{piece!r}›" for piece in pieces)


_MISTAKEN_STREAMS = (
    Mistake(
        "token-by-token",
        lambda ids, t: "".join(t.decode([i], skip_special_tokens=True) for i in ids),
        N_("The tokens were decoded one by one. Decode all of them so far together."),
    ),
    Mistake(
        "half-dropped",
        lambda ids, t: "".join(
            text for i in ids if UNFINISHED not in (text := t.decode([i], skip_special_tokens=True))
        ),
        N_(
            "What was not whole yet was thrown away. Hold it back, and give it out when the rest "
            "has come."
        ),
    ),
    Mistake(
        "whole-each-time",
        lambda ids, t: "".join(
            text
            for n in range(1, len(ids) + 1)
            if not (text := t.decode(ids[:n], skip_special_tokens=True)).endswith(UNFINISHED)
        ),
        N_("Each piece holds the whole text so far. Yield only what is new in it."),
    ),
    Mistake(
        "whole-each-time",
        lambda ids, t: "".join(
            t.decode(ids[:n], skip_special_tokens=True) for n in range(1, len(ids) + 1)
        ),
        N_("Each piece holds the whole text so far. Yield only what is new in it."),
    ),
    Mistake(
        "half-at-the-end",
        lambda ids, t: t.decode(ids, skip_special_tokens=True),
        N_("Half a character came out at the end. What never becomes whole is dropped."),
    ),
    Mistake(
        "special-tokens",
        lambda ids, t: t.decode(ids),
        N_("The end token's own text is in it. Decode with `skip_special_tokens=True`."),
    ),
    Mistake(
        "last-token-missing",
        lambda ids, t: t.decode(ids[:-1], skip_special_tokens=True).rstrip(UNFINISHED),
        N_("The end is missing. When there are no more tokens, nothing may be held back."),
    ),
    Mistake(
        "ids-not-text",
        lambda ids, t: _joined(ids),
        N_("These are ids. `tokenizer.decode(ids)` turns them into text."),
    ),
)


@exercise(
    "5.5",
    title=N_("As much as is certain"),
    kind="implement",
    difficulty=4,
    minutes=10,
    hints=(
        N_("Keep a list of all ids so far, and decode all of them each time a new one comes."),
        N_("An unfinished character is decoded as `�`, U+FFFD, and stands at the end of the text."),
        N_(
            "`certain = text.rstrip('�')`; yield what `certain` has beyond what you have given out "
            "already, and remember how long that is."
        ),
    ),
)
def stream_text(attempt):
    _model, tokenizer = default_model()
    half, ended = tokenizer("만나요🐿").input_ids[:-1], [*tokenizer("네, 좋아요!").input_ids, 2]

    def joined(token_ids, tokenizer):
        return _joined(attempt.answer(token_ids, tokenizer))

    joined.__name__ = "stream_text"
    for title, ids in (
        (N_("English"), tokenizer("The sea is vast, and very old.").input_ids),
        (N_("Hangul and emoji"), tokenizer("서울에서 만나요 🐿 안녕!").input_ids),
        (N_("it ends with half an emoji"), half),
        (N_("it ends with an end token"), ended),
    ):
        expected = "".join(reference_stream(ids, tokenizer))
        yield attempt.compare(
            title, ids, tokenizer, function=joined, expected=expected, mistakes=_MISTAKEN_STREAMS
        )

    title = N_("each piece comes as soon as it is certain")
    ids = tokenizer("한글은 🐿 그리고 words").input_ids
    given: list[str] = []  # the text given out by the time each token was asked for

    def one_by_one(token_ids, tokenizer):
        said = []

        def tokens():
            for token_id in token_ids:
                given.append("".join(said))
                yield token_id
            given.append("".join(said))

        for piece in attempt.answer(tokens(), tokenizer):
            said.append(piece)
        return said

    one_by_one.__name__ = "stream_text"
    try:
        attempt.call(title, ids, tokenizer, function=one_by_one)
    except Refused as refused:
        if "TypeError" not in refused.check.got:
            raise
        says = _(
            "`token_ids` may be a generator, whose tokens come one by one: go through it with "
            "`for`, without `len` and without an index."
        )
        yield fail(title, "needs-a-list", says, got=refused.check.got)
        return
    late = [i for i, sure in enumerate(_sure(ids, tokenizer)) if not given[i].startswith(sure)]
    if not late:
        yield Check(title)
    elif not any(given):
        says = _(
            "Nothing came before all tokens had been read. Use `yield` inside the loop, so that "
            "text is shown while the model still writes."
        )
        yield fail(title, "all-at-once", says)
    else:
        says = _("After {count} tokens more was certain than what had come out.").format(
            count=late[0]
        )
        sure = _sure(ids, tokenizer)[late[0]]
        yield fail(title, "too-late", says, got=describe(given[late[0]]), expected=describe(sure))
