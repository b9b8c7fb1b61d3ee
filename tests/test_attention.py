"""utils.attention and utils.head_patterns, against transformers itself."""

import pytest
import torch
import transformers

from tests.tiny_models import CONTEXT, TINY, WINDOW, tiny_tokenizer
from utils.architecture import attention_modules, output_projection
from utils.attention import AttentionRecord, record_attention, without_head
from utils.head_patterns import PATTERNS, pattern_positions, rank, rank_heads, said_twice
from utils.parts import causal_mask, combine, merge_heads, repeat_kv

TEXT = "The dog chased the squirrel because it was hungry."


def eager_attentions(model, ids):
    """The oracle: [layer] of [head, query, key]."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        return [a[0] for a in model(ids[None], output_attentions=True).attentions]
    finally:
        model.set_attn_implementation(before)


def hooks(model) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def check_record(model, tokenizer):
    """Weights exactly the library's, and every output rebuilt from what was recorded."""
    record = record_attention(model, tokenizer, TEXT)
    assert record.tokens == tuple(map(tokenizer.decode, [[i] for i in record.input_ids]))
    attentions = eager_attentions(model, record.input_ids)
    assert record.layers == len(attentions) == model.config.num_hidden_layers
    for layer, (module, expected) in enumerate(
        zip(attention_modules(model), attentions, strict=True)
    ):
        assert torch.equal(record.weights[layer], expected)
        groups = record.groups(layer)
        scores = record.queries[layer] @ repeat_kv(record.keys[layer], groups).mT
        scale = scores.div(record.scores[layer])
        assert torch.allclose(scale, scale.median().expand_as(scale), rtol=1e-2)
        weights = record.masked_scores(layer).softmax(-1)
        assert torch.allclose(weights, expected, atol=1e-5)
        merged = merge_heads(combine(weights, repeat_kv(record.values[layer], groups)))
        output = output_projection(module)(merged)
        assert torch.allclose(output, record.outputs[layer], atol=1e-5, rtol=1e-6)


def test_the_record_is_what_the_library_computes(tiny):
    check_record(*tiny)


def test_the_record_of_the_default_model(default_model):
    check_record(*default_model)


def test_outputs_are_what_the_module_gives(tiny):
    model, tokenizer = tiny
    record = record_attention(model, tokenizer, TEXT)
    last, given = attention_modules(model)[-1], []
    hook = last.register_forward_hook(lambda _module, _args, output: given.append(output[0]))
    model.set_attn_implementation("eager")
    model(record.input_ids[None])
    model.set_attn_implementation("sdpa")
    hook.remove()
    assert torch.equal(record.outputs[-1], given[0][0])


def test_shapes_of_grouped_queries():
    record = record_attention(TINY["qwen-3"](), tiny_tokenizer(), TEXT)
    n = len(record.tokens)
    assert record.queries[0].shape == (4, n, 16)
    assert record.keys[0].shape == record.values[0].shape == (2, n, 16)
    assert record.scores[0].shape == record.weights[0].shape == (4, n, n)
    assert record.inputs[0].shape == record.outputs[0].shape == (n, 32)
    assert record.groups(0) == 2


def test_masks_are_causal_and_slide_where_the_model_does():
    record = record_attention(TINY["gemma-3"](), tiny_tokenizer(), TEXT)
    n = len(record.tokens)
    assert n > WINDOW
    near = causal_mask(n) & ~causal_mask(n).tril(-WINDOW)
    assert torch.equal(record.masks[0], near)
    assert torch.equal(record.masks[1], causal_mask(n))
    assert torch.equal(record.weights[0] > 0, near.expand(4, n, n))


def test_one_token_looks_at_itself(tiny):
    record = record_attention(*tiny, "a")
    assert len(record.tokens) == 1
    assert all(torch.equal(w, torch.ones_like(w)) for w in record.weights)


def test_the_model_is_left_as_it_was(tiny):
    model, tokenizer = tiny
    before = hooks(model)
    for implementation in ("eager", "sdpa"):
        model.set_attn_implementation(implementation)
        record_attention(model, tokenizer, TEXT)
        assert model.config._attn_implementation == implementation
        assert hooks(model) == before


def test_the_model_is_left_as_it_was_after_an_error(tiny):
    model, tokenizer = tiny

    def fail(*_):
        raise RuntimeError("in the middle")

    before = hooks(model)
    hook = attention_modules(model)[-1].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        record_attention(model, tokenizer, TEXT)
    hook.remove()
    assert model.config._attn_implementation == "sdpa"
    assert hooks(model) == before
    check_record(model, tokenizer)


def test_texts_that_cannot_be_recorded(tiny):
    with pytest.raises(ValueError, match="empty"):
        record_attention(*tiny, "")
    with pytest.raises(ValueError, match="Shorten"):
        record_attention(*tiny, "a b " * CONTEXT)


