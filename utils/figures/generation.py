"""A text being written: its tokens so far, and the candidates of the last pass."""

from utils.figures.candidates import candidate_words, draw_candidates
from utils.figures.chips import GENERATED, LINE, PROMPT, draw_tokens, lines_of_tokens
from utils.figures.page import axes_at, new_page, write_beside
from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style, quote_token
from utils.generation import Continuation
from utils.language import _, ngettext

LINES = 6  # of tokens, at most


@in_course_style
def continuation_picture(record: Continuation) -> Picture:
    """The text as coloured tokens above; below, the five best candidates of the last pass."""
    tokens = [*record.prompt, *(step.token for step in record.steps)]
    colours = [PROMPT] * len(record.prompt) + [GENERATED] * len(record.steps)
    lines = min(lines_of_tokens(tokens, 725), LINES)
    below = 31 + LINE * lines
    figure, page = new_page(below + (195 if record.steps else 40))
    write_beside(figure, 7, 6, _headline(record), va="top", fontsize=11)
    regions = draw_tokens(page, (7, 31, 725, LINE * lines), tokens, colours)
    if record.steps:
        axes = axes_at(figure, 148, below + 43, 555, 144)
        taken = record.steps[-1].token_id
        regions += draw_candidates(axes, record.candidates, taken, picks="instead")
        axes.set_title(_("the five best candidates of this pass; ▸ was taken"), fontsize=11)
    else:
        says = _("After the first pass the five best candidates stand here.")
        write_beside(figure, 7, below + 25, says, color=Colour.QUIET)
    return Picture(figure, continuation_words(record), tuple(regions))


def continuation_words(record: Continuation) -> str:
    """The text so far, and what its last token was taken from.

    Milliseconds are left to the picture: they differ from run to run.
    """
    passes = len(record.steps)
    lines = [_("prompt: {prompt}").format(prompt=quote_token(record.prompt_text))]
    if record.steps:
        last = record.steps[-1].token
        lines += [
            ngettext(
                "{passes} pass so far: {text}", "{passes} passes so far: {text}", passes
            ).format(passes=passes, text=quote_token(record.new_text)),
            _("the last token, {token}, was taken from {candidates}").format(
                token=quote_token(last), candidates=candidate_words(record.candidates)
            ),
        ]
    else:
        lines.append(_("nothing written yet"))
    if record.ended:
        lines.append(_("the model ended the text by itself"))
    return "\n".join(lines)


def _headline(record: Continuation) -> str:
    passes = len(record.steps)
    parts = [
        _("blue: the prompt, yellow: what the model wrote"),
        ngettext("{passes} pass so far", "{passes} passes so far", passes).format(passes=passes),
    ]
    if record.steps:
        milliseconds = record.steps[-1].seconds * 1000
        parts.append(_("this pass: {milliseconds:.0f} ms").format(milliseconds=milliseconds))
    if record.ended:
        parts.append(_("ended by itself"))
    return "   ·   ".join(parts)
