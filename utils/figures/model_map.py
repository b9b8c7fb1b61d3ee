"""The map of a transformer LLM: where a text goes in, what it passes, and how a token comes back.

The parts that a lesson opens are drawn in colour, with a thick frame and the lesson's number; what
stays shut is grey.  Where everything is open, no frame needs to stand out.
"""

from collections.abc import Mapping, Sequence, Set

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from utils.figures.page import new_page, rounded_box, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style
from utils.language import N_, _

HEIGHT = 320
PARTS = {  # in the order in which a text meets them
    "text": N_("text"),
    "tokenizer": N_("tokenizer"),
    "embedding": N_("embeddings"),
    "streams": N_("streams"),
    "block": N_("transformer block"),
    "residual": N_("residual stream"),
    "attention": N_("attention"),
    "cache": N_("KV cache"),
    "feed_forward": N_("feed-forward"),
    "norm": N_("final norm"),
    "lm_head": N_("LM head"),
    "decoding": N_("decoding"),
    "token": N_("next token"),
    "loop": N_("append, repeat"),
}
BOXES = {  # left, top, width, height in CSS pixels
    "text": (14, 76, 66, 40),
    "tokenizer": (100, 76, 88, 40),
    "embedding": (208, 76, 96, 40),
    "block": (388, 44, 322, 184),
    "attention": (424, 128, 108, 38),
    "cache": (424, 188, 108, 30),
    "feed_forward": (578, 128, 108, 38),
    "norm": (596, 268, 104, 40),
    "lm_head": (452, 268, 104, 40),
    "decoding": (308, 268, 104, 40),
    "token": (164, 268, 104, 40),
}
FILL = dict.fromkeys(BOXES, "#FFF3D9") | {
    "embedding": "#D9EEFA",
    "block": "#FFFFFF",
    "attention": "#F4E1EC",
    "cache": "#CFE3F1",
    "feed_forward": "#D5EEE6",
    "lm_head": "#FBE3B5",
}
BESIDE = {  # the boxes around what is drawn as a line
    "streams": (312, 44, 72, 64),
    "residual": (420, 54, 130, 52),
    "loop": (30, 180, 122, 32),
}
STREAMS = (90, 96, 102)  # the heights at which three tokens' streams flow side by side
QUIET_LINE, QUIET_TEXT, QUIET_FILL = "#A8A8A8", "#5E5E5E", "#F6F6F6"
ARROW = "#555555"
OPEN, SHUT = {"color": Colour.CHOSEN, "lw": 2.2}, {"color": QUIET_LINE, "lw": 1.0}
CALM = {"color": ARROW, "lw": 1.2}  # where all is open


@in_course_style
def map_picture(
    title: str,
    numbers: Mapping[str, str],
    opened: Set[str],
    notes: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
) -> Picture:
    """The map under `title`.  numbers: part → its lesson; opened: the parts to draw as open.

    links: lesson → its notebook, which a click on a part opens; notes: what the words say besides
    the title and a text's way through the map.
    """
    figure, axes = _draw_map(title, opened)
    for part in numbers.keys() & opened:
        _draw_badge(axes, part, numbers[part])
    regions = tuple(_region(part, numbers.get(part, ""), links or {}) for part in BOXES | BESIDE)
    return Picture(figure, map_words(title, notes), regions)


@in_course_style
def whose_picture(
    title: str,
    mine: Mapping[str, Sequence[str]],
    all_of: Mapping[str, Sequence[str]],
    notes: Sequence[str],
) -> Picture:
    """The map under `title`, each part with how many of its functions are mine.

    all_of: part of the map → the functions that are it; mine: those of them that are mine.  A part
    that is mine altogether is drawn as open.  notes: what the words say besides.
    """
    whole = {part for part, names in all_of.items() if len(mine.get(part, ())) == len(names)}
    figure, axes = _draw_map(title, whole)
    regions = []
    for part, names in all_of.items():
        own = mine.get(part, ())
        _draw_badge(axes, part, f"{len(own)}/{len(names)}", wide=True)
        says = _("{part}: {count} of {all} mine ({names})").format(
            part=_(PARTS[part]), count=len(own), all=len(names), names=", ".join(names)
        )
        if part in BOXES:
            regions.append(Region(BOXES[part], says))
    # the block lies behind those inside it
    regions.sort(key=lambda region: -region.box[2])
    return Picture(figure, whose_words(title, notes), tuple(regions))


def whose_words(title: str, notes: Sequence[str]) -> str:
    """The title, and what `notes` say of whose each part is."""
    return "\n".join([title, *notes])


