"""The learner's record: where they stand, and what they hand in."""

import csv
import getpass
import io
import json

import pytest

from course.lessons import by_number
from course.notebooks.contents import contents
from course.notebooks.words import exercise_numbers
from course.progress import events, export
from course.progress.standing import OPEN, PASSED, TRIED, standing
from utils.language import use_language

EXERCISES = exercise_numbers()


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    use_language("en")


def work() -> None:
    """A learner goes through some exercises of lessons 01, 03 and 07."""
    events.record_attempt("7.10", False, "differs")
    events.record_attempt("7.2", False, "wrong-shape")
    events.record_hint("3.2", 1)
    for diagnosis in ("multiplied", "wrong-shape", "multiplied", None):
        events.record_attempt("3.2", diagnosis is None, diagnosis)
    events.record_attempt("3.2", False, "none")
    events.record_hint("3.3", 1)
    events.record_hint("3.3", 2)
    events.record_attempt("1.1", True)
    events.record_answer("1.a", "2", True)


def test_contents_know_the_lessons_own_minutes_and_exercises():
    for lang in ("ko", "en"):
        lessons = [lesson for lesson in contents(lang) if lesson.number != "00"]
        assert [number for lesson in lessons for number in lesson.exercises] == sorted(
            EXERCISES, key=by_number
        )
        assert all(lesson.minutes >= 45 for lesson in lessons)
    assert contents("ko")[1].title == "생성 루프: 한 번에 토큰 하나"
    assert contents("en")[0].minutes == 0
    assert contents("en")[0].exercises == ()


def test_standing_marks_every_exercise():
    work()
    rows = {row.lesson.number: row for row in standing().lessons}
    assert list(rows) == [lesson.number for lesson in contents()[1:]]
    assert rows["01"].marks == (PASSED, OPEN, OPEN, OPEN)
    assert rows["03"].marks[:3] == (OPEN, PASSED, OPEN)  # a hint alone is no attempt
    assert rows["07"].marks[1] == TRIED
    assert (rows["07"].passed, rows["07"].tried) == (0, 2)
    now = standing()
    assert (now.passed, now.exercises) == (2, len(EXERCISES))


def next_exercise() -> str | None:
    found = standing().next
    return found and found[1]


def test_what_comes_next_goes_on_from_the_lesson_begun_last():
    assert next_exercise() == "1.1"
    for number in EXERCISES:
        if number.startswith(("1.", "2.")) and number != "1.3":
            events.record_attempt(number, True)
    assert next_exercise() == "3.1"  # not back to 1.3, which was skipped
    for number in EXERCISES:
        if number != "1.3":
            events.record_attempt(number, True)
    assert next_exercise() == "1.3"
    events.record_attempt("1.3", True)
    assert next_exercise() is None


def test_json_says_what_an_instructor_needs(capsys):
    work()
    assert export.main(["--export", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {name: said[name] for name in export.FORMAT} == export.FORMAT
    assert said["learner"] == events.learner_id()
    by_number = {row["exercise"]: row for row in said["exercises"]}
    assert list(by_number) == ["1.1", "3.2", "3.3", "7.2", "7.10"]
    assert by_number["3.2"] == {
        "lesson": "03",
        "exercise": "3.2",
        "attempts": 5,
        "passed": True,
        "attempts_to_pass": 4,
        "diagnoses": {"multiplied": 2, "wrong-shape": 1, "none": 1},
        "hints": 1,
        "minutes": 0.0,
    }
    assert said["guesses"] == {"1.a": 2}
    assert by_number["3.3"]["attempts"] == 0
    assert by_number["3.3"]["hints"] == 2
    assert by_number["7.2"]["attempts_to_pass"] is None


def test_csv_says_the_same(capsys):
    work()
    assert export.main(["--export", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == ["learner", *export.COLUMNS]
    found = {export.plain_number(row["exercise"]): row for row in rows}
    assert found["3.2"]["diagnoses"] == "multiplied:2 wrong-shape:1 none:1"
    assert (found["3.2"]["passed"], found["3.2"]["attempts_to_pass"]) == ("True", "4")
    assert found["7.10"]["attempts_to_pass"] == ""
    assert {row["learner"] for row in rows} == {events.learner_id()}


def test_every_exercise_is_a_number_of_its_own_in_a_spreadsheet(capsys):
    for number in EXERCISES:
        events.record_attempt(number, True)
    export.main(["--export", "csv"])
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    numbers = [float(row["exercise"]) for row in rows]  # as pandas and a spreadsheet read it
    assert len(set(numbers)) == len(EXERCISES)
    assert numbers == sorted(numbers)
    for number in EXERCISES:
        assert export.plain_number(export.padded_number(number)) == number


def test_an_export_does_not_say_who_the_learner_is(capsys, monkeypatch):
    monkeypatch.setenv("LOGNAME", "kim-minji")
    assert getpass.getuser() == "kim-minji"
    work()
    for kind in ("json", "csv"):
        export.main(["--export", kind])
        assert "kim-minji" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "2 of {all} exercises passed."), ("ko", "연습 문제 {all}개 중 2개를 통과했습니다.")],
)
def test_the_table_is_in_the_learners_language(capsys, lang, says):
    work()
    use_language(lang)
    assert export.main([]) == 0
    said = capsys.readouterr().out
    assert says.format(all=len(EXERCISES)) in said
    assert "✓···" in said
    assert f"{lang}/01_generation_loop.ipynb" in said
    use_language("en")


def test_progress_of_one_lesson_is_forgotten_and_kept(capsys, tmp_path):
    work()
    assert export.main(["--reset", "3"]) == 0
    (copy,) = tmp_path.glob("progress-*.sqlite")
    assert str(copy) in capsys.readouterr().out
    assert list(events.summary()) == ["7.10", "7.2", "1.1"]
    assert export.main(["--reset", "all"]) == 0
    assert events.summary() == {}
    assert export.main(["--reset", "all"]) == 0
    assert "nothing to forget" in capsys.readouterr().out
    assert export.main(["--reset", "99"]) == 1
    assert "There is no lesson '99'" in capsys.readouterr().err


def test_a_record_that_cannot_be_read_is_said(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.sqlite"))
    assert export.main(["--export", "json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["learner"] is None
    assert "COURSE_PROGRESS" in said.err
