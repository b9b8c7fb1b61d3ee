"""The cache's explorers: their three faces, and every control driven at random."""

import random
import re

import pytest

from tests.tiny_models import TINY, tiny_tokenizer
from utils.explorers.kv_cache import STEPS, CacheExplorer
from utils.explorers.memory import MemoryExplorer
from utils.explorers.timing import StepTimesExplorer
from utils.figures.kv_cache import show_bytes
from utils.memory import KNOWN_MODELS
from utils.timing import StepTimes

TIMES = StepTimes((4, 16, 64), (0.01, 0.02, 0.07), (0.009, 0.009, 0.01))


EXPLORERS = {
    "cache": lambda: CacheExplorer(TINY["gemma-3"](), tiny_tokenizer(), "Once upon"),
    "times": lambda: StepTimesExplorer(TIMES),
    "memory": MemoryExplorer,
}


def picture(explorer):
    return explorer._repr_mimebundle_()[0]["image/png"]


@pytest.mark.parametrize(
    ("name", "move"),
    [
        ("cache", {"step": 5}),
        ("cache", {"prompt": "The capital of France"}),
        ("times", {"new_tokens": 7}),
        ("times", {"prompt_tokens": 30}),
        ("memory", {"tokens": 8192}),
        ("memory", {"batch": 16}),
        ("memory", {"dtype": "int8"}),
        ("memory", {"model": "Llama-3-70B"}),
    ],
)
def test_a_moved_control_changes_picture_and_words(name, move):
    explorer = EXPLORERS[name]()
    words, image = repr(explorer), picture(explorer)
    explorer.set(**move)
    assert repr(explorer) != words
    assert picture(explorer) != image
    assert explorer._says == ""


def test_words_say_what_was_computed_and_kept():
    explorer = CacheExplorer(TINY["llama"](), tiny_tokenizer(), "The capital of France is")
    first = len(tiny_tokenizer()("The capital of France is").input_ids)
    explorer.set(step=4)
    words = repr(explorer)
    assert f"{first + 3} positions computed now, {4 * first + 6} so far" in words
    assert f"1 computed now, {first + 3} so far" in words
    predicted, measured = re.search(r"predicted: ([\d,]+), measured: ([\d,]+)", words).groups()
    assert predicted == measured


def test_sliding_layers_keep_fewer_positions_in_the_words():
    explorer = CacheExplorer(TINY["gemma-3"](), tiny_tokenizer(), "The capital of France is")
    explorer.set(step=STEPS)
    assert re.search(r"holds 7–\d+ positions in each of 3 layers", repr(explorer))


def test_next_step_moves_the_slider_and_ends_with_a_sentence():
    explorer = CacheExplorer(TINY["llama"](), tiny_tokenizer(), "Once")
    explorer.press("next_step", times=2)
    assert explorer.controls["step"].value == 3
    explorer.set(step=STEPS).press("next_step")
    assert "last step" in repr(explorer)


@pytest.mark.parametrize("prompt", ["", "word " * 300])
def test_a_prompt_that_cannot_be_used_gets_a_sentence(prompt):
    explorer = CacheExplorer(TINY["llama"](), tiny_tokenizer(), "Once")
    before = picture(explorer)
    explorer.set(prompt=prompt)
    assert "prompt" in explorer._says
    assert picture(explorer) == before
    explorer.set(prompt="Once upon")
    assert explorer._says == ""


def test_a_single_new_token_takes_as_long_either_way():
    words = repr(StepTimesExplorer(TIMES).set(new_tokens=1))
    assert "1.0 times as fast" in words


def test_memory_words_name_grouping_window_and_context():
    explorer = MemoryExplorer("Llama-3-8B")
    assert "32 query heads share 8 key-value heads" in repr(explorer)
    assert "with 32 it would be 537 MB" in repr(explorer)
    assert "134 MB" in repr(explorer)
    explorer.set(model="Phi-3-mini-4k", tokens=8192)
    assert "looks back 2,047 tokens" in repr(explorer)
    assert "more than its context length of 4,096" in repr(explorer)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (46, "46 B"), (999, "999 B"), (1000, "1 kB"), (46080, "46.1 kB"),
     (999_700, "1 MB"), (141_107_412_992, "141 GB"), (10**16, "1e+04 TB")],
)  # fmt: skip
def test_bytes_are_shown_as_people_write_them(size, shown):
    assert show_bytes(size) == shown


def wild(explorer, name, chance):
    """A value for a control: most often one it can take."""
    control = explorer.controls[name]
    if chance.random() < 0.15:
        return chance.choice(["", -3, 10**9, None, "🐿 안녕", 3.7])
    if hasattr(control, "options"):
        return chance.choice([getattr(o, "value", o[1] if isinstance(o, tuple) else o)
                              for o in control.options])  # fmt: skip
    if hasattr(control, "min"):
        return chance.randint(control.min, control.max)
    return chance.choice(["Once", "The capital of France is", "프랑스의 수도는", "", "x " * 300])


@pytest.mark.parametrize("name", EXPLORERS)
def test_no_control_driven_at_random_raises(name, drawn_once):
    explorer, chance = EXPLORERS[name](), random.Random(5)
    for _move in range(200):
        control = chance.choice(list(explorer.controls))
        explorer.set(**{control: wild(explorer, control, chance)})
        if explorer.actions and chance.random() < 0.2:
            explorer.press("next_step")
        assert repr(explorer)
        assert "Traceback" not in repr(explorer)


def test_every_published_model_can_be_shown():
    explorer = MemoryExplorer()
    for model in KNOWN_MODELS:
        explorer.set(model=model, tokens=131072, batch=64, dtype="float32")
        assert explorer._says == ""
        assert model in repr(explorer)
