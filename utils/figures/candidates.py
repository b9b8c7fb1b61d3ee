"""The likeliest next tokens as bars: the picture that comes back in every lesson."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from utils.decoding import Candidate
from utils.figures.style import Colour, quote_token, show_token


def draw_candidates(axes: Axes, candidates: Sequence[Candidate], taken: int | None = None) -> None:
    """Fill `axes` with a bar for each candidate, best on top; the id `taken` stands out."""
    shares = [candidate.probability for candidate in candidates]
    colours = [Colour.CHOSEN if c.token_id == taken else Colour.CANDIDATE for c in candidates]
    marks = ["▸ " if c.token_id == taken else "" for c in candidates]
    bars = axes.barh(range(len(shares)), shares, color=colours)
    axes.bar_label(bars, [f"{share:.2f}" for share in shares], padding=4)
    labels = [mark + show_token(c.token) for mark, c in zip(marks, candidates, strict=True)]
    axes.set_yticks(range(len(shares)), labels)
    axes.tick_params(left=False)
    axes.set(xlim=(0, 1.1), ylim=(len(shares) - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)


def candidate_words(candidates: Sequence[Candidate]) -> str:
    """The same in words: "' Paris' 0.77, ' the' 0.06"."""
    return ", ".join(f"{quote_token(c.token)} {c.probability:.2f}" for c in candidates)
