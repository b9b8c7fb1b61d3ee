"""How one token is picked from the model's scores: logits in, a token id out.

Filters set the logits of the tokens they cut to -inf, as those of `transformers` do, and agree with
them to the last bit, on ties too.  None changes the tensor it is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from utils.language import _
from utils.tokens import Tokenizer, token_text


@dataclass(frozen=True)
class Candidate:
    """A token that could come next, and how likely the model finds it (0 to 1)."""

    token_id: int
    token: str
    probability: float


def top_candidates(logits: Tensor, tokenizer: Tokenizer, count: int = 5) -> tuple[Candidate, ...]:
    """The `count` likeliest next tokens, best first.  logits: float tensor [vocab]."""
    best = _checked(logits).float().softmax(-1).topk(min(count, len(logits)))
    return tuple(
        Candidate(token_id, token_text(tokenizer, token_id), probability)
        for token_id, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )


def greedy(logits: Tensor) -> int:
    """The id of the highest logit; of the first one, if several are equal.  logits: [vocab].

    Raises ValueError if there is nothing to choose from, because every logit is -inf.

    >>> greedy(torch.tensor([0.1, 2.0, -1.0]))
    1
    """
    return int(_left(logits).argmax(-1))


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Logits divided by the temperature: below 1 the likely gain, above 1 the unlikely.

    logits: float tensor [vocab].  Raises ValueError for a temperature of 0 or less, for an infinite
    one, and for one so small that the logits overflow.

    >>> apply_temperature(torch.tensor([2.0, 1.0, 0.0]), 0.5)
    tensor([4., 2., 0.])
    """
    if temperature == inf:
        raise ValueError(
            _("The temperature must be above 0 and finite, not {temperature}.").format(
                temperature=temperature
            )
        )
    if not temperature > 0:
        raise ValueError(
            _(
                "The temperature must be above 0, not {temperature}. For what 0 is meant to say, "
                "the likeliest token every time, use greedy."
            ).format(temperature=temperature)
        )
    divided = _checked(logits) / temperature
    if divided.max() == inf:
        raise ValueError(
            _(
                "A temperature of {temperature} makes logits too large for {dtype}. Raise it, or "
                "use greedy."
            ).format(temperature=temperature, dtype=_name(logits.dtype))
        )
    return divided


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """Keep the k highest logits, and all that equal the k-th; the others become -inf.

    logits: float tensor [vocab].  A k above the vocabulary keeps everything; one below 1 raises
    ValueError.  (Fan, Lewis and Dauphin 2018, "Hierarchical Neural Story Generation".)

    >>> top_k_filter(torch.tensor([2.0, 1.0, 0.0, 1.0]), 2)
    tensor([2., 1., -inf, 1.])
    """
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise ValueError(_("k must be a whole number of 1 or more, not {k}.").format(k=k))
    kth_best = _checked(logits).topk(min(k, len(logits))).values[-1]
    return logits.masked_fill(logits < kth_best, -inf)


