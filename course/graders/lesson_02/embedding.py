"""Rows of the embedding, and their neighbours: what exercises 2.1 and 2.2 check."""

from collections.abc import Iterator

import torch
from torch import Tensor

from course.graders.attempt import Attempt, failures
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils.embeddings import nearest_tokens
from utils.language import N_, _


@exercise(
    "2.1",
    mistakes=(
        Mistake(
            "columns",
            lambda ids, matrix: matrix[:, ids],
            N_(
                "You picked columns. A token's embedding is a row: index the first axis.",
                "열을 골랐습니다. 토큰의 임베딩은 행입니다. 첫째 축을 인덱싱하세요.",
            ),
        ),
        Mistake(
            "batch-lost",
            lambda ids, matrix: matrix[ids[0]],
            N_(
                "Only the first text of the batch is there. Look up `token_ids` as it is.",
                "배치의 첫째 글만 있습니다. `token_ids`를 그대로 써서 찾으세요.",
            ),
        ),
        Mistake(
            "flattened",
            lambda ids, matrix: matrix[ids.flatten()],
            N_(
                "The texts were joined into one. Keep the shape `[batch, position, width]`.",
                "글들이 하나로 이어졌습니다. 모양을 `[batch, position, width]`로 유지하세요.",
            ),
        ),
        Mistake(
            "positions-not-ids",
            lambda ids, matrix: matrix[: ids.shape[1]].expand(len(ids), -1, -1),
            N_(
                "You took the first rows, by position. Take the rows that `token_ids` names.",
                "위치 순서대로 앞의 행을 가져왔습니다. `token_ids`가 가리키는 행을 가져오세요.",
            ),
        ),
        Mistake(
            "off-by-one",
            lambda ids, matrix: matrix[ids - 1],
            N_(
                "That is the row before. Ids count from 0, as the rows do.",
                "하나 앞의 행입니다. id도 행도 0부터 셉니다.",
            ),
        ),
        Mistake(
            "summed",
            lambda ids, matrix: matrix[ids].sum(1),
            N_(
                "The vectors were added up. Keep one vector for each position.",
                "벡터를 모두 더했습니다. 위치마다 벡터 하나를 그대로 두세요.",
            ),
        ),
        Mistake(
            "averaged",
            lambda ids, matrix: matrix[ids].mean(1),
            N_(
                "The vectors were averaged. Keep one vector for each position.",
                "벡터의 평균을 냈습니다. 위치마다 벡터 하나를 그대로 두세요.",
            ),
        ),
    ),
)
def embed(attempt: Attempt) -> Iterator[Check]:
    matrix = numbers(9, 4)
    for given in ([[5, 2, 7], [1, 1, 8]], [[3, 0, 6, 4]], [[8], [2], [5]]):
        ids = torch.tensor(given)
        title = _("ids {ids}", "토큰 id {ids}").format(ids=ids.tolist())
        yield attempt.compare(title, ids, matrix, expected=matrix[ids])


def _nearest(
    matrix: Tensor,
    token_id: int,
    k: int,
    *,
    unit: bool = True,
    axis: int = -1,
    far: bool = False,
    values: bool = False,
    drop: bool = True,
    itself: float = -torch.inf,
) -> Tensor:
    """The nearest tokens, with one thing or another gone wrong."""
    if unit:
        matrix = matrix / matrix.norm(dim=axis, keepdim=True)
    closeness = matrix @ matrix[token_id]
    if drop:
        closeness[token_id] = itself
    best = closeness.topk(k, largest=not far)
    return best.values if values else best.indices


