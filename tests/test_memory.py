"""Published models in numbers, and the memory that they take."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from utils.memory import KNOWN_MODELS, memory_use


@pytest.mark.parametrize("name", KNOWN_MODELS)
def test_published_numbers_make_as_many_parameters_as_published(name):
    known = KNOWN_MODELS[name]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(known.config)
    assert model.num_parameters() == known.parameters


def test_memory_use_against_sums_done_by_hand():
    use = memory_use("Llama-3-8B", 8192, 4, torch.bfloat16)
    assert use.cache == 4 * 2 * 32 * 8 * 128 * 8192 * 2
    assert use.multi_head == 4 * use.cache
    assert use.weights == 2 * 8_030_261_248
    phi3 = memory_use("Phi-3-mini-4k", 4096, 1, torch.bfloat16)
    assert phi3.cache == phi3.multi_head == 2 * 32 * 32 * 96 * 2046 * 2  # its window is 2047
    with pytest.raises(ValueError, match="GPT-2"):
        memory_use("GPT-5", 10, 1, torch.float32)


def test_memory_use_leaves_the_published_config_alone():
    memory_use("Llama-3-70B", 128, 1, torch.int8)
    assert KNOWN_MODELS["Llama-3-70B"].kv_heads == 8
