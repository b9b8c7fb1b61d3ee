"""Many heads beside one another: what exercises 7.4 to 7.6 check."""

from collections.abc import Iterator

import torch

from course.graders.attempt import Attempt
from course.graders.models import numbers
from course.graders.spec import Check, Mistake, exercise
from utils import parts
from utils.language import N_


@exercise(
    "7.4",
    mistakes=(
        Mistake(
            "only-cut",
            lambda x, h: x.reshape(len(x), h, -1),
            N_(
                "The heads are cut, but stand on the second axis: `.transpose(0, 1)` is missing.",
                "헤드로 나누었지만 헤드가 둘째 축에 있습니다. `.transpose(0, 1)`이 빠졌습니다.",
            ),
        ),
        Mistake(
            "positions-mixed",
            lambda x, h: x.reshape(h, len(x), -1),
            N_(
                "The shape is right, but the positions got mixed: `view` does not move "
                "numbers. Cut first, `view(len(x), heads, -1)`, and then `transpose(0, 1)`.",
                "모양은 맞지만 위치가 섞였습니다. `view`는 숫자를 옮기지 않습니다. 먼저 "
                "`view(len(x), heads, -1)`로 나누고, 그다음에 `transpose(0, 1)`을 하세요.",
            ),
        ),
        Mistake(
            "every-nth",
            lambda x, h: x.reshape(len(x), -1, h).permute(2, 0, 1),
            N_(
                "Each head got every `heads`-th number. Its numbers stand side by side: "
                "`view(len(x), heads, -1)`.",
                "헤드가 숫자를 `heads`개마다 하나씩 가져갔습니다. 한 헤드의 숫자는 나란히 "
                "있습니다. `view(len(x), heads, -1)`로 나누세요.",
            ),
        ),
        Mistake(
            "head-dim-for-heads",
            lambda x, h: x.reshape(len(x), -1, h).transpose(0, 1),
            N_(
                "`heads` is how many heads there are, not how wide each is.",
                "`heads`는 헤드의 차원이 아니라 개수입니다.",
            ),
        ),
        Mistake(
            "numbers-first",
            lambda x, h: x.reshape(len(x), h, -1).permute(1, 2, 0),
            N_(
                "The last two axes are swapped: it is `[head, position, head_dim]`.",
                "마지막 두 축이 바뀌었습니다. `[head, position, head_dim]`이어야 합니다.",
            ),
        ),
    ),
)
def split_heads(attempt: Attempt) -> Iterator[Check]:
    for title, n, heads, width in (
        (N_("four positions, two heads", "위치 4개, 헤드 2개"), 4, 2, 6),
        (N_("one position, three heads", "위치 1개, 헤드 3개"), 1, 3, 2),
        (N_("five positions, four heads", "위치 5개, 헤드 4개"), 5, 4, 8),
    ):
        x = torch.arange(n * heads * width, dtype=torch.float32).view(n, heads * width)
        expected = parts.split_heads(x, heads)
        yield attempt.compare(title, x, heads, expected=expected)


@exercise(
    "7.5",
    mistakes=(
        Mistake(
            "positions-mixed",
            lambda x: x.reshape(x.shape[1], -1),
            N_(
                "The shape is right, but heads and positions got mixed: `.transpose(0, 1)` "
                "has to come first.",
                "모양은 맞지만 헤드와 위치가 섞였습니다. `.transpose(0, 1)`을 먼저 해야 합니다.",
            ),
        ),
        Mistake(
            "only-turned",
            lambda x: x.transpose(0, 1),
            N_(
                "The last two axes are still apart: join them with `.flatten(1)`.",
                "마지막 두 축이 아직 따로입니다. `.flatten(1)`로 합치세요.",
            ),
        ),
        Mistake(
            "every-nth",
            lambda x: x.permute(1, 2, 0).flatten(1),
            N_(
                "The heads' numbers alternate. Each head's numbers should stay side by side.",
                "헤드들의 숫자가 번갈아 나옵니다. 한 헤드의 숫자는 나란히 있어야 합니다.",
            ),
        ),
        Mistake(
            "heads-added",
            lambda x: x.sum(0),
            N_(
                "The heads were added up. Put them side by side instead.",
                "헤드들을 더했습니다. 더하지 말고 나란히 이어 붙이세요.",
            ),
        ),
        Mistake(
            "heads-averaged",
            lambda x: x.mean(0),
            N_(
                "The heads were averaged. Put them side by side instead.",
                "헤드들의 평균을 냈습니다. 평균을 내지 말고 나란히 이어 붙이세요.",
            ),
        ),
        Mistake(
            "still-by-head",
            lambda x: x.flatten(1),
            N_(
                "There is one row for each head. There should be one for each position.",
                "행이 헤드마다 하나입니다. 위치마다 하나여야 합니다.",
            ),
        ),
        Mistake(
            "view-refused",
            lambda x: x.transpose(0, 1).view(x.shape[1], -1),
            N_(
                "After `transpose`, the numbers no longer lie in order, and `view` refuses. "
                "Use `reshape` or `flatten`, which copy.",
                "`transpose`를 하고 나면 숫자가 차례로 놓여 있지 않아서 `view`를 쓸 수 "
                "없습니다. 복사해 주는 `reshape`나 `flatten`을 쓰세요.",
            ),
        ),
    ),
)
def merge_heads(attempt: Attempt) -> Iterator[Check]:
    for title, heads, n, width in (
        (N_("two heads, four positions", "헤드 2개, 위치 4개"), 2, 4, 3),
        (N_("three heads, one position", "헤드 3개, 위치 1개"), 3, 1, 2),
        (N_("four heads, five positions", "헤드 4개, 위치 5개"), 4, 5, 2),
    ):
        x = torch.arange(n * heads * width, dtype=torch.float32).view(heads, n, width)
        yield attempt.compare(title, x, expected=parts.merge_heads(x))


