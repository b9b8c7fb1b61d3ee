"""The whole model: what exercises 2.5 and 2.6 check."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from course.graders.attempt import Attempt
from course.graders.compare import describe
from course.graders.models import default_model, numbers, tiny_llama
from course.graders.spec import Check, Mistake, exercise
from utils.anatomy import parameter_share
from utils.embeddings import pool_last_token
from utils.language import N_

PLACES = {
    "embed_tokens": "embedding",
    "self_attn": "attention",
    "mlp": "feed_forward",
    "norm": "norm",
    "lm_head": "lm_head",
}


def _counts(weights: Iterable[tuple[str, Tensor]]) -> dict[str, int]:
    counts = dict.fromkeys(PLACES.values(), 0)
    for name, weight in weights:
        counts[next(kind for place, kind in PLACES.items() if place in name)] += weight.numel()
    return counts


def _once(model: nn.Module) -> dict[str, int]:
    return _counts(model.named_parameters())


def _twice(model: nn.Module) -> dict[str, int]:
    return _counts(model.named_parameters(remove_duplicate=False))


def _without_last_norm(model: nn.Module) -> dict[str, int]:
    return _counts((n, p) for n, p in model.named_parameters() if n != "model.norm.weight")


def _tensors(model: nn.Module) -> dict[str, int]:
    return _counts((n, torch.empty(1)) for n, _weight in model.named_parameters())


def _shares(counts: dict[str, int], whole: dict[str, int]) -> dict[str, float]:
    return {kind: count / sum(whole.values()) for kind, count in counts.items()}


@exercise(
    "2.5",
    mistakes=(
        Mistake(
            "tied-twice",
            lambda model: _shares(_twice(model), _twice(model)),
            N_(
                "The LM head and the embedding are one matrix here, and you counted it twice. "
                "`named_parameters()` names it once; `state_dict()` names it twice.",
                "여기서는 LM 헤드와 임베딩이 행렬 하나인데 두 번 세었습니다. "
                "`named_parameters()`에는 한 번, `state_dict()`에는 두 번 나옵니다.",
            ),
        ),
        Mistake(
            "sum-above-1",
            lambda model: _shares(_twice(model), _once(model)),
            N_(
                "These sum to more than 1: the matrix that the embedding and the LM head "
                "share is in two parts, but once in the total.",
                "합이 1보다 큽니다. 임베딩과 LM 헤드가 함께 쓰는 행렬을 부품에서는 두 번, "
                "전체에서는 한 번 세었습니다.",
            ),
        ),
        Mistake(
            "sum-below-1",
            lambda model: _shares(_once(model), _twice(model)),
            N_(
                "These sum to less than 1: the total counts the matrix that the embedding and "
                "the LM head share twice.",
                "합이 1보다 작습니다. 임베딩과 LM 헤드가 함께 쓰는 행렬을 전체에서 두 번 "
                "세었습니다.",
            ),
        ),
        Mistake(
            "counts",
            _once,
            N_(
                "Those are counts. Divide each by the number of all parameters.",
                "개수입니다. 전체 파라미터 수로 나누세요.",
            ),
        ),
        Mistake(
            "percent",
            lambda model: {kind: 100 * share for kind, share in parameter_share(model).items()},
            N_(
                "Those are percentages. A share runs from 0 to 1.",
                "퍼센트입니다. 비율은 0에서 1 사이입니다.",
            ),
        ),
        Mistake(
            "last-norm-forgotten",
            lambda model: _shares(_without_last_norm(model), _once(model)),
            N_(
                "The norm after the last block, `model.norm`, is missing.",
                "마지막 블록 뒤의 정규화 `model.norm`이 빠졌습니다.",
            ),
        ),
        Mistake(
            "last-norm-forgotten",
            lambda model: _shares(_without_last_norm(model), _without_last_norm(model)),
        ),
        Mistake(
            "tensors-not-numbers",
            lambda model: _shares(_tensors(model), _tensors(model)),
            N_(
                "You counted tensors. Count the numbers in them: `parameter.numel()`.",
                "텐서의 개수를 세었습니다. 그 안의 숫자를 세세요: `parameter.numel()`.",
            ),
        ),
    ),
    diagnoses={
        "other-keys": N_(
            "The dict should have the keys {keys}, no more and no fewer.",
            "dict의 키는 빠짐도 남음도 없이 다음과 같아야 합니다: {keys}.",
        )
    },
)
def shares(attempt: Attempt) -> Iterator[Check]:
    untied, tied = tiny_llama(), tiny_llama(tie_word_embeddings=True)
    for title, model in (
        (
            N_(
                "a tiny model with a matrix of its own in the LM head",
                "LM 헤드에 자기 행렬이 있는 아주 작은 모델",
            ),
            untied,
        ),
        (
            N_(
                "a tiny model whose LM head is the embedding's matrix",
                "LM 헤드가 임베딩 행렬을 함께 쓰는 아주 작은 모델",
            ),
            tied,
        ),
        (N_("the course's model", "강좌의 모델"), default_model()[0]),
    ):
        got, expected = attempt.call(title, model), parameter_share(model)
        if isinstance(got, dict) and set(got) != set(expected):
            yield attempt.fail(
                title,
                "other-keys",
                given=describe(model),
                got=describe(list(got)),
                expected=describe(list(expected)),
                keys=", ".join(expected),
            )
            return
        yield attempt.compare(title, model, expected=expected)


def _at(hidden: Tensor, index: Tensor) -> Tensor:
    """Of each text, the vector at its own index."""
    return hidden[torch.arange(len(hidden)), index]


@exercise(
    "2.6",
    mistakes=(
        Mistake(
            "last-position",
            lambda hidden, mask: hidden[:, -1],
            N_(
                "Short sentences end in padding. Take the last position where the mask is 1.",
                "짧은 문장은 패딩으로 끝납니다. 마스크가 1인 마지막 위치를 고르세요.",
            ),
        ),
        Mistake(
            "first-token",
            lambda hidden, mask: hidden[:, 0],
            N_(
                "That is the first position, which has seen nothing yet but itself.",
                "첫째 위치입니다. 아직 자기 자신밖에 보지 못했습니다.",
            ),
        ),
        Mistake(
            "averaged",
            lambda hidden, mask: hidden.mean(1),
            N_(
                "That is an average over all positions, padding too. Take the last token only.",
                "패딩까지 포함한 모든 위치의 평균입니다. 마지막 토큰만 고르세요.",
            ),
        ),
        Mistake(
            "tokens-averaged",
            lambda hidden, mask: (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True),
            N_(
                "That is an average over the tokens. Take the last token only.",
                "토큰들의 평균입니다. 마지막 토큰만 고르세요.",
            ),
        ),
        Mistake(
            "right-padding-only",
            lambda hidden, mask: _at(hidden, mask.sum(1) - 1),
            N_(
                "Counting the 1s works where padding comes last. Here it comes first, as it "
                "does for generation: find where the last 1 stands.",
                "1의 개수를 세는 방법은 패딩이 뒤에 있을 때만 맞습니다. 여기서는 생성할 때처럼 "
                "패딩이 앞에 있습니다. 마지막 1의 위치를 찾으세요.",
            ),
        ),
        Mistake(
            "off-by-one",
            lambda hidden, mask: _at(hidden, mask.sum(1)),
            N_(
                "That is one position too far: n tokens stand at positions 0 to n - 1.",
                "한 칸 지나쳤습니다. 토큰 n개는 위치 0부터 n - 1까지 있습니다.",
            ),
        ),
        Mistake(
            "all-pairs",
            lambda hidden, mask: hidden[:, mask.sum(1) - 1],
            N_(
                "`hidden[:, last]` takes every index from every text. Pair them: "
                "`hidden[torch.arange(batch), last]`.",
                "`hidden[:, last]`는 모든 글에서 모든 위치를 뽑습니다. 짝을 지으세요: "
                "`hidden[torch.arange(batch), last]`.",
            ),
        ),
        Mistake(
            "one-index-for-all",
            lambda hidden, mask: hidden[:, int(mask.sum(1).max()) - 1],
            N_(
                "One position was used for all texts. Each has its own last token.",
                "모든 글에 같은 위치를 썼습니다. 마지막 토큰의 위치는 글마다 다릅니다.",
            ),
        ),
        Mistake("one-index-for-all", lambda hidden, mask: hidden[:, int(mask.sum(1)[0]) - 1]),
    ),
)
def pooled(attempt: Attempt) -> Iterator[Check]:
    for title, rows in (
        (
            N_("padding at the end", "패딩이 뒤에 있을 때"),
            [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]],
        ),
        (N_("padding in front", "패딩이 앞에 있을 때"), [[0, 0, 1, 1], [0, 1, 1, 1]]),
        (N_("no padding", "패딩이 없을 때"), [[1, 1, 1], [1, 1, 1]]),
        (N_("one text", "글 하나"), [[1, 1, 0]]),
    ):
        mask = torch.tensor(rows)
        hidden = numbers(*mask.shape, 4, seed=9)
        expected = pool_last_token(hidden, mask)
        yield attempt.compare(title, hidden, mask, expected=expected)
