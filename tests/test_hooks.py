"""Hooks: they see and change what they should, and come off again, whatever happens."""

import pytest
import torch
from torch import nn

from tests.tiny_models import TINY
from utils.architecture import blocks
from utils.hooks import first_tensor, hooked, skipped, with_first

X = torch.tensor([1.0, 2.0])


class Doubled(nn.Module):
    """Gives twice what it takes, alone or with something beside it."""

    def __init__(self, beside=None):
        super().__init__()
        self.beside = beside

    def forward(self, hidden_states, mask=None):
        doubled = 2 * hidden_states
        return doubled if self.beside is None else (doubled, self.beside)


def hooks_of(module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


@pytest.mark.parametrize("beside", [None, "a cache"])
def test_what_goes_in_and_comes_out_is_seen_and_can_be_changed(beside):
    module, seen = Doubled(beside), []
    with hooked([module], lambda *given: seen.append(given)):
        module(X)
        module(mask=None, hidden_states=X)
    for who, inputs, outputs in seen:
        assert who is module
        assert torch.equal(inputs, X)
        assert torch.equal(first_tensor(outputs), 2 * X)
    with hooked([module], lambda _m, inputs, outputs: with_first(outputs, inputs)):
        assert torch.equal(first_tensor(module(X)), X)
    with hooked([module], lambda _m, inputs: inputs + 1, before=True):
        for outputs in (module(X), module(mask=None, hidden_states=X), module(X, mask=3)):
            assert torch.equal(first_tensor(outputs), 2 * X + 2)
            assert isinstance(outputs, tuple) == (beside is not None)
    with hooked([module], lambda _m, _inputs: None, before=True):
        assert torch.equal(first_tensor(module(X)), 2 * X)
    assert hooks_of(module) == 0


@pytest.mark.parametrize("before", [True, False])
def test_hooks_come_off_after_any_error(before):
    module = Doubled()

    def fails(*_given):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hooked([module], fails, before):
        module(X)
    with pytest.raises(AttributeError), hooked([module, "no module"], fails, before):
        pass
    assert hooks_of(module) == 0


def test_what_is_skipped_computes_nothing_and_then_computes_as_before():
    plain, wrapped = Doubled(), Doubled()
    wrapped.forward = mine = lambda hidden_states: 3 * hidden_states  # as accelerate does
    with skipped([plain, wrapped], [X, -X]):
        assert plain(5 * X) is X
        assert torch.equal(wrapped(hidden_states=X), -X)
    with pytest.raises(KeyboardInterrupt), skipped([plain, wrapped], [X, -X]):
        raise KeyboardInterrupt
    assert torch.equal(plain(X), 2 * X)
    assert "forward" not in vars(plain)
    assert wrapped.forward is mine


def test_a_model_whose_first_block_is_skipped_goes_on_from_what_it_is_given():
    model, ids, kept = TINY["gpt-neox"](), torch.arange(3, 9)[None], []
    modules = [block.module for block in blocks(model)]
    with hooked(modules, lambda _m, _inputs, outputs: kept.append(outputs)):
        whole = model(ids).logits
    with skipped(modules[:1], kept[:1]):
        assert torch.equal(model(ids).logits, whole)
