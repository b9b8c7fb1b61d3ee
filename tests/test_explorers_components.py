"""The explorers of lesson 02: what they show in words and pictures, whatever is done to them."""

import random

import pytest

from tests.tiny_models import TINY, tiny_tokenizer
from utils.explorers.anatomy import AnatomyExplorer
from utils.explorers.tokens import TokenizerExplorer
from utils.language import use_language

TEXTS = [
    "The capital of France is",
    "프랑스의 수도는 파리입니다.",
    "👩‍👩‍👧 🙂\n\tx  = $5 <b> `a`",
    "a",
    "",
    " ",
    "\u200b\x00",
    "=" * 60,
    "<eos><bos>",
]
TOO_LONG = "the dog " * 400


@pytest.fixture(params=["ko", "en"])
def lang(request):
    use_language(request.param)
    yield request.param
    use_language("en")


def faces(explorer) -> tuple[str, str]:
    """What an explorer shows: its words, and its picture, which is there in two forms."""
    bundle, _metadata = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert bundle["image/png"] in explorer._picture.plain.value
    return repr(explorer), bundle["image/png"]


def test_anatomy_tells_each_part(tiny):
    explorer = AnatomyExplorer(*tiny, "The capital of France is")
    seen = {faces(explorer)}
    for _label, part in explorer.controls["part"].options:
        explorer.set(part=part, block=1)
        seen.add(faces(explorer))
        assert part in repr(explorer)
    assert len(seen) == len(explorer.controls["part"].options) + 1


@pytest.mark.parametrize("tiny", ["llama", "gpt-2"], indirect=True)
def test_anatomy_in_words(tiny):
    explorer = AnatomyExplorer(*tiny, "The capital").set(part="lm_head")
    assert "shares its weights with" in repr(explorer)
    assert "[position, 32] → [position, 400]" in repr(explorer)
    assert "likeliest next" in repr(explorer)


def test_anatomy_answers_bad_text_in_a_sentence_and_recovers():
    explorer = AnatomyExplorer(TINY["llama"](), tiny_tokenizer(), "The capital")
    before = explorer._png
    explorer.set(text="")
    assert "empty" in repr(explorer)
    explorer.set(text=TOO_LONG)
    assert "Shorten it" in repr(explorer)
    assert explorer._png == before
    explorer.set(text="A dog")
    assert "Shorten it" not in repr(explorer)
    assert explorer._png != before


def test_tokenizer_in_words():
    explorer = TokenizerExplorer(TINY["llama"](), tiny_tokenizer(), "é!")
    words, picture = faces(explorer)
    assert "2 characters; 3 tokens; 1.50 tokens per character" in words
    assert "3 of the 256 tokens" in words
    assert "'⟨C3⟩'" in words
    assert "1 character is spread over several tokens: 'é'" in words
    more, with_bytes = faces(explorer.set(show_bytes=True))
    assert "(C3)" in more
    assert with_bytes != picture


def test_tokenizer_says_when_the_context_is_too_short():
    explorer = TokenizerExplorer(TINY["llama"](), tiny_tokenizer(), "a" * 500)
    assert "more than the 256 that the model can read" in repr(explorer)
    explorer.set(text="")
    assert "There is no text" in repr(explorer)


@pytest.mark.parametrize("kind", [AnatomyExplorer, TokenizerExplorer])
def test_nothing_done_to_it_raises(kind, lang, drawn_once, recwarn):
    """200 moves of whatever there is to move, good and bad; text stays as wide as the page."""
    chance = random.Random(7)
    explorer = kind(TINY["gemma-3"](), tiny_tokenizer(), "The capital")
    values = {"text": TEXTS, "show_bytes": [True, False, 3], "block": [0, 1, 2, -1, 99, "x"]}
    if kind is AnatomyExplorer:  # the other one draws it, and takes its time
        values["text"] = [*TEXTS, TOO_LONG]
    values["part"] = ["tokenizer", "embed_tokens", "mlp", "self_attn", "norm", "softmax", "lm_head"]
    values["part"] += ["nothing", None]
    for _move in range(100):  # in each language
        names = chance.sample(list(explorer.controls), k=chance.randint(1, 2))
        explorer.set(**{name: chance.choice(values[name]) for name in names})
        assert "Traceback" not in repr(explorer)
        assert repr(explorer)
        assert explorer._width <= 740
    assert not [w for w in recwarn if "missing from font" in str(w.message)]
