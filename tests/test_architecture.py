"""Where the parts of a model stand, on every tiny architecture."""

import pytest
import transformers

from tests.tiny_models import TINY
from utils.architecture import (
    KINDS,
    attention_modules,
    blocks,
    final_norm,
    last_matrix,
    output_projection,
    part_kind,
    projections,
)


def test_parts_are_found_in_every_architecture(tiny):
    model, _tokenizer = tiny
    found = blocks(model)
    assert [block.attention for block in found] == attention_modules(model)
    assert [block.layer for block in found] == [*range(model.config.num_hidden_layers)]
    width = model.config.hidden_size
    for block in found:
        assert part_kind(model, "", block.attention) == "attention"
        assert part_kind(model, "", block.feed_forward) == "feed_forward"
        assert part_kind(model, "", block.module) is None
        assert block.norms()
        assert {part_kind(model, "", norm) for norm in block.norms()} == {"norm"}
        for matrix in (output_projection(block.attention), last_matrix(model, block.feed_forward)):
            assert width in matrix.weight.shape
    inside = {module for block in found for module in block.module.modules()}
    assert final_norm(model) not in inside
    assert part_kind(model, "", model.get_input_embeddings()) == KINDS[0]
    assert part_kind(model, "", model.get_output_embeddings()) == KINDS[-1]


def test_matrices_under_other_names_are_refused_by_name():
    with pytest.raises(ValueError, match="GPT2Attention"):
        projections(attention_modules(TINY["gpt-2"]())[0])


def test_a_model_without_a_final_norm_is_named():
    config = transformers.OPTConfig(
        hidden_size=16, ffn_dim=16, num_hidden_layers=1, num_attention_heads=2,
        vocab_size=30, word_embed_proj_dim=8, do_layer_norm_before=False,
    )  # fmt: skip
    with pytest.raises(ValueError, match="OPTForCausalLM"):
        final_norm(transformers.OPTForCausalLM(config))
