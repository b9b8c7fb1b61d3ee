"""From the stack to probabilities: what exercises 2.3 and 2.4 check."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_


def _softmax(logits: Tensor, shift: Tensor | float = 0.0, keep: bool = True) -> Tensor:
    """A softmax over the last axis, with one thing or another gone wrong."""
    powers = (logits - shift).exp()
    return powers / powers.sum(-1, keepdim=keep)


@exercise(
    "2.3",
    mistakes=(
        Mistake(
            "overflow",
            _softmax,
            N_(
                "`exp(1000)` is too large for any float, so inf / inf came out. Subtract the "
                "largest logit first: the result is the same.",
                "`exp(1000)`은 부동소수점으로 나타낼 수 없을 만큼 커서 inf / inf가 "
                "되었습니다. 가장 큰 로짓을 먼저 빼세요. 결과는 같습니다.",
            ),
        ),
        Mistake(
            "global-max",
            lambda x: _softmax(x, shift=x.max()),
            N_(
                "You subtracted the largest logit of all rows, so a row of small ones "
                "vanishes and 0 / 0 comes out. Subtract each row's own: `max(dim=-1, "
                "keepdim=True)`.",
                "모든 행을 통틀어 가장 큰 로짓을 뺐습니다. 그러면 작은 로짓만 있는 행이 "
                "사라져 0 / 0이 됩니다. 행마다 자기 최댓값을 빼세요: `max(dim=-1, "
                "keepdim=True)`.",
            ),
        ),
        Mistake(
            "wrong-axis",
            lambda x: x.softmax(0),
            N_(
                "It sums to 1 over the wrong axis. The tokens stand on the last one: dim=-1.",
                "합이 1이 된 축이 다릅니다. 토큰은 마지막 축에 있습니다: dim=-1.",
            ),
        ),
        Mistake(
            "all-axes",
            lambda x: x.flatten().softmax(0).view(x.shape),
            N_(
                "All rows together sum to 1. Each row on the last axis should.",
                "모든 행을 합쳐서 1이 되었습니다. 마지막 축의 행마다 1이 되어야 합니다.",
            ),
        ),
        Mistake(
            "no-keepdim",
            lambda x: _softmax(x, shift=x.amax(-1, keepdim=True), keep=False),
            N_(
                "The sums lost their axis, so they met the wrong rows: `keepdim=True`.",
                "합을 구하면서 축이 없어져 다른 행의 합으로 나누었습니다. 축을 남기세요: "
                "`keepdim=True`.",
            ),
        ),
        Mistake("no-keepdim", lambda x: _softmax(x, keep=False)),
        Mistake(
            "no-exp",
            lambda x: x / x.sum(-1, keepdim=True),
            N_(
                "Logits can be negative, so dividing by their sum is not enough: take `exp` first.",
                "로짓은 음수일 수 있어서 합으로 나누는 것만으로는 안 됩니다. 먼저 `exp`를 "
                "취하세요.",
            ),
        ),
        Mistake(
            "not-normalised",
            lambda x: (x - x.amax(-1, keepdim=True)).exp(),
            N_(
                "These do not sum to 1 yet: divide by their sum.",
                "아직 합이 1이 아닙니다. 합으로 나누세요.",
            ),
        ),
        Mistake("not-normalised", lambda x: x.exp()),
        Mistake(
            "logarithms",
            lambda x: x.log_softmax(-1),
            N_(
                "Those are the logarithms of the probabilities: a softmax, not a log-softmax.",
                "확률의 로그입니다. 로그 소프트맥스가 아니라 소프트맥스가 필요합니다.",
            ),
        ),
        Mistake(
            "min-not-max",
            lambda x: _softmax(x, shift=x.amin(-1, keepdim=True)),
            N_(
                "You subtracted the smallest logit. Subtract the largest, so that none is above 0.",
                "가장 작은 로짓을 뺐습니다. 가장 큰 것을 빼야 0을 넘는 것이 없어집니다.",
            ),
        ),
    ),
)
def softmax(attempt: Attempt) -> Iterator[Check]:
    square = numbers(3, 3, seed=1) * 2
    for title, logits in (
        (N_("one row of logits", "로짓 한 행"), torch.tensor([1.0, -2.0, 3.0, 0.5])),
        (N_("three rows, each by itself", "세 행, 행마다 따로"), square),
        (N_("logits a hundred apart", "100씩 차이 나는 로짓"), torch.tensor([50.0, -50.0, 49.0])),
        (N_("a logit of 1000", "로짓 1000"), torch.tensor([1000.0, 998.0, -5.0])),
        (
            N_("a logit of -inf: probability 0", "로짓 -inf: 확률 0"),
            torch.tensor([-torch.inf, 0.0, 1.0]),
        ),
        (
            N_("rows far apart", "크기가 크게 다른 행들"),
            torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, -1.0]]),
        ),
        (N_("three axes", "축이 셋일 때"), numbers(2, 3, 4, seed=2) * 3),
    ):
        expected = logits.softmax(-1)
        yield attempt.compare(title, logits, expected=expected)


@exercise(
    "2.4",
    mistakes=(
        Mistake(
            "not-transposed",
            lambda hidden, weight: hidden @ weight,
            N_(
                "`weight` is `[vocab, width]`: turn it round, `weight.T`, to multiply by it.",
                "`weight`는 `[vocab, width]`입니다. 곱하려면 `weight.T`로 뒤집으세요.",
            ),
        ),
        Mistake(
            "axes-swapped",
            lambda hidden, weight: weight @ hidden.transpose(-1, -2),
            N_(
                "Positions and tokens are swapped: `hidden @ weight.T` has positions first.",
                "위치와 토큰이 뒤바뀌었습니다. `hidden @ weight.T`는 위치가 앞에 옵니다.",
            ),
        ),
        Mistake(
            "wrong-way-round",
            lambda hidden, weight: weight @ hidden,
            N_(
                "The hidden states come first in the product: `hidden @ weight.T`.",
                "곱할 때 은닉 상태가 앞에 옵니다: `hidden @ weight.T`.",
            ),
        ),
        Mistake(
            "probabilities",
            lambda hidden, weight: (hidden @ weight.T).softmax(-1),
            N_(
                "Those are probabilities. The LM head ends before the softmax, with logits.",
                "확률입니다. LM 헤드는 소프트맥스 앞, 로짓에서 끝납니다.",
            ),
        ),
        Mistake(
            "only-the-last",
            lambda hidden, weight: (hidden @ weight.T)[..., -1, :],
            N_(
                "Only the last position is there. Give logits for every position.",
                "마지막 위치만 있습니다. 모든 위치의 로짓을 돌려주세요.",
            ),
        ),
        Mistake(
            "ids-not-logits",
            lambda hidden, weight: (hidden @ weight.T).argmax(-1),
            N_(
                "Those are ids: a choice was made already. All the logits are asked for.",
                "id입니다. 벌써 하나를 골랐습니다. 로짓 전부를 돌려주세요.",
            ),
        ),
        Mistake(
            "cosines",
            lambda hidden, weight: normalize(hidden, dim=-1) @ normalize(weight, dim=-1).T,
            N_(
                "Those are cosines. The LM head takes plain dot products, lengths and all.",
                "코사인입니다. LM 헤드는 길이까지 포함한 내적을 그대로 씁니다.",
            ),
        ),
    ),
)
def lm_head(attempt: Attempt) -> Iterator[Check]:
    weight, square = numbers(7, 4, seed=4), numbers(4, 4, seed=5)
    for title, hidden, matrix in (
        (N_("three positions", "위치 세 개"), numbers(3, 4, seed=6), weight),
        (N_("a batch of two texts", "글 두 개짜리 배치"), numbers(2, 3, 4, seed=7), weight),
        (
            N_("as many tokens as numbers in a vector", "토큰 수와 벡터의 크기가 같을 때"),
            numbers(2, 4, seed=8),
            square,
        ),
    ):
        expected = hidden @ matrix.T
        yield attempt.compare(title, hidden, matrix, expected=expected)
