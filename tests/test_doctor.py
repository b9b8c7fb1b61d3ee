"""The doctor on broken machines: each is told what is wrong and what to do, in both languages."""

import ast
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import doctor
from course.machine import installing, kernel, limits, resources, setting_up, software
from utils import language, model_store
from utils.figures import style
from utils.language import use_language


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine on which all is well: its model is small and its folders are its own."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "data" / "progress.sqlite"))
    monkeypatch.setattr(resources, "free_memory", lambda: 8_000_000_000)
    monkeypatch.setattr(model_store, "BYTES_NEEDED", 1_000)
    folder = model_store.model_folder()
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(1000))
    model_store.write_manifest(folder)
    yield SimpleNamespace(folder=tmp_path, model=folder, monkeypatch=monkeypatch)
    use_language("en")


def versions(monkeypatch, package: str, version: str | None) -> None:
    """Let `package` be installed in `version`, or not at all."""
    real = importlib.metadata.version

    def installed(name: str) -> str:
        if name == package:
            if version is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return version
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", installed)


def missing_package(machine):
    versions(machine.monkeypatch, "anywidget", None)


def wrong_version(machine):
    versions(machine.monkeypatch, "transformers", "4.40.1")


def package_that_does_not_start(machine):
    machine.monkeypatch.setitem(sys.modules, "torch", None)


def no_such_device(machine):
    machine.monkeypatch.setenv("COURSE_DEVICE", "gpu")


def no_model(machine):
    shutil.rmtree(machine.model)


def corrupt_model(machine):
    (machine.model / "model.safetensors").write_bytes(bytes(999) + b"\1")


def half_a_model(machine):
    (machine.model / "model.safetensors").write_bytes(bytes(500))


def no_progress_folder(machine):
    (machine.folder / "a file").touch()
    place = machine.folder / "a file" / "progress.sqlite"
    machine.monkeypatch.setenv("COURSE_PROGRESS", str(place))


def no_cache_folder(machine):
    (machine.folder / "a file").touch()
    machine.monkeypatch.setenv("COURSE_CACHE", str(machine.folder / "a file"))


def full_disk(machine):
    machine.monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=12_000_000))


def little_memory(machine):
    machine.monkeypatch.setattr(resources, "free_memory", lambda: 400_000_000)


def no_font(machine):
    machine.monkeypatch.setattr(software, "FONT", machine.folder / "Gone.otf")


def damaged_font(machine):
    (machine.folder / "Half.otf").write_bytes(software.FONT.read_bytes()[:5000])
    machine.monkeypatch.setattr(software, "FONT", machine.folder / "Half.otf")


def old_front_end(machine):
    place = machine.folder / software.FRONT_ENDS["jupyterlab_widgets"]
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"version": "3.1.7"}), encoding="utf-8")
    machine.monkeypatch.setenv("JUPYTER_PATH", str(machine.folder))


def no_front_end(machine):
    paths = importlib.import_module("jupyter_core.paths")
    machine.monkeypatch.setattr(paths, "jupyter_path", lambda: [])


