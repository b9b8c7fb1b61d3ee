"""How much memory a model's cache takes, beside its weights."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from utils.figures.kv_cache import show_bytes
from utils.figures.page import axes_at, new_sheet, write_beside
from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style
from utils.language import _
from utils.memory import MemoryUse


@in_course_style
def memory_picture(use: MemoryUse) -> Picture:
    """Bars of weights and cache above; below, the cache against the length of the text."""
    figure = new_sheet(470)
    write_beside(figure, 9, 7, _headline(use), va="top", fontsize=12)
    _draw_bars(axes_at(figure, 215, 38, 440, 103), use)
    _draw_curve(axes_at(figure, 85, 207, 460, 207), use)
    return Picture(figure, memory_words(use))


def memory_words(use: MemoryUse) -> str:
    """The bytes of weights and cache, and what in the model's build they come from."""
    model = use.model
    lines = [
        _headline(use),
        _("weights {weights}, cache {cache}: {ratio:.2g} times the weights").format(
            weights=show_bytes(use.weights),
            cache=show_bytes(use.cache),
            ratio=use.cache / use.weights,
        ),
    ]
    if model.kv_heads == model.heads:
        says = _("multi-head: each of the {heads} query heads has keys and values of its own")
        lines.append(says.format(heads=model.heads))
    else:
        lines.append(
            _(
                "grouped-query: {heads} query heads share {kv_heads} key-value heads; with "
                "{heads} it would be {cache}"
            ).format(heads=model.heads, kv_heads=model.kv_heads, cache=show_bytes(use.multi_head))
        )
    window = getattr(model.config, "sliding_window", None)
    if window and use.tokens >= window:
        says = _("it looks back {window:,} tokens at most, and keeps no more than that")
        lines.append(says.format(window=window))
    if use.tokens > model.context:
        says = _("more than its context length of {context:,}: what it would take")
        lines.append(says.format(context=model.context))
    return "\n".join(lines)


def _headline(use: MemoryUse) -> str:
    return _("{model}: {texts} × {tokens:,} tokens, {number}").format(
        model=use.model.name,
        texts=use.batch,
        tokens=use.tokens,
        number=str(use.dtype).removeprefix("torch."),
    )


def _bars(use: MemoryUse) -> list[tuple[str, int, str, str]]:
    """(label, bytes, colour, hatch) of each bar."""
    model = use.model
    multi_head = _("cache, multi-head ({heads})").format(heads=model.heads)
    weights = (_("weights"), use.weights, "#BFBFBF", "")
    if model.kv_heads == model.heads:
        return [weights, (multi_head, use.cache, Colour.CACHED, "")]
    grouped = _("cache, grouped-query ({kv_heads})").format(kv_heads=model.kv_heads)
    return [
        weights,
        (grouped, use.cache, Colour.CACHED, ""),
        (multi_head, use.multi_head, "white", "///"),
    ]


def _draw_bars(axes: Axes, use: MemoryUse) -> None:
    bars = _bars(use)
    sizes = [size for _label, size, _colour, _hatch in bars]
    for row, (_label, size, colour, hatch) in enumerate(bars):
        edge = Colour.CACHED if hatch else colour
        axes.barh(row, size, color=colour, edgecolor=edge, hatch=hatch, height=0.62)
        axes.text(size + max(sizes) * 0.015, row, show_bytes(size), va="center")
    axes.set_yticks(range(len(bars)), [label for label, *_rest in bars])
    axes.set(ylim=(2.5, -0.5), xlim=(0, max(sizes)), xticks=[])
    axes.tick_params(left=False)
    axes.spines["bottom"].set_visible(False)


def _draw_curve(axes: Axes, use: MemoryUse) -> None:
    tokens, cache, multi_head = zip(*use.curve, strict=True)
    axes.loglog(tokens, cache, color=Colour.CACHED, marker=".")
    ends = [(_("cache"), cache[-1], Colour.CACHED), (_("weights"), use.weights, Colour.QUIET)]
    if multi_head != cache:
        axes.loglog(tokens, multi_head, color=Colour.CACHED, ls="--")
        ends.append((_("cache, multi-head"), multi_head[-1], Colour.CACHED))
    axes.axhline(use.weights, color=Colour.QUIET)
    low, high = min(cache), max(*multi_head, use.weights)
    axes.axvline(use.model.context, color=Colour.QUIET, ls=":")
    axes.annotate(
        _("context length"),
        (use.model.context, 1.02),
        xycoords=("data", "axes fraction"),
        ha="center",
        color=Colour.QUIET,
    )
    axes.plot(use.tokens, use.cache, "o", ms=9, color=Colour.CHOSEN, zorder=3)
    axes.set(xlim=(tokens[0], tokens[-1]), ylim=(low / 2, high * 2))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _place: show_bytes(y)))
    axes.xaxis.set_ticks([128, 1024, 8192, 65536])
    axes.minorticks_off()
    axes.set_xlabel(_("tokens in each text"))
    axes.grid(True)
    _label_ends(axes, sorted(ends, key=lambda end: end[1]), low / 2, high * 2)


def _label_ends(
    axes: Axes, ends: Sequence[tuple[str, float, str]], low: float, high: float
) -> None:
    """Each line's name at its right end, at least a line of text apart."""
    apart = (high / low) ** (1 / 13)
    place = 0.0
    for text, value, colour in ends:
        place = max(value, place * apart)
        axes.annotate(
            text, (1.02, place), xycoords=("axes fraction", "data"), va="center", color=colour
        )
