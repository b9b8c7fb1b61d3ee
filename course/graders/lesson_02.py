"""Lesson 02, the components: what its exercises check and its questions ask."""

from functools import cache

import torch
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig

from course.graders.grading import Mistake, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.anatomy import parameter_share
from utils.embeddings import nearest_tokens, pool_last_token
from utils.language import N_, _

question(
    "2.a",
    N_("Where do most of this model's parameters stand?"),
    (
        N_("in the embedding, one row for each token of the vocabulary"),
        N_("in the attention layers of all the blocks"),
        N_("in the feed-forward layers of all the blocks"),
        N_("in the LM head"),
    ),
    right=3,
    because=N_(
        "The feed-forward layers hold more than half. The LM head has no parameters of its own "
        "here: it uses the embedding's matrix a second time."
    ),
)
question(
    "2.b",
    N_("“프랑스의 수도는” (“The capital of France is”) has 8 characters. How many tokens is it?"),
    (N_("2, one for each word"), N_("8, one for each character"), N_("20")),
    right=3,
    because=N_(
        "Most Hangul syllables are not in this vocabulary, so they are spelt out in bytes, two or "
        "three tokens each."
    ),
)
question(
    "2.c",
    N_("The LM head is given one vector of 576 numbers. How many numbers come out?"),
    (
        N_("1, the id of the next token"),
        N_("576, another vector"),
        N_("49,152, one for each token of the vocabulary"),
    ),
    right=3,
    because=N_("It gives every token of the vocabulary a score. Choosing one is a later step."),
)
question(
    "2.d",
    N_(
        "A small head reads one vector for each sentence and learns from 200 of them; the model "
        "itself learns nothing. How many of 100 new sentences will it get right?"
    ),
    (N_("about 50, no better than a coin"), N_("about 70"), N_("about 90")),
    right=3,
    because=N_(
        "The stack was never told what praise is, but predicting the next token has taught it to "
        "tell praise from complaint. A head only has to read that off."
    ),
)


