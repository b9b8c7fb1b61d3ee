"""What every notebook needs, imported once: the process that warm kernels are forked from.

It runs no second thread and touches no accelerator: a fork takes neither along.
"""

import gc
import multiprocessing
import os
import sys
import threading
from functools import partial

import matplotlib.pyplot  # noqa: F401
import matplotlib_inline.backend_inline  # noqa: F401
import numpy as np
import torch
from ipykernel.kernelapp import IPKernelApp

import course.my_progress  # noqa: F401
import utils.model
from utils import timing
from utils.model_store import MODEL, is_whole, model_folder

THREADS = torch.get_num_threads()
torch.set_num_threads(1)

# The default model, which a fork takes along: whoever loads it first gets this one.
ready = []
load = utils.model._load


def take_ready(source, device, title):
    """`_load`, but for the default model on the CPU as long as one is `ready`."""
    if ready and (title, str(device)) == (MODEL, "cpu"):
        return ready.pop()
    return load(source, device, title)


if is_whole(model_folder()):  # else the first notebook prepares it, as a learner's does
    model, tokenizer = load(str(model_folder()), "cpu", MODEL)
    # The same numbers, laid out by columns: MKL multiplies a single vector faster so, on one core.
    for layer in (m for m in model.modules() if isinstance(m, torch.nn.Linear)):
        layer.weight.data = layer.weight.data.T.contiguous().T
    ready.append((model, tokenizer))
    utils.model._load = take_ready
# How long things take is not compared; that they give the same, one round tells.
timing.measure_speeds = partial(timing.measure_speeds, rounds=1)
timing.measure_steps = partial(timing.measure_steps, repeats=1)
timing.pass_times = partial(timing.pass_times, rounds=1)
gc.collect()
gc.freeze()


def become_kernel(connection_file: str, env: dict[str, str], cwd: str | None) -> None:
    """In a fork: be a kernel as `python -m ipykernel_launcher -f connection_file` would."""
    os.setsid()  # as jupyter_client does: a signal reaches what the kernel has started, too
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.chdir(cwd or ".")
    os.environ.clear()
    os.environ.update(env)
    threading.Thread(target=_end_with_pytest, daemon=True).start()
    sys.argv[:] = ["ipykernel_launcher.py", "-f", connection_file]
    torch.set_num_threads(THREADS)
    np.random.seed()  # noqa: NPY002  a fork has its parent's; torch's is the same in every process
    IPKernelApp.launch_instance()


def _end_with_pytest() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
