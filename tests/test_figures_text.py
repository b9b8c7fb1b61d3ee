"""Text that is painted once: on whole pixels it is what matplotlib paints."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from utils.figures import text
from utils.figures.style import STYLE
from utils.figures.text import StampingRenderer


def painted(renderer, says: str, angle: float) -> np.ndarray:
    graphics = renderer.new_gc()
    graphics.set_foreground("#222222")
    prop = FontProperties(family=STYLE["font.family"], size=10.5)
    renderer.draw_text(graphics, 60, 120, says, prop, angle)
    return np.asarray(renderer.buffer_rgba()).astype(int)


@pytest.mark.parametrize("angle", [0, 90])
@pytest.mark.parametrize("says", ["␣Paris 0.77", "다음 토큰", "∅", " "])
def test_a_stamp_is_what_matplotlib_paints(says, angle):
    size = (240, 240, 192)
    own = painted(StampingRenderer(*size), says, angle)
    theirs = painted(RendererAgg(*size), says, angle)
    assert (theirs != painted(RendererAgg(*size), "", 0)).any() == bool(says.strip())
    assert abs(own - theirs).max() <= 40  # where two letters' edges overlap


def test_a_text_is_painted_once():
    text._stamp.cache_clear()
    for _step in range(3):
        painted(StampingRenderer(240, 240, 192), "once", 0)
    assert text._stamp.cache_info().misses == 1
