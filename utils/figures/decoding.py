"""From the model's distribution to the draw: one column of bars for each filter on the way."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from utils.decoding import Decoding, Stage, entropy
from utils.figures.chips import GENERATED, PROMPT, draw_tokens
from utils.figures.page import cut, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.language import _, ngettext

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
def decoding_picture(record: Decoding) -> Picture:
    """Bars of the likeliest tokens after each stage; × is cut, ◆ how often it was drawn.

    A click on a token puts it to the end of the prompt.
    """
    rows = len(record.rows) + 1
    legend = 26 if record.drawn else 4
    height = HEAD + rows * ROW + legend
    text = TEXT if record.written else 0
    figure, page = new_page(height + text)

    for row, (token_id, token) in enumerate(record.rows):
        last = bool(record.drawn) and record.drawn[-1] == token_id
        label = ("▸ " if last else "") + cut(show_token(token), 13)
        write(page, LABELS - 8, _y(row), label, ha="right")
    others = _("all others")
    write(page, LABELS - 8, _y(rows - 1), others, ha="right", color=Colour.QUIET)

    starts = [LABELS + column * COLUMN for column in range(len(record.stages))]
    page.vlines(starts, HEAD - 8, _y(rows - 1) + 10, color=Colour.QUIET, lw=0.8)
    regions = []
    for column, stage in enumerate(record.stages):
        regions += _draw_stage(page, record, column, stage)
    if record.drawn:
        _draw_legend(page, record, height - 12)
    if record.written:
        tokens = [token for _id, token in (*record.prompt, *record.written)]
        colours = [PROMPT] * len(record.prompt) + [GENERATED] * len(record.written)
        regions += draw_tokens(page, (7, height + 4, 725, TEXT - 8), tokens, colours)
    return Picture(figure, decoding_words(record), tuple(regions))


def decoding_words(record: Decoding) -> str:
    """The likeliest tokens after each stage that does something, the draws, and the text."""
    lines = [_("prompt: {prompt}").format(prompt=quote_token(record.prompt_text))]
    for stage in record.stages:
        if stage.name != "model" and stage.setting is None:
            continue
        shares = record.shares(stage)
        likeliest = [
            f"{quote_token(token)} {share:.2f}"
            for (_id, token), share in zip(record.rows, shares, strict=False)
            if share > 0
        ]
        parts = [", ".join(likeliest[:5])]
        if stage.name not in ("model", "temperature"):
            says = _("leaves {kept}, cuts {mass:.2f}")
            parts.insert(0, says.format(kept=rough(stage.kept), mass=stage.mass))
        parts.append(_("{bits:.1f} bits").format(bits=entropy(stage.logits)))
        lines.append(f"{_title(stage)}: {'; '.join(parts)}")
    if record.drawn:
        lines.append(_draw_words(record))
    if record.written:
        says = _("the text goes on: {text}")
        lines.append(says.format(text=quote_token(record.written_text)))
    return "\n".join(lines)


def _draw_words(record: Decoding) -> str:
    draws = len(record.drawn)
    head = ngettext(
        "{draws} draw, the last one {token}", "{draws} draws, the last one {token}", draws
    ).format(draws=draws, token=quote_token(record.last_drawn or b""))
    shares = zip(record.rows, record.frequencies(), record.shares(record.stages[-1]), strict=False)
    seen = [
        _("{token} {frequency:.2f} of the draws, probability {probability:.2f}").format(
            token=quote_token(token), frequency=frequency, probability=probability
        )
        for (_id, token), frequency, probability in shares
        if frequency > 0
    ]
    return "; ".join([head, *seen[:4]])


def _y(row: int) -> float:
    return HEAD + (row + 0.5) * ROW


def _draw_stage(page: Axes, record: Decoding, column: int, stage: Stage) -> list[Region]:
    left = LABELS + column * COLUMN
    off = column > 0 and stage.setting is None
    write(page, left, 14, _title(stage), color=Colour.QUIET if off else Colour.TEXT)
    if not off:
        for line, says in enumerate(_what_it_did(stage)):
            write(page, left, 33 + 17 * line, says, fontsize=9, color=Colour.QUIET)

    last = column == len(record.stages) - 1
    shares = record.shares(stage)
    before = record.shares(record.stages[column - 1]) if column else shares
    drawn = record.frequencies() if last and record.drawn else [0.0] * len(shares)
    colours = [TAIL if row == len(record.rows) else Colour.CANDIDATE for row in range(len(shares))]
    colours = [colour for colour, share in zip(colours, shares, strict=True) if share]
    _draw_bars(page, left, shares, facecolors=colours, alpha=0.4 if off else 1)
    gone = [was if share == 0 else 0 for share, was in zip(shares, before, strict=True)]
    _draw_bars(page, left, gone, facecolors="none", edgecolors=Colour.QUIET, linestyles=":")
    for row, share in enumerate(shares if not off else ()):  # where it is off, nothing is new
        place = left + max(share, gone[row], drawn[row]) * BAR + (9 if drawn[row] else 4)
        says, colour = (f"{share:.2f}", Colour.TEXT) if share else ("×", Colour.QUIET)
        write(page, place, _y(row), says, fontsize=9, color=colour)
    if any(drawn):
        marks = [(left + share * BAR, _y(row)) for row, share in enumerate(drawn) if share]
        page.plot(*zip(*marks, strict=True), **DRAWN)
    if off:
        return []
    start, end = (left if column else 8), left + COLUMN  # the tokens' names belong to the first
    boxes = [(start, _y(row) - ROW / 2, end - start, ROW) for row in range(len(shares))]
    says = _("{stage}: {token} {share:.2f} · rank {rank}, id {token_id}")
    regions = [
        Region(
            boxes[row],
            says.format(
                stage=_title(stage),
                token=quote_token(token),
                share=shares[row],
                rank=row + 1,
                token_id=token_id,
            ),
            _appended(record, token),
            {"token_id": token_id},
        )
        for row, (token_id, token) in enumerate(record.rows)
    ]
    others = _("all others")
    return [*regions, Region(boxes[-1], f"{_title(stage)}: {others} {shares[-1]:.2f}")]


def _appended(record: Decoding, token: bytes) -> dict:
    """What a click on a token sets: the prompt goes on with it, where it is text by itself."""
    try:
        return {"prompt": record.prompt_text + token.decode()}
    except UnicodeDecodeError:
        return {}


def _draw_bars(page: Axes, left: float, shares: list[float], **style: Any) -> None:
    """Bars as one collection: drawn in a third of the time that `barh` takes."""
    half = ROW * 0.35
    corners = [
        [(left + x, _y(row) + y) for x, y in ((0, -half), (w, -half), (w, half), (0, half))]
        for row, w in enumerate(share * BAR for share in shares)
        if w
    ]
    if corners:
        page.add_collection(PolyCollection(corners, **style), autolim=False)


def _title(stage: Stage) -> str:
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


def _draw_legend(page: Axes, record: Decoding, y: float) -> None:
    draws = len(record.drawn)
    says = ngettext(
        "how often it was drawn, in {draws} draw   ·   ▸ drawn last",
        "how often it was drawn, in {draws} draws   ·   ▸ drawn last",
        draws,
    )
    page.plot(LABELS + 6, y, **DRAWN)
    write(page, LABELS + 16, y, says.format(draws=draws), fontsize=9.5)
