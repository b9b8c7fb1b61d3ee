"""Notebooks' kernels, forked from a process that has imported what they all import.

An ordinary kernel takes five seconds to start, import and load, thirty-six times over. Each warm
one is a fork of the same untouched process (tests/warm.py), so nothing that a notebook does reaches
the next. That a notebook needs no warm kernel is seen where ordinary ones run: in
tests/test_browser.py and tests/test_nbval.py.
"""

import multiprocessing
import os
import sys
from importlib.metadata import EntryPoint
from multiprocessing import forkserver

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

NAME = "warm"
POSSIBLE = sys.platform == "linux"  # Windows cannot fork, and macOS's own libraries do not bear it


def use_warm_kernels() -> None:
    """From now on, whoever starts a kernel from this process gets a warm one."""
    multiprocessing.set_forkserver_preload(["tests.warm"])
    forkserver.ensure_running()
    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:WarmProvisioner", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork; watches and ends it as any other."""

    async def launch_kernel(self, cmd, *, env, cwd=None, **_popen):
        self.process = Fork(cmd[cmd.index("-f") + 1], env, cwd)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info


class Fork:
    """A kernel that the fork server has started, with the face of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, *arguments):
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_become_kernel, args=arguments, daemon=True)
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)


def _become_kernel(*arguments) -> None:
    from tests import warm  # there already; never imported by pytest itself

    warm.become_kernel(*arguments)
