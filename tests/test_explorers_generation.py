"""The explorer base's three faces, and the generation explorer driven every way a hand could."""

import base64
import random

import pytest
from ipywidgets import HTML

from utils.explorers.generation import GenerationExplorer
from utils.generation import generation_steps

PROMPTS = ["hello there", "안녕하세요", "", "   ", "word " * 400, "a\nb", "$x^2$ <b>&", "🙂"]


@pytest.fixture
def explorer(tiny):
    return GenerationExplorer(*tiny, prompt="hello there")


def picture(explorer) -> str:
    return explorer._picture.plain.value


def test_three_faces_from_one_record(explorer):
    before = picture(explorer)
    explorer.press("one_token", times=3)
    bundle, metadata = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert "3 passes so far" in repr(explorer)
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] <= 760
    assert "application/vnd.jupyter.widget-view+json" in bundle
    after = picture(explorer)
    assert after != before
    assert "3 passes so far" in after  # the alt text
    assert bundle["image/png"] in after


def test_writes_what_the_loop_writes(tiny, explorer):
    explorer.press("one_token").press("ten_tokens")
    ids = [step.token_id for step in generation_steps(*tiny, "hello there", 11)]
    assert [step.token_id for step in explorer._steps] == ids[: len(explorer._steps)]


def test_another_candidate_takes_the_last_ones_place_and_writing_goes_on_from_it(explorer):
    explorer.press("one_token", times=2)
    end = explorer.tokenizer.eos_token_id
    choices = [token_id for _label, token_id in explorer.controls["instead"].options]
    other = [token_id for token_id in choices if token_id != end][3]
    explorer.set(instead=other)
    assert explorer._steps[-1].token_id == other
    assert len(explorer._steps) == 2
    explorer.press("one_token")
    assert explorer._steps[-1].input_ids[0, -1] == other


def test_back_and_restart(explorer):
    explorer.press("one_token", times=3).press("back")
    assert len(explorer._steps) == 2
    explorer.press("restart").press("back")
    assert explorer._steps == ()
    assert "nothing written yet" in repr(explorer)


def test_a_new_prompt_begins_anew(explorer):
    explorer.press("one_token").set(prompt="안녕하세요")
    assert explorer._steps == ()
    assert "안녕하세요" in repr(explorer)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"prompt": ""}, "empty"),
        ({"prompt": "word " * 400}, "Shorten it"),
        ({"prompt": 7}, "cannot be 7"),
        ({"instead": 123456}, "none of the choices"),
    ],
)
def test_bad_input_gets_a_sentence_and_the_picture_stays(explorer, values, says):
    before = picture(explorer)
    explorer.set(**values)
    assert says in repr(explorer)
    shown = [widget.value for widget in explorer.children if isinstance(widget, HTML)]
    assert any('role="alert"' in value for value in shown)
    assert picture(explorer) == before
    explorer.press("one_token")  # still no traceback, and the sentence stays while it is true


def test_unknown_names_are_refused_with_the_known_ones(explorer):
    with pytest.raises(ValueError, match="prompt, chat_template, instead"):
        explorer.set(promt="x")
    with pytest.raises(ValueError, match="one_token, ten_tokens"):
        explorer.press("one")


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_random_driving_reaches_no_traceback(explorer, drawn_once):
    hand = random.Random(0)
    for _step in range(200):
        if hand.random() < 0.5:
            explorer.press(hand.choice(list(explorer.actions)))
        else:
            options = [value for _label, value in explorer.controls["instead"].options]
            explorer.set(
                **hand.choice(
                    [
                        {"prompt": hand.choice(PROMPTS)},
                        {"chat_template": hand.random() < 0.5},
                        {"instead": hand.choice([*options, -1, "x", None])},
                    ]
                )
            )
        assert repr(explorer)
