"""The class report: ten learners' progress files, and what a count by hand says of them."""

import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from course.graders import diagnosis_sentence
from course.progress import events, export
from course.workshop import class_counts, class_report, handed_in
from utils.language import use_language

# What each learner did in 1.2 and 3.2, in order: a diagnosis, "ok" for a pass, "hint".
LEARNERS = [
    (["ok"], ["multiplied", "ok"]),
    (["flat-token", "ok"], ["multiplied", "multiplied", "hint", "ok"]),
    (["flat-token", "flat-token", "hint", "ok"], ["probabilities"]),
    (["bare-token", "ok"], ["multiplied", "hint", "hint", "probabilities"]),
    (["ok", "flat-token"], []),  # passed, then tried something else
    (["batch-lost", "flat-token", "ok"], ["ok"]),
    (["ok"], ["not-refused", "ok"]),
    (["ok"], ["hint"]),  # looked at a hint and tried nothing
    (["too-slow", "ok"], ["multiplied"]),
    ([], ["ok"]),
]


@cache
def a_class(base: Path) -> Path:
    """A folder with ten learners' databases, and in `class` what they handed in; made once."""
    folder = base / "a-class"
    (folder / "class").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for number, (first, second) in enumerate(LEARNERS):
            monkeypatch.setenv("COURSE_PROGRESS", str(folder / f"{number}.sqlite"))
            work("1.2", first)
            work("3.2", second)
            with (folder / "class" / f"{number}.json").open("w", encoding="utf-8") as file:
                export.export_json(file)
    return folder


def work(exercise: str, did: list[str]) -> None:
    for i, event in enumerate(did):
        if event == "hint":
            events.record_hint(exercise, did[: i + 1].count("hint"))
        else:
            events.record_attempt(exercise, event == "ok", None if event == "ok" else event)


@pytest.fixture
def folder(tmp_path, tmp_path_factory):
    """What the ten handed in, to do with as one likes."""
    shutil.copytree(a_class(tmp_path_factory.getbasetemp()), tmp_path, dirs_exist_ok=True)
    return tmp_path / "class"


def test_equals_a_count_by_hand(folder):
    records, problems = handed_in.read([folder])
    assert (len(records), problems) == (10, [])
    hard, easy = class_counts.rows(records)  # 3.2 stands first: five were lost in it
    assert (hard.exercise, hard.begun, hard.attempted, hard.passed) == ("3.2", 9, 8, 5)
    assert hard.hard_for == 5  # four have not passed, one of them with a hint alone; one took three
    assert hard.attempts_to_pass == 2  # of 2, 3, 1, 2, 1
    assert hard.hints == 4
    assert hard.diagnoses == (("multiplied", 4, 5), ("probabilities", 2, 2), ("not-refused", 1, 1))
    assert (easy.exercise, easy.begun, easy.attempted, easy.passed) == ("1.2", 9, 9, 9)
    assert easy.hard_for == 2  # who took three attempts
    assert hard.minutes == easy.minutes == 0  # all at once here
    assert easy.attempts_to_pass == 2  # of 1, 2, 3, 2, 1, 3, 1, 1, 2
    assert easy.hints == 1
    assert easy.diagnoses == (("flat-token", 4, 5), ("bare-token", 1, 1), ("batch-lost", 1, 1))


def test_one_who_failed_once_does_not_stand_above_ten_who_took_three_attempts():
    def done(exercise, passed, tries, hints=0, diagnoses=None):
        return {"exercise": exercise, "attempts": tries, "passed": passed, "hints": hints} | {
            "attempts_to_pass": tries if passed else None,
            "diagnoses": diagnoses or {},
        }

    class_of_ten = [{"exercises": [done("1.2", True, 3, 1)]} for _ in range(10)]
    class_of_ten[0]["exercises"].append(done("7.3", False, 1))
    class_of_ten[1]["exercises"].append(done("7.4", False, 3, 0, {"too-slow": 3}))
    found = class_counts.rows(class_of_ten)
    assert [(row.exercise, row.hard_for) for row in found] == [("1.2", 10), ("7.3", 1), ("7.4", 0)]


def test_what_a_hub_keeps_is_read_as_it_lies_there(folder, tmp_path):
    """With no exports at all, in folders of their own, and without touching anything."""
    hub = tmp_path / "hub"
    for number in range(len(LEARNERS)):
        (hub / str(number)).mkdir(parents=True)
        for ending in ("", "-wal"):
            if (old := tmp_path / f"{number}.sqlite{ending}").exists():
                old.rename(hub / str(number) / f"progress.sqlite{ending}")
    (hub / "0" / "progress-2026-11-25-101010-ab12.sqlite").write_bytes(b"before a reset")
    (hub / "1" / "progress.sqlite-wal").touch()
    before = {file: file.read_bytes() for file in hub.rglob("*.*")}
    records, problems = handed_in.read([hub])
    assert {file: file.read_bytes() for file in hub.rglob("*.*")} == before
    assert problems == []
    assert class_counts.rows(records) == class_counts.rows(handed_in.read([folder])[0])
    (hub / "2" / "progress.sqlite").write_bytes(b"no database" * 100)
    records, problems = handed_in.read([hub])
    assert len(records) == 9
    assert len(problems) == 1


def test_first_guesses_are_counted_by_choice(tmp_path, monkeypatch):
    for number, choices in enumerate([("1", "2"), ("2",), ("2",), ()]):
        monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / f"{number}.sqlite"))
        events.record_hint("7.1", 1)
        for choice in choices:
            events.record_answer("7.a", choice, choice == "2")
    records, _problems = handed_in.read([tmp_path])
    assert class_counts.guesses(records) == {"7.a": [1, 2, 0]}
    page = class_report.page(records, [])
    assert re.findall("<li>✓ (.*?)</li>", page)[0].endswith(": <strong>2</strong>")


