"""Heads to be found: what exercises 7.9 to 7.11 check."""

from collections.abc import Iterator
from functools import cache

from course.graders.attempt import Attempt
from course.graders.compare import describe
from course.graders.lesson_07.layer import TEXT, recorded
from course.graders.models import default_model
from course.graders.spec import Check, exercise
from utils.attention import AttentionRecord, record_ids
from utils.head_patterns import rank, said_twice
from utils.language import N_

OTHER_TEXTS = (
    "In the morning the old man walked down to the harbour and looked at the boats.",
    "She opened the letter, read it twice, and put it back into the drawer.",
)
ENOUGH = 0.5  # share of its attention that a head must give to what it is said to look at

NO_HEAD = {
    "not-a-pair": N_(
        "Give two whole numbers, the layer and the head, such as (5, 3).",
        "(5, 3)처럼 층과 헤드를 나타내는 정수 두 개를 적으세요.",
    ),
    "swapped": N_(
        "There is no such head. The layer comes first, then the head.",
        "그런 헤드는 없습니다. 층을 먼저, 헤드를 나중에 적습니다.",
    ),
    "no-such-head": N_(
        "There is no such head: layers go from 0 to {layer}, heads from 0 to {head}.",
        "그런 헤드는 없습니다. 층은 0번부터 {layer}번까지, 헤드는 0번부터 {head}번까지입니다.",
    ),
}
PARKED = N_(
    "This head rests on the first token most of the time.",
    "이 헤드는 거의 언제나 첫 토큰에 머물러 있습니다.",
)
LOOKS_AWAY = {
    "counted-from-one": N_(
        "You seem to count from 1: layers and heads are counted from 0.",
        "1부터 센 것 같습니다. 층과 헤드는 0부터 셉니다.",
    ),
    "looks-first": PARKED,
    "looks-elsewhere": N_(
        "It gives only {share:.2f} of its attention there. Look for more than a half.",
        "거기에 준 가중치는 {share:.2f}뿐입니다. 절반이 넘는 헤드를 찾으세요.",
    ),
}


@cache
def _said_twice(seed: int) -> AttentionRecord:
    model, tokenizer = default_model()
    return record_ids(model, tokenizer, said_twice(model, tokenizer, seed=seed))


def _head(attempt: Attempt, title: str) -> tuple[int, int] | Check:
    """(layer, head), or a failed check that says why the answer is none."""
    answer, config = attempt.answer, default_model()[0].config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    got = describe(answer)
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    if not pair or not all(isinstance(n, int) and not isinstance(n, bool) for n in answer):
        return attempt.fail(title, "not-a-pair", got=got)
    layer, head = answer
    if 0 <= layer < layers and 0 <= head < heads:
        return layer, head
    if 0 <= head < layers and 0 <= layer < heads:
        return attempt.fail(title, "swapped", got=got)
    return attempt.fail(title, "no-such-head", got=got, layer=layers - 1, head=heads - 1)


def _looks(records: list[AttentionRecord], pattern: str, layer: int, head: int) -> float:
    """The head's mean score for a pattern, over several records."""
    scores = [rank(record, pattern).scores[layer, head].item() for record in records]
    return sum(scores) / len(scores)


def _find(
    attempt: Attempt,
    title: str,
    records: list[AttentionRecord],
    pattern: str,
    others: dict[str, str],
) -> Check:
    """Check a head that should look as `pattern` says.

    others: the diagnosis of a head that has another pattern, by that pattern.
    """
    found = _head(attempt, title)
    if isinstance(found, Check):
        return found
    score = _looks(records, pattern, *found)
    if score >= ENOUGH:
        return Check(title)
    about = {"given": describe(attempt.answer), "got": f"{score:.2f}", "expected": f"> {ENOUGH}"}
    before = (found[0] - 1, found[1] - 1)
    if min(before) >= 0 and _looks(records, pattern, *before) >= ENOUGH:
        return attempt.fail(title, "counted-from-one", **about)
    for other, diagnosis in others.items():
        if _looks(records, other, *found) >= ENOUGH:
            return attempt.fail(title, diagnosis, **about)
    return attempt.fail(title, "looks-elsewhere", share=score, **about)


@exercise(
    "7.9",
    diagnoses={
        **NO_HEAD,
        **LOOKS_AWAY,
        "looks-itself": N_(
            "This head looks at the token itself, not at the one before.",
            "이 헤드는 앞 토큰이 아니라 자기 자신을 봅니다.",
        ),
    },
)
def previous_token_head(attempt: Attempt) -> Iterator[Check]:
    title = N_(
        "on two other texts it looks at the token before",
        "다른 글 두 편에서도 바로 앞 토큰을 본다",
    )
    records = [recorded(text) for text in OTHER_TEXTS]
    others = {"first": "looks-first", "itself": "looks-itself"}
    yield _find(attempt, title, records, "previous", others)


@exercise(
    "7.10",
    diagnoses={
        **NO_HEAD,
        **LOOKS_AWAY,
        "looks-same": N_(
            "This head looks at the same token where it stood before. An induction head looks "
            "at the one after that.",
            "이 헤드는 전에 나온 같은 토큰을 봅니다. 인덕션 헤드는 그 바로 다음 토큰을 봅니다.",
        ),
        "looks-previous": N_(
            "This head looks at the token before, repeated or not.",
            "이 헤드는 되풀이되든 아니든 바로 앞 토큰을 봅니다.",
        ),
    },
)
def induction_head(attempt: Attempt) -> Iterator[Check]:
    title = N_(
        "on other random tokens, said twice, it looks at what followed",
        "다른 무작위 토큰을 두 번 되풀이해도 전에 뒤따랐던 토큰을 본다",
    )
    records = [_said_twice(seed) for seed in (1, 2)]
    others = {"same": "looks-same", "previous": "looks-previous", "first": "looks-first"}
    yield _find(attempt, title, records, "induction", others)


@exercise(
    "7.11",
    diagnoses={
        **NO_HEAD,
        "not-the-strongest": N_(
            "It does look at ' dog', but another head does so more.",
            "' dog'을 보기는 하지만, 더 많이 보는 헤드가 따로 있습니다.",
        ),
        "looks-first": PARKED,
        "looks-elsewhere": N_(
            "From ' it' this head looks most at {token}.",
            "이 헤드가 ' it'에서 가장 많이 보는 토큰은 {token}입니다.",
        ),
    },
)
def it_to_dog_head(attempt: Attempt) -> Iterator[Check]:
    title = N_(
        "from ` it` it looks at ` dog` more than any other head does",
        "` it`에서 ` dog`을 어느 헤드보다 많이 본다",
    )
    found = _head(attempt, title)
    if isinstance(found, Check):
        yield found
        return
    record = recorded(TEXT)
    to_dog = rank(record, "word", "dog").scores
    best = to_dog.max().item()
    score = to_dog[found].item()
    if score >= best - 0.05:
        yield Check(title)
        return
    weights = record.weights[found[0]][found[1], -1]
    token = record.tokens[int(weights.argmax())]
    about = {"given": describe(attempt.answer), "got": f"{score:.2f}", "expected": f"{best:.2f}"}
    if token == " dog":
        yield attempt.fail(title, "not-the-strongest", **about)
    elif token == record.tokens[0]:
        yield attempt.fail(title, "looks-first", **about)
    else:
        yield attempt.fail(title, "looks-elsewhere", token=repr(token), **about)
