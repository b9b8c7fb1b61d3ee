"""Lesson 06, the parts of a block: what exercises 6.1 and 6.2 check."""

import torch
from torch.nn.functional import gelu, relu, silu

from course.graders.grading import Mistake, exercise
from course.graders.lesson_01 import default_model
from utils.architecture import blocks
from utils.language import N_, _


def rms(x, weight, eps, *, mean=True, root=True, square=True, inside=True, dim=-1):
    """An RMSNorm with one thing or another gone wrong in it."""
    wide = x.float()
    size = wide.pow(2) if square else wide.abs()
    size = size.mean(dim, keepdim=True) if mean else size.sum(dim, keepdim=True)
    size = size + eps if inside else size
    size = size.sqrt() if root else size
    return weight * (wide / (size if inside else size + eps)).to(x.dtype)


@exercise(
    "6.1",
    title=N_("RMSNorm"),
    kind="implement",
    difficulty=2,
    minutes=10,
    hints=(
        N_("RMS is read from the right: square, mean over the last axis, root."),
        N_(
            "`x.float().pow(2).mean(-1, keepdim=True)` is the mean of the squares. Add `eps` to it "
            "before you take the root."
        ),
        N_(
            "Divide `x.float()` by that root, go back with `.to(x.dtype)`, and multiply by "
            "`weight`."
        ),
    ),
)
def rms_norm(attempt):
    mistakes = (
        Mistake(
            "eps-outside",
            lambda x, w, eps: rms(x, w, eps, inside=False),
            N_("`eps` was added after the root. It belongs inside: √(mean of squares + eps)."),
        ),
        Mistake(
            "no-eps",
            lambda x, w, eps: rms(x, w, 0.0),
            N_("`eps` is missing: add it to the mean of the squares, before the root."),
        ),
        Mistake(
            "layer-norm",
            lambda x, w, eps: rms(x - x.mean(-1, keepdim=True), w, eps),
            N_("The mean was subtracted. That is a LayerNorm; RMSNorm leaves it in."),
        ),
        Mistake(
            "standard-deviation",
            lambda x, w, eps: w * (x / (x.std(-1, keepdim=True) + eps)),
            N_(
                "You divided by the standard deviation, which is measured from the mean. RMS is "
                "measured from 0: square, mean, root."
            ),
        ),
        Mistake(
            "sum-not-mean",
            lambda x, w, eps: rms(x, w, eps, mean=False),
            N_("You divided by the vector's length. Take the mean of the squares, not the sum."),
        ),
        Mistake(
            "no-root",
            lambda x, w, eps: rms(x, w, eps, root=False),
            N_("You divided by the mean of the squares itself. Take its root first."),
        ),
        Mistake(
            "not-squared",
            lambda x, w, eps: rms(x, w, eps, square=False, root=False),
            N_("That is the mean of the absolute values. Square, then mean, then root."),
        ),
        Mistake(
            "weight-forgotten",
            lambda x, w, eps: rms(x, torch.ones_like(w), eps),
            N_("The weight is missing: multiply by it at the end."),
        ),
        Mistake(
            "multiplied",
            lambda x, w, eps: w * x * (x.pow(2).mean(-1, keepdim=True) + eps).sqrt(),
            N_("You multiplied by the root. Divide by it, or multiply by `rsqrt`."),
        ),
        Mistake(
            "over-all",
            lambda x, w, eps: rms(x, w, eps, dim=tuple(range(x.ndim))),
            N_("The mean ran over all numbers at once. Every position has its own: `dim=-1`."),
        ),
        Mistake(
            "over-positions",
            lambda x, w, eps: rms(x, w, eps, dim=-2),
            N_("The mean ran over the positions. Take it over the width, the last axis: `dim=-1`."),
        ),
        Mistake(
            "keepdim",
            lambda x, w, eps: w * (x / (x.pow(2).mean(-1) + eps).sqrt()),
            N_("The mean lost its axis. With `keepdim=True` it stays, of length 1, and fits."),
        ),
        Mistake(
            "half-precision",
            lambda x, w, eps: w * (x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()),
            N_(
                "In float16 the squares of large numbers overflow to infinity. Go to float32 with "
                "`x.float()` first, and back at the end."
            ),
        ),
    )
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(2, 5, 8, generator=generator) * 3 + 1
    weight = torch.randn(8, generator=generator)
    half = (x * 200).half(), weight.half()
    for title, given, close in (
        (_("each vector is divided by its own size"), (x, weight, 1e-6), {}),
        (_("a text without a batch axis, [position, width]"), (x[0], weight, 1e-6), {}),
        (_("eps, where the numbers are small"), (x / 1000, weight, 1e-5), {}),
        (_("float16 comes in and goes out"), (*half, 1e-6), {"atol": 4e-3, "rtol": 4e-3}),
    ):
        yield attempt.compare(title, *given, expected=rms(*given), mistakes=mistakes, **close)
    model, _tokenizer = default_model()
    norm = blocks(model)[7].module.input_layernorm
    x = torch.randn(1, 3, norm.weight.shape[0], generator=generator)
    title = _("the same as the model's own norm, in block 7")
    eps = norm.variance_epsilon
    yield attempt.compare(title, x, norm.weight, eps, expected=norm(x), mistakes=mistakes)