def top_p_filter(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest tokens, likeliest first, whose probabilities add up to p; cut the rest.

    logits: float tensor [vocab].  p = 1 cuts nothing that could be drawn; p = 0 keeps the likeliest
    token alone, since one always stays.  Of equal logits the later ones stay.  A p outside 0 to 1
    raises ValueError.  (Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".)

    >>> logits = torch.tensor([0.6, 0.3, 0.1]).log()
    >>> top_p_filter(logits, 0.8).softmax(-1)
    tensor([0.6667, 0.3333, 0.0000])
    """
    _check_share("p", p)
    ascending, order = _checked(logits).sort()
    # Summed from the unlikely end, as transformers does: there the sums are small and exact.
    cut = ascending.softmax(-1).cumsum(-1) <= 1 - p
    cut[-1] = False
    return logits.masked_fill(torch.zeros_like(cut).scatter(-1, order, cut), -inf)


def min_p_filter(logits: Tensor, p: float) -> Tensor:
    """Cut what is less likely than p times the likeliest token.

    logits: float tensor [vocab].  p = 0 cuts nothing, p = 1 all but the likeliest.  A p outside 0
    to 1 raises ValueError.  (Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling".)

    >>> logits = torch.tensor([0.6, 0.3, 0.1]).log()
    >>> min_p_filter(logits, 0.4).softmax(-1)
    tensor([0.6667, 0.3333, 0.0000])
    """
    _check_share("p", p)
    probabilities = _checked(logits).softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.max(), -inf)


def sample(logits: Tensor, generator: torch.Generator | None = None) -> int:
    """Draw a token id, each as often as its probability says.  logits: float tensor [vocab].

    With a generator the draws repeat: the same seed, the same tokens.  Raises ValueError if there
    is nothing to draw from, because every logit is -inf.

    >>> generator = torch.Generator().manual_seed(0)
    >>> [sample(torch.tensor([1.0, 0.0]), generator) for _draw in range(12)]
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    """
    probabilities = _left(logits).float().softmax(-1)
    if generator is not None:
        probabilities = probabilities.to(generator.device)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def sampler(
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    min_p: float = 0.0,
    generator: torch.Generator | None = None,
) -> Callable[[Tensor], int]:
    """A `choose` for `generate`: filter in the library's order, then draw.

    From the same seed it writes what `model.generate(do_sample=True, …)` writes.  Arguments and
    errors as in the filters; `top_k=None` keeps every token.

    >>> choose = sampler(top_k=1)
    >>> choose(torch.tensor([0.1, 2.0, -1.0]))
    1
    """

    def choose(logits: Tensor) -> int:
        stages = decoding_stages(logits, temperature, top_k, top_p, min_p)
        return sample(stages[-1].logits, generator)

    return choose


@dataclass(frozen=True, eq=False)
class Stage:
    """The distribution after one step on the way from the model to the draw."""

    name: str  # "model", "temperature", "top_k", "top_p" or "min_p"
    setting: float | None  # None where the step does nothing
    logits: Tensor  # [vocab]
    kept: int  # tokens that can still be drawn
    cut: int  # tokens that this step took out …
    mass: float  # … and how much probability they held just before

    @property
    def probabilities(self) -> Tensor:
        """float32 [vocab], summing to 1."""
        return self.logits.float().softmax(-1)


def decoding_stages(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> tuple[Stage, ...]:
    """What each filter does, in the order of `transformers`: temperature, top-k, top-p, min-p.

    logits: float tensor [vocab].  Arguments and errors as in the filters.

    >>> stages = decoding_stages(torch.tensor([3.0, 2.0, 1.0, 0.0]), top_k=3, top_p=0.8)
    >>> [(stage.name, stage.kept) for stage in stages]
    [('model', 4), ('temperature', 4), ('top_k', 3), ('top_p', 2), ('min_p', 2)]
    """
    kept = int((_checked(logits) > -inf).sum())
    stages = [Stage("model", None, logits, kept, 0, 0.0)]
    vocabulary = len(logits)
    steps: tuple[tuple[str, Callable[[Tensor, Any], Tensor], Any, bool], ...] = (
        ("temperature", apply_temperature, temperature, temperature == 1),
        ("top_k", top_k_filter, top_k, top_k is None or top_k >= vocabulary),
        ("top_p", top_p_filter, top_p, top_p == 1),
        ("min_p", min_p_filter, min_p, min_p == 0),
    )
    for name, step, setting, off in steps:
        before = stages[-1]
        if off:
            stages.append(Stage(name, None, before.logits, before.kept, 0, 0.0))
            continue
        after = step(before.logits, setting)
        cut = (after == -inf) & (before.logits > -inf)
        count, mass = int(cut.sum()), float(before.probabilities[cut].sum())
        stages.append(Stage(name, setting, after, before.kept - count, count, mass))
    return tuple(stages)


@dataclass(frozen=True, eq=False)
class Decoding:
    """A prompt's next token on its way from the model to the draw, and what has been drawn.

    A token is its id and its bytes: it may hold only a part of a character.
    """

    prompt_text: str
    prompt: tuple[tuple[int, bytes], ...]
    rows: tuple[tuple[int, bytes], ...]  # the tokens that the model finds likeliest
    stages: tuple[Stage, ...]
    drawn: tuple[int, ...] = ()  # ids, in the order of the draws
    last_drawn: bytes | None = None  # the token of the last of them
    written: tuple[tuple[int, bytes], ...] = ()  # the text that goes on from the prompt
    written_text: str = ""

    def shares(self, stage: Stage) -> list[float]:
        """The probability of each row at a stage, and last that of all other tokens together."""
        others, ids = stage.probabilities, [token_id for token_id, _token in self.rows]
        rows = others[ids].tolist()
        others[ids] = 0
        return [*rows, float(others.sum())]

    def frequencies(self) -> list[float]:
        """The share of the draws that fell on each row, and last on any other token."""
        draws, counts = len(self.drawn), [self.drawn.count(token_id) for token_id, _ in self.rows]
        return [count / draws for count in (*counts, draws - sum(counts))]


def entropy(logits: Tensor) -> float:
    """How undecided a distribution is, in bits: 0 for one sure token, 1 for a fair coin.

    logits: float tensor [vocab]; -inf counts as probability 0.

    >>> round(entropy(torch.tensor([1.0, 1.0, 1.0, 1.0])), 4)
    2.0
    """
    return float(torch.special.entr(_checked(logits).float().softmax(-1)).sum()) / log(2)


def repeated_ngram_rate(token_ids: Sequence[int], n: int) -> float:
    """The share of n-grams (n tokens in a row) that have already stood earlier in the text.

    0.0 if the text has fewer than n tokens.  Raises ValueError for an n below 1.

    >>> repeated_ngram_rate([1, 2, 1, 2, 1], 2)  # of 12, 21, 12, 21 the last two
    0.5
    """
    if n < 1:
        raise ValueError(_("n must be 1 or more, not {n}.").format(n=n))
    ids = token_ids.tolist() if isinstance(token_ids, Tensor) else list(token_ids)
    ngrams = [tuple(ids[start : start + n]) for start in range(len(ids) - n + 1)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(
            _("{name} is a share: give a number from 0 to 1, not {value}.").format(
                name=name, value=value
            )
        )


def _checked(logits: Tensor) -> Tensor:
    if logits.ndim != 1 or not len(logits) or not logits.is_floating_point():
        raise ValueError(
            _(
                "Give the logits of one position, a float tensor [vocab], such as "
                "output.logits[0, -1]; this one is {dtype} {shape}."
            ).format(dtype=_name(logits.dtype), shape=list(logits.shape))
        )
    highest = float(logits.max())  # nan, if one of them is
    if not highest < inf:
        raise ValueError(
            _(
                "One of the logits is {value}, so there is no telling which token is likely. "
                "What computed them has gone wrong before."
            ).format(value=highest)
        )
    return logits


def _left(logits: Tensor) -> Tensor:
    """`logits`, checked, of which at least one token is left to be chosen."""
    if _checked(logits).max() == -inf:
        raise ValueError(_("There is no token left to choose: all logits are -inf."))
    return logits


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