def test_a_model_that_cannot_be_recorded_is_named():
    tokenizer = tiny_tokenizer()
    config = transformers.BloomConfig(
        vocab_size=len(tokenizer), hidden_size=16, n_layer=1, n_head=2
    )
    config.max_position_embeddings = CONTEXT
    model = transformers.BloomForCausalLM(config).eval()
    with pytest.raises(ValueError, match="Bloom"):
        record_attention(model, tokenizer, TEXT)


def test_contributions_sum_to_what_the_head_gives(tiny):
    record = record_attention(*tiny, TEXT)
    values = repeat_kv(record.values[1], record.groups(1))
    for head in range(4):
        given = record.contributions(1, head)
        assert torch.allclose(given.sum(1), record.weights[1][head] @ values[head], atol=1e-5)


# Heads switched off, heads ranked ---------------------------------------------------------------


def test_without_head_takes_away_its_part_and_no_more(tiny):
    model, tokenizer = tiny
    record, given, before = record_attention(model, tokenizer, TEXT), [], hooks(model)
    module = attention_modules(model)[0]
    hook = module.register_forward_hook(lambda _module, _args, output: given.append(output[0]))
    with without_head(model, 0, 2):
        model(record.input_ids[None])
    hook.remove()
    outputs = combine(record.weights[0], repeat_kv(record.values[0], record.groups(0))).clone()
    outputs[2] = 0
    expected = output_projection(module)(merge_heads(outputs))
    assert torch.allclose(given[0][0], expected, atol=1e-4)
    assert hooks(model) == before


@pytest.mark.parametrize("place", [(-1, 0), (3, 0), (0, -1), (0, 4)])
def test_a_head_that_is_not_there(tiny, place):
    with pytest.raises(ValueError, match="There is no layer"), without_head(tiny[0], *place):
        pass


def made_up(ids: list[int], weights) -> AttentionRecord:
    tokens = tuple(f" {'abcdef'[i]}" for i in ids)
    empty = (torch.empty(0),)
    masks = (causal_mask(len(ids)),)
    return AttentionRecord(
        tokens, torch.tensor(ids), empty, empty, empty, empty, empty, masks, (weights,), empty
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("previous", [(1, 0), (2, 1), (3, 2), (4, 3)]),
        ("first", [(1, 0), (2, 0), (3, 0), (4, 0)]),
        ("itself", [(1, 1), (2, 2), (3, 3), (4, 4)]),
        ("same", [(3, 0), (4, 1)]),
        ("induction", [(3, 1), (4, 2)]),
        ("word", [(4, 1), (4, 4)]),
    ],
)
def test_where_each_pattern_looks(pattern, expected):
    record = made_up([0, 1, 2, 0, 1], torch.eye(5)[None])
    where = pattern_positions(record, pattern, "b")
    assert where.nonzero().tolist() == [list(pair) for pair in expected]


def test_ranking_gives_the_share_of_attention():
    previous = torch.eye(5).roll(1, 0).tril()
    weights = torch.stack([torch.eye(5), previous, previous * 0.25])
    ranking = rank(made_up([0, 1, 2, 0, 1], weights), "previous")
    assert ranking.scores.tolist() == [[0, 1, 0.25]]
    assert ranking.best(2) == [(0, 1, 1.0), (0, 2, 0.25)]


def test_rank_heads_serves_every_model_and_pattern(tiny):
    model, tokenizer = tiny
    for pattern in PATTERNS:
        ranking = rank_heads(model, tokenizer, pattern, TEXT, ".")
        assert ranking.scores.shape == (model.config.num_hidden_layers, 4)
        assert 0 <= ranking.scores.min() <= ranking.scores.max() <= 1 + 1e-5


def test_said_twice(tiny):
    ids = said_twice(*tiny, count=7)
    assert torch.equal(ids[:7], ids[7:])
    assert len(set(ids.tolist())) == 7
    assert not set(ids.tolist()) & set(tiny[1].all_special_ids)


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_ranking_refuses_what_it_cannot_rank(tiny):
    with pytest.raises(ValueError, match="no pattern"):
        rank_heads(*tiny, "sideways", TEXT)
    with pytest.raises(ValueError, match="no token"):
        rank_heads(*tiny, "word", TEXT, "zebra")
    with pytest.raises(ValueError, match="longer"):
        rank_heads(*tiny, "previous", "a")


def test_heads_that_the_default_model_is_known_for(default_model):
    text = "The dog chased the squirrel because it"
    best = {
        pattern: rank_heads(*default_model, pattern, text, "dog").best(1)[0][:2]
        for pattern in ("previous", "induction", "word")
    }
    assert best == {"previous": (16, 0), "induction": (18, 6), "word": (13, 8)}
