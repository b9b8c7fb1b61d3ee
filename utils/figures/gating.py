"""The curve of silu, with a few real neurons on it, and what becomes of them."""

import torch
from matplotlib.axes import Axes
from torch.nn.functional import silu

from utils.figures.page import axes_at, new_page, write
from utils.figures.picture import Picture, Region
from utils.figures.style import Colour, in_course_style, quote_token
from utils.gating import Gating
from utils.language import _

COLUMNS = (430, 504, 592, 660, 728)  # right edges: neuron, gate, silu(gate), up, product


@in_course_style
def gating_picture(record: Gating) -> Picture:
    """Left, sigmoid and silu, the neurons as points; right, their numbers, row by row."""
    figure, page = new_page(300)
    _draw_curve(axes_at(figure, 44, 50, 300, 196), record)
    title = _("layer {layer}, at {token}: {count} of its neurons")
    title = title.format(
        layer=record.layer, token=quote_token(record.token), count=len(record.numbers)
    )
    write(page, 372, 34, title, fontsize=11)
    heads = (_("neuron"), "gate", "silu(gate)", "up", _("product"))
    for right, head in zip(COLUMNS, heads, strict=True):
        write(page, right, 68, head, ha="right", fontsize=9.5, color=Colour.QUIET)
    regions = []
    for place, row in enumerate(_rows(record)):
        y = 98 + 30 * place
        colours = (
            *(Colour.QUIET, Colour.CANDIDATE, Colour.FEED_FORWARD_TEXT),
            *(Colour.TEXT, Colour.CHOSEN_TEXT),
        )
        for right, text, colour in zip(COLUMNS, row, colours, strict=True):
            write(page, right, y, text, ha="right", color=colour)
        regions.append(Region((372, y - 14, 362, 28), _says(row)))
    last = 98 + 30 * len(record.numbers)
    says = _("product = silu(gate) × up")
    write(page, 372, last + 8, says, fontsize=9.5, color=Colour.QUIET)
    return Picture(figure, gating_words(record), tuple(regions))


def gating_words(record: Gating) -> str:
    """The numbers of each neuron: gate, silu(gate), up, product."""
    title = _("layer {layer}, at {token}").format(
        layer=record.layer, token=quote_token(record.token)
    )
    return "\n".join([title, *map(_says, _rows(record))])


def _rows(record: Gating) -> list[list[str]]:
    numbers = zip(record.gate, record.opened, record.up, record.products, strict=True)
    return [
        [str(neuron), *(f"{float(number):.2f}".replace("-0.00", "0.00") for number in row)]
        for neuron, row in zip(record.numbers, numbers, strict=True)
    ]


def _says(row: list[str]) -> str:
    neuron, gate, opened, up, product = row
    says = _("neuron {neuron}: silu({gate}) = {opened}; {opened} × {up} = {product}")
    return says.format(neuron=neuron, gate=gate, opened=opened, up=up, product=product)


def _draw_curve(axes: Axes, record: Gating) -> None:
    reach = max(4.0, float(record.gate.abs().max()) * 1.15)
    z = torch.linspace(-reach, reach, 200)
    axes.axhline(0, color=Colour.QUIET, linewidth=0.8)
    axes.axvline(0, color=Colour.QUIET, linewidth=0.8)
    axes.plot(z, z.sigmoid(), ls="--", color=Colour.QUIET, lw=1.4, label="σ(z)")
    axes.plot(z, silu(z), color=Colour.FEED_FORWARD, lw=2.2, label="silu(z) = z · σ(z)")
    axes.plot(record.gate, record.opened, "o", color=Colour.CANDIDATE, label=_("the neurons"))
    axes.set(xlim=(-reach, reach), ylim=(-0.6, reach), xlabel="z")
    axes.set_title(_("silu: a soft gate"), fontsize=11)
    axes.legend(loc="upper left", fontsize=9.5)
