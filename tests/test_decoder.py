"""The rebuilt decoder against `transformers`: the same logits, the same text."""

import time

import pytest
import torch
import transformers

from benchmarks.model_rows import PROMPTS
from tests.tiny_models import GROUPED, TINY, _random
from utils import decoder_forms
from utils.cores import multiplying
from utils.decoder import Decoder
from utils.decoder_forms import by_columns, by_onednn, by_openblas, by_rows, in_halves
from utils.decoding import sampler
from utils.timing import library_writes

# Kinds of models the decoder rebuilds, and what is particular about each.
KINDS = {
    "llama": TINY["llama"],  # embedding tied to the LM head
    "llama with biases": lambda: _random(
        transformers.LlamaConfig, **GROUPED, attention_bias=True, mlp_bias=True
    ),
    "llama, one head a group": lambda: _random(
        transformers.LlamaConfig, **GROUPED | {"num_key_value_heads": 4, "head_dim": 16}
    ),
    "llama 3, stretched": lambda: _random(
        transformers.LlamaConfig,
        **GROUPED,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    ),
    "mistral": lambda: _random(transformers.MistralConfig, **GROUPED, sliding_window=None),
    "qwen 2": lambda: _random(transformers.Qwen2Config, **GROUPED),
    "phi-3": TINY["phi-3"],  # its matrices come fused
}


@pytest.fixture(params=KINDS)
def model(request):
    made = KINDS[request.param]()
    for name, parameter in made.named_parameters():
        if name.endswith("bias") and not parameter.any():  # a new model's biases are all 0
            parameter.copy_(torch.linspace(-1, 1, len(parameter)))
    return made


def some_ids(model, count: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, model.config.vocab_size, (1, count), generator=generator)


def test_logits_are_the_library_s(model):
    decoder, ids = Decoder.from_model(model), some_ids(model, 200)
    assert torch.allclose(decoder(ids), model(ids).logits, atol=1e-4)


def test_logits_are_the_same_with_a_cache_however_the_text_is_cut(model):
    decoder, ids = Decoder.from_model(model), some_ids(model, 60)
    whole = model(ids).logits
    for sizes in ([60], [1] * 60, [59, 1], [20, 1, 39], [1, 58, 1]):
        cache = decoder.new_cache()
        pieces = [decoder(piece, cache) for piece in ids.split(sizes, dim=1)]
        assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-4)
        assert cache.get_seq_length() == 60


@pytest.mark.parametrize("count", [1, 2, 17, 155, 156])
def test_writes_what_the_library_writes(model, count):
    decoder, ids = Decoder.from_model(model), some_ids(model, count, seed=count)
    expected = [*ids[0].tolist(), *library_writes(model, ids, 100)]
    assert decoder.generate(ids, 100).tolist() == [expected]


@pytest.mark.parametrize("dtype", [torch.bfloat16])
def test_bfloat16_is_as_near_to_float32_as_the_library_s(model, dtype):
    ids = some_ids(model, 80)
    exact, half = model(ids).logits, in_dtype(model, dtype)
    ours, theirs = Decoder.from_model(half)(ids), half(ids).logits
    assert ours.dtype == dtype
    error, library_error = ((logits.float() - exact).norm() for logits in (ours, theirs))
    assert error <= 1.2 * library_error
    assert Decoder.from_model(half).generate(ids[:, :5], 10).shape[1] <= 15


def in_dtype(model, dtype):
    half = type(model)(model.config)
    half.load_state_dict(model.state_dict())
    return half.to(dtype).eval().requires_grad_(False)


def test_stops_at_an_end_token_and_yields_it():
    model = TINY["llama"]()
    decoder, ids = Decoder.from_model(model), some_ids(model, 5)
    written = list(decoder.tokens(ids, 20))
    config, before = model.generation_config, model.generation_config.eos_token_id
    try:
        for ends in (written[3], [2, written[3]]):
            config.eos_token_id = ends
            again = list(Decoder.from_model(model).tokens(ids, 20))
            assert again == written[: written.index(written[3]) + 1]
            assert again == library_writes(model, ids, 20)
    finally:
        config.eos_token_id = before


