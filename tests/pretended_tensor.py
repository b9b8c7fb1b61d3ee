"""A tensor that says it is on a GPU, and is as strict as one there (see `pretend_accelerator`)."""

from typing import Any

import torch
from torch import Tensor

GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")

DEVICES_DIFFER = (
    "Expected all tensors to be on the same device, but found at least two devices, "
    "cuda:0 and cpu! ({name})"
)
TO_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
    "memory first."
)
OTHER_GENERATOR = "Expected a '{wanted}' device type for generator but found '{got}'"

# What takes tensors of two devices.
MOVES = {"copy_", "to", "type_as", "_has_compatible_shallow_copy_type"}
# What does not take a single number of the CPU's either, as arithmetic does.
STRICT = {
    "cat", "concat", "stack", "equal", "embedding", "gather", "index_select", "scatter", "matmul",
    "mm", "bmm", "linear", "multinomial", "cross_entropy",
}  # fmt: skip


def is_gpu(device: Any) -> bool:
    """Whether this is what a GPU is called: "cuda", "cuda:0", 0, or a `torch.device`."""
    if isinstance(device, torch.device):
        return device.type == "cuda"
    if isinstance(device, str):
        return device.partition(":")[0] == "cuda"
    return isinstance(device, int) and not isinstance(device, bool)


class OnGPU(Tensor):
    """A tensor that says it is on `cuda:0`; its numbers lie in the CPU's memory."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return _attribute(func, args)
        if special := SPECIAL.get(func):
            return special(*args, **kwargs)
        check_devices(name, args, kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **kwargs)
        return wrapped(result)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            copy = on_gpu(on_cpu(self.detach()).clone()).requires_grad_(self.requires_grad)
            if isinstance(self, torch.nn.Parameter):
                copy = torch.nn.Parameter(copy, self.requires_grad)
            memo[id(self)] = copy
        return memo[id(self)]


def on_cpu(tensor: Tensor) -> Tensor:
    """The CPU's tensor in the place of one of the GPU's; the same memory."""
    return tensor.as_subclass(Tensor) if isinstance(tensor, OnGPU) else tensor


def on_gpu(tensor: Tensor) -> Tensor:
    return tensor.as_subclass(OnGPU)


def wrapped(result: Any) -> Any:
    if isinstance(result, Tensor):
        return result if isinstance(result, OnGPU) else result.as_subclass(OnGPU)
    if isinstance(result, tuple | list) and not isinstance(result, torch.Size):
        return type(result)(map(wrapped, result)) if has_tensors(result) else result
    return result


def has_tensors(value: Any) -> bool:
    return any(True for _tensor in tensors_in(value))


def tensors_in(value: Any):
    """The tensors among arguments, and in lists, tuples and dicts of them."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def check_devices(name: str, args: Any, kwargs: dict) -> None:
    """Raise as CUDA does where tensors of both devices, or a generator of the other, meet."""
    found = list(tensors_in((args, kwargs)))
    here = [tensor for tensor in found if isinstance(tensor, OnGPU)]
    if not here:
        return
    if len(here) < len(found) and name not in MOVES:
        with torch._C.DisableTorchFunctionSubclass():
            away = max(tensor.dim() for tensor in found if not isinstance(tensor, OnGPU))
        # A single number of the CPU's is a number to the GPU, and not the other way.
        if away or name in STRICT:
            raise RuntimeError(DEVICES_DIFFER.format(name=name))
    generator = kwargs.get("generator")
    if generator is not None and generator.device.type == "cpu":
        raise RuntimeError(OTHER_GENERATOR.format(wanted="cuda", got="cpu"))


# What is otherwise there ---------------------------------------------------------------------


def _attribute(getter: Any, args: tuple) -> Any:
    """An attribute of a tensor: where it is, it says itself; the rest is the CPU's."""
    owner = getattr(getter, "__self__", None)
    name = getattr(owner, "__name__", "")
    said = {"device": GPU, "is_cuda": True, "is_cpu": False}
    if name in said:
        return said[name]
    with torch._C.DisableTorchFunctionSubclass():
        result = getter(*args)
    return wrapped(result)


def _no_numpy(*_args: Any, **_kwargs: Any) -> Any:
    raise TypeError(TO_NUMPY)


def _moved(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """`tensor.to(…)`: another device, type, or both."""
    given = [*args, kwargs.get("device"), kwargs.get("dtype"), kwargs.get("other")]
    dtype = next((part for part in given if isinstance(part, torch.dtype)), None)
    target = next((part for part in given if isinstance(part, str | torch.device | int)), None)
    if like := [part for part in given if isinstance(part, Tensor)]:
        dtype, target = like[0].dtype, like[0].device
    here = isinstance(tensor, OnGPU)
    there = here if target is None or isinstance(target, bool) else is_gpu(target)
    with torch._C.DisableTorchFunctionSubclass():
        dtype, target = dtype or tensor.dtype, CPU if here or there else target
        if here and there and dtype == tensor.dtype and not kwargs.get("copy"):
            return tensor
        moved = on_cpu(tensor).to(target, dtype, copy=here != there or kwargs.get("copy", False))
        return on_gpu(moved) if there else moved


def _to_cuda(tensor: Tensor, *_device: Any, **_named: Any) -> Tensor:
    return _moved(tensor, GPU)


def _to_cpu(tensor: Tensor, *_more: Any, **_named: Any) -> Tensor:
    return _moved(tensor, CPU)


def _index_for(tensor: Tensor, index: Any) -> Any:
    """An index as the tensor's device takes it: the GPU takes the CPU's, and not the other way."""
    if isinstance(index, tuple | list):
        return type(index)(_index_for(tensor, part) for part in index)
    if isinstance(index, OnGPU):
        if not isinstance(tensor, OnGPU) and index.dim():
            raise RuntimeError(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
            )
        return on_cpu(index)
    return index


def _get_item(tensor: Tensor, index: Any) -> Tensor:
    index = _index_for(tensor, index)
    with torch._C.DisableTorchFunctionSubclass():
        result = Tensor.__getitem__(tensor, index)
    return on_gpu(result) if isinstance(tensor, OnGPU) else result


def _set_item(tensor: Tensor, index: Any, value: Any) -> None:
    index = _index_for(tensor, index)
    if isinstance(value, Tensor) and value.dim() and has_tensors(index):
        check_devices("index_put_", (tensor, value), {})
    with torch._C.DisableTorchFunctionSubclass():
        Tensor.__setitem__(tensor, index, value)


def _said(tensor: Tensor, **_named: Any) -> str:
    with torch._C.DisableTorchFunctionSubclass():
        text = repr(on_cpu(tensor.detach()))
    return f"{text[:-1]}, device='cuda:0')"


def _formatted(tensor: Tensor, spec: str) -> str:
    with torch._C.DisableTorchFunctionSubclass():
        return format(on_cpu(tensor.detach()), spec) if tensor.dim() == 0 else _said(tensor)


SPECIAL = {
    Tensor.numpy: _no_numpy,
    Tensor.__array__: _no_numpy,
    Tensor.to: _moved,
    Tensor.cuda: _to_cuda,
    Tensor.cpu: _to_cpu,
    Tensor.__getitem__: _get_item,
    Tensor.__setitem__: _set_item,
    Tensor.__repr__: _said,
    Tensor.__format__: _formatted,
    Tensor.get_device: lambda _tensor: 0,
    Tensor.pin_memory: lambda tensor, *_more, **_named: tensor,
}
