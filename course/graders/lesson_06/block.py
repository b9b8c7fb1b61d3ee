"""The parts put together: what exercise 6.3 checks."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_

MIX, GATE = numbers(2, 4, 4, seed=6)

Part = Callable[[Tensor], Tensor]


def attention(x: Tensor) -> Tensor:
    """Every position gets the mean of those up to it, mixed."""
    return (x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None]) @ MIX


def feed_forward(x: Tensor) -> Tensor:
    return torch.tanh(x @ GATE)


def norm_1(x: Tensor) -> Tensor:
    return x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()


def norm_2(x: Tensor) -> Tensor:
    return norm_1(x) * torch.tensor([0.5, 2.0, -1.0, 3.0])


def _second_half(x: Tensor, feed_forward: Part, norm_2: Part) -> Tensor:
    return x + feed_forward(norm_2(x))


@exercise(
    "6.3",
    mistakes=(
        Mistake(
            "no-residual",
            lambda x, a, f, n1, n2: f(n2(a(n1(x)))),
            N_(
                "Nothing was added to what came in. Each part's result is added to the stream.",
                "들어온 것에 아무것도 더하지 않았습니다. 두 부품의 결과를 모두 스트림에 더하세요.",
            ),
        ),
        Mistake(
            "first-addition-missing",
            lambda x, a, f, n1, n2: _second_half(a(n1(x)), f, n2),
            N_(
                "What came in is lost after attention: x = x + attention(norm_1(x)).",
                "어텐션 다음에 처음 들어온 것이 사라졌습니다: x = x + attention(norm_1(x)).",
            ),
        ),
        Mistake(
            "second-addition-missing",
            lambda x, a, f, n1, n2: f(n2(x + a(n1(x)))),
            N_(
                "The second addition is missing: what the feed-forward layer gives is added "
                "to the stream, too.",
                "두 번째 덧셈이 빠졌습니다. 피드포워드 층의 결과도 스트림에 더합니다.",
            ),
        ),
        Mistake(
            "added-to-the-start",
            lambda x, a, f, n1, n2: x + f(n2(x + a(n1(x)))),
            N_(
                "The second addition starts again from what came in, and what attention added "
                "is lost. Add to the stream as it is after attention.",
                "두 번째 덧셈이 처음 들어온 것에서 다시 시작해서, 어텐션이 더한 것이 "
                "사라졌습니다. 어텐션을 지난 뒤의 스트림에 더하세요.",
            ),
        ),
        Mistake(
            "parallel",
            lambda x, a, f, n1, n2: x + a(n1(x)) + f(n2(x)),
            N_(
                "Both parts read what came in. In this model the feed-forward layer reads the "
                "stream after attention was added. (GPT-NeoX does it your way.)",
                "두 부품이 모두 처음 들어온 것을 읽었습니다. 이 모델의 피드포워드 층은 어텐션이 "
                "더해진 뒤의 스트림을 읽습니다. (GPT-NeoX는 이렇게 합니다.)",
            ),
        ),
        Mistake(
            "norm-after",
            lambda x, a, f, n1, n2: n2(n1(x + a(x)) + f(n1(x + a(x)))),
            N_(
                "The norms came after the additions, as in the first transformer of 2017. "
                "Here a part reads a normed copy, and the stream itself is never normed.",
                "2017년의 첫 트랜스포머처럼 더한 뒤에 정규화했습니다. 여기서는 부품이 "
                "정규화한 사본을 읽고, 스트림 자체는 정규화하지 않습니다.",
            ),
        ),
        Mistake(
            "normed-stream",
            lambda x, a, f, n1, n2: _second_half(n1(x) + a(n1(x)), f, n2),
            N_(
                "You added to the normed vector. Only attention reads the normed copy; its "
                "result is added to x itself.",
                "정규화한 벡터에 더했습니다. 정규화한 사본은 어텐션이 읽기만 하고, 결과는 x "
                "자체에 더합니다.",
            ),
        ),
        Mistake(
            "both-streams-normed",
            lambda x, a, f, n1, n2: (lambda y: n2(y) + f(n2(y)))(n1(x) + a(n1(x))),
            N_(
                "You added to the normed vectors, twice. A norm makes a copy for a part to "
                "read; the result is added to x itself.",
                "두 번 모두 정규화한 벡터에 더했습니다. 정규화는 부품이 읽을 사본을 만들 "
                "뿐이고, 결과는 x 자체에 더합니다.",
            ),
        ),
        Mistake(
            "no-norms",
            lambda x, a, f, n1, n2: (lambda y: y + f(y))(x + a(x)),
            N_(
                "The norms are missing: attention reads norm_1(x), feed-forward norm_2(x).",
                "정규화가 빠졌습니다. 어텐션은 norm_1(x)를, 피드포워드는 norm_2(x)를 읽습니다.",
            ),
        ),
        Mistake(
            "norms-swapped",
            lambda x, a, f, n1, n2: _second_half(x + a(n2(x)), f, n1),
            N_(
                "The norms are swapped: norm_1 goes before attention, norm_2 before feed-forward.",
                "정규화가 서로 바뀌었습니다. norm_1은 어텐션 앞에, norm_2는 피드포워드 앞에 "
                "옵니다.",
            ),
        ),
        Mistake(
            "one-norm-twice",
            lambda x, a, f, n1, n2: _second_half(x + a(n1(x)), f, n1),
            N_(
                "norm_1 was used twice. The feed-forward layer has its own, norm_2.",
                "norm_1을 두 번 썼습니다. 피드포워드 층에는 따로 norm_2가 있습니다.",
            ),
        ),
        Mistake(
            "second-norm-missing",
            lambda x, a, f, n1, n2: (lambda y: y + f(y))(x + a(n1(x))),
            N_(
                "The feed-forward layer read the stream as it is. It reads norm_2 of it.",
                "피드포워드 층이 스트림을 그대로 읽었습니다. norm_2를 거친 것을 읽어야 합니다.",
            ),
        ),
        Mistake(
            "wrong-order",
            lambda x, a, f, n1, n2: (lambda y: y + a(n1(y)))(x + f(n2(x))),
            N_(
                "The feed-forward layer came first. First attention, then feed-forward.",
                "피드포워드 층이 먼저 나왔습니다. 어텐션이 먼저, 피드포워드가 다음입니다.",
            ),
        ),
        Mistake(
            "only-attention",
            lambda x, a, f, n1, n2: x + a(n1(x)),
            N_(
                "The feed-forward half is missing: add feed_forward(norm_2(x)) as well.",
                "피드포워드 부분이 빠졌습니다. feed_forward(norm_2(x))도 더하세요.",
            ),
        ),
    ),
)
def block(attempt: Attempt) -> Iterator[Check]:
    for title, x in (
        (N_("a text of three positions", "위치가 셋인 글"), numbers(1, 3, 4, seed=7) * 2),
        (N_("two texts at once", "한꺼번에 글 두 개"), numbers(2, 5, 4, seed=8) * 2),
    ):
        expected = _second_half(x + attention(norm_1(x)), feed_forward, norm_2)
        yield attempt.compare(title, x, attention, feed_forward, norm_1, norm_2, expected=expected)
