"""The decoding explorer: its three faces, its draws and texts, and every control driven blindly."""

import base64
import random

import pytest
import torch
from matplotlib.text import Text

from utils.decoding import decoding_stages, sampler
from utils.explorers import decoding as explorers
from utils.explorers.decoding import DecodingExplorer
from utils.figures.decoding import decoding_picture, decoding_words, rough
from utils.generation import generate, generation_steps
from utils.language import use_language

PROMPTS = ["hello there", "안녕하세요", "", "   ", "word " * 400, "a\nb", "$x^2$ <b>&", "🙂"]


@pytest.fixture
def explorer(tiny):
    return DecodingExplorer(*tiny, prompt="hello there")


one_architecture = pytest.mark.parametrize("tiny", ["llama"], indirect=True)


def picture(explorer) -> str:
    return explorer._picture.plain.value


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_three_faces_from_one_record(explorer):
    before = picture(explorer)
    explorer.set(temperature=0.5, top_k=5, top_p=0.9, min_p=0.01)
    bundle, metadata = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    for words in (
        "temperature 0.50",
        "top-k 5: leaves 5, cuts",
        "top-p 0.90",
        "min-p 0.01",
        "bits",
    ):
        assert words in repr(explorer)
        assert words in picture(explorer)  # the alt text
    assert picture(explorer) != before
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] <= 740
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_shows_what_the_filters_give(tiny, explorer):
    model, tokenizer = tiny
    explorer.set(temperature=1.4, top_k=20, top_p=0.8, min_p=0.05)
    with torch.no_grad():
        ids = tokenizer("hello there", return_tensors="pt").input_ids
        logits = model(ids).logits[0, -1]
    expected = decoding_stages(logits, 1.4, 20, 0.8, 0.05)
    for ours, theirs in zip(explorer.now().stages, expected, strict=True):
        assert (ours.kept, ours.cut) == (theirs.kept, theirs.cut)
        assert torch.allclose(ours.logits, theirs.logits, atol=1e-4)
    rows = [token_id for token_id, _token in explorer.now().rows]
    assert rows == logits.topk(len(rows)).indices.tolist()
    for stage in explorer.now().stages:
        assert sum(explorer.now().shares(stage)) == pytest.approx(1, abs=1e-5)


@one_architecture
def test_only_a_new_prompt_runs_the_model(explorer, monkeypatch):
    monkeypatch.setattr(explorers, "next_logits", None)  # calling it would raise TypeError
    explorer.set(temperature=0.3, top_k=3).set(top_p=0.4, min_p=0.2, seed=5)
    explorer.press("draw_one")
    assert explorer.now().drawn
    with pytest.raises(TypeError):
        explorer.set(prompt="another prompt")


@one_architecture
def test_draws_add_up_and_start_anew_with_a_setting(explorer):
    explorer.press("draw_one", times=3).press("draw_500")
    drawn = explorer.now().drawn
    assert len(drawn) == 503
    assert sum(explorer.now().frequencies()) == pytest.approx(1)
    assert "503 draws" in repr(explorer)
    explorer.set(seed=1)
    assert explorer.now().drawn == ()
    explorer.set(seed=0).press("draw_500").press("draw_one", times=3)
    assert explorer.now().drawn == drawn  # the same seed, in whatever portions


@one_architecture
def test_draws_follow_the_filters(explorer):
    explorer.set(top_k=3).press("draw_500")
    rows = [token_id for token_id, _token in explorer.now().rows]
    assert set(explorer.now().drawn) <= set(rows[:3])
    explorer.set(top_k=1).press("draw_one", times=4)
    assert set(explorer.now().drawn) == {rows[0]}


@one_architecture
def test_continues_as_the_sampler_does(tiny, explorer):
    explorer.set(temperature=1.2, top_k=30, seed=7).press("draw_500")
    explorer.press("continue_text", times=2)
    written = [token_id for token_id, _token in explorer.now().written]
    choose = sampler(1.2, 30, generator=torch.Generator().manual_seed(7))
    steps = list(generation_steps(*tiny, "hello there", 2 * explorers.TOKENS, choose=choose))
    assert written == [step.token_id for step in steps][: len(written)]
    assert len(written) > explorers.TOKENS
    explorer.set(temperature=1.25)
    assert explorer.now().written == ()


