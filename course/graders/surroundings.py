"""Where an answer is graded: under torch's own settings, beside models that stay as they were."""

import contextlib
import random
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course.graders.models import made_again
from utils.language import N_, _

SMALL = 32 * 2**20  # bytes: of a model up to this size, a copy of all weights is kept
CHANGED = {
    "dtype": N_("the type of its numbers", "숫자의 자료형"),
    "device": N_("the device it is on", "놓인 장치"),
    "weights": N_("its weights", "가중치"),
    "parts": N_("which parts it has", "구성 부품"),
    "mode": N_("`train()` or `eval()`", "`train()`과 `eval()` 상태"),
    "hooks": N_("its hooks", "훅"),
    "forward": N_("its `forward`", "`forward` 함수"),
    "lost": N_(
        "its weights, which cannot be put back here: load the model again",
        "가중치(여기서는 되돌릴 수 없으니 모델을 다시 불러오세요)",
    ),
    "gradients": N_("its gradients, or which weights have some", "기울기 또는 기울기 설정"),
    "config": N_("its configuration", "설정(config)"),
}


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """torch's own settings in the block: float32, the CPU, gradients, no autocast.

    And one thread of torch's: on a busy machine two wait for one another most of the time, and a
    check of seconds takes minutes.  Afterwards all is as it was, whatever the block has set.
    """
    dtype, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with contextlib.ExitStack() as block:
        block.callback(torch.set_default_dtype, dtype)
        block.callback(torch.set_float32_matmul_precision, precision)
        block.callback(torch.use_deterministic_algorithms, strict, warn_only=warn_only)
        block.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision("highest")
        torch.use_deterministic_algorithms(False)
        if torch.get_default_device().type != "cpu":
            block.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                block.enter_context(torch.autocast(kind, enabled=False))
        block.enter_context(torch.inference_mode(False))
        block.enter_context(torch.enable_grad())
        yield


@contextlib.contextmanager
def same_random_state() -> Iterator[None]:
    """What is drawn or seeded in the block changes nothing for the learner's next cell."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


def models_in(*things: Any) -> list[nn.Module]:
    """The models among `things`, inside them, and those that a function knows by its names."""
    found: dict[int, nn.Module] = {}
    seen: set[int] = set()

    def look(thing: Any) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if isinstance(thing, nn.Module):
            found[id(thing)] = thing
        elif isinstance(thing, dict):
            list(map(look, thing.values()))
        elif isinstance(thing, list | tuple | set):
            if not all(isinstance(part, int | float | str) for part in thing):
                list(map(look, thing))
        elif isinstance(thing, partial):
            list(map(look, (thing.func, thing.args, thing.keywords)))
        elif isinstance(thing, MethodType):
            list(map(look, (thing.__func__, vars(thing.__self__) if _own(thing) else None)))
        elif isinstance(thing, FunctionType):
            list(map(look, _known_to(thing)))
        elif isinstance(thing, type) and _own(thing):
            list(map(look, vars(thing).values()))

    list(map(look, things))
    inner = {id(part) for model in found.values() for part in model.modules() if part is not model}
    return [model for key, model in found.items() if key not in inner]


def _own(thing: Any) -> bool:
    """Whether this was not made by a library, whose insides are no business of an answer."""
    owner = thing if isinstance(thing, type) else type(thing.__self__)
    return not owner.__module__.startswith(("torch", "transformers", "builtins"))


def _known_to(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # a name that has no value yet
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    for name in function.__code__.co_names:
        known = function.__globals__.get(name)
        if isinstance(known, nn.Module) or (
            isinstance(known, FunctionType) and known.__globals__ is function.__globals__
        ):
            yield known


class Watched:
    """A model as it was; `put_back` says what has changed since, and undoes it.

    Of weights, a copy is kept where they are few.  Of many, samples and torch's own count of writes
    tell whether they changed, and a fresh model where they come from what they were.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        self.modules = [(module, _state(module)) for module in model.modules()]
        held = [*model.parameters(), *model.buffers()]
        few = sum(tensor.numel() * tensor.element_size() for tensor in held) <= SMALL
        self.tensors = [(tensor, _Kept(tensor, few)) for tensor in held]
        configs = [getattr(model, name, None) for name in ("config", "generation_config")]
        self.configs = [
            (config, deepcopy(vars(config))) for config in configs if hasattr(config, "__dict__")
        ]

    def put_back(self) -> list[str]:
        """What has changed, by names of CHANGED; none of it afterwards."""
        changed: set[str] = set()
        for module, before in self.modules:
            changed |= _put_back_state(module, before)
        lost = []
        for place, (tensor, kept) in enumerate(self.tensors):
            changed |= kept.put_back(tensor)
            if kept.written(tensor):
                lost.append(place)
        if lost:
            fresh = made_again(self.model)
            again = [*fresh.parameters(), *fresh.buffers()] if fresh is not None else None
            for place in lost:
                tensor, kept = self.tensors[place]
                if again is None or not torch.equal(tensor, again[place]):
                    changed.add("weights" if again is not None else "lost")
                    if again is not None:
                        with torch.no_grad():
                            tensor.data.copy_(again[place])
                kept.seen(tensor)
        for config, before in self.configs:
            if vars(config) != before:
                changed.add("config")
                vars(config).clear()
                vars(config).update(deepcopy(before))
        return [name for name in CHANGED if name in changed]


