"""The shapes of queries, keys and values as blocks: split, repeated, and merged again."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from utils.figures.page import WIDTH, frame, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.head_shapes import HeadShapes
from utils.language import _

LEFT, ROW = 20, 15
FADED, FULL = 0.45, 1.0  # neighbouring heads, told apart by their shade and their number


@in_course_style
def head_shapes_picture(shapes: HeadShapes) -> Picture:
    """Two stories: the queries, cut into heads; and keys or values, cut and then repeated."""
    high = ROW * shapes.positions
    figure, page = new_page(4 * high + 250)
    wide = (WIDTH - 2 * LEFT) / (shapes.heads * 1.25)
    width, gap = wide, wide * 0.25
    regions = []

    def head_row(y: float, numbers: list[int], kind: str, apart: float, says: str) -> None:
        """One block for each head, its number in it."""
        for place, number in enumerate(numbers):
            left = LEFT + place * (width + apart)
            _block(page, left, y, width, shapes.positions, _shade(kind, number), number)
        span = len(numbers) * (width + apart) - apart
        regions.append(Region((LEFT, y, span, high), says))

    queries, kv = list(range(shapes.heads)), list(range(shapes.kv_heads))
    repeated = [head // shapes.groups for head in queries]
    steps = zip(
        head_shapes_words(shapes).splitlines(),
        ((queries, "q", 0), (queries, "q", gap), (kv, "k", 0), (repeated, "k", gap)),
        strict=True,
    )
    y = 44.0
    for place, (says, (numbers, kind, apart)) in enumerate(steps):
        write(page, LEFT, y - 16, says, fontsize=10.5)
        head_row(y, numbers, kind, apart, says)
        y += high + (44 if place % 2 == 0 else 66)
    says = _("A row of small boxes is one position. A block is one head, with its number.")
    write(page, LEFT, y - 28, says, fontsize=9.5, color=Colour.QUIET)
    return Picture(figure, head_shapes_words(shapes), tuple(regions))


def head_shapes_words(shapes: HeadShapes) -> str:
    """The shape at each of the four steps."""
    n, size = shapes.positions, shapes.head_dim
    return "\n".join(
        [
            _("queries as they come: [position, heads · head_dim] = [{n}, {wide}]").format(
                n=n, wide=shapes.heads * size
            ),
            _(
                "↓ split_heads: [head, position, head_dim] = [{heads}, {n}, {size}]   "
                "↑ merge_heads goes back"
            ).format(heads=shapes.heads, n=n, size=size),
            _("keys (or values) as they come: [{n}, {wide}], split: [{heads}, {n}, {size}]").format(
                n=n, wide=shapes.kv_heads * size, heads=shapes.kv_heads, size=size
            ),
            _(
                "↓ repeat_kv, each {groups} times in a row: one for each query head, "
                "[{heads}, {n}, {size}]"
            ).format(groups=shapes.groups, heads=shapes.heads, n=n, size=size),
        ]
    )


def _shade(kind: str, number: int) -> tuple[str, float]:
    colour = Colour.QUERY if kind == "q" else Colour.KEY
    return colour, FADED if number % 2 else FULL


def _block(
    page: Axes,
    left: float,
    top: float,
    width: float,
    positions: int,
    shade: tuple[str, float],
    number: int,
) -> None:
    """One head: a row for each position."""
    colour, alpha = shade
    high = ROW * positions
    page.add_artist(Rectangle((left, top), width, high, facecolor=colour, alpha=alpha * 0.45))
    for row in range(positions):
        frame(page, (left, top + row * ROW, width, ROW), 0.6, "white")
    frame(page, (left, top, width, high), 1.2, colour)
    write(page, left + width / 2, top + high / 2, str(number), ha="center", fontsize=10.5)