def _draw_map(title: str, opened: Set[str]) -> tuple[Figure, Axes]:
    """The map under its title, without numbers, and the page that it is drawn on."""
    figure, axes = new_page(HEIGHT)
    write(axes, 14, 18, title, fontsize=11.5)
    lines = {part: OPEN if part in opened else SHUT for part in PARTS}
    if opened >= PARTS.keys():
        lines = dict.fromkeys(PARTS, CALM)
    for depth in (12, 6):  # the other blocks, behind the first
        _draw_box(axes, "block", QUIET_FILL, SHUT, shift=depth)
    for part in BOXES:
        _draw_box(axes, part, FILL[part] if part in opened else QUIET_FILL, lines[part])
    _draw_streams(axes, lines)
    _draw_arrows(axes, lines["loop"] if "loop" in opened else CALM)
    _draw_names(axes, opened)
    return figure, axes


def map_words(title: str, notes: Sequence[str] = ()) -> str:
    """A text's way through the map, under its title."""
    route = _(
        "text → tokenizer → embeddings → N transformer blocks, one stream for each token (in each "
        "block the residual stream is added to by attention, with its KV cache, and by "
        "feed-forward) → final norm → LM head → decoding → next token → appended to the text, and "
        "so on"
    )
    return "\n".join([title, route, *notes])


def _region(part: str, number: str, links: Mapping[str, str]) -> Region:
    text = " · ".join(filter(None, [_(PARTS[part]), number]))
    return Region({**BOXES, **BESIDE}[part], text, href=links.get(number, ""))


def _draw_box(axes: Axes, part: str, fill: str, line: dict, shift: float = 0) -> None:
    left, top, width, height = BOXES[part]
    box = (left + shift, top - shift, width, height)
    rounded_box(axes, box, 6, fill, line["color"], line["lw"])


def _draw_names(axes: Axes, opened: Set[str]) -> None:
    places = {
        part: (left + width / 2, top + height / 2, "center")
        for part, (left, top, width, height) in BOXES.items()
    }
    places |= {
        "block": (700, 217, "right"),
        "streams": (350, 76, "center"),
        "residual": (446, 66, "left"),
        "loop": (86, 196, "left"),
    }
    for part, (x, y, side) in places.items():
        name = _(PARTS[part]) + (" × N" if part == "block" else "")
        colour = Colour.TEXT if part in opened else QUIET_TEXT
        axes.text(x, y, name, ha=side, va="center_baseline", fontsize=10, color=colour)


def _draw_streams(axes: Axes, lines: Mapping[str, dict]) -> None:
    """Three streams, from the embeddings through the block; what is added to them joins at ⊕."""
    inside = max(lines["streams"], lines["residual"], key=lambda line: line["lw"])
    for y in STREAMS:
        axes.plot((304, 388), (y, y), **lines["streams"], solid_capstyle="butt")
        axes.plot((388, 716), (y, y), **inside, solid_capstyle="butt")
    for part in ("attention", "feed_forward"):
        left, top, width, _height = BOXES[part]
        _draw_arrow(axes, (left + 18, STREAMS[-1]), (left + 18, top))
        join = left + width - 18
        _draw_arrow(axes, (join, top), (join, STREAMS[-1] + 5))
        edge = lines["residual"]
        circle = Circle((join, 96), 11, facecolor="white", edgecolor=edge["color"], lw=edge["lw"])
        axes.add_patch(circle).set_zorder(3)
        axes.text(join, 96, "+", ha="center", va="center", fontsize=13, zorder=4)


def _draw_arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    style: str = "->",
    line: Mapping = CALM,
) -> None:
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": style, "shrinkA": 0, "shrinkB": 0, **line}
    )


def _draw_arrows(axes: Axes, loop: dict) -> None:
    """The way of a text; last, the way back: the new token goes to the end of the text."""
    _draw_arrow(axes, (80, 96), (100, 96))
    _draw_arrow(axes, (188, 96), (208, 96))
    _draw_arrow(axes, (478, 166), (478, 188), "<->")
    _draw_arrow(axes, (648, 228), (648, 268))
    for right, left in (("norm", "lm_head"), ("lm_head", "decoding"), ("decoding", "token")):
        _draw_arrow(axes, (BOXES[right][0], 288), (BOXES[left][0] + BOXES[left][2], 288))
    axes.plot((164, 47), (288, 288), **loop, solid_capstyle="projecting")
    _draw_arrow(axes, (47, 288), (47, 116), line=loop)


def _draw_badge(axes: Axes, part: str, number: str, wide: bool = False) -> None:
    """A lesson's number, or a wide share, at the corner of a box or beside the name of a line."""
    beside = {"streams": (350, 54), "residual": (430, 66), "loop": (70, 196)}
    left, top, width, _height = BOXES.get(part, (0, 0, 0, 0))
    x, y = beside.get(part, (left + width, top))
    if wide and part in BOXES:
        x, y = x - 16, y - 3  # above the box, and not over what stands beside it
    radius = 14 if wide else 10.5
    axes.add_patch(Circle((x, y), radius, facecolor=Colour.TEXT, edgecolor="white")).set_zorder(5)
    style = {"ha": "center", "va": "center_baseline", "zorder": 6}
    axes.text(x, y, number, color="white", fontsize=8.5, **style)
