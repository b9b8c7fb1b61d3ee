"""A text being written: its tokens so far, and the candidates of the last pass."""

from matplotlib.figure import Figure

from utils.figures.candidates import draw_candidates
from utils.figures.style import Colour, in_course_style, new_figure
from utils.figures.tokens import GENERATED, PROMPT, draw_tokens
from utils.generation import Continuation
from utils.language import _, ngettext


@in_course_style
def continuation_figure(record: Continuation) -> Figure:
    """The text as coloured tokens above; below, the five best candidates of the last pass."""
    figure = new_figure(740, 390)
    new = [step.token for step in record.steps]
    figure.text(0.01, 0.985, _headline(record), va="top", fontsize=11)
    draw_tokens(
        figure.add_axes([0.01, 0.5, 0.98, 0.42]),
        [*record.prompt, *new],
        [PROMPT] * len(record.prompt) + [GENERATED] * len(new),
    )
    if record.steps:
        axes = figure.add_axes([0.2, 0.02, 0.75, 0.37])
        draw_candidates(axes, record.candidates, taken=record.steps[-1].token_id)
        axes.set_title(_("the five best candidates of this pass; ▸ was taken"), fontsize=11)
    else:
        says = _("After the first pass the five best candidates stand here.")
        figure.text(0.5, 0.25, says, ha="center", color=Colour.QUIET)
    return figure


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
