"""The parts of a model, the bytes of a token, vectors for texts: against the models themselves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from torch import nn
from transformers import MambaConfig, MambaForCausalLM, PreTrainedTokenizerFast

from tests.tiny_models import CONTEXT, TINY, tiny_tokenizer
from utils.anatomy import components, parameter_share, trace_components
from utils.architecture import KINDS
from utils.embeddings import nearest_tokens, pool_last_token, sentence_vectors
from utils.tokens import token_bytes, tokenize


def test_every_parameter_stands_in_exactly_one_part(tiny):
    model, _tokenizer = tiny
    parts = components(model)
    assert sum(part.parameters for part in parts) == model.num_parameters()
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert len({part.name for part in parts}) == len(parts)
    for part in parts:
        module = model.get_submodule(part.name)
        shapes = {name: tuple(weight.shape) for name, weight in module.named_parameters()}
        assert dict(part.weights) == shapes
        assert type(module).__name__ == part.class_name
        assert part.kind in KINDS


def test_tied_weights_count_where_they_come_first(tiny):
    model, _tokenizer = tiny
    first, *_between, last = components(model)
    assert first.kind == "embedding"
    assert first.tied_to is None
    assert last.kind == "lm_head"
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert tied == (last.tied_to == first.name) == (last.parameters == 0)


def test_parts_stand_in_the_order_of_the_forward_pass(tiny):
    model, _tokenizer = tiny
    parts = components(model)
    layers = [part.layer for part in parts if part.layer is not None]
    assert layers == sorted(layers)
    assert set(layers) == set(range(model.config.num_hidden_layers))
    for layer in set(layers):
        kinds = [part.kind for part in parts if part.layer == layer]
        assert kinds[0] == "norm"
        assert kinds.index("attention") < kinds.index("feed_forward")
    assert parts[-2].kind == "norm"


def test_shapes(tiny):
    model, _tokenizer = tiny
    parts = components(model)
    width, vocab = model.config.hidden_size, model.config.vocab_size
    assert (parts[0].takes, parts[0].gives) == ("[position]", f"[position, {width}]")
    assert parts[-1].takes == f"[position, {width}]"
    assert parts[-1].gives == f"[position, {vocab}]"


def test_shares_are_added_up_by_kind(tiny):
    model, _tokenizer = tiny
    shares = parameter_share(model)
    assert sum(shares.values()) == pytest.approx(1)
    attention = sum(
        weight.numel() for name, weight in model.named_parameters() if "attn." in name
    ) or sum(weight.numel() for name, weight in model.named_parameters() if ".attention." in name)
    assert shares["attention"] == pytest.approx(attention / model.num_parameters())
    assert ("positions" in shares) == (model.config.model_type == "gpt2")


@torch.no_grad()
def test_trace_is_what_the_model_computes(tiny):
    model, tokenizer = tiny
    flow = trace_components(model, tokenizer, "The capital of France")
    ids = torch.tensor([flow.tokens.token_ids])
    output = model(ids, output_hidden_states=True)
    assert torch.equal(flow.inputs[flow.components[0].name], ids[0])
    torch.testing.assert_close(flow.inputs[flow.components[-1].name], output.hidden_states[-1][0])
    torch.testing.assert_close(flow.outputs[flow.components[-1].name], output.logits[0])


def hooks(model) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_hooks_go_even_when_the_model_fails(monkeypatch):
    model = TINY["llama"]()
    before = hooks(model)
    components(model)
    assert hooks(model) == before

    def broken(*_args, **_kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model.lm_head, "forward", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        components(model)
    assert hooks(model) == before


def test_an_architecture_that_cannot_be_served_is_named():
    config = MambaConfig(hidden_size=16, num_hidden_layers=1, vocab_size=20, state_size=4)
    with pytest.raises(ValueError, match=r"MambaForCausalLM .* backbone\.layers\.0\.mixer"):
        components(MambaForCausalLM(config))


@pytest.mark.parametrize("text", ["", "word " * 300])
def test_trace_refuses_what_the_model_cannot_read(text):
    with pytest.raises(ValueError, match="prompt"):
        trace_components(TINY["llama"](), tiny_tokenizer(), text)


# Tokens and their bytes


@given(st.text(min_size=1, max_size=40))
@settings(max_examples=200)
def test_the_bytes_of_the_tokens_are_the_text(text):
    text = text.encode("utf-8", errors="replace").decode()
    tokens = tokenize(tiny_tokenizer(), text)
    assert b"".join(tokens.pieces) == text.encode()
    assert [first for first, _last in tokens.groups[1:]] == [
        last for _f, last in tokens.groups[:-1]
    ]
    assert tokens.groups[0][0] == 0
    assert tokens.groups[-1][1] == len(tokens.token_ids)
    whole = [b"".join(tokens.pieces[first:last]).decode() for first, last in tokens.groups]
    assert "".join(whole) == text


def test_a_character_over_several_tokens_is_one_group(default_model):
    tokens = tokenize(default_model[1], "서울 a")
    assert tokens.pieces[0] == "서".encode()[:1]
    assert [last - first for first, last in tokens.groups] == [3, 3, 1]
    assert tokens.pieces[-1] == b" a"


def test_special_tokens_stand_for_their_names(default_model):
    tokens = tokenize(default_model[1], "<|im_start|>user")
    assert tokens.pieces == (b"<|im_start|>", b"user")


def sentencepiece_like() -> PreTrainedTokenizerFast:
    """A tokenizer as Llama 2 and Phi-3 have it: "▁" for a space, and a token for each byte."""
    words = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "▁a"]
    model = models.BPE(
        vocab={word: i for i, word in enumerate(words)},
        merges=[("▁", "a")],
        unk_token="<unk>",
        byte_fallback=True,
    )
    backend = Tokenizer(model)
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


def test_bytes_of_sentencepiece_with_byte_fallback():
    tokens = tokenize(sentencepiece_like(), "▁a서a")
    assert tokens.pieces == (b" a", b"\xec", b"\x84", b"\x9c", b"a")
    assert tokens.groups == ((0, 1), (1, 4), (4, 5))


def test_half_a_character_is_a_group_of_its_own():
    tokenizer = tiny_tokenizer()
    pieces = [token_bytes(tokenizer, token_id) for token_id in range(len(tokenizer))]
    assert len(set(pieces)) == len(pieces)
    with pytest.raises(ValueError, match="no token with the id 9999"):
        token_bytes(tokenizer, 9999)


def test_no_text_no_tokens():
    with pytest.raises(ValueError, match="at least one character"):
        tokenize(tiny_tokenizer(), "")


# Vectors


@given(st.integers(0, 400), st.integers(1, 19), st.integers(0, 19))
@settings(max_examples=60)
def test_nearest_tokens_are_those_of_cosine_similarity(seed, k, token_id):
    matrix = torch.randn(20, 6, generator=torch.Generator().manual_seed(seed))
    matrix *= torch.arange(1.0, 21)[:, None]
    before = matrix.clone()
    similar = nn.functional.cosine_similarity(matrix, matrix[token_id], dim=-1)
    expected = [i for i in similar.argsort(descending=True).tolist() if i != token_id][:k]
    assert nearest_tokens(matrix, token_id, k).tolist() == expected
    assert torch.equal(matrix, before)


@pytest.mark.parametrize(("token_id", "k"), [(-1, 1), (20, 1), (0, 0), (0, 20)])
def test_nearest_tokens_out_of_range(token_id, k):
    with pytest.raises(ValueError, match="from"):
        nearest_tokens(torch.ones(20, 2), token_id, k)


@given(
    st.lists(st.lists(st.booleans(), min_size=5, max_size=5).filter(any), min_size=1, max_size=6)
)
@settings(max_examples=60)
def test_pool_takes_the_last_token_of_any_mask(rows):
    mask = torch.tensor(rows).long()
    hidden = torch.arange(float(mask.numel() * 2)).view(*mask.shape, 2)
    expected = [states[row.bool()][-1].tolist() for states, row in zip(hidden, mask, strict=True)]
    assert pool_last_token(hidden, mask).tolist() == expected


def test_pool_refuses_a_text_of_padding_only():
    with pytest.raises(ValueError, match="no token"):
        pool_last_token(torch.ones(2, 2, 3), torch.tensor([[1, 0], [0, 0]]))


@torch.no_grad()
def test_sentence_vectors_are_those_of_each_sentence_alone(tiny):
    """In batches with padding they are what the model gives for one sentence after the other."""
    model, tokenizer = tiny
    sentences = ["Once", "The dog chased the squirrel", "a b c", "프랑스", "The capital"]
    vectors = sentence_vectors(model, tokenizer, sentences)
    for vector, sentence in zip(vectors, sentences, strict=True):
        ids = tokenizer(sentence, return_tensors="pt").input_ids
        alone = model.base_model(ids).last_hidden_state[0, -1]
        torch.testing.assert_close(vector, alone, atol=1e-4, rtol=1e-4)


def test_sentence_vectors_refuse_an_empty_sentence():
    with pytest.raises(ValueError, match="empty"):
        sentence_vectors(TINY["llama"](), tiny_tokenizer(), ["a", ""])
    with pytest.raises(ValueError, match="at least one"):
        sentence_vectors(TINY["llama"](), tiny_tokenizer(), [])


def test_sentence_vectors_refuse_a_sentence_past_the_context():
    model, tokenizer = TINY["gpt-2"](), tiny_tokenizer()
    assert sentence_vectors(model, tokenizer, ["a", "a" * CONTEXT]).shape == (2, 32)
    with pytest.raises(ValueError, match=f"{CONTEXT + 1} tokens long; the model reads {CONTEXT}"):
        sentence_vectors(model, tokenizer, ["a", "a" * (CONTEXT + 1)])
