"""A chat with a model, each token of an answer beside what it was drawn from.

What writes is given: the loop, the filters and the draw may be anybody's, such as a learner's own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from utils.decoding import Candidate, top_candidates
from utils.language import N_
from utils.model import Model, end_token_ids
from utils.timing import clock
from utils.tokens import Tokenizer, token_text

ENDED = N_("the model ended it by itself")
FULL = N_("it is as long as was allowed")
STOPPED = N_("it was stopped")
BROKEN = N_("an error ended it")


class Writer(NamedTuple):
    """The parts that write an answer."""

    write: Callable[[Model, Tensor, int, Callable[[Tensor], int]], Iterable[int]]  # the loop
    settle: Callable[[Tensor, float, float], Tensor]  # logits, temperature and p → logits
    draw: Callable[[Tensor, torch.Generator], int]  # logits → a token's id
    stream: Callable[[Iterable[int], Tokenizer], Iterable[str]]  # ids → pieces of text


@dataclass(frozen=True)
class Settings:
    """How an answer is drawn, and how long it may get."""

    temperature: float
    top_p: float
    seed: int
    longest: int  # tokens


@dataclass(frozen=True)
class Drawn:
    """A token of an answer, and what it was drawn from."""

    token_id: int
    token: str
    candidates: tuple[Candidate, ...]  # the likeliest as the model has it, and what was drawn
    settled: tuple[float, ...]  # the probability of each after the settings; 0 where it was cut


@dataclass(frozen=True)
class Turn:
    """A message, and what has been answered to it so far."""

    message: str
    settings: Settings
    text: str = ""
    tokens: tuple[Drawn, ...] = ()
    seconds: float = 0.0  # of writing, what the first pass over the chat takes included
    end: str = ""  # why it ended: one of the sentences above, or nothing while it is written

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return len(self.tokens) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Chat:
    """The turns of a chat, and the number of the last answer's token that is looked at."""

    turns: tuple[Turn, ...] = ()
    picked: int = 0


def answer(
    model: Model, tokenizer: Tokenizer, input_ids: Tensor, writer: Writer, turn: Turn
) -> Iterator[Turn]:
    """Let `writer` answer the chat `input_ids`, [1, position]: `turn`, as more and more is written.

    The last one says why it ended.  Raises whatever the parts raise.
    """
    settings, ends = turn.settings, end_token_ids(model, tokenizer)
    generator = torch.Generator().manual_seed(settings.seed)
    tokens: list[Drawn] = []
    seen: list[tuple[Tensor, Tensor]] = []  # what the last token was drawn from

    def choose(logits: Tensor) -> int:
        settled = writer.settle(logits, settings.temperature, settings.top_p)
        seen[:] = [(logits, settled)]
        return writer.draw(settled, generator)

    def noted() -> Iterator[int]:
        written = writer.write(model, input_ids, settings.longest, choose)
        for token_id in islice(written, settings.longest):  # it may not know where to end
            tokens.append(_drawn(tokenizer, int(token_id), *seen[0]))
            yield token_id

    start = clock(model.device)
    for piece in writer.stream(noted(), tokenizer):
        seconds = turn.seconds + clock(model.device) - start
        turn = replace(turn, text=turn.text + piece, tokens=tuple(tokens), seconds=seconds)
        yield turn
        start = clock(model.device)
    ended = bool(tokens) and tokens[-1].token_id in ends
    yield replace(turn, tokens=tuple(tokens), end=ENDED if ended else FULL)


def _drawn(tokenizer: Tokenizer, token_id: int, logits: Tensor, settled: Tensor) -> Drawn:
    token, candidates = token_text(tokenizer, token_id), top_candidates(logits, tokenizer)
    if token_id not in [candidate.token_id for candidate in candidates]:
        share = float(logits.float().softmax(-1)[token_id])
        candidates = (*candidates, Candidate(token_id, token, share))
    after = settled.float().softmax(-1)
    return Drawn(token_id, token, candidates, tuple(float(after[c.token_id]) for c in candidates))
