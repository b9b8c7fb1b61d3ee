"""The class view: what learners' kernels send, who may send and look, what the room is shown."""

import asyncio
import importlib
import json
import re
import sys
import threading
import time
import types
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from tornado.web import Application, RequestHandler

from course.exercise import Exercise, Question
from course.graders import diagnosis_sentence
from course.my_progress import said_about_sending
from course.progress import events, live, live_notes
from course.workshop.live import handlers, page, report, service
from course.workshop.live.doors import READ, SEND, Hub, Room
from course.workshop.live.protocol import Event
from course.workshop.live.store import Store
from course.workshop.live.summary import snapshot, state, way
from utils.language import use_language

KEY, OTHER_KEY = "a" * 32, "b" * 32
MINUTE = 60.0


@contextmanager
def serving(folder, door=None, port=0):
    """The service on a thread of its own: its store, and its address."""
    started, stop = threading.Event(), asyncio.Event()
    there: dict = {}

    async def serve():
        store = there["store"] = Store(folder)
        at_door = door or Room(store.session.code, store.session.key)
        server = service.listen(handlers.application(store, at_door, folder), "127.0.0.1", port)
        there["port"] = next(iter(server._sockets.values())).getsockname()[1]
        there["loop"] = asyncio.get_running_loop()
        started.set()
        await stop.wait()
        server.stop()
        await server.close_all_connections()
        store.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(10)
    try:
        yield there["store"], f"http://127.0.0.1:{there['port']}"
    finally:
        there["loop"].call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture
def served(tmp_path):
    with serving(tmp_path / "live") as both:
        yield both


@pytest.fixture
def kernel(learner, monkeypatch):
    """A learner's kernel that has just started; `kernel(address)` joins a class."""
    monkeypatch.setattr(live, "LOOK_AGAIN", 0.05)
    monkeypatch.setattr(live, "FOR_NOTHING", 0.05)

    def join(address):
        leave()
        monkeypatch.setenv("COURSE_LIVE", address)

    def leave():
        monkeypatch.delenv("COURSE_LIVE", raising=False)
        if live._thread:
            live._wake.set()
            live._thread.join(5)
        live._waiting.clear()
        events._begun.clear()
        live_notes._regions.clear()
        live_notes._notes.clear()

    yield join
    leave()


