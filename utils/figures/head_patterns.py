"""Heads with a job: all heads of a model ranked, the best of them named, and one of them shown."""

from math import ceil

from matplotlib.axes import Axes

from utils.figures.attention import draw_matrix
from utils.figures.page import frame, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.head_patterns import PATTERNS, SAID_TWICE, RankedHead, Ranking
from utils.language import _

BEST = 8  # heads that are named; every one can be looked at
GRID = (60, 62, 220, 400)  # the box of the grid of scores, [layer, head]


@in_course_style
def head_patterns_picture(record: RankedHead) -> Picture:
    """Every head's score, layer by layer; the best as bars; and the matrix of the one picked."""
    figure, page = new_page(520)
    pattern = _(PATTERNS[record.ranking.pattern])
    title = _("how much each head looks {pattern}").format(pattern=pattern)
    write(page, 12, 22, title, fontsize=12)
    if record.ranking.pattern in SAID_TWICE:
        write(page, 12, 44, _said_twice(record.ranking), fontsize=9.5, color=Colour.QUIET)
    cells = _draw_scores(page, record.ranking)
    bars = _draw_best(page, record)
    _draw_picked(page, record)
    return Picture(figure, head_patterns_words(record), (*cells, *bars))


def head_patterns_words(record: RankedHead) -> str:
    """The best heads with their scores, the mean of all, and the one that is drawn."""
    ranking = record.ranking
    heads = [_head_words(*head) for head in ranking.best(ranking.scores.numel())]
    lines = [
        _("looks {pattern}: {heads}").format(
            pattern=_(PATTERNS[ranking.pattern]), heads=", ".join(heads[:BEST])
        ),
        _("mean of all {count} heads: {score:.2f}").format(
            count=ranking.scores.numel(), score=float(ranking.scores.mean())
        ),
        _("drawn: {head}").format(head=heads[record.rank - 1]),
    ]
    if ranking.pattern in SAID_TWICE:
        lines.append(_said_twice(ranking))
    return "\n".join(lines)


def _said_twice(ranking: Ranking) -> str:
    says = _("tried on {count} random tokens, said twice")
    return says.format(count=len(ranking.record.tokens) // 2)


def _head_words(layer: int, head: int, score: float) -> str:
    says = _("layer {layer} head {head} {score:.2f}")
    return says.format(layer=layer, head=head, score=score)


def _draw_scores(page: Axes, ranking: Ranking) -> list[Region]:
    """The grid of all heads.  A click on one picks it, by its rank."""
    left, top, width, height = GRID
    layers, heads = ranking.scores.shape
    wide, high = width / heads, height / layers
    draw_matrix(page, ranking.scores.numpy(), "weights", GRID)
    for head in range(0, heads, ceil(heads / 16)):
        write(page, left + (head + 0.5) * wide, top + height + 12, str(head), ha="center")
    for layer in range(0, layers, ceil(layers / 16)):
        write(page, left - 6, top + (layer + 0.5) * high, str(layer), ha="right")
    write(page, left + width / 2, top + height + 36, _("head"), ha="center")
    write(page, 18, top + height / 2, _("layer"), ha="center", rotation=90)
    ranks = {best[:2]: rank for rank, best in enumerate(ranking.best(layers * heads), 1)}
    return [
        Region(
            (left + head * wide, top + layer * high, wide, high),
            _head_words(layer, head, score),
            {"rank": ranks[layer, head]},
            {"layer": layer, "head": head},
        )
        for layer, row in enumerate(ranking.scores.tolist())
        for head, score in enumerate(row)
    ]


def _draw_best(page: Axes, record: RankedHead) -> list[Region]:
    """A bar for each of the best heads, and frames in the grid around them and the one picked."""
    left, top, width, height = GRID
    layers, heads = record.ranking.scores.shape
    wide, high = width / heads, height / layers
    regions = []
    for place, (layer, head, score) in enumerate(record.ranking.best(max(BEST, record.rank))):
        picked, row = place == record.rank - 1, 70 + 22 * place
        if picked or place < BEST:
            cell = (left + head * wide, top + layer * high, wide, high)
            frame(page, cell, 2.4 if picked else 0.8)
        if place >= BEST:
            continue
        name = ("▸ " if picked else "") + _name(layer, head)
        write(page, 432, row, name, ha="right", fontsize=9.5)
        page.barh(row, 230 * score, 15, 438, color=Colour.CHOSEN if picked else Colour.CANDIDATE)
        write(page, 444 + 230 * score, row, f"{score:.2f}", fontsize=9.5)
        box = (300, row - 11, 410, 22)
        named = {"layer": layer, "head": head}
        regions.append(Region(box, _head_words(layer, head, score), {"rank": place + 1}, named))
    return regions


def _name(layer: int, head: int) -> str:
    return _("layer {layer}, head {head}").format(layer=layer, head=head)


def _draw_picked(page: Axes, record: RankedHead) -> None:
    """Where the picked head looks, and where the pattern would have it look."""
    ranking = record.ranking
    layer, head, _score = ranking.best(record.rank)[-1]
    left, top, size, n = 438, 282, 204, len(ranking.record.tokens)
    write(page, left, top - 14, _name(layer, head) + " " + _("(○ where the pattern looks)"))
    grid = ranking.record.weights[layer][head].float().cpu().numpy()
    draw_matrix(page, grid, "weights", (left, top, size, size))
    queries, keys = ranking.where.numpy().nonzero()
    at = (left + (keys + 0.5) * size / n, top + (queries + 0.5) * size / n)
    dot = max(4, 1600 / n**1.6)
    page.scatter(*at, s=dot, marker="o", facecolors="none", edgecolors=Colour.CHOSEN)
    write(page, left - 14, top + size / 2, _("looks from"), ha="center", rotation=90)
    write(page, left + size / 2, top + size + 14, _("at"), ha="center")
