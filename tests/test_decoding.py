"""The filters equal those of `transformers` to the last bit; the sampler draws as it should."""

from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from transformers import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from utils.decoding import (
    apply_temperature,
    decoding_stages,
    entropy,
    greedy,
    min_p_filter,
    repeated_ngram_rate,
    sample,
    sampler,
    top_candidates,
    top_k_filter,
    top_p_filter,
)
from utils.generation import generate, generation_steps

INF = float("inf")
CASES = 1000
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_logits(case: int) -> torch.Tensor:
    """Case by case another size, spread and dtype; many with ties, many with -inf in them."""
    generator = seeded(case)
    size = int(torch.randint(1, 400, (), generator=generator))
    logits = torch.randn(size, generator=generator) * (0.1, 1, 4, 30)[case % 4]
    if case % 3 == 0:
        logits = logits.round()  # ties, often at the edge of what is kept
    if case % 5 == 0:
        cut = torch.rand(size, generator=generator) < 0.4
        cut[int(torch.randint(size, (), generator=generator))] = False
        logits[cut] = -INF
    if case % 50 == 7:
        logits[:] = 1.5  # nothing but ties
    return logits.to(DTYPES[case // 4 % 3])


def share(case: int) -> float:
    """A p from 0 to 1, the two ends included."""
    return float(torch.rand((), generator=seeded(10_000 + case))) if case % 7 > 1 else case % 7


def assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "setting"),
    [
        (apply_temperature, TemperatureLogitsWarper, lambda case: 0.01 + 3 * share(case)),
        (top_k_filter, TopKLogitsWarper, lambda case: (1, 2, 5, 50, 399, 400, 10**6)[case % 7]),
        (top_p_filter, TopPLogitsWarper, share),
        (min_p_filter, MinPLogitsWarper, share),
    ],
)
def test_equals_the_library(ours, theirs, setting):
    for case in range(CASES):
        logits, value = random_logits(case), setting(case)
        before = logits.clone()
        assert_same(ours(logits, value), theirs(value)(None, logits[None])[0])
        assert torch.equal(logits, before)


