"""The parts of a block: what exercises 6.1 and 6.2 check."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu, relu, silu

from course.graders.attempt import Attempt
from course.graders.models import default_model, numbers
from course.graders.spec import Check, Mistake, exercise
from utils.architecture import blocks
from utils.language import N_


def _rms(
    x: Tensor,
    weight: Tensor,
    eps: float,
    *,
    mean: bool = True,
    root: bool = True,
    square: bool = True,
    inside: bool = True,
    dim: int | tuple[int, ...] = -1,
) -> Tensor:
    """An RMSNorm with one thing or another gone wrong in it."""
    wide = x.float()
    size = wide.pow(2) if square else wide.abs()
    size = size.mean(dim, keepdim=True) if mean else size.sum(dim, keepdim=True)
    size = size + eps if inside else size
    size = size.sqrt() if root else size
    return weight * (wide / (size if inside else size + eps)).to(x.dtype)


@exercise(
    "6.1",
    mistakes=(
        Mistake(
            "eps-outside",
            lambda x, w, eps: _rms(x, w, eps, inside=False),
            N_(
                "`eps` was added after the root. It belongs inside: √(mean of squares + eps).",
                "`eps`를 제곱근 뒤에 더했습니다. 제곱근 안에 넣으세요: √(제곱의 평균 + eps).",
            ),
        ),
        Mistake(
            "no-eps",
            lambda x, w, eps: _rms(x, w, 0.0),
            N_(
                "`eps` is missing: add it to the mean of the squares, before the root.",
                "`eps`가 빠졌습니다. 제곱근을 구하기 전에 제곱의 평균에 더하세요.",
            ),
        ),
        Mistake(
            "layer-norm",
            lambda x, w, eps: _rms(x - x.mean(-1, keepdim=True), w, eps),
            N_(
                "The mean was subtracted. That is a LayerNorm; RMSNorm leaves it in.",
                "평균을 뺐습니다. 그것은 LayerNorm입니다. RMSNorm은 평균을 빼지 않습니다.",
            ),
        ),
        Mistake(
            "standard-deviation",
            lambda x, w, eps: w * (x / (x.std(-1, keepdim=True) + eps)),
            N_(
                "You divided by the standard deviation, which is measured from the mean. RMS "
                "is measured from 0: square, mean, root.",
                "표준편차로 나누었습니다. 표준편차는 평균에서 잰 것이고, RMS는 0에서 잰 "
                "것입니다. 제곱하고, 평균 내고, 제곱근을 구하세요.",
            ),
        ),
        Mistake(
            "sum-not-mean",
            lambda x, w, eps: _rms(x, w, eps, mean=False),
            N_(
                "You divided by the vector's length. Take the mean of the squares, not the sum.",
                "벡터의 길이로 나누었습니다. 제곱의 합이 아니라 평균을 쓰세요.",
            ),
        ),
        Mistake(
            "length-of-all",
            lambda x, w, eps: w * x / x.norm(),
            N_(
                "`x.norm()` is one length for all vectors together. Each has its own size: the "
                "root of the mean of its squares, over `dim=-1`.",
                "`x.norm()`은 모든 벡터를 합쳐서 잰 길이 하나입니다. 벡터마다 따로 `dim=-1`로 "
                "제곱의 평균을 내고 제곱근을 구하세요.",
            ),
        ),
        Mistake("length-of-all", lambda x, w, eps: w * x / (x.norm() + eps)),
        Mistake(
            "no-root",
            lambda x, w, eps: _rms(x, w, eps, root=False),
            N_(
                "You divided by the mean of the squares itself. Take its root first.",
                "제곱의 평균으로 그대로 나누었습니다. 먼저 제곱근을 구하세요.",
            ),
        ),
        Mistake(
            "not-squared",
            lambda x, w, eps: _rms(x, w, eps, square=False, root=False),
            N_(
                "That is the mean of the absolute values. Square, then mean, then root.",
                "이것은 절댓값의 평균입니다. 제곱하고, 평균 내고, 제곱근을 구하세요.",
            ),
        ),
        Mistake(
            "weight-forgotten",
            lambda x, w, eps: _rms(x, torch.ones_like(w), eps),
            N_(
                "The weight is missing: multiply by it at the end.",
                "weight가 빠졌습니다. 끝에서 곱하세요.",
            ),
        ),
        Mistake(
            "multiplied",
            lambda x, w, eps: w * x * (x.pow(2).mean(-1, keepdim=True) + eps).sqrt(),
            N_(
                "You multiplied by the root. Divide by it, or multiply by `rsqrt`.",
                "제곱근을 곱했습니다. 그것으로 나누거나 `rsqrt`를 곱하세요.",
            ),
        ),
        Mistake(
            "over-all",
            lambda x, w, eps: _rms(x, w, eps, dim=tuple(range(x.ndim))),
            N_(
                "The mean ran over all numbers at once. Every position has its own: `dim=-1`.",
                "모든 숫자를 한꺼번에 평균 냈습니다. 위치마다 따로 계산합니다: `dim=-1`.",
            ),
        ),
        Mistake(
            "over-positions",
            lambda x, w, eps: _rms(x, w, eps, dim=-2),
            N_(
                "The mean ran over the positions. Take it over the width, the last axis: `dim=-1`.",
                "위치를 따라 평균 냈습니다. 벡터의 숫자를 따라, 곧 마지막 축으로 평균 내세요: "
                "`dim=-1`.",
            ),
        ),
        Mistake(
            "keepdim",
            lambda x, w, eps: w * (x / (x.pow(2).mean(-1) + eps).sqrt()),
            N_(
                "The mean lost its axis. With `keepdim=True` it stays, of length 1, and fits.",
                "평균을 내면서 축이 없어졌습니다. `keepdim=True`를 주면 길이 1인 축으로 남아 "
                "모양이 맞습니다.",
            ),
        ),
        Mistake(
            "half-precision",
            lambda x, w, eps: w * (x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()),
            N_(
                "In float16 the squares of large numbers overflow to infinity. Go to float32 "
                "with `x.float()` first, and back at the end.",
                "float16에서는 큰 수를 제곱하면 무한대로 넘칩니다. 먼저 `x.float()`로 "
                "float32로 바꾸고, 끝에서 되돌리세요.",
            ),
        ),
    ),
)
def rms_norm(attempt: Attempt) -> Iterator[Check]:
    x, weight = numbers(2, 5, 8, seed=6) * 3 + 1, numbers(8, seed=7)
    half = (x * 200).half(), weight.half()
    usual: dict[str, Any] = {}
    coarse: dict[str, Any] = {"atol": 4e-3, "rtol": 4e-3}
    for title, given, close in (
        (
            N_("each vector is divided by its own size", "벡터마다 자기 크기로 나눈다"),
            (x, weight, 1e-6),
            usual,
        ),
        (
            N_(
                "a text without a batch axis, [position, width]",
                "배치 축이 없는 글, [position, width]",
            ),
            (x[0], weight, 1e-6),
            usual,
        ),
        (
            N_("eps, where the numbers are small", "수가 작을 때의 eps"),
            (x / 1000, weight, 1e-5),
            usual,
        ),
        (
            N_("float16 comes in and goes out", "float16이 들어가고 나온다"),
            (*half, 1e-6),
            coarse,
        ),
    ):
        yield attempt.compare(title, *given, expected=_rms(*given), **close)
    model, _tokenizer = default_model()
    norm: Any = blocks(model)[7].module.input_layernorm
    x = numbers(1, 3, norm.weight.shape[0], seed=8)
    title = N_(
        "the same as the model's own norm, in block 7",
        "모델의 7번 블록에 있는 정규화와 같다",
    )
    yield attempt.compare(title, x, norm.weight, norm.variance_epsilon, expected=norm(x))


def _gated(curve: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """A gated feed-forward layer with `curve` on the gate."""
    return lambda x, gate, up, down: (curve(x @ gate.T) * (x @ up.T)) @ down.T


@exercise(
    "6.2",
    mistakes=(
        Mistake(
            "gate-and-up-swapped",
            lambda x, gate, up, down: (x @ gate.T * silu(x @ up.T)) @ down.T,
            N_(
                "silu went over `up`. It belongs on the gate: silu(x @ gate.T).",
                "silu를 `up`에 적용했습니다. gate에 적용해야 합니다: silu(x @ gate.T).",
            ),
        ),
        Mistake(
            "no-silu",
            _gated(lambda z: z),
            N_(
                "silu is missing: it goes over `x @ gate.T`, before the two are multiplied.",
                "silu가 빠졌습니다. 둘을 곱하기 전에 `x @ gate.T`에 적용하세요.",
            ),
        ),
        Mistake(
            "silu-too-late",
            lambda x, gate, up, down: silu((x @ gate.T) * (x @ up.T)) @ down.T,
            N_(
                "silu went over the product. It goes over the gate alone, before that.",
                "silu를 곱한 결과에 적용했습니다. 곱하기 전에 gate에만 적용하세요.",
            ),
        ),
        Mistake(
            "sigmoid",
            _gated(torch.sigmoid),
            N_(
                "That is a sigmoid. silu is z times its sigmoid: z · sigmoid(z).",
                "이것은 시그모이드입니다. silu는 z에 그 시그모이드를 곱한 z · sigmoid(z)입니다.",
            ),
        ),
        Mistake(
            "relu",
            _gated(relu),
            N_(
                "That is ReLU. This model uses silu, z · sigmoid(z), which is smooth at 0.",
                "이것은 ReLU입니다. 이 모델은 0에서 매끄러운 silu, 곧 z · sigmoid(z)를 씁니다.",
            ),
        ),
        Mistake(
            "gelu",
            _gated(gelu),
            N_(
                "That is GELU, as in GPT-2. This model uses silu: z · sigmoid(z).",
                "이것은 GPT-2에서 쓰는 GELU입니다. 이 모델은 silu, 곧 z · sigmoid(z)를 씁니다.",
            ),
        ),
        Mistake(
            "added",
            lambda x, gate, up, down: (silu(x @ gate.T) + x @ up.T) @ down.T,
            N_(
                "Gate and up were added. They are multiplied, number by number: `*`.",
                "gate와 up을 더했습니다. 원소별로 곱해야 합니다: `*`.",
            ),
        ),
        Mistake(
            "no-gate",
            lambda x, gate, up, down: silu(x @ up.T) @ down.T,
            N_(
                "The gate is missing: silu(x @ gate.T) is multiplied by `x @ up.T`.",
                "gate가 빠졌습니다. silu(x @ gate.T)를 `x @ up.T`와 곱합니다.",
            ),
        ),
        Mistake(
            "no-up",
            lambda x, gate, up, down: silu(x @ gate.T) @ down.T,
            N_(
                "`up` is missing: multiply silu(x @ gate.T) by `x @ up.T`.",
                "`up`이 빠졌습니다. silu(x @ gate.T)에 `x @ up.T`를 곱하세요.",
            ),
        ),
        Mistake(
            "no-down",
            lambda x, gate, up, down: silu(x @ gate.T) * (x @ up.T),
            N_(
                "That is the inner vector. `@ down.T` brings it back to the width.",
                "이것은 차원이 늘어난 안쪽 벡터입니다. `@ down.T`로 원래 차원으로 되돌리세요.",
            ),
        ),
        Mistake(
            "residual-added",
            lambda x, gate, up, down: x + (silu(x @ gate.T) * (x @ up.T)) @ down.T,
            N_(
                "`x` was added. That is the block's work (exercise 6.3), not this layer's.",
                "`x`를 더했습니다. 그것은 이 층이 아니라 블록이 할 일입니다(연습 6.3).",
            ),
        ),
        Mistake(
            "not-transposed",
            lambda x, gate, up, down: (silu(x @ gate) * (x @ up)) @ down,
            N_(
                "The matrices are kept as `[out, in]`: transpose them, `x @ gate.T`.",
                "행렬은 `[out, in]`으로 들어 있습니다. `x @ gate.T`처럼 전치하세요.",
            ),
        ),
        Mistake(
            "matrix-first",
            lambda x, gate, up, down: (silu(gate @ x) * (up @ x)) @ down.T,
            N_(
                "The vectors of x are rows, so the matrix stands on the right: `x @ gate.T`.",
                "x의 벡터는 행입니다. 그래서 행렬은 오른쪽에 옵니다: `x @ gate.T`.",
            ),
        ),
    ),
)
def feed_forward(attempt: Attempt) -> Iterator[Check]:
    gate, up = numbers(2, 6, 4, seed=6)
    down, right = numbers(4, 6, seed=7), _gated(silu)
    for title, x in (
        (N_("a text of three positions", "위치가 셋인 글"), numbers(1, 3, 4, seed=8)),
        (N_("two texts at once", "한꺼번에 글 두 개"), numbers(2, 5, 4, seed=9)),
        (
            N_(
                "a text without a batch axis, [position, width]",
                "배치 축이 없는 글, [position, width]",
            ),
            numbers(3, 4, seed=10),
        ),
    ):
        given = x, gate, up, down
        yield attempt.compare(title, *given, expected=right(*given))
    model, _tokenizer = default_model()
    layer: Any = blocks(model)[22].feed_forward
    weights = [part.weight for part in (layer.gate_proj, layer.up_proj, layer.down_proj)]
    x = numbers(1, 3, weights[0].shape[1], seed=11)
    title = N_(
        "the same as the model's own layer, in block 22",
        "모델의 22번 블록에 있는 층과 같다",
    )
    with torch.no_grad():
        yield attempt.compare(title, x, *weights, expected=layer(x), atol=1e-4)
