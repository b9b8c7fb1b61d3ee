"""A warm kernel is an ordinary one, but for the time it takes to start."""

import os
import time

import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import KernelProvisionerFactory

from tests import warm_kernels

pytestmark = pytest.mark.skipif(not warm_kernels.POSSIBLE, reason="no fork here")


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Start a kernel in `tmp_path`, and run code in it: `run = start(); run("print(1)") == "1"`."""
    factory, kernels = KernelProvisionerFactory.instance(), []
    before = factory.default_provisioner_name
    warm_kernels.use_warm_kernels()

    def started(**options):
        manager, client = start_new_kernel(cwd=str(tmp_path), **options)
        kernels.append((manager, client))

        def run(code: str) -> str:
            printed = []
            client.execute_interactive(
                code, output_hook=lambda m: printed.append(m["content"].get("text", "")), timeout=60
            )
            return "".join(printed).strip()

        run.manager, run.client = manager, client
        return run

    yield started
    for manager, client in kernels:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    factory.default_provisioner_name = before


def test_it_has_folder_and_environment_of_its_own(start, tmp_path):
    run = start(env={**os.environ, "COURSE_LANG": "ko"})
    assert run("import os; print(os.getcwd())") == str(tmp_path)
    assert run("print(os.environ['COURSE_LANG'])") == "ko"
    assert run("import sys; print('tests.warm' in sys.modules)") == "True"


def test_nothing_of_one_reaches_the_next(start):
    first, second = start(), start()
    first("import torch; from utils.language import use_language; use_language('ko')")
    first("x = 1; torch.manual_seed(7)")
    ask = "from utils.language import current_language; print('x' in dir(), current_language())"
    assert first(ask) == "True ko"
    assert second(ask) == "False en"
    seed = "import torch; print(torch.initial_seed() == 7)"
    assert (first(seed), second(seed)) == ("True", "False")
    chance = "import random, numpy; print(random.random(), numpy.random.rand())"
    assert not set(first(chance).split()) & set(second(chance).split())


def test_it_can_be_interrupted_and_ended(start):
    run = start()
    pid = int(run("import os; print(os.getpid())"))
    run.client.execute("while True: pass", stop_on_error=False)
    time.sleep(0.5)
    run.manager.interrupt_kernel()
    assert run("print('still here')") == "still here"
    run.manager.shutdown_kernel(now=True)
    for _wait in range(50):
        if not _is_there(pid):
            return
        time.sleep(0.1)
    pytest.fail("the kernel is still there")


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
