"""Streams against `transformers` itself: hidden states, the logit lens, changed tokens."""

import pytest
import torch
import transformers

from tests.tiny_models import CONTEXT, tiny_tokenizer
from utils.streams import (
    candidates_at,
    change_token,
    last_positions,
    logit_lens,
    look_at,
    one_at_a_time,
    read_streams,
    trace_ids,
    trace_streams,
)
from utils.tokens import token_text

TEXT = "The dog chased the squirrel because it was hungry."
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "vocab_size": 60}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
OTHER_HEADS = {  # models that do more to their logits than the tiny six
    "capped": transformers.Gemma2Config(**SMALL, **HEADS, final_logit_softcapping=2.0),
    "capped gemma 3": transformers.Gemma3TextConfig(**SMALL, **HEADS, final_logit_softcapping=3.0),
    "divided": transformers.GraniteConfig(**SMALL, num_attention_heads=2, logits_scaling=8.0),
    "multiplied": transformers.CohereConfig(**SMALL, num_attention_heads=2, logit_scale=0.25),
}


@torch.no_grad()
def outputs(model, ids):
    return model(ids[None], output_hidden_states=True)


def test_hidden_states_are_the_librarys(tiny):
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    theirs = outputs(model, streams.input_ids).hidden_states
    assert torch.equal(streams.hidden_states, torch.stack(theirs)[:, 0])
    layers, positions, width = streams.hidden_states.shape
    assert (layers, width) == (model.config.num_hidden_layers + 1, model.config.hidden_size)
    assert len(streams.tokens) == positions
    assert "".join(streams.tokens) == TEXT


def test_the_lens_ends_in_the_models_own_logits(tiny):
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    logits = logit_lens(model, streams)
    assert logits.shape == (*streams.hidden_states.shape[:2], model.config.vocab_size)
    assert torch.equal(logits[-1], outputs(model, streams.input_ids).logits[0])


@torch.no_grad()
def test_the_lens_in_the_middle_is_a_model_cut_short(tiny):
    """Before the last block stands what the model would say if that block did nothing."""
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    stacks = [m for m in model.base_model.children() if isinstance(m, torch.nn.ModuleList)]
    block = stacks[0][-1]
    hook = block.register_forward_hook(
        lambda _block, given, output: (
            (given[0], *output[1:]) if isinstance(output, tuple) else given[0]
        )
    )
    try:
        short = outputs(model, streams.input_ids).logits[0]
    finally:
        hook.remove()
    torch.testing.assert_close(logit_lens(model, streams)[-2], short)


@pytest.mark.parametrize("config", OTHER_HEADS.values(), ids=OTHER_HEADS)
def test_the_lens_caps_and_scales_as_the_model_does(config):
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    streams = trace_ids(model, tiny_tokenizer(), torch.tensor([3, 14, 15, 9, 2]))
    own = outputs(model, streams.input_ids).logits[0]
    torch.testing.assert_close(logit_lens(model, streams)[-1], own)
    bare = model.get_output_embeddings()(streams.hidden_states[-1])
    assert not torch.allclose(own, bare)


def test_reading_is_the_lens_a_few_rows_at_a_time(tiny, monkeypatch):
    model, tokenizer = tiny
    monkeypatch.setattr("utils.streams.ROWS", 7)
    streams = trace_streams(model, tokenizer, TEXT)
    best = logit_lens(model, streams).softmax(-1).max(-1)
    reading = read_streams(model, tokenizer, streams)
    torch.testing.assert_close(reading.probabilities, best.values)
    words = [[token_text(tokenizer, i) for i in row] for row in best.indices.tolist()]
    assert [list(row) for row in reading.tokens] == words


@pytest.mark.parametrize("tiny", ["llama", "gpt-2"], indirect=True)
def test_a_look_is_one_cell_of_the_lens(tiny):
    model, tokenizer = tiny
    whole = trace_streams(model, tokenizer, TEXT)
    probabilities = logit_lens(model, whole).softmax(-1)
    end = last_positions(whole, 4)
    look = look_at(read_streams(model, tokenizer, end), 1, end.first + 2)
    best = probabilities[1, end.first + 2].topk(5)
    assert [c.token_id for c in look.candidates] == best.indices.tolist()
    assert look.length == pytest.approx(float(whole.hidden_states[1, look.position].norm()))
    assert look.column == 2
    assert end.tokens == whole.tokens[-4:]
    assert last_positions(whole, 99) is whole
    assert (
        candidates_at(model, tokenizer, whole, -1, -1, 3)[0].token_id
        == probabilities[-1, -1].argmax()
    )


def test_one_at_a_time_gives_the_same_hidden_states(tiny):
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    alone = one_at_a_time(model, streams.input_ids)
    torch.testing.assert_close(alone, streams.hidden_states, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("position", [0, 5, -1])
def test_a_changed_token_moves_nothing_on_its_left(tiny, position):
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    position %= len(streams.tokens)
    kept = streams.input_ids.clone()
    moved = change_token(model, tokenizer, streams, position, token_id=7)
    assert moved.same[:, :position].all()
    assert (moved.distances[:, :position] == 0).all()
    assert not moved.same[:, position].any()
    assert moved.same[0, position + 1 :].all()  # embeddings know nothing of each other
    assert not moved.same[1, position + 1 :].all(-1).any() or position == len(streams.tokens) - 1
    assert torch.equal(streams.input_ids, kept)
    ids = kept.clone()
    ids[position] = 7
    own = outputs(model, ids).logits[0, -1].softmax(-1)
    assert moved.next_after[0].token_id == own.argmax()
    old = streams.hidden_states[-1, position]
    far = (torch.stack(outputs(model, ids).hidden_states)[-1, 0, position] - old).norm()
    assert float(moved.distances[-1, position]) == pytest.approx(float(far / old.norm()), rel=1e-4)


def test_an_empty_text_and_one_past_the_context_are_refused(tiny):
    model, tokenizer = tiny
    with pytest.raises(ValueError, match="empty"):
        trace_streams(model, tokenizer, "")
    with pytest.raises(ValueError, match=str(CONTEXT)):
        trace_streams(model, tokenizer, "hungry " * CONTEXT)