def test_the_cases_hold_what_they_should():
    """Ties at the edge of top-k, values that are cut already, every dtype, both ends of p."""
    cases = [random_logits(case) for case in range(CASES)]
    assert {logits.dtype for logits in cases} == set(DTYPES)
    assert sum((logits == -INF).any().item() for logits in cases) > 100
    assert sum((top_k_filter(logits, 2) > -INF).sum() > 2 for logits in cases) > 50
    assert {0, 1} <= {share(case) for case in range(CASES)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_at_the_edge(dtype):
    logits = torch.tensor([1.0, 3.0, 2.0, 2.0, 3.0, 2.0], dtype=dtype)
    assert (top_k_filter(logits, 3) > -INF).tolist() == [False, True, True, True, True, True]
    assert (top_p_filter(logits, 0) > -INF).tolist() == [False, False, False, False, True, False]
    assert (min_p_filter(logits, 1) > -INF).tolist() == [False, True, False, False, True, False]
    assert greedy(logits) == 1


@pytest.mark.parametrize(
    "settings_",
    [
        {"temperature": 0.7},
        {"top_k": 20},
        {"top_p": 0.8, "temperature": 1.5},
        {"temperature": 1.3, "top_k": 40, "top_p": 0.9, "min_p": 0.02},
    ],
)
def test_sampler_writes_what_generate_writes(tiny, settings_):
    model, tokenizer = tiny
    ids = tokenizer("The capital of France", return_tensors="pt").input_ids
    off = {"top_k": 0, "top_p": 1.0, "temperature": 1.0}
    torch.manual_seed(3)
    theirs = model.generate(ids, do_sample=True, max_new_tokens=12, **off | settings_)
    torch.manual_seed(3)
    choose = sampler(**settings_)
    ours = list(generation_steps(model, tokenizer, "The capital of France", 12, choose=choose))
    assert [step.token_id for step in ours] == theirs[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("tiny", ["llama"], indirect=True)
def test_a_low_temperature_is_greedy(tiny):
    model, tokenizer = tiny
    choose = sampler(temperature=0.001, generator=seeded(0))
    assert generate(model, tokenizer, "The dog", 20, choose=choose) == generate(
        model, tokenizer, "The dog", 20
    )


# What came out of the draws ----------------------------------------------------------------

# Critical values of chi-square at 0.001, by degrees of freedom: a fair sampler passes these seeds.
CRITICAL = {1: 10.83, 4: 18.47, 9: 27.88, 19: 43.82}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [2, 5, 10, 20])
def test_frequencies_follow_the_probabilities(seed, size):
    logits = torch.randn(size, generator=seeded(seed)) * 0.7
    draws, generator = 4000, seeded(100 + seed)
    counts = torch.zeros(size)
    for _draw in range(draws):
        counts[sample(logits, generator)] += 1
    expected = logits.softmax(-1) * draws
    assert float(((counts - expected) ** 2 / expected).sum()) < CRITICAL[size - 1]
    # and the test would notice: greedy, uniform or too hot draws are far outside
    for wrong in (torch.full((size,), draws / size), (logits / 2).softmax(-1) * draws):
        assert float(((counts - wrong) ** 2 / wrong).sum()) > CRITICAL[size - 1]


def test_sample_draws_only_what_is_left():
    logits = torch.tensor([-INF, 1.0, -INF, 0.5, -INF])
    assert {sample(logits, seeded(seed)) for seed in range(60)} == {1, 3}
    assert {sample(top_k_filter(logits, 1)) for _draw in range(20)} == {1}


def test_sample_repeats_with_its_seed_only():
    logits = torch.randn(1000, generator=seeded(0))
    one, two, three = ([sample(logits, g) for _ in range(8)] for g in map(seeded, (1, 1, 2)))
    assert one == two != three
    torch.manual_seed(5)
    first = sample(logits)
    torch.manual_seed(5)
    assert sample(logits) == first


@pytest.mark.parametrize("dtype", DTYPES)
def test_sample_takes_every_dtype(dtype):
    assert type(sample(torch.zeros(7, dtype=dtype), seeded(0))) is int


# Properties --------------------------------------------------------------------------------

some_logits = st.lists(st.floats(-20, 20, width=32) | st.just(-INF), min_size=1, max_size=30).map(
    torch.tensor
)
a_share = st.floats(0, 1)
properties = settings(max_examples=150)


@properties
@given(some_logits, st.floats(0.05, 3))
def test_temperature_keeps_the_order(logits, temperature):
    assume(logits.max() > -INF)
    hot = apply_temperature(logits, temperature)
    assert hot[logits.argmax()] == hot.max()
    assert torch.equal(hot == -INF, logits == -INF)


@properties
@given(some_logits)
def test_a_higher_temperature_is_less_decided(logits):
    assume(logits.max() > -INF)
    bits = [entropy(apply_temperature(logits, t)) for t in (0.25, 0.5, 1.0, 2.0)]
    assert all(a <= b + 1e-4 for a, b in pairwise(bits))


@properties
@given(some_logits, st.integers(1, 40), a_share)
def test_filters_keep_the_top_and_change_nothing_else(logits, k, p):
    assume(logits.max() > -INF)
    for after in (top_k_filter(logits, k), top_p_filter(logits, p), min_p_filter(logits, p)):
        kept = after > -INF
        assert torch.equal(after[kept], logits[kept])
        assert after.max() == logits.max()
        assert not (logits[~kept] > logits[kept].min()).any()


@properties
@given(some_logits, a_share, a_share)
def test_more_p_keeps_more(logits, one, other):
    assume(logits.max() > -INF)
    low, high = sorted((one, other))
    few, many = top_p_filter(logits, low) > -INF, top_p_filter(logits, high) > -INF
    assert not (few & ~many).any()
    assert float(logits.softmax(-1)[many].sum()) >= high - 1e-4
    few, many = min_p_filter(logits, high) > -INF, min_p_filter(logits, low) > -INF
    assert not (few & ~many).any()


@properties
@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 6))
def test_repeated_ngram_rate_counts_what_stood_before(ids, n):
    ngrams = [ids[i : i + n] for i in range(len(ids) - n + 1)]
    again = sum(ngram in ngrams[:i] for i, ngram in enumerate(ngrams))
    assert repeated_ngram_rate(ids, n) == pytest.approx(again / len(ngrams) if ngrams else 0)
    assert repeated_ngram_rate(torch.tensor(ids), n) == repeated_ngram_rate(ids, n)


