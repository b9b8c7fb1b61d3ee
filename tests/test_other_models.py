"""Other models than the course's own: right numbers, or a sentence that says what is missing."""

from dataclasses import replace

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, processors

from tests.other_models import ORIGINAL, PLAIN, REFUSED, longrope, other
from tests.tiny_models import CONTEXT, GROUPED, TINY, WINDOW, _random, tiny_tokenizer
from utils import decoding, parts
from utils.anatomy import trace_components
from utils.architecture import attention_modules, blocks, projections, tell_if_smaller
from utils.attention import record_attention, without_head
from utils.decoder import Decoder
from utils.embeddings import sentence_vectors
from utils.explorers.anatomy import AnatomyExplorer
from utils.explorers.attention import AttentionExplorer
from utils.explorers.feed_forward import FeedForwardExplorer
from utils.explorers.generation import GenerationExplorer
from utils.explorers.streams import ButterflyExplorer
from utils.feed_forward import losses_without_each, without_each
from utils.figures.kv_cache import cache_picture, cache_words
from utils.generation import generate, generation_steps
from utils.kv_cache import CacheAt, generate_with_cache, trace_cache
from utils.losses import long_losses
from utils.model import chat_ids, load_model, prompt_ids
from utils.neurons import strongest_neurons
from utils.parts import ForTransformers, KVCache
from utils.residual import contributions, trace_residual
from utils.streams import change_token, logit_lens, one_at_a_time, trace_streams
from utils.timing import library_writes
from utils.tokens import single_token, text_after, text_ids, token_text, tokenize

TEXT = "The dog chased the squirrel because it was hungry."


def some_ids(count: int):
    return torch.randint(3, 380, (1, count), generator=torch.Generator().manual_seed(0))


# What the parts compute --------------------------------------------------------------------


