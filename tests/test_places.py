"""Users without a home, folders of others, names of nobody: what is kept where, what is said."""

import inspect
import json
import linecache
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from course import my_llm
from course.exercise import Exercise
from course.machine import resources, software
from course.progress import events, store
from utils import model_store, places
from utils.model import load_model
from utils.model_store import ModelError
from utils.parts import rms_norm

ROOT = Path(__file__).parents[1]
NOBODYS = ["~nobody-of-this-name/x", "~no.such.user", "~한국어/x"]


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch):
    monkeypatch.setattr(events, "_waiting", {})
    events.take_notice()
    yield
    events.take_notice()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The machine's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def fake_model(monkeypatch):
    """Preparing a model takes no time."""

    def convert(_gguf, folder):
        (folder / "config.json").write_text("{}", encoding="utf-8")
        (folder / "model.safetensors").write_bytes(b"weights")

    monkeypatch.setattr(model_store, "BYTES_NEEDED", 0)
    monkeypatch.setattr(model_store, "fetch", lambda folder: folder)
    monkeypatch.setattr(model_store, "convert", convert)


@pytest.mark.parametrize("name", NOBODYS)
def test_a_home_of_nobody_is_a_sentence_everywhere(
    name, learner_in_a_cell, temporary, monkeypatch, fake_model, capsys
):
    for variable in ("COURSE_PROGRESS", "COURSE_MY_LLM", "COURSE_CHAPTERS"):
        monkeypatch.setenv(variable, name)
    widget = Exercise("6.1").check(learner_in_a_cell)
    assert widget.passed
    assert "no such home folder. Set $COURSE_MY_LLM" in widget._notes.value
    assert events.summary()["6.1"].passed  # as long as this kernel runs
    assert "my_llm.py cannot be read" in my_llm.my_llm()
    assert not my_llm.parts()["rms_norm"].mine
    notice = widget._notes.value + (events.take_notice() or "")
    assert "$COURSE_PROGRESS" in notice
    assert name in notice
    with pytest.raises(software.Unready, match=r"\$COURSE_PROGRESS"):
        resources.progress_folder()
    monkeypatch.setenv("COURSE_CACHE", name)
    folder = model_store.prepare_model()
    assert temporary in folder.parents
    assert "set $COURSE_CACHE" in capsys.readouterr().err
    assert model_store.prepare_model() == folder
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="There is no model"):
        load_model(name, "cpu")
    assert not Path(name).exists()


@pytest.fixture
def learner_in_a_cell(learner, tmp_path, monkeypatch):
    """A right answer to 6.1, of somebody who is learning."""
    source = inspect.getsource(rms_norm)
    names = {"torch": torch, "Tensor": torch.Tensor}
    title = "/tmp/ipykernel_1/6.py"
    linecache.cache[title] = len(source), None, source.splitlines(True), title
    exec(compile(source, title, "exec"), names)
    monkeypatch.chdir(learner)
    return names["rms_norm"]