def numbers(*shape: int, seed: int = 0):
    """The same random numbers every time, without touching the learner's random state."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@exercise(
    "2.1",
    title=N_("From ids to vectors"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("Token number 5 has row 5 of the matrix. No arithmetic is needed."),
        N_("A tensor can be indexed with another tensor of whole numbers: it picks rows."),
        N_("`embedding_matrix[token_ids]` has the shape of `token_ids`, with `width` behind it."),
    ),
)
def embed(attempt):
    mistakes = (
        Mistake(
            "columns",
            lambda ids, matrix: matrix[:, ids],
            N_("You picked columns. A token's embedding is a row: index the first axis."),
        ),
        Mistake(
            "batch-lost",
            lambda ids, matrix: matrix[ids[0]],
            N_("Only the first text of the batch is there. Look up `token_ids` as it is."),
        ),
        Mistake(
            "flattened",
            lambda ids, matrix: matrix[ids.flatten()],
            N_("The texts were joined into one. Keep the shape `[batch, position, width]`."),
        ),
        Mistake(
            "positions-not-ids",
            lambda ids, matrix: matrix[: ids.shape[1]].expand(len(ids), -1, -1),
            N_("You took the first rows, by position. Take the rows that `token_ids` names."),
        ),
        Mistake(
            "off-by-one",
            lambda ids, matrix: matrix[ids - 1],
            N_("That is the row before. Ids count from 0, as the rows do."),
        ),
        Mistake(
            "summed",
            lambda ids, matrix: matrix[ids].sum(1),
            N_("The vectors were added up. Keep one vector for each position."),
        ),
        Mistake(
            "averaged",
            lambda ids, matrix: matrix[ids].mean(1),
            N_("The vectors were averaged. Keep one vector for each position."),
        ),
    )
    matrix = numbers(9, 4)
    for ids in ([[5, 2, 7], [1, 1, 8]], [[3, 0, 6, 4]], [[8], [2], [5]]):
        ids = torch.tensor(ids)
        title = _("ids {ids}").format(ids=ids.tolist())
        yield attempt.compare(title, ids, matrix, expected=matrix[ids], mistakes=mistakes)


def _nearest(matrix, token_id, k, *, unit=True, axis=-1, far=False, values=False, drop=True):
    """The nearest tokens, with one thing or another gone wrong."""
    if unit:
        matrix = matrix / matrix.norm(dim=axis, keepdim=True)
    closeness = matrix @ matrix[token_id]
    if drop == "first":
        best = closeness.topk(k + 1, largest=not far)
        return (best.values if values else best.indices)[1:]
    if drop:
        closeness[token_id] = torch.inf if far else -torch.inf
    best = closeness.topk(k, largest=not far)
    return best.values if values else best.indices


def _mistaken_neighbours() -> tuple[Mistake, ...]:
    dot_product = N_(
        "Those are the largest dot products: long vectors win wherever they point. For the "
        "cosine, divide every row by its length first."
    )
    return (
        Mistake("dot-product", lambda m, i, k: _nearest(m, i, k, unit=False), dot_product),
        Mistake(
            "dot-product", lambda m, i, k: _nearest(m, i, k, unit=False, drop="first"), dot_product
        ),
        Mistake(
            "dot-product", lambda m, i, k: _nearest(m, i, k, unit=False, drop=False), dot_product
        ),
        Mistake(
            "itself-kept",
            lambda m, i, k: _nearest(m, i, k, drop=False),
            N_("The token itself comes first: nothing is nearer to it. Leave it out."),
        ),
        Mistake(
            "one-too-few",
            lambda m, i, k: _nearest(m, i, k, drop=False)[1:],
            N_("One is missing: of the k best, one was the token itself. Take k + 1."),
        ),
        Mistake(
            "farthest",
            lambda m, i, k: _nearest(m, i, k, far=True, drop=False),
            N_("Those are the farthest. A large cosine means near."),
        ),
        Mistake(
            "farthest-first",
            lambda m, i, k: _nearest(m, i, k).flip(0),
            N_("The right tokens, the wrong way round: nearest first."),
        ),
        Mistake(
            "cosines-not-ids",
            lambda m, i, k: _nearest(m, i, k, values=True),
            N_("Those are the cosines. The tokens' ids are asked for: `topk(…).indices`."),
        ),
        Mistake(
            "wrong-axis",
            lambda m, i, k: _nearest(m, i, k, axis=0),
            N_("You divided columns by their length. A token is a row: `norm(dim=-1)`."),
        ),
        Mistake(
            "distance",
            lambda m, i, k: (m - m[i]).norm(dim=-1).topk(k + 1, largest=False).indices[1:],
            N_("Those are nearest by distance. The cosine compares directions, not lengths."),
        ),
    )


@exercise(
    "2.2",
    title=N_("The nearest tokens"),
    kind="implement",
    difficulty=3,
    minutes=8,
    hints=(
        N_("The cosine of two vectors is their dot product once both have length 1."),
        N_(
            "Divide each row by its length, `norm(dim=-1, keepdim=True)`; the matrix times row "
            "`token_id` then gives all cosines at once."
        ),
        N_(
            "Set the token's own cosine to `-torch.inf`, then `topk(k).indices` are the nearest, "
            "in order."
        ),
    ),
)
def nearest(attempt):
    lengths = torch.tensor([1.0, 6.0, 0.4, 3.0, 1.5, 9.0, 0.7, 2.0, 0.9, 4.0, 1.2, 0.5])
    matrix = numbers(12, 5, seed=3) * lengths[:, None]
    for token_id, k in ((0, 4), (4, 5), (10, 4)):
        yield attempt.compare(
            _("the {k} nearest to token {token_id}").format(k=k, token_id=token_id),
            matrix,
            token_id,
            k,
            expected=nearest_tokens(matrix, token_id, k),
            mistakes=_mistaken_neighbours(),
        )


def _mistaken_softmaxes() -> tuple[Mistake, ...]:
    def over(logits, axis, shift=None, keep=True):
        powers = (logits if shift is None else logits - shift).exp()
        return powers / powers.sum(axis, keepdim=keep)

    return (
        Mistake(
            "overflow",
            lambda x: over(x, -1),
            N_(
                "`exp(1000)` is too large for any float, so inf / inf came out. Subtract the "
                "largest logit first: the result is the same."
            ),
        ),
        Mistake(
            "global-max",
            lambda x: over(x, -1, shift=x.max()),
            N_(
                "You subtracted the largest logit of all rows, so a row of small ones vanishes "
                "and 0 / 0 comes out. Subtract each row's own: `max(dim=-1, keepdim=True)`."
            ),
        ),
        Mistake(
            "wrong-axis",
            lambda x: x.softmax(0),
            N_("It sums to 1 over the wrong axis. The tokens stand on the last one: dim=-1."),
        ),
        Mistake(
            "all-axes",
            lambda x: x.flatten().softmax(0).view(x.shape),
            N_("All rows together sum to 1. Each row on the last axis should."),
        ),
        Mistake(
            "no-keepdim",
            lambda x: over(x, -1, shift=x.amax(-1, keepdim=True), keep=False),
            N_("The sums lost their axis, so they met the wrong rows: `keepdim=True`."),
        ),
        Mistake(
            "no-exp",
            lambda x: x / x.sum(-1, keepdim=True),
            N_("Logits can be negative, so dividing by their sum is not enough: take `exp` first."),
        ),
        Mistake(
            "not-normalised",
            lambda x: (x - x.amax(-1, keepdim=True)).exp(),
            N_("These do not sum to 1 yet: divide by their sum."),
        ),
        Mistake(
            "not-normalised",
            lambda x: x.exp(),
            N_("These do not sum to 1 yet: divide by their sum."),
        ),
        Mistake(
            "logarithms",
            lambda x: x.log_softmax(-1),
            N_("Those are the logarithms of the probabilities: a softmax, not a log-softmax."),
        ),
        Mistake(
            "min-not-max",
            lambda x: over(x, -1, shift=x.amin(-1, keepdim=True)),
            N_("You subtracted the smallest logit. Subtract the largest, so that none is above 0."),
        ),
    )


@exercise(
    "2.3",
    title=N_("Softmax"),
    kind="implement",
    difficulty=3,
    minutes=7,
    hints=(
        N_("`exp` makes every number positive; dividing by their sum makes them sum to 1."),
        N_(
            "Subtracting the same number from all logits changes no probability. Which number "
            "keeps `exp` from overflowing?"
        ),
        N_(
            "`powers = (logits - logits.amax(-1, keepdim=True)).exp()`, then divide by "
            "`powers.sum(-1, keepdim=True)`."
        ),
    ),
)
def softmax(attempt):
    square = numbers(3, 3, seed=1) * 2
    for title, logits in (
        (N_("one row of logits"), torch.tensor([1.0, -2.0, 3.0, 0.5])),
        (N_("three rows, each by itself"), square),
        (N_("logits a hundred apart"), torch.tensor([50.0, -50.0, 49.0])),
        (N_("a logit of 1000"), torch.tensor([1000.0, 998.0, -5.0])),
        (N_("a logit of -inf: probability 0"), torch.tensor([-torch.inf, 0.0, 1.0])),
        (N_("rows far apart"), torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, -1.0]])),
        (N_("three axes"), numbers(2, 3, 4, seed=2) * 3),
    ):
        expected = logits.softmax(-1)
        yield attempt.compare(title, logits, expected=expected, mistakes=_mistaken_softmaxes())


@exercise(
    "2.4",
    title=N_("The LM head"),
    kind="implement",
    difficulty=2,
    minutes=5,
    hints=(
        N_("A token's logit is the dot product of the hidden state with that token's row."),
        N_("All dot products at once are one matrix product, `@`."),
        N_(
            "`weight` is `[vocab, width]`; `weight.T` is `[width, vocab]`, which fits `hidden @ …`."
        ),
    ),
)
def lm_head(attempt):
    mistakes = (
        Mistake(
            "not-transposed",
            lambda hidden, weight: hidden @ weight,
            N_("`weight` is `[vocab, width]`: turn it round, `weight.T`, to multiply by it."),
        ),
        Mistake(
            "axes-swapped",
            lambda hidden, weight: weight @ hidden.transpose(-1, -2),
            N_("Positions and tokens are swapped: `hidden @ weight.T` has positions first."),
        ),
        Mistake(
            "wrong-way-round",
            lambda hidden, weight: weight @ hidden,
            N_("The hidden states come first in the product: `hidden @ weight.T`."),
        ),
        Mistake(
            "probabilities",
            lambda hidden, weight: (hidden @ weight.T).softmax(-1),
            N_("Those are probabilities. The LM head ends before the softmax, with logits."),
        ),
        Mistake(
            "only-the-last",
            lambda hidden, weight: (hidden @ weight.T)[..., -1, :],
            N_("Only the last position is there. Give logits for every position."),
        ),
        Mistake(
            "ids-not-logits",
            lambda hidden, weight: (hidden @ weight.T).argmax(-1),
            N_("Those are ids: a choice was made already. All the logits are asked for."),
        ),
        Mistake(
            "cosines",
            lambda hidden, weight: (
                nn.functional.normalize(hidden, dim=-1) @ nn.functional.normalize(weight, dim=-1).T
            ),
            N_("Those are cosines. The LM head takes plain dot products, lengths and all."),
        ),
    )
    weight, square = numbers(7, 4, seed=4), numbers(4, 4, seed=5)
    for title, hidden, matrix in (
        (N_("three positions"), numbers(3, 4, seed=6), weight),
        (N_("a batch of two texts"), numbers(2, 3, 4, seed=7), weight),
        (N_("as many tokens as numbers in a vector"), numbers(2, 4, seed=8), square),
    ):
        expected = hidden @ matrix.T
        yield attempt.compare(title, hidden, matrix, expected=expected, mistakes=mistakes)


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