@pytest.mark.parametrize("name", PLAIN)
def test_the_parts_are_a_plain_llama(name):
    model, ids = other(name), some_ids(20)
    assert torch.allclose(parts.forward(model, ids), model(ids).logits, atol=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_the_parts_refuse_what_they_do_not_compute_and_name_it(name):
    missing, model, ids = REFUSED[name][0], other(name), some_ids(20)
    with pytest.raises(ValueError, match=missing) as said:
        parts.forward(model, ids)
    assert model.config.model_type in str(said.value)
    layers = getattr(model.base_model, "layers", None)
    if layers is None:  # GPT-2 has none of these names
        return
    x, places = torch.randn(20, 32), parts.places_and_mask(0, 20)
    with pytest.raises(ValueError, match=missing):
        parts.run_layer(x, layers[0], model.config, *places)
    if name != "llama gelu":  # its attention is a Llama's
        with pytest.raises(ValueError, match=model.config.model_type):
            parts.attention(x, layers[0].self_attn, model.config, *places)
        with pytest.raises(ValueError, match=model.config.model_type):
            projections(layers[0].self_attn)


def test_a_window_that_the_text_does_not_reach_is_none():
    model, ids = other("mistral with a window"), some_ids(WINDOW)
    assert torch.allclose(parts.forward(model, ids), model(ids).logits, atol=1e-4)
    cache = KVCache()
    parts.forward(model, ids, cache)
    with pytest.raises(ValueError, match=f"window of {WINDOW}"):
        parts.forward(model, ids[:, :1], cache)


def test_the_matrices_of_a_phi_3_with_a_wide_window_are_given():
    model = _random(
        transformers.Phi3Config,
        **GROUPED,
        original_max_position_embeddings=CONTEXT,
        sliding_window=2047,
    )
    record = record_attention(model, tiny_tokenizer(), TEXT)
    matrices = projections(attention_modules(model)[1])
    ours = parts.attention_layer(record.inputs[1], *matrices.values(), 4, 2, 10000.0)
    assert torch.allclose(ours, record.outputs[1], atol=1e-4)


# What a model writes -----------------------------------------------------------------------


RULES = {
    "repetition_penalty": 1.8,
    "no_repeat_ngram_size": 2,
    "suppress_tokens": [*range(3, 200)],
    "begin_suppress_tokens": [*range(3, 300)],
    "bad_words_ids": [[token] for token in range(3, 150)],
    "min_new_tokens": 12,
    "min_length": 30,
    "forced_eos_token_id": 2,
    "sequence_bias": [[[17], 30.0]],
    "exponential_decay_length_penalty": (3, 3.0),
}


@pytest.fixture
def settings():
    """The generation config of a tiny Llama, put back afterwards."""
    model = TINY["llama"]()
    before = model.generation_config
    model.generation_config = transformers.GenerationConfig(**before.to_dict())
    yield model.generation_config
    model.generation_config = before


@pytest.mark.parametrize("rule", RULES)
def test_what_the_generation_config_asks_for_is_done(settings, rule):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    ids = prompt_ids(model, tokenizer, TEXT)
    plain = library_writes(model, ids, 24)
    if rule.startswith("min_"):
        settings.eos_token_id = plain[2]
    setattr(settings, rule, RULES[rule])
    expected = library_writes(model, ids, 24)
    if rule not in ("min_new_tokens", "min_length"):
        assert expected != plain
    for use_cache in (True, False):
        steps = list(generation_steps(model, tokenizer, TEXT, 24, use_cache=use_cache))
        assert [step.token_id for step in steps] == expected
        assert all(decoding.greedy(step.logits) == step.token_id for step in steps)
    for written in (
        generate_with_cache,
        lambda _m, *asked: Decoder.from_model(model).generate(*asked),
    ):
        assert written(model, ids, 24)[0, ids.shape[1] :].tolist() == expected


def test_sampling_is_the_librarys_under_a_rule(settings):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    settings.repetition_penalty = 1.5
    ids = prompt_ids(model, tokenizer, TEXT)
    torch.manual_seed(3)
    options = {"temperature": 0.9, "top_k": 0, "top_p": 0.8, "max_new_tokens": 15}
    theirs = model.generate(ids, do_sample=True, **options)[0, ids.shape[1] :].tolist()
    torch.manual_seed(3)
    choose = decoding.sampler(0.9, None, 0.8)
    steps = generation_steps(model, tokenizer, TEXT, 15, choose=choose)
    assert [step.token_id for step in steps] == theirs


@pytest.mark.parametrize(("name", "value"), [("num_beams", 3), ("guidance_scale", 2.0)])
def test_a_rule_that_is_not_followed_is_named(settings, name, value):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    setattr(settings, name, value)
    for write in (
        lambda: generate(model, tokenizer, TEXT, 5),
        lambda: generate_with_cache(model, some_ids(5), 5),
        lambda: Decoder.from_model(model).generate(some_ids(5), 5),
    ):
        with pytest.raises(ValueError, match=f"{name} to {value}"):
            write()


def test_a_cache_refuses_what_it_cannot_do():
    model, ids = TINY["llama"](), some_ids(6)
    for options in ({"num_beams": 3}, {"prompt_lookup_num_tokens": 3}):
        cache = ForTransformers(KVCache())
        with pytest.raises(ValueError, match="KVCache only takes keys and values in"):
            model.generate(
                ids, past_key_values=cache, max_new_tokens=12, do_sample=False, **options
            )
    for options in ({}, {"num_return_sequences": 2, "do_sample": True}):
        torch.manual_seed(0)
        theirs = model.generate(ids, max_new_tokens=12, **options)
        torch.manual_seed(0)
        cache = ForTransformers(KVCache())
        ours = model.generate(ids, past_key_values=cache, max_new_tokens=12, **options)
        assert torch.equal(ours, theirs)


def test_rotary_positions_that_change_on_the_way_are_refused():
    model, tokenizer = longrope(), tiny_tokenizer()
    ids, text = some_ids(ORIGINAL - 4), "~" * (ORIGINAL - 4)  # a token each
    expected = model.generate(ids, max_new_tokens=5, do_sample=False)
    assert torch.equal(generate_with_cache(model, ids, 5), expected)
    after = some_ids(ORIGINAL + 4)  # from there on they stay as they are
    expected = model.generate(after, max_new_tokens=8, do_sample=False)
    assert torch.equal(generate_with_cache(model, after, 8), expected)
    for crosses in (
        lambda: generate_with_cache(model, ids, 6),
        lambda: generate(model, tokenizer, text, 30),
        lambda: trace_cache(model, tokenizer, text, 30),
        lambda: one_at_a_time(model, after[0]),
        lambda: long_losses(model, after, rows=10),
    ):
        with pytest.raises(ValueError, match=f"Phi3ForCausalLM change at {ORIGINAL} tokens"):
            crosses()


# What a model says of its vectors ----------------------------------------------------------


@pytest.mark.parametrize("name", ["granite", "gemma 2", "cohere"])
def test_logits_are_the_models_own_whatever_comes_after_the_head(name):
    model, tokenizer = other(name), tiny_tokenizer()
    ids = prompt_ids(model, tokenizer, TEXT)
    own = model(ids).logits[0]
    lens = logit_lens(model, trace_streams(model, tokenizer, TEXT))[-1]
    torch.testing.assert_close(lens, own, atol=1e-4, rtol=1e-4)
    anatomy = AnatomyExplorer(model, tokenizer, TEXT).set(part="softmax").now()
    best = own[-1].softmax(-1).max()
    assert anatomy.candidates[0].probability == pytest.approx(float(best), abs=1e-5)
    torch.testing.assert_close(trace_components(model, tokenizer, TEXT).logits, own[-1])


def test_a_head_that_does_more_than_is_known_is_refused():
    model, tokenizer = _random(transformers.LlamaConfig, **GROUPED), tiny_tokenizer()
    model.lm_head.register_forward_hook(lambda *_: None)  # a hook that changes nothing is none
    trace_streams(model, tokenizer, TEXT)
    inner = model.forward

    def scaled(*given, **options):
        output = inner(*given, **options)
        output.logits = output.logits * 3
        return output

    model.forward = scaled
    for read in (trace_streams, trace_residual):
        with pytest.raises(ValueError, match="LlamaForCausalLM does something between"):
            read(model, tokenizer, TEXT)


# Texts and tokens --------------------------------------------------------------------------


def beginning_with_bos():
    """A tokenizer that adds a beginning to every text, and whose chats begin with it, too."""
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer().backend_tokenizer.from_str(
            tiny_tokenizer().backend_tokenizer.to_str()
        ),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        chat_template="{{ bos_token }}" + tiny_tokenizer().chat_template,
    )
    fast.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", 1)]
    )
    return fast


