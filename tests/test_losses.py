"""The loss of each token, in one pass, in pieces, past the context: against `transformers`."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_models import CONTEXT, TINY
from utils.losses import long_losses, loss_at_distance, loss_by_position

TEXT = "The dog chased the squirrel because it was hungry."


def test_the_mean_loss_is_the_librarys(tiny):
    model, tokenizer = tiny
    ids = tokenizer(TEXT, return_tensors="pt").input_ids
    with torch.no_grad():
        theirs = model(ids, labels=ids)
    losses = loss_by_position(theirs.logits, ids)
    assert losses.shape == (ids.shape[1] - 1,)
    torch.testing.assert_close(losses.mean(), theirs.loss)


@settings(max_examples=25)
@given(length=st.integers(2, 40), rows=st.integers(1, 50))
def test_long_losses_in_pieces_are_the_losses_of_one_pass(length, rows):
    model = TINY["gemma-3"]()  # its sliding window makes pieces harder
    ids = torch.randint(3, 400, (1, length), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        whole = loss_by_position(model(ids).logits, ids)
    torch.testing.assert_close(long_losses(model, ids, rows), whole, atol=2e-4, rtol=1e-4)


def test_past_the_context_a_table_of_positions_is_refused_and_others_go_on(tiny):
    model, _tokenizer = tiny
    ids = torch.randint(3, 400, (1, CONTEXT + 3), generator=torch.Generator().manual_seed(0))
    if model.config.model_type == "gpt2":
        with pytest.raises(ValueError, match="GPT2LMHeadModel"):
            long_losses(model, ids)
        with pytest.raises(ValueError, match=str(CONTEXT)):
            loss_at_distance(model, ids[:, :9], 4, CONTEXT)
    else:
        assert long_losses(model, ids).shape == (CONTEXT + 2,)
        assert loss_at_distance(model, ids[:, :9], 4, CONTEXT) > 0


def test_only_distances_matter_to_rotary_positions():
    model = TINY["llama"]()
    ids = torch.randint(3, 400, (1, 12), generator=torch.Generator().manual_seed(1))
    here, shifted, apart = (loss_at_distance(model, ids, *n) for n in ((0, 0), (0, 500), (6, 500)))
    with torch.no_grad():
        assert here == pytest.approx(loss_by_position(model(ids).logits, ids).mean().item())
    assert shifted == pytest.approx(here, abs=1e-4)
    near = loss_at_distance(model, ids, 6, 0)
    assert apart != pytest.approx(near, abs=1e-3)
