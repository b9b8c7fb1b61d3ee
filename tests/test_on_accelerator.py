"""Every helper, explorer and decoder with its model on a GPU, pretended: the same as on the CPU."""

import copy
from dataclasses import fields, is_dataclass

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import pipeline

from tests.pretend_accelerator import pretend_accelerator
from tests.tiny_models import TINY, tiny_tokenizer
from utils import parts
from utils.anatomy import components, trace_components
from utils.attention import HeadView, record_attention, without_head
from utils.decoder import Decoder
from utils.decoding import decoding_stages, sampler
from utils.embeddings import nearest_tokens, sentence_vectors
from utils.explorers.anatomy import AnatomyExplorer
from utils.explorers.attention import AttentionExplorer
from utils.explorers.decoding import DecodingExplorer
from utils.explorers.feed_forward import FeedForwardExplorer
from utils.explorers.generation import GenerationExplorer
from utils.explorers.head_patterns import HeadPatternExplorer
from utils.explorers.kv_cache import CacheExplorer
from utils.explorers.neurons import NeuronExplorer
from utils.explorers.residual import ResidualExplorer
from utils.explorers.streams import ButterflyExplorer, StreamsExplorer
from utils.explorers.timing import StepTimesExplorer
from utils.explorers.tokens import TokenizerExplorer
from utils.feed_forward import losses_without_each, switch_off, without_each
from utils.figures import picture
from utils.figures.feed_forward import losses_picture
from utils.figures.gating import gating_picture
from utils.figures.one_query import one_query_picture
from utils.gating import record_gating
from utils.generation import generate, generation_steps, next_logits
from utils.head_patterns import PATTERNS, rank_heads
from utils.kv_cache import generate_with_cache, trace_cache
from utils.losses import long_losses, loss_at_distance
from utils.model import chat_ids, prompt_ids
from utils.neurons import strongest_neurons
from utils.packed_decoder import as_array, like
from utils.residual import contributions, trace_residual
from utils.streams import (
    change_token,
    logit_lens,
    look_at,
    one_at_a_time,
    read_streams,
    trace_streams,
)
from utils.timing import measure_speeds, measure_steps, pass_times

TEXT = "The capital of France is Paris. The capital"


@pytest.fixture(scope="module")
def near():
    model = TINY["llama"]()
    yield model, tiny_tokenizer()
    assert str(model.device) == "cpu", "what all tests share is as it was"


@pytest.fixture(scope="module")
def gpu():
    with pretend_accelerator() as gpu:
        yield gpu


@pytest.fixture(scope="module")
def far(near, gpu):
    return copy.deepcopy(near[0]).to("cuda"), near[1]


def plain(value):
    """A record as lists and numbers, without what differs from run to run."""
    if isinstance(value, Tensor):
        return plain(value.detach().cpu().numpy())
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.tolist()
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name != "seconds"}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return type(value).__name__ if isinstance(value, nn.Module) else value


def ids_of(model, tokenizer):
    return prompt_ids(model, tokenizer, TEXT)


def with_sampling(model, tokenizer):
    generator = torch.Generator().manual_seed(1)
    return generate(model, tokenizer, TEXT, 6, choose=sampler(0.8, 20, 0.9, generator=generator))


def all_that_residual_shows(model, tokenizer):
    trace = trace_residual(model, tokenizer, TEXT)
    found = contributions(model, tokenizer, trace, -1)
    return trace, found, found.running_total()


def all_that_attention_shows(model, tokenizer):
    record = record_attention(model, tokenizer, TEXT)
    views = [HeadView(record, 1, 2, 3, view) for view in ("scores", "masked", "weights")]
    with without_head(model, 1, 2):
        without = model(ids_of(model, tokenizer)).logits
    seen = [(view.grid(), view.row(), view.lengths(), view.sharing()) for view in views]
    return record, np.nan_to_num(np.array([grid for grid, *_rest in seen])), seen[2], without


def all_that_one_query_shows(model, tokenizer):
    view = HeadView(record_attention(model, tokenizer, TEXT), 1, 2, 3, "weights")
    return one_query_picture(view).words


def all_that_gates_show(model, tokenizer):
    gating = record_gating(model, tokenizer, TEXT, 1)
    return gating, gating.products, gating_picture(gating).words


