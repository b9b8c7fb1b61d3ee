"""The parts of the LLM that a learner builds, one by one and together, against `transformers`."""

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
from transformers.models.llama.modeling_llama import repeat_kv as library_repeat_kv

from tests.tiny_models import GROUPED, TINY, WINDOW, _random, tiny_tokenizer
from utils import parts
from utils.architecture import attention_modules, projections
from utils.attention import record_attention
from utils.decoder import Decoder
from utils.generation import steps_from
from utils.kv_cache import generate_with_cache, trace_cache
from utils.parts import ForTransformers, KVCache, causal_mask, last_position_logits, stream_text
from utils.parts.streaming import UNFINISHED
from utils.streams import trace_streams
from utils.timing import library_writes
from utils.tokens import token_text

TEXT = "The dog chased the squirrel because it was hungry."
LONG = "Once upon a time there was a small model that wrote one token"  # longer than WINDOW


def ids_of(text=LONG):
    return tiny_tokenizer()(text, return_tensors="pt").input_ids


# Attention ---------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 4))
def test_split_and_merge_undo_each_other(heads, positions, width):
    x = torch.arange(positions * heads * width).view(positions, heads * width)
    split = parts.split_heads(x, heads)
    assert split.shape == (heads, positions, width)
    assert torch.equal(split[-1], x[:, -width:])
    assert torch.equal(parts.merge_heads(split), x)


@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 4))
def test_weights_are_shares_of_what_is_open(heads, queries, past):
    keys = queries + past
    scores = torch.randn(heads, queries, keys) * 5
    mask = causal_mask(keys)[-queries:]
    weights = parts.attention_weights(scores, mask)
    assert torch.allclose(weights.sum(-1), torch.ones(heads, queries))
    assert torch.equal(weights > 0, mask.expand_as(weights))
    biased = scores + torch.where(mask, 0.0, torch.finfo(torch.float32).min)
    assert torch.allclose(weights, biased.softmax(-1), atol=1e-6)


def test_steps_are_scaled_dot_product_attention():
    q, k, v = torch.randn(4, 3, 8), torch.randn(2, 7, 8), torch.randn(2, 7, 8)
    mask = causal_mask(7)[-3:]
    scores = parts.attention_scores(q, parts.repeat_kv(k, 2))
    ours = parts.combine(parts.attention_weights(scores, mask), parts.repeat_kv(v, 2))
    theirs = torch.nn.functional.scaled_dot_product_attention(
        q[None], k[None], v[None], attn_mask=mask, enable_gqa=True
    )[0]
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_repeat_kv_is_the_librarys():
    x = torch.randn(3, 5, 4)
    assert torch.equal(parts.repeat_kv(x, 3), library_repeat_kv(x[None], 3)[0])


@pytest.mark.parametrize("start", [0, 50])
def test_rotary_is_the_librarys(start):
    model = TINY["llama"]()
    theta = model.config.rope_parameters["rope_theta"]
    q, k = torch.randn(4, 6, 8), torch.randn(2, 6, 8)
    positions = torch.arange(start, start + 6)
    cos, sin = model.model.rotary_emb(q, positions[None])
    expected = apply_rotary_pos_emb(q[None], k[None], cos, sin)
    for x, turned in zip((q, k), expected, strict=True):
        assert torch.allclose(parts.rotary(x, positions, theta), turned[0], atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "phi-3"])
def test_the_layer_is_the_models_own(name):
    model = TINY[name]()
    record, config = record_attention(model, tiny_tokenizer(), TEXT), model.config
    sizes = (config.num_attention_heads, config.num_key_value_heads)
    theta = config.rope_parameters["rope_theta"]
    for layer, module in enumerate(attention_modules(model)):
        matrices = projections(module)
        ours = parts.attention_layer(record.inputs[layer], *matrices.values(), *sizes, theta)
        assert torch.allclose(ours, record.outputs[layer], atol=1e-5)


def test_the_layer_is_the_default_models_own(default_model):
    model, tokenizer = default_model
    record, config = record_attention(model, tokenizer, TEXT), model.config
    sizes = (config.num_attention_heads, config.num_key_value_heads)
    theta = config.rope_parameters["rope_theta"]
    for layer, module in enumerate(attention_modules(model)):
        matrices = projections(module).values()
        ours = parts.attention_layer(record.inputs[layer], *matrices, *sizes, theta)
        assert torch.allclose(ours, record.outputs[layer], atol=1e-5, rtol=1e-6)


@given(st.integers(0, 20))
def test_the_causal_mask_is_who_may_look_where(n):
    mask = causal_mask(n)
    assert mask.shape == (n, n)
    assert mask.dtype == torch.bool
    assert all(mask[q, k] == (k <= q) for q in range(n) for k in range(n))


@torch.no_grad()
def test_the_causal_mask_is_the_one_the_model_uses():
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    ids = tokenizer(TEXT, return_tensors="pt").input_ids
    masked = model(ids, attention_mask=causal_mask(ids.shape[1])[None, None]).logits
    torch.testing.assert_close(masked, model(ids).logits)


# The cache ---------------------------------------------------------------------------------


