"""Lesson 04, parallel streams: what its exercises check and its questions ask."""

import operator
from functools import cache

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from course.graders.grading import Check, Mistake, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.language import N_, _, ngettext
from utils.losses import loss_by_position
from utils.parts import causal_mask, last_position_logits
from utils.streams import logit_lens, trace_streams

EIFFEL = "The Eiffel Tower is in the city of"

question(
    "4.a",
    N_("You compute a text of 32 tokens in one pass, and then token by token. What differs?"),
    (
        N_("only the time: one pass is several times as fast"),
        N_("only the hidden states: token by token the model knows less"),
        N_("nothing: the same work takes the same time"),
    ),
    right=1,
    because=N_(
        "Each stream reads only from earlier ones, so it makes no difference when the later ones "
        "are computed. But one pass fetches every weight from memory once for all tokens."
    ),
)
question(
    "4.b",
    N_("In “The capital of France is” you put Japan for France. Where does the stream of ` is` "
       "begin to change?"),
    (
        N_("at layer 0, its embedding"),
        N_("at layer 1, after the first block"),
        N_("at the last layer, where the answer is decided"),
        N_("nowhere: the token is the same as before"),
    ),
    right=2,
    because=N_(
        "Its embedding is that of ` is`, whatever stands before it. The attention of the first "
        "block is the first to look to the left."
    ),
)  # fmt: skip
question(
    "4.c",
    N_("You tell the model that its text begins at position 100,000, far past its context length. "
       "How does the loss change?"),
    (
        N_("it becomes much higher"),
        N_("it stays the same"),
        N_("the model raises an error"),
    ),
    right=2,
    because=N_(
        "Rotary positions tell a query and a key only how far apart they are, and those distances "
        "have not changed. A model that looks its positions up in a table would fail here."
    ),
)  # fmt: skip


@exercise(
    "4.1",
    title=N_("Who may look where"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("Row 0 may look at column 0 only; the last row at all columns."),
        N_("The True entries make a triangle: the diagonal and everything below it."),
        N_("`torch.ones(n, n, dtype=torch.bool)` is a square of True; `.tril()` keeps its lower "
           "left."),
    ),
)  # fmt: skip
def grade_causal_mask(attempt):
    mistakes = (
        Mistake(
            "upside-down",
            lambda n: causal_mask(n).T,
            N_("Each position looks at the later ones here. Rows are queries: keep the lower "
               "left, `tril`."),
        ),
        Mistake(
            "itself-hidden",
            lambda n: causal_mask(n).tril(-1),
            N_("A position may look at itself, too: the diagonal belongs to it."),
        ),
        Mistake(
            "inverted",
            lambda n: ~causal_mask(n),
            N_("True stands where looking is forbidden. Here True means: may look."),
        ),
        Mistake(
            "everything",
            lambda n: torch.ones(n, n, dtype=torch.bool),
            N_("Everybody sees everything here. Later positions must be hidden."),
        ),
        Mistake(
            "only-itself",
            lambda n: torch.eye(n, dtype=torch.bool),
            N_("Each position sees only itself. It may look at all those before it as well."),
        ),
        Mistake(
            "minus-infinity",
            lambda n: torch.zeros(n, n).masked_fill(~causal_mask(n), float("-inf")),
            N_("That is the mask in its other form, to be added to the scores. Return True and "
               "False."),
        ),
    )  # fmt: skip
    for n in (4, 1, 7):
        yield attempt.compare(
            ngettext("{n} position", "{n} positions", n).format(n=n),
            n,
            expected=causal_mask(n),
            mistakes=mistakes,
        )


class LMHead(nn.Linear):
    """An LM head that counts how many vectors it is asked for."""

    vectors = 0

    def forward(self, hidden_states):
        self.vectors += hidden_states[..., 0].numel()
        return super().forward(hidden_states)


def _head(width: int, vocab: int) -> nn.Module:
    head = LMHead(width, vocab, bias=False).requires_grad_(False)
    head.weight.copy_(torch.randn(vocab, width))
    return head


