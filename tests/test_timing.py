"""How long a model takes: one clock, and what is measured by it."""

import threading
import time
import zlib

import pytest
import torch

from tests.tiny_models import CONTEXT, TINY, tiny_tokenizer
from utils import parts
from utils.cores import multiplying, reading
from utils.decoder import Decoder
from utils.figures.timing import speeds_picture
from utils.generation import generation_steps
from utils.timing import (
    StepTimes,
    clock,
    measure_speeds,
    measure_steps,
    pass_times,
    spent,
)


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_the_clock_waits_for_the_accelerator(kind, monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: waited.append("cuda"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    assert clock(torch.device(kind)) <= clock(torch.device(kind))
    assert waited == ([] if kind == "cpu" else [kind, kind])


def test_whatever_is_timed_is_timed_by_the_clock(monkeypatch):
    model, asked = TINY["llama"](), []
    ids = torch.arange(3, 9)[None]

    def ticks(device) -> float:
        asked.append(device)
        return float(len(asked))

    monkeypatch.setattr("utils.timing.clock", ticks)
    monkeypatch.setattr("utils.generation.clock", ticks)
    assert [step.seconds for step in generation_steps(model, tiny_tokenizer(), "a", 2)] == [1, 1]
    assert [times.at_once for times in pass_times(model, ids[0], (2, 4))] == [1, 1]
    assert measure_steps(model, (2,), repeats=1).without == (1.0,)
    assert spent(lambda: None, model.device, 1).seconds == 1
    assert measure_speeds(model, {}, [ids * 1.0], ids, 1, 1).limit == 1
    assert set(asked) == {model.device}


def test_speeds_are_measured_and_drawn():
    model = TINY["llama"]()
    decoder = Decoder.from_model(model)
    ways = {
        "parts": lambda ids, new: parts.write(model, ids, new),
        "decoder": decoder.tokens,
    }
    ids = torch.arange(3, 7)[None]
    speeds = measure_speeds(model, ways, decoder.matrices(), ids, new_tokens=5, rounds=2)
    assert speeds.same
    assert [name for name, _speed in speeds.ways] == ["parts", "decoder"]
    assert min(speeds.library, speeds.limit, speeds.product, *dict(speeds.ways).values()) > 0
    words = repr(speeds_picture(speeds))
    assert words.count("tokens/s") == 5
    assert f"on {speeds.cores:.1f} of {torch.get_num_threads()} cores" in words
    assert f"decoder: {speeds.ways[1][1]:.1f} tokens/s" in words
    wrong = measure_speeds(model, {"wrong": lambda ids, new: [0] * new}, [ids * 1.0], ids, 5, 1)
    assert not wrong.same


def busy_for(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        len(zlib.compress(bytes(50_000)))  # lets the other thread work meanwhile


def test_work_is_timed_on_the_wall_and_by_the_cores_it_keeps_busy():
    def by_two() -> None:
        other = threading.Thread(target=busy_for, args=(0.05,))
        other.start()
        busy_for(0.05)
        other.join()

    for work, cores in ((lambda: busy_for(0.05), 1), (by_two, 2)):
        took = spent(work, torch.device("cpu"), rounds=1)
        assert took.seconds >= 0.05
        assert took.cores == pytest.approx(cores, abs=0.4)
    assert spent(lambda: time.sleep(0.02), torch.device("cpu"), rounds=1).seconds >= 0.02


def test_weights_are_read_and_multiplied_once(monkeypatch):
    matrices, seen = [torch.ones(2, 3), torch.ones(4, 3).T.contiguous()], []
    monkeypatch.setattr(torch.Tensor, "sum", lambda matrix: seen.append(matrix))
    reading(matrices)()
    assert [a is b for a, b in zip(seen, matrices, strict=True)] == [True, True]
    monkeypatch.setattr("utils.cores.linear", lambda x, matrix: seen.append(x.shape))
    multiplying(matrices, vectors=8)()
    assert seen[2:] == [(8, 3), (8, 4)]


def test_steps_are_measured_both_ways(tiny):
    model, _tokenizer = tiny
    times = measure_steps(model, (4, 2, 2 * CONTEXT), repeats=1)
    assert times.lengths == (2, 4)
    assert len(times.without) == len(times.cached) == 2
    assert min(times.without + times.cached) > 0


def test_measuring_refuses_lengths_past_the_context():
    with pytest.raises(ValueError, match="context"):
        measure_steps(TINY["llama"](), (CONTEXT,))


def test_answer_seconds_add_up_what_was_measured():
    times = StepTimes((10, 20, 40), (1.0, 2.0, 4.0), (0.5, 0.5, 0.5))
    assert times.step_seconds(10, 3, use_cache=False).tolist() == pytest.approx([1.0, 1.1, 1.2])
    assert times.step_seconds(10, 3, use_cache=True).tolist() == pytest.approx([1.0, 0.5, 0.5])
    assert times.step_seconds(30, 1, True) == times.step_seconds(30, 1, False)
    with pytest.raises(ValueError, match="at least one"):
        times.step_seconds(1, 0, use_cache=True)
