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


def slider(rounds: int) -> Result:
    """From a key on a slider of lesson 03 to the new picture, in the browser; 20 moves a round."""
    chapter = nbformat.read(ROOT / "chapters" / "en" / "03_decoding.ipynb", as_version=4)
    sources = {node.id: node for node in chapter.cells if node.cell_type == "code"}
    chapter.cells = [sources[name] for name in ("language", "imports")]
    show = 'DecodingExplorer(model, tokenizer, "The capital of France is")'
    chapter.cells.append(nbformat.v4.new_code_cell(show, id="explorer"))
    moves: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder) / "course", Path(folder) / "home"
        root.mkdir()
        home.mkdir()
        nbformat.write(chapter, root / "slider.ipynb")
        with jupyterlab(root, home) as lab, browser_page() as page:
            open_notebook(page, lab, "slider.ipynb")
            run_all(page)
            assert errors(page) == []
            explorer = cell(page, "explorer").locator(".course-explorer")
            handle = explorer.get_by_role("slider", name="temperature", exact=True)
            for move in range(20 * rounds + 2):
                explorer.evaluate(NEXT_PICTURE)
                handle.press("ArrowRight" if move // 20 % 2 == 0 else "ArrowLeft")
                moves.append(page.evaluate("() => window.nextPicture"))
    moves = sorted(moves[2:])  # the first are slower: the page is still settling
    middle, slow = median(moves), moves[int(0.95 * len(moves))]
    what = f"slider to new picture, in the browser, {len(moves)} moves"
    return Result(
        [
            Claim(what, "–", "median under 100 ms", f"{middle:.0f} ms", middle < 100),
            Claim("the same", "–", "95th percentile under 200 ms", f"{slow:.0f} ms", slow < 200),
        ],
        {"milliseconds": moves},
    )


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