@exercise(
    "7.6",
    mistakes=(
        Mistake(
            "tiled",
            lambda x, g: x.repeat(g, 1, 1),
            N_(
                "The order is 0, 1, …, 0, 1, …, but head h should get x[h // groups]: 0, 0, "
                "…, 1, 1, …. Use `repeat_interleave`.",
                "순서가 0, 1, …, 0, 1, …입니다. h번 헤드는 x[h // groups]를 받아야 하므로 0, "
                "0, …, 1, 1, …이 맞습니다. `repeat_interleave`를 쓰세요.",
            ),
        ),
        Mistake(
            "positions-repeated",
            lambda x, g: x.repeat_interleave(g, dim=1),
            N_(
                "The positions were repeated. Repeat the heads, `dim=0`.",
                "위치를 되풀이했습니다. 헤드를 되풀이하세요(`dim=0`).",
            ),
        ),
        Mistake(
            "numbers-repeated",
            lambda x, g: x.repeat_interleave(g, dim=2),
            N_(
                "The numbers of each vector were repeated. Repeat the heads, `dim=0`.",
                "벡터 안의 숫자를 되풀이했습니다. 헤드를 되풀이하세요(`dim=0`).",
            ),
        ),
        Mistake(
            "flat",
            lambda x, g: x.repeat_interleave(g),
            N_(
                "Without `dim=0`, all axes were joined into one and every number repeated.",
                "`dim=0`이 없어서 모든 축이 하나로 합쳐지고 숫자 하나하나가 되풀이되었습니다.",
            ),
        ),
        Mistake(
            "extra-axis",
            lambda x, g: x[:, None].expand(-1, g, -1, -1),
            N_(
                "There is an axis too many: join the first two, `.flatten(0, 1)`.",
                "축이 하나 많습니다. 처음 두 축을 `.flatten(0, 1)`로 합치세요.",
            ),
        ),
        Mistake(
            "not-repeated",
            lambda x, g: x,
            N_(
                "Nothing was repeated: `groups` is how often each head comes.",
                "아무것도 되풀이하지 않았습니다. `groups`는 헤드 하나를 몇 번 되풀이할지를 "
                "나타냅니다.",
            ),
        ),
        Mistake(
            "first-head-only",
            lambda x, g: x[:1].expand(len(x) * g, -1, -1),
            N_(
                "Every head got the keys of the first. Head h gets x[h // groups].",
                "모든 헤드가 첫 번째 키를 받았습니다. h번 헤드는 x[h // groups]를 받습니다.",
            ),
        ),
    ),
)
def repeat_kv(attempt: Attempt) -> Iterator[Check]:
    for title, kv_heads, groups in (
        (N_("two key-value heads, three groups", "KV 헤드 2개, groups 3"), 2, 3),
        (N_("one group: nothing is shared", "groups 1: 함께 쓰지 않음"), 3, 1),
        (N_("one key-value head for all", "모두가 KV 헤드 하나를 함께 씀"), 1, 4),
    ):
        x = numbers(kv_heads, 4, 2)
        expected = parts.repeat_kv(x, groups)
        yield attempt.compare(title, x, groups, expected=expected)