def stale_kernel(machine, argv=("/gone/python", "-m", "ipykernel")):
    place = machine.folder / "kernels" / "python3"
    place.mkdir(parents=True, exist_ok=True)
    spec = {"argv": [*argv], "display_name": "old", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    machine.monkeypatch.setenv("JUPYTER_PATH", str(machine.folder))


def kernel_of_another_python(machine):
    other = machine.folder / "other"
    other.write_text("#!/bin/sh\necho /opt/other\n", encoding="utf-8")
    other.chmod(0o755)
    stale_kernel(machine, [str(other)])


def test_a_kernel_that_is_only_called_python_is_this_one(machine):
    stale_kernel(machine, ["python3", "-m", "ipykernel_launcher"])
    assert kernel.kernel() == "notebooks run in this Python"


def old_kernel_side(machine):
    versions(machine.monkeypatch, "jupyterlab_widgets", "1.1.0")


def old_python(machine):
    old = SimpleNamespace(version_info=(3, 9, 2), executable=sys.executable)
    machine.monkeypatch.setattr(software, "sys", old)


@dataclass(frozen=True)
class Broken:
    """A way to break a machine; the line that must name it, and a part of the remedy."""

    how: object
    en: tuple[str, str, str]  # what is looked at, what is found, what to do
    ko: tuple[str, str, str]


BROKEN = [
    Broken(
        missing_package,
        ("Packages", "missing: anywidget", "pip install -c requirements.txt -e ."),
        ("패키지", "없는 패키지: anywidget", "pip install -c requirements.txt -e ."),
    ),
    Broken(
        wrong_version,
        ("Packages", "transformers 4.40.1 (the course needs", "pip install"),
        ("패키지", "transformers 4.40.1(강좌에 필요한 버전:", "pip install"),
    ),
    Broken(
        package_that_does_not_start,
        ("Device", "not looked at yet", "First see to the packages"),
        ("장치", "아직 살펴보지 못했습니다", "먼저 위에 나온 대로"),
    ),
    Broken(
        no_such_device,
        ("Device", "$COURSE_DEVICE is 'gpu'", "or leave it out: "),
        ("장치", "$COURSE_DEVICE 값이 'gpu'", "지우세요: "),
    ),
    Broken(
        no_model,
        ("Model", "not on this machine yet", "Run `python -m course lab` with a network"),
        ("모델", "아직 이 컴퓨터에 없습니다", "네트워크에 연결하고 `python -m course lab`"),
    ),
    Broken(
        corrupt_model,
        ("Model", "is damaged", "Delete the folder"),
        ("모델", "손상되었습니다", "폴더를 지우고"),
    ),
    Broken(
        half_a_model,
        ("Model", "is damaged", "Delete the folder"),
        ("모델", "손상되었습니다", "폴더를 지우고"),
    ),
    Broken(
        no_progress_folder,
        ("Progress folder", "cannot be written", "Set $COURSE_PROGRESS"),
        ("진도 폴더", "저장할 수 없습니다", "$COURSE_PROGRESS를"),
    ),
    Broken(
        no_cache_folder,
        ("Cache folder", "nothing can be written in", "Set $COURSE_CACHE"),
        ("캐시 폴더", "저장할 수 없습니다", "$COURSE_CACHE를"),
    ),
    Broken(
        full_disk,
        ("Disk", "0.0 GB free", "Free some space"),
        ("디스크", "0.0 GB 비어 있음", "공간을 비우거나"),
    ),
    Broken(
        little_memory,
        ("Memory", "0.4 GB free", "Shut Down All Kernels"),
        ("메모리", "0.4 GB 비어 있음", "모든 커널 종료"),
    ),
    Broken(
        no_font,
        ("Fonts", "Gone.otf", "git checkout utils/fonts"),
        ("글꼴", "Gone.otf", "git checkout utils/fonts"),
    ),
    Broken(
        damaged_font,
        ("Fonts", "Half.otf", "get the course anew"),
        ("글꼴", "Half.otf", "강좌를 다시 받으세요"),
    ),
    Broken(
        old_front_end,
        ("JupyterLab's widgets", "would run jupyterlab_widgets 3.1.7", "Delete the folder"),
        ("JupyterLab의 위젯", "jupyterlab_widgets 3.1.7 버전을 쓰게", "폴더를 지우고"),
    ),
    Broken(
        no_front_end,
        ("JupyterLab's widgets", "the browser's part of jupyterlab_widgets", "pip install"),
        ("JupyterLab의 위젯", "브라우저 쪽 부분이 없습니다", "pip install"),
    ),
    Broken(
        stale_kernel,
        ("Kernel", "would run in /gone/python", "Delete the folder"),
        ("커널", "/gone/python에서 실행", "폴더를 지우고"),
    ),
    Broken(
        kernel_of_another_python,
        ("Kernel", "which is not the course's", "kernels/python3"),
        ("커널", "이 강좌의 Python이 아닙니다", "kernels/python3"),
    ),
    Broken(
        old_kernel_side,
        ("JupyterLab's widgets", "jupyterlab_widgets 1.1.0", "pip install"),
        ("JupyterLab의 위젯", "jupyterlab_widgets 1.1.0", "pip install"),
    ),
    Broken(
        old_python,
        ("Python", "3.9.2 is too old", "Install Python 3.11 or newer"),
        ("Python", "3.9.2: 이 강좌에 쓰기에는 너무 오래된", "Python 3.11 이상을 설치"),
    ),
]


def test_a_machine_that_is_well(machine, capsys):
    assert doctor.main(["en"]) == 0
    said = capsys.readouterr().out
    assert said.count("✓") == len(doctor.symptoms())
    assert "✗" not in said
    assert "→" not in said
    assert said.endswith("This machine is ready.\n")
    assert doctor.main(["ko"]) == 0
    assert capsys.readouterr().out.endswith("이 컴퓨터는 준비되었습니다.\n")
    assert not (machine.folder / "data").exists()  # to look leaves nothing behind


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.how.__name__)
def test_a_broken_machine_is_told_what_to_do(machine, broken, capsys):
    broken.how(machine)
    for lang, (about, found, remedy) in (("en", broken.en), ("ko", broken.ko)):
        assert doctor.main([lang]) == 1
        lines = capsys.readouterr().out.splitlines()
        wrong = next(i for i, line in enumerate(lines) if line.startswith(f"✗ {about}: "))
        assert found in lines[wrong]
        assert lines[wrong + 1].startswith("    → ")
        assert remedy in lines[wrong + 1]
        faults = [line for line in lines if line.startswith("✗")]
        assert str(len(faults)) in lines[-1]


