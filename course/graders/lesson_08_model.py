"""Lesson 08, the model and the loop that writes: what exercises 8.4 and 8.5 check."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course.graders.grading import Check, exercise, fail
from course.graders.lesson_08_layer import named_mistakes, tiny
from utils import parts
from utils.language import N_, _
from utils.parts import KVCache


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
        mistakes=named_mistakes(
            _FORWARD_MISTAKES, lambda wrong: lambda *given: _forward(*given, wrong=wrong)
        ),
    )
    yield attempt.compare(
        N_("the same text in three pieces, with the cache"),
        function=_forward_in_pieces(attempt.answer, model),
        expected=expected,
        mistakes=named_mistakes(
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

    mistakes = named_mistakes(
        _WRITE_MISTAKES, lambda wrong: lambda *given: _write(*given, wrong=wrong)
    )
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
