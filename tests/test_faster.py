"""The parts of lesson 09: bounds that hold for any numbers, and the same text every way."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import pad
from transformers import DynamicCache

from tests.tiny_models import TINY
from utils.decoder import Decoder
from utils.parts import accepted, batch_places, looked_up, quantise
from utils.timing import library_writes

PROMPTS = ([3, 5, 7, 5, 7, 9, 3, 5], [11, 12, 13], [4, 4, 4, 4, 4])


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4, 8]), st.floats(0, 100))
def test_no_weight_moves_by_more_than_half_a_step(seed, bits, scale):
    block = torch.randn(3, 32, generator=torch.Generator().manual_seed(seed)) * scale
    d, m, q = quantise(block, bits)
    assert torch.equal(q, q.round())
    assert q.min() >= 0
    assert q.max() <= 2**bits - 1
    assert ((d * q + m - block).abs() <= d * 0.501 + 1e-6).all()
    again = quantise(d * q + m, bits)[2]
    assert torch.equal(again, q)  # what stands on a mark stays there


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 5))
def test_what_is_looked_up_followed_the_same_tokens(ids, n, k):
    found = looked_up(ids, n, k)
    assert len(found) <= k
    places = [at for at in range(len(ids) - n) if ids[at : at + n] == ids[-n:]]
    assert bool(found) == bool(places)
    if places:
        assert found == ids[places[-1] + n :][:k]


def test_texts_side_by_side_are_what_each_is_alone():
    model, cache = TINY["llama"](), DynamicCache()
    positions, mask = batch_places([len(prompt) for prompt in PROMPTS])
    ids = torch.tensor([[0] * (mask.shape[1] - len(prompt)) + prompt for prompt in PROMPTS])
    written = []
    for _step in range(6):
        places = {"attention_mask": mask.long(), "position_ids": positions}
        ids = model(ids, **places, past_key_values=cache).logits[:, -1:].argmax(dim=-1)
        written.append(ids)
        positions, mask = positions[:, -1:] + 1, pad(mask, (0, 1), value=True)
    alone = [library_writes(model, torch.tensor([prompt]), 6) for prompt in PROMPTS]
    together = torch.cat(written, dim=1).tolist()
    assert [new[: len(one)] for new, one in zip(together, alone, strict=True)] == alone


def test_guesses_never_change_the_text_right_or_wrong():
    decoder = Decoder.from_model(TINY["llama"](), max_positions=64)
    for prompt in PROMPTS:
        alone = list(decoder.tokens(torch.tensor([prompt]), 12))
        for guess in (
            lambda text: looked_up(text, 2, 4),
            lambda text: [1, 2],
            lambda text, prompt=prompt, alone=alone: [*prompt, *alone][len(text) :][:4],
        ):
            text, cache, passes = list(prompt), decoder.new_cache(), 0
            while len(text) < len(prompt) + len(alone):
                guesses = guess(text)
                unseen = torch.tensor([text[cache.length :] + guesses])
                text += accepted(guesses, decoder(unseen, cache)[0, -len(guesses) - 1 :])
                cache.length, passes = len(text) - 1, passes + 1
            assert text[len(prompt) :][: len(alone)] == alone
        assert passes <= 3  # right guesses: four, and one token more, in each
