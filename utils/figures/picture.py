"""A picture: a figure, the same in words, and where on it its things are.

It is made from a record alone, by one function beside the drawing. A cell can end with it, and an
explorer shows it.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from utils.figures.page import Box
from utils.figures.style import CSS_PIXELS_PER_INCH, png
from utils.figures.view import PictureView


@dataclass(frozen=True)
class Region:
    """One thing of a picture that can be pointed at."""

    box: Box  # left, top, width, height in CSS pixels, from the figure's top left
    text: str  # what it is, and its number
    sets: Mapping[str, object] = field(default_factory=dict)  # control → the value a click gives it
    named: Mapping[str, object] = field(default_factory=dict)  # what else it may be picked by
    href: str = ""  # what a click opens, seen from the notebook; then it sets nothing


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A figure, and `words` that say what it shows: to a screen reader, to nbval, to a test."""

    figure: Figure
    words: str
    regions: tuple[Region, ...] = ()  # where two overlap, the later one lies on top

    @property
    def width(self) -> int:
        """In CSS pixels."""
        return round(self.figure.get_figwidth() * CSS_PIXELS_PER_INCH)

    def image(self) -> bytes:
        """The figure as PNG."""
        return png(self.figure)

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict]:
        image = self.image()
        # JupyterLab gives an image/png no alt text, whatever its metadata say; a widget can.
        live = PictureView()
        live.add_class("course-widget")
        live.show(image, self.width, self.words, in_front(self.regions))
        bundle = live._repr_mimebundle_(**options)
        bundle |= {"text/plain": self.words, "image/png": base64.b64encode(image).decode()}
        return bundle, image_metadata(self.width, self.words)


def in_front(regions: Sequence[Region]) -> list[tuple[Box, str, bool | str]]:
    """What a front end is told of regions: at last, if a click sets anything, or what it opens."""
    return [(region.box, region.text, region.href or bool(region.sets)) for region in regions]


def image_metadata(width: int, words: str) -> dict:
    """What a saved notebook keeps beside the image: how wide it is shown, and its alt text."""
    return {"image/png": {"width": width, "alt": words}}
