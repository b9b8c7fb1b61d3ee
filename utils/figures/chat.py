"""A chat: what was said, the answer in its tokens, and what one of them was drawn from."""

from matplotlib.axes import Axes

from utils.chat import Chat, Drawn, Turn
from utils.figures.candidates import draw_bars
from utils.figures.chips import GENERATED, LINE, draw_tokens, lines_of_tokens
from utils.figures.page import WIDTH, axes_at, box_on_page, cut, frame, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.language import _, ngettext

EARLIER, LINES, ROW = 2, 9, 24  # turns shown above the last; lines of its answer; a bar's height
LETTERS = 92  # that fit into a line beside who says it


@in_course_style
def chat_picture(record: Chat) -> Picture:
    """The last turns; of the last, the answer token by token, and the candidates of the picked."""
    if not record.turns:
        figure, page = new_page(96)
        write(page, 7, 48, _nothing(), color=Colour.QUIET)
        return Picture(figure, chat_words(record))
    *before, turn = record.turns
    said = [_line(*each) for one in before[-EARLIER:] for each in _both(one)]
    said.append(_line(_("you"), turn.message))
    tokens = [drawn.token for drawn in turn.tokens]
    lines = min(LINES, lines_of_tokens(tokens, WIDTH - 14))
    drawn = turn.tokens[record.picked] if tokens else None
    top = 12 + 22 * len(said)
    bars = top + LINE * lines + 64
    figure, page = new_page(bars + (ROW * len(drawn.candidates) + 8 if drawn else 0))
    for row, text in enumerate(said):
        last = row == len(said) - 1
        write(page, 7, 14 + 22 * row, text, color=Colour.TEXT if last else Colour.QUIET)
    regions: list[Region] = []
    if drawn:
        box = (7, top, WIDTH - 14, LINE * lines + 2)  # or roundings hide a line
        regions = draw_tokens(page, box, tokens, [GENERATED] * len(tokens), picks="token")
        for region in regions:
            if region.sets == {"token": record.picked}:
                frame(page, region.box, 2)
    says = f"{_summary(turn)}   ·   " + _("{speed:.1f} tokens/s").format(speed=turn.speed)
    write(page, 7, bars - 52, says, color=Colour.QUIET, fontsize=9.5)
    if drawn:
        title = _("token {number}, {token}: as the model has it → as it was drawn (▸)").format(
            number=record.picked, token=show_token(drawn.token)
        )
        write(page, 7, bars - 20, title)
        height = ROW * len(drawn.candidates)
        axes = axes_at(figure, 150, bars, 480, height)
        regions += _draw_candidates(axes, drawn)
    return Picture(figure, chat_words(record), tuple(regions))


def chat_words(record: Chat) -> str:
    """All that was said; of the last answer, how it was drawn, and what the picked token was.

    Tokens a second are left to the picture: they differ from run to run.
    """
    if not record.turns:
        return _nothing()
    lines = [f"{who}: {quote_token(text)}" for turn in record.turns for who, text in _both(turn)]
    turn = record.turns[-1]
    lines.append(_summary(turn))
    if turn.tokens:
        drawn = turn.tokens[record.picked]
        says = _("token {number}, {token}, was drawn from {candidates}")
        shares = ", ".join(
            f"{quote_token(candidate.token)} {candidate.probability:.2f} → {share:.2f}"
            for candidate, share in zip(drawn.candidates, drawn.settled, strict=True)
        )
        token = quote_token(drawn.token)
        lines.append(says.format(number=record.picked, token=token, candidates=shares))
    return "\n".join(lines)


def _nothing() -> str:
    return _("Nothing has been said yet: write a message and press “send”.")


def _both(turn: Turn) -> list[tuple[str, str]]:
    """Who says what."""
    return [(_("you"), turn.message), (_("LLM"), turn.text)]


def _line(who: str, text: str) -> str:
    return f"{who}:  {cut(' '.join(text.split()), LETTERS)}"


def _summary(turn: Turn) -> str:
    """How an answer was drawn, how long it is, and why it ended."""
    settings, count = turn.settings, len(turn.tokens)
    says = _("temperature {temperature:.2f}, top-p {top_p:.2f}, seed {seed}").format(
        temperature=settings.temperature, top_p=settings.top_p, seed=settings.seed
    )
    tokens = ngettext("{count} token", "{count} tokens", count).format(count=count)
    return "; ".join(filter(None, [says, tokens, turn.end and _(turn.end)]))


def _draw_candidates(axes: Axes, drawn: Drawn) -> list[Region]:
    """A bar for each, as likely as the model has it; its numbers: before and after the settings."""
    taken = [candidate.token_id == drawn.token_id for candidate in drawn.candidates]
    pairs = list(zip(drawn.candidates, drawn.settled, strict=True))
    names = [show_token(candidate.token) for candidate in drawn.candidates]
    draw_bars(
        axes,
        [candidate.probability for candidate in drawn.candidates],
        [f"▸ {name}" if it else name for name, it in zip(names, taken, strict=True)],
        [f"{candidate.probability:.2f} → {share:.2f}" for candidate, share in pairs],
        [Colour.CHOSEN if it else Colour.CANDIDATE for it in taken],
    )
    axes.set_xlim(0, 1.25)
    regions = []
    for row, (candidate, share) in enumerate(pairs):
        says = _("{token}: {before:.2f} by the model, {after:.2f} after temperature and top-p")
        token = quote_token(candidate.token)
        text = says.format(token=token, before=candidate.probability, after=share)
        box = box_on_page(axes, axes.get_xlim(), (row - 0.5, row + 0.5))
        regions.append(Region(box, text))
    return regions
