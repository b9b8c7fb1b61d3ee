"""The rows about the course around the model: a kernel's memory, a slider in the browser, tests."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import nbformat

from benchmarks.claims import ROOT, Claim, Result
from tests.jupyterlab import browser_page, cell, errors, jupyterlab, open_notebook, run_all

# What a learner's kernel does: the imports of a lesson, the model, an explorer, a picture.
LESSON = """
import sys, torch
from course.exercise import Exercise
from utils.explorers.decoding import DecodingExplorer
from utils.model import load_model
model, tokenizer = load_model("smollm2", "cpu")
if sys.argv[1] == "private":
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
repr(DecodingExplorer(model, tokenizer, "The capital of France is"))
print("ready", flush=True)
for line in sys.stdin:
    pss = [l for l in open("/proc/self/smaps_rollup", encoding="utf-8") if l.startswith("Pss:")]
    print(pss[0].split()[1], flush=True)
"""


def memory(rounds: int) -> Result:
    """What one more kernel adds to the memory of a machine on which another has the model."""
    added: dict[str, list[float]] = {"shared": [], "private": []}
    for _round in range(rounds):
        for kind, found in added.items():
            with _kernels(kind, 1) as one, _kernels(kind, 1) as another:
                both = sum(_pss(kernel) for kernel in (*one, *another))
                _end(another)
                found.append(both - _pss(one[0]))
    shared, private = (median(added[kind]) for kind in ("shared", "private"))
    claim = Claim(
        "memory of one more learner's kernel with a lesson loaded (PSS)",
        "loading the weights privately",
        "2.5 × less",
        f"{private / shared:.2f} × less ({shared:.0f} against {private:.0f} MB)",
        private >= 2.5 * shared,
        "What is left is what Python, PyTorch and transformers take in each kernel; "
        "the weights take nothing more",
    )
    return Result([claim], added)


class _kernels(list):
    """Processes that have the lesson loaded, ended when the block is."""

    def __init__(self, kind: str, count: int):
        command = [sys.executable, "-c", LESSON, kind]
        pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        super().__init__(subprocess.Popen(command, cwd=ROOT, **pipe) for _kernel in range(count))
        for kernel in self:
            assert kernel.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        _end(self)


def _end(kernels: list) -> None:
    for kernel in kernels:
        kernel.kill()
        kernel.wait()


def _pss(kernel: subprocess.Popen) -> float:
    """The memory of a process in MB; a page that several share counts in parts."""
    kernel.stdin.write("\n")
    kernel.stdin.flush()
    return int(kernel.stdout.readline()) * 1024 / 1e6


NEXT_PICTURE = """explorer => {
    window.nextPicture = new Promise(shown => new MutationObserver((_changes, observer) => {
        const image = explorer.querySelector('img');
        if (image && image.src !== window.lastPicture) {
            observer.disconnect();
            image.decode().then(() => shown(performance.now() - window.pressed));
        }
    }).observe(explorer, {subtree: true, childList: true, attributes: true}));
    window.lastPicture = explorer.querySelector('img').src;
    explorer.addEventListener('keydown', () => { window.pressed = performance.now(); },
                              {capture: true, once: true});
}"""


MOVED = {  # explorer → the lesson that has it, what shows it, and the slider that is moved
    "decoding": ("03_decoding", 'DecodingExplorer(model, tokenizer, "The capital of France is")',
                 "temperature"),
    "attention": ("07_attention", "AttentionExplorer(model, tokenizer, TEXT, 20, 3)", "layer"),
    "lens": ("04_parallel_streams", "StreamsExplorer(model, tokenizer, TEXT)", "layer"),
    "residual": ("06_block", "ResidualExplorer(model, tokenizer, TEXT)", "position"),
}  # fmt: skip


def slider(rounds: int) -> Result:
    """From a key on a slider to the new picture, in the browser: four explorers, 20 moves each."""
    cells: dict[str, nbformat.NotebookNode] = {}
    for name, (lesson, show, _slider) in MOVED.items():
        chapter = nbformat.read(ROOT / "chapters" / "en" / f"{lesson}.ipynb", as_version=4)
        for cell_id in ("language", "imports"):
            (node,) = (node for node in chapter.cells if node.id == cell_id)
            node.id = f"{cell_id}-{name}"
            cells[node.id] = node
        source = f'TEXT = "The dog chased the squirrel because it was hungry"\n{show}'
        cells[name] = nbformat.v4.new_code_cell(source, id=name)
    chapter.cells = list(cells.values())
    moves: dict[str, list[float]] = {name: [] for name in MOVED}
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "course", Path(folder) / "home"
        root.mkdir()
        home.mkdir()
        nbformat.write(chapter, root / "slider.ipynb")
        with jupyterlab(root, home) as lab, browser_page() as page:
            open_notebook(page, lab, "slider.ipynb")
            run_all(page)
            assert errors(page) == []
            for name, (_lesson, _show, moved) in MOVED.items():
                explorer = cell(page, name).locator(".course-explorer")
                handle = explorer.get_by_role("slider", name=moved, exact=True)
                for move in range(20 * rounds + 4):
                    explorer.evaluate(NEXT_PICTURE)
                    # to and fro: some sliders have few steps, and no key leads to the same picture
                    handle.press("ArrowLeft" if move % 8 < 4 else "ArrowRight")
                    moves[name].append(page.evaluate("() => window.nextPicture"))
    claims = []
    for name, found in moves.items():
        taken = sorted(found[4:])  # the first are slower: the page is still settling
        middle, slow = median(taken), taken[int(0.95 * len(taken))]
        what = f"{name}: slider to new picture, in the browser, {len(taken)} moves"
        claims += [
            Claim(what, "–", "median under 50 ms", f"{middle:.0f} ms", middle < 50),
            Claim("the same", "–", "95th percentile under 100 ms", f"{slow:.0f} ms", slow < 100),
        ]
    return Result(claims, {f"milliseconds, {name}": found[4:] for name, found in moves.items()})


def tests(_rounds: int) -> Result:
    """`make test`, all of it, once."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "course", "test"], cwd=ROOT, capture_output=True, text=True
    )
    minutes = (time.perf_counter() - start) / 60
    passed = "" if run.returncode == 0 else ", and it failed"
    claim = Claim(
        "`make test`, all of it (once)",
        "–",
        "under 10 minutes",
        f"{minutes:.1f} minutes{passed}",
        minutes < 10 and not passed,
    )
    return Result([claim], {"minutes": minutes})