def all_that_streams_show(model, tokenizer):
    streams = trace_streams(model, tokenizer, TEXT)
    reading = read_streams(model, tokenizer, streams)
    return (
        look_at(reading, 1, 2),
        logit_lens(model, streams),
        one_at_a_time(model, streams.input_ids),
        change_token(model, tokenizer, streams, 1, 7),
    )


def all_that_feed_forward_shows(model, tokenizer):
    each = without_each(model, tokenizer, TEXT)
    losses = losses_without_each(model, tokenizer, TEXT)
    return each, switch_off(model, tokenizer, each, [0, 1]), losses, losses_picture(losses).words


def all_that_decoding_shows(model, tokenizer):
    logits, _output = next_logits(model, ids_of(model, tokenizer))
    stages = decoding_stages(logits, temperature=0.7, top_k=30, top_p=0.9, min_p=0.01)
    return [(stage, stage.probabilities) for stage in stages]


def written_with(cache):
    """What a model writes token by token with a cache of the learner's."""

    def write(model, tokenizer):
        ids = ids_of(model, tokenizer)
        kept = cache(model.config)
        logits = [parts.forward(model, ids[:, :4], kept), parts.forward(model, ids[:, 4:], kept)]
        return logits, [kept.get_seq_length()]

    return write


def roomy(config):
    return parts.RoomyCache(config.num_hidden_layers, config.num_key_value_heads, 8, room=32)


def decoded(model, tokenizer):
    decoder = Decoder.from_model(model)
    return decoder.generate(ids_of(model, tokenizer), 6), decoder(ids_of(model, tokenizer))


def one_layer(model, tokenizer):
    attention = model.model.layers[0].self_attn
    matrices = [getattr(attention, f"{name}_proj").weight for name in "qkvo"]
    x = model.get_input_embeddings()(ids_of(model, tokenizer))[0]
    return parts.attention_layer(x, *matrices, heads=4, kv_heads=2, theta=10000.0)


HELPERS = {
    "generate": lambda m, t: generate(m, t, TEXT, 6),
    "generate, all again": lambda m, t: generate(m, t, TEXT, 6, use_cache=False),
    "generate, drawn": with_sampling,
    "generation_steps": lambda m, t: list(generation_steps(m, t, TEXT, 3)),
    "generate_with_cache": lambda m, t: generate_with_cache(m, ids_of(m, t), 6),
    "library's generate": lambda m, t: m.generate(ids_of(m, t), max_new_tokens=6, do_sample=False),
    "chat": lambda m, t: chat_ids(m, t, "The dog"),
    "parts.write": lambda m, t: list(parts.write(m, ids_of(m, t), 6)),
    "a cache": written_with(lambda _config: parts.KVCache()),
    "a cache with room": written_with(roomy),
    "for transformers": lambda m, t: (
        m(ids_of(m, t), past_key_values=parts.ForTransformers(roomy(m.config))).logits
    ),
    "an attention layer": one_layer,
    "decoder": decoded,
    "decoding": all_that_decoding_shows,
    "components": lambda m, _t: components(m),
    "trace_components": lambda m, t: trace_components(m, t, TEXT),
    "streams": all_that_streams_show,
    "attention": all_that_attention_shows,
    "one query": all_that_one_query_shows,
    "gates": all_that_gates_show,
    "residual": all_that_residual_shows,
    "feed_forward": all_that_feed_forward_shows,
    "neurons": lambda m, t: strongest_neurons(m, t, TEXT, 1, token_id=7),
    "trace_cache": lambda m, t: trace_cache(m, t, TEXT, 3),
    "long_losses": lambda m, t: long_losses(m, ids_of(m, t), rows=4),
    "loss_at_distance": lambda m, t: loss_at_distance(m, ids_of(m, t), 2, 5),
    "nearest_tokens": lambda m, _t: nearest_tokens(m.get_input_embeddings().weight, 5, 3),
    "sentence_vectors": lambda m, t: sentence_vectors(m, t, [TEXT, "The dog"]),
    **{
        f"heads that look {pattern}": lambda m, t, pattern=pattern: rank_heads(
            m, t, pattern, TEXT, "Paris" if pattern == "word" else ""
        )
        for pattern in PATTERNS
        if pattern != "word"
    },
    "heads that look at a word": lambda m, t: rank_heads(
        m, t, "word", TEXT, t.decode(t(TEXT).input_ids[1])
    ),
}


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_gives_what_it_gives_on_the_cpu(name, near, far):
    with torch.no_grad():
        assert plain(HELPERS[name](*far)) == plain(HELPERS[name](*near))


