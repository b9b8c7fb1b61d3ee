"""A norm, taken apart: what it multiplies by, what it adds, and the size that it divides by.

A norm divides a vector by the vector's own size, so what it makes of a sum is no sum.  With that
size frozen it is: each part is divided by the size that the whole has.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from utils.language import _


@dataclass(frozen=True, eq=False)
class FrozenNorm:
    """A norm at one vector x, its scale frozen there: norm(x) = share(x) + bias.

    For parts that sum to x, their shares sum to share(x).  Double precision, on the CPU.
    """

    gain: Tensor  # [width]
    bias: Tensor  # [width]; zeros for an RMSNorm
    centred: bool  # whether it subtracts the mean first: LayerNorm does, RMSNorm does not
    scale: float  # what it divides by

    def share(self, part: Tensor) -> Tensor:
        """What the norm makes of a part [..., width] of its vector."""
        return self.gain * self._centre(in_double(part)) / self.scale

    def behind(self, direction: Tensor) -> Tensor:
        """The direction in front of the norm for one behind it: share(x) · d = x · behind(d)."""
        return self._centre(self.gain * in_double(direction)) / self.scale

    def _centre(self, x: Tensor) -> Tensor:
        return x - x.mean(-1, keepdim=True) if self.centred else x


@torch.no_grad()
def freeze_norm(norm: nn.Module, x: Tensor) -> FrozenNorm:
    """Take `norm` apart at the vector x, [width].  Raises ValueError for a norm of another kind.

    Found by trying what it does, so that its weights may be called anything: in Gemma's norms, for
    one, the gain is 1 + weight.
    """
    signs = torch.ones_like(x)
    signs[1::2] = -1  # mean 0 and mean square 1: to divide it by its size changes nothing
    bias = norm(torch.zeros_like(x))
    gain = in_double((norm(signs) - bias) * signs)
    given, bias = in_double(norm(x) - bias), in_double(bias)

    def attempt(centred: bool) -> tuple[float, FrozenNorm]:
        whole = FrozenNorm(gain, bias, centred, 1.0).share(x)
        scale = float(whole @ whole / (whole @ given)) if whole @ given else 1.0
        return float((whole / scale - given).norm()), FrozenNorm(gain, bias, centred, scale)

    error, frozen = min((attempt(centred) for centred in (False, True)), key=lambda tried: tried[0])
    if error > 0.02 * given.norm():
        raise ValueError(
            _(
                "{norm} is neither an RMSNorm nor a LayerNorm; it cannot be taken apart here."
            ).format(norm=type(norm).__name__)
        )
    return frozen


def in_double(x: Tensor) -> Tensor:
    """In double precision, on the CPU: sums of many parts keep all of their digits."""
    return x.detach().double().cpu()