def test_a_model_computes_the_same_with_our_cache(tiny):
    model, _tokenizer = tiny
    ids, ours = ids_of(), KVCache()
    cache = ForTransformers(ours)
    pieces = [model(part, past_key_values=cache).logits for part in ids.split(5, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(ids).logits, atol=1e-4, rtol=1e-4)
    assert ours.get_seq_length() == ids.shape[1]


def test_our_cache_keeps_what_the_library_keeps(tiny):
    model, _tokenizer = tiny
    ours, ids = KVCache(), ids_of()[:, : WINDOW - 1]
    model(ids, past_key_values=ForTransformers(ours))
    theirs = model(ids, use_cache=True).past_key_values
    for layer, (keys, values) in ours.layers.items():
        assert torch.equal(keys, theirs.layers[layer].keys)
        assert torch.equal(values, theirs.layers[layer].values)


def test_the_roomy_cache_keeps_what_the_plain_one_keeps():
    plain, roomy = KVCache(), parts.RoomyCache(2, 3, 4, room=9)
    for count in (4, 1, 3):
        for layer in (0, 1):
            chunk = torch.randn(1, 3, count, 4), torch.randn(1, 3, count, 4)
            for ours, theirs in zip(
                roomy.append(layer, *chunk), plain.append(layer, *chunk), strict=True
            ):
                assert torch.equal(ours, theirs)
        assert roomy.get_seq_length() == plain.get_seq_length()
    with pytest.raises(ValueError, match="no room for 10 positions, only for 9"):
        roomy.append(0, *(torch.randn(1, 3, 2, 4) for _part in range(2)))


# The model ---------------------------------------------------------------------------------


def test_the_parts_put_together_are_the_model():
    model = _random(
        transformers.LlamaConfig, **GROUPED | {"num_key_value_heads": 4, "head_dim": 16}
    )
    ids = torch.randint(3, 400, (1, 30), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(parts.forward(model, ids), model(ids).logits, atol=1e-4)
    cache = KVCache()
    pieces = [parts.forward(model, piece, cache) for piece in ids.split([11, 1, 18], 1)]
    assert torch.allclose(torch.cat(pieces, dim=1), model(ids).logits, atol=1e-4)
    written = list(parts.write(model, ids, 40))
    assert written == library_writes(model, ids, 40)


def test_each_part_is_the_library_s_module():
    model = TINY["llama"]()
    layer, x = model.model.layers[1], torch.randn(7, 32)
    norm = layer.input_layernorm
    eps = norm.variance_epsilon
    assert torch.equal(parts.rms_norm(x, norm.weight, eps), norm(x))
    half, weight = x.bfloat16(), norm.weight.bfloat16()
    assert parts.rms_norm(half, weight, eps).dtype == torch.bfloat16
    mlp = layer.mlp
    matrices = mlp.gate_proj.weight, mlp.up_proj.weight, mlp.down_proj.weight
    assert torch.allclose(parts.feed_forward(x, *matrices), mlp(x), atol=1e-5)
    places = torch.arange(7)
    angles = model.model.rotary_emb(x, places[None])
    ours = parts.run_layer(x, layer, model.config, *parts.places_and_mask(0, 7))
    assert torch.allclose(ours, layer(x[None], position_embeddings=angles)[0], atol=1e-4)


def test_fused_matrices_give_each_one_s_product():
    matrices, x = [torch.randn(rows, 5) for rows in (4, 1, 6)], torch.randn(3, 5)
    matrix, sizes = parts.fuse(matrices)
    for part, one in zip((x @ matrix.T).split(sizes, dim=-1), matrices, strict=True):
        assert torch.allclose(part, x @ one.T, atol=1e-6)


def test_last_position_logits_are_the_models_last(tiny):
    model, tokenizer = tiny
    streams = trace_streams(model, tokenizer, TEXT)
    logits = last_position_logits(streams.hidden_states[-1:], model.get_output_embeddings())
    torch.testing.assert_close(logits, model(streams.input_ids[None]).logits[0, -1])


# The loop, and the text as it comes --------------------------------------------------------


def test_one_rule_says_which_tokens_end_a_text(monkeypatch):
    """A number, a list of them or nothing: as `generate` itself has it, in every loop."""
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    ids, config = ids_of(), model.generation_config
    written = list(parts.write(model, ids, 20))
    third = next(token for token in written[2:] if token not in written[:2])
    for ends in (third, [third], [2, third], [third, 399], None):
        monkeypatch.setattr(config, "eos_token_id", ends)
        expected = library_writes(model, ids, 20)
        decoder = Decoder.from_model(model)
        steps = steps_from(model, tokenizer, ids, 20)
        assert list(parts.write(model, ids, 20)) == expected
        assert list(decoder.tokens(ids, 20)) == expected
        assert generate_with_cache(model, ids, 20)[0, ids.shape[1] :].tolist() == expected
        assert [step.token_id for step in steps] == expected
        trace = trace_cache(model, tokenizer, LONG, 20)
        assert trace.written == tuple(token_text(tokenizer, token) for token in expected)
        assert (expected[-1] == third and third not in expected[:-1]) == (ends is not None)


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
