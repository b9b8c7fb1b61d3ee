"""Several texts in one pass: what all of them gain, and what each of them waits."""

from matplotlib.ticker import FuncFormatter, NullFormatter

from utils.batches import BatchTimes
from utils.figures.page import axes_at, new_sheet
from utils.figures.picture import Picture
from utils.figures.style import Colour, in_course_style
from utils.language import _


@in_course_style
def batch_times_picture(times: BatchTimes) -> Picture:
    """Left, tokens a second of all texts together; right, how long each waits for its next."""
    figure = new_sheet(330)
    left, right = (axes_at(figure, x, 50, 280, 210) for x in (72, 440))
    speeds = times.tokens_a_second()
    left.plot(times.texts, speeds, "o-", color=Colour.CANDIDATE)
    in_proportion = [speeds[0] * n / times.texts[0] for n in times.texts]
    label = _("if a pass took no longer")
    left.plot(times.texts, in_proportion, ls="--", color=Colour.QUIET, label=label)
    left.legend(loc="upper left")
    left.set_title(_("tokens per second, all texts together"), fontsize=11)
    right.plot(times.texts, [s * 1000 for s in times.seconds], "s-", color=Colour.NOT_CACHED)
    right.set_title(_("milliseconds for a token of each text"), fontsize=11)
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set(xlabel=_("texts at once"), xticks=times.texts, ylim=(0, None))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _place: f"{n:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(True)
    left.set(ylim=(0, 1.8 * max(speeds)))
    return Picture(figure, batch_times_words(times))


def batch_times_words(times: BatchTimes) -> str:
    """A line for each number of texts: tokens a second of all, and milliseconds of a pass."""
    says = _("texts at once: {texts}; {speed:.0f} tokens/s together, {wait:.0f} ms for each token")
    return "\n".join(
        says.format(texts=texts, speed=speed, wait=seconds * 1000)
        for texts, speed, seconds in zip(
            times.texts, times.tokens_a_second(), times.seconds, strict=True
        )
    )
