"""The strongest neurons of a feed-forward layer, and the words that each pushes towards."""

from utils.figures.chips import GENERATED, PROMPT, draw_tokens
from utils.figures.page import axes_at, cut, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token, show_token
from utils.language import _
from utils.neurons import Neuron, NeuronsAt

ROW, HEAD = 34, 70  # CSS pixels: a neuron's row, and what stands above the first


@in_course_style
def neurons_picture(record: NeuronsAt) -> Picture:
    """A bar for each of the strongest neurons, and the words that it pushes towards."""
    rows = len(record.strongest)
    figure, page = new_page(HEAD + ROW * rows + 14)
    seen = record.tokens[: record.position + 1]
    colours = [PROMPT] * (len(seen) - 1) + [GENERATED]
    regions = draw_tokens(axes_at(figure, 7, 4, 725, 30), seen, colours, picks="position")
    axes = axes_at(figure, 96, HEAD, 163, ROW * rows)
    values = [n.size if n.push is None else n.push for n in record.strongest]
    bars = axes.barh(range(rows), values, color=Colour.FEED_FORWARD, height=0.6)
    digits = "{:.0f}" if record.token is None else "{:.2f}"
    axes.bar_label(bars, [digits.format(value) for value in values], padding=4)
    axes.set_yticks(range(rows), [f"#{n.number}" for n in record.strongest])
    axes.tick_params(left=False)
    axes.set(xlim=(min(0, *values), max(0.01, *values) * 1.3), ylim=(rows - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)
    what = (
        _("length of what it adds")
        if record.token is None
        else _("adds to the logit of {token}").format(token=quote_token(record.token))
    )
    titles = ((22, what), (296, _("activation")), (377, _("pushes towards")))
    for left, says in titles:
        write(page, left, HEAD - 12, says, va="baseline", color=Colour.QUIET, fontsize=10)
    for row, neuron in enumerate(record.strongest):
        middle = HEAD + ROW * (row + 0.5)
        write(page, 351, middle, f"{neuron.activation:.1f}", ha="right")
        write(page, 377, middle, "   ".join(cut(show_token(w), 11) for w in neuron.towards[:4]))
        box = (22, HEAD + ROW * row, 700, ROW)
        regions.append(Region(box, _neuron_words(record, neuron)))
    return Picture(figure, neurons_words(record), tuple(regions))


def neurons_words(record: NeuronsAt) -> str:
    """How unequal the neurons are, and what each of the strongest pushes towards."""
    lines = [
        _("layer {layer}, position {position}, {token}").format(
            layer=record.layer,
            position=record.position,
            token=quote_token(record.tokens[record.position]),
        ),
        _(
            "the strongest 1 % of {neurons} neurons hold {share:.0%} of the squared activations"
        ).format(neurons=record.neurons, share=record.share),
    ]
    return "\n".join([*lines, *(_neuron_words(record, neuron) for neuron in record.strongest)])


def _neuron_words(record: NeuronsAt, neuron: Neuron) -> str:
    says = _("neuron {number}, activation {activation:.0f}, pushes towards {words}").format(
        number=neuron.number,
        activation=neuron.activation,
        words=", ".join(map(quote_token, neuron.towards[:3])),
    )
    if neuron.push is not None and record.token is not None:
        says += _("; logit of {token} {push:+.1f}").format(
            token=quote_token(record.token), push=neuron.push
        )
    return says
