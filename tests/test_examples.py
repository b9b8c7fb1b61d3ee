"""The examples in docstrings say what happens: each is run, on tensors that fit into a line."""

import doctest
import importlib

import pytest
import torch

from utils import decoding, parts

MODULES = [
    "decoding",
    "embeddings",
    "kv_cache",
    "losses",
    "memory",
    "parts.cache",
    "parts.heads",
    "parts.llm",
    "parts.loop",
    "parts.streaming",
    "timing",
    "tokens",
]
NEED_A_MODEL = {"ForTransformers", "attention", "forward", "run_layer", "write"}
CHOOSE = [
    *("greedy", "apply_temperature", "top_k_filter", "top_p_filter", "min_p_filter"),
    *("sample", "sampler", "decoding_stages", "entropy", "repeated_ngram_rate"),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_happens(name):
    module = importlib.import_module(f"utils.{name}")
    tried, said = 0, []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, extraglobs={"torch": torch}):
        tried += runner.run(example, out=said.append).attempted
    assert not runner.failures, "".join(said)
    assert tried


@pytest.mark.parametrize("name", [n for n in parts.__all__ if n not in NEED_A_MODEL])
def test_each_part_of_the_llm_has_an_example(name):
    assert ">>> " in getattr(parts, name).__doc__


@pytest.mark.parametrize("name", CHOOSE)
def test_each_way_to_choose_a_token_has_an_example(name):
    assert ">>> " in getattr(decoding, name).__doc__
