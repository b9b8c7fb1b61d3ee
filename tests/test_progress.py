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

from course.progress import events

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "a folder" / "progress.sqlite"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    events.take_notice()
    return path


def start(code: str) -> subprocess.Popen:
    """Another kernel: a process of its own that runs `code`.  It waits for a line on its stdin."""
    begin = "import sys; from course.progress import events; print('ready', flush=True); input()\n"
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
    assert events.summary() == {}
    assert list(events.rows()) == []
    assert events.take_notice() is None


def test_a_learner_works_through_an_exercise():
    events.record_hint("3.2", 1)
    events.record_attempt("3.2", False, "divide, do not multiply")
    events.record_hint("3.2", 2)
    events.record_hint("3.2", 1)
    events.record_answer("3.q1", "flatter", True)
    events.record_attempt("3.2", False)
    events.record_attempt("3.2", True)
    events.record_attempt("3.2", False, "changed in place")
    events.record_attempt("3.3", False)

    done = events.summary()
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
    events.record_attempt("3.2", False, "나누세요")
    events.record_hint("3.2", 1)
    events.record_answer("3.q1", "B", False)
    rows = json.loads(json.dumps(list(events.rows())))
    assert all(tuple(row) == events.COLUMNS for row in rows)
    assert [(row["kind"], row["name"], row["passed"], row["detail"]) for row in rows] == [
        ("attempt", "3.2", False, "나누세요"),
        ("hint", "3.2", None, "1"),
        ("answer", "3.q1", False, "B"),
    ]


def test_clear_one_lesson_or_all():
    for exercise in ("1.1", "1.12", "10.1", "2.1"):
        events.record_attempt(exercise, True)
    events.clear("1")
    assert list(events.summary()) == ["10.1", "2.1"]
    events.clear()
    assert events.summary() == {}


def test_what_is_forgotten_is_kept_in_a_copy(file):
    assert events.clear() is None  # nothing to forget, nothing to keep
    events.record_attempt("1.1", False, "added-up")
    events.record_attempt("2.1", True)
    before = list(events.rows())
    copies = [events.clear("1"), events.clear()]
    assert len(set(copies)) == 2
    assert {copy.parent for copy in copies} == {file.parent}
    db = sqlite3.connect(copies[0])
    columns = ", ".join(events.COLUMNS)
    kept = db.execute(f"SELECT {columns} FROM events ORDER BY id").fetchall()
    db.close()
    assert [(name, detail) for _at, _kind, name, _passed, detail in kept] == [
        (row["name"], row["detail"]) for row in before
    ]


def test_nothing_is_forgotten_where_no_copy_can_be_made(file, monkeypatch):
    events.record_attempt("1.1", True)
    taken = []

    def taken_name(_bytes: int) -> str:  # a file stands wherever the copy would go
        now = events.datetime.now()
        for second in range(3):
            name = (now + timedelta(seconds=second)).strftime("progress-%Y-%m-%d-%H%M%S-taken")
            taken.append(file.with_name(f"{name}.sqlite"))
            taken[-1].write_text("something else", encoding="utf-8")
        return "taken"

    monkeypatch.setattr(events, "token_hex", taken_name)
    assert events.clear() is None
    assert {path.read_text(encoding="utf-8") for path in taken} == {"something else"}
    assert "COURSE_PROGRESS" in events.take_notice()
    assert events.summary()["1.1"].passed


def test_the_learner_has_a_name_that_says_nothing_and_stays(file):
    events.record_attempt("1.1", True)
    assert sqlite3.connect(file).execute("SELECT name FROM sqlite_master").fetchall() == [
        ("events",)
    ]  # as a file of a version without names: it is given one, and loses nothing
    name = events.learner_id()
    assert len(name) == 8
    assert int(name, 16) >= 0
    events.clear()
    events.record_attempt("1.1", False, "added-up")
    assert events.learner_id() == name
    assert events.summary()["1.1"].diagnoses == ("added-up",)
    assert set_aside(file) == []


def test_the_default_place_is_the_users_own(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "")
    path = events.progress_file()
    assert path.is_absolute()
    assert path.name == "progress.sqlite"
    assert "inside-a-transformer-llm" in str(path)


@pytest.mark.parametrize("name", ["ünï 코드 %41.sqlite", "what?mode=memory#x&y.sqlite"])
def test_any_file_name_will_do(tmp_path, monkeypatch, name):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / name))
    events.record_attempt("1.1", True)
    assert (tmp_path / name).is_file()
    assert events.summary()["1.1"].passed


def test_eight_kernels_at_once_lose_nothing(file):
    code = """
for n in range(200):
    events.record_attempt("{}.1", False, f"attempt {{n}}")
print(events.take_notice())
"""
    printed = run_at_once([code.format(kernel) for kernel in range(8)])
    assert printed == ["None\n"] * 8
    done = events.summary()
    assert len(done) == 8
    for exercise in done.values():
        assert exercise.diagnoses == tuple(f"attempt {n}" for n in range(200))
    assert set_aside(file) == []


