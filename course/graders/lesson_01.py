"""Lesson 01, the generation loop: what its exercises check and its questions ask."""

from functools import cache

import torch

from course.graders.grading import Check, Mistake, describe, exercise, fail
from course.graders.questions import question
from utils.generation import end_token_ids, generate, generation_steps, next_logits
from utils.language import N_, _
from utils.model import load_model


@cache
def default_model():
    """The default model on the CPU, whichever model the notebook itself runs."""
    return load_model("smollm2", device="cpu")


def chat(tokenizer, message: str) -> str:
    """`message` inside the chat template, up to where the answer begins."""
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True
    )


question(
    "1.a",
    N_("The model has just written 50 new tokens. How often did it run from bottom to top?"),
    (N_("once"), N_("50 times"), N_("once for every word"), N_("once for every letter")),
    right=2,
    because=N_("One forward pass gives one token, so 50 tokens take 50 passes."),
)
question(
    "1.b",
    N_("`max_new_tokens=50` has just been reached. How long is the text that came out?"),
    (N_("50 characters"), N_("50 words"), N_("50 tokens, and usually far more characters")),
    right=3,
    because=N_(
        "A token is a piece of text: a word, a part of one, a line break. In English it holds "
        "about four characters."
    ),
)
question(
    "1.c",
    N_("You change one word late in the text. Which predictions can change?"),
    (
        N_("all of them"),
        N_("only those at the changed word and after it"),
        N_("only those before it"),
    ),
    right=2,
    because=N_(
        "A prediction is made from what stands before it. Nothing flows backwards, so what was "
        "predicted earlier stays as it was, to the last bit."
    ),
)


@exercise(
    "1.1",
    title=N_("The next token's id"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("`model(input_ids).logits` has the shape `[1, position, vocab]`."),
        N_("Only the last position tells what comes after the text: index it with `[0, -1]`."),
        N_(
            "`argmax(-1)` of those `[vocab]` scores is a tensor with one number; "
            "`.item()` makes it an int."
        ),
    ),
)
def next_token_id(attempt):
    model, tokenizer = default_model()
    mistakes = (
        Mistake(
            "first-position",
            lambda model, ids: model(ids).logits[0, 0].argmax().item(),
            N_("That is what follows the first token. Take the last position, index -1."),
        ),
        Mistake(
            "one-too-early",
            lambda model, ids: model(ids).logits[0, -2].argmax().item(),
            N_("That is one position too early: index -1 is the last one."),
        ),
        Mistake(
            "over-all-positions",
            lambda model, ids: model(ids).logits.argmax().item(),
            N_("argmax ran over all positions at once. Take the last position first."),
        ),
        Mistake(
            "every-position",
            lambda model, ids: model(ids).logits.argmax(-1),
            N_("That is a prediction for every position. Only the last one is the next token."),
        ),
        Mistake(
            "score-not-id",
            lambda model, ids: model(ids).logits[0, -1].max().item(),
            N_(
                "That is the highest score itself. Its place in the vocabulary is asked for: "
                "argmax."
            ),
        ),
        Mistake(
            "text-not-id",
            lambda model, ids: tokenizer.decode(model(ids).logits[0, -1].argmax()),
            N_("That is the token's text. Return its id, an int; decoding comes later."),
        ),
    )
    for text in ("1, 2, 3, 4,", "The capital of France is", "Once upon a time there was"):
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            expected = model(ids).logits[0, -1].argmax().item()
            title = _("after {text}").format(text=repr(text))
            yield attempt.compare(title, model, ids, expected=expected, mistakes=mistakes)


