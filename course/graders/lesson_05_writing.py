"""Lesson 05, writing with a cache, and streaming: what exercises 5.4 and 5.5 check."""

from functools import cache

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from course.graders.grading import Check, Mistake, Refused, describe, exercise, fail
from course.graders.lesson_01 import default_model
from utils.kv_cache import counting_positions
from utils.kv_cache import generate_with_cache as reference
from utils.language import N_, _
from utils.parts import stream_text as reference_stream
from utils.parts.streaming import UNFINISHED


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