@exercise(
    "6.2",
    title=N_("The feed-forward layer"),
    kind="implement",
    difficulty=2,
    minutes=10,
    hints=(
        N_(
            "A matrix is kept as `[out, in]`. So `x @ gate.T` turns a vector of `width` numbers "
            "into one of `inner`."
        ),
        N_("Only the gate goes through silu; its result is multiplied by `x @ up.T`, one by one."),
        N_(
            "`torch.nn.functional.silu(x @ gate.T) * (x @ up.T)` is the inner vector; `@ down.T` "
            "brings it back to the width."
        ),
    ),
)
def feed_forward(attempt):
    def gated(curve):
        return lambda x, gate, up, down: (curve(x @ gate.T) * (x @ up.T)) @ down.T

    mistakes = (
        Mistake(
            "gate-and-up-swapped",
            lambda x, gate, up, down: (x @ gate.T * silu(x @ up.T)) @ down.T,
            N_("silu went over `up`. It belongs on the gate: silu(x @ gate.T)."),
        ),
        Mistake(
            "no-silu",
            gated(lambda z: z),
            N_("silu is missing: it goes over `x @ gate.T`, before the two are multiplied."),
        ),
        Mistake(
            "silu-too-late",
            lambda x, gate, up, down: silu((x @ gate.T) * (x @ up.T)) @ down.T,
            N_("silu went over the product. It goes over the gate alone, before that."),
        ),
        Mistake(
            "sigmoid",
            gated(torch.sigmoid),
            N_("That is a sigmoid. silu is z times its sigmoid: z · sigmoid(z)."),
        ),
        Mistake(
            "relu",
            gated(relu),
            N_("That is ReLU. This model uses silu, z · sigmoid(z), which is smooth at 0."),
        ),
        Mistake(
            "gelu",
            gated(gelu),
            N_("That is GELU, as in GPT-2. This model uses silu: z · sigmoid(z)."),
        ),
        Mistake(
            "added",
            lambda x, gate, up, down: (silu(x @ gate.T) + x @ up.T) @ down.T,
            N_("Gate and up were added. They are multiplied, number by number: `*`."),
        ),
        Mistake(
            "no-gate",
            lambda x, gate, up, down: silu(x @ up.T) @ down.T,
            N_("The gate is missing: silu(x @ gate.T) is multiplied by `x @ up.T`."),
        ),
        Mistake(
            "no-up",
            lambda x, gate, up, down: silu(x @ gate.T) @ down.T,
            N_("`up` is missing: multiply silu(x @ gate.T) by `x @ up.T`."),
        ),
        Mistake(
            "no-down",
            lambda x, gate, up, down: silu(x @ gate.T) * (x @ up.T),
            N_("That is the inner vector. `@ down.T` brings it back to the width."),
        ),
        Mistake(
            "residual-added",
            lambda x, gate, up, down: x + (silu(x @ gate.T) * (x @ up.T)) @ down.T,
            N_("`x` was added. That is the block's work (exercise 6.3), not this layer's."),
        ),
        Mistake(
            "not-transposed",
            lambda x, gate, up, down: (silu(x @ gate) * (x @ up)) @ down,
            N_("The matrices are kept as `[out, in]`: transpose them, `x @ gate.T`."),
        ),
        Mistake(
            "matrix-first",
            lambda x, gate, up, down: (silu(gate @ x) * (up @ x)) @ down.T,
            N_("The vectors of x are rows, so the matrix stands on the right: `x @ gate.T`."),
        ),
    )
    generator = torch.Generator().manual_seed(6)
    gate, up = torch.randn(2, 6, 4, generator=generator)
    down = torch.randn(4, 6, generator=generator)
    right = gated(silu)
    for title, shape in (
        (_("a text of three positions"), (1, 3, 4)),
        (_("two texts at once"), (2, 5, 4)),
        (_("a text without a batch axis, [position, width]"), (3, 4)),
    ):
        given = torch.randn(shape, generator=generator), gate, up, down
        yield attempt.compare(title, *given, expected=right(*given), mistakes=mistakes)
    model, _tokenizer = default_model()
    layer = blocks(model)[22].feed_forward
    weights = [part.weight for part in (layer.gate_proj, layer.up_proj, layer.down_proj)]
    x = torch.randn(1, 3, weights[0].shape[1], generator=generator)
    title = _("the same as the model's own layer, in block 22")
    with torch.no_grad():
        yield attempt.compare(title, x, *weights, expected=layer(x), mistakes=mistakes, atol=1e-4)
