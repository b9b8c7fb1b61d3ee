"""Two dials on which a query and a key turn, and their dot product, number by number."""

from math import cos, hypot, pi, sin

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from utils.figures.page import new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.language import _
from utils.turning import KEY, QUERY, Turning

RADIUS, MIDDLE = 84, 150
DIALS = (112, 330)  # the middle of each, from the left
TABLE = (530, 580, 648, 722)  # right edges: number, query, key, product


@in_course_style
def turning_picture(record: Turning) -> Picture:
    """Left, a dial for each pair, the query ● and the key ■ on it; right, query · key."""
    figure, page = new_page(310)
    title = _("query at position {query}, key at position {key}: {distance} apart").format(
        query=record.query_position, key=record.key_position, distance=record.distance
    )
    write(page, 20, 22, title, fontsize=12)
    regions = []
    for pair, x in enumerate(DIALS):
        _draw_dial(page, record, pair, x)
        box = (x - RADIUS, MIDDLE - RADIUS, 2 * RADIUS, 2 * RADIUS)
        regions.append(Region(box, _pair_words(record, pair)))
    _draw_products(page, record)
    for x, marker, colour, says in (
        (28, "o", Colour.QUERY, _("query")),
        (120, "s", Colour.KEY, _("key")),
    ):
        page.plot(x, 292, marker, color=colour)
        write(page, x + 12, 292, says)
    write(page, 190, 292, _("faint: before turning, at position 0"), color=Colour.QUIET)
    return Picture(figure, turning_words(record), tuple(regions))


def turning_words(record: Turning) -> str:
    """How far each pair has turned, and the dot product."""
    title = _("query at position {query}, key at position {key}").format(
        query=record.query_position, key=record.key_position
    )
    products = " + ".join(f"({_written(number)})" for number in record.products.tolist())
    total = f"query · key = {products} = {_written(float(record.products.sum()))}"
    return "\n".join(
        [title, *(_pair_words(record, pair) for pair in (0, 1)), total, _elsewhere(record)]
    )


def _pair_words(record: Turning, pair: int) -> str:
    says = _("pair {pair}: query turned by {query:.1f}, key by {key:.1f}, {between:.1f} between")
    angle = record.angles[pair]
    return says.format(
        pair=pair,
        query=angle * record.query_position,
        key=angle * record.key_position,
        between=angle * record.distance,
    )


def _written(number: float) -> str:
    return f"{number:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _draw_dial(page: Axes, record: Turning, pair: int, x: float) -> None:
    """A pair of numbers is a point: the first to the right, the second upwards."""
    page.add_artist(Circle((x, MIDDLE), RADIUS, fill=False, edgecolor=Colour.QUIET, linewidth=1))
    page.hlines(MIDDLE, x - RADIUS, x + RADIUS, color=Colour.REMOVED, linewidth=0.8)
    page.vlines(x, MIDDLE - RADIUS, MIDDLE + RADIUS, color=Colour.REMOVED, linewidth=0.8)
    for before, now, position, marker, colour, share in (
        (QUERY, record.query.tolist(), record.query_position, "o", Colour.QUERY, 0.5),
        (KEY, record.key.tolist(), record.key_position, "s", Colour.KEY, 0.32),
    ):
        _draw_arrow(page, x, (before[pair], before[pair + 2]), marker, colour, 0.3)
        _draw_arrow(page, x, (now[pair], now[pair + 2]), marker, colour, 1)
        start = np.arctan2(before[pair + 2], before[pair])
        turn = min(record.angles[pair] * position, 2 * pi)
        along = np.linspace(start, start + turn, 60)
        reach = RADIUS * share
        page.plot(x + reach * np.cos(along), MIDDLE - reach * np.sin(along), color=colour, lw=1.2)
    says = _("pair {pair}: {angle:g} radians a token").format(pair=pair, angle=record.angles[pair])
    write(page, x, MIDDLE + RADIUS + 24, says, ha="center", fontsize=10)


def _draw_arrow(
    page: Axes, x: float, point: tuple[float, float], marker: str, colour: str, alpha: float
) -> None:
    length = hypot(*point) * RADIUS / 2.4
    angle = np.arctan2(point[1], point[0])
    tip = (x + length * cos(angle), MIDDLE - length * sin(angle))
    page.plot((x, tip[0]), (MIDDLE, tip[1]), color=colour, lw=2, alpha=alpha)
    page.plot(*tip, marker, color=colour, ms=7, alpha=alpha)


def _draw_products(page: Axes, record: Turning) -> None:
    """A row for each of the four numbers, and their sum."""
    heads = ("", _("query"), _("key"), _("product"))
    colours = (Colour.QUIET, Colour.QUERY, Colour.TEXT, Colour.TEXT)
    for right, head, colour in zip(TABLE, heads, colours, strict=True):
        write(page, right, 72, head, ha="right", fontsize=9.5, color=colour)
    vectors = (record.query, record.key, record.products)
    for i, row in enumerate(zip(*(vector.tolist() for vector in vectors), strict=True)):
        name = _("pair {pair}").format(pair=i % 2) + ", " + "ab"[i // 2]
        cells = (name, *map(_written, row))
        for right, text, colour in zip(TABLE, cells, colours, strict=True):
            write(page, right, 100 + 28 * i, text, ha="right", color=colour)
    page.hlines(212, 470, 724, color=Colour.QUIET, linewidth=1)
    write(page, TABLE[2], 232, _("query · key"), ha="right")
    total = _written(float(record.products.sum()))
    write(page, TABLE[3], 232, total, ha="right", fontsize=13, color=Colour.CHOSEN_TEXT)
    write(page, TABLE[3], 264, _elsewhere(record), ha="right", fontsize=9.5, color=Colour.QUIET)


def _elsewhere(record: Turning) -> str:
    """The same distance at another place in the text gives the same number."""
    other = Turning(record.key_position + 100, record.distance)
    says = _("both 100 positions later: {score}")
    return says.format(score=_written(float(other.products.sum())))
