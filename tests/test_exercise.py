"""The widgets a learner answers in: hints, questions, what is kept, and code that misbehaves."""

import signal
import time

import pytest
import torch

from course.exercise import Exercise, Question, is_untouched
from course.graders.attempt import Attempt, Refused, TimeUp, grade, time_limit
from course.graders.spec import ExerciseSpec, Mistake
from course.progress import events
from utils.language import use_language


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.chdir(tmp_path)
    use_language("en")


def right(input_ids, token_id):
    return torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)


def wrong(input_ids, token_id):
    return input_ids + token_id


def stub(input_ids, token_id):
    """Return something."""
    ...  # your code here


def test_attempts_and_passes_are_kept():
    Exercise("1.2").check(wrong)
    widget = Exercise("1.2").check(right)
    assert widget.passed
    assert repr(widget).endswith("Passed.")
    kept = events.summary()["1.2"]
    assert (kept.attempts, kept.passed, kept.diagnoses) == (2, True, ("added-up",))
    assert "Attempts so far: 2" in widget._notes.value
    again = Exercise("1.2").check(wrong)
    assert "passed this exercise before" in again._notes.value


def test_the_untouched_stub_is_no_attempt():
    widget = Exercise("1.2").check(stub)
    assert repr(widget) == "Exercise 1.2: Append a token\nnot attempted yet"
    assert Exercise("1.4").check(...).attempted is False
    assert events.summary() == {}


def test_what_runs_in_a_solved_notebook_is_nobodys_progress(tmp_path, monkeypatch):
    folder = tmp_path / "solutions" / "ko"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    Exercise("1.2").check(right).hint()
    Question("1.a").answer(2)
    assert list(events.rows()) == []


def test_a_failed_check_says_all_four_things():
    text = repr(Exercise("1.2").check(wrong))
    for part in ("✗", "given: wrong(tensor [1, 3]", "came out:", "expected:", "probably: `+` adds"):
        assert part in text


def test_html_and_words_hold_nothing_that_differs_between_learners():
    first = Exercise("1.2").check(wrong)._repr_mimebundle_()
    second = Exercise("1.2").hint().check(wrong)._repr_mimebundle_()
    assert first["text/plain"] == second["text/plain"]
    assert first["text/html"] == second["text/html"]


def test_hints_open_one_at_a_time_and_then_the_solution_is_offered():
    widget = Exercise("1.2")
    assert widget._hints.value == ""
    widget._hint_button.click()
    assert widget._hints.value.count("<li>") == 1
    widget.hint().hint()
    assert widget._hints.value.count("<li>") == 4
    assert "../../solutions/en/01_generation_loop.ipynb" in widget._hints.value
    assert widget._hint_button.disabled
    widget.hint()
    assert events.summary()["1.2"].hints_opened == 3


def test_question_reveals_only_when_right_and_keeps_the_guesses():
    question = Question("1.a")
    assert "One forward pass" not in repr(question)
    question.answer(1)
    assert "✗" in repr(question)
    assert "One forward pass" not in question._reply.value
    question._choices.value = 1  # a hand on the second choice
    assert "✓" in repr(question)
    assert "One forward pass" in question._reply.value
    assert [row["passed"] for row in events.rows()] == [False, True]
    with pytest.raises(ValueError, match="1 to 4"):
        question.answer(5)


def test_unknown_numbers_name_the_known_ones():
    with pytest.raises(ValueError, match=r"9\.9.*1\.1"):
        Exercise("9.9")
    with pytest.raises(ValueError, match=r"1\.a"):
        Question("9.z")


@pytest.mark.parametrize(
    "source", ["def f(x):\n    ...", "class C:\n    def m(self):\n        ..."]
)
def test_untouched_code_is_recognised(source, tmp_path):
    path = tmp_path / "code.py"
    path.write_text(source)
    names = {}
    exec(compile(source, str(path), "exec"), names)
    assert is_untouched(names.get("f") or names["C"])


def test_what_only_looks_untouched_is_an_attempt():
    assert not is_untouched(right)
    assert not is_untouched(len)
    assert not is_untouched(7)
    assert not is_untouched(lambda x: x[..., -1])


def one_check(run, *mistakes):
    return ExerciseSpec("t", run, mistakes, {mistake.name: mistake.says for mistake in mistakes})


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        (lambda x: None, "none"),
        (lambda x: x.tolist(), "list-for-tensor"),
        (lambda x: "text", "not-a-tensor"),
        (lambda x: x[None], "batch-kept"),
        (lambda x: x[:2], "wrong-shape"),
        (lambda x: x.half(), "wrong-dtype"),
        (lambda x: x.to("meta"), "wrong-device"),
        (lambda x: x.mul_(1.0).add_(1).clone() - 1, "changed-in-place"),
        (lambda x: x / 0 * 0, "nan"),
        (lambda x: x + 1, "differs"),
        (lambda x: x * 2, "doubled"),
        (lambda x: x @ x[:2], "wrong-size"),
        (lambda x: 1 / 0, "raised"),
        (lambda x: exit(), "raised"),
        (lambda: 1, "raised"),
        (7, "not-a-function"),
    ],
)
def test_each_misbehaviour_has_its_own_sentence(answer, diagnosis):
    given = torch.tensor([1.0, 2.0, 3.0])
    mistakes = (
        Mistake("doubled", lambda x: x * 2, "twice"),
        Mistake("wrong-size", lambda x: x @ x[:2], "sizes"),
    )

    def run(attempt):
        yield attempt.compare("same", given, expected=given.clone())

    checks, _printed = grade(one_check(run, *mistakes), answer)
    assert [check.diagnosis for check in checks] == [diagnosis]
    assert checks[0].says
    assert given.tolist() == [1.0, 2.0, 3.0]


def test_what_code_prints_is_shown_and_does_not_spill(capsys):
    def noisy(input_ids, token_id):
        print("look:", token_id)
        return right(input_ids, token_id)

    widget = Exercise("1.2").check(noisy)
    assert widget.passed
    assert capsys.readouterr().out == ""
    assert "look: 8" in widget.html()


@pytest.mark.parametrize("stubborn", [False, True])
def test_code_that_spins_is_stopped(stubborn):
    def spins(x):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                if not stubborn:
                    raise

    def run(attempt):
        attempt.call("spin", 1)
        yield

    if stubborn:  # it swallows even the first signal; the next ones come all the same
        rings = []

        def spins(x):
            while len(rings) < 3:
                try:
                    while True:
                        pass
                except TimeUp:
                    rings.append(1)
            while True:
                pass

    attempt = Attempt(one_check(run), spins, seconds_left=0.2)
    with pytest.raises(Refused) as refused:
        attempt.call("spin", 1)
    assert refused.value.check.diagnosis == "too-slow"
    before = signal.getitimer(signal.ITIMER_REAL)
    assert before == (0.0, 0.0)
    time.sleep(0.3)  # no late ring


def test_time_limit_leaves_quick_code_alone_and_restores_the_handler():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(5):
        assert sum(range(10)) == 45
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