def comes(what, seconds=5.0):
    """Wait until `what()` is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def ask(url, body=None, **headers):
    """Status and text of an answer."""
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def message(*sent, seen=0):
    now = datetime.now(UTC).isoformat()
    keys = ("kind", "name", "passed", "detail")
    each = [dict(zip(keys, event, strict=True), at=now) for event in sent]
    return json.dumps({"now": now, "seen": seen, "events": each}).encode()


def kept(store):
    return [(e.kind, e.name, e.passed, e.detail) for es in store.by_who.values() for e in es]


WRONG = [
    ("begun", "1.2", None, None),
    ("attempt", "1.2", 0, "added-up"),
    ("hint", "1.2", None, "1"),
    ("answer", "1.a", 0, "1"),
]


def work():
    """What a learner does: WRONG."""
    Exercise("1.2").check(lambda input_ids, token_id: input_ids + token_id).hint()
    Question("1.a").answer(1)


def plain(sent):
    return [(kind, name, passed and int(passed), detail) for kind, name, passed, detail in sent]


def test_what_a_learner_does_is_there_and_no_more_of_it(served, kernel):
    store, address = served
    kernel(f"{address}#{store.session.code}")
    work()
    comes(lambda: len(kept(store)) == 4)
    assert plain(kept(store)) == plain(WRONG)
    (who,) = store.by_who
    key, _since = live._joined()
    assert who not in (key, events.learner_id())
    assert live.problem == ""


def test_where_nobody_has_joined_nothing_is_sent_and_nothing_shown(served, kernel, monkeypatch):
    monkeypatch.delenv("COURSE_LIVE", raising=False)
    thread = live._thread
    work()
    assert live._thread is thread
    assert not live._waiting
    assert said_about_sending() == []
    assert len(Exercise("1.2").children) == 4
    assert "begun" not in [row["kind"] for row in events.rows()]


def test_a_service_that_was_away_and_was_killed_has_everything_once(tmp_path, kernel):
    with serving(tmp_path / "live") as (store, address):
        port, code, session = int(address.rpartition(":")[2]), store.session.code, store.session.id
    kernel(f"{address}#{code}")
    began = time.monotonic()
    work()  # nobody listens
    assert time.monotonic() - began < 2
    comes(lambda: live.problem == "away")
    with serving(tmp_path / "live", port=port) as (store, _address):
        assert (store.session.id, store.went_on) == (session, True)
        comes(lambda: len(kept(store)) == 4)
        (who,) = store.by_who
    events.record_attempt("1.2", True)
    kernel(f"{address}#{code}")  # the first one is gone with what it had not sent
    live.start()
    with serving(tmp_path / "live", port=port) as (store, _address):
        comes(lambda: len(kept(store)) == 5)
        time.sleep(0.15)
        assert plain(kept(store)) == [*plain(WRONG), ("attempt", "1.2", 1, None)]
        assert list(store.by_who) == [who]  # the alias outlives the service, not the class


def test_a_learner_can_switch_it_off_and_what_happens_then_stays_at_home(served, kernel):
    store, address = served
    kernel(f"{address}#{store.session.code}")
    (box,) = said_about_sending()
    assert "not your name" in box.children[0].value
    box.children[1].value = False
    work()
    time.sleep(0.2)
    assert kept(store) == []
    box.children[1].value = True
    events.record_hint("1.2", 2)
    comes(lambda: kept(store))
    time.sleep(0.15)
    assert kept(store) == [("hint", "1.2", None, "2")]


def test_what_the_instructor_says_appears_beside_the_exercise(served, kernel):
    store, address = served
    kernel(f"{address}#{store.session.code}")
    first, second = Exercise("1.2"), Exercise("1.3")
    say = {"Cookie": f"course-live={store.session.key}"}
    for said in (
        {"exercise": "1.2", "kind": "text", "text": "two <b>brackets</b>"},
        {"exercise": "1.3", "kind": "hint", "text": "2"},
    ):
        assert ask(f"{address}/say", json.dumps(said).encode(), **say)[0] == 200
    comes(lambda: "two &lt;b&gt;brackets" in first.children[-1].value)
    comes(lambda: "From your instructor" in second.children[-1].value)
    assert "brackets" not in second.children[-1].value
    to_all = json.dumps({"exercise": "", "kind": "board", "text": ""}).encode()
    ask(f"{address}/say", to_all, **say)
    comes(lambda: "look at the board" in second.children[-1].value)
    assert "look at the board" in first.children[-1].value
    for note in live_notes._notes:
        note["until"] = 0
    comes(lambda: first.children[-1].value == "")
    for wrong in ({"exercise": "1.2", "kind": "text", "text": "x" * 301}, {"kind": "board"}, []):
        assert ask(f"{address}/say", json.dumps(wrong).encode(), **say)[0] == 400


def test_only_the_instructor_looks_and_only_who_knows_the_code_sends(served):
    store, address = served
    code, key = store.session.code, store.session.key
    learner = {"Authorization": f"room {code} {KEY}"}
    for where, body in (("updates", None), ("report", None), ("say", b"{}"), ("end", b"{}")):
        for shown in ({}, learner, {"Cookie": f"course-live={code}"}, {"Cookie": "course-live="}):
            assert ask(f"{address}/{where}", body, **shown)[0] == 403
    assert "7.2" not in ask(f"{address}/", **learner)[1]
    assert ask(f"{address}/enter", code.encode())[0] == 403
    assert ask(f"{address}/enter", key.encode())[0] == 200
    sent = message(("attempt", "1.2", True, None))
    for wrong in ("", f"room x {KEY}", f"room {code} short", f"token {code}", f"room {code}"):
        assert ask(f"{address}/events", sent, Authorization=wrong)[0] == 403
    assert store.by_who == {}
    assert ask(f"{address}/events", sent, **learner)[0] == 200
    other = {"Authorization": f"room {code} {OTHER_KEY}"}
    assert ask(f"{address}/events", sent, **other)[0] == 200
    assert len(store.by_who) == 2  # who has the code only is nobody else


def test_what_is_no_event_is_not_let_in(served):
    store, address = served
    learner = {"Authorization": f"room {store.session.code} {KEY}"}
    odd = [
        ("attempt", "9.99", True, None),
        ("attempt", ["1.2"], True, None),
        ("answer", "1.a", False, "my own words"),
        ("hint", "1.2", None, "<script>"),
        ("code", "1.2", None, "print()"),
    ]
    good = ("attempt", "1.2", False, "my own words")
    assert ask(f"{address}/events", message(*odd, good), **learner)[0] == 200
    assert kept(store) == [("attempt", "1.2", False, None)]
    for body in (b"", b"[]", b"{", b'{"now": 1, "seen": 0, "events": []}', b"[" * 60_000):
        assert ask(f"{address}/events", body, **learner)[0] == 400


def hub_with(users):
    """JupyterHub's own module, as far as the door uses it: who each token belongs to."""

    class HubOAuth:
        login_url = "/hub/api/oauth2/authorize?client_id=service-live"

        @classmethod
        def instance(cls):
            return cls()

        async def user_for_token(self, token, sync):
            return users.get(token)

        async def get_user(self, handler, sync):
            return users.get(handler.get_cookie("token", ""))

        def set_state_cookie(self, handler, next_url):
            return "state"

    callback = type("Callback", (RequestHandler,), {})
    return types.SimpleNamespace(HubOAuth=HubOAuth, HubOAuthCallbackHandler=callback)