class _Kept:
    """A weight as it was: the memory it lay in, and what stood there."""

    def __init__(self, tensor: Tensor, copied: bool):
        self.data, self.grad, self.requires = tensor.data, tensor.grad, tensor.requires_grad
        self.copy = tensor.detach().clone() if copied else None
        self.seen(tensor)

    def seen(self, tensor: Tensor) -> None:
        self.version = tensor._version
        self.sample = None if self.copy is not None else _sample(tensor)

    def put_back(self, tensor: Tensor) -> set[str]:
        """Undo what can be undone without a fresh model; what was changed."""
        changed = set()
        if tensor.dtype != self.data.dtype:
            changed.add("dtype")
        elif tensor.device != self.data.device:
            changed.add("device")
        elif tensor.data_ptr() != self.data.data_ptr():
            changed.add("weights")
        if changed:
            tensor.data = self.data
        if tensor.requires_grad != self.requires or tensor.grad is not self.grad:
            changed.add("gradients")
            tensor.grad = None
            tensor.requires_grad_(self.requires)
            tensor.grad = self.grad
        if self.copy is not None and not torch.equal(
            tensor.detach().nan_to_num(), self.copy.nan_to_num()
        ):
            changed.add("weights")
            with torch.no_grad():
                tensor.data.copy_(self.copy)
        return changed

    def written(self, tensor: Tensor) -> bool:
        """Whether something was written into a weight of which there is no copy."""
        return self.copy is None and (
            tensor._version != self.version or _sample(tensor) != self.sample
        )


def _sample(tensor: Tensor) -> tuple[float, float]:
    """Two sums that change with whole rows, whole columns and the whole: cheap on large weights."""
    numbers = tensor.detach()
    if numbers.dim() < 2:
        return numbers.double().sum().item(), 0.0
    row, column = numbers[len(numbers) // 2], numbers[..., 0]
    return row.double().sum().item(), column.double().sum().item()


def _state(module: nn.Module) -> dict[str, Any]:
    """A module's parts, hooks and mode, by the names torch keeps them under."""
    return {
        name: dict(value) if isinstance(value, dict) else value
        for name, value in vars(module).items()
        if name in ("training", "forward", "_modules", "_parameters", "_buffers")
        or (name.endswith("hooks") and isinstance(value, dict))
    }


def _put_back_state(module: nn.Module, before: dict[str, Any]) -> set[str]:
    now, changed = _state(module), set()
    if now.get("forward") is not before.get("forward"):
        changed.add("forward")
        vars(module).pop("forward", None)
        if "forward" in before:
            vars(module)["forward"] = before["forward"]
    if module.training != before["training"]:
        changed.add("mode")
        module.training = before["training"]
    for name, value in before.items():
        if isinstance(value, dict) and not _same_things(now[name], value):
            changed.add("hooks" if name.endswith("hooks") else "parts")
            vars(module)[name].clear()
            vars(module)[name].update(value)
    return changed


def _same_things(one: dict, other: dict) -> bool:
    return list(one) == list(other) and all(one[key] is other[key] for key in other)


class Watch:
    """All models that an attempt has come near."""

    def __init__(self) -> None:
        self.watched: dict[int, Watched] = {}

    def over(self, *things: Any) -> None:
        """Keep an eye on the models in `things`, too."""
        for model in models_in(*things):
            if id(model) not in self.watched:
                self.watched[id(model)] = Watched(model)

    def put_back(self) -> str:
        """Undo what was done to any of them; what it was in words, "" if nothing."""
        changed = {name for watched in self.watched.values() for name in watched.put_back()}
        return ", ".join(_(says) for name, says in CHANGED.items() if name in changed)
