"""Reads what learners handed in: their exports, or the very files in which a hub keeps progress."""

import codecs
import hashlib
import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from course.progress.export import FORMAT, plain_number, record
from course.progress.store import COLUMNS, SCHEMA_VERSION
from utils.language import _

KINDS = (".json", ".sqlite")
# What the course keeps beside a progress file: one that could not be read, one before a reset.
COPY = re.compile(r"-set-aside-|^progress-\d{4}-\d\d-\d\d-")


def read(paths: list[Path]) -> tuple[list[dict], list[str]]:
    """The records in `paths`, one a learner, and a sentence for each file that is not read.

    paths: files, or folders, with all below them.  Of two files of one learner the one with more
    attempts counts.
    """
    records: dict[str, dict] = {}
    problems = []
    for file in [file for path in paths for file in _files(path)]:
        try:
            found = _database(file) if file.suffix == ".sqlite" else json.loads(_text(file))
            if not _is_right(found):
                raise ValueError(_("it is not a progress file of this course"))
        except (OSError, ValueError, TypeError, RecursionError, sqlite3.Error) as problem:
            why = str(problem).encode(errors="replace").decode()  # half a character
            says = _("{file} is left out: {problem}.").format(file=file, problem=why.rstrip("."))
            problems.append(says)
            continue
        for done in found["exercises"]:
            done["exercise"] = plain_number(done["exercise"])
        if found["learner"] in records:
            says = _("{file} is a second file of one learner; the one with more attempts counts.")
            problems.append(says.format(file=file))
            found = max(records[found["learner"]], found, key=_size)
        records[found["learner"]] = found
    return list(records.values()), problems


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = [file for file in sorted(path.rglob("*")) if file.suffix in KINDS]
    return [file for file in found if not COPY.search(file.name)]


def _database(file: Path) -> dict:
    """The record of the learner whose progress file this is.

    A copy is opened: opening the file itself would leave files of the instructor's beside it, which
    the learner's kernels could not write.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "progress.sqlite"
        for ending in ("", "-wal"):
            if ending == "" or Path(f"{file}{ending}").exists():
                shutil.copyfile(f"{file}{ending}", f"{copy}{ending}")
        with closing(sqlite3.connect(copy)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                raise ValueError(_("it is not a progress file of this course"))
            kept = db.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY id").fetchall()
            named = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'learner'").fetchone()
            learner = db.execute("SELECT id FROM learner").fetchone() if named else None
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in kept]
    nobody = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]  # has never exported
    return record(learner[0] if learner else nobody, rows)


def _text(file: Path) -> str:
    """What is in a text file, in whichever of the encodings that Windows writes."""
    read = file.read_bytes()
    wide = read.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return read.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("it is not written in UTF-8: save it as that")) from None


def _is_right(record: object) -> bool:
    """Whether everything that is counted is there, and of the kind that `export` writes."""
    if not isinstance(record, dict) or {key: record.get(key) for key in FORMAT} != FORMAT:
        return False
    exercises = record.get("exercises")
    return (
        _is_text(record.get("learner"))
        and isinstance(exercises, list)
        and all(map(_is_done_right, exercises))
        and _are_guesses(record.get("guesses", {}))
    )


def _is_done_right(done: object) -> bool:
    """The same for what a learner did with one exercise."""
    if not isinstance(done, dict):
        return False
    number, diagnoses, passed = done.get("exercise"), done.get("diagnoses"), done.get("passed")
    return (
        isinstance(number, str)
        and re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}", number) is not None
        and isinstance(passed, bool)
        and _is_count(done.get("attempts"))
        and _is_count(done.get("hints"))
        and (not passed or _is_count(done.get("attempts_to_pass")))
        and _are_minutes(done.get("minutes"))
        and isinstance(diagnoses, dict)
        and all(map(_is_text, diagnoses))
        and all(map(_is_count, diagnoses.values()))
    )


def _is_text(value: object) -> bool:
    """Whether it can be written down: half a character of two cannot."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def _are_guesses(value: object) -> bool:
    """Whether it says of questions which choice was taken; a live class and old files say none."""
    return isinstance(value, dict) and all(
        re.fullmatch(r"[0-9]{1,3}\.[a-z]", question) is not None and _is_count(choice)
        for question, choice in value.items()
    )


def _are_minutes(value: object) -> bool:
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**9
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _size(record: dict) -> int:
    return sum(done["attempts"] for done in record["exercises"])