def test_on_a_hub_tokens_and_scopes_decide(tmp_path, monkeypatch):
    users = {
        "ann's": {"name": "ann", "kind": "user", "scopes": [SEND]},
        "bob's": {"name": "bob", "kind": "user", "scopes": [SEND]},
        "scopeless": {"name": "cid", "kind": "user", "scopes": []},
        "service's": {"name": "x", "kind": "service", "scopes": [SEND]},
        "teacher's": {"name": "eve", "kind": "user", "scopes": [READ]},
    }
    monkeypatch.setitem(sys.modules, "jupyterhub.services.auth", hub_with(users))
    assert importlib.import_module("jupyterhub.services.auth")
    with serving(tmp_path / "live", Hub()) as (store, address):
        sent = message(("attempt", "1.2", True, None))
        for token in ("ann's", "bob's", "ann's"):
            assert ask(f"{address}/events", sent, Authorization=f"token {token}")[0] == 200
        assert len(store.by_who) == 2
        assert not {"ann", "bob"} & set(store.by_who)
        for token in ("scopeless", "service's", "teacher's", "nobody's", ""):
            assert ask(f"{address}/events", sent, Authorization=f"token {token}")[0] == 403
        assert ask(f"{address}/report", Cookie="token=ann's")[0] == 403
        assert ask(f"{address}/", Cookie="token=ann's")[0] == 403
        assert ask(f"{address}/report", Cookie="token=teacher's")[0] == 200


def test_a_class_that_ends_leaves_its_report_and_nothing_else(served, tmp_path):
    store, address = served
    learner = {"Authorization": f"room {store.session.code} {KEY}"}
    ask(f"{address}/events", message(*WRONG), **learner)
    (who,) = store.by_who
    before = store.session
    instructor = {"Cookie": f"course-live={before.key}"}
    assert ask(f"{address}/end", b"{}", **instructor)[0] == 200
    (kept_report,) = (tmp_path / "live").glob("class-report-*.html")
    assert "1.2" in kept_report.read_text()
    assert who not in kept_report.read_text()
    assert store.by_who == {}
    assert (store.session.code, store.session.key) == (before.code, before.key)
    left = b"".join(f.read_bytes() for f in (tmp_path / "live").glob("*") if f != kept_report)
    assert before.secret.encode() not in left
    assert who.encode() not in left
    ask(f"{address}/events", message(*WRONG), **learner)
    assert who not in store.by_who  # the next class knows the same learner by another name


def test_before_all_is_loaded_it_asks_for_patience():
    async def ask_early():
        front = service.Front()
        server = service.listen(front, "127.0.0.1", 0)
        port = next(iter(server._sockets.values())).getsockname()[1]
        early = await asyncio.to_thread(ask, f"http://127.0.0.1:{port}/events", b"{}")
        page_early = await asyncio.to_thread(ask, f"http://127.0.0.1:{port}/")
        assert "starting" in page_early[1]
        front.app = Application([("/events", RequestHandler)], log_function=lambda _handler: None)
        later = await asyncio.to_thread(ask, f"http://127.0.0.1:{port}/events", b"{}")
        server.stop()
        return early[0], later[0]

    assert asyncio.run(ask_early()) == (503, 405)


def test_the_page_is_told_at_once(served, monkeypatch):
    monkeypatch.setattr(handlers, "LOOK", 0.05)
    store, address = served
    request = urllib.request.Request(
        f"{address}/updates", headers={"Cookie": f"course-live={store.session.key}"}
    )
    with urllib.request.urlopen(request, timeout=5) as stream:
        first = json.loads(stream.readline().removeprefix(b"data: "))
        assert first["learners"] == 0
        learner = {"Authorization": f"room {store.session.code} {KEY}"}
        ask(f"{address}/events", message(*WRONG), **learner)
        stream.readline()
        told = json.loads(stream.readline().removeprefix(b"data: "))
    assert (told["learners"], told["exercises"][0]["number"]) == (1, "1.2")
    assert told["exercises"][0]["wrong"] == [{"name": "added-up", "learners": 1}]


