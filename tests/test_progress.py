"""What a learner has done survives crowds, kills, damage and places that cannot be written to."""

import json
import os
import random
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from course import progress

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "a folder" / "progress.sqlite"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    progress.take_notice()
    return path


def start(code: str) -> subprocess.Popen:
    """Another kernel: a process of its own that runs `code`.  It waits for a line on its stdin."""
    begin = "import sys; from course import progress; print('ready', flush=True); input()\n"
    return subprocess.Popen(
        [sys.executable, "-c", begin + code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_at_once(codes: list[str]) -> list[str]:
    """Run each code in its own process, all starting together; what each printed."""
    kernels = [start(code) for code in codes]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    printed = [kernel.communicate()[0] for kernel in kernels]
    assert [kernel.returncode for kernel in kernels] == [0] * len(kernels)
    return printed


def set_aside(file: Path) -> list[Path]:
    return [path for path in file.parent.glob("*set-aside*.sqlite")]


def test_nothing_done_yet(file):
    assert progress.summary() == {}
    assert list(progress.rows()) == []
    assert progress.take_notice() is None


def test_a_learner_works_through_an_exercise():
    progress.record_hint("3.2", 1)
    progress.record_attempt("3.2", False, "divide, do not multiply")
    progress.record_hint("3.2", 2)
    progress.record_hint("3.2", 1)
    progress.record_answer("3.q1", "flatter", True)
    progress.record_attempt("3.2", False)
    progress.record_attempt("3.2", True)
    progress.record_attempt("3.2", False, "changed in place")
    progress.record_attempt("3.3", False)

    done = progress.summary()
    assert list(done) == ["3.2", "3.3"]
    exercise = done["3.2"]
    assert (exercise.attempts, exercise.passed, exercise.hints_opened) == (4, True, 2)
    assert exercise.diagnoses == ("divide, do not multiply", "changed in place")
    assert exercise.attempts_to_pass == 3
    assert done["3.3"].attempts_to_pass is None
    assert exercise.first_at <= exercise.passed_at
    assert exercise.first_at.utcoffset() is not None
    assert not done["3.3"].passed
    assert done["3.3"].passed_at is None


def test_rows_can_be_exported():
    progress.record_attempt("3.2", False, "나누세요")
    progress.record_hint("3.2", 1)
    progress.record_answer("3.q1", "B", False)
    rows = json.loads(json.dumps(list(progress.rows())))
    assert all(tuple(row) == progress.COLUMNS for row in rows)
    assert [(row["kind"], row["name"], row["passed"], row["detail"]) for row in rows] == [
        ("attempt", "3.2", False, "나누세요"),
        ("hint", "3.2", None, "1"),
        ("answer", "3.q1", False, "B"),
    ]


def test_clear_one_lesson_or_all():
    for exercise in ("1.1", "1.12", "10.1", "2.1"):
        progress.record_attempt(exercise, True)
    progress.clear("1")
    assert list(progress.summary()) == ["10.1", "2.1"]
    progress.clear()
    assert progress.summary() == {}


def test_what_is_forgotten_is_kept_in_a_copy(file):
    assert progress.clear() is None  # nothing to forget, nothing to keep
    progress.record_attempt("1.1", False, "added-up")
    progress.record_attempt("2.1", True)
    before = list(progress.rows())
    copies = [progress.clear("1"), progress.clear()]
    assert len(set(copies)) == 2
    assert {copy.parent for copy in copies} == {file.parent}
    db = sqlite3.connect(copies[0])
    columns = ", ".join(progress.COLUMNS)
    kept = db.execute(f"SELECT {columns} FROM events ORDER BY id").fetchall()
    db.close()
    assert [(name, detail) for _at, _kind, name, _passed, detail in kept] == [
        (row["name"], row["detail"]) for row in before
    ]


def test_nothing_is_forgotten_where_no_copy_can_be_made(file, monkeypatch):
    progress.record_attempt("1.1", True)
    taken = []

    def taken_name(_bytes: int) -> str:  # a file stands wherever the copy would go
        now = progress.datetime.now()
        for second in range(3):
            name = (now + timedelta(seconds=second)).strftime("progress-%Y-%m-%d-%H%M%S-taken")
            taken.append(file.with_name(f"{name}.sqlite"))
            taken[-1].write_text("something else")
        return "taken"

    monkeypatch.setattr(progress, "token_hex", taken_name)
    assert progress.clear() is None
    assert {path.read_text() for path in taken} == {"something else"}
    assert "COURSE_PROGRESS" in progress.take_notice()
    assert progress.summary()["1.1"].passed


def test_the_learner_has_a_name_that_says_nothing_and_stays(file):
    progress.record_attempt("1.1", True)
    assert sqlite3.connect(file).execute("SELECT name FROM sqlite_master").fetchall() == [
        ("events",)
    ]  # as a file of a version without names: it is given one, and loses nothing
    name = progress.learner_id()
    assert len(name) == 8
    assert int(name, 16) >= 0
    progress.clear()
    progress.record_attempt("1.1", False, "added-up")
    assert progress.learner_id() == name
    assert progress.summary()["1.1"].diagnoses == ("added-up",)
    assert set_aside(file) == []


def test_the_default_place_is_the_users_own(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "")
    path = progress.progress_file()
    assert path.is_absolute()
    assert path.name == "progress.sqlite"
    assert "inside-a-transformer-llm" in str(path)


@pytest.mark.parametrize("name", ["ünï 코드 %41.sqlite", "what?mode=memory#x&y.sqlite"])
def test_any_file_name_will_do(tmp_path, monkeypatch, name):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / name))
    progress.record_attempt("1.1", True)
    assert (tmp_path / name).is_file()
    assert progress.summary()["1.1"].passed