@pytest.mark.parametrize("home", ["a file", "a file/below"])
def test_a_home_that_cannot_be_made(home, temporary, monkeypatch, fake_model):
    (temporary / "a file").touch()
    for name in ("COURSE_CACHE", "COURSE_PROGRESS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(temporary / home))
    assert temporary in model_store.prepare_model().parents
    events.record_attempt("1.1", True)
    assert events.summary()["1.1"].passed
    assert "COURSE_PROGRESS" in events.take_notice()
    monkeypatch.setenv("HOME", str(temporary))  # and now there is one
    monkeypatch.setenv("COURSE_PROGRESS", "")
    assert model_store.cache_folder() == temporary / ".cache" / places.OURS


AS_SOMEBODY_WITHOUT_A_HOME = """
import json, os, sys
from pathlib import Path
from utils import model_store
from course import learner
from course.progress import events
os.setgid(54321)
os.setuid(54321)
model_store.BYTES_NEEDED = 0
model_store.fetch = lambda folder: folder
model_store.convert = lambda gguf, folder: (folder / "config.json").write_text("{}")
folder = model_store.prepare_model()
events.record_attempt("1.1", True)
events.record_hint("1.2", 1)
said = list(events.summary()), events.take_notice(), str(folder), learner.is_learning()
print(json.dumps(said))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be both")
def test_a_uid_without_a_name_and_a_home():
    surroundings = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    run = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY_WITHOUT_A_HOME],
        cwd=ROOT,
        env=surroundings | {"COURSE_LANG": "en"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    done, notice, folder, learning = json.loads(run.stdout)
    assert learning
    assert done == ["1.1", "1.2"]
    assert "there is no such home folder" in notice
    assert Path(folder).parent == Path(tempfile.gettempdir()) / f"{places.OURS}-54321"
    assert "no home folder" in run.stderr
    subprocess.run(["rm", "-r", str(Path(folder).parent)], check=True)


def test_what_could_not_be_kept_is_kept_once_it_can(tmp_path, monkeypatch):
    place = tmp_path / "file" / "progress.sqlite"
    monkeypatch.setenv("COURSE_PROGRESS", str(place))
    place.parent.touch()
    events.record_attempt("1.1", False, "added-up")
    events.record_attempt("1.2", True)
    assert list(events.summary()) == ["1.1", "1.2"]
    assert "as long as its kernel runs" in events.take_notice()
    place.parent.unlink()
    events.record_attempt("1.1", True)
    assert events.take_notice() is None
    kept = store.use(lambda db: db.execute("SELECT name FROM events ORDER BY id").fetchall())
    assert kept == [("1.1",), ("1.2",), ("1.1",)]
    assert events.summary()["1.1"].attempts_to_pass == 2


def test_what_is_kept_nowhere_can_be_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "~nobody-of-this-name/x")
    for exercise in ("1.1", "10.1", "2.1"):
        events.record_attempt(exercise, True)
    events.clear("1")
    assert list(events.summary()) == ["10.1", "2.1"]
    events.clear()
    assert events.summary() == {}
    events.take_notice()


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o000])
def test_a_shared_cache_can_be_read_by_all_whatever_the_umask(
    tmp_path, monkeypatch, fake_model, umask
):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "shared" / "models"))
    before = os.umask(umask)
    try:
        model_store.prepare_model()
    finally:
        os.umask(before)
    for path in (tmp_path / "shared").rglob("*"):
        if path.name != "preparing.lock":
            expected = 0o755 if path.is_dir() else 0o644
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def not_for_me(monkeypatch, *names: str) -> None:
    """Files and folders of these names belong to somebody else, who lets nobody read them."""
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name not in names and access(path, mode)
    )


def test_what_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch, fake_model):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    folder = model_store.prepare_model()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    not_for_me(monkeypatch, "model.safetensors")
    for ask in (model_store.prepare_model, model_store.verify):
        with pytest.raises(ModelError, match=r"cannot be read.*chmod -R a\+rX") as refused:
            ask()
        assert "amaged" not in str(refused.value)
    with pytest.raises(software.Unready, match="may not read it") as unready:
        resources.model()
    assert "Delete" not in unready.value.remedy
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


FOREIGN = """
import json, os, sys
from pathlib import Path
from utils import model_store
folder, said = model_store.model_folder(), []
for closed, mode in ((folder / "manifest.json", 0o600), (folder, 0o700), (folder.parent, 0o700)):
    usual = closed.stat().st_mode
    closed.chmod(mode)
    os.setresuid(54321, 54321, 0)
    for ask in (model_store.prepare_model, model_store.verify):
        try:
            said.append(str(ask()))
        except model_store.ModelError as problem:
            said.append(f"{type(problem).__name__}: {problem}")
    os.setresuid(0, 0, 0)
    closed.chmod(usual)
os.setresuid(54321, 54321, 0)
print(json.dumps([said, str(model_store.prepare_model())]))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be both")
def test_a_model_of_somebody_else(monkeypatch, fake_model):
    with tempfile.TemporaryDirectory() as shared:  # pytest's own may not be entered by others
        os.chmod(shared, 0o755)
        monkeypatch.setenv("COURSE_CACHE", f"{shared}/models")
        folder = model_store.prepare_model()
        run = subprocess.run(
            [sys.executable, "-c", FOREIGN], cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        said, read_only = json.loads(run.stdout)
        assert len(said) == 6
        for sentence in said:
            assert sentence.startswith("Unreadable: The model in")
        assert read_only == str(folder)  # complete, and nothing need be written


def test_a_lock_of_somebody_else_stands_in_nobodys_way(tmp_path, monkeypatch, fake_model, learner):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "preparing.lock").touch()
    (tmp_path / "progress.sqlite.lock").touch()
    not_for_me(monkeypatch, "preparing.lock", "progress.sqlite.lock")
    real = places.FileLock

    def lock(path, **options):
        assert Path(path).name not in ("preparing.lock", "progress.sqlite.lock")
        return real(path, **options)

    monkeypatch.setattr(places, "FileLock", lock)
    assert model_store.is_whole(model_store.prepare_model())
    events.record_attempt("1.1", True)
    assert events.take_notice() is None


def test_the_lock_of_my_llm_lies_beside_it(learner_in_a_cell, learner, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "/proc/x/progress.sqlite")
    assert "Kept in my_llm.py" in Exercise("6.1").check(learner_in_a_cell)._notes.value
    assert (learner / "my_llm.py").exists()
    events.take_notice()


def test_a_temporary_folder_of_somebody_else_is_not_taken(temporary):
    (temporary / "elsewhere").mkdir()
    places.for_a_while().symlink_to(temporary / "elsewhere")
    with pytest.raises(PermissionError):
        places.for_a_while()
