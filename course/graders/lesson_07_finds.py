"""Lesson 07, heads to be found: what exercises 7.9 to 7.11 check."""

from functools import cache

from course.graders.grading import Check, describe, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.lesson_07_layer import TEXT, recorded
from utils.attention import record_ids
from utils.head_patterns import rank, said_twice
from utils.language import N_, _

OTHER_TEXTS = (
    "In the morning the old man walked down to the harbour and looked at the boats.",
    "She opened the letter, read it twice, and put it back into the drawer.",
)
ENOUGH = 0.5  # share of its attention that a head must give to what it is said to look at


@cache
def _said_twice(seed: int):
    model, tokenizer = default_model()
    return record_ids(model, tokenizer, said_twice(model, tokenizer, seed=seed))


def _head(attempt, title: str):
    """(layer, head), or a failed check that says why the answer is none."""
    answer, config = attempt.answer, default_model()[0].config
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    if not pair or not all(isinstance(n, int) and not isinstance(n, bool) for n in answer):
        says = _("Give two whole numbers, the layer and the head, such as (5, 3).")
        return fail(title, "not-a-pair", says, got=describe(answer))
    layer, head = answer
    if 0 <= layer < layers and 0 <= head < heads:
        return layer, head
    if 0 <= head < layers and 0 <= layer < heads:
        says = _("There is no such head. The layer comes first, then the head.")
        return fail(title, "swapped", says, got=describe(answer))
    says = _("There is no such head: layers go from 0 to {layer}, heads from 0 to {head}.")
    says = says.format(layer=layers - 1, head=heads - 1)
    return fail(title, "no-such-head", says, got=describe(answer))


def _looks(records, pattern: str, layer: int, head: int) -> float:
    """The head's mean score for a pattern, over several records."""
    scores = [rank(record, pattern).scores[layer, head].item() for record in records]
    return sum(scores) / len(scores)


def _find(attempt, title: str, records, pattern: str, others: dict[str, str]):
    """Check a head that should look as `pattern` says; `others`: patterns it may have instead."""
    found = _head(attempt, title)
    if isinstance(found, Check):
        return found
    score = _looks(records, pattern, *found)
    if score >= ENOUGH:
        return Check(title)
    about = {"given": describe(attempt.answer), "got": f"{score:.2f}", "expected": f"> {ENOUGH}"}
    before = (found[0] - 1, found[1] - 1)
    if min(before) >= 0 and _looks(records, pattern, *before) >= ENOUGH:
        says = _("You seem to count from 1: layers and heads are counted from 0.")
        return fail(title, "counted-from-one", says, **about)
    for other, says in others.items():
        if _looks(records, other, *found) >= ENOUGH:
            return fail(title, f"looks-{other}", _(says), **about)
    says = _("It gives only {share:.2f} of its attention there. Look for more than a half.")
    return fail(title, "looks-elsewhere", says.format(share=score), **about)


PARKED = N_("This head rests on the first token most of the time.")


@exercise(
    "7.9",
    title=N_("A previous-token head"),
    kind="find",
    difficulty=1,
    minutes=3,
    hints=(
        N_("In the explorer of heads with a job, choose *at the token before*."),
        N_("The best heads are named at the top right: layer first, then head."),
        N_("The best of all stands in layer 16."),
    ),
)
def previous_token_head(attempt):
    records = [recorded(text) for text in OTHER_TEXTS]
    others = {
        "first": PARKED,
        "itself": N_("This head looks at the token itself, not at the one before."),
    }
    title = N_("on two other texts it looks at the token before")
    yield _find(attempt, title, records, "previous", others)


@exercise(
    "7.10",
    title=N_("An induction head"),
    kind="find",
    difficulty=2,
    minutes=3,
    hints=(
        N_("In the explorer of heads with a job, choose *at what followed the same token*."),
        N_("In the matrix of such a head, a slanting line begins where the text repeats."),
        N_("The best two stand in layers 17 and 18."),
    ),
)
def induction_head(attempt):
    records = [_said_twice(seed) for seed in (1, 2)]
    others = {
        "same": N_(
            "This head looks at the same token where it stood before. An induction head looks at "
            "the one after that."
        ),
        "previous": N_("This head looks at the token before, repeated or not."),
        "first": PARKED,
    }
    title = N_("on other random tokens, said twice, it looks at what followed")
    yield _find(attempt, title, records, "induction", others)


@exercise(
    "7.11",
    title=N_("The head that links `it` to `dog`"),
    kind="find",
    difficulty=1,
    minutes=3,
    hints=(
        N_("Choose *from the end, at the word* in the explorer, and write the word `dog`."),
        N_("The bars name the best heads. One is well ahead of the others."),
        N_("It stands in layer 13."),
    ),
)
def it_to_dog_head(attempt):
    title = N_("from ` it` it looks at ` dog` more than any other head does")
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
        says = _("It does look at ' dog', but another head does so more.")
        yield fail(title, "not-the-strongest", says, **about)
    elif token == record.tokens[0]:
        yield fail(title, "looks-first", _(PARKED), **about)
    else:
        says = _("From ' it' this head looks most at {token}.").format(token=repr(token))
        yield fail(title, "looks-elsewhere", says, **about)