def test_eight_kernels_at_once_lose_nothing(file):
    code = """
for n in range(200):
    progress.record_attempt("{}.1", False, f"attempt {{n}}")
print(progress.take_notice())
"""
    printed = run_at_once([code.format(kernel) for kernel in range(8)])
    assert printed == ["None\n"] * 8
    done = progress.summary()
    assert len(done) == 8
    for exercise in done.values():
        assert exercise.diagnoses == tuple(f"attempt {n}" for n in range(200))
    assert set_aside(file) == []


def test_a_kill_loses_at_most_the_attempt_in_flight(file):
    code = """
for n in range(1_000_000):
    progress.record_attempt(f"1.{n}", True)
    print(n, flush=True)
"""
    kept = 0
    for wait in (0, 0.01, 0.05, 0.1, 0.2, 0.3):
        kernel = start(code)
        kernel.stdout.readline()
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        time.sleep(wait + random.random() / 100)
        kernel.kill()
        said = len(kernel.communicate()[0].splitlines())
        before, kept = kept, len(list(progress.rows()))
        assert kept - before in (said, said + 1)
    assert kept > 0
    assert progress.take_notice() is None
    assert set_aside(file) == []


def garbage(file: Path) -> None:
    file.write_bytes(random.Random(0).randbytes(20_000))


def text(file: Path) -> None:
    file.write_text("this is no database")


def filled(file: Path) -> None:
    progress.record_attempt("1.1", False, "a diagnosis of some length " * 3)
    db = sqlite3.connect(file)
    with db:  # in one transaction: a disk that others use takes its time over each
        for _ in range(9):
            db.execute(
                "INSERT INTO events (at, kind, name, passed, detail)"
                " SELECT at, kind, name, passed, detail FROM events"
            )
    db.close()


