"""The explorers of lesson 07: their three faces, and that no control ever ends in a traceback."""

import base64
import random

import pytest

from tests.tiny_models import TINY, tiny_tokenizer
from utils.attention import HeadView, record_attention
from utils.explorers.attention import LONGEST, AttentionExplorer
from utils.explorers.head_patterns import HeadPatternExplorer
from utils.figures.attention import VIEWS, attention_picture, attention_words
from utils.head_patterns import PATTERNS
from utils.language import use_language

TEXT = "The dog chased the squirrel because it was hungry."
TEXTS = (TEXT, "a", "", "a b " * LONGEST, "프랑스의 수도는 파리입니다.", "$x_1^2$ \n\t<b>")


def picture(explorer) -> bytes:
    return base64.b64decode(explorer._repr_mimebundle_()[0]["image/png"])


def test_attention_has_three_faces(tiny):
    model, tokenizer = tiny
    explorer = AttentionExplorer(model, tokenizer, TEXT, layer=1, head=3)
    assert picture(explorer).startswith(b"\x89PNG")
    assert "head 3 looks at: " in repr(explorer)
    assert repr(explorer) in explorer._repr_mimebundle_()[0]["text/plain"]
    assert 'alt="' in explorer._picture.plain.value
    before = picture(explorer)
    explorer.set(layer=0)
    assert repr(explorer).startswith("layer 0,")
    assert picture(explorer) != before


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_attention_tells_the_models_own_numbers(tiny):
    explorer = AttentionExplorer(*tiny, TEXT, layer=1, head=2)
    record = record_attention(*tiny, TEXT)
    view = HeadView(record, 1, 2, 4, "weights")
    explorer.set(position=4)
    assert repr(explorer) == attention_words(view)
    best = max(view.weights())
    assert f" {best:.2f}" in repr(explorer).splitlines()[1]
    assert "heads 2, 3 share keys and values" in repr(explorer)
    assert max(view.lengths()) == pytest.approx(
        float(record.contributions(1, 2)[4].norm(dim=-1).max())
    )


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_attention_views(tiny):
    explorer = AttentionExplorer(*tiny, TEXT)
    n = len(record_attention(*tiny, TEXT).tokens)
    explorer.set(position=3, view="masked")
    assert f"closed by the mask: {n - 4}" in repr(explorer)
    explorer.set(view="scores")
    assert "closed" not in repr(explorer)
    assert "highest scores" in repr(explorer)
    explorer.set(all_heads=True)
    assert [f"head {h} (keys and values {h // 2})" in repr(explorer) for h in range(4)] == [
        True
    ] * 4


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_attention_says_what_it_cannot_show(tiny):
    explorer = AttentionExplorer(*tiny, TEXT)
    words = repr(explorer)
    assert (
        repr(explorer.set(text=""))
        == f"{words}\nThe prompt is empty. Write at least one character."
    )
    assert f"has room for {LONGEST}" in repr(explorer.set(text="a b " * 70))
    assert "head goes from 0 to 3" in repr(explorer.set(text=TEXT, head=4))
    explorer.set(text="a b c")
    assert explorer.controls["position"].max == len(record_attention(*tiny, "a b c").tokens) - 1


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_head_patterns_have_three_faces(tiny):
    explorer = HeadPatternExplorer(*tiny, TEXT, "dog")
    assert picture(explorer).startswith(b"\x89PNG")
    assert "looks at the token before: layer " in repr(explorer)
    for pattern, says in PATTERNS.items():
        explorer.set(pattern=pattern, word="hungry" if pattern == "word" else "x")
        if pattern != "word":
            assert f"looks {says}: layer" in repr(explorer)
    assert "is no token of this text" in repr(explorer)  # the tiny tokenizer cuts words up
    explorer.set(pattern="induction", rank=2)
    first = explorer.now().ranking.best(2)[1]
    assert f"drawn: layer {first[0]} head {first[1]} {first[2]:.2f}" in repr(explorer)
    assert "20 random tokens, said twice" in repr(explorer)


@pytest.mark.parametrize("kind", [AttentionExplorer, HeadPatternExplorer])
def test_two_hundred_random_moves(kind, drawn_once):
    explorer, dice = kind(TINY["llama"](), tiny_tokenizer(), TEXT), random.Random(7)
    choices = {
        "text": TEXTS,
        "layer": (0, 1, 2, "x"),
        "head": (0, 3, 4, None),
        "position": (0, 3, 9, 500),
        "view": (*VIEWS, "upside down"),
        "all_heads": (True, False),
        "pattern": (*PATTERNS, "none"),
        "word": ("The", "", "zebra", "."),
        "rank": (1, 8, 9),
    }
    for _move in range(200):
        names = dice.sample(list(explorer.controls), dice.randint(1, 2))
        explorer.set(**{name: dice.choice(choices[name]) for name in names})
        assert repr(explorer)
        assert picture(explorer)


def test_figures_stay_in_their_column(tiny):
    record = record_attention(*tiny, TEXT)
    for all_heads in (False, True):
        assert attention_picture(HeadView(record, 0, 0, 2, "weights", all_heads)).width <= 740


def test_korean_words():
    use_language("ko")
    try:
        explorer = AttentionExplorer(TINY["llama"](), tiny_tokenizer(), TEXT)
        assert "0번 헤드가 보는 곳" in repr(explorer)
        assert "보는 곳 – 바로 앞 토큰" in repr(
            HeadPatternExplorer(TINY["llama"](), tiny_tokenizer(), TEXT)
        )
    finally:
        use_language("en")


def test_what_a_pattern_ignores_cannot_be_written_in():
    controls = HeadPatternExplorer(TINY["llama"](), tiny_tokenizer(), TEXT).controls
    for pattern, text, word in (("word", True, True), ("induction", False, False)):
        controls["pattern"].value = pattern
        assert (not controls["text"].disabled, not controls["word"].disabled) == (text, word)
    controls["pattern"].value = "previous"
    assert not controls["text"].disabled
    assert controls["word"].disabled
