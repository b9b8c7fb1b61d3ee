"""Lesson 08, rebuild: what its exercises check and its questions ask."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from course.graders.grading import Check, Mistake, describe, equal, exercise, fail
from course.graders.questions import question
from utils import decoder_parts as parts
from utils.attention_steps import (
    attention_scores,
    attention_weights,
    combine,
    merge_heads,
    repeat_kv,
    rotary,
    split_heads,
)
from utils.kv_cache import KVCache
from utils.language import N_, _
from utils.streams import causal_mask

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


@cache
def tiny(end: int | None = None) -> LlamaForCausalLM:
    """A Llama of two small layers with random weights; `end`: the id of its end token."""
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        eos_token_id=None,
        bos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(8)
        model = LlamaForCausalLM(config).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms of a new model are all 1: they would look alike
            parameter += torch.linspace(-0.5, 0.5, len(parameter))
    for layer in model.model.layers:
        layer.input_layernorm.weight.copy_(layer.input_layernorm.weight.flip(0))
    model.generation_config.eos_token_id = end
    return model


def _x() -> Tensor:
    return torch.randn(5, 32, generator=torch.Generator().manual_seed(81))


def _in_pieces(function: Callable, *about) -> Callable[[], Tensor]:
    """Runs a layer's function over `_x()` in two pieces, 3 and 2 positions, with one cache."""

    def in_two_pieces():
        kept, x = KVCache(), _x()
        first, second = parts.places_and_mask(0, 3), parts.places_and_mask(3, 2)
        return torch.cat(
            [function(x[:3], *about, *first, kept), function(x[3:], *about, *second, kept)]
        )

    return in_two_pieces


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