@exercise(
    "4.2",
    title=N_("Only the last position"),
    kind="implement",
    difficulty=1,
    minutes=5,
    hints=(
        N_("`hidden_states` has the shape `[1, position, width]`. Which vector is the last "
           "stream's?"),
        N_("`hidden_states[0, -1]` is that vector, of the shape `[width]`."),
        N_("`lm_head` is called like a function. Call it with that one vector, not with all of "
           "them."),
    ),
)  # fmt: skip
def grade_last_position_logits(attempt):
    mistakes = (
        Mistake(
            "every-position",
            lambda h, head: head(h)[0],
            N_("These are the logits of every position. Take the last one before the LM head."),
        ),
        Mistake(
            "first-position",
            lambda h, head: head(h[0, 0]),
            N_("That is the first stream. The last one, index -1, predicts what comes next."),
        ),
        Mistake(
            "one-too-early",
            lambda h, head: head(h[0, -2]),
            N_("That is one position too early: index -1 is the last one."),
        ),
        Mistake(
            "averaged",
            lambda h, head: head(h[0].mean(0)),
            N_("The streams were averaged. The last one alone predicts; it has already looked at "
               "the others."),
        ),
        Mistake(
            "probabilities",
            lambda h, head: head(h[0, -1]).softmax(-1),
            N_("These are probabilities. Logits are asked for, as the LM head gives them."),
        ),
        Mistake(
            "id-not-logits",
            lambda h, head: head(h[0, -1]).argmax().item(),
            N_("That is the likeliest id. All the logits are asked for; choosing comes later."),
        ),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(4)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        heads = [_head(8, 12), _head(5, 7)]
    for head, count in zip(heads, (4, 2), strict=True):
        hidden = torch.randn(1, count, head.in_features, generator=generator)
        expected = last_position_logits(hidden, head)
        title = _("the logits of the last of {count} positions").format(count=count)
        head.vectors = 0
        yield attempt.compare(title, hidden, head, expected=expected, mistakes=mistakes)
        title = _("no more work than needed")
        if head.vectors > 1:
            says = _(
                "The result is right, but the LM head computed {count} positions and all but one "
                "were thrown away. Take the last vector first, then call `lm_head`."
            )
            yield fail(title, "work-thrown-away", says.format(count=head.vectors))
        else:
            yield Check(title)


@exercise(
    "4.3",
    title=N_("The logit lens"),
    kind="implement",
    difficulty=2,
    minutes=10,
    hints=(
        N_("After its last block the model does two things to a vector. Do the same two to this "
           "one."),
        N_("The LM head was trained on vectors that come from the final norm: first `norm`."),
        N_("Then `lm_head`. Both are called like functions, one on the other's result."),
    ),
)  # fmt: skip
def grade_logit_lens(attempt):
    mistakes = (
        Mistake(
            "norm-left-out",
            lambda h, norm, head: head(h),
            N_("The final norm is missing. The LM head knows only vectors that come from it."),
        ),
        Mistake(
            "norm-twice",
            lambda h, norm, head: head(norm(norm(h))),
            N_("The norm was applied twice. In the model a vector passes it once."),
        ),
        Mistake(
            "wrong-order",
            lambda h, norm, head: norm(head(h)),
            N_("The norm takes vectors of the model's width: first `norm`, then `lm_head`."),
        ),
        Mistake(
            "gain-left-out",
            lambda h, norm, head: head(nn.functional.rms_norm(h, h.shape[-1:], eps=1e-6)),
            N_("The length is right, but the norm also has a weight for each number. Call `norm`."),
        ),
        Mistake(
            "length-one",
            lambda h, norm, head: head(h / h.norm(dim=-1, keepdim=True)),
            N_("You gave the vector the length 1. The model's own `norm` does something else: "
               "call it."),
        ),
        Mistake(
            "probabilities",
            lambda h, norm, head: head(norm(h)).softmax(-1),
            N_("These are probabilities. Logits are asked for, as the LM head gives them."),
        ),
        Mistake(
            "id-not-logits",
            lambda h, norm, head: head(norm(h)).argmax(-1),
            N_("That is the likeliest id. All the logits are asked for; choosing comes later."),
        ),
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(5)
        norm, head = nn.RMSNorm(6, eps=1e-6), nn.Linear(6, 9, bias=False)
        norm.requires_grad_(False).weight.copy_(torch.rand(6) * 3 + 0.2)
        head.requires_grad_(False).weight.copy_(torch.randn(9, 6))
        cases = ((N_("one vector"), 7 * torch.randn(6)),
                 (N_("three positions at once"), 3 * torch.randn(3, 6)))  # fmt: skip
    for title, hidden in cases:
        expected = head(norm(hidden))
        yield attempt.compare(title, hidden, norm, head, expected=expected, mistakes=mistakes)


@cache
def _leaders() -> list[str]:
    """What the last stream of EIFFEL would say after each layer."""
    model, tokenizer = default_model()
    logits = logit_lens(model, trace_streams(model, tokenizer, EIFFEL))
    return [tokenizer.decode([i]) for i in logits[:, -1].argmax(-1).tolist()]


@exercise(
    "4.4",
    title=N_("Where Paris takes the lead"),
    kind="find",
    difficulty=2,
    minutes=5,
    hints=(
        N_("Put the sentence into the explorer, without a space at its end, and look at its last "
           "column."),
        N_("Begin at the top and go down for as long as the cell still says ` Paris`."),
        N_(
            "Move *layer* down step by step, and read the uppermost bar: where is it still "
            "` Paris`?"
        ),
    ),
)  # fmt: skip
def grade_leading_layer(attempt):
    title, leaders = N_("' Paris' leads from this layer on"), _leaders()
    last = len(leaders) - 1
    try:
        if isinstance(attempt.answer, bool):
            raise TypeError
        layer = operator.index(attempt.answer)
    except TypeError:
        says = _("Give the layer as a whole number, from 0 to {last}.").format(last=last)
        yield fail(title, "not-a-layer", says, got=repr(attempt.answer)[:80])
        return
    first = max(i + 1 for i, leader in enumerate(leaders) if leader != " Paris")
    if not 0 <= layer <= last:
        says = _("There are layers 0 (the embeddings) to {last}.").format(last=last)
        yield fail(title, "no-such-layer", says, got=str(layer))
    elif layer < first:
        says = _("After layer {layer} the last stream would still say {leader}. Look higher up.")
        says = says.format(layer=layer, leader=repr(leaders[layer]))
        yield fail(title, "too-early", says, got=str(layer))
    elif layer > first:
        says = _("' Paris' leads there, but it did so before. Look further down.")
        yield fail(title, "too-late", says, got=str(layer))
    else:
        yield Check(title)


@exercise(
    "4.5",
    title=N_("How surprised the model is, position by position"),
    kind="implement",
    difficulty=3,
    minutes=10,
    hints=(
        N_("The logits at position 0 are a guess at the token at position 1. So the last logits "
           "have nothing to be compared with, and the first token has no guess."),
        N_("Compare `logits[0, :-1]` with `input_ids[0, 1:]`."),
        N_("`torch.nn.functional.cross_entropy(logits, ids, reduction='none')` takes logits "
           "`[n, vocab]` and ids `[n]`, and keeps a loss for each."),
    ),
)  # fmt: skip
def grade_loss_by_position(attempt):
    mistakes = (
        Mistake(
            "not-shifted",
            lambda logits, ids: cross_entropy(logits[0], ids[0], reduction="none"),
            N_("Each position was compared with its own token. Its logits are for the next one: "
               "shift by one."),
        ),
        Mistake(
            "both-cut-alike",
            lambda logits, ids: cross_entropy(logits[0, :-1], ids[0, :-1], reduction="none"),
            N_("Both lost their last position, so each is still compared with its own token. The "
               "ids lose their first."),
        ),
        Mistake(
            "shifted-backwards",
            lambda logits, ids: cross_entropy(logits[0, 1:], ids[0, :-1], reduction="none"),
            N_("That compares each guess with the token before. It is for the token after: "
               "`logits[0, :-1]` with `input_ids[0, 1:]`."),
        ),
        Mistake(
            "averaged",
            lambda logits, ids: cross_entropy(logits[0, :-1], ids[0, 1:]),
            N_("That is the mean of all positions. `reduction='none'` keeps them apart."),
        ),
        Mistake(
            "sign",
            lambda logits, ids: -loss_by_position(logits, ids),
            N_("The sign is missing: the loss is minus the logarithm of the probability."),
        ),
        Mistake(
            "probability",
            lambda logits, ids: (-loss_by_position(logits, ids)).exp(),
            N_("That is the probability of the token that came. The loss is minus its logarithm."),
        ),
        Mistake(
            "logit-not-loss",
            lambda logits, ids: -logits[0, :-1].gather(1, ids[0, 1:, None])[:, 0],
            N_("That is a bare logit. Turn logits into probabilities over the vocabulary first, "
               "with `log_softmax`."),
        ),
        Mistake(
            "batch-axis",
            lambda logits, ids: cross_entropy(logits[:, :-1], ids[:, 1:], reduction="none"),
            N_("With a batch axis `cross_entropy` takes axis 1 for the vocabulary. Take the batch "
               "away: `logits[0, …]`."),
        ),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(6)
    for count, vocab in ((5, 9), (2, 4)):
        logits = 3 * torch.randn(1, count, vocab, generator=generator)
        ids = torch.randint(vocab, (1, count), generator=generator)
        title = _("a text of {count} tokens").format(count=count)
        expected = loss_by_position(logits, ids)
        yield attempt.compare(title, logits, ids, expected=expected, mistakes=mistakes)
