"""Who may look where, and the last position's logits: what exercises 4.1 and 4.2 check."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_, _, ngettext
from utils.parts import causal_mask, last_position_logits


@exercise(
    "4.1",
    mistakes=(
        Mistake(
            "upside-down",
            lambda n: causal_mask(n).T,
            N_(
                "Each position looks at the later ones here. Rows are queries: keep the lower "
                "left, `tril`.",
                "위치마다 자기 뒤를 보고 있습니다. 행이 보는 쪽입니다. 왼쪽 아래를 남기는 "
                "`tril`을 쓰세요.",
            ),
        ),
        Mistake(
            "itself-hidden",
            lambda n: causal_mask(n).tril(-1),
            N_(
                "A position may look at itself, too: the diagonal belongs to it.",
                "위치는 자기 자신도 볼 수 있습니다. 대각선도 True여야 합니다.",
            ),
        ),
        Mistake(
            "inverted",
            lambda n: ~causal_mask(n),
            N_(
                "True stands where looking is forbidden. Here True means: may look.",
                "볼 수 없는 곳에 True가 있습니다. 여기서 True는 볼 수 있다는 뜻입니다.",
            ),
        ),
        Mistake(
            "everything",
            lambda n: torch.ones(n, n, dtype=torch.bool),
            N_(
                "Everybody sees everything here. Later positions must be hidden.",
                "모두가 모두를 보고 있습니다. 뒤의 위치는 가려야 합니다.",
            ),
        ),
        Mistake(
            "only-itself",
            lambda n: torch.eye(n, dtype=torch.bool),
            N_(
                "Each position sees only itself. It may look at all those before it as well.",
                "위치마다 자기 자신만 봅니다. 앞의 모든 위치도 볼 수 있어야 합니다.",
            ),
        ),
        Mistake(
            "minus-infinity",
            lambda n: torch.zeros(n, n).masked_fill(~causal_mask(n), float("-inf")),
            N_(
                "That is the mask in its other form, to be added to the scores. Return True "
                "and False.",
                "점수에 더해서 쓰는 다른 형태의 마스크입니다. True와 False로 돌려주세요.",
            ),
        ),
    ),
)
def own_mask(attempt: Attempt) -> Iterator[Check]:
    for n in (4, 1, 7):
        yield attempt.compare(
            ngettext("{n} position", "{n} positions", n, "위치 {n}개").format(n=n),
            n,
            expected=causal_mask(n),
        )


class LMHead(nn.Linear):
    """An LM head that counts how many vectors it is asked for."""

    vectors = 0

    def forward(self, hidden_states: Tensor) -> Tensor:
        self.vectors += hidden_states[..., 0].numel()
        return super().forward(hidden_states)


def _head(width: int, vocab: int) -> LMHead:
    head = LMHead(width, vocab, bias=False).requires_grad_(False)
    head.weight.copy_(torch.randn(vocab, width))
    return head


@exercise(
    "4.2",
    mistakes=(
        Mistake(
            "every-position",
            lambda h, head: head(h)[0],
            N_(
                "These are the logits of every position. Take the last one before the LM head.",
                "모든 위치의 로짓입니다. LM 헤드에 넣기 전에 마지막 위치를 고르세요.",
            ),
        ),
        Mistake(
            "first-position",
            lambda h, head: head(h[0, 0]),
            N_(
                "That is the first stream. The last one, index -1, predicts what comes next.",
                "첫 스트림입니다. 다음을 예측하는 것은 마지막 스트림, 인덱스 -1입니다.",
            ),
        ),
        Mistake(
            "one-too-early",
            lambda h, head: head(h[0, -2]),
            N_(
                "That is one position too early: index -1 is the last one.",
                "한 위치 앞의 예측입니다. 마지막 위치는 인덱스 -1입니다.",
            ),
        ),
        Mistake(
            "averaged",
            lambda h, head: head(h[0].mean(0)),
            N_(
                "The streams were averaged. The last one alone predicts; it has already "
                "looked at the others.",
                "스트림의 평균을 냈습니다. 마지막 스트림 하나로 예측합니다. 그 스트림은 이미 "
                "다른 스트림을 보았습니다.",
            ),
        ),
        Mistake(
            "probabilities",
            lambda h, head: head(h[0, -1]).softmax(-1),
            N_(
                "These are probabilities. Logits are asked for, as the LM head gives them.",
                "확률입니다. LM 헤드에서 나온 로짓을 그대로 돌려주세요.",
            ),
        ),
        Mistake(
            "id-not-logits",
            lambda h, head: head(h[0, -1]).argmax().item(),
            N_(
                "That is the likeliest id. All the logits are asked for; choosing comes later.",
                "1등 토큰의 id입니다. 로짓 전부를 돌려주세요. 고르는 것은 나중 일입니다.",
            ),
        ),
    ),
    diagnoses={
        "work-thrown-away": N_(
            "The result is right, but the LM head computed {count} positions and all but one "
            "were thrown away. Take the last vector first, then call `lm_head`.",
            "결과는 맞지만 LM 헤드가 위치 {count}개를 계산하고 하나만 남기고 모두 버렸습니다. "
            "마지막 벡터를 먼저 고른 다음 `lm_head`를 부르세요.",
        )
    },
)
def own_last_logits(attempt: Attempt) -> Iterator[Check]:
    generator = torch.Generator().manual_seed(4)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        heads = [_head(8, 12), _head(5, 7)]
    for head, count in zip(heads, (4, 2), strict=True):
        hidden = torch.randn(1, count, head.in_features, generator=generator)
        expected = last_position_logits(hidden, head)
        title = _(
            "the logits of the last of {count} positions",
            "위치 {count}개 가운데 마지막 위치의 로짓",
        ).format(count=count)
        head.vectors = 0
        yield attempt.compare(title, hidden, head, expected=expected)
        title = _("no more work than needed", "필요 없는 일은 하지 않는다")
        if head.vectors > 1:
            yield attempt.fail(title, "work-thrown-away", count=head.vectors)
        else:
            yield Check(title)
