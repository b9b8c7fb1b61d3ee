"""The residual stream taken apart: the parts make up what `transformers` itself computes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_models import TINY, tiny_tokenizer
from utils.architecture import blocks, final_norm
from utils.model import prompt_ids
from utils.norms import freeze_norm
from utils.residual import blend, contributions, trace_blocks, trace_residual
from utils.tokens import single_token

TEXT = "The dog chased the squirrel because it was hungry."


def hooks_of(model) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


@pytest.fixture
def output(tiny):
    """What the model itself gives for TEXT, hidden states and all."""
    model, tokenizer = tiny
    with torch.no_grad():
        return model(prompt_ids(model, tokenizer, TEXT), output_hidden_states=True)


def test_the_stream_is_what_transformers_calls_hidden_states(tiny, output):
    trace = trace_residual(*tiny, TEXT)
    stream = trace.start
    assert torch.equal(stream, output.hidden_states[0][0])
    for layer in range(len(trace.attention)):
        stream = stream + trace.attention[layer] + trace.feed_forward[layer]
        if layer < len(trace.attention) - 1:  # the last of them has been through the final norm
            torch.testing.assert_close(stream, output.hidden_states[layer + 1][0])
    torch.testing.assert_close(stream, trace.end)
    with torch.no_grad():
        torch.testing.assert_close(final_norm(tiny[0])(trace.end), output.hidden_states[-1][0])


def test_the_shares_of_a_logit_sum_to_the_models_own(tiny, output):
    trace = trace_residual(*tiny, TEXT)
    for position in range(len(trace.tokens)):
        for token_id in (5, 77, int(output.logits[0, position].argmax())):
            shares = contributions(*tiny, trace, position, token_id)
            own = float(output.logits[0, position, token_id])
            assert shares.logit == pytest.approx(own, abs=1e-4)
            total = shares.start_logit + shares.constant
            total += float(shares.attention_logits.sum() + shares.feed_forward_logits.sum())
            assert total == pytest.approx(own, abs=1e-4)
            assert float(shares.running_total()[-1]) == pytest.approx(own, abs=1e-4)


def test_without_a_token_it_is_the_likeliest_one(tiny, output):
    shares = contributions(*tiny, trace_residual(*tiny, TEXT), -1)
    assert shares.token_id == int(output.logits[0, -1].argmax()) == shares.candidates[0].token_id


def test_on_the_default_model_the_shares_sum_within_a_thousandth(default_model):
    model, tokenizer = default_model
    red = single_token(tokenizer, "Red")
    trace = trace_residual(model, tokenizer, "The Shawshank")
    with torch.no_grad():
        logits = model(prompt_ids(model, tokenizer, "The Shawshank")).logits[0]
    for position in range(len(trace.tokens)):
        shares = contributions(model, tokenizer, trace, position, red)
        assert float(shares.running_total()[-1]) == pytest.approx(
            float(logits[position, red]), abs=1e-3
        )
    assert tokenizer.decode([red]) == " Red"
    assert shares.feed_forward_logits.sum() > 7 > 1 > shares.attention_logits.sum().abs()


def test_a_logit_cap_is_frozen_too(monkeypatch):
    model, tokenizer = TINY["gemma-3"](), tiny_tokenizer()
    monkeypatch.setattr(model.config, "final_logit_softcapping", 2.0)
    with torch.no_grad():
        own = model(prompt_ids(model, tokenizer, TEXT)).logits[0, -1]
    assert own.abs().max() <= 2
    shares = contributions(model, tokenizer, trace_residual(model, tokenizer, TEXT), -1, 9)
    assert float(shares.running_total()[-1]) == pytest.approx(float(own[9]), abs=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(["rms", "layer"]), st.integers(1, 16))
def test_a_frozen_norm_gives_parts_that_sum_to_the_whole(seed, kind, half):
    generator = torch.Generator().manual_seed(seed)
    width = 2 * half + 2
    norm = torch.nn.RMSNorm(width, eps=1e-5) if kind == "rms" else torch.nn.LayerNorm(width)
    for parameter in norm.parameters():
        parameter.data = torch.randn(width, generator=generator)
    parts = torch.randn(3, width, generator=generator) * 5
    frozen = freeze_norm(norm, parts.sum(0))
    with torch.no_grad():
        whole = norm(parts.sum(0)).double()
    torch.testing.assert_close(
        frozen.share(parts).sum(0) + frozen.bias, whole, atol=1e-4, rtol=1e-4
    )
    direction = torch.randn(width, generator=generator).double()
    torch.testing.assert_close(
        frozen.share(parts) @ direction, parts.double() @ frozen.behind(direction)
    )


def test_a_norm_of_another_kind_is_refused():
    class SortNorm(torch.nn.Module):
        def forward(self, x):
            return x.sort().values

    with pytest.raises(ValueError, match="SortNorm is neither"):
        freeze_norm(SortNorm(), torch.randn(8))


def test_blend_begins_and_ends_with_the_two_texts(tiny):
    model, tokenizer = tiny
    texts = "The dog is", "The dog token"
    ids = [prompt_ids(model, tokenizer, text) for text in texts]
    last, before = len(blocks(model)) - 1, hooks_of(model)
    for layer in (0, last):
        for share, these in ((0, ids[0]), (1.0, ids[1])):
            with torch.no_grad():
                own = model(these).logits[0, -1]
            got = blend(model, tokenizer, *texts, layer, share)
            torch.testing.assert_close(got, own, atol=1e-4, rtol=1e-4)
    middle = blend(model, tokenizer, *texts, 0, 0.5)
    assert not torch.allclose(middle, own, atol=1e-3)
    assert hooks_of(model) == before


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_bad_arguments_get_a_sentence(tiny):
    model, tokenizer = tiny
    trace = trace_residual(model, tokenizer, "hello")
    for call, says in (
        (lambda: trace_residual(model, tokenizer, ""), "empty"),
        (lambda: contributions(model, tokenizer, trace, 99, 5), "there is no 99"),
        (lambda: blend(model, tokenizer, "a", "b", 2, 0.5), "no layer 2"),
        (lambda: blend(model, tokenizer, "a", "b", 0, 1.5), "between 0 and 1"),
        (lambda: blend(model, tokenizer, "a", "a b c d", 0, 0.5), "as many tokens"),
        (lambda: single_token(tokenizer, "xyzzy plugh"), "Choose a word that is one token"),
    ):
        with pytest.raises(ValueError, match=says):
            call()


def test_an_architecture_built_otherwise_is_named(monkeypatch):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    ids = prompt_ids(model, tokenizer, "hello")
    doubled = model.model.layers[0].register_forward_hook(lambda _m, _a, out: 2 * out)
    try:
        with pytest.raises(ValueError, match="LlamaForCausalLM is not built"):
            trace_blocks(model, ids)
    finally:
        doubled.remove()
    monkeypatch.setattr(model.config, "num_hidden_layers", 7)
    with pytest.raises(ValueError, match="LlamaForCausalLM is not built"):
        blocks(model)