def _attention(x, self_attn, config, positions, mask, kept=None, *, wrong=""):
    """`decoder_parts.attention`, with one thing or another gone wrong in it."""
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads

    def turn(part, name):
        if wrong in ("no-rotary", f"{name}-not-turned"):
            return part
        places = positions - positions[0] if wrong == "turned-from-zero" else positions
        return rotary(part, places, config.rope_parameters["rope_theta"])

    queries = turn(split_heads(x @ self_attn.q_proj.weight.T, heads), "queries")
    keys = turn(split_heads(x @ self_attn.k_proj.weight.T, kv_heads), "keys")
    values = split_heads(x @ self_attn.v_proj.weight.T, kv_heads)
    if wrong == "values-turned":
        values = turn(values, "values")
    if kept is not None and wrong != "cache-unused":
        pair = kept.append(self_attn.layer_idx, keys[None], values[None])
        if wrong != "cache-not-read":
            keys, values = pair[0][0], pair[1][0]
    repeat = (
        (lambda part: part.repeat(heads // kv_heads, 1, 1))
        if wrong == "heads-in-turn"
        else (lambda part: repeat_kv(part, heads // kv_heads))
    )
    scores = attention_scores(queries, repeat(keys))
    mask = torch.ones_like(mask) if wrong == "mask-forgotten" else mask
    merged = merge_heads(combine(attention_weights(scores, mask), repeat(values)))
    return merged if wrong == "no-output-matrix" else merged @ self_attn.o_proj.weight.T


_ATTENTION_MISTAKES = {
    "no-rotary": N_("Queries and keys are not turned: `rotary` knows where a token stands."),
    "keys-not-turned": N_("The keys are not turned. `rotary` goes over queries and keys."),
    "queries-not-turned": N_("The queries are not turned. `rotary` goes over queries and keys."),
    "values-turned": N_("The values were turned as well. Only queries and keys are."),
    "turned-from-zero": N_("With a past, the turns start from 0 again. Use the `positions` given."),
    "heads-in-turn": N_(
        "The key-value heads stand in the wrong order: each goes to neighbours, 0 0 1 1, as "
        "`repeat_kv` does it."
    ),
    "mask-forgotten": N_("Positions look at those after them: the mask is not used."),
    "no-output-matrix": N_(
        "The last matrix is missing: what `merge_heads` gives goes to `o_proj`."
    ),
    "cache-unused": N_("The cache is not used: append the new keys and values to it."),
    "cache-not-read": N_(
        "Keys and values went into the cache, but only the new ones were used. "
        "`append` returns all of them."
    ),
}


def _mistakes(names: dict[str, str], make: Callable[[str], Callable]) -> tuple[Mistake, ...]:
    return tuple(Mistake(name, make(name), says) for name, says in names.items())


@exercise(
    "8.2",
    title=N_("Attention with a past"),
    kind="implement",
    difficulty=4,
    minutes=12,
    hints=(
        N_(
            "Three products, `x @ self_attn.q_proj.weight.T` and so on; then `split_heads`, and "
            "`rotary` for queries and keys."
        ),
        N_(
            "The cache has a batch axis: `append(self_attn.layer_idx, keys[None], values[None])` "
            "returns all keys and values so far; take `[0]` of each."
        ),
        N_(
            "Then `repeat_kv(…, heads // kv_heads)` for keys and values, `attention_scores`, "
            "`attention_weights`, `combine`, `merge_heads`, and `@ self_attn.o_proj.weight.T`."
        ),
    ),
)
def attention(attempt):
    model = tiny()
    about = model.model.layers[1].self_attn, model.config
    whole = _x(), *about, *parts.places_and_mask(0, 5)
    expected = parts.attention(*whole)
    yield attempt.compare(
        N_("a whole text"),
        *whole,
        expected=expected,
        mistakes=_mistakes(
            _ATTENTION_MISTAKES, lambda wrong: lambda *given: _attention(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in two pieces, with the cache"),
        function=_in_pieces(attempt.answer, *about),
        expected=expected,
        mistakes=_mistakes(
            _ATTENTION_MISTAKES,
            lambda wrong: _in_pieces(lambda *given: _attention(*given, wrong=wrong), *about),
        ),
    )
    yield _kept_rightly(attempt, whole)


def _kept_rightly(attempt, whole) -> Check:
    title, store = N_("what the cache holds"), KVCache()

    def with_cache(*given):
        return attempt.answer(*given, store)

    attempt.call(title, *whole, function=with_cache)
    shapes = {layer: list(keys.shape) for layer, (keys, _values) in store.layers.items()}
    expected = {1: [1, 2, 5, 8]}
    if shapes == expected:
        return Check(title)
    says = _(
        "In the cache belongs what the layer's own key-value heads gave, before `repeat_kv`, under "
        "the number `self_attn.layer_idx`."
    )
    return fail(title, "kept-otherwise", says, got=str(shapes), expected=str(expected))


def _run_layer(x, layer, config, positions, mask, kept=None, *, wrong=""):
    mlp, eps = layer.mlp, config.rms_norm_eps
    norms = [layer.input_layernorm.weight, layer.post_attention_layernorm.weight]
    if wrong == "norms-swapped":
        norms.reverse()
    if wrong == "one-norm-twice":
        norms[1] = norms[0]
    gate, up, down = (m.weight for m in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
    if wrong == "gate-and-up-swapped":
        gate, up = up, gate
    kept = None if wrong == "cache-not-passed" else kept
    plain = wrong == "norms-forgotten"
    return parts.block(
        x,
        lambda x: parts.attention(x, layer.self_attn, config, positions, mask, kept),
        lambda x: parts.feed_forward(x, gate, up, down),
        lambda x: x if plain else parts.rms_norm(x, norms[0], eps),
        lambda x: x if plain else parts.rms_norm(x, norms[1], eps),
    )


_LAYER_MISTAKES = {
    "norms-swapped": N_(
        "The two norms changed places: `input_layernorm` comes before attention, "
        "`post_attention_layernorm` before the feed-forward layer."
    ),
    "one-norm-twice": N_("Both norms use the same weight. Each part has a norm of its own."),
    "norms-forgotten": N_("The norms do nothing. Each part reads what its `rms_norm` gives."),
    "gate-and-up-swapped": N_("`gate_proj` and `up_proj` changed places."),
    "cache-not-passed": N_("Without a past it is right. Hand the cache on to `attention`."),
}


@exercise(
    "8.3",
    title=N_("One layer"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("`block` wants four functions of one tensor. A `lambda x: …` makes one."),
        N_("One is `lambda x: attention(x, layer.self_attn, config, positions, mask, cache)`."),
        N_(
            "The norms are `lambda x: rms_norm(x, layer.input_layernorm.weight, "
            "config.rms_norm_eps)` and the same with `post_attention_layernorm`."
        ),
    ),
)
def run_layer(attempt):
    model = tiny()
    about = model.model.layers[1], model.config
    whole = _x(), *about, *parts.places_and_mask(0, 5)
    expected = parts.run_layer(*whole)
    yield attempt.compare(
        N_("a whole text"),
        *whole,
        expected=expected,
        mistakes=_mistakes(
            _LAYER_MISTAKES, lambda wrong: lambda *given: _run_layer(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in two pieces, with the cache"),
        function=_in_pieces(attempt.answer, *about),
        expected=expected,
        mistakes=_mistakes(
            _LAYER_MISTAKES,
            lambda wrong: _in_pieces(lambda *given: _run_layer(*given, wrong=wrong), *about),
        ),
    )


def _forward(model, input_ids, kept=None, *, wrong=""):
    stack, eps = model.model, model.config.rms_norm_eps
    past = kept.get_seq_length() if kept is not None and wrong != "past-forgotten" else 0
    positions, mask = parts.places_and_mask(past, input_ids.shape[1])
    if wrong == "past-forgotten" and kept is not None:
        mask = parts.places_and_mask(kept.get_seq_length(), input_ids.shape[1])[1]
    x = parts.embed(input_ids, stack.embed_tokens.weight)[0]
    layers = stack.layers[:-1] if wrong == "layer-missing" else stack.layers
    for layer in layers:
        x = parts.run_layer(
            x, layer, model.config, positions, mask, None if wrong == "cache-not-passed" else kept
        )
    if wrong != "no-last-norm":
        x = parts.rms_norm(x, stack.norm.weight, eps)
    if wrong == "hidden-states":
        return x[None]
    head = stack.embed_tokens if wrong == "embedding-as-head" else model.lm_head
    logits = parts.lm_head(x, head.weight)
    if wrong == "last-only":
        return logits[None, -1:]
    return logits if wrong == "no-batch" else logits[None]


_FORWARD_MISTAKES = {
    "layer-missing": N_("The last layer is missing: go over all of `model.model.layers`."),
    "no-last-norm": N_("The last norm is missing, `model.model.norm`, between layers and head."),
    "hidden-states": N_("Those are the hidden states. `lm_head` turns them into logits."),
    "embedding-as-head": N_(
        "The embedding matrix was used as LM head. In some models they are the same; take "
        "`model.lm_head.weight`."
    ),
    "last-only": N_("Only the last position came out. Return the logits of all."),
    "no-batch": N_("The batch axis is missing: `[None]` puts it back in front."),
    "cache-not-passed": N_("Without a past it is right. Hand the cache on to `run_layer`."),
    "past-forgotten": N_(
        "With a past, the positions start at 0 again: `cache.get_seq_length()` tells how many "
        "tokens are in the cache."
    ),
}
_IDS = ((7, 3, 22, 9, 31, 4),)


def _forward_in_pieces(function: Callable, model) -> Callable[[], Tensor]:
    def in_three_pieces():
        kept, ids = KVCache(), torch.tensor(_IDS)
        return torch.cat(
            [function(model, piece, kept) for piece in ids.split([3, 1, 2], dim=1)], dim=1
        )

    return in_three_pieces


@exercise(
    "8.4",
    title=N_("From ids to logits"),
    kind="implement",
    difficulty=3,
    minutes=8,
    hints=(
        N_(
            "First `places_and_mask(past, input_ids.shape[1])`; `past` is "
            "`cache.get_seq_length()`, or 0 without a cache."
        ),
        N_("`embed` gives `[1, position, width]`: take `[0]`, and send it through every layer."),
        N_(
            "At the end `rms_norm` with `model.model.norm.weight`, `lm_head` with "
            "`model.lm_head.weight`, and `[None]` for the batch axis."
        ),
    ),
)
def forward(attempt):
    model = tiny()
    ids = torch.tensor(_IDS)
    expected = model(ids).logits
    yield attempt.compare(
        N_("the library's logits"),
        model,
        ids,
        expected=expected,
        mistakes=_mistakes(
            _FORWARD_MISTAKES, lambda wrong: lambda *given: _forward(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in three pieces, with the cache"),
        function=_forward_in_pieces(attempt.answer, model),
        expected=expected,
        mistakes=_mistakes(
            _FORWARD_MISTAKES,
            lambda wrong: _forward_in_pieces(lambda *given: _forward(*given, wrong=wrong), model),
        ),
    )


def _second_best(logits: Tensor) -> int:
    return int(logits.topk(2).indices[1])


def _write(model, input_ids, max_new_tokens, choose=parts.greedy, *, wrong=""):
    """The ids that `write` yields, as a list, with one thing or another gone wrong."""
    ids = list(parts.write(model, input_ids, max_new_tokens + (wrong == "one-too-many"), choose))
    end = model.generation_config.eos_token_id
    if wrong == "always-greedy":
        ids = list(parts.write(model, input_ids, max_new_tokens))
    if wrong == "past-the-end":
        ids = list(parts.write(tiny(), input_ids, max_new_tokens, choose))
    if wrong == "end-token-dropped" and ids[-1] == end:
        ids = ids[:-1]
    if wrong == "one-too-few":
        ids = ids[:-1]
    if wrong == "with-prompt":
        ids = [*input_ids[0].tolist(), *ids]
    if wrong == "same-token":
        ids = [choose(parts.forward(model, input_ids)[0, -1])] * max_new_tokens
    if wrong in ("old-token-again", "only-new-token"):
        kept, unseen, ids = KVCache(), input_ids, []
        for _step in range(max_new_tokens):
            given = kept if wrong == "old-token-again" else None
            ids.append(choose(parts.forward(model, unseen, given)[0, -1]))
            again = input_ids if wrong == "old-token-again" else torch.tensor([ids])
            unseen = again[:, -1:]
    return ids


_WRITE_MISTAKES = {
    "end-token-dropped": N_("The end token is missing: yield it, and then stop."),
    "with-prompt": N_("The prompt's ids are among them. Yield only what is new."),
    "one-too-few": N_("One token is missing: does the loop run `max_new_tokens` times?"),
    "one-too-many": N_("There is one token too many: does the loop run `max_new_tokens` times?"),
    "same-token": N_("The same token each time: put the new token into the model next."),
    "old-token-again": N_(
        "The prompt's last token goes in again at each step. Put in the token just chosen."
    ),
    "only-new-token": N_(
        "The model forgot the text: make one cache before the loop, and give it to each `forward`."
    ),
    "always-greedy": N_("It chose for itself. Use the function `choose` that it is given."),
    "past-the-end": N_(
        "It wrote on after the end token. Stop at `model.generation_config.eos_token_id`."
    ),
}


@exercise(
    "8.5",
    title=N_("Write, one token at a time"),
    kind="implement",
    difficulty=3,
    minutes=8,
    hints=(
        N_("Before the loop: `cache = KVCache()`, and `unseen = input_ids`."),
        N_(
            "In the loop: `choose(forward(model, unseen, cache)[0, -1])`, `yield` it, and stop if "
            "it is the end token."
        ),
        N_("For the next step, `unseen = torch.tensor([[token_id]])`: only the new token."),
    ),
)
def write(attempt):
    def listed(*given):
        tokens = attempt.answer(*given)
        return tokens if tokens is None or isinstance(tokens, Tensor) else list(tokens)

    mistakes = _mistakes(_WRITE_MISTAKES, lambda wrong: lambda *given: _write(*given, wrong=wrong))
    ids, plain = torch.tensor(_IDS), list(parts.write(tiny(), torch.tensor(_IDS), 6))
    ending = deepcopy(tiny())
    ending.generation_config.eos_token_id = plain[2]
    for title, model, choose in (
        (N_("six new tokens, greedy"), tiny(), parts.greedy),
        (N_("with another way to choose"), tiny(), _second_best),
        (N_("it stops at the end token"), ending, parts.greedy),
    ):
        given = model, ids, 6, choose
        expected = list(parts.write(*given))
        yield attempt.compare(title, *given, expected=expected, mistakes=mistakes, function=listed)
    yield _with_the_cache(attempt, listed, ids)
    yield _one_by_one(attempt, ids)


def _with_the_cache(attempt, listed, ids) -> Check:
    """Whether each position was computed once: counted by the multiplications that were done."""
    title = N_("each position is computed once")
    with FlopCounterMode(display=False) as mine:
        attempt.call(title, tiny(), ids, 12, parts.greedy, function=listed)
    with FlopCounterMode(display=False) as least:
        list(parts.write(tiny(), ids, 12))
    if mine.get_total_flops() < 1.5 * least.get_total_flops():
        return Check(title)
    says = _(
        "It did {times:.1f} times the work that is needed: with the cache, only the new token goes "
        "into `forward`."
    )
    times = mine.get_total_flops() / least.get_total_flops()
    return fail(title, "computed-again", says.format(times=times))


def _one_by_one(attempt, ids) -> Check:
    title, calls = N_("the first token comes before the second is computed"), []

    def counting(logits):
        calls.append(1)
        return parts.greedy(logits)

    def first(*given):
        return next(iter(attempt.answer(*given, counting)))

    attempt.call(title, tiny(), ids, 6, function=first)
    if len(calls) == 1:
        return Check(title)
    says = _("All tokens were computed before the first came out. `yield` each as it is chosen.")
    return fail(title, "all-at-once", says)


@exercise(
    "8.6",
    title=N_("Three matrices, one product"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("All of them read the same `x`, so they have the same number of columns."),
        N_("Stacked one below the other they are one matrix: `torch.cat(matrices)`."),
        N_("The sizes are how many rows each had: `len(matrix)`."),
    ),
)
def fuse(attempt):
    mistakes = (
        Mistake(
            "side-by-side",
            lambda matrices: (torch.cat(matrices, dim=1), [len(m) for m in matrices]),
            N_("You joined along axis 1, the inputs. Rows are the outputs: axis 0."),
        ),
        Mistake(
            "stacked",
            lambda matrices: (torch.stack(matrices), [len(m) for m in matrices]),
            N_("`torch.stack` makes a new axis. `torch.cat` puts one below the other."),
        ),
        Mistake(
            "transposed",
            lambda matrices: (torch.cat(matrices).T, [len(m) for m in matrices]),
            N_("The matrix is transposed. Leave it `[out, in]`, as the model keeps them."),
        ),
        Mistake(
            "sizes-of-inputs",
            lambda matrices: (torch.cat(matrices), [m.shape[1] for m in matrices]),
            N_("Those sizes count columns. What comes out is cut by rows: `len(matrix)`."),
        ),
        Mistake(
            "where-not-how-many",
            lambda matrices: (
                torch.cat(matrices),
                torch.tensor([len(m) for m in matrices]).cumsum(0).tolist(),
            ),
            N_("Those say where each part ends. `split` wants how many rows each has."),
        ),
        Mistake(
            "wrong-order",
            lambda matrices: (torch.cat(matrices[::-1]), [len(m) for m in matrices[::-1]]),
            N_("The order is turned round. Keep that of the list."),
        ),
        Mistake(
            "matrix-only",
            torch.cat,
            N_("The sizes are missing. Return both, `(matrix, sizes)`."),
        ),
    )
    generator = torch.Generator().manual_seed(86)
    for outs in ((6, 2, 2), (5, 5), (4,)):
        matrices = [torch.randn(out, 3, generator=generator) for out in outs]
        title = _("matrices with {rows} rows").format(rows=", ".join(map(str, outs)))
        yield attempt.compare(title, matrices, expected=parts.fuse(matrices), mistakes=mistakes)


def _chunks() -> list[tuple[int, Tensor, Tensor]]:
    """(layer, keys, values): passes of 4, 3 and 1 positions over two layers."""
    generator = torch.Generator().manual_seed(87)
    return [
        (layer, *(torch.randn(1, 3, count, 4, generator=generator) for _part in range(2)))
        for count in (4, 3, 1)
        for layer in (0, 1)
    ]


def _mistaken_appends(before: list) -> tuple[Mistake, ...]:
    def joined(layer, keys, values):
        mine = [chunk for chunk in before if chunk[0] == layer]
        mine.append((layer, keys, values))
        return tuple(torch.cat([chunk[i] for chunk in mine], dim=2) for i in (1, 2))

    def all_room(layer, keys, values):
        return tuple(
            nn.functional.pad(p, (0, 0, 0, 8 - p.shape[2])) for p in joined(layer, keys, values)
        )

    def over_the_old(layer, keys, values):
        return tuple(
            torch.cat([new, old[:, :, new.shape[2] :]], dim=2)[:, :, : new.shape[2]]
            for new, old in zip((keys, values), joined(layer, keys, values), strict=True)
        )

    return (
        Mistake(
            "over-the-old",
            over_the_old,
            N_(
                "Only the new ones came back. Write them behind the old ones, and return all that "
                "are filled."
            ),
        ),
        Mistake(
            "empty-room-too",
            all_room,
            N_("The empty room came back, too. Return only the positions that are filled."),
        ),
        Mistake(
            "swapped",
            lambda *chunk: joined(*chunk)[::-1],
            N_("Keys and values changed places. Return `(keys, values)`."),
        ),
        Mistake(
            "keys-twice",
            lambda *chunk: (joined(*chunk)[0],) * 2,
            N_("The keys came back as values too. Make room for both."),
        ),
    )


@exercise(
    "8.7",
    title=N_("A cache with room"),
    kind="implement",
    difficulty=3,
    minutes=7,
    hints=(
        N_(
            "In `__init__`: `torch.zeros(layers, 1, kv_heads, room, head_dim)`, once for keys and "
            "once for values, and a length of 0 for each layer."
        ),
        N_("In `append`: `self.keys[layer, :, :, start:end] = keys` writes into it."),
        N_(
            "Raise a ValueError if `end` is more than `room`; else keep `end` as the layer's "
            "length, and return `[layer, :, :, :end]` of both."
        ),
    ),
)
def roomy_cache(attempt):
    title = N_("a new cache is empty")
    if not isinstance(attempt.answer, type):
        says = _("This exercise takes the class itself: `check(RoomyCache)`, without brackets.")
        yield fail(title, "not-a-class", says, got=describe(attempt.answer))
        return
    store = attempt.call(title, 2, 3, 4, 8)
    for name in ("append", "get_seq_length"):
        if not callable(getattr(store, name, None)):
            says = _("The class has no method `{name}`.").format(name=name)
            yield fail(title, "method-missing", says)
            return
    yield attempt.compare(title, function=store.get_seq_length, expected=0)
    before, places = [], {}
    for chunk in _chunks():
        layer, keys, _values = chunk
        mine = [part for part in [*before, chunk] if part[0] == layer]
        count = sum(part[1].shape[2] for part in mine)
        title = _("layer {layer}, {count} new positions").format(layer=layer, count=keys.shape[2])
        expected = tuple(torch.cat([part[i] for part in mine], dim=2) for i in (1, 2))
        got = attempt.call(title, *chunk, function=store.append)
        yield attempt.compare(
            title,
            *chunk,
            function=_named("append", lambda *_chunk, got=got: got),
            expected=expected,
            mistakes=_mistaken_appends(before),
        )
        if places.setdefault(layer, got[0].data_ptr()) != got[0].data_ptr():
            says = _(
                "The keys lie somewhere else in memory than before: new memory was taken. Write "
                "into what `__init__` took, and return a part of it."
            )
            yield fail(title, "new-memory", says)
            return
        before.append(chunk)
        if layer == 1:
            yield attempt.compare(
                _("{count} positions are kept").format(count=count),
                function=store.get_seq_length,
                expected=count,
            )
    yield _full(attempt, store)
    second = attempt.call(N_("a second cache is empty too"), 2, 3, 4, 8)
    yield attempt.compare(
        N_("a second cache is empty too"), function=second.get_seq_length, expected=0
    )


def _named(name: str, function: Callable) -> Callable:
    function.__name__ = name
    return function


def _full(attempt, store) -> Check:
    """Eight positions are in it, and there is no room for a ninth."""
    title = N_("no room for one more")
    chunk = _chunks()[-2]

    def one_more():
        try:
            return [tuple(part.shape) for part in store.append(*chunk)]
        except ValueError:
            return "ValueError"
        except Exception as error:
            return type(error).__name__

    got = attempt.call(title, function=one_more)
    if equal(got, "ValueError"):
        return Check(title)
    says = _(
        "A full cache has to say so: raise a ValueError before anything is written past its room."
    )
    return fail(title, "no-word-when-full", says, got=str(got), expected="ValueError")
