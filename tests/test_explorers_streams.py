"""The explorers of the streams: live, as a picture, as words; bad input; and driven at random."""

import base64
import io
import random

import pytest
from PIL import Image

from tests.tiny_models import TINY, tiny_tokenizer
from utils.explorers.streams import COLUMNS, ButterflyExplorer, StreamsExplorer
from utils.figures.style import quote_token
from utils.language import use_language
from utils.streams import logit_lens, trace_streams
from utils.tokens import token_text

TEXT = "The dog chased the squirrel"


@pytest.fixture
def streams():
    return StreamsExplorer(TINY["llama"](), tiny_tokenizer(), TEXT)


@pytest.fixture
def butterfly():
    return ButterflyExplorer(TINY["llama"](), tiny_tokenizer(), TEXT, 2, "S")


def test_three_faces(tiny):
    model, tokenizer = tiny
    for explorer in (
        StreamsExplorer(model, tokenizer, TEXT),
        ButterflyExplorer(model, tokenizer, TEXT, 0, "S"),
    ):
        bundle, about = explorer._repr_mimebundle_()
        assert bundle["text/plain"] == repr(explorer)
        image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
        assert image.width == 2 * about["image/png"]["width"] <= 2 * 740
        assert "<img alt=" in explorer._picture.plain.value
        assert not explorer._says


def test_streams_begin_at_the_cell_that_predicts(streams):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    logits = logit_lens(model, trace_streams(model, tokenizer, TEXT))
    best = token_text(tokenizer, logits[-1, -1].argmax().item())
    assert repr(streams).split(": ", 1)[1].startswith(quote_token(best))
    assert "the one that predicts" in repr(streams)
    streams.set(position=0, layer=1)
    assert "layer 1, position 0, 'The'" in repr(streams)
    assert "the one that predicts" not in repr(streams)


def test_streams_of_a_long_text_show_its_end(streams):
    streams.set(text="e" * (COLUMNS + 9))
    slider = streams.controls["position"]
    assert (slider.min, slider.max, slider.value) == (9, COLUMNS + 8, COLUMNS + 8)
    streams.set(position=3)
    assert "from 9 to" in repr(streams)
    streams.set(text="ab")
    assert (slider.min, slider.max, slider.value) == (0, 1, 1)


def test_a_new_text_and_a_cell_in_it_can_be_set_together(streams):
    streams.set(text="eeee eeee eeee eeee", position=9)
    assert "position 9" in repr(streams)
    assert not streams._says


def test_the_streams_are_computed_once_for_a_text(streams, monkeypatch):
    def refuse(*_given):
        raise AssertionError("computed again")

    monkeypatch.setattr("utils.explorers.streams.trace_streams", refuse)
    monkeypatch.setattr("utils.explorers.streams.read_streams", refuse)
    before = streams._png
    streams.set(layer=0)
    assert streams._png != before


def test_the_picture_moves_with_the_cell_and_speaks_korean(streams):
    before = streams._png
    use_language("ko")
    try:
        streams.set(layer=1)
    finally:
        use_language("en")
    assert streams._png != before
    assert "1층" in repr(streams)


def test_butterfly_leaves_the_left_alone(butterfly):
    before = butterfly._png
    butterfly.set(position=4)
    assert "4 positions from the left are the same at every layer, to the last bit" in repr(
        butterfly
    )
    assert butterfly._png != before
    butterfly.set(position=0)
    assert "0 positions from the left" in repr(butterfly)


def test_butterfly_keeps_the_space_before_a_word():
    tokenizer = tiny_tokenizer()
    spaced = next(i for i in range(3, 400) if tokenizer.decode([i]).startswith(" t"))
    text = "a" + tokenizer.decode([spaced])
    position = tokenizer(text).input_ids.index(spaced)
    other = next(
        word
        for i in range(3, 400)
        if (word := tokenizer.decode([i])).startswith(" ") and word.strip() and i != spaced
        and tokenizer(word).input_ids == [i]
    )  # fmt: skip
    explorer = ButterflyExplorer(TINY["llama"](), tokenizer, text, position, other.strip())
    assert f"became '{other}'" in repr(explorer)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"word": "Kyrgyzstan"}, "Choose a word of one token"),
        ({"word": "  "}, "Write a new word"),
        ({"text": ""}, "empty"),
        ({"text": "e" * 40}, "room for 24"),
        ({"text": "hungry " * 300}, "Shorten"),
        ({"position": 99}, "position goes from 0"),
        ({"position": "first"}, "position"),
        ({"word": None}, "word cannot be None"),
    ],
)
def test_butterfly_answers_bad_input_in_a_sentence(butterfly, values, says):
    butterfly.set(**values)
    assert says in butterfly._says
    assert 'role="alert"' in butterfly._message.value


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": "hungry " * 300}, "Shorten"),
        ({"layer": 3}, "layer goes from 0 to 2"),
        ({"position": -1}, "position goes from 0"),
    ],
)
def test_streams_answer_bad_input_in_a_sentence(streams, values, says):
    streams.set(**values)
    assert says in streams._says


def test_good_input_clears_the_sentence(butterfly):
    butterfly.set(word="Kyrgyzstan").set(word="e")
    assert not butterfly._says


@pytest.mark.parametrize("name", ["streams", "butterfly"])
def test_random_driving_reaches_no_traceback(name, drawn_once, request):
    explorer, chance = request.getfixturevalue(name), random.Random(4)
    texts = ["", " ", TEXT, "프랑스의 수도는", "a", "e" * 30, "hungry " * 300, "😀\n\t", None, 7]
    values = {
        "text": texts,
        "position": [-1, 0, 1, 4, 30, 99, None, "x", 2.5],
        "layer": [-1, 0, 1, 2, 3, None, "x"],
        "word": ["", "S", "e", "Kyrgyzstan", "수", None, 3],
    }
    for _turn in range(200):
        names = chance.sample(sorted(explorer.controls), chance.choice([1, 1, 2]))
        explorer.set(**{control: chance.choice(values[control]) for control in names})
        assert repr(explorer)
