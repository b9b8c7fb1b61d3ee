"""Speed limits from bytes and bandwidth: sums done by hand, words in both languages, controls."""

import pytest
import torch

from utils.bandwidth import MACHINES, Machine, measure_machine, speed_limit
from utils.explorers.bandwidth import SpeedLimitExplorer
from utils.language import use_language

H100 = MACHINES["NVIDIA H100 SXM"]
HERE = Machine("here", 40e9, 1e12, None)


@pytest.fixture(params=["ko", "en"])
def lang(request):
    use_language(request.param)
    yield request.param
    use_language("en")


def test_reading_is_the_limit_of_one_text_against_sums_done_by_hand():
    limit = speed_limit(H100, "Llama-3-8B", 16, 1)
    read = 8_030_261_248 * 2 + 2 * 32 * 8 * 128 * 1024 * 2
    assert limit.reading == pytest.approx(read / 3350e9)
    assert limit.computing == pytest.approx(2 * 8_030_261_248 / 989e12)
    assert limit.tokens_a_second == pytest.approx(3350e9 / read)


def test_arithmetic_is_the_limit_of_many_texts_and_fewer_bits_do_not_help():
    slow = Machine("slow at arithmetic", 1e12, 3e12, None)
    speeds = {bits: speed_limit(slow, "SmolLM2-135M", bits, 64).tokens_a_second for bits in (32, 4)}
    assert speeds[32] == pytest.approx(speeds[4]) == pytest.approx(3e12 / 2 / 134_515_008)
    one = {bits: speed_limit(slow, "SmolLM2-135M", bits, 1).tokens_a_second for bits in (32, 4)}
    assert one[4] > 3 * one[32]


def test_what_fits_counts_weights_and_caches():
    assert speed_limit(H100, "Llama-3-70B", 4, 64).fits
    assert not speed_limit(H100, "Llama-3-70B", 4, 128).fits
    assert not speed_limit(H100, "Llama-3-70B", 16, 1).fits
    assert speed_limit(HERE, "Llama-3.1-405B", 32, 256).fits  # nobody knows its memory


@pytest.mark.parametrize(
    ("model", "bits", "texts"), [("?", 4, 1), ("GPT-2", 5, 1), ("GPT-2", 4, 0)]
)
def test_refuses_what_it_does_not_know(model, bits, texts):
    with pytest.raises(ValueError, match="bits out of 32"):
        speed_limit(H100, model, bits, texts)


def test_measures_a_machine():
    machine = measure_machine("mine", [torch.ones(100, 100)], rounds=1)
    assert machine.bandwidth > 0
    assert machine.operations > 0
    assert machine.memory is None


def test_every_control_moves_the_explorer(lang):
    explorer = SpeedLimitExplorer(HERE, {("SmolLM2-135M", 32, 1): 31.0})
    assert "31" in repr(explorer)
    seen = {repr(explorer)}
    for moved in (
        {"bits": 4},
        {"texts": 64},
        {"model": "Llama-3-70B"},
        {"machine": "NVIDIA RTX 4090"},
    ):
        explorer.set(**moved)
        seen.add(repr(explorer))
        assert "31.0" not in repr(explorer)
    assert len(seen) == 5
    assert {"ko": "들어가지 않습니다", "en": "does not fit"}[lang] in repr(explorer)
    explorer.pick(machine="here")
    assert explorer.controls["machine"].value == "here"
