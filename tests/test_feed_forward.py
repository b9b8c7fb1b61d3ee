"""Layers switched off, neurons and what they push: against the models of `transformers`."""

from copy import deepcopy

import pytest
import torch
from transformers import AutoModelForCausalLM, BloomConfig, MptConfig

from utils.architecture import blocks
from utils.feed_forward import (
    losses_without_each,
    switch_off,
    without_attention,
    without_each,
    without_feed_forward,
)
from utils.model import prompt_ids
from utils.neurons import strongest_neurons
from utils.residual import contributions, trace_blocks, trace_residual

TEXT = "The dog chased the squirrel because it"


def logits_of(model, ids):
    with torch.no_grad():
        return model(ids).logits[0]


def hooks_of(model) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def silenced(model, part: str, layers) -> torch.nn.Module:
    """A copy of the model whose layers are silent because their last matrix is all zeros."""
    model = deepcopy(model)
    for layer in layers:
        module = getattr(blocks(model)[layer], part)
        last = [m for m in module.modules() if getattr(m, "weight", torch.ones(1)).ndim == 2][-1]
        if part == "attention":
            names = "o_proj", "c_proj", "dense"
            last = next(getattr(module, name) for name in names if hasattr(module, name))
        for parameter in last.parameters():
            parameter.zero_()
    return model


@pytest.mark.parametrize(
    ("off", "part"), [(without_feed_forward, "feed_forward"), (without_attention, "attention")]
)
def test_a_layer_switched_off_is_one_with_zeros_in_its_last_matrix(tiny, off, part):
    model, tokenizer = tiny
    ids = prompt_ids(model, tokenizer, TEXT)
    whole = logits_of(model, ids)
    for layers in ([0], [1], [0, 1], range(2), 1):
        as_list = [layers] if isinstance(layers, int) else layers
        expected = logits_of(silenced(model, part, as_list), ids)
        with off(model, layers):
            got = logits_of(model, ids)
        torch.testing.assert_close(got, expected)
        assert not torch.allclose(got, whole, atol=1e-3)
        assert torch.equal(logits_of(model, ids), whole)
    with off(model, []):
        assert torch.equal(logits_of(model, ids), whole)


def test_the_model_is_restored_after_an_error_too(tiny):
    model, tokenizer = tiny
    ids = prompt_ids(model, tokenizer, TEXT)
    whole, before = logits_of(model, ids), hooks_of(model)
    with pytest.raises(RuntimeError, match="stop"), without_feed_forward(model, [0, 1]):
        raise RuntimeError("stop")
    assert torch.equal(logits_of(model, ids), whole)
    for layers in ([0, 99], [-1], [True], ["0"], 99):
        with pytest.raises(ValueError, match="there is no layer"), without_attention(model, layers):
            pass
    assert torch.equal(logits_of(model, ids), whole)
    assert hooks_of(model) == before


@pytest.mark.parametrize("off", [without_feed_forward, without_attention])
@pytest.mark.parametrize(
    "config",
    [
        BloomConfig(hidden_size=32, n_layer=2, n_head=4, vocab_size=50),
        MptConfig(d_model=32, n_layers=2, n_heads=4, vocab_size=50),
    ],
    ids=["bloom", "mpt"],
)
def test_parts_that_give_back_the_whole_stream_are_refused(off, config):
    """Silence them, and the stream would be gone with them."""
    model, ids = AutoModelForCausalLM.from_config(config).eval(), torch.arange(5)[None]
    with pytest.raises(ValueError, match="ForCausalLM is not built of") as watched:
        trace_blocks(model, ids)
    with pytest.raises(ValueError, match="ForCausalLM is not built of") as refused, off(model, 0):
        pass
    assert str(refused.value) == str(watched.value)
    assert hooks_of(model) == 0


def test_without_each_is_switching_off_one_by_one(tiny):
    model, tokenizer = tiny
    ids = prompt_ids(model, tokenizer, TEXT)
    for part, off in (("feed_forward", without_feed_forward), ("attention", without_attention)):
        each = without_each(model, tokenizer, TEXT, part)
        whole = logits_of(model, ids)[-1].softmax(-1)
        assert each.token_id == int(whole.argmax())
        assert each.probability == pytest.approx(float(whole.max()), abs=1e-6)
        for layer in range(len(blocks(model))):
            with off(model, layer):
                alone = logits_of(model, ids)[-1].softmax(-1)
            assert float(each.without[layer]) == pytest.approx(
                float(alone[each.token_id]), abs=1e-6
            )
            assert bool(each.still_first[layer]) == (int(alone.argmax()) == each.token_id)
        both = switch_off(model, tokenizer, each, (0, 1))
        with off(model, (0, 1)):
            together = logits_of(model, ids)[-1].softmax(-1)
        assert both.candidates[0].token_id == int(together.argmax())
        assert both.probability == pytest.approx(float(together[each.token_id]), abs=1e-6)
    assert all("forward" not in vars(block.module) for block in blocks(model))


def test_losses_are_those_of_the_library(tiny):
    model, tokenizer = tiny
    losses = losses_without_each(model, tokenizer, TEXT * 3, tokens=20)
    ids = torch.tensor([tokenizer(TEXT * 3).input_ids[:20]])
    assert losses.tokens == 20
    with torch.no_grad():
        assert losses.whole == pytest.approx(float(model(ids, labels=ids).loss), abs=1e-4)
        for layer in range(len(blocks(model))):
            for part, off in (
                ("feed_forward", without_feed_forward),
                ("attention", without_attention),
            ):
                with off(model, layer):
                    own = float(model(ids, labels=ids).loss)
                assert float(getattr(losses, part)[layer]) == pytest.approx(own, abs=1e-4)
    with pytest.raises(ValueError, match="too short"):
        losses_without_each(model, tokenizer, "", tokens=20)


def test_the_pushes_of_all_neurons_are_the_layers_share_of_the_logit(tiny):
    model, tokenizer = tiny
    shares = contributions(model, tokenizer, trace_residual(model, tokenizer, TEXT), -1, 7)
    for layer in range(len(blocks(model))):
        record = strongest_neurons(model, tokenizer, TEXT, layer, count=10_000, token_id=7)
        assert len(record.strongest) == record.neurons
        pushes = [neuron.push for neuron in record.strongest]
        assert pushes == sorted(pushes, reverse=True)
        assert sum(pushes) == pytest.approx(float(shares.feed_forward_logits[layer]), abs=1e-3)


def test_neurons_are_ordered_by_the_length_of_what_they_add(tiny):
    model, tokenizer = tiny
    record = strongest_neurons(model, tokenizer, TEXT, 1, position=2, count=4)
    sizes = [neuron.size for neuron in record.strongest]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 4
    assert record.position == 2
    assert 0 < record.share < 1
    assert all(len(neuron.towards) == 5 and neuron.push is None for neuron in record.strongest)
    for bad in ({"layer": 99}, {"layer": 0, "position": 99}):
        with pytest.raises(ValueError, match="there is no"):
            strongest_neurons(model, tokenizer, TEXT, **bad)


def test_the_words_of_a_neuron_are_those_its_own_column_raises(default_model):
    model, tokenizer = default_model
    neuron = strongest_neurons(model, tokenizer, TEXT, 28, count=2).strongest[1]
    column = model.model.layers[28].mlp.down_proj.weight[:, neuron.number]
    with torch.no_grad():  # the scale of the final norm changes no order
        raised = model.lm_head(model.model.norm.weight * column * neuron.activation)
    words = tuple(tokenizer.decode([i]) for i in raised.topk(5).indices.tolist())
    assert neuron.towards == words
