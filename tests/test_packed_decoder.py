"""The packed decoder against `transformers`: the same weights to the bit, the same logits and text.

On a tiny model, written in 4 bits as the default one is; and a little on the default model itself.
"""

import subprocess
import sys
import threading

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.test_decoder import some_ids
from tests.tiny_models import write_tiny_gguf
from utils import packed_decoder
from utils.decoder import Decoder
from utils.model_store import packed_model
from utils.packed_decoder import PackedDecoder
from utils.packed_file import PackedFile
from utils.packed_weights import tiled

pytest.importorskip("numba")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_tiny_gguf(tmp_path_factory.mktemp("packed") / "tiny.gguf")


@pytest.fixture(scope="module")
def model(file):
    """The same file, as `transformers` unpacks it."""
    return AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name).eval()


@pytest.fixture(scope="module")
def decoder(file):
    return PackedDecoder.load(file)


def everything(matrix) -> torch.Tensor:
    return torch.from_numpy(matrix.unpacked(np.arange(matrix.rows)))


def test_its_weights_are_those_of_the_library_to_the_bit(decoder, model):
    ours, theirs = decoder.blocks[1], Decoder.from_model(model).blocks[1]
    for name in ("qkv", "output", "gate_up", "down"):
        assert torch.equal(everything(getattr(ours, name)), getattr(theirs, name).weight)
    assert torch.equal(everything(decoder.head), model.lm_head.weight)


@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0"])
@pytest.mark.parametrize("rows", [16, 21])
def test_a_packed_product_is_that_of_the_unpacked_matrix(kind, rows):
    random = np.random.default_rng(0)
    plain = random.standard_normal((rows, 96), np.float32)
    blocks = gguf.quants.quantize(plain, gguf.GGMLQuantizationType[kind])
    matrix = tiled(blocks.reshape(rows, 3, -1))
    weights = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[kind])
    assert np.array_equal(matrix.unpacked(np.arange(rows)), weights)
    for positions in (1, 5):
        x = random.standard_normal((positions, 96), np.float32)
        assert np.allclose(matrix.times(x), x @ weights.T, atol=1e-4)


def test_logits_are_the_library_s_however_the_text_is_cut(decoder, model):
    ids = some_ids(model, 150)  # more than go through the model together
    whole = model(ids).logits
    assert torch.allclose(decoder(ids), whole, atol=1e-3)
    for sizes in ([149, 1], [20, 1, 129], [1, 148, 1]):
        cache = decoder.new_cache()
        pieces = [decoder(piece, cache) for piece in ids.split(sizes, dim=1)]
        assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-3)
        assert cache.get_seq_length() == 150


def test_writes_what_the_library_writes_and_stops_where_it_does(decoder, model):
    for seed in range(4):
        ids = some_ids(model, 5 + 60 * seed, seed)
        expected = model.generate(ids, max_new_tokens=40, do_sample=False, pad_token_id=0)
        assert decoder.generate(ids, 40).tolist() == expected.tolist()
        assert np.array_equal(decoder.generate(ids.numpy(), 40), expected.numpy())


def test_chooses_as_it_is_told_from_what_it_is_given(decoder, model):
    ids = some_ids(model, 5)
    least = next(decoder.tokens(ids, 3, lambda logits: int(torch.argmin(logits))))
    assert least == int(model(ids).logits[0, -1].argmin())


def test_an_end_token_is_the_last(decoder, model):
    ids = some_ids(model, 5)
    written = list(decoder.tokens(ids, 20))
    at = next(n for n, token in enumerate(written) if n and token not in written[:n])
    ends = packed_decoder.replace(decoder, end_ids=frozenset({written[at]}))
    assert list(ends.tokens(ids, 20)) == written[: at + 1]


def test_threads_take_turns(decoder, model):
    ids = [some_ids(model, 30, seed) for seed in range(4)]
    alone = [decoder.generate(each, 15).tolist() for each in ids]
    together: dict[int, list] = {}

    def write(number):
        together[number] = decoder.generate(ids[number], 15).tolist()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(4)] == alone