def test_chooses_as_it_is_told_and_one_token_at_a_time():
    model = TINY["llama"]()
    decoder, ids = Decoder.from_model(model), some_ids(model, 5)
    seen = []

    def choose(logits):
        seen.append(logits)
        return int(logits.argmin())

    tokens = decoder.tokens(ids, 3, choose)
    assert seen == []
    first = next(tokens)
    assert len(seen) == 1
    assert first == int(model(ids).logits[0, -1].argmin())
    assert seen[0].shape == (model.config.vocab_size,)
    generator = torch.Generator().manual_seed(0)
    assert len(list(decoder.tokens(ids, 3, sampler(top_k=5, generator=generator)))) <= 3


def test_says_when_a_text_has_no_room():
    model = TINY["llama"]()
    small = Decoder.from_model(model, max_positions=16)
    assert small.max_positions == 16
    assert small(some_ids(model, 16)).shape[1] == 16
    assert small.generate(some_ids(model, 15), 1).shape[1] == 16
    cache = small.new_cache()
    small(some_ids(model, 10), cache)
    for call in (
        lambda: small(some_ids(model, 17)),
        lambda: small(some_ids(model, 7), cache),
        lambda: small.generate(some_ids(model, 10), 7),
    ):
        with pytest.raises(ValueError, match="17 tokens, and this decoder made room for 16"):
            call()
    assert cache.get_seq_length() == 10
    small(some_ids(model, 6), cache)
    for count in (16, 5000):  # past the context, a larger max_positions would not help
        with pytest.raises(ValueError, match="room for 256 at most") as refused:
            Decoder.from_model(model, max_positions=count)(some_ids(model, 257))
        assert "max_positions" not in str(refused.value)
    for count in (0, -5):
        with pytest.raises(ValueError, match="max_positions must be 1 or more"):
            Decoder.from_model(model, max_positions=count)


def test_names_a_model_without_a_head():
    with pytest.raises(ValueError, match="LlamaModel has no LM head"):
        Decoder.from_model(TINY["llama"]().model)


def test_a_sliding_window_ends_the_room():
    model = _random(transformers.MistralConfig, **GROUPED, sliding_window=24)
    decoder, ids = Decoder.from_model(model), some_ids(model, 24)
    assert decoder.max_positions == 24
    assert torch.allclose(decoder(ids), model(ids).logits, atol=1e-4)


def test_refuses_what_is_no_single_text():
    decoder = Decoder.from_model(TINY["llama"]())
    for ids in (torch.ones(2, 3), torch.ones(3), torch.ones(1, 0)):
        with pytest.raises(ValueError, match="one text that is not empty"):
            decoder(ids.long())
    with pytest.raises(ValueError, match="at least one token"):
        decoder.generate(torch.ones(1, 3).long(), 0)


@pytest.mark.parametrize("name", ["gpt-2", "qwen-3", "gemma-3", "gpt-neox"])
def test_names_an_architecture_that_it_does_not_rebuild(name):
    model = TINY[name]()
    with pytest.raises(ValueError, match=model.config.model_type):
        Decoder.from_model(model)


def test_names_rotary_positions_that_it_does_not_rebuild():
    for rotary in (
        {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0},
        {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5},
    ):
        model = _random(transformers.Phi3Config, **GROUPED)
        model.config.rope_parameters = rotary
        with pytest.raises(ValueError, match=r"not phi3 \((dynamic|default)\)"):
            Decoder.from_model(model)


