"""Lesson 06, the transformer block: what its exercises check and its questions ask."""

import torch

from course.graders.grading import Check, Mistake, exercise, fail
from course.graders.lesson_01 import default_model
from course.graders.questions import question
from utils.feed_forward import without_feed_forward
from utils.generation import next_logits
from utils.language import N_, _
from utils.model import prompt_ids

question(
    "6.a",
    N_(
        "After “The Shawshank” the logit of ' Red' is 7.6, a sum over all parts of the model. "
        "What does most of it come from?"
    ),
    (
        N_("the embedding of the last token"),
        N_("the attention layers"),
        N_("the feed-forward layers"),
    ),
    right=3,
    because=N_(
        "The feed-forward layers add 7.7, all attention layers together about nothing, and the "
        "start about nothing. Ask the same of ' Paris' after “The capital of France is”, and "
        "attention has a good share in it."
    ),
)
question(
    "6.b",
    N_(
        "Each of the 30 blocks has a feed-forward layer. You switch off one of them. Without how "
        "many of the 30, one at a time, is ' Red' no longer the likeliest?"
    ),
    (N_("exactly one: the fact lies there"), N_("about a dozen"), N_("all 30")),
    right=2,
    because=N_(
        "Without any one of twelve of them it is lost, and ten of these are among the first twelve "
        "layers. Without some of them ' Paris', too, is lost after “The capital of France is”: to "
        "be needed is not the same as to hold this fact."
    ),
)
question(
    "6.c",
    N_(
        "“The king and the” goes on with ' king' or ' queen', “The boy and the” with ' girl'. "
        "Halfway between the two, at block 5: what is the likeliest?"
    ),
    (N_("still ' king' or ' queen'"), N_("' girl'"), N_("' princess'"), N_("nonsense")),
    right=3,
    because=N_(
        "Neither text makes ' princess' its first choice, and nor does the mean of both answers. "
        "The blocks above block 5 made it of the mixed vectors."
    ),
)


def _mistaken_blocks() -> tuple[Mistake, ...]:
    def second(x, feed_forward, norm_2):
        return x + feed_forward(norm_2(x))

    return (
        Mistake(
            "no-residual",
            lambda x, a, f, n1, n2: f(n2(a(n1(x)))),
            N_("Nothing was added to what came in. Each part's result is added to the stream."),
        ),
        Mistake(
            "first-addition-missing",
            lambda x, a, f, n1, n2: second(a(n1(x)), f, n2),
            N_("What came in is lost after attention: x = x + attention(norm_1(x))."),
        ),
        Mistake(
            "second-addition-missing",
            lambda x, a, f, n1, n2: f(n2(x + a(n1(x)))),
            N_(
                "The second addition is missing: what the feed-forward layer gives is added to the "
                "stream, too."
            ),
        ),
        Mistake(
            "added-to-the-start",
            lambda x, a, f, n1, n2: x + f(n2(x + a(n1(x)))),
            N_(
                "The second addition starts again from what came in, and what attention added is "
                "lost. Add to the stream as it is after attention."
            ),
        ),
        Mistake(
            "parallel",
            lambda x, a, f, n1, n2: x + a(n1(x)) + f(n2(x)),
            N_(
                "Both parts read what came in. In this model the feed-forward layer reads the "
                "stream after attention was added. (GPT-NeoX does it your way.)"
            ),
        ),
        Mistake(
            "norm-after",
            lambda x, a, f, n1, n2: n2(n1(x + a(x)) + f(n1(x + a(x)))),
            N_(
                "The norms came after the additions, as in the first transformer of 2017. Here a "
                "part reads a normed copy, and the stream itself is never normed."
            ),
        ),
        Mistake(
            "normed-stream",
            lambda x, a, f, n1, n2: second(n1(x) + a(n1(x)), f, n2),
            N_(
                "You added to the normed vector. Only attention reads the normed copy; its result "
                "is added to x itself."
            ),
        ),
        Mistake(
            "both-streams-normed",
            lambda x, a, f, n1, n2: (lambda y: n2(y) + f(n2(y)))(n1(x) + a(n1(x))),
            N_(
                "You added to the normed vectors, twice. A norm makes a copy for a part to read; "
                "the result is added to x itself."
            ),
        ),
        Mistake(
            "no-norms",
            lambda x, a, f, n1, n2: (lambda y: y + f(y))(x + a(x)),
            N_("The norms are missing: attention reads norm_1(x), feed-forward norm_2(x)."),
        ),
        Mistake(
            "norms-swapped",
            lambda x, a, f, n1, n2: second(x + a(n2(x)), f, n1),
            N_("The norms are swapped: norm_1 goes before attention, norm_2 before feed-forward."),
        ),
        Mistake(
            "one-norm-twice",
            lambda x, a, f, n1, n2: second(x + a(n1(x)), f, n1),
            N_("norm_1 was used twice. The feed-forward layer has its own, norm_2."),
        ),
        Mistake(
            "second-norm-missing",
            lambda x, a, f, n1, n2: (lambda y: y + f(y))(x + a(n1(x))),
            N_("The feed-forward layer read the stream as it is. It reads norm_2 of it."),
        ),
        Mistake(
            "wrong-order",
            lambda x, a, f, n1, n2: (lambda y: y + a(n1(y)))(x + f(n2(x))),
            N_("The feed-forward layer came first. First attention, then feed-forward."),
        ),
        Mistake(
            "only-attention",
            lambda x, a, f, n1, n2: x + a(n1(x)),
            N_("The feed-forward half is missing: add feed_forward(norm_2(x)) as well."),
        ),
    )


