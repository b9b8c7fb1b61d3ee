"""Lesson 02, the components: what its exercises check and its questions ask."""

import torch

from course.graders.grading import Mistake, exercise
from course.graders.questions import question
from utils.embeddings import nearest_tokens
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