EXPLORERS = {
    "anatomy": lambda m, t: AnatomyExplorer(m, t, TEXT),
    "attention": lambda m, t: AttentionExplorer(m, t, TEXT),
    "decoding": lambda m, t: DecodingExplorer(m, t, TEXT),
    "feed-forward": lambda m, t: FeedForwardExplorer(m, t, TEXT),
    "generation": lambda m, t: GenerationExplorer(m, t, TEXT),
    "head patterns": lambda m, t: HeadPatternExplorer(m, t, TEXT, t.decode(t(TEXT).input_ids[1])),
    "cache": lambda m, t: CacheExplorer(m, t, TEXT),
    "neurons": lambda m, t: NeuronExplorer(m, t, TEXT, 1),
    "residual": lambda m, t: ResidualExplorer(m, t, TEXT),
    "butterfly": lambda m, t: ButterflyExplorer(m, t, TEXT, 2, "S"),
    "streams": lambda m, t: StreamsExplorer(m, t, TEXT),
    "tokenizer": lambda m, t: TokenizerExplorer(m, t, TEXT),
}


def moves(control):
    """Other values of a control: some choices of a list, and an end of what slides."""
    if hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        return values[1 :: max(1, len(values) // 3)]
    if isinstance(control, widgets.Checkbox):
        return [not control.value]
    if isinstance(control, widgets.IntRangeSlider):
        return [(control.min, control.max)]
    if hasattr(control, "min"):
        return [control.max if control.value < control.max else control.min]
    return []


def all_it_says(explorer):
    """Its words at first, after every move of a control, and after every button."""
    said = [repr(explorer)]
    for name, control in explorer.controls.items():
        for value in moves(control):
            said.append(repr(explorer.set(**{name: value})))
    for name in explorer.actions:
        said.append(repr(explorer.press(name)))
    return said


@pytest.mark.parametrize("name", EXPLORERS)
def test_an_explorer_says_what_it_says_on_the_cpu(name, near, far, drawn_once, monkeypatch):
    monkeypatch.setattr(picture, "png", lambda _figure: b"not drawn: pixels take long")
    says = all_it_says(EXPLORERS[name](*far))
    assert len(says) > 1
    # What was drawn above is not drawn again: of the CPU's the words are asked for alone.
    assert says == all_it_says(EXPLORERS[name](*near))


def test_the_packed_decoder_fetches_ids_and_sends_back_what_it_writes(gpu):
    """It computes on the CPU, from ids that lie where the notebook's model is."""
    ids = torch.tensor([[5, 7]], device="cuda")
    assert as_array(ids).tolist() == as_array(np.array([[5, 7]])).tolist() == [[5, 7]]
    assert like(ids, np.ones(2)).is_cuda
    assert not like(ids.cpu(), np.ones(2)).is_cuda
    assert isinstance(like(np.ones(2), np.ones(2)), np.ndarray)


def test_the_library_s_pipeline_writes_the_same(near, far):
    def writes(model, tokenizer):
        device = model.device  # without it, a pipeline moves the model to the GPU
        writer = pipeline("text-generation", model=model, tokenizer=tokenizer, device=device)
        return writer(TEXT, max_new_tokens=5, do_sample=False, return_full_text=False)

    assert writes(*far) == writes(*near)


def test_whoever_measures_waits_for_the_gpu(far, gpu):
    model, tokenizer = far
    ids, decoder = ids_of(model, tokenizer), Decoder.from_model(model)

    def waits(measure):
        before = gpu.waits
        measure()
        return gpu.waits - before

    assert waits(lambda: list(generation_steps(model, tokenizer, TEXT, 2))) == 4
    assert waits(lambda: StepTimesExplorer(measure_steps(model, (4, 8), repeats=1))) == 6
    assert waits(lambda: list(pass_times(model, ids[0], (2,), rounds=1))) == 3
    ways = {"decoder": decoder.tokens}
    assert waits(lambda: measure_speeds(model, ways, decoder.matrices(), ids, 2, rounds=1)) >= 6