@exercise(
    "1.2",
    title=N_("Append a token"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("The result has the shape `[1, position + 1]`: one position more, the same batch axis."),
        N_("Make a tensor `[[token_id]]` first; it has the shape `[1, 1]`."),
        N_("`torch.cat([a, b], dim=1)` joins two tensors along the position axis."),
    ),
)
def append_token(attempt):
    def new(token):
        return torch.tensor([[token]])

    mistakes = (
        Mistake(
            "at-the-front",
            lambda ids, token: torch.cat([new(token), ids], dim=1),
            N_("The token went to the front. The model reads left to right: new tokens go last."),
        ),
        Mistake(
            "batch-axis",
            lambda ids, token: torch.cat([ids, new(token)], dim=0),
            N_("You joined along axis 0, the batch. Positions are axis 1."),
        ),
        Mistake(
            "batch-lost",
            lambda ids, token: torch.cat([ids[0], torch.tensor([token])]),
            N_("The batch axis is gone. The model wants `[1, position]`, not `[position]`."),
        ),
        Mistake(
            "replaced-last",
            lambda ids, token: torch.cat([ids[:, :-1], new(token)], dim=1),
            N_("The token took the last one's place. The text should grow by one position."),
        ),
        Mistake(
            "added-up",
            lambda ids, token: ids + token,
            N_("`+` adds the number to every id. Joining is `torch.cat`."),
        ),
        Mistake(
            "flat-token",
            lambda ids, token: torch.cat([ids, torch.tensor([token])], dim=1),
            N_("Both tensors need two axes to be joined: write `[[token_id]]`, not `[token_id]`."),
        ),
        Mistake(
            "bare-token",
            lambda ids, token: torch.cat([ids, token], dim=1),
            N_(
                "`torch.cat` joins tensors. Make one of the id first: `torch.tensor([[token_id]])`."
            ),
        ),
    )
    for ids, token in (([[5, 6, 7]], 8), ([[2]], 2), ([[9, 8, 7, 6, 5]], 0)):
        ids = torch.tensor(ids)
        yield attempt.compare(
            _("{ids} and then {token}").format(ids=ids.tolist(), token=token),
            ids,
            token,
            expected=torch.cat([ids, new(token)], dim=1),
            mistakes=mistakes,
        )


