"""The likeliest next tokens as bars: the picture that comes back in every lesson."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from utils.decoding import Candidate
from utils.figures.chips import text_width
from utils.figures.page import box_on_page
from utils.figures.picture import Region
from utils.figures.style import Colour, quote_token, show_token
from utils.language import _


def draw_candidates(
    axes: Axes, candidates: Sequence[Candidate], taken: int | None = None, picks: str = ""
) -> list[Region]:
    """Fill `axes` with a bar for each candidate, best on top; the id `taken` stands out.

    Gives the region of each, with its label and its rank, from 1 on; picks: the control, if any,
    that a click sets to the token's id.
    """
    shares = [candidate.probability for candidate in candidates]
    colours = [Colour.CHOSEN if c.token_id == taken else Colour.CANDIDATE for c in candidates]
    marks = ["▸ " if c.token_id == taken else "" for c in candidates]
    labels = [mark + show_token(c.token) for mark, c in zip(marks, candidates, strict=True)]
    draw_bars(axes, shares, labels, [f"{share:.2f}" for share in shares], colours)
    axes.set_xlim(0, 1.1)
    regions = []
    for row, (candidate, label) in enumerate(zip(candidates, labels, strict=True)):
        left, top, width, height = box_on_page(axes, axes.get_xlim(), (row - 0.5, row + 0.5))
        start = max(0.0, left - 10 - text_width(axes.figure.canvas.get_renderer(), label))
        box = (start, top, left + width - start, height)
        sets = {picks: candidate.token_id} if picks else {}
        says = _("{candidate} · rank {rank}, id {token_id}").format(
            candidate=candidate_words([candidate]), rank=row + 1, token_id=candidate.token_id
        )
        regions.append(Region(box, says, sets))
    return regions


def draw_bars(
    axes: Axes,
    values: Sequence[float],
    labels: Sequence[str],
    numbers: Sequence[str],
    colours: str | Sequence[str],
) -> None:
    """A row for each value, from the top: its label, its bar, and its number at the bar's end."""
    bars = axes.barh(range(len(values)), values, color=colours)
    axes.bar_label(bars, numbers, padding=4)
    axes.set_yticks(range(len(values)), labels)
    axes.tick_params(left=False)
    axes.set(ylim=(len(values) - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)


def candidate_words(candidates: Sequence[Candidate]) -> str:
    """The same in words: "' Paris' 0.77, ' the' 0.06"."""
    return ", ".join(f"{quote_token(c.token)} {c.probability:.2f}" for c in candidates)