@one_architecture
def test_the_winner_alone_writes_the_greedy_text(tiny, explorer):
    explorer.set(top_p=0.0).press("continue_text")
    _model, tokenizer = tiny
    ids = [token_id for token_id, _token in explorer.now().written]
    assert tokenizer.decode(ids, skip_special_tokens=True) == generate(
        *tiny, "hello there", explorers.TOKENS
    )


@one_architecture
def test_a_text_that_has_ended_and_a_full_context_are_answered(tiny, explorer):
    model, _tokenizer = tiny
    context = model.config.max_position_embeddings
    explorer.set(temperature=0.05)
    for _press in range(context // explorers.TOKENS + 2):
        explorer.press("continue_text")
    assert "ended by itself" in repr(explorer) or "context is full" in repr(explorer)
    assert len(explorer._ids[0]) + len(explorer.now().written) <= context + 1


@one_architecture
def test_bad_input_gets_a_sentence_and_keeps_the_picture(explorer):
    before = picture(explorer)
    for values, sentence in (
        ({"top_k": 0}, "0 is none of the choices for top_k."),
        ({"temperature": 0}, "temperature goes from 0.05 to 3.0, not 0."),
        ({"top_p": 1.5}, "top_p goes from 0.0 to 1.0, not 1.5."),
        ({"min_p": "much"}, "min_p goes from 0.0 to 1.0, not 'much'."),
        ({"prompt": ""}, "The prompt is empty."),
        ({"prompt": "word " * 400}, "Shorten it."),
    ):
        explorer.set(**values)
        assert sentence in repr(explorer)
        assert picture(explorer) == before
    for button in explorer.actions:
        explorer.press(button)
        assert "Shorten it." in repr(explorer)
        assert picture(explorer) == before
    explorer.set(prompt="hello there")
    assert "Shorten it." not in repr(explorer)


@one_architecture
def test_an_unknown_control_is_named(explorer):
    with pytest.raises(ValueError, match=r"heat.*temperature"):
        explorer.set(heat=2)


@one_architecture
def test_survives_anything(explorer, drawn_once):
    """200 moves of random controls to random values, right and wrong, and buttons between."""
    chance = random.Random(0)
    choices = {
        "prompt": PROMPTS,
        "temperature": [0.05, 0.7, 1.0, 3.0, 0, -1, "hot", None],
        "top_k": [1, 2, 50, 100, explorer.controls["top_k"].options[-1][1], 0, -5, 2.5, None],
        "top_p": [0.0, 0.3, 0.99, 1.0, -0.1, 7, None],
        "min_p": [0.0, 0.05, 1.0, 1.1, "x"],
        "seed": [0, 1, 9999, -1, 10**9, "seed", 1.5],
    }
    for move in range(200):
        use_language("ko" if move % 2 else "en")
        names = chance.sample(list(choices), chance.randint(1, 3))
        explorer.set(**{name: chance.choice(choices[name]) for name in names})
        if move % 10 == 0:
            explorer.press(chance.choice(list(explorer.actions)))
        assert repr(explorer)
        assert "Traceback" not in repr(explorer)
    use_language("en")


@one_architecture
def test_the_figure_says_what_is_cut_and_fits(explorer):
    explorer.set(temperature=1.5, top_k=20, top_p=0.5, min_p=0.3).press("draw_500")
    explorer.press("continue_text")
    record = explorer.now()
    assert decoding_words(record) == repr(explorer)
    figure = decoding_picture(record).figure
    drawn = texts(figure)
    assert "top-k 20" in drawn
    assert drawn.count("×") >= sum(share == 0 for share in record.shares(record.stages[-1]))
    assert any("500" in text for text in drawn)
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.width


def test_a_count_as_it_is_worth():
    counts = (1, 99, 194, 1638, 49152)
    assert [rough(n) for n in counts] == ["1", "99", "190", "1,600", "49,000"]