def test_says_when_a_text_has_no_room(file, decoder):
    small = PackedDecoder.load(file, max_positions=16)
    cache = small.new_cache()
    small(torch.ones(1, 10).long(), cache)
    for call in (
        lambda: small(torch.ones(1, 17).long()),
        lambda: small(torch.ones(1, 7).long(), cache),
        lambda: small.generate(torch.ones(1, 10).long(), 7),
    ):
        with pytest.raises(ValueError, match="17 tokens, and there is room for 16"):
            call()
    assert cache.get_seq_length() == 10
    with pytest.raises(ValueError, match="max_positions must be 1 or more"):
        PackedDecoder.load(file, max_positions=0)
    for ids in (torch.ones(2, 3), torch.ones(3), torch.ones(1, 0)):
        with pytest.raises(ValueError, match="one text that is not empty"):
            decoder(ids.long())
    with pytest.raises(ValueError, match="at least one token"):
        decoder.generate(torch.ones(1, 3).long(), 0)


def written(path, architecture="llama", kind="Q4_1", more=(), lacks=()):
    """A GGUF file that is nearly a Llama of one layer."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_head_count(2)
    writer.add_embedding_length(32)
    writer.add_context_length(64)
    writer.add_layer_norm_rms_eps(1e-5)
    names = {f"blk.0.{part}" for part in ("attn_q", "attn_k", "attn_v", "attn_output")}
    names |= {f"blk.0.ffn_{part}" for part in ("gate", "up", "down")} | {"token_embd"}
    for name in sorted((names | set(more)) - set(lacks)):
        packed = gguf.quants.quantize(np.ones((32, 32), np.float32), four := kinds[kind])
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=four)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


kinds = gguf.GGMLQuantizationType.__members__


def test_names_what_it_does_not_read(tmp_path):
    path = tmp_path / "model.gguf"
    assert PackedDecoder.load(written(path)).heads == 2
    for expected, about in {
        "of the kind qwen2": {"architecture": "qwen2"},
        "blk.0.attn_q_norm.weight": {"more": ["blk.0.attn_q_norm"]},
        "blk.0.ffn_up.weight": {"lacks": ["blk.0.ffn_up"]},
        "not packed as Q4_1 or Q8_0": {"kind": "Q5_0"},
    }.items():
        with pytest.raises(ValueError, match=expected):
            PackedDecoder.load(written(path, **about))
    path.write_text("no model")
    with pytest.raises(ValueError, match=r"model\.gguf is not a GGUF file"):
        PackedDecoder.load(path)


def test_without_numba_it_says_so_and_the_rest_of_the_course_is_not_concerned(monkeypatch, file):
    monkeypatch.setattr(packed_decoder, "numba", None)
    with pytest.raises(ValueError, match="numba, which is missing"):
        PackedDecoder.load(file)
    imports = "import sys; sys.modules['numba'] = None; import utils.packed_decoder"
    subprocess.run([sys.executable, "-c", imports], check=True)


def test_needs_no_pytorch(file):
    script = "import sys, numpy; from utils.packed_decoder import PackedDecoder as P\n"
    script += f"P.load({str(file)!r}).generate(numpy.ones((1, 3), int), 2)\n"
    script += "assert not {'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_default_model(default_model):
    """Its weights to the bit, where they differ in kind, its logits and a few tokens."""
    model, tokenizer = default_model
    decoder = PackedDecoder.load()
    attention = model.model.layers[7].self_attn
    rows = torch.cat([getattr(attention, f"{part}_proj").weight for part in "qkv"])
    assert torch.equal(everything(decoder.blocks[7].qkv), rows)
    some = np.array([0, 1, 777, 49151])
    assert torch.equal(torch.from_numpy(decoder.head.unpacked(some)), model.lm_head.weight[some])
    ids = tokenizer("Once upon a time, in 서울", return_tensors="pt").input_ids
    assert (decoder(ids) - model(ids).logits).abs().max() < 1e-3
    expected = model.generate(ids, max_new_tokens=5, do_sample=False, pad_token_id=2)
    assert decoder.generate(ids, 5).tolist() == expected.tolist()
    assert PackedFile(packed_model()).about["llama.block_count"] == 30
