"""What a container leaves a process: both versions of control groups, nested, in fake trees."""

import math
import os
from types import SimpleNamespace

import psutil
import pytest

from course.machine import limits, resources, software

GB = 10**9
NO_LIMIT_V1 = 9223372036854771712


@pytest.fixture
def container(tmp_path, monkeypatch):
    """`container(own, {"file": text})` is the machine; the tree starts at /sys/fs/cgroup."""
    tree = tmp_path / "cgroup"
    tree.mkdir()
    monkeypatch.setattr(limits, "GROUPS", tree)
    monkeypatch.setattr(limits, "OWN", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)), raising=False)

    def make(own: str, files: dict) -> None:
        (tmp_path / "own").write_text(own, encoding="utf-8")
        for name, text in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(f"{text}\n", encoding="utf-8")

    return make


def v2(group: str, limit, used) -> dict:
    return {f"{group}/memory.max": limit, f"{group}/memory.current": used}


def v1(group: str, limit, used) -> dict:
    return {
        f"memory/{group}/memory.limit_in_bytes": limit,
        f"memory/{group}/memory.usage_in_bytes": used,
    }


MEMORY = {
    "own group of a container": ("0::/", v2(".", 2 * GB, GB // 2), 1.5 * GB),
    "nested, the inner one is tighter": (
        "0::/a/b",
        {**v2("a", 4 * GB, 1 * GB), **v2("a/b", 2 * GB, GB)},
        GB,
    ),
    "nested, the outer one is nearly full": (
        "0::/a/b",
        {**v2("a", 4 * GB, 39 * GB // 10), **v2("a/b", 2 * GB, GB)},
        GB // 10,
    ),
    "the limit is an ancestor's": (
        "0::/a/b/c",
        {**v2("a", 3 * GB, GB), **v2("a/b", "max", GB), **v2("a/b/c", "max", 1)},
        2 * GB,
    ),
    "no limit": ("0::/a", v2("a", "max", GB), math.inf),
    "a neighbour's limit": ("0::/a", {**v2("a", "max", GB), **v2("b", 1, 1)}, math.inf),
    "more used than allowed": ("0::/", v2(".", GB, 2 * GB), 0),
    "read ahead": (
        "0::/",
        {**v2(".", 2 * GB, 2 * GB), "memory.stat": f"anon 5\ninactive_file {GB}\nx"},
        GB,
    ),
    "outside of the container's tree": ("0::/../../x", v2(".", 3 * GB, GB), 2 * GB),
    "v1": ("5:memory:/", v1(".", 2 * GB, GB), GB),
    "v1, its path is the machine's and its tree the container's": (
        "12:pids:/docker/4f\n5:memory:/docker/4f\n0::/docker/4f",
        v1(".", 2 * GB, GB),
        GB,
    ),
    "v1, nested below what the container sees": (
        "5:memory:/docker/4f/inner",
        {**v1(".", 4 * GB, GB), **v1("inner", 2 * GB, 3 * GB // 2)},
        GB // 2,
    ),
    "v1 without a limit": ("5:memory:/a", v1("a", NO_LIMIT_V1, GB), NO_LIMIT_V1 - GB),
    "v1 and v2 side by side": (
        "5:memory:/a\n0::/b",
        {**v1("a", 2 * GB, GB), "unified/b/cgroup.procs": "1"},
        GB,
    ),
    "nothing known": ("", {}, math.inf),
    "nonsense": ("no colons\n::::\n0::/", {"memory.max": "lots", "memory.current": "-1"}, math.inf),
}


@pytest.mark.parametrize(("own", "files", "left"), MEMORY.values(), ids=MEMORY)
def test_memory_left_is_the_tightest_groups_limit_less_its_use(
    container, monkeypatch, own, files, left
):
    container(own, files)
    assert limits.memory_left() == left
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=9 * GB))
    assert resources.free_memory() == min(9 * GB, left)


CORES = {
    "v2": ("0::/", {"cpu.max": "150000 100000"}, 1.5),
    "v2 without a limit": ("0::/", {"cpu.max": "max 100000"}, 16),
    "v2, an ancestor's": (
        "0::/a/b",
        {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"},
        2,
    ),
    "v2, the inner one": (
        "0::/a/b",
        {"a/cpu.max": "400000 100000", "a/b/cpu.max": "25000 50000"},
        0.5,
    ),
    "v1": (
        "4:cpu,cpuacct:/docker/1",
        {"cpu,cpuacct/cpu.cfs_quota_us": 300000, "cpu,cpuacct/cpu.cfs_period_us": 100000},
        3,
    ),
    "v1, cpuset is another thing": (
        "3:cpuset:/\n4:cpu:/",
        {
            "cpuset/cpu.cfs_quota_us": 1,
            "cpuset/cpu.cfs_period_us": 1,
            "cpu/cpu.cfs_quota_us": -1,
            "cpu/cpu.cfs_period_us": 100000,
        },
        16,
    ),
    "more than there are": ("0::/", {"cpu.max": "6400000 100000"}, 16),
    "no period": ("0::/", {"cpu.max": "100000 0"}, 16),
    "nothing known": ("", {}, 16),
}


@pytest.mark.parametrize(("own", "files", "cores"), CORES.values(), ids=CORES)
def test_cores_are_those_that_every_group_allows(container, own, files, cores):
    container(own, files)
    assert limits.cores() == cores


def test_the_doctor_says_what_the_container_leaves(container, monkeypatch):
    container("0::/a", {**v2("a", GB, 6 * GB // 10), "a/cpu.max": "50000 100000"})
    with pytest.raises(software.Unready, match=r"0\.4 GB free"):
        resources.memory()
    if not software.course_module("torch").cuda.is_available():
        assert "0.5" in software.device()
