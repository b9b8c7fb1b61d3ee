"""Tokens a second from bytes, and the memory that is left: what exercises 9.7 and 9.8 check."""

from collections.abc import Iterator

from course.graders.attempt import Attempt
from course.graders.spec import Check, Mistake, exercise
from utils.bandwidth import MACHINES, speed_limit
from utils.language import N_, _


@exercise(
    "9.7",
    mistakes=(
        Mistake(
            "bits-for-bytes",
            lambda parameters, bits, bandwidth, texts: texts * bandwidth / (parameters * bits),
            N_(
                "Those are bits. The bandwidth counts bytes: 8 bits make one.",
                "비트로 셌습니다. 대역폭은 바이트이고, 8비트가 1바이트입니다.",
            ),
        ),
        Mistake(
            "bits-times-eight",
            lambda parameters, bits, bandwidth, texts: texts * bandwidth / (parameters * bits * 8),
            N_(
                "Multiplied by 8 where it should be divided: 8 bits make one byte.",
                "8로 나눌 곳에서 곱했습니다. 8비트가 1바이트입니다.",
            ),
        ),
        Mistake(
            "seconds",
            lambda parameters, bits, bandwidth, texts: parameters * bits / 8 / bandwidth,
            N_(
                "Those are the seconds of a pass. Tokens a second is one over that, times texts.",
                "정방향 계산 한 번의 초입니다. 1초의 토큰 수는 그 역수에 글의 수를 곱한 것입니다.",
            ),
        ),
        Mistake(
            "one-text",
            lambda parameters, bits, bandwidth, texts: bandwidth / (parameters * bits / 8),
            N_(
                "That is for one text. Each pass gives a token to every one of them.",
                "글 하나의 수입니다. 정방향 계산 한 번에 글마다 토큰 하나가 나옵니다.",
            ),
        ),
        Mistake(
            "read-for-each-text",
            lambda parameters, bits, bandwidth, texts: bandwidth / (parameters * bits / 8 * texts),
            N_(
                "The weights were read once for each text. All texts share one reading.",
                "글마다 가중치를 따로 읽었습니다. 한 번 읽은 것을 모든 글이 함께 씁니다.",
            ),
        ),
    ),
)
def most_tokens(attempt: Attempt) -> Iterator[Check]:
    for parameters, bits, bandwidth, texts in (
        (1_000_000, 8, 5e6, 1),
        (134_515_008, 32, 40e9, 1),
        (8_030_261_248, 16, 3350e9, 4),
        (8_030_261_248, 4, 3350e9, 16),
    ):
        title = _(
            "{parameters:,} parameters, {bits} bits, texts: {texts}",
            "매개변수 {parameters:,}개, {bits}비트, 글의 수: {texts}",
        ).format(parameters=parameters, bits=bits, texts=texts)
        expected = texts * bandwidth / (parameters * bits / 8)
        yield attempt.compare(title, parameters, bits, bandwidth, texts, expected=expected)


@exercise(
    "9.8",
    diagnoses={
        "not-a-number": N_(
            "Give the number of texts, an int such as 4.",
            "글의 수를 4와 같은 int로 적으세요.",
        ),
        "not-on-the-slider": N_(
            "{texts} is not on the slider: it goes 1, 2, 4, 8, and so on to 256.",
            "{texts}: 막대에 없는 수입니다. 1, 2, 4, 8, …, 256 가운데 하나입니다.",
        ),
        "for-eight-bits": N_(
            "{texts} is the most with 8 bits. With 4 bits there is more room.",
            "{texts}: 8비트일 때의 답입니다. 4비트면 자리가 더 있습니다.",
        ),
        "does-not-fit": N_(
            "With {texts} texts, weights and caches do not fit into the memory.",
            "글이 {texts}개면 가중치와 캐시가 메모리에 들어가지 않습니다.",
        ),
        "more-would-fit": N_(
            "{texts} texts fit, but so would twice as many.",
            "글 {texts}개는 들어가지만, 그 두 배도 들어갑니다.",
        ),
    },
)
def most_texts(attempt: Attempt) -> Iterator[Check]:
    texts, title = attempt.answer, N_("the most texts that fit", "들어가는 가장 많은 글의 수")

    def fits(bits: int, count: int) -> bool:
        return speed_limit(MACHINES["NVIDIA H100 SXM"], "Llama-3-70B", bits, count).fits

    if isinstance(texts, bool) or not isinstance(texts, int):
        yield attempt.fail(title, "not-a-number", got=repr(texts)[:80])
        return
    if texts not in [2**power for power in range(9)]:
        yield attempt.fail(title, "not-on-the-slider", got=str(texts), texts=texts)
    elif fits(8, texts) and not fits(8, 2 * texts):
        yield attempt.fail(title, "for-eight-bits", got=str(texts), texts=texts)
    elif not fits(4, texts):
        yield attempt.fail(title, "does-not-fit", got=str(texts), texts=texts)
    elif fits(4, 2 * texts):
        yield attempt.fail(title, "more-would-fit", got=str(texts), texts=texts)
    else:
        yield Check(title)