def test_special_tokens_come_once():
    model, tokenizer = TINY["llama"](), beginning_with_bos()
    assert text_ids(tokenizer, "hello")[0] == 1
    chat = [{"role": "user", "content": "hello"}]
    templated = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    expected = tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]
    assert expected.count(1) == 1
    assert chat_ids(model, tokenizer, "hello").tolist() == [expected]
    assert prompt_ids(model, tokenizer, templated).tolist() == [expected]
    assert [*tokenize(tokenizer, templated).token_ids] == expected
    explorer = GenerationExplorer(model, tokenizer, "hello").set(chat_template=True)
    assert explorer.now().prompt.count("<bos>") == 1
    explorer.set(chat_template=False)
    assert explorer.now().prompt.count("<bos>") == 1
    tokenizer.chat_template = tiny_tokenizer().chat_template  # one without the beginning
    expected = tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]
    assert chat_ids(model, tokenizer, "hello").tolist() == [expected]
    tokenizer.chat_template = None
    with pytest.raises(ValueError, match="no chat template"):
        chat_ids(model, tokenizer, "hello")


def test_a_single_token_is_that_token_whatever_is_added():
    plain, adding = tiny_tokenizer(), beginning_with_bos()
    ids = [i for i in range(300, 390) if plain.decode(i).startswith(" ")]
    words = {i: plain.decode(i) for i in ids if len(plain(plain.decode(i)).input_ids) == 1}
    assert words
    for token_id, word in words.items():
        assert single_token(adding, word) == single_token(adding, word[1:]) == token_id


def test_sentencepiece_tokens_keep_their_space():
    tokenizer = sentencepiece_like()
    ids = text_ids(tokenizer, "The dog the")
    assert "".join(token_text(tokenizer, i) for i in ids) == " The dog the"
    dog = tokenizer.convert_tokens_to_ids("▁dog")
    assert single_token(tokenizer, " dog") == single_token(tokenizer, "dog") == dog


def sentencepiece_like():
    """Llama 2's design: a space becomes ▁, and one is written before every text."""
    words = ["<unk>", "▁The", "▁dog", "▁the", "▁", *"Tdhegot"]
    merges = [("▁", "T"), ("▁", "d"), ("▁", "t"), ("h", "e"), ("o", "g")]
    merges += [("▁T", "he"), ("▁d", "og"), ("▁t", "he")]
    words += ["▁T", "▁d", "▁t", "he", "og"]
    made = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>"))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1),
        ]
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")


