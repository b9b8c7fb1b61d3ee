"""Where a model is put: the best device of the machine, or the one that was asked for."""

import pytest
import torch

from tests.pretend_accelerator import pretend_accelerator
from tests.tiny_models import save_tiny
from utils.device import pick_device
from utils.language import use_language
from utils.model import load_model


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)


def machine(monkeypatch, *devices: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in devices)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in devices)


def test_the_best_device(monkeypatch):
    machine(monkeypatch, "cuda")
    assert pick_device() == "cuda"
    machine(monkeypatch, "mps")
    assert pick_device() == "mps"
    machine(monkeypatch)
    assert pick_device() == "cpu"


def test_the_device_that_was_chosen(monkeypatch):
    machine(monkeypatch, "cuda")
    for chosen, picked in (("cpu", "cpu"), ("cuda:0", "cuda:0"), ("", "cuda")):
        monkeypatch.setenv("COURSE_DEVICE", chosen)
        assert pick_device() == picked


@pytest.mark.parametrize("chosen", ["cuda", "gpu", "CPU"])
def test_a_device_that_is_not_there(chosen, monkeypatch):
    machine(monkeypatch)
    monkeypatch.setenv("COURSE_DEVICE", chosen)
    with pytest.raises(ValueError, match=f"COURSE_DEVICE is '{chosen}'.*leave it out: cpu"):
        load_model("smollm2")
    use_language("ko")
    try:
        with pytest.raises(ValueError, match=f"COURSE_DEVICE.*'{chosen}'.*장치"):
            pick_device()
    finally:
        use_language("en")


def test_a_model_is_loaded_to_the_gpu_unless_told_otherwise(tmp_path, monkeypatch):
    folder = save_tiny(tmp_path)
    with pretend_accelerator():
        assert str(load_model(str(folder))[0].device) == "cuda:0"
        assert str(load_model(str(folder), "cpu")[0].device) == "cpu"
        monkeypatch.setenv("COURSE_DEVICE", "cpu")
        assert str(load_model(str(folder))[0].device) == "cpu"
        assert str(load_model(str(folder), "cuda")[0].device) == "cuda:0"
