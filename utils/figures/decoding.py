"""From the model's distribution to the draw: one column of bars for each filter on the way."""

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from utils.decoding import Decoding, Stage, entropy
from utils.figures.style import Colour, in_course_style, new_figure, show_token
from utils.figures.tokens import GENERATED, PROMPT, draw_tokens
from utils.language import _, ngettext

WIDTH = 740
LABELS, COLUMN, BAR = 118, 124, 78  # CSS pixels: tokens' names, one stage, a bar of probability 1
HEAD, ROW, TEXT = 86, 22, 118
TAIL = "#9DB7C9"  # the bar that stands for all tokens without a row of their own
DRAWN = {
    "marker": "D",
    "color": Colour.CHOSEN,
    "markersize": 5,
    "markeredgecolor": "white",
    "linestyle": "none",
}


@in_course_style
def decoding_figure(record: Decoding) -> Figure:
    """Bars of the likeliest tokens after each stage; × is cut, ◆ how often it was drawn."""
    rows = len(record.rows) + 1
    legend = 26 if record.drawn else 4
    height = HEAD + rows * ROW + legend
    text = TEXT if record.written else 0
    figure = new_figure(WIDTH, height + text)
    # All columns share one pair of axes, measured in CSS pixels: five pairs take twice as long.
    axes = figure.add_axes([0, text / (height + text), 1, height / (height + text)])
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")

    for row, (token_id, token) in enumerate(record.rows):
        last = bool(record.drawn) and record.drawn[-1] == token_id
        label = ("▸ " if last else "") + _short(show_token(token))
        axes.text(LABELS - 8, _y(row), label, ha="right", va="center")
    others = _("all others")
    axes.text(LABELS - 8, _y(rows - 1), others, ha="right", va="center", color=Colour.QUIET)

    starts = [LABELS + column * COLUMN for column in range(len(record.stages))]
    axes.vlines(starts, HEAD - 8, _y(rows - 1) + 10, color=Colour.QUIET, lw=0.8)
    for column, stage in enumerate(record.stages):
        _draw_stage(axes, record, column, stage)
    if record.drawn:
        _draw_legend(axes, record, height - 12)
    if record.written:
        tokens = [token for _id, token in (*record.prompt, *record.written)]
        colours = [PROMPT] * len(record.prompt) + [GENERATED] * len(record.written)
        share = (TEXT - 8) / (height + text)
        draw_tokens(figure.add_axes([0.01, 0.01, 0.98, share]), tokens, colours)
    return figure


def _y(row: int) -> float:
    return HEAD + (row + 0.5) * ROW


def _short(token: str) -> str:
    return token if len(token) <= 13 else token[:12] + "…"


def _draw_stage(axes, record: Decoding, column: int, stage: Stage) -> None:
    left = LABELS + column * COLUMN
    off = column > 0 and stage.setting is None
    axes.text(left, 14, stage_title(stage), va="center", color=Colour.QUIET if off else Colour.TEXT)
    if not off:
        for line, says in enumerate(_what_it_did(stage)):
            y = 33 + 17 * line
            axes.text(left, y, says, va="center", fontsize=9, color=Colour.QUIET)

    last = column == len(record.stages) - 1
    shares = record.shares(stage)
    before = record.shares(record.stages[column - 1]) if column else shares
    drawn = record.frequencies() if last and record.drawn else [0.0] * len(shares)
    colours = [TAIL if row == len(record.rows) else Colour.CANDIDATE for row in range(len(shares))]
    colours = [colour for colour, share in zip(colours, shares, strict=True) if share]
    _draw_bars(axes, left, shares, facecolors=colours, alpha=0.4 if off else 1)
    cut = [was if share == 0 else 0 for share, was in zip(shares, before, strict=True)]
    _draw_bars(axes, left, cut, facecolors="none", edgecolors=Colour.QUIET, linestyles=":")
    for row, share in enumerate(shares if not off else ()):  # where it is off, nothing is new
        place = left + max(share, cut[row], drawn[row]) * BAR + (9 if drawn[row] else 4)
        says, colour = (f"{share:.2f}", Colour.TEXT) if share else ("×", Colour.QUIET)
        axes.text(place, _y(row), says, va="center", fontsize=9, color=colour)
    if any(drawn):
        marks = [(left + share * BAR, _y(row)) for row, share in enumerate(drawn) if share]
        axes.plot(*zip(*marks, strict=True), **DRAWN)


def _draw_bars(axes, left: float, shares: list[float], **style) -> None:
    """Bars as one collection: drawn in a third of the time that `barh` takes."""
    half = ROW * 0.35
    corners = [
        [(left + x, _y(row) + y) for x, y in ((0, -half), (w, -half), (w, half), (0, half))]
        for row, w in enumerate(share * BAR for share in shares)
        if w
    ]
    if corners:
        axes.add_collection(PolyCollection(corners, **style), autolim=False)


def stage_title(stage: Stage) -> str:
    """What a stage is called and set to: "temperature 0.70", "top-k 5", "top-p off"."""
    names = {
        "model": _("the model"),
        "temperature": _("temperature"),
        "top_k": "top-k",
        "top_p": "top-p",
        "min_p": "min-p",
    }
    name = names[stage.name]
    if stage.name == "model":
        return name
    if stage.setting is None:
        return _("{name} off").format(name=name)
    return f"{name} {stage.setting:d}" if stage.name == "top_k" else f"{name} {stage.setting:.2f}"


def _what_it_did(stage: Stage) -> list[str]:
    kept = ngettext("{count} token", "{count} tokens", stage.kept).format(count=rough(stage.kept))
    bits = _("{bits:.1f} bits").format(bits=entropy(stage.logits))
    if stage.name in ("model", "temperature"):
        return [kept, bits]
    return [kept, bits, _("cut away: {mass:.2f}").format(mass=stage.mass)]


def rough(count: int) -> str:
    """A count as it is worth: exact to 99, then in two significant digits, "49,000"."""
    if count < 100:
        return str(count)
    digits = 10 ** (len(str(count)) - 2)
    return f"{round(count / digits) * digits:,}"


def _draw_legend(axes, record: Decoding, y: float) -> None:
    draws = len(record.drawn)
    says = ngettext(
        "how often it was drawn, in {draws} draw   ·   ▸ drawn last",
        "how often it was drawn, in {draws} draws   ·   ▸ drawn last",
        draws,
    )
    axes.plot(LABELS + 6, y, **DRAWN)
    axes.text(LABELS + 16, y, says.format(draws=draws), va="center", fontsize=9.5)
