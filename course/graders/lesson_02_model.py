"""Lesson 02, the whole model: what exercises 2.5 and 2.6 check."""

from functools import cache

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from course.graders.grading import Mistake, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.lesson_02 import numbers
from utils.anatomy import parameter_share
from utils.embeddings import pool_last_token
from utils.language import N_, _


@cache
def _tiny(tied: bool):
    """A tiny Llama with random weights, whose LM head is or is not the embedding's matrix."""
    config = LlamaConfig(
        vocab_size=60,
        hidden_size=16,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=tied,
    )
    with torch.random.fork_rng():
        return AutoModelForCausalLM.from_config(config).requires_grad_(False)


PLACES = {
    "embed_tokens": "embedding",
    "self_attn": "attention",
    "mlp": "feed_forward",
    "norm": "norm",
    "lm_head": "lm_head",
}


def _counts(weights) -> dict[str, int]:
    counts = dict.fromkeys(PLACES.values(), 0)
    for name, weight in weights:
        counts[next(kind for place, kind in PLACES.items() if place in name)] += weight.numel()
    return counts


def _divided(counts: dict[str, int], total: float) -> dict[str, float]:
    return {kind: count / total for kind, count in counts.items()}


def _mistaken_shares() -> tuple[Mistake, ...]:
    def once(model):
        return _counts(model.named_parameters())

    def twice(model):
        return _counts(model.named_parameters(remove_duplicate=False))

    def each_norm_but_the_last(model):
        return _counts((n, p) for n, p in model.named_parameters() if n != "model.norm.weight")

    def total(counts):
        return sum(counts.values())

    return (
        Mistake(
            "tied-twice",
            lambda model: _divided(twice(model), total(twice(model))),
            N_(
                "The LM head and the embedding are one matrix here, and you counted it twice. "
                "`named_parameters()` names it once; `state_dict()` names it twice."
            ),
        ),
        Mistake(
            "sum-not-1",
            lambda model: _divided(twice(model), total(once(model))),
            N_(
                "These sum to more than 1: the matrix that the embedding and the LM head share is "
                "in two parts, but once in the total."
            ),
        ),
        Mistake(
            "sum-not-1",
            lambda model: _divided(once(model), total(twice(model))),
            N_(
                "These sum to less than 1: the total counts the matrix that the embedding and the "
                "LM head share twice."
            ),
        ),
        Mistake(
            "counts",
            once,
            N_("Those are counts. Divide each by the number of all parameters."),
        ),
        Mistake(
            "percent",
            lambda model: _divided(once(model), total(once(model)) / 100),
            N_("Those are percentages. A share runs from 0 to 1."),
        ),
        Mistake(
            "last-norm-forgotten",
            lambda model: _divided(each_norm_but_the_last(model), total(once(model))),
            N_("The norm after the last block, `model.norm`, is missing."),
        ),
        Mistake(
            "last-norm-forgotten",
            lambda model: _divided(
                each_norm_but_the_last(model), total(each_norm_but_the_last(model))
            ),
            N_("The norm after the last block, `model.norm`, is missing."),
        ),
        Mistake(
            "tensors-not-numbers",
            lambda model: _divided(
                _counts((n, torch.empty(1)) for n, _weight in model.named_parameters()),
                len(list(model.named_parameters())),
            ),
            N_("You counted tensors. Count the numbers in them: `parameter.numel()`."),
        ),
    )


