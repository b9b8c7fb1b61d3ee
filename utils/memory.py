"""Models as their makers published them, in numbers: enough to say how much memory they take."""

from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GPT2Config, LlamaConfig, Phi3Config, PreTrainedConfig

from utils.kv_cache import predicted_cache_bytes
from utils.language import _


@dataclass(frozen=True)
class KnownModel:
    """A published model: its config, and how many parameters that makes."""

    name: str
    config: PreTrainedConfig
    parameters: int

    @property
    def heads(self) -> int:
        return self.config.num_attention_heads

    @property
    def kv_heads(self) -> int:
        return getattr(self.config, "num_key_value_heads", self.heads)

    @property
    def context(self) -> int:
        return self.config.max_position_embeddings


def _llama(
    vocab: int,
    width: int,
    inner: int,
    layers: int,
    heads: int,
    kv_heads: int,
    context: int,
    **more: Any,
) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=context,
        **more,
    )


_phi3 = Phi3Config(
    vocab_size=32064,
    hidden_size=3072,
    intermediate_size=8192,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=32,
    max_position_embeddings=4096,
    sliding_window=2047,
)
_smollm2 = _llama(49152, 576, 1536, 30, 9, 3, 8192, tie_word_embeddings=True)
_ALL = (
    KnownModel("GPT-2", GPT2Config(), 124_439_808),
    KnownModel("SmolLM2-135M", _smollm2, 134_515_008),
    KnownModel("Phi-3-mini-4k", _phi3, 3_821_079_552),
    KnownModel("Llama-2-7B", _llama(32000, 4096, 11008, 32, 32, 32, 4096), 6_738_415_616),
    KnownModel("Llama-3-8B", _llama(128256, 4096, 14336, 32, 32, 8, 8192), 8_030_261_248),
    KnownModel("Llama-3-70B", _llama(128256, 8192, 28672, 80, 64, 8, 8192), 70_553_706_496),
    KnownModel(
        "Llama-3.1-405B", _llama(128256, 16384, 53248, 126, 128, 8, 131072), 405_853_388_800
    ),
)
KNOWN_MODELS = {model.name: model for model in _ALL}


@dataclass(frozen=True)
class MemoryUse:
    """What a model and its cache take, in bytes."""

    model: KnownModel
    tokens: int
    batch: int
    dtype: torch.dtype
    weights: int
    cache: int  # as the model is built
    multi_head: int  # if every query head had keys and values of its own
    curve: tuple[tuple[int, int, int], ...]  # (tokens, cache, multi_head) over many lengths


def memory_use(name: str, tokens: int, batch: int, dtype: torch.dtype) -> MemoryUse:
    """The bytes of `batch` texts of `tokens` tokens each, all weights and numbers being `dtype`.

    Raises ValueError if no model in KNOWN_MODELS has that name.

    >>> memory_use("GPT-2", tokens=1000, batch=1, dtype=torch.float16).cache
    36864000
    """
    if name not in KNOWN_MODELS:
        raise ValueError(
            _("There is no model {name} here. There are: {names}.").format(
                name=name, names=", ".join(KNOWN_MODELS)
            )
        )
    model = KNOWN_MODELS[name]
    each_its_own = copy(model.config)
    if model.kv_heads != model.heads:
        each_its_own.num_key_value_heads = model.heads

    def both(tokens: int) -> tuple[int, int]:
        as_built = predicted_cache_bytes(model.config, tokens, batch, dtype)
        return as_built, predicted_cache_bytes(each_its_own, tokens, batch, dtype)

    curve = tuple((2**power, *both(2**power)) for power in range(7, 18))
    weights = model.parameters * dtype.itemsize
    return MemoryUse(model, tokens, batch, dtype, weights, *both(tokens), curve)
