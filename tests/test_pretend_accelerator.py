"""The pretended GPU is as strict as a real one, computes the same, and leaves nothing behind."""

import copy
import threading

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.pretend_accelerator import pretend_accelerator
from tests.tiny_models import TINY, tiny_tokenizer


@pytest.fixture
def gpu():
    with pretend_accelerator() as gpu:
        yield gpu


MIXED = {
    "added": lambda far, near: far + near,
    "added, the other way": lambda far, near: near + far,
    "added in place": lambda far, near: near.add_(far),
    "multiplied": lambda far, near: near @ far,
    "joined": lambda far, near: torch.cat([far, near]),
    "stacked numbers": lambda far, near: torch.stack([far[0], near[0]]),
    "compared": lambda far, near: torch.equal(far, near),
    "masked": lambda far, near: far.masked_fill(near > 0, 0.0),
    "chosen": lambda far, near: torch.where(near > 0, far, 0.0),
    "looked up": lambda far, near: functional.embedding(near.long(), far[:, None]),
    "indexed": lambda far, near: near[far.long() - 1],
    "written into": lambda far, near: far.__setitem__(torch.tensor([0, 1, 2]), near),
    "a number against many": lambda far, near: near + far[0].repeat(2)[:1],
    "drawn": lambda far, _near: torch.multinomial(far, 1, generator=torch.Generator()),
    "made at random": lambda far, _near: torch.rand(
        3, generator=torch.Generator(), device=far.device
    ),
}


@pytest.mark.parametrize("how", MIXED)
def test_tensors_of_two_devices_do_not_mix(how, gpu):
    far, near = torch.tensor([1.0, 2.0, 3.0], device="cuda"), torch.tensor([1.0, 2.0, 3.0])
    with pytest.raises(RuntimeError, match="device"):
        MIXED[how](far, near)


def test_numpy_reads_the_cpu_alone(gpu):
    far = torch.ones(3, device="cuda")
    for read in (far.numpy, lambda: np.asarray(far), lambda: np.array([far, far])):
        with pytest.raises(TypeError, match="to numpy"):
            read()
    assert far.cpu().numpy().tolist() == far.tolist() == [1, 1, 1]


def test_what_a_gpu_allows_goes_on(gpu):
    far, near = torch.tensor([1.0, 2.0, 3.0], device="cuda"), torch.tensor([1.0, 2.0, 3.0])
    generator = torch.Generator("cuda").manual_seed(0)
    results = [
        far + near.sum(),  # one number of the CPU's
        far[torch.tensor([0, 2])],  # its indices
        far.clone().copy_(near),
        near.to(far),
        near.cuda().half(),
        far.new_zeros(2),
        far.sort().values,
        torch.zeros_like(far),
        torch.arange(3, device=far.device),
        torch.multinomial(far, 1, generator=generator),
    ]
    far[:2] = near[1:]
    assert {str(result.device) for result in (*results, far[0])} == {"cuda:0"}
    assert far.is_cuda
    assert far.tolist() == [2, 3, 3]
    assert near.tolist() == [1, 2, 3]
    assert "device='cuda:0'" in repr(far)
    assert f"{far[0]:.1f}" == "2.0"
    assert str(far.cpu().device) == str(far.to("cpu").device) == "cpu"


def test_another_device_is_other_memory(gpu):
    near = torch.zeros(3)
    near.to("cuda").fill_(1)
    far = near.to("cuda")
    far.cpu().fill_(1)
    assert near.tolist() == far.tolist() == [0, 0, 0]
    assert far.to("cuda") is far


def test_a_model_moves_whole_and_refuses_the_ids_of_the_cpu(gpu):
    near = TINY["llama"]()
    far = copy.deepcopy(near).to("cuda")
    ids = tiny_tokenizer()("The dog", return_tensors="pt").input_ids
    assert str(near.device) == "cpu"
    assert str(far.device) == "cuda:0"
    assert far.lm_head.weight is far.get_input_embeddings().weight
    assert copy.deepcopy(far).lm_head.weight.is_cuda
    with pytest.raises(RuntimeError, match="same device"):
        far(ids)
    assert torch.equal(far(ids.to("cuda")).logits.cpu(), near(ids).logits)
    far.to("cpu")
    assert torch.equal(far(ids).logits, near(ids).logits)


def test_threads_that_begin_there_have_it_and_nothing_is_left():
    before = torch.cuda.is_available(), torch.Generator, threading.Thread.run
    found = []
    with pretend_accelerator() as gpu:
        thread = threading.Thread(target=lambda: found.append(torch.ones(1, device="cuda")))
        thread.start()
        thread.join()
        torch.cuda.synchronize()
        assert gpu.waits == 1
    assert found[0].is_cuda
    assert before == (torch.cuda.is_available(), torch.Generator, threading.Thread.run)
    assert not torch.__future__.get_swap_module_params_on_conversion()
    if not torch.cuda.is_available():
        with pytest.raises((AssertionError, RuntimeError)):
            torch.ones(1, device="cuda")
