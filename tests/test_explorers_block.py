"""The explorers of the block: three faces with the same numbers, and no hand breaks them."""

import base64
import random

import pytest

from utils.explorers.feed_forward import FeedForwardExplorer
from utils.explorers.neurons import NeuronExplorer
from utils.explorers.residual import ResidualExplorer
from utils.feed_forward import losses_without_each
from utils.figures.feed_forward import losses_picture
from utils.language import use_language

TEXTS = ["안녕하세요", "", "   ", "word " * 400, "$x^2$ <b>&\n🙂"]
WORDS = ["", "is", "xyzzy plugh", "다람쥐", "$"]
EXPLORERS = {
    "residual": lambda tiny: ResidualExplorer(*tiny, "The dog chased"),
    "feed-forward": lambda tiny: FeedForwardExplorer(*tiny, "The dog chased"),
    "neurons": lambda tiny: NeuronExplorer(*tiny, "The dog chased"),
}


@pytest.fixture(params=EXPLORERS)
def explorer(request, tiny):
    return EXPLORERS[request.param](tiny)


def picture(explorer) -> str:
    return explorer._picture.plain.value


def move(explorer) -> None:
    if "layers" in explorer.controls:
        explorer.set(layers=(0, 1))
    else:
        explorer.set(position=1)


@pytest.mark.parametrize("tiny", ["llama", "gemma-3"], indirect=True)
def test_three_faces_from_one_record(explorer):
    before = picture(explorer), repr(explorer)
    move(explorer)
    bundle, metadata = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] <= 740
    assert bundle["image/png"] in picture(explorer)
    assert picture(explorer) != before[0]
    assert repr(explorer) != before[1]


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_bad_input_gets_a_sentence_and_the_picture_stays(explorer):
    before = picture(explorer)
    text = "prompt" if "prompt" in explorer.controls else "text"
    cases = [({text: ""}, "empty"), ({text: "word " * 400}, "Shorten it")]
    if text == "text":
        cases += [({"word": "xyzzy plugh"}, "one token"), ({"position": 99}, "not 99")]
    else:
        cases += [({"layers": (0, 9)}, "goes from 0 to 1"), ({"layers": "x"}, "goes from")]
        cases += [({"part": "norm"}, "none of the choices")]
    for values, says in cases:
        explorer.set(**values)
        assert says in repr(explorer)
        assert picture(explorer) == before
        explorer.set(**{text: "The dog chased"} | ({"word": ""} if text == "text" else {}))


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_words_tell_the_numbers(tiny):
    residual = ResidualExplorer(*tiny, "The dog chased", word="is")
    record = residual.record("The dog chased", 1, "is", -1)
    residual.set(position=1)
    assert f"{record.logit:.1f}" in repr(residual)
    off = FeedForwardExplorer(*tiny, "The dog chased")
    record = off.record("The dog chased", (0, 1), "attention")
    off.set(layers=(0, 1), part="attention")
    assert "without the attention of layers 0–1" in repr(off)
    assert f"→ {record.probability:.2f}" in repr(off)
    neurons = NeuronExplorer(*tiny, "The dog chased", layer=1, word="is")
    assert f"neuron {neurons.record('The dog chased', 2, 'is', 1).strongest[0].number}" in repr(
        neurons.set(position=2)
    )


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_random_driving_reaches_no_traceback(explorer, drawn_once):
    hand = random.Random(0)
    choices = {
        "text": lambda: hand.choice(TEXTS),
        "prompt": lambda: hand.choice(TEXTS),
        "word": lambda: hand.choice(WORDS),
        "position": lambda: hand.choice([0, 1, 99, -1, "x", None]),
        "layer": lambda: hand.choice([0, 1, 5, None]),
        "layers": lambda: hand.choice([(0, 0), (0, 1), (1, 1), (1, 0), (0, 9), 1, None]),
        "part": lambda: hand.choice(["attention", "feed_forward", "norm", None]),
    }
    for _step in range(200):
        name = hand.choice(list(explorer.controls))
        explorer.set(**{name: choices[name]()})
        assert repr(explorer)
    assert len(drawn_once) > 10


@pytest.mark.parametrize("code", ["ko", "en"])
@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_losses_are_a_picture_with_words(tiny, code):
    use_language(code)
    try:
        record = losses_without_each(*tiny, "The dog chased the squirrel", tokens=8)
        bundle, _metadata = losses_picture(record)._repr_mimebundle_()
    finally:
        use_language("en")
    assert f"{record.whole:.1f}" in bundle["text/plain"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
