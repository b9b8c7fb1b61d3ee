"""Several matrices as one: what exercise 8.6 checks."""

from collections.abc import Iterator

import torch

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_, _


@exercise(
    "8.6",
    mistakes=(
        Mistake(
            "side-by-side",
            lambda matrices: (torch.cat(matrices, dim=1), [len(m) for m in matrices]),
            N_(
                "You joined along axis 1, the inputs. Rows are the outputs: axis 0.",
                "1번 축, 곧 입력 축을 따라 이어 붙였습니다. 출력은 행이니 0번 축입니다.",
            ),
        ),
        Mistake(
            "stacked",
            lambda matrices: (torch.stack(matrices), [len(m) for m in matrices]),
            N_(
                "`torch.stack` makes a new axis. `torch.cat` puts one below the other.",
                "`torch.stack`은 새 축을 만듭니다. 아래로 잇는 것은 `torch.cat`입니다.",
            ),
        ),
        Mistake(
            "transposed",
            lambda matrices: (torch.cat(matrices).T, [len(m) for m in matrices]),
            N_(
                "The matrix is transposed. Leave it `[out, in]`, as the model keeps them.",
                "행렬이 전치되었습니다. 모델에 들어 있는 대로 `[out, in]`으로 두세요.",
            ),
        ),
        Mistake(
            "sizes-of-inputs",
            lambda matrices: (torch.cat(matrices), [m.shape[1] for m in matrices]),
            N_(
                "Those sizes count columns. What comes out is cut by rows: `len(matrix)`.",
                "열의 수를 돌려주었습니다. 곱한 결과는 행의 수 `len(matrix)`대로 잘라야 합니다.",
            ),
        ),
        Mistake(
            "where-not-how-many",
            lambda matrices: (
                torch.cat(matrices),
                torch.tensor([len(m) for m in matrices]).cumsum(0).tolist(),
            ),
            N_(
                "Those say where each part ends. `split` wants how many rows each has.",
                "각 부분이 끝나는 위치(누적 합)입니다. `split`에는 각 행렬의 행 수를 주세요.",
            ),
        ),
        Mistake(
            "wrong-order",
            lambda matrices: (torch.cat(matrices[::-1]), [len(m) for m in matrices[::-1]]),
            N_(
                "The order is turned round. Keep that of the list.",
                "순서가 거꾸로입니다. 리스트의 순서를 지키세요.",
            ),
        ),
        Mistake(
            "matrix-only",
            torch.cat,
            N_(
                "The sizes are missing. Return both, `(matrix, sizes)`.",
                "크기가 빠졌습니다. `(matrix, sizes)`를 함께 돌려주세요.",
            ),
        ),
    ),
)
def fuse(attempt: Attempt) -> Iterator[Check]:
    generator = torch.Generator().manual_seed(86)
    for outs in ((6, 2, 2), (5, 5), (4,)):
        matrices = [torch.randn(out, 3, generator=generator) for out in outs]
        title = _("matrices with {rows} rows", "행 수가 {rows}인 행렬").format(
            rows=", ".join(map(str, outs))
        )
        yield attempt.compare(title, matrices, expected=parts.fuse(matrices))
