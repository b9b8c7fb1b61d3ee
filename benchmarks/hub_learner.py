"""One learner on a hub: opens lesson 01, and answers each exercise wrong, wrong, and right.

What they do goes over the network as a browser would send it: REST, and a kernel's websocket.
"""

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import nbformat
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from benchmarks.claims import ROOT
from benchmarks.hub_class import PATIENCE, Hub

LESSON = "01_generation_loop"
FIRST, SECOND = "language", "imports"  # cells: the first of the notebook, and the first that waits
# Two wrong answers to each exercise, as learners give them; the right one is the solved notebook's.
WRONG = {
    "1.1": [
        "def next_token_id(model, input_ids):\n"
        "    return model(input_ids).logits[0, 0].argmax().item()",
        "def next_token_id(model, input_ids):\n"
        "    return model(input_ids).logits[0, -2].argmax().item()",
    ],
    "1.2": [
        "def append_token(input_ids, token_id):\n"
        "    return torch.cat([torch.tensor([[token_id]]), input_ids], dim=1)",
        "def append_token(input_ids, token_id):\n    return input_ids + token_id",
    ],
    "1.3": [
        "def generate_greedy(model, tokenizer, prompt, max_new_tokens):\n    return prompt",
        "def generate_greedy(model, tokenizer, prompt, max_new_tokens):\n"
        "    ids = tokenizer(prompt, return_tensors='pt').input_ids\n"
        "    return tokenizer.decode(model(ids).logits[0, -1].argmax())",
    ],
    "1.4": ["my_prompt = '   '", "my_prompt = ['What is the capital of France?']"],
}
ATTEMPTS = (
    "import json, os; from course.progress.store import use\n"
    "print(json.dumps({'attempts': use(lambda db: db.execute(\"SELECT name, passed, detail FROM "
    "events WHERE kind = 'attempt' ORDER BY rowid\").fetchall()), 'cpu': sum(os.times()[:2]), "
    "'kernel': os.getpid(), 'server': os.getppid()}))"
)
LOOK = (
    "import os\ntry:\n    print(os.listdir(os.path.expanduser('~{other}')))\n"
    "except PermissionError:\n    print('refused')"
)


@dataclass
class Seen:
    """What one learner met: seconds since they logged in, and what is left behind."""

    server: float = 0.0
    first_cell: float = 0.0
    imports: float = 0.0
    done: float = 0.0
    cpu: float = 0.0
    attempts: list = field(default_factory=list)  # exercise, passed, diagnosis
    errors: list[str] = field(default_factory=list)
    kernel_mib: float = 0.0
    server_mib: float = 0.0

    @property
    def refused(self) -> list[str]:
        """The exercises whose right answer, the last of three, did not pass."""
        last = {name: (passed, detail) for name, passed, detail in self.attempts}
        return [f"{n}: {last.get(n, (0, 'none'))[1]}" for n in WRONG if not last.get(n, (0,))[0]]


async def learn(hub: Hub, name: str, other: str = "") -> Seen:
    """One learner's lesson, from log-in to its last cell; `other` is somebody to spy on in vain."""
    seen, began = Seen(), time.monotonic()
    token = await hub.log_in(name)
    await hub.ask("POST", f"/hub/api/users/{name}/server", token, {"language": "en"})
    while (
        not (await hub.ask("GET", f"/hub/api/users/{name}", token))["servers"]
        .get("", {})
        .get("ready")
    ):
        await asyncio.sleep(0.5)
    seen.server = time.monotonic() - began
    path = f"my_course/en/{LESSON}.ipynb"
    await hub.ask("GET", f"/user/{name}/api/contents/{path}", token)
    asked = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = await hub.ask("POST", f"/user/{name}/api/sessions", token, asked)
    channels = f"{hub.address}/user/{name}/api/kernels/{session['kernel']['id']}/channels"
    kernel = await websocket_connect(
        HTTPRequest(
            channels.replace("http", "ws", 1),
            headers={"Authorization": f"token {token}"},
            request_timeout=PATIENCE,
        )
    )
    for cell, source in cells():
        _said, error = await execute(kernel, source)
        if error:
            seen.errors.append(f"{cell}: {error}")
        if cell == FIRST:
            seen.first_cell = time.monotonic() - began
        if cell == SECOND:
            seen.imports = time.monotonic() - began
    seen.done = time.monotonic() - began
    said, _error = await execute(kernel, ATTEMPTS)
    found = json.loads(said)
    seen.attempts, seen.cpu = found["attempts"], found["cpu"]
    seen.kernel_mib, seen.server_mib = pss(found["kernel"]), pss(found["server"])
    if other:
        seen.errors += await spy(hub, token, kernel, other)
    kernel.close()
    return seen


