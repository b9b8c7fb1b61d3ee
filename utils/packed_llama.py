"""What `utils.packed_decoder` takes out of a GGUF file: its matrices, fused and still packed."""

from dataclasses import dataclass

import numpy as np

from utils.language import _
from utils.packed_file import PackedFile
from utils.packed_weights import Matrix, tiled

PARTS = (
    *("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"),
    *("ffn_norm", "ffn_gate", "ffn_up", "ffn_down"),
)


@dataclass(frozen=True, eq=False)
class PackedBlock:
    """The weights of one transformer block: two norms, four matrices."""

    norm_1: np.ndarray  # [width]
    qkv: Matrix  # [(heads + 2 · kv_heads) · head_dim, width]
    output: Matrix
    norm_2: np.ndarray
    gate_up: Matrix  # [2 · inner, width]
    down: Matrix


def check_llama(file: PackedFile) -> None:
    """Raise ValueError, naming what is in the way, unless `file` holds a plain Llama."""
    about, layers = file.about, range(file.about.get("llama.block_count", 0))
    kind = about.get("general.architecture", "–")
    known = {f"blk.{layer}.{part}.weight" for layer in layers for part in PARTS}
    known |= {"token_embd.weight", "output_norm.weight"}
    others = sorted(file.names() - known - {"output.weight"}) + sorted(known - file.names())
    if about.get("llama.rope.scaling.type", "none") != "none":
        others.append("llama.rope.scaling.type")
    if kind != "llama" or others:
        raise ValueError(
            _(
                "This decoder reads plain Llamas only. {file} holds a model of the kind {kind}, "
                "and differs in: {others}."
            ).format(file=file.path.name, kind=kind, others=", ".join(others[:3]) or kind)
        )


def packed_block(file: PackedFile, layer: int) -> PackedBlock:
    """The weights of one block of a model, fused."""

    def name(part: str) -> str:
        return f"blk.{layer}.{part}.weight"

    heads, kv_heads = head_counts(file)
    queries = usual_order(file.blocks(name("attn_q")), heads)
    keys = usual_order(file.blocks(name("attn_k")), kv_heads)
    return PackedBlock(
        norm_1=file.vector(name("attn_norm")),
        qkv=fused(file, queries, keys, file.blocks(name("attn_v"))),
        output=tiled(file.blocks(name("attn_output"))),
        norm_2=file.vector(name("ffn_norm")),
        gate_up=fused(file, file.blocks(name("ffn_gate")), file.blocks(name("ffn_up"))),
        down=tiled(file.blocks(name("ffn_down"))),
    )


def head_counts(file: PackedFile) -> tuple[int, int]:
    """How many heads have queries, and how many have keys and values."""
    heads = file.about["llama.attention.head_count"]
    return heads, file.about.get("llama.attention.head_count_kv", heads)


def usual_order(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows [out, …] of queries or keys, each head's first half before its second.

    In the file the two rows that turn together lie side by side.
    """
    pairs = rows.reshape(heads, -1, 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def fused(file: PackedFile, *several: np.ndarray) -> Matrix:
    """One matrix that does the work of several, each given as it lies in the file."""
    if len({blocks.shape[-1] for blocks in several}) > 1:
        raise ValueError(
            _(
                "In {file} matrices that read the same vector are packed in different ways: "
                "they cannot be made one."
            ).format(file=file.path.name)
        )
    return tiled(np.concatenate(several))


def turns(file: PackedFile, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of the angles by which positions turn: each [position, head_dim / 2]."""
    width, heads = file.about["llama.embedding_length"], head_counts(file)[0]
    base = np.float32(file.about.get("llama.rope.freq_base", 10000.0))
    size = file.about.get("llama.rope.dimension_count", width // heads)
    speeds = 1 / base ** (np.arange(0, size, 2, dtype=np.float32) / np.float32(size))
    angles = np.arange(positions, dtype=np.float32)[:, None] * speeds
    return np.cos(angles), np.sin(angles)


def end_ids(file: PackedFile) -> frozenset[int]:
    """The id after which the model has nothing more to say, if it has one."""
    end = file.about.get("tokenizer.ggml.eos_token_id")
    return frozenset() if end is None else frozenset({end})