def test_a_title_with_code_in_it_has_no_backticks():
    done = {"exercise": "7.11", "attempts": 1, "passed": False, "attempts_to_pass": None}
    record = {"exercises": [done | {"hints": 0, "diagnoses": {}}]}
    assert "`" not in class_report.page([record], []).split("</style>")[1]


def test_the_page_says_it_in_both_languages_and_names_nobody(folder, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert class_report.main([str(folder), "--out", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    english, korean = re.findall(r"(?s)<section.*?</section>", page)  # the instructor's first
    assert english.index("<strong>3.2</strong>") < english.index("<strong>1.2</strong>")
    assert "5 / 10" in korean
    assert "5 / 10" in english
    assert "hints only: 1<br>not begun: 1" in english
    assert "@font-face" in page
    for section, lang in ((korean, "ko"), (english, "en")):
        use_language(lang)
        says = re.sub("<.*?>", "", section)
        assert diagnosis_sentence("3.2", "multiplied").replace("`", "") in says
    use_language("en")
    assert re.search("[가-힣]", korean)
    assert not re.search("[가-힣]", english)
    for file in folder.glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"))["learner"] not in page
        assert file.name not in page
    assert not re.search(r"(src|href)=.(https?:|//)", page)


def test_files_that_cannot_be_counted_are_named_and_the_others_count(folder, tmp_path, capsys):
    (folder / "broken.json").write_text('{"format": "inside-a-tr', encoding="utf-8")
    (folder / "other.json").write_text('{"format": "something else"}', encoding="utf-8")
    whole = json.loads((folder / "3.json").read_text(encoding="utf-8"))
    del whole["exercises"][0]["diagnoses"]
    (folder / "short.json").write_text(json.dumps(whole), encoding="utf-8")
    (folder / "list.json").write_text("[]", encoding="utf-8")
    again = json.loads((folder / "0.json").read_text(encoding="utf-8"))
    again["exercises"] = []
    (folder / "again.json").write_text(json.dumps(again), encoding="utf-8")
    records, problems = handed_in.read([folder, tmp_path / "missing.json"])
    assert len(records) == 10
    assert class_counts.rows(records)[0].attempted == 8
    for name in ("broken", "other", "short", "list", "again", "missing"):
        assert sum(f"{name}.json" in problem for problem in problems) == 1
    assert len(problems) == 6


def hand_in(**changed) -> str:
    done = {"exercise": "3.2", "attempts": 1, "passed": True, "attempts_to_pass": 1, "hints": 0}
    done |= {"lesson": "03", "diagnoses": {}, "minutes": 0.5}
    new = {key: value for key, value in changed.items() if key in done}
    record = {**export.FORMAT, "learner": "new", "exercises": [done | new]}
    return json.dumps(record | {k: v for k, v in changed.items() if k not in done})


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "null",
        hand_in(learner=["x"]),
        hand_in(learner=None),
        hand_in(learner="\ud83d"),
        hand_in(version="\udfff"),
        hand_in(exercises={"3.2": 1}),
        hand_in(exercises=[["3.2"]]),
        hand_in(exercise="3.2.1"),
        hand_in(exercise="３.２"),
        hand_in(exercise=3.2),
        hand_in(exercise="3." + "9" * 5000),
        hand_in(attempts="2"),
        hand_in(attempts=float("nan")),
        hand_in(attempts=-1),
        hand_in(attempts=True),
        hand_in(hints=None),
        hand_in(passed="yes"),
        hand_in(attempts_to_pass=None),
        hand_in(attempts_to_pass=[1]),
        hand_in(diagnoses={"a": "two"}),
        hand_in(diagnoses={"a": 1.5}),
        hand_in(diagnoses={"\ud83d": 1}),
        hand_in(diagnoses=[["a", 1]]),
        hand_in(minutes="4"),
        hand_in(minutes=float("nan")),
        hand_in(guesses=[1]),
        hand_in(guesses={"7.a": "2"}),
        hand_in(guesses={"squirrel": 2}),
        "1" * 5000,
    ],
    ids=lambda text: text[:20],
)
def test_one_that_is_wrong_in_any_way_costs_nobody_the_report(folder, capsys, text):
    (folder / "strange.json").write_text(text, encoding="utf-8")
    out = folder / "report.html"
    assert class_report.main([str(folder), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "strange.json is left out" in said.err
    assert "10 learners" in said.out
    assert out.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"])
def test_a_file_that_windows_wrote_is_read(tmp_path, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    text = mark + hand_in(exercise="3.02", learner="학습자")
    (tmp_path / "hers.json").write_bytes(text.encode(encoding))
    records, problems = handed_in.read([tmp_path])
    assert problems == []
    assert [row.exercise for row in class_counts.rows(records)] == ["3.2"]


def test_other_encodings_are_told_what_to_do(tmp_path):
    (tmp_path / "hers.json").write_bytes(hand_in().replace("new", "이름").encode("euc-kr"))
    _records, problems = handed_in.read([tmp_path])
    assert "save it as that" in problems[0]


def test_with_nothing_to_count_a_sentence_says_so(tmp_path, capsys):
    assert class_report.main([str(tmp_path)]) == 1
    assert "no progress file" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_one_sentence(folder, tmp_path, capsys):
    out = tmp_path / "no" / "r.html"
    assert class_report.main([str(folder), "--out", str(out)]) == 1
    says = capsys.readouterr().err
    assert says.count("\n") == 1
    assert str(out) in says
