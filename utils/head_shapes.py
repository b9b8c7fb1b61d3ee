"""What the tensors of an attention layer look like, from the projection to the repeated heads."""

from dataclasses import dataclass

from utils.architecture import head_count
from utils.model import Model


@dataclass(frozen=True)
class HeadShapes:
    """The sizes of one layer's queries, and of its keys or values."""

    positions: int
    heads: int
    kv_heads: int
    head_dim: int

    @property
    def groups(self) -> int:
        """How many query heads share one key-value head."""
        return self.heads // self.kv_heads


def head_shapes(model: Model, positions: int) -> HeadShapes:
    """The sizes in `model`, for a text of so many positions."""
    config = model.config.get_text_config()
    heads = head_count(model)
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    return HeadShapes(positions, heads, kv_heads, head_dim)
