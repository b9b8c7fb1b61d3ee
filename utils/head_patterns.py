"""Attention heads with a job: every head of a model, ranked by how much it looks one way.

A pattern says, for each position, where a head would have to look. A head's score is the share of
its attention that goes there, from 0 to 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from utils.attention import AttentionRecord, record_attention, record_ids
from utils.language import N_, _
from utils.model import Model, context_length
from utils.tokens import Tokenizer

PATTERNS = {
    "previous": N_("at the token before"),
    "first": N_("at the first token"),
    "itself": N_("at itself"),
    "same": N_("at the same token, earlier"),
    "induction": N_("at what followed the same token"),
    "word": N_("from the end, at the word"),
}
SAID_TWICE = {"same", "induction"}  # patterns that need a text in which something comes again


@dataclass(frozen=True, eq=False)
class Ranking:
    """How much each head of a model looks the way that one pattern asks."""

    pattern: str
    record: AttentionRecord
    where: Tensor  # bool [query, key]: where the pattern looks; a row without True does not count
    scores: Tensor  # [layer, head], 0 to 1: mean share of attention that goes there

    def best(self, count: int) -> list[tuple[int, int, float]]:
        """The `count` heads with the highest scores: (layer, head, score)."""
        heads = self.scores.shape[1]
        top = self.scores.flatten().topk(min(count, self.scores.numel()))
        places = zip(top.values.tolist(), top.indices.tolist(), strict=True)
        return [(place // heads, place % heads, score) for score, place in places]


def rank_heads(
    model: Model, tokenizer: Tokenizer, pattern: str, text: str, word: str = ""
) -> Ranking:
    """Rank the heads of `model` by one of PATTERNS.

    The patterns in SAID_TWICE are looked for in 20 random tokens said twice, not in `text`: there,
    nothing but the repetition can be a guide.  "word" asks how much the last position of `text`
    looks at `word`.  Raises ValueError for a text that does not suit the pattern.
    """
    if pattern not in PATTERNS:
        names = ", ".join(PATTERNS)
        raise ValueError(
            _("There is no pattern {name}. There are: {names}.").format(
                name=repr(pattern), names=names
            )
        )
    if pattern in SAID_TWICE:
        record = record_ids(model, tokenizer, said_twice(model, tokenizer))
    else:
        record = record_attention(model, tokenizer, text)
    return rank(record, pattern, word)


def rank(record: AttentionRecord, pattern: str, word: str = "") -> Ranking:
    """Rank the heads by what they do in one record.  Raises ValueError as `rank_heads` does."""
    where = pattern_positions(record, pattern, word)
    counted = where.any(-1)
    if not counted.any():
        raise ValueError(_("Nothing in this text fits the pattern. Write a longer one."))
    scores = [(weights.float() * where)[:, counted].sum(-1).mean(-1) for weights in record.weights]
    return Ranking(pattern, record, where.cpu(), torch.stack(scores).cpu())


def pattern_positions(record: AttentionRecord, pattern: str, word: str = "") -> Tensor:
    """Bool [query, key]: where each position would have to look, were a head to fit the pattern.

    Raises ValueError for the pattern of a `word` that is no token of the text.
    """
    ids = record.input_ids
    n = len(ids)
    query = torch.arange(n, device=ids.device)[:, None]
    key = query.T
    if pattern == "previous":
        return key == query - 1
    if pattern == "first":
        return (key == 0) & (query > 0)
    if pattern == "itself":
        return (key == query) & (query > 0)
    if pattern == "same":
        return (ids[None] == ids[:, None]) & (key < query)
    if pattern == "induction":  # "In-context Learning and Induction Heads" (Olsson et al., 2022)
        before = ids.roll(1)[None] == ids[:, None]
        return before & (key > 0) & (key <= query)
    found = torch.tensor([token.strip() == word.strip() for token in record.tokens])
    if not word.strip() or not found.any():
        tokens = ", ".join(repr(token.strip()) for token in dict.fromkeys(record.tokens))
        raise ValueError(
            _("{word} is no token of this text. Its tokens are: {tokens}.").format(
                word=repr(word), tokens=tokens
            )
        )
    return found.to(ids.device)[None] & (query == n - 1)


def said_twice(model: Model, tokenizer: Tokenizer, count: int = 20, seed: int = 0) -> Tensor:
    """`count` different random tokens, and the same again: int64 [2 · count]."""
    special = set(tokenizer.all_special_ids)
    vocab = min(len(tokenizer), model.get_input_embeddings().weight.shape[0])
    count = min(count, context_length(model) // 2)
    order = torch.randperm(vocab, generator=torch.Generator().manual_seed(seed)).tolist()
    half = [token_id for token_id in order if token_id not in special][:count]
    return torch.tensor([*half, *half], device=model.device)


@dataclass(frozen=True, eq=False)
class RankedHead:
    """A ranking, and one head picked from it."""

    ranking: Ranking
    rank: int  # 1 for the head with the highest score
