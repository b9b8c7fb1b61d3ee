"""The cache's helpers against `transformers` itself, on every tiny architecture."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, DeepseekV3Config, MambaConfig

from tests.tiny_models import CONTEXT, TINY, WINDOW, tiny_tokenizer
from utils.generation import generation_steps
from utils.kv_cache import (
    LONGEST_PROMPT,
    ForTransformers,
    KVCache,
    cache_bytes,
    counting_positions,
    generate_with_cache,
    measured_cache_bytes,
    positions_computed,
    predicted_cache_bytes,
    trace_cache,
)
from utils.memory import KNOWN_MODELS, memory_use
from utils.step_times import StepTimes, measure_steps
from utils.streaming import UNFINISHED, stream_text

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


def test_a_model_computes_the_same_with_our_cache(tiny):
    model, _tokenizer = tiny
    ids, ours = ids_of(), KVCache()
    cache = ForTransformers(ours)
    parts = [model(part, past_key_values=cache).logits for part in ids.split(5, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), model(ids).logits, atol=1e-4, rtol=1e-4)
    assert ours.get_seq_length() == ids.shape[1]


def test_our_cache_keeps_what_the_library_keeps(tiny):
    model, _tokenizer = tiny
    ours, ids = KVCache(), ids_of()[:, : WINDOW - 1]
    model(ids, past_key_values=ForTransformers(ours))
    theirs = model(ids, use_cache=True).past_key_values
    for layer, (keys, values) in ours.layers.items():
        assert torch.equal(keys, theirs.layers[layer].keys)
        assert torch.equal(values, theirs.layers[layer].values)


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


# Streaming ------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_streamed_pieces_make_the_text_and_are_whole(text):
    tokenizer = tiny_tokenizer()
    ids = tokenizer(text).input_ids
    pieces = list(stream_text(ids, tokenizer))
    expected = tokenizer.decode(ids, skip_special_tokens=True)
    assert "".join(pieces) == expected.rstrip(UNFINISHED)
    assert all(pieces)


@given(st.lists(st.integers(3, 399), max_size=20))
def test_any_ids_can_be_streamed(ids):
    tokenizer = tiny_tokenizer()
    text = tokenizer.decode(ids, skip_special_tokens=True)
    assert "".join(stream_text(ids, tokenizer)) == text.rstrip(UNFINISHED)


@given(st.text("가나다힣🐿😀é a", min_size=1, max_size=12), st.data())
def test_a_cut_never_shows_half_a_character(text, data):
    tokenizer = tiny_tokenizer()
    ids = tokenizer(text).input_ids
    cut = data.draw(st.integers(0, len(ids)))
    shown = "".join(stream_text(ids[:cut], tokenizer))
    assert text.startswith(shown)
    assert UNFINISHED not in shown


def test_text_comes_while_tokens_are_still_being_made():
    tokenizer, taken = tiny_tokenizer(), []

    def tokens():
        for token_id in tokenizer("파리 Paris").input_ids:
            taken.append(token_id)
            yield token_id

    for piece in stream_text(tokens(), tokenizer):
        assert tokenizer.decode(taken).endswith(piece)
    assert taken


def test_special_tokens_are_left_out():
    tokenizer = tiny_tokenizer()
    ids = [*tokenizer("Paris").input_ids, tokenizer.eos_token_id]
    assert "".join(stream_text(ids, tokenizer)) == "Paris"


# Times and published models ---------------------------------------------------------------------


def test_steps_are_measured_both_ways(tiny):
    model, _tokenizer = tiny
    times = measure_steps(model, (4, 2, 2 * CONTEXT), repeats=1)
    assert times.lengths == (2, 4)
    assert len(times.without) == len(times.cached) == 2
    assert min(times.without + times.cached) > 0


def test_measuring_refuses_lengths_past_the_context():
    with pytest.raises(ValueError, match="context"):
        measure_steps(TINY["llama"](), (CONTEXT,))


def test_answer_seconds_add_up_what_was_measured():
    times = StepTimes((10, 20, 40), (1.0, 2.0, 4.0), (0.5, 0.5, 0.5))
    assert times.step_seconds(10, 3, use_cache=False).tolist() == pytest.approx([1.0, 1.1, 1.2])
    assert times.step_seconds(10, 3, use_cache=True).tolist() == pytest.approx([1.0, 0.5, 0.5])
    assert times.step_seconds(30, 1, True) == times.step_seconds(30, 1, False)
    with pytest.raises(ValueError, match="at least one"):
        times.step_seconds(1, 0, use_cache=True)


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