@pytest.mark.parametrize(
    "read",
    [
        prompt_ids,
        chat_ids,
        generate,
        record_attention,
        trace_streams,
        trace_residual,
        losses_without_each,
        lambda model, tokenizer, text: tokenize(tokenizer, text),
        lambda model, tokenizer, text: single_token(tokenizer, text),
        lambda model, tokenizer, text: sentence_vectors(model, tokenizer, [text]),
    ],
)
def test_half_a_character_is_refused_at_the_door(read):
    with pytest.raises(ValueError, match=r"half a character in it, U\+D83D"):
        read(TINY["llama"](), tiny_tokenizer(), "a\ud83d")
    with pytest.raises(ValueError, match="Give a text, not int"):
        read(TINY["llama"](), tiny_tokenizer(), 5)


def test_a_tokenizer_larger_than_the_model_is_told():
    model = _random(transformers.LlamaConfig, **GROUPED)
    model.resize_token_embeddings(50)
    with pytest.raises(ValueError, match="vectors for 0 to 49 only"):
        prompt_ids(model, tiny_tokenizer(), TEXT)


def test_a_row_without_a_token_is_its_number():
    assert token_text(tiny_tokenizer(), 4000) == "⟨4000⟩"


def test_a_tokenizer_without_a_decoder_gives_its_tokens_as_they_are():
    tokenizer = sentencepiece_like()
    tokenizer.backend_tokenizer.decoder = None
    assert token_text(tokenizer, tokenizer.convert_tokens_to_ids("▁dog")) == " dog"


# Places, ids and numbers -------------------------------------------------------------------


@pytest.mark.parametrize("token_id", [-1, 10**6, 1.5])
def test_an_id_outside_the_vocabulary_is_refused(token_id):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    trace = trace_residual(model, tokenizer, TEXT)
    streams = trace_streams(model, tokenizer, TEXT)
    for ask in (
        lambda: contributions(model, tokenizer, trace, -1, token_id),
        lambda: change_token(model, tokenizer, streams, 1, token_id),
        lambda: without_each(model, tokenizer, TEXT, token_id=token_id),
        lambda: strongest_neurons(model, tokenizer, TEXT, 0, token_id=token_id),
    ):
        with pytest.raises(ValueError, match=f"not {token_id}"):
            ask()


def test_places_that_are_not_there_are_refused():
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    streams = trace_streams(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match="there is no 999"):
        change_token(model, tokenizer, streams, 999, 3)
    last = len(streams.tokens) - 1
    assert change_token(model, tokenizer, streams, -1, 3).position == last
    with pytest.raises(ValueError, match="There is no part 'mlp'"):
        without_each(model, tokenizer, TEXT, part="mlp")
    layer = torch.tensor([1]).numpy()[0]
    assert strongest_neurons(model, tokenizer, TEXT, layer).layer == 1


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "choose",
    [
        decoding.greedy,
        decoding.sample,
        decoding.entropy,
        lambda logits: decoding.top_k_filter(logits, 2),
        lambda logits: decoding.top_p_filter(logits, 0.5),
        lambda logits: decoding.min_p_filter(logits, 0.5),
        lambda logits: decoding.apply_temperature(logits, 2.0),
        decoding.decoding_stages,
    ],
)
@pytest.mark.parametrize("value", [NAN, INF])
def test_logits_that_are_no_numbers_are_refused(choose, value):
    with pytest.raises(ValueError, match=f"One of the logits is {value}"):
        choose(torch.tensor([1.0, value, 5.0]))


def test_overflow_and_nothing_left_are_told_by_name():
    with pytest.raises(ValueError, match="temperature of 1e-39 makes logits too large for float32"):
        decoding.sampler(1e-39)(torch.tensor([1.0, 2.0]))
    for choose in (decoding.greedy, decoding.sample):
        with pytest.raises(ValueError, match="all logits are -inf"):
            choose(torch.tensor([-INF, -INF]))
    assert len(decoding.top_candidates(torch.tensor([1.0, 2.0, 0.0]), tiny_tokenizer())) == 3


# Explorers, and loading --------------------------------------------------------------------


