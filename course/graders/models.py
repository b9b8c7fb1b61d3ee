"""What graders try answers with: the default model, tiny models, and the same noise every time."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from utils.model import load_model


@cache
def default_model() -> tuple[Any, Any]:
    """The default model and its tokenizer on the CPU, whichever model the notebook itself runs."""
    return load_model("smollm2", device="cpu")


def made_again(model: nn.Module) -> nn.Module | None:
    """A fresh model like `model`, with the weights it came with; None where nobody knows how."""
    if default_model.cache_info().currsize and model is default_model()[0]:
        return default_model.__wrapped__()[0]
    return None


MADE: dict[Any, str] = {}
"""By what they are known, models and large tensors: code that makes each of them again."""


def made_by(value: Any) -> str:
    """Code that makes a model, a part of it, its tokenizer or its numbers again; "" if unknown."""
    if default_model.cache_info().currsize:
        for place, thing in enumerate(default_model()):
            MADE[id(thing)] = f"course.graders.models.default_model()[{place}]"
    if isinstance(value, Tensor) and (made := MADE.get(_known_as(value))):
        return made
    for model, made in [(m, MADE[id(m)]) for m in _known_models()]:
        if value is model:
            return made
        if value is model.config:
            return f"{made}.config"
        if isinstance(value, nn.Parameter):
            for name, weight in model.named_parameters():
                if weight is value:
                    return f'{made}.get_parameter("{name}")'
        elif isinstance(value, nn.Module):
            for name, part in model.named_modules():
                if part is value:
                    return f'{made}.get_submodule("{name}")'
    return MADE.get(id(value), "") if not isinstance(value, Tensor | int | float | str) else ""


def remember(tensor: Tensor, code: str) -> Tensor:
    """The tensor itself; from now on it is known that `code`, a function's dotted name and its
    arguments, makes it again."""
    MADE[_known_as(tensor)] = code
    return tensor


def _known_as(tensor: Tensor) -> tuple:
    """What tells a tensor from others, copies of it included."""
    return tensor.shape, tensor.dtype, tensor.detach().double().sum().item()


def _known_models() -> list[Any]:
    default = [default_model()[0]] if default_model.cache_info().currsize else []
    return [*MODELS, *default]


MODELS: list[Any] = []
"""The small models that have been made: they are kept for good, so their ids stay theirs."""


def remembered(make: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what `make` gives for the same arguments, and the code that makes it again."""

    @cache
    @wraps(make)
    def kept(*given: Any, **named: Any) -> Any:
        model = make(*given, **named)
        arguments = [*map(repr, given), *(f"{name}={value!r}" for name, value in named.items())]
        MADE[id(model)] = f"{make.__module__}.{make.__name__}({', '.join(arguments)})"
        MODELS.append(model)
        return model

    return kept


@remembered
def tiny_llama(seed: int = 0, *, end: int | None = None, **config: Any) -> LlamaForCausalLM:
    """A Llama of two layers with random weights, quick to run; `end` is the id of its end token.

    config: what differs from 64 tokens, width 32, 4 query heads and 2 key-value heads.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(LlamaConfig(**(SMALL | config)))
    model.generation_config.eos_token_id = end
    return model.eval().requires_grad_(False)


SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,  # as wide as this, greedy search does not fall into a loop at once
    "bos_token_id": None,
    "eos_token_id": None,
}


LARGE = 256  # numbers: a tensor of more is known by how it is made


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """The same random numbers every time, without touching the learner's random state.

    They have two digits after the point, so that a page can show them as they are.
    """
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).mul(100).round() / 100
    if made.numel() <= LARGE:
        return made
    return remember(made, f"{__name__}.numbers({', '.join(map(str, shape))}, seed={seed})")


def linear(weight: Tensor) -> nn.Linear:
    """A layer that multiplies by `weight`, [out, in]."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False).requires_grad_(False)
    layer.weight.copy_(weight)
    return layer


def norm(weight: Tensor, eps: float) -> nn.RMSNorm:
    """An RMSNorm with the gain `weight`, [width]."""
    made = nn.RMSNorm(len(weight), eps=eps).requires_grad_(False)
    made.weight.copy_(weight)
    return made