def test_a_network_is_needed_only_for_what_is_missing(machine):
    for breaks in (little_memory, no_font, full_disk):
        breaks(machine)
    assert "✓ Network: not needed" in str(doctor.examine())
    for breaks in (corrupt_model, no_model):
        breaks(machine)
        assert "✗ Network: needed once, to fetch the model" in str(doctor.examine())
    missing_package(machine)
    assert "✗ Network: needed once, to fetch the packages" in str(doctor.examine())


def test_a_shared_model_needs_no_folder_of_ones_own(machine, monkeypatch):
    def read_only(_folder):
        raise PermissionError

    monkeypatch.setattr(resources, "_try_to_write", read_only)
    assert "✓ Cache folder: shared and read-only" in str(doctor.examine())


def test_a_fault_that_nobody_thought_of_stops_nothing(machine, monkeypatch):
    monkeypatch.setattr(software, "fonts", lambda: 1 / 0)
    said = str(doctor.examine())
    assert "✗ Fonts: could not be looked at (ZeroDivisionError" in said
    assert "✓ Network" in said


def test_the_notebook_shows_the_same_as_a_list(machine):
    no_model(machine)
    page = doctor.examine()._repr_html_()
    assert "<code>python -m course lab</code>" in page
    assert page.count("✗</span> ") >= 2


@pytest.mark.parametrize(
    ("lang", "says"), [("en", "missing: accelerate"), ("ko", "없는 패키지: accelerate")]
)
def test_it_speaks_where_no_package_is_installed_at_all(lang, says):
    bare = [sys.executable, "-S", "-m", "course"]  # -S: a Python without its site-packages
    inside = {"cwd": software.ROOT, "env": os.environ | {setting_up.INSIDE: "1"}}
    run = subprocess.run(
        [*bare, "doctor", lang], **inside, capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 1, run.stderr
    assert says in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    build = subprocess.run([*bare, "build"], **inside, capture_output=True, text=True)
    assert build.returncode == 1
    assert "python -m course doctor" in build.stderr
    assert "Traceback" not in build.stderr


def test_an_old_python_can_read_what_the_doctor_is_written_in():
    for module in (doctor, kernel, limits, resources, software, language, setting_up, installing):
        source = Path(module.__file__).read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 9))
        assert "from __future__ import annotations" in source


def test_it_looks_at_the_font_that_pictures_use():
    assert software.FONT == style.FONT


def test_memory_is_measured(monkeypatch):
    assert 0 < resources.free_memory() < 10**14
