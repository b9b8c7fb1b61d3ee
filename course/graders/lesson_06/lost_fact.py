"""A layer without which one fact is lost: what exercise 6.4 checks."""

from collections.abc import Iterator

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.graders.attempt import Attempt
from course.graders.models import default_model
from course.graders.spec import Check, exercise
from utils.architecture import blocks
from utils.feed_forward import without_feed_forward
from utils.generation import next_logits
from utils.language import N_
from utils.model import prompt_ids

LOST, KEPT = ("The Shawshank", " Red"), ("The capital of France is", " Paris")


def _likeliest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """The token that most likely follows `text`."""
    logits, _output = next_logits(model, prompt_ids(model, tokenizer, text))
    return tokenizer.decode([int(logits.argmax())])


@exercise(
    "6.4",
    diagnoses={
        "not-a-layer": N_(
            "Give the number of one layer, an int such as 5.",
            "층 번호 하나를 5와 같은 int로 적으세요.",
        ),
        "no-such-layer": N_(
            "This model has the layers 0 to {last}; there is no layer {layer}.",
            "이 모델에는 층이 0번부터 {last}번까지 있습니다. {layer}번 층은 없습니다.",
        ),
        "red-stays": N_(
            "Without the feed-forward layer {layer}, ' Red' is still the likeliest.",
            "{layer}번 피드포워드 층이 없어도 ' Red'가 여전히 1등입니다.",
        ),
        "paris-lost-too": N_(
            "' Red' is lost, but so is ' Paris' after “The capital of France is”: layer "
            "{layer} is needed for more than this. Find one without which only ' Red' goes.",
            "' Red'가 사라지지만 “The capital of France is” 다음의 ' Paris'도 사라집니다. "
            "{layer}번 층은 더 많은 일에 필요합니다. ' Red'만 사라지는 층을 찾으세요.",
        ),
    },
)
def red_is_lost(attempt: Attempt) -> Iterator[Check]:
    layer, title = (
        attempt.answer,
        N_(
            "' Red' is lost, and ' Paris' stays",
            "' Red'는 사라지고 ' Paris'는 남는다",
        ),
    )
    model, tokenizer = default_model()
    if isinstance(layer, bool) or not isinstance(layer, int):
        yield attempt.fail(title, "not-a-layer", got=repr(layer)[:80])
        return
    last = len(blocks(model)) - 1
    if not 0 <= layer <= last:
        yield attempt.fail(title, "no-such-layer", got=str(layer), last=last, layer=layer)
        return
    with without_feed_forward(model, layer):
        first = {text: _likeliest(model, tokenizer, text) for text in (LOST[0], KEPT[0])}
    got = ", ".join(f"{text!r} → {token!r}" for text, token in first.items())
    if first[LOST[0]] == LOST[1]:
        yield attempt.fail(title, "red-stays", got=got, layer=layer)
    elif first[KEPT[0]] != KEPT[1]:
        yield attempt.fail(title, "paris-lost-too", got=got, layer=layer)
    else:
        yield Check(title)