# The stages --------------------------------------------------------------------------------


def test_stages_account_for_every_token():
    logits = torch.randn(200, generator=seeded(0)) * 3
    stages = decoding_stages(logits, 1.5, 50, 0.9, 0.05)
    assert [stage.name for stage in stages] == ["model", "temperature", "top_k", "top_p", "min_p"]
    assert [stage.setting for stage in stages] == [None, 1.5, 50, 0.9, 0.05]
    for before, after in pairwise(stages):
        assert after.kept == before.kept - after.cut == int((after.logits > -INF).sum())
        assert float(after.probabilities.sum()) == pytest.approx(1, abs=1e-5)
        gone = (after.logits == -INF) & (before.logits > -INF)
        assert after.mass == pytest.approx(float(before.probabilities[gone].sum()))
    assert stages[2].cut == 150
    assert stages[3].mass <= 0.1


def test_stages_that_are_off_do_nothing():
    logits = torch.randn(200, generator=seeded(0)) * 300  # most probabilities are 0 in float32
    for stage in decoding_stages(logits, top_k=200):
        assert stage.setting is None
        assert stage.cut == 0
        assert stage.logits is logits


def test_entropy_in_bits():
    assert entropy(torch.zeros(8)) == pytest.approx(3)
    assert entropy(torch.tensor([0.0, 0.0, -INF, -INF])) == pytest.approx(1)
    assert entropy(torch.tensor([5.0, -INF])) == 0


def test_top_candidates_come_best_first():
    class Letters:
        def decode(self, ids):
            return "abcde"[ids[0]]

    best = top_candidates(torch.tensor([0.0, 3.0, 1.0, 2.0, -1.0]), Letters(), 3)
    assert [candidate.token for candidate in best] == ["b", "d", "c"]
    assert best[0].probability > best[1].probability


LOGITS = torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "ask",
    [
        *(lambda t=t: apply_temperature(LOGITS, t) for t in (0, -1, 0.0, float("nan"), INF)),
        *(lambda k=k: top_k_filter(LOGITS, k) for k in (0, -3, 2.5, True)),
        *(
            lambda f=f, p=p: f(LOGITS, p)
            for f in (top_p_filter, min_p_filter)
            for p in (-0.01, 1.01, float("nan"))
        ),
        lambda: repeated_ngram_rate([1, 2, 3], 0),
        lambda: sample(torch.full((3,), -INF)),
        lambda: sample(torch.tensor([1.0, float("nan")])),
        lambda: greedy(torch.tensor([1, 2, 3])),
        lambda: greedy(torch.zeros(0)),
        lambda: top_p_filter(torch.zeros(1, 5), 0.5),
        lambda: sample(torch.zeros(2, 5)),
    ],
)
def test_out_of_range_is_refused_in_a_sentence(ask):
    with pytest.raises(ValueError, match=r"\w{3}.*[.]$"):
        ask()


def test_an_infinite_temperature_is_not_called_too_low():
    with pytest.raises(ValueError, match="above 0 and finite, not inf"):
        apply_temperature(LOGITS, INF)
    with pytest.raises(ValueError, match=r"above 0, not -inf\..*use greedy"):
        apply_temperature(LOGITS, -INF)