async def spy(hub: Hub, token: str, kernel, other: str) -> list[str]:
    """What of another's a learner could see; nothing where all is well."""
    found = []
    if os.geteuid() == 0:
        said, _error = await execute(kernel, LOOK.replace("{other}", other))
        if said.strip() != "refused":
            found.append(f"sees the home of {other}: {said}")
    pages = [f"/user/{other}/api/contents", f"/hub/api/users/{other}"]
    for page in pages + (["/services/live/updates"] if hub.live else []):
        try:
            await hub.ask("GET", page, token)
            found.append(f"may open {page}")
        except HTTPClientError as answer:
            if answer.code not in (403, 404):
                found.append(f"{page}: {answer.code}")
    return found


def cells() -> list[tuple[str, str]]:
    """The code of lesson 01 as a learner runs it: before each right answer two wrong ones."""
    notebook = nbformat.read(ROOT / "solutions" / "en" / f"{LESSON}.ipynb", 4)
    code = {c.id: c.source for c in notebook.cells if c.cell_type == "code" and c.id != "solved"}
    run = []
    for cell, source in code.items():
        if cell.startswith("ex-"):
            number = cell.removeprefix("ex-").replace("-", ".")
            check = code[f"check-{number.replace('.', '-')}"]
            for wrong in WRONG[number]:
                run += [(f"wrong {number}", wrong), (f"wrong check {number}", check)]
        run.append((cell, source))
    return run


async def execute(kernel, source: str) -> tuple[str, str]:
    """Run a cell over a kernel's websocket: what it printed, and its error or ""."""
    number = uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": "load"}
    content = {"code": source, "silent": False, "store_history": True, "stop_on_error": True}
    content |= {"user_expressions": {}, "allow_stdin": False}
    message = {"header": header | {"version": "5.3", "date": ""}, "parent_header": {}}
    await kernel.write_message(
        json.dumps(message | {"metadata": {}, "content": content, "channel": "shell"})
    )
    said, error, idle, replied = "", "", False, False
    while not (idle and replied):
        raw = await asyncio.wait_for(kernel.read_message(), PATIENCE)
        if raw is None:
            return said, "the kernel is gone"
        answer = json.loads(raw if isinstance(raw, str) else first_part(raw))
        if answer.get("parent_header", {}).get("msg_id") != number:
            continue
        kind, content = answer["header"]["msg_type"], answer["content"]
        said += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
        error = f"{content['ename']}: {content['evalue']}" if kind == "error" else error
        idle = idle or (kind == "status" and content["execution_state"] == "idle")
        replied = replied or kind == "execute_reply"
    return said, error


def first_part(raw: bytes) -> bytes:
    """The message itself where pictures follow it: how many parts, where each begins, the parts."""
    parts = int.from_bytes(raw[:4], "big")
    begins = [int.from_bytes(raw[4 * n : 4 * n + 4], "big") for n in range(1, parts + 1)]
    return raw[begins[0] : begins[1] if parts > 1 else len(raw)]


def pss(pid: int) -> float:
    """MiB of a process, where what it shares is counted in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
