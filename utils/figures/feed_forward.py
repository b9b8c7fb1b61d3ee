"""What is left of a prediction without some layers, and what it costs to lose each of them."""

import numpy as np
from matplotlib.axes import Axes

from utils.feed_forward import LayerLosses, SwitchedOff
from utils.figures.candidates import candidate_words, draw_candidates
from utils.figures.chips import PROMPT, draw_tokens
from utils.figures.page import axes_at, box_on_page, layer_ticks, new_page, new_sheet
from utils.figures.picture import Picture, Region
from utils.figures.residual import draw_two_parts
from utils.figures.style import Colour, in_course_style, quote_token
from utils.language import N_, _, ngettext

PARTS = {"feed_forward": N_("feed-forward"), "attention": N_("attention")}
OFF_BAND = "#F1E3D3"


@in_course_style
def switched_off_picture(record: SwitchedOff) -> Picture:
    """The candidates before and after; below, the followed token without each layer in turn."""
    each = record.each
    figure, page = new_page(460)
    regions = draw_tokens(page, (7, 5, 725, 32), each.tokens, [PROMPT] * len(each.tokens))
    both = (
        (118, each.candidates, _("the whole model")),
        (488, record.candidates, _off_words(record)),
    )
    for left, candidates, title in both:
        axes = axes_at(figure, left, 78, 237, 156)
        regions += draw_candidates(axes, candidates, taken=each.token_id)
        axes.set_title(title, fontsize=10.5, x=-0.35)
    regions += _draw_each(axes_at(figure, 59, 294, 666, 120), record)
    return Picture(figure, switched_off_words(record), tuple(regions))


def switched_off_words(record: SwitchedOff) -> str:
    """The candidates before and after, and which layers the followed token cannot do without."""
    each = record.each
    lost = [str(layer) for layer, first in enumerate(each.still_first) if not first]
    says = ngettext(
        "no longer the likeliest without the {part} of this layer alone: {layers}",
        "no longer the likeliest without the {part} of one of these layers: {layers}",
        len(lost),
    ).format(part=_(PARTS[each.part]), layers=", ".join(lost) or "–")
    return "\n".join(
        [
            _("the whole model: {candidates}").format(
                candidates=candidate_words(each.candidates[:3])
            ),
            f"{_off_words(record)}: {candidate_words(record.candidates[:3])}",
            f"{quote_token(each.token)} {each.probability:.2f} → {record.probability:.2f}; {says}",
        ]
    )


def _off_words(record: SwitchedOff) -> str:
    """What is off, in words: "without the feed-forward of layers 3–5"."""
    part, layers = _(PARTS[record.each.part]), record.layers
    if len(layers) == 1:
        return _("without the {part} of layer {layer}").format(part=part, layer=layers[0])
    return _("without the {part} of layers {first}–{last}").format(
        part=part, first=layers[0], last=layers[-1]
    )


def _draw_each(axes: Axes, record: SwitchedOff) -> list[Region]:
    """The followed token's probability without each layer.  A click switches that layer off."""
    each = record.each
    layers = np.arange(len(each.without))
    first = each.still_first.numpy()
    colour = Colour.ATTENTION if each.part == "attention" else Colour.FEED_FORWARD
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
    ticks = layer_ticks(len(layers))
    axes.set_xticks(ticks, map(str, ticks))
    highest = max(0.1, float(each.without.max())) * 1.35
    axes.set(xlim=(-0.7, len(layers) - 0.3), ylim=(0, highest))
    axes.set_xlabel(_("layer"), labelpad=1)
    axes.legend(loc="upper left", fontsize=9, ncols=2, borderpad=0, handletextpad=0.2)
    what = _("without the {part} of layer {layer}")
    return [
        Region(
            box_on_page(axes, (layer - 0.5, layer + 0.5), (0, highest)),
            f"{what.format(part=_(PARTS[each.part]), layer=layer)}: "
            f"{quote_token(each.token)} {probability:.2f}",
            {"layers": (layer, layer)},
        )
        for layer, probability in enumerate(each.without.tolist())
    ]


@in_course_style
def losses_picture(record: LayerLosses) -> Picture:
    """The loss of a text without each layer's attention ●, and without its feed-forward ■."""
    figure = new_sheet(300)
    axes = figure.add_subplot()
    draw_two_parts(axes, record.attention, record.feed_forward, foot=record.whole)
    says = _("the whole model: {loss:.1f}").format(loss=record.whole)
    axes.axhline(record.whole, color=Colour.TEXT, linestyle="--", linewidth=1, label=says)
    ticks = layer_ticks(len(record.attention))
    axes.set_xticks(ticks, map(str, ticks))
    axes.set_xlabel(_("layer that is switched off"))
    axes.set_ylabel(_("mean loss"))
    axes.set_title(_("the loss of a text when one part of one layer adds nothing"))
    axes.legend(loc="upper center", fontsize=9.5, ncols=3)
    return Picture(figure, losses_words(record))


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
