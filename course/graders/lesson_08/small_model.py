"""What answers to lesson 08 are tried with: a small model in which no two norms are alike."""

from copy import deepcopy
from functools import cache

import torch
from transformers import LlamaForCausalLM

from course.graders.models import tiny_llama

IDS = ((7, 3, 22, 9, 31, 4),)  # one text for it


@cache
def small_model(end: int | None = None) -> LlamaForCausalLM:
    """A Llama of two layers over 40 tokens; `end` is the id of its end token."""
    model = deepcopy(tiny_llama(8, end=end, vocab_size=40))
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms of a new model are all 1: they would look alike
            parameter += torch.linspace(-0.5, 0.5, len(parameter))
    for layer in model.model.layers:
        layer.input_layernorm.weight.copy_(layer.input_layernorm.weight.flip(0))
    return model
