"""A GPU for machines that have none: tensors that say they are on it, and are as strict as there.

`with pretend_accelerator() as gpu:` torch has CUDA.  A tensor that is put there computes on the
CPU, by the same code and so with the same results, says `cuda:0`, and raises what CUDA raises where
it meets a tensor of the CPU's.  Afterwards torch is as it was.
"""

import contextlib
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.pretended_tensor import (
    CPU,
    GPU,
    OTHER_GENERATOR,
    SPECIAL,
    has_tensors,
    is_gpu,
    on_cpu,
    wrapped,
)

# What makes tensors --------------------------------------------------------------------------


class _Mode(TorchFunctionMode):
    """Factories with `device="cuda"`, and what moves a tensor of the CPU's to the GPU."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in (Tensor.to, Tensor.cuda):
            return SPECIAL[func](*args, **kwargs)
        if func is Tensor.__getitem__ or func is Tensor.__setitem__:
            return SPECIAL[func](*args, **kwargs)
        if func is torch.set_default_device:
            raise NotImplementedError("pass the device to what makes a tensor")
        device = kwargs.get("device")
        if device is None:
            return func(*args, **kwargs)
        generator = kwargs.get("generator")
        if generator is not None and (generator.device.type == "cuda") != is_gpu(device):
            raise RuntimeError(
                OTHER_GENERATOR.format(wanted=torch.device(device).type, got=generator.device.type)
            )
        args, rest = _all_on_cpu(args), _all_on_cpu(kwargs)
        if not is_gpu(device):
            return func(*args, **rest)
        result = func(*args, **rest | {"device": CPU})
        return wrapped(result)


def _all_on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return on_cpu(value)
    if isinstance(value, tuple | list):
        return type(value)(map(_all_on_cpu, value)) if has_tensors(value) else value
    if isinstance(value, dict):
        return {name: _all_on_cpu(part) for name, part in value.items()}
    return value


class _Generator(torch.Generator):
    """A generator of random numbers that says where it draws."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls)
        made.where = GPU if is_gpu(device) else CPU
        return made

    @property
    def device(self):
        return self.where


# torch with a GPU ----------------------------------------------------------------------------


@dataclass
class Pretended:
    """What was asked of the GPU meanwhile."""

    waits: int = 0  # times that Python waited for it

    def synchronize(self, _device: Any = None) -> None:
        self.waits += 1


MEMORY = 8 * 2**30  # bytes


@contextlib.contextmanager
def pretend_accelerator():
    """Within it torch has a GPU, `cuda:0`, in every thread that begins there."""
    gpu = Pretended()
    run = threading.Thread.run

    def run_with_gpu(thread):
        with _Mode():
            run(thread)

    properties = SimpleNamespace(
        name="Pretended GPU", total_memory=MEMORY, major=8, minor=0, multi_processor_count=1
    )
    replaced = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda _device: None,
        "synchronize": gpu.synchronize,
        "get_device_name": lambda _device=None: properties.name,
        "get_device_properties": lambda _device=None: properties,
        "get_device_capability": lambda _device=None: (8, 0),
        "is_bf16_supported": lambda *_given, **_named: True,
        "mem_get_info": lambda _device=None: (MEMORY, MEMORY),
        "memory_allocated": lambda _device=None: 0,
        "max_memory_allocated": lambda _device=None: 0,
        "memory_reserved": lambda _device=None: 0,
        "reset_peak_memory_stats": lambda _device=None: None,
        "empty_cache": lambda: None,
        "manual_seed": lambda _seed: None,
        "manual_seed_all": lambda _seed: None,
        "get_rng_state": lambda _device=None: torch.zeros(1, dtype=torch.uint8),
        "set_rng_state": lambda _state, _device=None: None,
        "device": lambda _device: contextlib.nullcontext(),
        "_lazy_init": lambda: None,
    }
    swaps = torch.__future__.get_swap_module_params_on_conversion()
    with contextlib.ExitStack() as stack:
        for name, instead in replaced.items():
            stack.enter_context(patch.object(torch.cuda, name, instead))
        stack.enter_context(patch.object(torch, "Generator", _Generator))
        stack.enter_context(patch.object(threading.Thread, "run", run_with_gpu))
        torch.__future__.set_swap_module_params_on_conversion(True)  # a model's tensors change kind
        stack.callback(torch.__future__.set_swap_module_params_on_conversion, swaps)
        stack.enter_context(_Mode())
        yield gpu
