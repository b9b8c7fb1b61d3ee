"""A hub of its own for a class that is tried, on this machine's loopback, and gone afterwards."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from benchmarks.claims import ROOT
from utils.model_store import cache_folder

PATIENCE = 1800  # seconds for anything: a crowded machine is what is measured


@dataclass
class Hub:
    """A hub that runs, its class, and how to speak with it."""

    address: str
    learners: list[str]
    instructor: str
    live: bool

    async def ask(self, method: str, path: str, token: str = "", body: dict | None = None):
        """What it answers, as JSON.  Raises HTTPClientError."""
        headers = {"Authorization": f"token {token}"} if token else {}
        data = json.dumps(body) if method == "POST" else None
        asked = HTTPRequest(
            self.address + path, method, headers, data, request_timeout=PATIENCE, connect_timeout=60
        )
        answer = await AsyncHTTPClient().fetch(asked)
        return json.loads(answer.body) if answer.body else None

    async def log_in(self, name: str) -> str:
        """A token, for the name and a password, which the first log-in chooses."""
        who = {"username": name, "password": f"first-use-of-{name}"}
        answer = await self.ask("POST", f"/hub/api/users/{name}/tokens", "", {"auth": who})
        return answer["token"]


@contextmanager
def class_hub(learners: int):
    """A hub on this machine's loopback with so many learners, in a folder that goes with it.

    As root, its learners are accounts of the system, which are deleted again.
    """
    folder = Path(tempfile.mkdtemp(prefix="course-hub-"))
    folder.chmod(0o711)
    (folder / "homes").mkdir(mode=0o755)
    run = secrets.token_hex(2)
    names = [f"load-{run}-{number}" for number in range(1, learners + 1)]
    ports = dict(zip(("port", "hub_port", "proxy_port", "live_port"), free_ports(4), strict=True))
    settings = {
        "instructors": [f"load-{run}-teacher"],
        "learners": names,
        "languages": ["ko", "en"],
        "memory": "1G",
        "cores": 1,
        "address": "127.0.0.1",
        "authenticator": "firstuse",
        "homes": str(folder / "homes"),
        **ports,
    }
    (folder / "class.toml").write_text(
        "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items()),
        encoding="utf-8",
    )
    address = f"http://127.0.0.1:{ports['port']}"
    with (folder / "hub.log").open("w", encoding="utf-8") as log:
        hub = subprocess.Popen(
            [sys.executable, "-m", "course", "hub", "--folder", str(folder)],
            env=os.environ | {"COURSE_CACHE": str(cache_folder())},
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_up(hub, folder / "hub.log")
        live = (ROOT / "course/workshop/live").is_dir()
        yield Hub(address, names, settings["instructors"][0], live)
    finally:
        hub.send_signal(signal.SIGTERM)  # it stops the servers, too
        try:
            hub.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(hub.pid, signal.SIGKILL)
        if os.geteuid() == 0:
            for name in [*names, *settings["instructors"]]:
                subprocess.run(["userdel", "--force", "--remove", name], capture_output=True)
        subprocess.run(["rm", "-rf", folder], check=True)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at."""
    sockets = [socket.socket() for _port in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until_up(hub: subprocess.Popen, log: Path) -> None:
    """Until the hub says that it runs.  Raises RuntimeError with what it said where it ends."""
    for _half_second in range(2 * PATIENCE):
        said = log.read_text(encoding="utf-8")
        if "JupyterHub is now running" in said:
            return
        if hub.poll() is not None:
            raise RuntimeError(said[-3000:])
        time.sleep(0.5)
    raise RuntimeError("The hub did not come up.")
