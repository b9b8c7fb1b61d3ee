"""Vectors that stand for something: a token's nearest relatives, and one for a whole text."""

import torch
from torch import Tensor, nn

from utils.architecture import writer
from utils.language import _
from utils.model import Model, prompt_ids
from utils.tokens import Tokenizer

BATCH = 32  # texts at once: more would wait longer for the longest of them


def nearest_tokens(embedding_matrix: Tensor, token_id: int, k: int) -> Tensor:
    """The ids of the `k` tokens whose embeddings point most nearly where `token_id`'s does.

    embedding_matrix: [vocab, width].  Nearness is the cosine.  Returns int64 [k], nearest first,
    without `token_id` itself.  Raises ValueError if k or token_id is out of range.

    >>> embedding_matrix = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [-1.0, 0.0]])
    >>> nearest_tokens(embedding_matrix, token_id=0, k=2)
    tensor([2, 1])
    """
    vocab = len(embedding_matrix)
    if not 0 <= token_id < vocab:
        raise ValueError(
            _("The ids go from 0 to {last}, not {token_id}.").format(
                last=vocab - 1, token_id=token_id
            )
        )
    if not 1 <= k < vocab:
        raise ValueError(_("k goes from 1 to {most}, not {k}.").format(most=vocab - 1, k=k))
    directions = nn.functional.normalize(embedding_matrix.float(), dim=-1)
    cosines = directions @ directions[token_id]
    cosines[token_id] = -torch.inf
    return cosines.topk(k).indices


def pool_last_token(hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
    """The vector at each text's last token, wherever its padding stands.

    hidden_states: [batch, position, width]; attention_mask: [batch, position], 1 at tokens and 0 at
    padding.  Returns [batch, width].  Raises ValueError for a text that is nothing but padding.

    >>> hidden_states = torch.tensor([[[1.0], [2.0], [3.0]]])
    >>> pool_last_token(hidden_states, torch.tensor([[1, 1, 0]]))
    tensor([[2.]])
    """
    if not attention_mask.any(dim=1).all():
        raise ValueError(_("One of the texts has no token: its attention mask is 0 everywhere."))
    positions = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    last = (positions * (attention_mask != 0)).argmax(dim=1)
    return hidden_states[torch.arange(len(last), device=last.device), last]


@torch.no_grad()
def sentence_vectors(model: Model, tokenizer: Tokenizer, sentences: list[str]) -> Tensor:
    """What the stack of blocks gives at each sentence's last token: float32 [sentence, width].

    The LM head is not used.  Raises ValueError for no sentences, an empty one, and one past the
    context.
    """
    if not sentences:
        raise ValueError(_("There are no sentences. Give a list of at least one."))
    if not all(sentences):
        raise ValueError(_("One of the sentences is empty. Write something in each of them."))
    ids = [prompt_ids(model, tokenizer, text)[0].cpu() for text in sentences]
    vectors: dict[int, Tensor] = {}
    by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding to compute
    for start in range(0, len(ids), BATCH):
        some = by_length[start : start + BATCH]
        padded = nn.utils.rnn.pad_sequence([ids[i] for i in some], batch_first=True)
        lengths = torch.tensor([len(ids[i]) for i in some])
        mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
        inputs = {"input_ids": padded.to(model.device), "attention_mask": mask.to(model.device)}
        hidden = writer(model)(**inputs, use_cache=False).last_hidden_state
        pooled = pool_last_token(hidden, inputs["attention_mask"]).float().cpu()
        vectors |= dict(zip(some, pooled, strict=True))
    return torch.stack([vectors[i] for i in range(len(ids))])