@cache
def _loop(model, tokenizer, prompt, max_new_tokens, *, grow=True, stop=True, only_last=False):
    """The ids that a greedy loop writes, with one thing or another gone wrong in it."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    new = []
    for _step in range(max_new_tokens):
        new.append(next_logits(model, ids)[0].argmax().item())
        if stop and new[-1] in end_token_ids(model, tokenizer):
            break
        if only_last:
            ids = torch.tensor([[new[-1]]])
        elif grow:
            ids = torch.cat([ids, torch.tensor([[new[-1]]])], dim=1)
    return new


@cache
def _greedy_text(prompt: str, count: int) -> str:
    """What the default model writes, computed once however often a learner checks."""
    return generate(*default_model(), prompt, count)


def _mistaken_loops() -> tuple[Mistake, ...]:
    def text(tokenizer, ids):
        return tokenizer.decode(ids, skip_special_tokens=True)

    return (
        Mistake(
            "with-prompt",
            lambda m, t, p, n: text(t, t(p).input_ids + _loop(m, t, p, n)),
            N_("The prompt is in it. Return only what is new: the ids after the prompt's."),
        ),
        Mistake(
            "end-token-kept",
            lambda m, t, p, n: t.decode(_loop(m, t, p, n)),
            N_(
                "The end token's own text is in it. Stop before you keep it, or decode with "
                "`skip_special_tokens=True`."
            ),
        ),
        Mistake(
            "one-too-few",
            lambda m, t, p, n: text(t, _loop(m, t, p, n)[:-1]),
            N_("One token is missing at the end: does your loop run `max_new_tokens` times?"),
        ),
        Mistake(
            "one-too-many",
            lambda m, t, p, n: text(t, _loop(m, t, p, n + 1)),
            N_("There is one token too many: does your loop run `max_new_tokens` times?"),
        ),
        Mistake(
            "past-the-end",
            lambda m, t, p, n: text(t, _loop(m, t, p, n, stop=False)),
            N_("It wrote on after the end token. Compare with `tokenizer.eos_token_id` and stop."),
        ),
        Mistake(
            "not-appended",
            lambda m, t, p, n: text(t, _loop(m, t, p, n, grow=False)),
            N_("The same token again and again: is the new token appended to `input_ids`?"),
        ),
        Mistake(
            "only-last-token",
            lambda m, t, p, n: text(t, _loop(m, t, p, n, only_last=True)),
            N_("The model saw only the newest token each time. It needs the whole text so far."),
        ),
        Mistake(
            "token-by-token",
            lambda m, t, p, n: "".join(text(t, [i]) for i in _loop(m, t, p, n)),
            N_(
                "The tokens were decoded one by one. A Hangul syllable or an emoji may be spread "
                "over several tokens: decode them together."
            ),
        ),
        Mistake(
            "ids-not-text",
            _loop,
            N_("These are ids. `tokenizer.decode(ids)` turns them into text."),
        ),
        Mistake(
            "characters",
            lambda m, t, p, n: text(t, _loop(m, t, p, n))[:n],
            N_("The text was cut after `max_new_tokens` characters. Count tokens instead."),
        ),
    )


@exercise(
    "1.3",
    title=N_("The whole loop"),
    kind="implement",
    difficulty=2,
    minutes=15,
    hints=(
        N_("Start with `tokenizer(prompt, return_tensors='pt').input_ids`, then a `for` loop."),
        N_(
            "In the loop: `next_token_id`, then stop if it is `tokenizer.eos_token_id`, "
            "else `append_token`."
        ),
        N_(
            "The new ids are `input_ids[0, n:]`, where `n` is the prompt's length; decode them "
            "together with `skip_special_tokens=True`."
        ),
    ),
)
def generate_greedy(attempt):
    model, tokenizer = default_model()
    for title, prompt, count in (
        (N_("five tokens more"), "The capital of Italy is", 5),
        (N_("it stops at the end token"), "Is it", 8),
        (N_("characters made of several tokens"), "서울은 대한민국의", 6),
    ):
        expected = _greedy_text(prompt, count)
        yield attempt.compare(
            title, model, tokenizer, prompt, count, expected=expected, mistakes=_mistaken_loops()
        )


@exercise(
    "1.4",
    title=N_("A text that ends by itself"),
    kind="find",
    difficulty=1,
    minutes=10,
    hints=(
        N_("Short answers end soon. What could you ask that takes only a few words to answer?"),
        N_(
            "Switch the chat template on in the explorer: the model then answers instead of "
            "going on."
        ),
        N_(
            "Ask for a fact, such as the capital of a country, and press *ten tokens* until it "
            "ends."
        ),
    ),
)
def ends_by_itself(attempt):
    prompt, title = attempt.answer, N_("the model ends by itself before 50 tokens")
    if not isinstance(prompt, str):
        yield fail(
            title, "not-text", _("Give your prompt as text, in quotes."), got=repr(prompt)[:80]
        )
        return
    if not prompt.strip():
        yield fail(
            title, "empty", _("The prompt is empty. Write something for the model to answer.")
        )
        return
    model, tokenizer = default_model()
    for text in (prompt, chat(tokenizer, prompt)):
        try:
            steps = list(generation_steps(model, tokenizer, text, 50))
        except ValueError as problem:
            yield fail(title, "over-long", str(problem), given=describe(prompt))
            return
        if len(steps) > 1 and steps[-1].token_id in end_token_ids(model, tokenizer):
            yield Check(title)
            return
    says = _(
        "With the chat template it was still writing after 50 tokens, and to end without having "
        "written anything does not count. Ask for something that is said in a few words."
    )
    written = tokenizer.decode([step.token_id for step in steps])
    yield fail(title, "still-writing", says, given=describe(prompt), got="… " + written[-60:])
