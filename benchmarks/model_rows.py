"""The rows about the model: loading it, writing with it, its cache.  Pairs run in turn."""

import tempfile
from pathlib import Path
from statistics import median

from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.claims import Claim, Result, in_turn
from utils.decoder import Decoder
from utils.generation import steps_from
from utils.model import load_model
from utils.model_store import fetch, quiet_transformers
from utils.timing import library_writes, measure_speeds

PROMPTS = (
    "The capital of France is",
    "Once upon a time",
    "def fibonacci(n):",
    "프랑스의 수도는",
    "Dear Sarah,",
    "1, 2, 3, 4,",
    "🙂",
    "The Shawshank",
    "Q: What is a transformer?\nA:",
    "<|im_start|>user\nHi!<|im_end|>\n<|im_start|>assistant\n",
)


def load(rounds: int) -> Result:
    """`load_model()` once prepared, against reading the GGUF file each time."""
    with tempfile.TemporaryDirectory() as folder:
        gguf = fetch(Path(folder))

        def read_gguf():
            with quiet_transformers():
                AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
                AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)

        load_model("smollm2", "cpu")
        seconds = in_turn(rounds, ours=lambda: load_model("smollm2", "cpu"), gguf=read_gguf)
    ours, theirs = median(seconds["ours"]), median(seconds["gguf"])
    against = "reading the GGUF file with transformers each time"
    what = "`load_model()` once prepared"
    return Result(
        [
            Claim(what, against, "8 × faster", f"{theirs / ours:.1f} ×", theirs >= 8 * ours),
            Claim(what, "–", "under 2 s", f"{ours:.2f} s", ours < 2),
        ],
        seconds,
    )


def decoder(rounds: int) -> Result:
    """Lesson 08's decoder against `generate`, and against the time to read all weights."""
    model, tokenizer = load_model("smollm2", "cpu")
    ours = Decoder.from_model(model)
    ids = tokenizer(PROMPTS[1], return_tensors="pt").input_ids
    speeds = measure_speeds(
        model, {"decoder": ours.tokens}, ours.matrices(), ids, new_tokens=100, rounds=rounds
    )
    mine = speeds.ways[0][1]
    same = [
        list(ours.tokens(tokens, 100)) == library_writes(model, tokens, 100)
        for tokens in (tokenizer(p, return_tensors="pt").input_ids for p in PROMPTS)
    ]
    what = "lesson 08's decoder, 100 tokens after a short prompt, float32 on the CPU"
    ratio, share = mine / speeds.library, mine / speeds.limit
    return Result(
        [
            Claim(what, "`model.generate` with its cache", "1.8 ×", f"{ratio:.2f} ×", ratio >= 1.8),
            Claim(
                "the same",
                "reading all weights once a token, all cores",
                "shown",
                f"{share:.0%} of that limit",
                None,
            ),
            Claim(
                "one product with each matrix per token, as PyTorch multiplies, nothing else",
                "the same limit",
                "shown",
                f"{speeds.product / speeds.limit:.0%}, on {speeds.cores:.1f} of "
                f"{speeds.threads} cores",
                None,
            ),
            Claim(
                "the same",
                "the 100 greedy tokens of `generate`, ten prompts",
                "the same tokens",
                f"{sum(same)} of {len(same)}",
                all(same) and speeds.same,
            ),
        ],
        {
            "decoder": mine,
            "generate": speeds.library,
            "limit": speeds.limit,
            "product": speeds.product,
            "cores": speeds.cores,
        },
    )


def cache(rounds: int) -> Result:
    """200 tokens with the cache and without: the seconds of every step."""
    model, tokenizer = load_model("smollm2", "cpu")
    ids = tokenizer(PROMPTS[1], return_tensors="pt").input_ids
    runs: dict[str, list[list[float]]] = {"with": [], "without": []}
    for _round in range(rounds):
        for name, use_cache in (("with", True), ("without", False)):
            steps = steps_from(model, tokenizer, ids, 200, use_cache)
            runs[name].append([step.seconds for step in steps])
    typical = {
        name: [median(step) for step in zip(*several, strict=True)]
        for name, several in runs.items()
    }
    times = sum(typical["without"]) / sum(typical["with"])
    count = len(typical["with"])
    claim = Claim(
        f"the cache, {count} tokens",
        "`use_cache=False`",
        "shown as a curve",
        f"{times:.1f} ×",
        None,
    )
    return Result([claim], typical)