@pytest.mark.parametrize(
    "explorer",
    [
        AttentionExplorer,
        AnatomyExplorer,
        FeedForwardExplorer,
        lambda *given: ButterflyExplorer(*given, 1, "S"),
    ],
)
def test_a_long_text_is_refused_before_the_model_reads_it(explorer, monkeypatch):
    model = _random(transformers.LlamaConfig, **GROUPED | {"max_position_embeddings": 2000})
    made = explorer(model, tiny_tokenizer(), "a b")

    def never(*_given, **_options):
        raise AssertionError("the model has read it")

    monkeypatch.setattr(model, "forward", never)
    box = "prompt" if "prompt" in made.controls else "text"
    made.set(**{box: "~" * 600})
    assert "is 600 tokens long" in repr(made)


def test_a_model_that_reads_both_ways_is_refused(tmp_path):
    config = transformers.BertConfig(
        vocab_size=400, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"BertLMHeadModel\) reads a text in both directions"):
        load_model(str(tmp_path), "cpu")


def test_the_blocks_are_those_that_write_and_not_those_that_see():
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
            image_size=8, patch_size=4,
        ),
        text_config=transformers.LlamaConfig(**GROUPED, vocab_size=400),
        image_token_index=399,
    )  # fmt: skip
    found = blocks(transformers.LlavaForConditionalGeneration(config))
    assert {type(block.module).__name__ for block in found} == {"LlamaDecoderLayer"}


def test_nobody_s_home_is_no_model():
    with pytest.raises(ValueError, match="There is no model '~nobody-at-all/x'"):
        load_model("~nobody-at-all/x", "cpu")


# Architectures that keep, give or share something of their own -------------------------------


def jamba():
    """Blocks with and without attention; beside keys and values it keeps a state."""
    return _random(
        transformers.JambaConfig, **GROUPED, num_experts=1, attn_layer_period=2,
        attn_layer_offset=1, mamba_d_state=4, use_mamba_kernels=False,
    )  # fmt: skip


def first_gpt():
    """It keeps nothing of a text, its attention gives lists, and no norm comes last."""
    return _random(
        transformers.OpenAIGPTConfig, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT
    )


@pytest.mark.parametrize("make", [jamba, first_gpt])
def test_what_keeps_no_cache_of_keys_and_values_writes_without(make):
    model, tokenizer, ids = make(), tiny_tokenizer(), some_ids(10)
    for reads_on in (
        lambda: generate(model, tokenizer, TEXT, 5),
        lambda: generate_with_cache(model, ids, 5),
        lambda: trace_cache(model, tokenizer, TEXT, 5),
        lambda: one_at_a_time(model, ids[0]),
        lambda: long_losses(model, ids, rows=4),
    ):
        with pytest.raises(ValueError, match=f"What {type(model).__name__} keeps of a text"):
            reads_on()
    steps = generation_steps(model, tokenizer, TEXT, 5, use_cache=False)
    expected = library_writes(model, prompt_ids(model, tokenizer, TEXT), 5)
    assert [step.token_id for step in steps] == expected


def test_heads_are_counted_only_where_each_block_has_some():
    model = jamba()
    with (
        pytest.raises(ValueError, match="JambaForCausalLM does not have an attention layer"),
        without_head(model, 1, 1),
    ):
        pass


def test_an_attention_layer_that_gives_a_list_is_switched_off():
    model, tokenizer = first_gpt(), tiny_tokenizer()
    each = without_each(model, tokenizer, TEXT, "attention")
    first = blocks(model)[0].attention
    first.c_proj.weight.zero_()
    first.c_proj.bias.zero_()
    logits = model(each.input_ids).logits[0, -1]
    assert float(logits.softmax(-1)[each.token_id]) == pytest.approx(float(each.without[0]))


def test_several_streams_and_shared_keys_are_refused():
    config = GROUPED | {"num_hidden_layers": 3}
    model = _random(
        transformers.Gemma3nTextConfig, **config, head_dim=8, vocab_size_per_layer_input=400,
        hidden_size_per_layer_input=8, num_kv_shared_layers=1, laurel_rank=4,
        layer_types=["full_attention", "sliding_attention", "full_attention"],
        activation_sparsity_pattern=[0.0] * 3,
    )  # fmt: skip
    for look in (trace_streams, trace_residual, without_each, losses_without_each):
        with pytest.raises(ValueError, match="Gemma3nForCausalLM is not built of blocks"):
            look(model, tiny_tokenizer(), TEXT)
    with pytest.raises(ValueError, match="Gemma3nForCausalLM is not built of blocks"):
        one_at_a_time(model, some_ids(5)[0])