@exercise(
    "2.5",
    title=N_("Where the parameters are"),
    kind="measure",
    difficulty=3,
    minutes=10,
    hints=(
        N_(
            "`model.named_parameters()` gives each tensor with a name such as "
            "`model.layers.0.mlp.up_proj.weight`; the name tells where it belongs."
        ),
        N_(
            "Look for `embed_tokens`, `self_attn`, `mlp`, `norm` and `lm_head` in the name, and "
            "add up `parameter.numel()`."
        ),
        N_(
            "A tied matrix comes up once, as the embedding's. Start every count at 0, so that "
            "`lm_head` is there too, and divide by the sum of all counts."
        ),
    ),
)
def share(attempt):
    for title, model in (
        (N_("a tiny model with a matrix of its own in the LM head"), _tiny(tied=False)),
        (N_("a tiny model whose LM head is the embedding's matrix"), _tiny(tied=True)),
        (N_("the course's model"), default_model()[0]),
    ):
        got, expected = attempt.call(title, model), parameter_share(model)
        if isinstance(got, dict) and set(got) != set(expected):
            says = _("The dict should have the keys {keys}, no more and no fewer.")
            yield fail(
                title,
                "other-keys",
                says.format(keys=", ".join(expected)),
                given=describe(model),
                got=describe(list(got)),
                expected=describe(list(expected)),
            )
            return
        yield attempt.compare(title, model, expected=expected, mistakes=_mistaken_shares())


def _pooled(hidden, index):
    return hidden[torch.arange(len(hidden)), index]


@exercise(
    "2.6",
    title=N_("One vector for each sentence"),
    kind="implement",
    difficulty=4,
    minutes=10,
    hints=(
        N_("First find, for each row of the mask, the position of its last 1."),
        N_(
            "`attention_mask * torch.arange(positions)` is 0 at padding and the position "
            "elsewhere; where is it largest?"
        ),
        N_(
            "With `last` of shape `[batch]`, `hidden_states[torch.arange(batch), last]` takes one "
            "vector from each text."
        ),
    ),
)
def pool(attempt):
    mistakes = (
        Mistake(
            "last-position",
            lambda hidden, mask: hidden[:, -1],
            N_("Short sentences end in padding. Take the last position where the mask is 1."),
        ),
        Mistake(
            "first-token",
            lambda hidden, mask: hidden[:, 0],
            N_("That is the first position, which has seen nothing yet but itself."),
        ),
        Mistake(
            "averaged",
            lambda hidden, mask: hidden.mean(1),
            N_("That is an average over all positions, padding too. Take the last token only."),
        ),
        Mistake(
            "averaged",
            lambda hidden, mask: (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True),
            N_("That is an average over the tokens. Take the last token only."),
        ),
        Mistake(
            "right-padding-only",
            lambda hidden, mask: _pooled(hidden, mask.sum(1) - 1),
            N_(
                "Counting the 1s works where padding comes last. Here it comes first, as it does "
                "for generation: find where the last 1 stands."
            ),
        ),
        Mistake(
            "off-by-one",
            lambda hidden, mask: _pooled(hidden, mask.sum(1)),
            N_("That is one position too far: n tokens stand at positions 0 to n - 1."),
        ),
        Mistake(
            "all-pairs",
            lambda hidden, mask: hidden[:, mask.sum(1) - 1],
            N_(
                "`hidden[:, last]` takes every index from every text. Pair them: "
                "`hidden[torch.arange(batch), last]`."
            ),
        ),
        Mistake(
            "one-index-for-all",
            lambda hidden, mask: hidden[:, int(mask.sum(1).max()) - 1],
            N_("One position was used for all texts. Each has its own last token."),
        ),
        Mistake(
            "one-index-for-all",
            lambda hidden, mask: hidden[:, int(mask.sum(1)[0]) - 1],
            N_("One position was used for all texts. Each has its own last token."),
        ),
    )
    for title, mask in (
        (N_("padding at the end"), [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]),
        (N_("padding in front"), [[0, 0, 1, 1], [0, 1, 1, 1]]),
        (N_("no padding"), [[1, 1, 1], [1, 1, 1]]),
        (N_("one text"), [[1, 1, 0]]),
    ):
        mask = torch.tensor(mask)
        hidden = numbers(*mask.shape, 3, seed=9)
        expected = pool_last_token(hidden, mask)
        yield attempt.compare(title, hidden, mask, expected=expected, mistakes=mistakes)