def test_a_kill_loses_at_most_the_attempt_in_flight(file):
    code = """
for n in range(1_000_000):
    events.record_attempt(f"1.{n}", True)
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
        before, kept = kept, len(list(events.rows()))
        assert kept - before in (said, said + 1)
    assert kept > 0
    assert events.take_notice() is None
    assert set_aside(file) == []


def garbage(file: Path) -> None:
    file.write_bytes(random.Random(0).randbytes(20_000))


def text(file: Path) -> None:
    file.write_text("this is no database", encoding="utf-8")


def filled(file: Path) -> None:
    events.record_attempt("1.1", False, "a diagnosis of some length " * 3)
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
        db.execute(f"PRAGMA user_version = {events.SCHEMA_VERSION + 1}")
    db.close()


def other_tables(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.executescript(f"CREATE TABLE t (x); PRAGMA user_version = {events.SCHEMA_VERSION}")
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

    events.summary()
    events.record_attempt("2.1", True)

    (kept,) = set_aside(file)
    assert kept.read_bytes() == spoiled
    assert kept.name in events.take_notice()
    assert events.take_notice() is None
    assert list(events.summary()) == ["2.1"]

    file.write_bytes(spoiled)  # and again: the first one kept is not overwritten
    events.summary()
    assert len(set_aside(file)) == 2
    assert kept.read_bytes() == spoiled


def test_a_folder_in_the_way_is_set_aside(file):
    file.mkdir(parents=True)
    (file / "mine.txt").write_text("mine", encoding="utf-8")
    events.record_attempt("2.1", True)
    (kept,) = set_aside(file)
    assert (kept / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert events.summary()["2.1"].passed


def test_what_a_deleted_file_left_behind_does_not_come_back(file):
    events.record_attempt("1.1", True)
    with sqlite3.connect(file) as reader:  # while it is open, SQLite keeps its -wal
        reader.execute("SELECT * FROM events").fetchall()
        events.record_attempt("1.2", True)
        wal = file.with_name(f"{file.name}-wal").read_bytes()
    reader.close()
    file.unlink()
    file.with_name(f"{file.name}-wal").write_bytes(wal)
    events.record_attempt("2.1", True)
    assert list(events.summary()) == ["2.1"]


def test_kernels_that_find_a_damaged_file_together_set_it_aside_once(file):
    file.parent.mkdir()
    garbage(file)
    spoiled = file.read_bytes()
    code = """
for n in range(10):
    events.record_attempt("{}.1", True)
print(events.take_notice())
"""
    printed = run_at_once([code.format(kernel) for kernel in range(6)])
    (kept,) = set_aside(file)
    assert kept.read_bytes() == spoiled
    assert sorted(line == "None\n" for line in printed) == [False] + [True] * 5
    assert [exercise.attempts for exercise in events.summary().values()] == [10] * 6


def assert_fails_softly():
    events.record_attempt("1.1", True)
    events.record_hint("1.1", 1)
    events.record_answer("1.q1", "A", True)
    events.clear()
    assert events.summary() == {}
    notice = events.take_notice()
    assert notice.count("COURSE_PROGRESS") == 1
    assert events.take_notice() is None


def test_a_place_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.sqlite"))
    assert_fails_softly()


# A user who may write nothing there: root may write anywhere, so root becomes somebody else first.
AS_NOBODY = """
import os
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
events.record_attempt("1.2", True)
print(list(events.summary()), events.take_notice(), sep="\\n")
"""


@pytest.mark.skipif(os.name == "nt", reason="folders have other permissions on Windows")
@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_place(monkeypatch, begun):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own may not be entered by others
        file = Path(folder) / "progress.sqlite"
        monkeypatch.setenv("COURSE_PROGRESS", str(file))
        if begun:
            events.record_attempt("1.1", True)
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
    events.record_attempt(f"1.{{n}}", True, "x" * 2000)
print(events.take_notice())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("size", [0, 100, 40_000])
def test_a_full_disk(file, size):
    (printed,) = run_at_once([ON_A_FULL_DISK.format(size=size)])
    assert "COURSE_PROGRESS" in printed
    assert set_aside(file) == []
    events.record_attempt("2.1", True)  # there is room again
    assert events.summary()["2.1"].passed
    assert events.take_notice() is None


def test_without_wal_it_works_all_the_same(file, monkeypatch):
    class NetworkFolder(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement == "PRAGMA journal_mode = wal":
                super().execute(statement)  # the mode is taken, and its files cannot be made
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=NetworkFolder, **k))
    events.record_attempt("1.1", True)
    assert events.summary()["1.1"].passed
    assert events.take_notice() is None
    db = connect(file)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()


def test_it_is_in_wal_mode_where_it_can_be(file):
    events.record_attempt("1.1", True)
    db = sqlite3.connect(file)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
