"""A picture that a cell can end with: shown where pictures are, said in words everywhere else."""

import base64
import html

import ipywidgets as widgets
from matplotlib.figure import Figure

from utils.figures.style import CSS_PIXELS_PER_INCH, png


class Picture:
    """A figure, and `words` that say what it shows: to a screen reader, to nbval, to a test."""

    def __init__(self, figure: Figure, words: str):
        self.figure, self.words = figure, words

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **options) -> tuple[dict, dict]:
        image = base64.b64encode(png(self.figure)).decode()
        width = round(self.figure.get_figwidth() * CSS_PIXELS_PER_INCH)
        # JupyterLab gives an image/png no alt text, whatever its metadata say; a widget can.
        live = widgets.HTML(
            f'<img alt="{html.escape(self.words, quote=True)}" '
            f'src="data:image/png;base64,{image}" width="{width}" '
            'style="max-width:100%;height:auto">'
        )
        bundle = live._repr_mimebundle_(**options)
        bundle |= {"text/plain": self.words, "image/png": image}
        return bundle, {"image/png": {"width": width, "alt": self.words}}
