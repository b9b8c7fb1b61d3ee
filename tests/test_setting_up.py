"""`python -m course` from a bare Python: what is noticed of an environment, what pip's words mean.

No package is installed here: that the set-up really installs is what CI's first step shows.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from course.__main__ import COMMANDS
from course.machine import installing, setting_up
from course.machine.installing import SetUpError, why
from course.machine.software import ROOT
from utils.language import use_language

PINS = {"pyproject.toml": "[project]\n", "requirements.txt": "a==1\nb==2\n"}
HERE = "{}.{}".format(*sys.version_info)


@pytest.fixture
def course(tmp_path):
    """A course's folder with Hangul and spaces in its name, whose environment is whole."""
    root = tmp_path / "내 강좌 (1)"
    setting_up.python_of(root).parent.mkdir(parents=True)
    for name, text in PINS.items():
        (root / name).write_text(text)
    setting_up.python_of(root).symlink_to(sys.executable)
    stamp(root, **setting_up.made_for(root, HERE, tests=True))
    return root


def stamp(root: Path, **says) -> None:
    setting_up.stamp_of(root).write_text(json.dumps(says))


def test_a_whole_environment_is_used_as_it_is(course, monkeypatch):
    assert setting_up.trouble(course, tests=True) == ""
    monkeypatch.setattr(setting_up, "install", None)
    setting_up.set_up(course)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"pins": "others"}, "changed"),
        ({"python": "3.10"}, "broken"),
        ({"folder": "/elsewhere"}, "moved"),
        ({"tests": False}, "without tests"),
    ],
)
def test_what_no_longer_fits_is_noticed(course, change, trouble):
    stamp(course, **setting_up.made_for(course, HERE, tests=True) | change)
    assert setting_up.trouble(course, tests=True) == trouble
    assert setting_up.says(trouble)


def test_line_endings_alone_are_no_other_pins(course):
    for name, text in PINS.items():
        (course / name).write_bytes(text.replace("\n", "\r\n").encode())
    assert setting_up.trouble(course, tests=True) == ""


def test_what_broke_is_noticed(course):
    setting_up.stamp_of(course).write_text("{ half")
    assert setting_up.trouble(course, tests=False) == "unfinished"
    python = setting_up.python_of(course)
    python.unlink()
    assert setting_up.trouble(course, tests=False) == "broken"
    python.write_text("#!/bin/sh\nexit 1\n")  # as one without pip
    python.chmod(0o755)
    assert setting_up.trouble(course, tests=False) == "broken"


def test_a_linked_environment_is_someone_else_s(course, tmp_path):
    (course / ".venv").rename(tmp_path / "theirs")
    (course / ".venv").symlink_to(tmp_path / "theirs")
    setting_up.stamp_of(course).unlink()
    assert setting_up.trouble(course, tests=True) == ""


def test_the_stamp_is_written_last_and_only_when_all_is_there(course, monkeypatch):
    stamp(course, **setting_up.made_for(course, HERE, tests=False) | {"pins": "others"})

    def fails(*_):
        assert not setting_up.stamp_of(course).exists()
        raise SetUpError("no network")

    monkeypatch.setattr(setting_up, "install", fails)
    with pytest.raises(SetUpError):
        setting_up.set_up(course)
    assert setting_up.trouble(course, tests=False) == "unfinished"
    monkeypatch.setattr(setting_up, "install", lambda *_: None)
    setting_up.set_up(course)
    assert setting_up.trouble(course, tests=False) == ""


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sys.version_info": (3, 99, 0)}, "newer than what PyTorch"),
        ({"sys.maxsize": 2**31 - 1}, "32-bit"),
        ({"sys.platform": "darwin", "platform.machine": lambda: "x86_64"}, "Intel"),
        ({"sys.platform": "win32", "platform.machine": lambda: "ARM64"}, "ARM"),
    ],
)
def test_a_machine_that_cannot_is_told_before_anything_is_installed(
    monkeypatch, tmp_path, changed, says
):
    for name, value in changed.items():
        monkeypatch.setattr(f"course.machine.setting_up.{name}", value)
    monkeypatch.setattr(setting_up, "install", None)
    use_language("en")
    with pytest.raises(SetUpError, match=says):
        setting_up.set_up(tmp_path)
    assert not (tmp_path / ".venv").exists()


def test_this_machine_can():
    assert setting_up.unfit() == ""


@pytest.mark.parametrize(
    ("pip", "says"),
    [
        (
            "WARNING: Retrying … SSLError(SSLCertVerificationError(1, '[SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed'))\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "does not trust",
        ),
        (
            "WARNING: Retrying … NewConnectionError('Failed to establish')\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "No connection",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: [WinError 5] Access is denied: 'C:\\\\x.dll'", "may not be written"),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no torch==2.13.0"),
        ("Collecting x\nERROR: something new", "ERROR: something new"),
    ],
)
def test_what_hindered_pip_is_said(pip, says):
    use_language("en")
    assert says in why(pip)


def test_progress_counts_packages_and_not_their_metadata():
    progress = installing.Progress(3)
    for line in (
        "Collecting torch==2.13.0 (from -c requirements.txt)",
        "  Downloading torch-2.13.0-cp311-cp311-win_amd64.whl.metadata (30 kB)",
        "Downloading torch-2.13.0-cp311-cp311-win_amd64.whl (190.4 MB)",
        "Using cached tqdm-4.70.1-py3-none-any.whl (78 kB)",
    ):
        progress.hear(line)
    assert "2 of about 3" in progress.line()
    assert progress.line().endswith("tqdm-4.70.1 (78 kB)")


def test_what_misleads_python_and_pip_is_taken_away(monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org")
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET"} & {*setting_up.surroundings()}
    assert setting_up.surroundings()["PIP_INDEX_URL"] == "https://example.org"


def test_a_command_goes_on_inside_and_its_code_comes_back(course):
    python = setting_up.python_of(course)
    python.unlink()
    python.write_text(f'#!/bin/sh\necho "$@" $COURSE_INSIDE_VENV > "{course}/said"\nexit 7\n')
    python.chmod(0o755)
    assert setting_up.go_on(["lab", "ko"], course) == 7
    assert (course / "said").read_text() == "-m course lab ko 1\n"


def test_nothing_but_python_is_needed_to_set_up():
    """Isolated and without site-packages, as a bare Python is."""
    code = f"""import sys; sys.path.insert(0, {str(ROOT)!r})
import course.__main__, course.machine.setting_up, course.opening"""
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
    assert {"lab", "test", "doctor"} <= COMMANDS.keys()