def test_changes_neither_the_model_nor_what_it_is_given(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    decoder, ids = Decoder.from_model(model), some_ids(model, 9)
    kept = ids.clone()
    decoder.generate(ids, 5)
    assert torch.equal(ids, kept)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_its_matrices_are_the_model_s(model):
    decoder = Decoder.from_model(model)
    assert torch.equal(decoder.head.weight, model.lm_head.weight)
    assert torch.equal(decoder.blocks[1].down.weight, model.model.layers[1].mlp.down_proj.weight)


@pytest.mark.parametrize("form", [by_rows, by_columns, in_halves, by_openblas, by_onednn])
def test_every_form_is_the_same_product(form):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(48, 32, generator=generator)
    for positions in (1, 2, 9):
        x = torch.randn(1, positions, 32, generator=generator)
        assert torch.allclose(form(matrix)(x), x @ matrix.T, atol=1e-5)
        assert torch.allclose(form(matrix)(x[0]), x[0] @ matrix.T, atol=1e-5)


def test_takes_the_form_that_is_fastest(monkeypatch):
    """Whatever a form is called: here all but one are slow."""

    def slow(form):
        def product(matrix):
            return lambda x: time.sleep(0.02) or form(matrix)(x)

        return product

    for form in (by_rows, by_columns, by_openblas, by_onednn):
        monkeypatch.setattr(decoder_forms, form.__name__, slow(form))
    matrices = [torch.ones(4, 3), torch.ones(2, 3)]
    assert decoder_forms.fastest_form(matrices) is in_halves
    odd = decoder_forms.fastest_form([torch.ones(5, 3)])
    assert odd(torch.ones(5, 3))(torch.ones(1, 1, 3)).shape == (1, 1, 5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_a_gpu(model, dtype):
    on_gpu = in_dtype(model, dtype).cuda()
    ids = some_ids(model, 40).cuda()
    decoder = Decoder.from_model(on_gpu)
    exact, error = model(ids.cpu()).logits, {}
    for name, logits in (("ours", decoder(ids)), ("theirs", on_gpu(ids).logits)):
        error[name] = (logits.float().cpu() - exact).norm()
    assert error["ours"] <= max(1.2 * error["theirs"], 1e-3 * exact.norm())
    assert decoder.generate(ids, 10).device == ids.device


# The default model ------------------------------------------------------------------------


def test_the_default_model_s_logits(default_model):
    model, _tokenizer = default_model
    ids = some_ids(model, 200)
    assert (Decoder.from_model(model)(ids) - model(ids).logits).abs().max() < 1e-4


def test_the_default_model_s_text(default_model):
    """After ten prompts, the library's 40 tokens; it writes all ten at once, to save time.

    Whether a decoder writes them, one pass over the written text tells as well as a hundred steps;
    `make bench` has both write all ten texts out, one by one, 100 tokens each.
    """
    model, tokenizer = default_model
    batch = tokenizer(list(PROMPTS), return_tensors="pt", padding=True, padding_side="left")
    end = model.generation_config.eos_token_id
    texts = model.generate(**batch, max_new_tokens=40, do_sample=False, pad_token_id=end)
    decoder = Decoder.from_model(model)
    for prompt, text in zip(PROMPTS, texts, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        written = text[batch.input_ids.shape[1] :].tolist()
        written = written[: written.index(end) + 1] if end in written else written
        whole = torch.cat([ids, torch.tensor([written])], dim=1)
        logits = decoder(whole[:, :-1])[0, ids.shape[1] - 1 :]
        assert logits.argmax(-1).tolist() == written, prompt
    assert decoder.generate(ids, 30).tolist() == whole[:, : ids.shape[1] + 30].tolist()


def test_a_token_takes_one_product_with_each_matrix(model):
    rows, decoder = [], Decoder.from_model(model)

    class Counting(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function is torch.nn.functional.linear:
                rows.append(args[1].numel())
            return function(*args, **kwargs or {})

    with Counting():
        multiplying(decoder.matrices())()
    matrices = {p.data_ptr(): p.numel() for p in model.parameters() if p.ndim == 2}
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    embedding = 0 if tied else model.get_input_embeddings().weight.numel()
    assert sum(rows) == sum(matrices.values()) - embedding
