"""`python -m course lab`: what opens, in which language, and without a network."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from jupyterlab_server.settings_utils import _get_overrides

from course.machine import lab
from utils.model_store import cache_folder

NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: who asks the network, fails


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_course_opens_at_its_front_door_in_that_language(language):
    first = lab.first_notebook(language)
    assert first == Path("chapters", language, "00_start_here.ipynb")
    assert (lab.ROOT / first).is_file()


def test_menus_follow_the_language_of_the_server_and_pop_ups_stay_away(monkeypatch, tmp_path):
    for language, locale in (("ko", "ko_KR"), ("en", "en")):
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", lab.with_menus(language, str(tmp_path)))
        defaults, error = _get_overrides(str(tmp_path))  # as JupyterLab's server reads them
        assert not error
        assert defaults["@jupyterlab/translation-extension:plugin"] == {"locale": locale}
        news = defaults["@jupyterlab/apputils-extension:notification"]
        assert news == {"fetchNews": "false", "checkForUpdates": False}
        assert str(tmp_path) in os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)


@pytest.mark.parametrize(
    ("platform", "environment", "screen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_screen_is_told_from_none(monkeypatch, platform, environment, screen):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert lab.has_screen() is screen


@pytest.fixture
def lab_in_korean(tmp_path, default_model):
    """The process of `python -m course lab ko` and its log; the model is prepared already."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "XDG_")) and name.lower() != "all_proxy"
    }
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        environment[name] = NOWHERE
    environment |= {
        "HOME": str(tmp_path),
        "COURSE_CACHE": str(cache_folder()),
        "no_proxy": "127.0.0.1,localhost",
        "PIP_NO_INDEX": "1",
        "HF_HUB_OFFLINE": "1",
    }
    log = tmp_path / "lab.log"
    arguments = ["ko", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "course", "lab", *arguments],
            cwd=lab.ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    yield process, log
    process.kill()
    process.wait()


def test_a_prepared_course_opens_in_korean_without_a_network(lab_in_korean):
    process, log = lab_in_korean
    address = None
    for _second in range(90):
        address = re.search(
            r"http://127\.0\.0\.1:\d+/lab/tree/\S+", log.read_text(encoding="utf-8")
        )
        if address or process.poll() is not None:
            break
        time.sleep(1)
    assert address, log.read_text(encoding="utf-8")[-3000:]
    assert f"/lab/tree/{lab.first_notebook('ko').as_posix()}?token=" in address[0]

    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with no_proxy.open(address[0], timeout=30) as page:
        assert page.status == 200
        assert "JupyterLab" in page.read().decode()

    process.terminate()
    assert process.wait(30) == 0, log.read_text(encoding="utf-8")[-3000:]
