"""A picture in a notebook that is open: it answers the pointer, wherever the front end lets it.

Its front end is one anywidget.  Until that has said that it runs, and where it never does, the
picture is plain HTML, so that it is there in every front end.
"""

import base64
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
from traitlets import Bytes, Dict, List

from utils.language import _

FRONT_END, LOOK = (
    (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("view.js", "view.css")
)
# ipywidgets shows a red box for a widget without a front end; what it says comes from `_without`.
STYLE = """<style>
.course-view .jupyter-widgets-error-widget { display: none; }
.course-view .course-late { visibility: hidden; animation: course-late 0s 8s forwards; }
@keyframes course-late { to { visibility: visible; } }
</style>"""


class _FrontEnd(anywidget.AnyWidget):
    """What `view.js` shows.  It sends {alive: true}, and {pick: region, of: version}."""

    _esm, _css = FRONT_END, LOOK
    png = Bytes().tag(sync=True)
    # of each the box, the text, and whether a click sets anything; or, a text, what it opens
    regions: List[Any] = List().tag(sync=True)
    shown = Dict().tag(sync=True)  # width in CSS pixels, words, and a number that no other has
    says = Dict().tag(sync=True)
    kept = Dict().tag(sync=True)  # filled by the front end, in a notebook that is saved

    def __init__(self) -> None:
        wakes = _("To wake it up: Run ▸ Run All Above Selected Cell, then this cell.")
        super().__init__(
            shown={"width": 0, "words": "", "version": 0},
            says={
                "asleep": _("This is what was seen last.") + " " + wakes,
                "missing": _(
                    "{name} is given by a cell above, which has not run since the kernel started: "
                    "Run ▸ Run All Above Selected Cell, then this cell."
                ),
                "restarted": _("The kernel is new, and does not know this any more.") + " " + wakes,
            },
        )


class PictureView(widgets.VBox):
    """The live face of a picture.  `on_pick(number)` is told which region was clicked."""

    def __init__(self, on_pick: Callable[[int], None] | None = None):
        self.plain, self._front_end = widgets.HTML(), _FrontEnd()
        self._alive, self._on_pick = False, on_pick
        self._front_end.on_msg(self._hear)
        super().__init__([self.plain, self._front_end])
        self.add_class("course-view")

    def show(
        self, png: bytes, width: int, words: str, regions: Sequence[tuple[Any, str, bool | str]]
    ) -> None:
        """Show this image; a click on a region that is not the last one's counts no more."""
        self._shown = png, width, words
        shown = {"width": width, "words": words, "version": self._front_end.shown["version"] + 1}
        with self._front_end.hold_sync():
            self._front_end.regions = [[list(box), text, sets] for box, text, sets in regions]
            if self._alive:
                self._front_end.png = png
            self._front_end.shown = shown
        if not self._alive:
            image = base64.b64encode(png).decode()
            self.plain.value = STYLE + image_html(image, width, words) + _without()

    def _hear(self, _widget: Any, said: dict, _buffers: Any) -> None:
        if said.get("alive") and not self._alive:
            self._alive = True
            with self._front_end.hold_sync():
                self._front_end.png, _width, _words = self._shown
                version = self._front_end.shown["version"] + 1
                self._front_end.shown = {**self._front_end.shown, "version": version}
            self.plain.value = STYLE
        elif self._on_pick and said.get("of") == self._front_end.shown["version"]:
            self._on_pick(said["pick"])


def image_html(image: str, width: int, words: str) -> str:
    """A PNG, in base64, as HTML; never wider than the page, and with `words` as its alt text."""
    return (
        f'<img alt="{html.escape(words, quote=True)}" src="data:image/png;base64,{image}" '
        f'width="{width}" style="max-width:100%;height:auto">'
    )


def _without() -> str:
    """What is said, after a while, where no front end has come to life."""
    says = _(
        "The picture cannot be touched here; the controls work. For the rest, the browser's part "
        "of anywidget is missing: `python -m course doctor` says how to get it."
    )
    return f'<div class="course-late">{html.escape(says)}</div>'
