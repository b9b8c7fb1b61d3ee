"""Positions and bytes, counted beforehand: what exercises 5.2 and 5.3 check."""

from collections.abc import Iterator

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.kv_cache import cache_bytes
from utils.language import N_, _


def _without_cache(prompt: int, new: int) -> int:
    """Positions computed in `new` passes, each of which reads the whole text so far."""
    return sum(prompt + step for step in range(new))


@exercise(
    "5.2",
    mistakes=(
        Mistake(
            "last-token-read",
            lambda p, n, use_cache: p + n if use_cache else _without_cache(p + 1, n),
            N_(
                "The last token written was counted as well. It is never put into the model: "
                "one position fewer in each pass, or one in all with the cache.",
                "마지막에 쓴 토큰까지 셌습니다. 그 토큰은 모델에 들어가지 않습니다. 캐시가 "
                "없으면 매번 위치가 하나씩, 있으면 모두 합쳐 하나가 줄어듭니다.",
            ),
        ),
        Mistake(
            "mixed-up",
            lambda p, n, use_cache: _without_cache(p, n) if use_cache else p + n - 1,
            N_(
                "That is the count of the other case: look at what `use_cache` says.",
                "반대 경우의 수입니다. `use_cache`의 값을 확인하세요.",
            ),
        ),
        Mistake(
            "does-not-grow",
            lambda p, n, use_cache: p * n,
            N_(
                "The text grows by one token in each pass; that counts the prompt each time.",
                "글은 매번 한 토큰씩 길어지는데, 매번 프롬프트만 셌습니다.",
            ),
        ),
        Mistake(
            "prompt-forgotten",
            lambda p, n, use_cache: n if use_cache else n * (n - 1) // 2,
            N_(
                "The prompt's positions are missing. The first pass computes all of them.",
                "프롬프트의 위치가 빠졌습니다. 첫 번째 정방향 계산이 모두 계산합니다.",
            ),
        ),
        Mistake(
            "prompt-forgotten",
            lambda p, n, use_cache: n - 1 if use_cache else n * (n + 1) // 2,
        ),
        Mistake(
            "one-pass-too-many",
            lambda p, n, use_cache: p + n if use_cache else _without_cache(p, n + 1),
            N_(
                "There is one pass too many: each pass gives one token, so there are `new_tokens`.",
                "정방향 계산이 한 번 더 많습니다. 한 번에 토큰 하나가 나오므로 "
                "`new_tokens`번입니다.",
            ),
        ),
    ),
)
def positions_computed(attempt: Attempt) -> Iterator[Check]:
    for prompt, new, use_cache in (
        (5, 8, False),
        (5, 8, True),
        (3, 20, False),
        (40, 1, True),
        (40, 1, False),
    ):
        title = _(
            "{prompt} prompt tokens, {new} new, use_cache={use_cache}",
            "프롬프트 {prompt}토큰, 새 토큰 {new}개, use_cache={use_cache}",
        ).format(prompt=prompt, new=new, use_cache=use_cache)
        expected = prompt + new - 1 if use_cache else _without_cache(prompt, new)
        yield attempt.compare(title, prompt, new, use_cache, expected=expected)


@exercise(
    "5.3",
    mistakes=(
        Mistake(
            "keys-only",
            lambda *a: cache_bytes(*a) // 2,
            N_(
                "That is half of it: keys and values are both kept.",
                "절반입니다. 키와 값을 둘 다 남깁니다.",
            ),
        ),
        Mistake(
            "one-layer",
            lambda layers, heads, dim, tokens, size: cache_bytes(1, heads, dim, tokens, size),
            N_(
                "That is one layer's part. Every layer keeps its own.",
                "한 층의 몫입니다. 층마다 따로 남깁니다.",
            ),
        ),
        Mistake(
            "one-head",
            lambda layers, heads, dim, tokens, size: cache_bytes(layers, 1, dim, tokens, size),
            N_("The number of key-value heads is missing.", "KV 헤드의 개수가 빠졌습니다."),
        ),
        Mistake(
            "no-head-size",
            lambda layers, heads, dim, tokens, size: cache_bytes(layers, heads, 1, tokens, size),
            N_(
                "The head size is missing: each key is a vector of `head_dim` numbers.",
                "헤드 크기가 빠졌습니다. 키 하나는 숫자 `head_dim`개로 된 벡터입니다.",
            ),
        ),
        Mistake(
            "one-token",
            lambda layers, heads, dim, tokens, size: cache_bytes(layers, heads, dim, 1, size),
            N_(
                "That is a single token's part. Every token adds as much.",
                "토큰 하나의 몫입니다. 토큰마다 그만큼씩 늘어납니다.",
            ),
        ),
        Mistake(
            "numbers-not-bytes",
            lambda layers, heads, dim, tokens, size: cache_bytes(layers, heads, dim, tokens, 1),
            N_(
                "That counts numbers. Each of them takes `bytes_per_number` bytes.",
                "숫자의 개수입니다. 숫자 하나는 `bytes_per_number`바이트입니다.",
            ),
        ),
        Mistake(
            "bits",
            lambda *a: cache_bytes(*a) * 8,
            N_(
                "That counts bits. `bytes_per_number` already is in bytes.",
                "비트 수입니다. `bytes_per_number`는 이미 바이트 단위입니다.",
            ),
        ),
        Mistake(
            "megabytes",
            lambda *a: cache_bytes(*a) / 1e6,
            N_(
                "That is megabytes. Return bytes, an `int`.",
                "메가바이트입니다. 바이트 수를 `int`로 돌려주세요.",
            ),
        ),
        Mistake(
            "squared",
            lambda *a: cache_bytes(*a) * a[3],
            N_(
                "`tokens` is in it twice. The cache grows by the same amount with every token.",
                "`tokens`를 두 번 곱했습니다. 캐시는 토큰마다 같은 만큼 늘어납니다.",
            ),
        ),
    ),
)
def bytes_of_cache(attempt: Attempt) -> Iterator[Check]:
    for title, arguments in (
        (N_("a small model", "작은 모델"), (5, 3, 16, 7, 4)),
        (
            N_("SmolLM2-135M, 1,000 tokens in float32", "SmolLM2-135M, float32로 1,000토큰"),
            (30, 3, 64, 1000, 4),
        ),
        (
            N_("Llama-3-8B, 8,192 tokens in bfloat16", "Llama-3-8B, bfloat16으로 8,192토큰"),
            (32, 8, 128, 8192, 2),
        ),
    ):
        yield attempt.compare(title, *arguments, expected=cache_bytes(*arguments))