def did(*what):
    """Events as (minute, kind, exercise, passed or detail)."""
    return [
        Event(
            minute * MINUTE,
            kind,
            name,
            result if kind == "attempt" and isinstance(result, bool) else None,
            result if isinstance(result, str) else None,
            str(minute),
        )
        for minute, kind, name, result in what
    ]


def test_states():
    """1.2 takes 5 minutes."""
    only = did((0, "begun", "1.2", None))
    tried = did((0, "begun", "1.2", None), (1, "attempt", "1.2", "flat-token"))
    often = did((0, "begun", "1.2", None), *[(1 + i / 9, "attempt", "1.2", "x") for i in range(4)])
    passed = did((0, "begun", "1.2", None), (2, "attempt", "1.2", True))
    left = did((0, "attempt", "1.2", "x"), (3, "attempt", "1.3", "x"))
    for events_of_one, minute, expected in (
        (only, 3, "reached"),
        (only, 8, "stuck"),
        (only, 16, "away"),
        (tried, 7, "working"),
        (tried, 8, "stuck"),
        (often, 2, "stuck"),
        (passed, 60, "passed"),
        (left, 9, "reached"),
    ):
        assert state(way(events_of_one), "1.2", minute * MINUTE) == expected, minute
    assert way(left).place == "1.3"


def test_who_runs_a_whole_notebook_is_at_its_first_exercise():
    all_at_once = did(*[(i / 100, "begun", f"1.{i}", None) for i in (1, 2, 3, 4)])
    mine = way(all_at_once)
    assert mine.place == "1.1"
    assert [row["number"] for row in snapshot({"a": all_at_once}, MINUTE)["exercises"]] == ["1.1"]
    mine = way([*all_at_once, *did((9, "attempt", "1.1", True))])
    assert (mine.place, mine.since) == ("1.2", 9 * MINUTE)


def test_what_the_room_is_shown_is_counted():
    wrong = did((0, "begun", "7.2", None), (1, "attempt", "7.2", "over-queries"))
    room = {
        "a": wrong,
        "b": [*wrong, *did((2, "attempt", "7.2", "zero-for-closed"))],
        "c": [*wrong, *did((2, "attempt", "7.2", True), (3, "answer", "7.a", "2"))],
        "d": did((0, "answer", "7.a", "1"), (1, "answer", "7.a", "2")),  # the first guess counts
        "e": [],
    }
    now = snapshot(room, 5 * MINUTE)
    (row,) = now["exercises"]
    assert (now["learners"], row["working"], row["passed"], row["stuck"]) == (4, 2, 1, 0)
    assert {w["name"]: w["learners"] for w in row["wrong"]} == {
        "over-queries": 1,
        "zero-for-closed": 1,
    }
    assert now["questions"][0]["guesses"][:2] == [1, 1]
    assert now["lessons"][0]["room"] == "7.2"
    assert "a" not in now  # and no row is one learner
    learners = report.records(room)
    records = {each["learner"]: each["exercises"][0] for each in learners if each["exercises"]}
    assert records["c"]["attempts_to_pass"] == 2
    assert records["b"]["diagnoses"] == {"over-queries": 1, "zero-for-closed": 1}
    shown = report.as_page(room)
    assert "7.a" in shown


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_page_says_it_in_its_language(lang, monkeypatch):
    monkeypatch.setattr(page, "font_faces", lambda _characters: "")
    page._page.cache_clear()
    shown = page.live_page(lang, "a token")
    page._page.cache_clear()
    assert not re.search("@[A-Z]+@", shown)
    assert not re.search(r"(src|href)=.?(https?:|//)", shown)
    words = json.loads(re.search(r"SAID = (.*);\n", shown)[1].replace("<\\/", "</"))
    assert bool(re.search("[가-힣]", words["ui"]["title"])) == (lang == "ko")
    use_language(lang)
    said = words["exercises"]["7.2"]
    assert said["says"]["over-queries"] == page.as_html(diagnosis_sentence("7.2", "over-queries"))
    assert "over-queries" in " ".join(said["guide"])
    assert words["lessons"]["07"]["board"]
    use_language("en")
