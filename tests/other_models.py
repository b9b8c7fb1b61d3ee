"""Tiny models of more kinds: what the course's parts rebuild, and what they must refuse.

Each is used in a few tests only, unlike those of `tests.tiny_models`.
"""

from functools import cache

import torch
import transformers

from tests.tiny_models import CONTEXT, GROUPED, WINDOW, _random

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
ORIGINAL = 32  # tokens at which the rotary positions of "phi-3 longrope" change
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": ORIGINAL,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
}


def _rope(**rope) -> dict:
    return {"rope_parameters": {"rope_theta": 500.0, **rope}}


PLAIN = {  # a plain Llama, to the parts
    "llama": lambda: _random(transformers.LlamaConfig, **GROUPED),
    "mistral": lambda: _random(transformers.MistralConfig, **GROUPED, sliding_window=None),
}
REFUSED = {  # and what is missing in those that are not
    "llama with biases": (
        "biases",
        lambda: _random(transformers.LlamaConfig, **GROUPED, attention_bias=True, mlp_bias=True),
    ),
    "llama 3": (
        "llama3",
        lambda: _random(transformers.LlamaConfig, **GROUPED, rope_parameters=LLAMA3),
    ),
    "llama linear": (
        "linear",
        lambda: _random(
            transformers.LlamaConfig, **GROUPED, **_rope(rope_type="linear", factor=4.0)
        ),
    ),
    "llama yarn": (
        "yarn",
        lambda: _random(
            transformers.LlamaConfig,
            **GROUPED,
            **_rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=32),
        ),
    ),
    "llama gelu": (
        "gelu",
        lambda: _random(transformers.LlamaConfig, **GROUPED, hidden_act="gelu"),
    ),
    "mistral with a window": (
        f"window of {WINDOW}",
        lambda: _random(transformers.MistralConfig, **GROUPED, sliding_window=WINDOW),
    ),
    "qwen 2": ("biases", lambda: _random(transformers.Qwen2Config, **GROUPED)),
    "qwen 3": ("norms of queries", lambda: _random(transformers.Qwen3Config, **GROUPED)),
    "olmo 2": ("norms of queries", lambda: _random(transformers.Olmo2Config, **GROUPED)),
    "granite": (
        "residual_multiplier",
        lambda: _random(
            transformers.GraniteConfig,
            **GROUPED,
            residual_multiplier=0.22,
            embedding_multiplier=12.0,
            attention_multiplier=0.1,
            logits_scaling=8.0,
        ),
    ),
    "gemma 2": (
        "softcapping",
        lambda: _random(transformers.Gemma2Config, **GROUPED, head_dim=8, sliding_window=CONTEXT),
    ),
    "cohere": ("logit_scale", lambda: _random(transformers.CohereConfig, **GROUPED)),
    "gpt-2": (
        "GPT2",
        lambda: _random(transformers.GPT2Config, n_embd=32, n_layer=2, n_head=4),
    ),
}


@cache
def other(name: str) -> transformers.PreTrainedModel:
    """One of them, its biases and norms no longer 0 and 1."""
    model = PLAIN[name]() if name in PLAIN else REFUSED[name][1]()
    generator = torch.Generator().manual_seed(1)
    for kind, parameter in model.named_parameters():
        if kind.endswith("bias") or parameter.ndim == 1:
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


@cache
def longrope() -> transformers.PreTrainedModel:
    """A Phi-3 whose rotary positions change at ORIGINAL tokens."""
    return _random(
        transformers.Phi3Config,
        **GROUPED,
        original_max_position_embeddings=ORIGINAL,
        rope_parameters=LONGROPE,
    )
