"""What answers to lesson 08 are tried with: a small model in which no two norms are alike."""

from copy import deepcopy

import torch
from transformers import LlamaForCausalLM

from course.graders.models import remembered, tiny_llama

IDS = ((7, 3, 22, 9, 31, 4),)  # one text for it


@remembered
def small_model(end: int | None = None) -> LlamaForCausalLM:
    """A Llama of two layers over 40 tokens; `end` is the id of its end token."""
    model = deepcopy(
        tiny_llama(8, end=end, vocab_size=40, num_attention_heads=8, rms_norm_eps=0.1)
    )  # an eps that is felt, and more query heads to a key-value head than there are of these
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms of a new model are all 1: they would look alike
            parameter += torch.linspace(-0.5, 0.5, len(parameter))
    for layer in model.model.layers:
        layer.input_layernorm.weight.copy_(layer.input_layernorm.weight.flip(0))
    return model
