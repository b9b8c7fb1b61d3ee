"""How much memory and processor time the container around this process leaves it.

Linux puts every process into a control group, which lies in others; the tightest of them counts.
Of the second version of such groups there is one tree, of the first one for memory and one for
processors.
"""

from __future__ import annotations

import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")  # where in each tree this process is: "0::/user.slice/a.scope"


def memory_left() -> float:
    """Bytes that this process may still take, by its groups' limits; infinite without any.

    Files that the system has read ahead count as free: it gives them up first.
    """
    left = float("inf")
    for limit, use, read_ahead in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        for group in _groups("memory"):
            most, used = _number(group / limit), _number(group / use)
            if most is not None and used is not None:
                used -= min(used, _listed(group / "memory.stat", read_ahead))
                left = min(left, max(0, most - used))
    return left


def cores() -> float:
    """How many processor cores this process may keep busy: 1.5 is one and a half."""
    try:
        count: float = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        count = os.cpu_count() or 1
    for group in _groups("cpu"):
        quota, _space, period = _text(group / "cpu.max").partition(" ")  # microseconds
        shares = [
            (quota, period),
            (_text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")),
        ]
        for busy, of in shares:
            if busy.isdigit() and of.isdigit() and int(of):  # "max" and -1: no limit
                count = min(count, int(busy) / int(of))
    return count


def _groups(controller: str) -> list[Path]:
    """The groups that this process is in, from the innermost out, in each tree that is there."""
    found = []
    for line in _text(OWN).splitlines():
        _number_of_tree, _colon, rest = line.partition(":")
        controllers, _colon, path = rest.partition(":")
        if not controllers:
            trees = [GROUPS, GROUPS / "unified"]
        elif controller in controllers.split(","):
            trees = [GROUPS / controllers, GROUPS / controller]
        else:
            continue
        for tree in trees:
            if tree.is_dir():
                inner = _inside(tree, path)
                outer = [group for group in inner.parents if tree in (group, *group.parents)]
                found += [inner, *outer]
    return found


def _inside(tree: Path, path: str) -> Path:
    """The group at `path` of a tree; a container may see but the inner part of the tree."""
    steps = [step for step in path.split("/") if step]
    if ".." in steps:  # outside of what can be seen here
        return tree
    while steps and not tree.joinpath(*steps).is_dir():
        steps = steps[1:]
    return tree.joinpath(*steps)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdigit() else None


def _listed(file: Path, name: str) -> int:
    """The number beside a name in a file of "name number" lines; 0 where it is not there."""
    for line in _text(file).splitlines():
        key, _space, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0