@exercise(
    "6.3",
    title=N_("The block"),
    kind="implement",
    difficulty=2,
    minutes=10,
    hints=(
        N_("Two halves of the same form: the stream, plus a part that reads a normed copy of it."),
        N_("First half: `x = x + attention(norm_1(x))`. It makes a new tensor: no `+=`."),
        N_("Second half: the same with `feed_forward` and `norm_2`, on the x of the first half."),
    ),
)
def block(attempt):
    generator = torch.Generator().manual_seed(6)
    mix, gate = torch.randn(2, 4, 4, generator=generator)

    def attention(x):
        return (x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None]) @ mix

    def feed_forward(x):
        return torch.tanh(x @ gate)

    def norm_1(x):
        return x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()

    def norm_2(x):
        return norm_1(x) * torch.tensor([0.5, 2.0, -1.0, 3.0])

    parts = attention, feed_forward, norm_1, norm_2
    for title, shape in (
        (_("a text of three positions"), (1, 3, 4)),
        (_("two texts at once"), (2, 5, 4)),
    ):
        x = torch.randn(shape, generator=generator) * 2
        half = x + attention(norm_1(x))
        expected = half + feed_forward(norm_2(half))
        yield attempt.compare(title, x, *parts, expected=expected, mistakes=_mistaken_blocks())


LOST, KEPT = ("The Shawshank", " Red"), ("The capital of France is", " Paris")


@exercise(
    "6.4",
    title=N_("Where ' Red' is lost"),
    kind="find",
    difficulty=2,
    minutes=10,
    hints=(
        N_("The explorer's lower picture marks with a cross each layer without which ' Red' goes."),
        N_(
            "Some of those layers are needed for everything. Write “The capital of France is” into "
            "the explorer, and cross out those without which ' Paris' goes too."
        ),
        N_(
            "The first three layers and layer 11 are needed for both. Try those that are left, "
            "such as the ones after 20."
        ),
    ),
)
def red_is_lost(attempt):
    layer, title = attempt.answer, N_("' Red' is lost, and ' Paris' stays")
    model, tokenizer = default_model()
    if isinstance(layer, bool) or not isinstance(layer, int):
        says = _("Give the number of one layer, an int such as 5.")
        yield fail(title, "not-a-layer", says, got=repr(layer)[:80])
        return
    try:
        with without_feed_forward(model, layer):
            first = {
                text: tokenizer.decode([int(_next(model, tokenizer, text).argmax())])
                for text in (LOST[0], KEPT[0])
            }
    except ValueError as problem:
        yield fail(title, "no-such-layer", str(problem), got=str(layer))
        return
    got = ", ".join(f"{text!r} → {token!r}" for text, token in first.items())
    if first[LOST[0]] == LOST[1]:
        says = _("Without the feed-forward layer {layer}, ' Red' is still the likeliest.")
        yield fail(title, "red-stays", says.format(layer=layer), got=got)
    elif first[KEPT[0]] != KEPT[1]:
        says = _(
            "' Red' is lost, but so is ' Paris' after “The capital of France is”: layer {layer} is "
            "needed for more than this. Find one without which only ' Red' goes."
        )
        yield fail(title, "paris-lost-too", says.format(layer=layer), got=got)
    else:
        yield Check(title)


def _next(model, tokenizer, text: str):
    return next_logits(model, prompt_ids(model, tokenizer, text))[0]
