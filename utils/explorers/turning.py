"""The explorer of rotary positions: a query and a key turn, and only their distance counts."""

import ipywidgets as widgets

from utils.explorers.base import Explorer
from utils.figures.turning import turning_picture
from utils.language import _
from utils.turning import Turning

WIDE = {"description_width": "initial"}


class TurningExplorer(Explorer):
    """How a query and a key of four numbers turn with their positions, and their dot product.

    Controls: `key_position`, `distance` (how many tokens later the query stands).
    """

    picture = staticmethod(turning_picture)

    def __init__(self) -> None:
        controls = {
            "key_position": widgets.IntSlider(
                0, 0, 20, description=_("position of the key"), style=WIDE
            ),
            "distance": widgets.IntSlider(3, 0, 10, description=_("distance"), style=WIDE),
        }
        super().__init__(controls)

    def record(self, key_position: int, distance: int) -> Turning:
        return Turning(key_position, distance)