def truncated(file: Path) -> None:
    filled(file)
    os.truncate(file, file.stat().st_size // 2)


def cut_in_the_first_page(file: Path) -> None:
    filled(file)
    os.truncate(file, 1000)


def damaged_inside(file: Path) -> None:
    filled(file)
    with file.open("r+b") as opened:
        opened.seek(8192)
        opened.write(b"\xff" * 4096)


def another_version(file: Path) -> None:
    filled(file)
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version = {progress.SCHEMA_VERSION + 1}")
    db.close()


def other_tables(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.executescript(f"CREATE TABLE t (x); PRAGMA user_version = {progress.SCHEMA_VERSION}")
    db.close()


@pytest.mark.parametrize(
    "spoil",
    [
        garbage,
        text,
        truncated,
        cut_in_the_first_page,
        damaged_inside,
        another_version,
        other_tables,
    ],
)
def test_a_file_that_cannot_be_used_is_set_aside(file, spoil):
    file.parent.mkdir()
    spoil(file)
    spoiled = file.read_bytes()

    progress.summary()
    progress.record_attempt("2.1", True)

    (kept,) = set_aside(file)
    assert kept.read_bytes() == spoiled
    assert kept.name in progress.take_notice()
    assert progress.take_notice() is None
    assert list(progress.summary()) == ["2.1"]

    file.write_bytes(spoiled)  # and again: the first one kept is not overwritten
    progress.summary()
    assert len(set_aside(file)) == 2
    assert kept.read_bytes() == spoiled


def test_a_folder_in_the_way_is_set_aside(file):
    file.mkdir(parents=True)
    (file / "mine.txt").write_text("mine")
    progress.record_attempt("2.1", True)
    (kept,) = set_aside(file)
    assert (kept / "mine.txt").read_text() == "mine"
    assert progress.summary()["2.1"].passed


def test_what_a_deleted_file_left_behind_does_not_come_back(file):
    progress.record_attempt("1.1", True)
    with sqlite3.connect(file) as reader:  # while it is open, SQLite keeps its -wal
        reader.execute("SELECT * FROM events").fetchall()
        progress.record_attempt("1.2", True)
        wal = file.with_name(f"{file.name}-wal").read_bytes()
    reader.close()
    file.unlink()
    file.with_name(f"{file.name}-wal").write_bytes(wal)
    progress.record_attempt("2.1", True)
    assert list(progress.summary()) == ["2.1"]


def test_kernels_that_find_a_damaged_file_together_set_it_aside_once(file):
    file.parent.mkdir()
    garbage(file)
    spoiled = file.read_bytes()
    code = """
for n in range(10):
    progress.record_attempt("{}.1", True)
print(progress.take_notice())
"""
    printed = run_at_once([code.format(kernel) for kernel in range(6)])
    (kept,) = set_aside(file)
    assert kept.read_bytes() == spoiled
    assert sorted(line == "None\n" for line in printed) == [False] + [True] * 5
    assert [exercise.attempts for exercise in progress.summary().values()] == [10] * 6


def assert_fails_softly():
    progress.record_attempt("1.1", True)
    progress.record_hint("1.1", 1)
    progress.record_answer("1.q1", "A", True)
    progress.clear()
    assert progress.summary() == {}
    notice = progress.take_notice()
    assert notice.count("COURSE_PROGRESS") == 1
    assert progress.take_notice() is None


def test_a_place_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.sqlite"))
    assert_fails_softly()


# A user who may write nothing there: root may write anywhere, so root becomes somebody else first.
AS_NOBODY = """
import os
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
progress.record_attempt("1.2", True)
print(list(progress.summary()), progress.take_notice(), sep="\\n")
"""


@pytest.mark.skipif(os.name == "nt", reason="folders have other permissions on Windows")
@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_place(monkeypatch, begun):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own may not be entered by others
        file = Path(folder) / "progress.sqlite"
        monkeypatch.setenv("COURSE_PROGRESS", str(file))
        if begun:
            progress.record_attempt("1.1", True)
            file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        os.chmod(folder, 0o555)
        try:
            (printed,) = run_at_once([AS_NOBODY])
            assert [path.name for path in Path(folder).glob("*set-aside*")] == []
        finally:
            os.chmod(folder, 0o755)
    assert "COURSE_PROGRESS" in printed


# Files may not grow past this size: SQLite finds it out as it finds a full disk, by a failed write.
ON_A_FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
for n in range(30):
    progress.record_attempt(f"1.{{n}}", True, "x" * 2000)
print(progress.take_notice())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("size", [0, 100, 40_000])
def test_a_full_disk(file, size):
    (printed,) = run_at_once([ON_A_FULL_DISK.format(size=size)])
    assert "COURSE_PROGRESS" in printed
    assert set_aside(file) == []
    progress.record_attempt("2.1", True)  # there is room again
    assert progress.summary()["2.1"].passed
    assert progress.take_notice() is None


def test_without_wal_it_works_all_the_same(file, monkeypatch):
    class NetworkFolder(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement == "PRAGMA journal_mode = wal":
                super().execute(statement)  # the mode is taken, and its files cannot be made
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=NetworkFolder, **k))
    progress.record_attempt("1.1", True)
    assert progress.summary()["1.1"].passed
    assert progress.take_notice() is None
    db = connect(file)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()


def test_it_is_in_wal_mode_where_it_can_be(file):
    progress.record_attempt("1.1", True)
    db = sqlite3.connect(file)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
