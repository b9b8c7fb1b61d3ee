"""What is left of a prediction without some layers, and what it costs to lose each of them."""

import numpy as np
from matplotlib.figure import Figure

from utils.feed_forward import LayerLosses, SwitchedOff
from utils.figures.candidates import draw_candidates
from utils.figures.picture import Picture
from utils.figures.residual import draw_two_parts
from utils.figures.style import Colour, in_course_style, new_figure, quote_token, show_token
from utils.figures.tokens import GENERATED, PROMPT, draw_tokens
from utils.language import N_, _
from utils.neurons import NeuronsAt

WIDTH = 740
PARTS = {"feed_forward": N_("feed-forward"), "attention": N_("attention")}
OFF_BAND = "#F1E3D3"


@in_course_style
def switched_off_figure(record: SwitchedOff) -> Figure:
    """The candidates before and after; below, the followed token without each layer in turn."""
    each = record.each
    figure = new_figure(WIDTH, 460)
    chips = figure.add_axes([0.01, 0.92, 0.98, 0.07])
    draw_tokens(chips, each.tokens, [PROMPT] * len(each.tokens))
    both = (
        (0.16, each.candidates, _("the whole model")),
        (0.66, record.candidates, off_words(record)),
    )
    for left, candidates, title in both:
        axes = figure.add_axes([left, 0.49, 0.32, 0.34])
        draw_candidates(axes, candidates, taken=each.token_id)
        axes.set_title(title, fontsize=10.5, x=-0.35)

    axes = figure.add_axes([0.08, 0.1, 0.9, 0.26])
    layers = np.arange(len(each.without))
    first, colour = each.still_first.numpy(), part_colour(each.part)
    if record.layers:
        axes.axvspan(record.layers[0] - 0.5, record.layers[-1] + 0.5, color=OFF_BAND, zorder=0)
    axes.vlines(layers, 0, each.without, color=colour, linewidth=2.5)
    for which, marker, size, label in (
        (first, "s", 22, _("still the likeliest")),
        (~first, "x", 34, _("no longer the likeliest")),
    ):
        tone = colour if marker == "s" else Colour.TEXT
        axes.scatter(layers[which], each.without[which], s=size, marker=marker, color=tone,
                     label=label, zorder=3, clip_on=False)  # fmt: skip
    axes.axhline(each.probability, color=Colour.QUIET, linestyle="--", linewidth=1)
    says = _("{token} without the {part} of one layer; dashed: the whole model")
    says = says.format(token=quote_token(each.token), part=_(PARTS[each.part]))
    axes.set_title(says, fontsize=10.5)
    ticks = range(0, len(layers), 1 if len(layers) <= 12 else 5)
    axes.set_xticks(ticks, map(str, ticks))
    axes.set(xlim=(-0.7, len(layers) - 0.3), ylim=(0, max(0.1, float(each.without.max())) * 1.35))
    axes.set_xlabel(_("layer"), labelpad=1)
    axes.legend(loc="upper left", fontsize=9, ncols=2, borderpad=0, handletextpad=0.2)
    return figure


def off_words(record: SwitchedOff) -> str:
    """What is off, in words: "without the feed-forward of layers 3–5"."""
    part, layers = _(PARTS[record.each.part]), record.layers
    if len(layers) == 1:
        return _("without the {part} of layer {layer}").format(part=part, layer=layers[0])
    return _("without the {part} of layers {first}–{last}").format(
        part=part, first=layers[0], last=layers[-1]
    )


def part_colour(part: str) -> str:
    """The colour of "attention" or of "feed_forward", the same in all pictures."""
    return Colour.ATTENTION if part == "attention" else Colour.FEED_FORWARD


def losses_picture(record: LayerLosses) -> Picture:
    """The loss of a text without each layer's attention ●, and without its feed-forward ■."""
    return Picture(_losses_figure(record), losses_words(record))


@in_course_style
def _losses_figure(record: LayerLosses) -> Figure:
    figure = new_figure(WIDTH, 300)
    axes = figure.add_subplot()
    draw_two_parts(axes, record.attention, record.feed_forward, foot=record.whole)
    says = _("the whole model: {loss:.1f}").format(loss=record.whole)
    axes.axhline(record.whole, color=Colour.TEXT, linestyle="--", linewidth=1, label=says)
    layers = len(record.attention)
    ticks = range(0, layers, 1 if layers <= 12 else 5)
    axes.set_xticks(ticks, map(str, ticks))
    axes.set_xlabel(_("layer that is switched off"))
    axes.set_ylabel(_("mean loss"))
    axes.set_title(_("the loss of a text when one part of one layer adds nothing"))
    axes.legend(loc="upper center", fontsize=9.5, ncols=3)
    return figure


def losses_words(record: LayerLosses) -> str:
    """Which layers are missed most, in two digits."""
    lines = [
        _("mean loss of {tokens} tokens, the whole model: {loss:.1f}").format(
            tokens=record.tokens, loss=record.whole
        )
    ]
    for part in PARTS:
        losses = getattr(record, part)
        worst = ", ".join(
            _("layer {layer} {loss:.1f}").format(layer=layer, loss=losses[layer])
            for layer in losses.topk(min(4, len(losses))).indices.tolist()
        )
        says = _("missed most when {part} is switched off: {layers}; median {median:.1f}")
        median = float(losses.median())
        lines.append(says.format(part=_(PARTS[part]), layers=worst, median=median))
    return "\n".join(lines)


@in_course_style
def neurons_figure(record: NeuronsAt) -> Figure:
    """A bar for each of the strongest neurons, and the words that it pushes towards."""
    rows = len(record.strongest)
    height = 84 + 34 * rows
    figure = new_figure(WIDTH, height)
    seen = record.tokens[: record.position + 1]
    chips = figure.add_axes([0.01, 1 - 34 / height, 0.98, 30 / height])
    draw_tokens(chips, seen, [PROMPT] * (len(seen) - 1) + [GENERATED])
    axes = figure.add_axes([0.13, 14 / height, 0.22, 34 * rows / height])
    chosen = record.token is not None
    values = [n.push if chosen else n.size for n in record.strongest]
    bars = axes.barh(range(rows), values, color=Colour.FEED_FORWARD, height=0.6)
    digits = "{:.2f}" if chosen else "{:.0f}"
    axes.bar_label(bars, [digits.format(value) for value in values], padding=4)
    axes.set_yticks(range(rows), [f"#{n.number}" for n in record.strongest])
    axes.tick_params(left=False)
    axes.set(xlim=(min(0, *values), max(0.01, *values) * 1.3), ylim=(rows - 0.5, -0.5), xticks=[])
    axes.spines["bottom"].set_visible(False)
    what = (
        _("adds to the logit of {token}").format(token=quote_token(record.token))
        if chosen
        else _("length of what it adds")
    )
    titles = ((0.03, what), (0.4, _("activation")), (0.51, _("pushes towards")))
    for left, says in titles:
        figure.text(left, (34 * rows + 26) / height, says, color=Colour.QUIET, fontsize=10)
    for row, neuron in enumerate(record.strongest):
        y = (14 + 34 * (rows - row - 0.5)) / height
        figure.text(0.475, y, f"{neuron.activation:.1f}", ha="right", va="center")
        words = "   ".join(_short(show_token(word)) for word in neuron.towards[:4])
        figure.text(0.51, y, words, va="center")
    return figure


def _short(word: str, room: int = 11) -> str:
    return word if len(word) <= room else word[: room - 1] + "…"
