"""The strongest neurons of a feed-forward layer, and the words that each pushes towards."""

from matplotlib.axes import Axes

from utils.figures.chips import draw_text, text_width
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
    regions = draw_text(page, record.tokens, record.position)
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
        box = (22, HEAD + ROW * row, 700, ROW)
        regions.append(Region(box, _neuron_words(record, neuron)))
        regions += _write_towards(page, middle, neuron)
    return Picture(figure, neurons_words(record), tuple(regions))


def _write_towards(page: Axes, middle: float, neuron: Neuron) -> list[Region]:
    """The words that a neuron pushes towards.  A click orders the neurons by the word's logit."""
    left, regions = 377.0, []
    for word in neuron.towards[:4]:
        text = cut(show_token(word), 11)
        write(page, left, middle, text)
        wide = text_width(page.figure.canvas.get_renderer(), text)
        says = _("which neurons push most towards {token}?").format(token=quote_token(word))
        sets = {"word": word} if word.strip() and "\ufffd" not in word else {}
        if sets:
            regions.append(Region((left - 4, middle - ROW / 2, wide + 8, ROW), says, sets))
        left += wide + 12
    return regions


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
