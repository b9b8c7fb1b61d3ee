"""The one look of every figure of the course: font, colours, sizes, and how it writes a token.

A figure is drawn without pyplot, so it leaves the learner's own plots and settings alone:

    @in_course_style
    def probability_bars(record) -> Figure:
        figure = new_figure(720, 300)
        axes = figure.add_subplot()
        ...
        return figure
"""

import struct
import threading
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from utils.figures.text import FAMILIES, StampingCanvas, drawable
from utils.tokens import visible_bytes

FONT = Path(__file__).parents[1] / "fonts" / "NotoSansKR-Regular.otf"

CSS_PIXELS_PER_INCH = 96  # so that sizes in points mean in a figure what they mean on the page
PIXEL_DENSITY = 2  # image pixels per CSS pixel: sharp on a laptop's screen and on a projector


class Colour:
    """What each colour means.  The palette is Okabe and Ito's, told apart by the colour-blind.

    No colour carries a meaning alone: a mark, a label or a pattern says the same.
    """

    TEXT = "#222222"
    QUIET = "#767676"  # axes, remarks; still 4.5 : 1 against white
    REMOVED = "#C8C8C8"  # tokens that a filter has taken out

    CANDIDATE = "#0072B2"  # a token that could come next
    CHOSEN = "#D55E00"  # the token that did
    PROMPT = "#56B4E9"
    GENERATED = "#E69F00"

    QUERY = "#0072B2"
    KEY = "#E69F00"
    VALUE = "#009E73"

    ATTENTION = "#CC79A7"
    FEED_FORWARD = "#009E73"
    EMBEDDING = "#56B4E9"

    CACHED = "#0072B2"
    NOT_CACHED = "#D55E00"

    # The same, dark enough for letters: 4.5 : 1 against white, and in a dark theme.
    CHOSEN_TEXT = "#A84300"
    FEED_FORWARD_TEXT = "#00795A"

    RIGHT = "#009E73"
    WRONG = "#D55E00"

    CYCLE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442")
    WEIGHTS = "Blues"  # colour map for what runs from 0 to 1
    SIGNED = "PuOr_r"  # colour map for what runs from −x to +x


STYLE = {
    "font.family": [*FAMILIES],
    "font.size": 10.5,  # 14 CSS pixels.  There is no bold Korean: stress by colour or by size
    "text.color": Colour.TEXT,
    "text.parse_math": False,  # "$5" in a prompt is no formula; text(…, parse_math=True) is
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelcolor": Colour.TEXT,
    "axes.edgecolor": Colour.QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": matplotlib.cycler(color=Colour.CYCLE),
    "xtick.color": Colour.QUIET,
    "xtick.labelcolor": Colour.TEXT,
    "ytick.color": Colour.QUIET,
    "ytick.labelcolor": Colour.TEXT,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
    "image.cmap": Colour.WEIGHTS,
    "image.interpolation": "nearest",
}

fontManager.addfont(FONT)

_drawing = threading.RLock()  # matplotlib's settings are the process's: one thread draws at a time


@contextmanager
def _course_style() -> Iterator[None]:
    settings = matplotlib.rcParams
    with _drawing:
        before = {name: settings[name] for name in STYLE}
        try:
            settings.update(STYLE)
            ours = {name: settings[name] for name in STYLE}
            yield
        finally:
            # What somebody else has set meanwhile, in a cell on another thread, stays as they set
            # it: `rc_context` would put all settings back.
            for name, value in before.items():
                if settings[name] == ours[name]:
                    settings[name] = value


in_course_style = _course_style()
"""Decorator for every function that draws: STYLE holds while it runs, and no longer."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` × `height` CSS pixels; a notebook's column has room for about 760.

    Its margins suit a title, labelled axes and short tick labels; `set_margins` changes them.
    On a logarithmic axis set a formatter that writes plain text (`StrMethodFormatter`): the default
    one writes powers as `$…$`.
    """
    if matplotlib.rcParams["text.parse_math"]:
        raise RuntimeError("Put @in_course_style above the function that draws this figure.")
    figure = Figure(
        figsize=(width / CSS_PIXELS_PER_INCH, height / CSS_PIXELS_PER_INCH),
        dpi=CSS_PIXELS_PER_INCH * PIXEL_DENSITY,
    )
    StampingCanvas(figure)
    set_margins(figure)
    return figure


def set_margins(
    figure: Figure, left: float = 72, right: float = 20, top: float = 40, bottom: float = 52
) -> None:
    """Leave these CSS pixels around the axes.  Said, not measured: tight_layout draws all twice."""
    width, height = figure.get_size_inches() * CSS_PIXELS_PER_INCH
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height
    )


@in_course_style
def png(figure: Figure) -> bytes:
    """The picture, with PIXEL_DENSITY pixels to a CSS pixel: show it at half its width."""
    figure.canvas.draw()
    return _encode(np.asarray(figure.canvas.buffer_rgba()))


def _encode(pixels: np.ndarray) -> bytes:
    """RGBA pixels, uint8 [row, column, 4], as a PNG file.

    No filter is tried on the rows: flat colours compress well without, in less than half the time
    that Pillow takes, and a slider redraws at every step.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 4 * width), np.uint8)  # each row opens with 0, "no filter"
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)  # 8 bits, red green blue alpha
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), level=1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def show_token(token: str | bytes) -> str:
    """How a figure writes a token, with everything in it visible.

    " Paris" is ␣Paris, a line's end ⏎, a tab ⇥, a token of no text ∅, and a character without a
    shape, or one that the fonts lack, its code point, ⟨U+200B⟩.  Given as bytes, a token that holds
    a part of a character shows them: b"\\xec\\x88" is ⟨EC·88⟩.
    """
    return drawable(_visible(token))


def turned(shown: str) -> str:
    """What `show_token` gives, for a label turned by 90°, where ␣ would look like a bracket."""
    return shown.replace("␣", "·")


def quote_token(token: str | bytes) -> str:
    """How a sentence writes the same token: in quotes, with its spaces as spaces, ' Paris'.

    A sentence is read in a browser or a terminal, which have more fonts: it keeps all characters.
    """
    return f"'{_visible(token).replace('␣', ' ')}'"


def _visible(token: str | bytes) -> str:
    text = visible_bytes(token) if isinstance(token, bytes) else token
    return "".join(map(_show_character, text)) or "∅"


def _show_character(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.category(character)[0] in "CZ":  # controls, other spaces, unassigned
        return f"⟨U+{ord(character):04X}⟩"
    return character