def test_llama_4_calls_itself_its_decoder():
    model, tokenizer = (
        _random(
            transformers.Llama4TextConfig, **GROUPED, head_dim=8, intermediate_size_mlp=64,
            num_local_experts=2, attention_chunk_size=CONTEXT,
        ),
        tiny_tokenizer(),
    )  # fmt: skip
    ids = prompt_ids(model, tokenizer, TEXT)
    last = model(ids, output_hidden_states=True).hidden_states[-1][0, -1]
    torch.testing.assert_close(sentence_vectors(model, tokenizer, [TEXT])[0], last)


def test_the_sink_is_named():
    model, tokenizer = (
        _random(
            transformers.GptOssConfig, **GROUPED, head_dim=8, num_local_experts=2,
            num_experts_per_tok=1, sliding_window=CONTEXT,
        ),
        tiny_tokenizer(),
    )  # fmt: skip
    record = record_attention(model, tokenizer, TEXT)
    sinks = attention_modules(model)[1].sinks
    column = sinks[:, None, None].expand(-1, len(record.tokens), 1)
    scores = torch.cat([record.masked_scores(1), column], -1)
    torch.testing.assert_close(record.sink(1), scores.softmax(-1)[..., -1], atol=1e-2, rtol=0)
    explorer = AttentionExplorer(model, tokenizer, TEXT, layer=1)
    share = float(record.sink(1)[0, -1])
    assert f"the sink, which hands over nothing, takes {share:.2f}" in repr(explorer)
    assert not record_attention(TINY["llama"](), tokenizer, TEXT).sink(0).any()


def test_what_grows_with_the_square_is_refused_before_the_pass(monkeypatch):
    model = TINY["llama"]()
    monkeypatch.setattr("utils.attention.MOST_BYTES", 2 * 2 * 4 * 4 * 20**2)
    kept = record_attention(model, tiny_tokenizer(), "~" * 20)
    assert sum(part.nbytes for name in ("scores", "weights") for part in getattr(kept, name)) == (
        2 * 2 * 4 * 4 * 20**2
    )
    monkeypatch.setattr(model, "forward", lambda *_given, **_named: pytest.fail("it has read"))
    with pytest.raises(ValueError, match=r"21 tokens long.*there is room for 20 tokens"):
        record_attention(model, tiny_tokenizer(), "~" * 21)


def test_a_cache_that_leads_elsewhere_says_so():
    trace = trace_cache(TINY["llama"](), tiny_tokenizer(), TEXT, 3)
    assert trace.same
    assert "another token" not in cache_words(CacheAt(trace, 1))
    picture = cache_picture(CacheAt(replace(trace, same=False), 1))
    says = "without the cache another token would be chosen"
    assert says in picture.words
    assert any(says in text.get_text() for text in picture.figure.texts)


def test_a_text_goes_on_with_its_space():
    tokenizer = sentencepiece_like()
    the, dog = tokenizer.convert_tokens_to_ids(["▁The", "▁dog"])
    assert tokenizer.decode([dog]) == "dog"
    assert text_after(tokenizer, [the], [dog]) == " dog"
    tokenizer = tiny_tokenizer()
    ids = tokenizer("강").input_ids
    assert text_after(tokenizer, ids[:1], ids[1:]) == tokenizer.decode(ids[1:])


def test_a_model_smaller_than_the_lesson_is_told_once(capsys):
    tell_if_smaller(TINY["llama"](), layers=2, heads=4)
    assert capsys.readouterr().out == ""
    tell_if_smaller(TINY["llama"](), layers=28, heads=9)
    said = capsys.readouterr().out
    assert "28 layers with 9 heads each, and LlamaForCausalLM has 2 with 4." in said


def test_a_tokenizer_larger_than_the_model_is_told_when_it_is_loaded(tmp_path, capsys):
    model = _random(transformers.LlamaConfig, **GROUPED)
    model.resize_token_embeddings(50)
    model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    load_model(str(tmp_path), "cpu")
    count = len(tiny_tokenizer())
    assert f"has {count} tokens, and the model vectors for 50 only" in capsys.readouterr().err
