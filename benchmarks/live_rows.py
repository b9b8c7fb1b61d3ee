"""The row about the class view: a minute of a crowd, a service that is killed, and a check."""

import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Thread

from benchmarks.claims import ROOT, Claim, Result

LEARNERS, EACH_PER_SECOND, SECONDS, BYTES = 20, 10, 60, 2000
PORT = 8766
# What a check keeps, a class on or not, in turn; the service is there, or at an address of nobody.
CHECKS = """
import os, time
from course.progress import events
events.record_attempt("1.2", False, "flat-token")
for name in ("none", "class", "away") * 150:  # by turns, so that a busy moment is shared
    os.environ["COURSE_LIVE"] = {"none": "", "class": CLASS, "away": "http://192.0.2.1:9#code"}[name]
    start = time.perf_counter()
    events.record_attempt("1.2", False, "flat-token")
    print(name, time.perf_counter() - start, flush=True)
    time.sleep(0.05)
"""


def live(_rounds: int) -> Result:
    """Events of 2 KB, 200 a second for a minute; the service is killed, and a learner works."""
    with tempfile.TemporaryDirectory() as folder:
        service, address, code = _service(folder)
        learners = [_Learner(code) for _learner in range(LEARNERS)]
        checks = _checks(f"{address}#{code}", folder)
        for learner in learners:
            learner.start()
        time.sleep(SECONDS / 2)
        service.kill()
        service.wait()
        service, *_same = _service(folder)
        for learner in learners:
            learner.join()
        kept = sqlite3.connect(Path(folder) / "live.sqlite").execute(
            "SELECT count(*), count(DISTINCT who) FROM events WHERE kind = 'hint'"
        )
        found, who = kept.fetchone()
        service.kill()
        service.wait()
        times = _times(checks)
    sent = LEARNERS * EACH_PER_SECOND * SECONDS
    answers = sorted(seconds for learner in learners for seconds in learner.answers)
    slowest = {name: sorted(found)[int(0.95 * len(found))] for name, found in times.items()}
    slower = {name: 1000 * (median(times[name]) - median(times["none"])) for name in times}
    tail = {name: 1000 * (slowest[name] - slowest["none"]) for name in times}
    return Result(
        [
            Claim(
                "class view: events of 2 KB, 200 a second, a minute, the service killed half-way",
                "those sent",
                "none lost, none twice",
                f"{found} of {sent}, of {who} learners; answered in "
                f"{1000 * median(answers):.0f} ms (median)",
                (found, who) == (sent, LEARNERS),
            ),
            Claim(
                "keeping a check's result where a class is on, and where its service is away",
                "the same without a class",
                "at most 5 ms more",
                f"{slower['class']:+.2f} and {slower['away']:+.2f} ms (median), "
                f"{tail['class']:+.2f} and {tail['away']:+.2f} ms (95th percentile)",
                max(*slower.values(), *tail.values()) < 5,
                "Other work on the machine falls on either side by chance.",
            ),
        ],
        {"seconds": times},
    )


def _service(folder: str) -> tuple[subprocess.Popen, str, str]:
    """The service once it listens, its address, and the code to join."""
    command = [sys.executable, "-u", "-m", "course", "live", f"--port={PORT}"]
    here = os.environ | {"COURSE_LIVE_FOLDER": folder}
    service = subprocess.Popen(command, cwd=ROOT, env=here, stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    for line in service.stdout:
        if joins := re.search(r"COURSE_LIVE=(\S+)#(\S+)", line):
            return service, joins[1], joins[2]
    raise RuntimeError("the service did not start")


class _Learner(Thread):
    """Sends events at its pace; what is not answered it sends again, as a kernel does."""

    def __init__(self, code: str):
        super().__init__()
        self.answers: list[float] = []
        key = f"{random.getrandbits(128):032x}"
        self._head = {"Authorization": f"room {code} {key}", "Content-Type": "application/json"}

    def run(self) -> None:
        began, line = time.monotonic(), http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
        for event in range(EACH_PER_SECOND * SECONDS):
            time.sleep(max(0, began + event / EACH_PER_SECOND - time.monotonic()))
            body = self._message()
            while not self._is_answered(line, body):
                line.close()
                time.sleep(0.2)

    def _message(self) -> bytes:
        now = datetime.now(UTC).isoformat()
        event = {"at": now, "kind": "hint", "name": "7.2", "passed": None, "detail": "1"}
        return json.dumps({"now": now, "seen": 0, "events": [event]}).encode().ljust(BYTES)

    def _is_answered(self, line: http.client.HTTPConnection, body: bytes) -> bool:
        start = time.perf_counter()
        try:
            line.request("POST", "/events", body, self._head)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        self.answers.append(time.perf_counter() - start)
        return answer.status == 200


def _checks(joins: str, folder: str) -> subprocess.Popen:
    """A learner at work meanwhile, in a process of their own."""
    learner = os.environ | {"COURSE_PROGRESS": f"{folder}/progress.sqlite"}
    code = CHECKS.replace("CLASS", repr(joins), 1)
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=learner, stdout=subprocess.PIPE, text=True
    )


def _times(checks: subprocess.Popen) -> dict[str, list[float]]:
    """Seconds of each check, by how it was made."""
    found: dict[str, list[float]] = {}
    for line in checks.communicate()[0].splitlines():
        name, seconds = line.split()
        found.setdefault(name, []).append(float(seconds))
    return found