@exercise(
    "2.2",
    mistakes=(
        Mistake(
            "dot-product",
            lambda m, i, k: _nearest(m, i, k, unit=False),
            N_(
                "Those are the largest dot products: long vectors win wherever they point. "
                "For the cosine, divide every row by its length first.",
                "내적이 가장 큰 토큰들입니다. 내적으로는 방향이 어떻든 긴 벡터가 이깁니다. "
                "코사인을 구하려면 먼저 모든 행을 길이로 나누세요.",
            ),
        ),
        Mistake("dot-product", lambda m, i, k: _nearest(m, i, k + 1, unit=False, drop=False)[1:]),
        Mistake("dot-product", lambda m, i, k: _nearest(m, i, k, unit=False, drop=False)),
        Mistake(
            "itself-kept",
            lambda m, i, k: _nearest(m, i, k, drop=False),
            N_(
                "The token itself comes first: nothing is nearer to it. Leave it out.",
                "자기 자신이 맨 앞에 있습니다. 자신보다 가까운 것은 없으니까요. 결과에서 빼세요.",
            ),
        ),
        Mistake(
            "one-too-few",
            lambda m, i, k: _nearest(m, i, k, drop=False)[1:],
            N_(
                "One is missing: of the k best, one was the token itself. Take k + 1.",
                "하나가 모자랍니다. 가까운 k개 중 하나가 자기 자신이었습니다. k + 1개를 구하세요.",
            ),
        ),
        Mistake(
            "farthest",
            lambda m, i, k: _nearest(m, i, k, far=True, drop=False),
            N_(
                "Those are the farthest. A large cosine means near.",
                "가장 먼 토큰들입니다. 코사인이 클수록 가깝습니다.",
            ),
        ),
        Mistake(
            "farthest-first",
            lambda m, i, k: _nearest(m, i, k).flip(0),
            N_(
                "The right tokens, the wrong way round: nearest first.",
                "토큰은 맞지만 순서가 거꾸로입니다. 가까운 것부터 놓으세요.",
            ),
        ),
        Mistake(
            "cosines-not-ids",
            lambda m, i, k: _nearest(m, i, k, values=True),
            N_(
                "Those are the cosines. The tokens' ids are asked for: `topk(…).indices`.",
                "코사인 값입니다. 토큰의 id를 돌려주세요: `topk(…).indices`.",
            ),
        ),
        Mistake(
            "wrong-axis",
            lambda m, i, k: _nearest(m, i, k, axis=0),
            N_(
                "You divided columns by their length. A token is a row: `norm(dim=-1)`.",
                "열을 길이로 나누었습니다. 토큰은 행입니다: `norm(dim=-1)`.",
            ),
        ),
        Mistake(
            "zero-for-itself",
            lambda m, i, k: _nearest(m, i, k, itself=0.0),
            N_(
                "The token itself got a cosine of 0, which is more than a negative one. Give it "
                "`-torch.inf`.",
                "자기 자신의 코사인을 0으로 했는데, 음수인 코사인보다 큽니다. `-torch.inf`로 "
                "하세요.",
            ),
        ),
        Mistake(
            "distance",
            lambda m, i, k: (m - m[i]).norm(dim=-1).topk(k + 1, largest=False).indices[1:],
            N_(
                "Those are nearest by distance. The cosine compares directions, not lengths.",
                "거리가 가까운 토큰들입니다. 코사인은 길이가 아니라 방향을 비교합니다.",
            ),
        ),
    ),
)
def neighbours(attempt: Attempt) -> Iterator[Check]:
    lengths = torch.tensor([1.0, 6.0, 0.4, 3.0, 1.5, 9.0, 0.7, 2.0, 0.9, 4.0, 1.2, 0.5])
    matrix = numbers(12, 5, seed=3) * lengths[:, None]
    for token_id, k in ((0, 4), (4, 5), (10, 4)):
        yield attempt.compare(
            _(
                "the {k} nearest to token {token_id}", "{token_id}번 토큰에 가장 가까운 {k}개"
            ).format(k=k, token_id=token_id),
            matrix,
            token_id,
            k,
            expected=nearest_tokens(matrix, token_id, k),
        )
    title = N_("all but the token itself", "자기 자신을 뺀 모두")
    given = matrix, 7, len(matrix) - 1  # some of them point away from it
    check = attempt.compare(title, *given, expected=nearest_tokens(*given))
    yield from failures([check])
