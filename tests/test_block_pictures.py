"""One query, a gate, shapes, turning: what the pictures say is what `transformers` computes."""

import pytest
import torch

from tests.tiny_models import TINY, tiny_tokenizer
from utils import parts
from utils.architecture import blocks
from utils.attention import HeadView, record_attention
from utils.explorers.turning import TurningExplorer
from utils.figures.gating import gating_picture
from utils.figures.head_shapes import head_shapes_picture
from utils.figures.one_query import one_query_picture
from utils.figures.turning import turning_picture
from utils.gating import record_gating
from utils.head_shapes import HeadShapes, head_shapes
from utils.hooks import hooked
from utils.turning import KEY, QUERY, Turning

TEXT = "The dog chased the squirrel"


def test_one_query_tells_the_weights_and_what_each_position_hands_over():
    record = record_attention(TINY["llama"](), tiny_tokenizer(), TEXT)
    picture = one_query_picture(HeadView(record, 1, 2, 3, "weights"))
    title, *rows = picture.words.splitlines()
    assert title == f"layer 1, head 2: '{record.tokens[3]}' asks"
    lengths = record.contributions(1, 2)[3, :4].norm(dim=-1)
    assert rows == [region.text for region in picture.regions]
    for row, token, weight, length in zip(
        rows, record.tokens, record.weights[1][2, 3, :4], lengths, strict=False
    ):
        says = f"'{token}': weight {weight:.2f}, length of weight × value {length:.2f}"
        assert row == says
    assert len(rows) == 4  # and none for what comes later


def test_a_gates_products_are_what_goes_into_the_last_matrix():
    model, kept = TINY["llama"](), []
    record = record_gating(model, tiny_tokenizer(), TEXT, layer=1)
    down = blocks(model)[1].feed_forward.down_proj
    with hooked([down], lambda _module, inputs: kept.append(inputs), before=True), torch.no_grad():
        model(tiny_tokenizer()(TEXT, return_tensors="pt").input_ids)
    inner = kept[0][0, -1]
    torch.testing.assert_close(record.products, inner[list(record.numbers)])
    assert record.gate.tolist() == sorted(record.gate.tolist())
    words = gating_picture(record).words
    assert f"neuron {record.numbers[0]}: silu({float(record.gate[0]):.2f})" in words


def test_a_layer_without_such_a_gate_is_refused_with_its_name():
    with pytest.raises(ValueError, match="GPT2"):
        record_gating(TINY["gpt-2"](), tiny_tokenizer(), TEXT, layer=0)
    with pytest.raises(ValueError, match="there is no layer 7"):
        record_gating(TINY["llama"](), tiny_tokenizer(), TEXT, layer=7)


def test_the_shapes_are_those_of_the_parts_and_of_the_model():
    model = TINY["llama"]()
    shapes = head_shapes(model, 5)
    record = record_attention(model, tiny_tokenizer(), TEXT)
    heads, _positions, size = record.queries[0].shape
    assert shapes == HeadShapes(5, heads, len(record.keys[0]), size)
    split = parts.split_heads(torch.zeros(5, shapes.kv_heads * size), shapes.kv_heads)
    repeated = parts.repeat_kv(split, shapes.groups)
    picture = head_shapes_picture(shapes)
    *_rest, keys, last = picture.words.splitlines()
    assert str(list(split.shape)) in keys
    assert str(list(repeated.shape)) in last
    assert len(picture.regions) == 4


@pytest.mark.parametrize("distance", [0, 1, 3, 10])
def test_turned_together_only_the_distance_counts(distance):
    scores = [Turning(at, distance).products.sum() for at in (0, 1, 7, 20, 120)]
    torch.testing.assert_close(torch.stack(scores), scores[0].expand(5), atol=1e-4, rtol=0)
    if distance == 0:
        unturned = sum(a * b for a, b in zip(QUERY, KEY, strict=True))
        assert float(scores[0]) == pytest.approx(unturned, abs=1e-4)
    else:
        assert abs(scores[0] - Turning(0, 0).products.sum()) > 0.05


def test_the_dials_and_the_sum_say_what_was_turned():
    record = Turning(2, 3)
    picture = turning_picture(record)
    assert "pair 0: query turned by 5.0, key by 2.0, 3.0 between" in picture.words
    assert [region.text for region in picture.regions] == picture.words.splitlines()[1:3]
    total = f"{float(record.products.sum()):.2f}"
    assert picture.words.splitlines()[-1] == f"both 100 positions later: {total}"
    explorer = TurningExplorer().set(distance=3)
    before = repr(explorer).splitlines()[-1]
    explorer.set(key_position=15)
    assert repr(explorer).splitlines()[-1] == before
    explorer.set(distance=4)
    assert repr(explorer).splitlines()[-1] != before
