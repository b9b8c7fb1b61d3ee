"""The cache's helpers against `transformers` itself, on every tiny architecture."""

from copy import deepcopy

import pytest
import torch
from transformers import DeepseekV3Config, MambaConfig

from tests.tiny_models import CONTEXT, TINY, WINDOW, tiny_tokenizer
from utils.generation import generation_steps
from utils.kv_cache import (
    LONGEST_PROMPT,
    cache_bytes,
    counting_positions,
    generate_with_cache,
    measured_cache_bytes,
    positions_computed,
    predicted_cache_bytes,
    trace_cache,
)
from utils.memory import KNOWN_MODELS
from utils.parts import ForTransformers, KVCache
from utils.parts.streaming import UNFINISHED

TEXT = "Once upon a time there was a small model that wrote one token"  # longer than WINDOW


def ids_of(text=TEXT):
    return tiny_tokenizer()(text, return_tensors="pt").input_ids


@pytest.mark.parametrize("tokens", [1, WINDOW - 1, WINDOW, 20])
@pytest.mark.parametrize("batch", [1, 3])
def test_predicted_bytes_are_the_real_cache_s_bytes(tiny, tokens, batch):
    model, _tokenizer = tiny
    cache = model(ids_of()[:, :tokens].repeat(batch, 1), use_cache=True).past_key_values
    assert predicted_cache_bytes(model.config, tokens, batch) == measured_cache_bytes(cache) > 0


def test_predicted_bytes_are_those_after_generating_token_by_token(tiny):
    model, _tokenizer = tiny
    cache, ids = None, ids_of()
    for position in range(16):
        output = model(ids[:, position : position + 1], past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        expected = predicted_cache_bytes(model.config, position + 1)
        assert measured_cache_bytes(cache) == expected


def test_predicted_bytes_follow_the_dtype():
    config = TINY["llama"]().config
    full = predicted_cache_bytes(config, 10, dtype=torch.float32)
    assert predicted_cache_bytes(config, 10, dtype=torch.bfloat16) == full // 2
    assert predicted_cache_bytes(config, 10, dtype=torch.int8) == full // 4
    assert predicted_cache_bytes(config, 0) == 0


def test_predicted_bytes_of_a_model_that_was_saved(tmp_path):
    model = deepcopy(TINY["llama"]())
    before = predicted_cache_bytes(model.config, 10)
    model.save_pretrained(tmp_path)
    assert predicted_cache_bytes(model.config, 10) == before


def test_an_empty_cache_has_no_bytes():
    assert measured_cache_bytes(ForTransformers(KVCache())) == 0


@pytest.mark.parametrize("config", [MambaConfig(), DeepseekV3Config()])
def test_an_architecture_with_another_kind_of_cache_is_named(config):
    with pytest.raises(ValueError, match=config.model_type):
        predicted_cache_bytes(config, 10)


@pytest.mark.parametrize("wrong", [{"tokens": -1}, {"tokens": 5, "batch": 0}])
def test_predicted_bytes_refuse_nonsense(wrong):
    with pytest.raises(ValueError, match="batch 1 or more"):
        predicted_cache_bytes(TINY["llama"]().config, **wrong)


def test_cache_bytes_is_the_default_model_s():
    smollm2 = KNOWN_MODELS["SmolLM2-135M"].config
    assert cache_bytes(30, 3, 64, 100, 4) == predicted_cache_bytes(smollm2, 100) == 4_608_000


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize(("prompt", "new"), [(1, 1), (5, 8), (7, 1), (3, 12)])
def test_positions_computed_are_what_generate_computes(tiny, prompt, new, use_cache):
    model, _tokenizer = tiny
    ids = ids_of()[:, :prompt]
    options = {"max_new_tokens": new, "min_new_tokens": new, "do_sample": False}
    with counting_positions(model) as counts:
        model.generate(ids, attention_mask=torch.ones_like(ids), use_cache=use_cache, **options)
    assert len(counts) == new
    assert sum(counts) == positions_computed(prompt, new, use_cache)


@pytest.mark.parametrize("wrong", [(0, 1), (1, 0), (-2, 3)])
def test_positions_computed_refuses_nonsense(wrong):
    with pytest.raises(ValueError, match="at least one"):
        positions_computed(*wrong)


def test_counting_takes_its_hook_off_even_after_an_error():
    model = TINY["llama"]()
    with pytest.raises(RuntimeError), counting_positions(model) as counts:
        raise RuntimeError
    model(ids_of())
    assert counts == []


@pytest.mark.parametrize("new", [1, 6, 30])
def test_generate_with_cache_is_generate(tiny, new):
    model, _tokenizer = tiny
    ids = ids_of("The capital of France is")
    before = ids.clone()
    ours = generate_with_cache(model, ids, new)
    assert torch.equal(ids, before)
    for use_cache in (True, False):
        theirs = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new,
            do_sample=False,
            use_cache=use_cache,
        )
        assert torch.equal(ours, theirs)


def test_generate_with_cache_stops_where_the_model_does(monkeypatch):
    model, ids = TINY["qwen-3"](), ids_of("The capital")
    free = generate_with_cache(model, ids, 10)
    third = int(free[0, ids.shape[1] + 2])
    for end in (third, [CONTEXT, third]):
        monkeypatch.setattr(model.generation_config, "eos_token_id", end)
        stopped = generate_with_cache(model, ids, 10)
        new = stopped[0, ids.shape[1] :].tolist()
        assert new[-1] == third
        assert third not in new[:-1]
        assert len(new) <= 3


def test_generate_with_cache_refuses_no_tokens():
    with pytest.raises(ValueError, match="1 or more"):
        generate_with_cache(TINY["llama"](), ids_of(), 0)


def test_generate_with_cache_refuses_what_generate_refuses(tiny):
    model, tokenizer = tiny
    for text, new in (("a" * (CONTEXT - 3), 4), ("a" * (CONTEXT + 1), 1)):
        ids = ids_of(text)
        assert ids.shape[1] == len(text)
        with pytest.raises(ValueError, match=r"[.]$") as theirs:
            generation_steps(model, tokenizer, text, new)
        with pytest.raises(ValueError, match=r"[.]$") as ours:
            generate_with_cache(model, ids, new)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(ValueError, match="empty"):
        generate_with_cache(model, torch.empty(1, 0, dtype=torch.long), 1)
    full = generate_with_cache(model, ids_of("a" * (CONTEXT - 1)), 1)
    assert full.shape == (1, CONTEXT)


def test_trace_counts_both_ways(tiny):
    model, tokenizer = tiny
    trace = trace_cache(model, tokenizer, "Once upon a time", 10)
    assert trace.same
    prompt = len(trace.prompt)
    for number, step in enumerate(trace.steps):
        assert step.positions == (1 if number else prompt)
        assert step.positions_without == prompt + number
        assert step.measured_bytes == step.predicted_bytes
        assert max(step.kept) == prompt + number
    assert "".join(trace.prompt) == "Once upon a time"
    new = tokenizer.decode(generate_with_cache(model, ids_of("Once upon a time"), 10)[0, prompt:])
    assert UNFINISHED in new or "".join(trace.written) == new


@pytest.mark.parametrize(
    ("prompt", "says"), [("", "empty"), ("so " * LONGEST_PROMPT, f"up to {LONGEST_PROMPT}")]
)
def test_trace_refuses_a_prompt_with_a_sentence(prompt, says):
    with pytest.raises(ValueError, match=says):
        trace_cache(TINY["llama"](), tiny_tokenizer(), prompt)
