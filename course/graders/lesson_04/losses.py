"""How surprised the model is, position by position: what exercise 4.5 checks."""

from collections.abc import Iterator

import torch
from torch.nn.functional import cross_entropy

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_, _
from utils.losses import loss_by_position


@exercise(
    "4.5",
    mistakes=(
        Mistake(
            "not-shifted",
            lambda logits, ids: cross_entropy(logits[0], ids[0], reduction="none"),
            N_(
                "Each position was compared with its own token. Its logits are for the next "
                "one: shift by one.",
                "위치마다 자기 토큰과 비교했습니다. 로짓은 다음 토큰에 대한 것이므로 한 칸 "
                "밀어야 합니다.",
            ),
        ),
        Mistake(
            "both-cut-alike",
            lambda logits, ids: cross_entropy(logits[0, :-1], ids[0, :-1], reduction="none"),
            N_(
                "Both lost their last position, so each is still compared with its own token. "
                "The ids lose their first.",
                "둘 다 마지막 위치를 잘라서 여전히 자기 토큰과 비교합니다. id에서는 첫 토큰을 "
                "빼세요.",
            ),
        ),
        Mistake(
            "shifted-backwards",
            lambda logits, ids: cross_entropy(logits[0, 1:], ids[0, :-1], reduction="none"),
            N_(
                "That compares each guess with the token before. It is for the token after: "
                "`logits[0, :-1]` with `input_ids[0, 1:]`.",
                "예측을 앞 토큰과 비교했습니다. 뒤 토큰에 대한 예측이므로 `logits[0, :-1]`을 "
                "`input_ids[0, 1:]`과 비교하세요.",
            ),
        ),
        Mistake(
            "averaged",
            lambda logits, ids: cross_entropy(logits[0, :-1], ids[0, 1:]),
            N_(
                "That is the mean of all positions. `reduction='none'` keeps them apart.",
                "모든 위치의 평균입니다. `reduction='none'`을 쓰면 따로따로 나옵니다.",
            ),
        ),
        Mistake("averaged", lambda logits, ids: cross_entropy(logits[0], ids[0])),
        Mistake(
            "sign",
            lambda logits, ids: -loss_by_position(logits, ids),
            N_(
                "The sign is missing: the loss is minus the logarithm of the probability.",
                "부호가 빠졌습니다. 손실은 확률의 로그에 음의 부호를 붙인 값입니다.",
            ),
        ),
        Mistake(
            "probability",
            lambda logits, ids: (-loss_by_position(logits, ids)).exp(),
            N_(
                "That is the probability of the token that came. The loss is minus its logarithm.",
                "실제로 나온 토큰의 확률입니다. 손실은 그 로그에 음의 부호를 붙인 값입니다.",
            ),
        ),
        Mistake(
            "logit-not-loss",
            lambda logits, ids: -logits[0, :-1].gather(1, ids[0, 1:, None])[:, 0],
            N_(
                "That is a bare logit. Turn logits into probabilities over the vocabulary "
                "first, with `log_softmax`.",
                "로짓을 그대로 썼습니다. 먼저 `log_softmax`로 어휘사전 전체에 대한 확률로 "
                "바꾸세요.",
            ),
        ),
        Mistake(
            "batch-axis",
            lambda logits, ids: cross_entropy(logits[:, :-1], ids[:, 1:], reduction="none"),
            N_(
                "With a batch axis `cross_entropy` takes axis 1 for the vocabulary. Take the "
                "batch away: `logits[0, …]`.",
                "배치 축이 있으면 `cross_entropy`는 1번 축을 어휘사전으로 여깁니다. "
                "`logits[0, …]`처럼 배치 축을 빼세요.",
            ),
        ),
    ),
)
def own_losses(attempt: Attempt) -> Iterator[Check]:
    generator = torch.Generator().manual_seed(6)
    for count, vocab in ((5, 9), (2, 4)):
        logits = 3 * torch.randn(1, count, vocab, generator=generator)
        ids = torch.randint(vocab, (1, count), generator=generator)
        title = _("a text of {count} tokens", "토큰 {count}개의 글").format(count=count)
        expected = loss_by_position(logits, ids)
        yield attempt.compare(title, logits, ids, expected=expected)
