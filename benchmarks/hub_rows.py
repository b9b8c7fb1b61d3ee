"""The row about a class on a hub: ten learners run lesson 01 at once, on two cores or so."""

import asyncio
import json
import os
import urllib.request
from collections import Counter
from statistics import median

from tornado.httpclient import AsyncHTTPClient

from benchmarks.claims import Claim, Result
from benchmarks.hub_class import Hub, class_hub
from benchmarks.hub_learner import WRONG, Seen, learn
from course.machine.limits import cores

LEARNERS = 10


def hub(_rounds: int) -> Result:
    """One learner alone, then all the others at once; each has two wrong tries at each exercise."""
    with class_hub(LEARNERS + 1) as the_hub:
        alone, *_one = asyncio.run(together(the_hub, the_hub.learners[:1]))
        load = os.getloadavg()[0]
        seen = asyncio.run(together(the_hub, the_hub.learners[1:]))
        shown = asyncio.run(class_view(the_hub)) if the_hub.live else None
    return Result(
        claims(alone, seen, shown, load),
        {
            "alone": numbers(alone),
            "together": [numbers(one) for one in seen],
            "class view": shown,
            "load before": load,
        },
    )


def numbers(one: Seen) -> dict:
    return {key: value for key, value in vars(one).items() if key != "attempts"}


async def together(the_hub: Hub, names: list[str]) -> list[Seen]:
    AsyncHTTPClient.configure(None, max_clients=1000)
    others = [*names[1:], names[0]] if len(names) > 1 else [""]
    return await asyncio.gather(
        *(learn(the_hub, *pair) for pair in zip(names, others, strict=True))
    )


async def class_view(the_hub: Hub) -> dict:
    """What the instructor's page is told, after a moment for what is still on its way."""
    token = await the_hub.log_in(the_hub.instructor)
    await asyncio.sleep(10)
    return await asyncio.to_thread(first_update, the_hub.address, token)


def first_update(address: str, token: str) -> dict:
    """The first of the events that the page listens to, which never end."""
    asked = urllib.request.Request(
        f"{address}/services/live/updates", headers={"Authorization": f"token {token}"}
    )
    with urllib.request.urlopen(asked, timeout=60) as events:
        return json.loads(events.readline().removeprefix(b"data: "))


def claims(alone: Seen, seen: list[Seen], shown: dict | None, load: float) -> list[Claim]:
    """What was meant, and what was met."""
    count, wall = len(seen), max(one.done for one in seen)
    fair = alone.cpu * count / cores()
    refused = Counter(name for one in seen for name in one.refused)
    errors = [error for one in [alone, *seen] for error in one.errors]
    due = len(WRONG) * 3
    right_number = sum(len(one.attempts) == due for one in seen)
    memory = median(one.kernel_mib + one.server_mib for one in seen)
    first = max(one.first_cell for one in seen)
    who = f"hub: {count} learners at once run lesson 01 on {cores():.3g} cores"
    busy = f"other work ran on the machine, too (load {load:.1f} before)" if load > 0.5 else ""
    found = [
        Claim(
            who,
            "right answers",
            "none refused",
            f"{sum(refused.values())} of {count * len(WRONG)} refused"
            + "".join(f"; {times} × {name}" for name, times in refused.items()),
            not refused,
        ),
        Claim(
            f"{who}: attempts",
            f"{due} each",
            "each recorded once",
            f"{right_number} of {count} learners have {due}",
            right_number == count,
        ),
        Claim(
            f"{who}: kernels killed, cells that fail, what a neighbour can see",
            "none",
            "none",
            "; ".join(errors) or "none",
            not errors,
        ),
        Claim(
            f"{who}: until the last is done",
            f"{alone.cpu:.0f} processor seconds of one × {count} ÷ {cores():.3g} = {fair:.0f} s",
            "1.5 ×",
            f"{wall / fair:.2f} × ({wall:.0f} s)",
            wall <= 1.5 * fair,
            busy,
        ),
        Claim(
            f"{who}: from log-in to the first cell",
            "–",
            "15 s",
            f"{first:.0f} s, the slowest; {max(one.imports for one in seen):.0f} s to the end of "
            f"the imports; one alone {alone.first_cell:.0f} and {alone.imports:.0f} s",
            first <= 15,
            busy,
        ),
        Claim(
            f"{who}: memory of one, PSS of server and kernel",
            "–",
            "450 MB",
            f"{memory:.0f} MiB ({median(one.kernel_mib for one in seen):.0f} + "
            f"{median(one.server_mib for one in seen):.0f})",
            memory * 1.048576 <= 450,
            "Each kernel has Python, PyTorch and transformers to itself, and each server "
            "JupyterLab; the weights are shared.",
        ),
    ]
    return found + ([in_class_view(who, count, shown)] if shown else [])


def in_class_view(who: str, count: int, shown: dict) -> Claim:
    """Whether the instructor's page shows everybody once, with all passed, and the one before."""
    passed = {row["number"]: row["passed"] for row in shown["exercises"]}
    learners = shown["learners"]
    said = f"{learners} learners; passed: " + ", ".join(f"{n} {k}" for n, k in passed.items())
    meant = dict.fromkeys(WRONG, count + 1)
    met = learners == count + 1 and passed == meant
    return Claim(f"{who}: the class view", "these and one before them", "all of it", said, met)
