"""The loop that writes: read what is new, choose a token, read that one next."""

from collections.abc import Callable, Collection, Iterator

from torch import Tensor

from utils.decoding import greedy
from utils.model import Model, end_token_ids
from utils.parts.cache import KVCache
from utils.parts.llm import forward


def new_tokens(
    read: Callable[[Tensor], Tensor],
    input_ids: Tensor,
    max_new_tokens: int,
    choose: Callable[[Tensor], int] = greedy,
    ends: Collection[int] = (),
) -> Iterator[int]:
    """Yield the ids of new tokens, each as soon as it is chosen; one of `ends` is the last.

    read: from ids that it has not read before, int64 [1, position], to the logits [vocab] of what
    follows: it remembers what came earlier.  First it is given `input_ids`, then each new token.

    >>> read = lambda ids: torch.eye(9)[ids[0, -1] + 1]  # a model that counts
    >>> list(new_tokens(read, torch.tensor([[3]]), max_new_tokens=4, ends=[6]))
    [4, 5, 6]
    """
    unseen = input_ids
    for _step in range(max_new_tokens):
        token_id = choose(read(unseen))
        yield token_id
        if token_id in ends:
            return
        unseen = input_ids.new_tensor([[token_id]])


def write(
    model: Model, input_ids: Tensor, max_new_tokens: int, choose: Callable[[Tensor], int] = greedy
) -> Iterator[int]:
    """Yield the ids of new tokens, each as soon as it is chosen; an end token is the last.

    input_ids: int64 [1, position]; `choose` turns logits [vocab] into an id.
    """
    cache = KVCache()
    return new_tokens(
        lambda unseen: forward(model, unseen, cache)[0, -1],
        input_ids,
        max_new_tokens,
        choose,
        end_token_ids(model),
    )
