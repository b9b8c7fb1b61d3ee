"""The rows about the packed decoder: its speed, its share of what reading allows, its memory."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

import numpy as np
import torch

from benchmarks.claims import ROOT, Claim, Result
from utils.cores import reading
from utils.decoder import Decoder
from utils.model import load_model
from utils.packed_decoder import PackedDecoder
from utils.packed_weights import Matrix
from utils.timing import library_writes

BEGINNINGS = (
    *("Once upon a time", "The capital of France is", "Dear Sarah,", "The Shawshank", "🙂"),
    *("Water boils at", "In 1969,", "My favourite recipe", "The best way to learn", "1, 2, 3, 4,"),
    *("프랑스의 수도는", "옛날 옛적에", "언어 모델은", "오늘 날씨가", "서울에서 부산까지"),
    *("안녕하세요, 저는", "물은 몇 도에서", "강아지가", "컴퓨터는", "김치를 만드는 방법"),
    *(
        "def fibonacci(n):",
        "import numpy as np\n",
        "for i in range(10):",
        "SELECT * FROM",
        "<html>",
    ),
    *("class Stack:\n    ", "#include <stdio.h>", "{'name': 'Ada',", "x = [", "print("),
    *(
        "🎉🎉🎉",
        "😀 means",
        "🐶 🐱 🐭",
        "I ❤️",
        "🌍 is",
        "☀️ + 🌧️ =",
        "Ünïcödé",
        "日本の",
        "Привет",
        "∑",
    ),
)
MESSAGES = (
    *("Hi!", "What is a transformer?", "Write a poem about rain.", "2 + 2?", "안녕하세요?"),
    *("Explain gravity to a child.", "List three fruits.", "Translate: good morning", "Why?", "👋"),
)
CHAT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
PROMPTS = BEGINNINGS + tuple(CHAT.format(message) for message in MESSAGES)  # fifty
NEW_TOKENS = 100
# A process that writes, and nothing else: no PyTorch, no tokenizer, ids in and out.
WRITER = """
import numpy, sys
from utils.packed_decoder import PackedDecoder
list(PackedDecoder.load().tokens(numpy.array([[6403, 980, 253, 655]]), 100))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def packed(rounds: int) -> Result:
    """The packed decoder beside `generate`, the float32 decoder and plain reading; all in turn."""
    model, tokenizer = load_model("smollm2", "cpu")
    plain, ours = Decoder.from_model(model), PackedDecoder.load()
    prompts = [tokenizer(prompt, return_tensors="pt").input_ids for prompt in PROMPTS]
    speeds = _speeds(model, plain, ours, prompts[0], rounds)
    same = [list(ours.tokens(ids, NEW_TOKENS)) == _library(model, ids) for ids in prompts]
    ids = torch.randint(3, 49152, (1, 200), generator=torch.Generator().manual_seed(0))
    apart = float((ours(ids) - model(ids).logits).abs().max())
    exact = [bool(torch.equal(a, b)) for a, b in _both(ours, plain)]
    ratio, share = speeds["packed"] / speeds["generate"], speeds["packed"] / speeds["reading"]
    quick = speeds["decoder"] / speeds["generate"]
    what, count = "the packed decoder, 4 bits as shipped, 100 tokens", len(same)
    library = "`model.generate` with its cache"
    reading = "reading its bytes once a token, all cores"
    tokens = f"the 100 greedy tokens of `generate`, {count} prompts"
    bits, numbers = "the float32 file's numbers, all matrices", f"{sum(exact)} of {len(exact)}"
    return Result(
        [
            Claim(what, library, "8 ×", f"{ratio:.1f} ×", ratio >= 8),
            Claim(
                "the float32 decoder, same run", library, "1.8 ×", f"{quick:.2f} ×", quick >= 1.8
            ),
            Claim("the packed decoder", reading, "60 % of that", f"{share:.0%}", share >= 0.6),
            Claim("the same", tokens, "the same tokens", f"{sum(same)} of {count}", all(same)),
            Claim("the same", "float32 logits, 200 tokens", "1e-3", f"{apart:.0e}", apart < 1e-3),
            Claim("its weights, unpacked", bits, "the same bits", numbers, all(exact)),
        ],
        speeds,
    )


def packed_memory(rounds: int) -> Result:
    """All the memory of a process that writes with the packed decoder, at its highest."""
    command = [sys.executable, "-c", WRITER]
    found = [
        int(subprocess.run(command, check=True, cwd=ROOT, capture_output=True).stdout) / 1000
        for _round in range(rounds + 1)
    ][1:]  # in the first it may have been compiled
    most = max(found)
    what = "memory of a process that writes with the packed decoder (at its highest)"
    return Result([Claim(what, "–", "350 MB", f"{most:.0f} MB", most <= 350)], {"MB": found})


def _library(model, ids: torch.Tensor) -> list[int]:
    return library_writes(model, ids, NEW_TOKENS)


def _speeds(model, plain: Decoder, ours: PackedDecoder, ids, rounds: int) -> dict[str, float]:
    """Tokens a second of each way, the median of the rounds."""
    arrays = [torch.from_numpy(part) for part in _packed_arrays(ours)]

    read_once = reading(arrays)

    def read() -> list:
        return [read_once() for _token in range(10)]

    ways = {
        "generate": lambda: _library(model, ids),
        "decoder": lambda: list(plain.tokens(ids, NEW_TOKENS)),
        "packed": lambda: list(ours.tokens(ids, NEW_TOKENS)),
        "reading": read,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            count = len(way())
            if round_:  # the first time of all is slower: memory is being set up
                seconds[name].append((time.perf_counter() - start) / count)
    return {name: 1 / median(times) for name, times in seconds.items()}


def _matrices(decoder: PackedDecoder) -> list[Matrix]:
    blocks = (m for b in decoder.blocks for m in (b.qkv, b.output, b.gate_up, b.down))
    return [*blocks, decoder.head]


def _packed_arrays(decoder: PackedDecoder) -> Iterator[np.ndarray]:
    """All that is read to write a token, as float32, which a plain sum reads fastest."""
    for matrix in _matrices(decoder):
        parts = (getattr(matrix, name, None) for name in ("packed", "scale", "minimum"))
        yield from (part.reshape(-1).view(np.float32) for part in parts if part is not None)


def _both(ours: PackedDecoder, plain: Decoder) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Each matrix, unpacked from ours and as the float32 file has it."""
    for packed_one, weight in zip(_matrices(ours), plain.matrices(), strict=True):
        yield torch.from_numpy(packed_one.unpacked(np.arange(packed_one.rows))), weight
