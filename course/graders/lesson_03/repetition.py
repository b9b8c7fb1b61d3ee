"""How much of a text repeats itself: what exercise 3.7 checks."""

from collections.abc import Iterator

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.language import N_


def _ngrams(ids: list[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


def _repeats(ngrams: list[tuple[int, ...]]) -> int:
    return len(ngrams) - len(set(ngrams))


def _rate(ngrams: list[tuple[int, ...]]) -> float:
    return _repeats(ngrams) / len(ngrams) if ngrams else 0.0


@exercise(
    "3.7",
    mistakes=(
        Mistake(
            "shorter-than-n",
            lambda ids, n: _repeats(_ngrams(ids, n)) / len(_ngrams(ids, n)),
            N_(
                "A text shorter than n has no n-grams: return 0.0 before you divide.",
                "n보다 짧은 글에는 n-그램이 없습니다. 나누기 전에 0.0을 돌려주세요.",
            ),
        ),
        Mistake(  # its error says "float division"
            "shorter-than-n", lambda ids, n: float(_repeats(_ngrams(ids, n))) / len(_ngrams(ids, n))
        ),
        Mistake(
            "share-of-new",
            lambda ids, n: 1 - _rate(_ngrams(ids, n)),
            N_(
                "That is the share of *new* n-grams. Take it from 1.",
                "그것은 *새로운* n-그램의 비율입니다. 1에서 빼세요.",
            ),
        ),
        Mistake(
            "number-not-share",
            lambda ids, n: _repeats(_ngrams(ids, n)),
            N_(
                "That is how many are repeats. Divide by the number of n-grams.",
                "그것은 되풀이된 수입니다. n-그램의 수로 나누세요.",
            ),
        ),
        Mistake(
            "n-ignored",
            lambda ids, n: _rate(_ngrams(ids, 1)),
            N_(
                "Single tokens were counted. An n-gram is n of them in a row.",
                "토큰을 하나씩 세었습니다. n-그램은 잇따른 토큰 n개입니다.",
            ),
        ),
        Mistake(
            "last-one-missing",
            lambda ids, n: _rate(_ngrams(ids, n)[:-1]),
            N_(
                "The last n-gram is missing: there are `len(token_ids) - n + 1`.",
                "마지막 n-그램이 빠졌습니다. 모두 `len(token_ids) - n + 1`개입니다.",
            ),
        ),
        Mistake(
            "in-steps-of-n",
            lambda ids, n: _rate(_ngrams(ids, n)[::n]),
            N_(
                "You went in steps of n. n-grams overlap: one starts at each token.",
                "n칸씩 건너뛰었습니다. n-그램은 겹칩니다. 토큰마다 하나씩 시작합니다.",
            ),
        ),
        Mistake(
            "divided-by-tokens",
            lambda ids, n: _repeats(_ngrams(ids, n)) / len(ids),
            N_(
                "You divided by the number of tokens. There are only `len(token_ids) - n + 1` "
                "n-grams; shorter pieces at the end are none.",
                "토큰의 수로 나누었습니다. n-그램은 `len(token_ids) - n + 1`개뿐이고, 끝에 "
                "남는 짧은 조각은 n-그램이 아닙니다.",
            ),
        ),
        Mistake(
            "first-one-too",
            lambda ids, n: (
                sum(_ngrams(ids, n).count(g) > 1 for g in _ngrams(ids, n)) / len(_ngrams(ids, n))
            ),
            N_(
                "The first time is no repeat: count an n-gram only if it stood *earlier*.",
                "처음 나온 것은 되풀이가 아닙니다. *앞에서* 이미 나온 것만 세세요.",
            ),
        ),
    ),
)
def repeated_ngram_rate(attempt: Attempt) -> Iterator[Check]:
    loop = [7, 8, 9, 7, 8, 9, 7, 8, 9, 8, 8, 9]
    for title, ids, n in (
        (N_("a text in a loop, 3-grams", "같은 말을 되풀이하는 글, 3-그램"), loop, 3),
        (N_("the lesson's example", "본문의 예"), [1, 2, 1, 2, 1], 2),
        (N_("the same text, single tokens", "같은 글, 토큰 하나씩"), loop, 1),
        (N_("nothing is repeated", "되풀이가 없는 글"), [1, 2, 3, 4, 5, 6], 2),
        (N_("fewer than n tokens", "토큰이 n개보다 적은 글"), [1, 2], 3),
        (N_("no tokens at all", "토큰이 하나도 없는 글"), [], 2),
    ):
        expected = _rate(_ngrams(ids, n))
        yield attempt.compare(title, ids, n, expected=expected)
