"""The widgets a learner answers in: hints, questions, what is kept, and code that misbehaves."""

import signal
import time
from functools import partial
from textwrap import indent

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course.exercise import Exercise, Question
from course.graders.attempt import Attempt, Refused, grade
from course.graders.patience import TimeUp, time_limit
from course.graders.spec import ExerciseSpec, Mistake
from course.my_llm.written import is_untouched
from course.notebooks.words import as_html
from course.progress import events

pytestmark = pytest.mark.usefixtures("learner")


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


@pytest.mark.parametrize("setting", ["off", "OFF"])
def test_where_nobody_is_learning_nothing_is_kept(monkeypatch, setting):
    events.record_attempt("1.2", True)
    before = list(events.rows())
    monkeypatch.setenv("COURSE_LEARNER", setting)
    widget = Exercise("1.2").check(right).hint()
    assert widget.passed  # it is checked all the same
    assert widget._notes.value == ""
    Question("1.a").answer(2)
    assert list(events.rows()) == before


def test_the_folder_s_name_means_nothing(tmp_path, monkeypatch):
    (tmp_path / "solutions" / "ko").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "solutions" / "ko")
    Exercise("1.2").check(right)
    assert events.summary()["1.2"].passed


def test_a_failed_check_says_all_four_things():
    text = repr(Exercise("1.2").check(wrong))
    for part in (
        "✗",
        "given:\n    input_ids = [[5, 6, 7]]\n    token_id = 8",
        "came out:",
        "expected:",
        "probably: `+` adds",
    ):
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
    assert question.said.overlooks[0] in repr(question)  # the sentence of this very choice
    assert as_html(question.said.overlooks[0]) in question._reply.value
    question._choices.value = 1  # a hand on the second choice
    assert "✓" in repr(question)
    assert "One forward pass" in question._reply.value
    assert question.said.overlooks[0] not in repr(question)
    assert [row["passed"] for row in events.rows()] == [False, True]
    with pytest.raises(ValueError, match="1 to 4"):
        question.answer(5)


def test_unknown_numbers_name_the_known_ones():
    with pytest.raises(ValueError, match=r"9\.9.*1\.1"):
        Exercise("9.9")
    with pytest.raises(ValueError, match=r"1\.a"):
        Question("9.z")


PLACEHOLDER = "...  # your code here"
NOTHING = ["...", "pass", PLACEHOLDER, '"""What it does."""', "...\n...", "pass\n..."]
WRITTEN = [
    "return x",
    "y = x\nreturn y",
    "for n in x:\n    yield n",
    "raise ValueError",
    "x.zero_()",
]


def made(source: str, how: str, folder):
    """What `source` defines: from a file, or with no source to be had, as under %%time."""
    path = folder / f"code{abs(hash(source))}.py"
    path.write_text(source, encoding="utf-8")
    names = {"__name__": "__main__"}
    exec(compile(source, str(path) if how == "file" else "<timed exec>", "exec"), names)
    return names["answer"]


def function(*body: str) -> str:
    return "def answer(x):\n" + indent("\n".join(body), "    ")


def a_class(*bodies: str) -> str:
    methods = [f"def m{i}(self, x):\n{indent(body, '    ')}" for i, body in enumerate(bodies)]
    return "class answer:\n" + indent("\n".join(methods) or PLACEHOLDER, "    ")


each_how = pytest.mark.parametrize("how", ["file", "timed"])


@each_how
def test_untouched_is_nothing_but_the_placeholder(how, tmp_path):
    for body in NOTHING:
        assert is_untouched(made(function(body), how, tmp_path)), body
        for other in NOTHING:
            assert is_untouched(made(function('"""Doc."""', body, other), how, tmp_path))
            assert is_untouched(made(a_class(body, other), how, tmp_path))
    assert is_untouched(made(a_class(), how, tmp_path))
    assert is_untouched(made('class answer:\n    """Doc."""\n    ...', how, tmp_path))


@each_how
@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("code", WRITTEN)
def test_code_beside_the_placeholder_is_an_answer(code, nothing, how, tmp_path):
    for body in ((nothing, code), (code, nothing), (nothing, code, nothing), (code,)):
        assert not is_untouched(made(function(*body), how, tmp_path)), body
        assert not is_untouched(made(function('"""Doc."""', *body), how, tmp_path)), body
        assert not is_untouched(made(a_class("\n".join(body)), how, tmp_path)), body
        assert not is_untouched(made(a_class(nothing, "\n".join(body)), how, tmp_path)), body
        assert not is_untouched(made(a_class("\n".join(body), nothing), how, tmp_path)), body


@given(
    body=st.lists(st.sampled_from(NOTHING + WRITTEN), min_size=1, max_size=5),
    how=st.sampled_from(["file", "timed"]),
    inside=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mixture_is_an_answer_if_one_line_is(tmp_path, body, how, inside):
    source = a_class("\n".join(body)) if inside else function(*body)
    assert is_untouched(made(source, how, tmp_path)) == (not set(body) & set(WRITTEN))


def test_a_right_answer_with_the_placeholder_left_is_graded():
    def above(input_ids, token_id):
        """Return input_ids with one more."""
        return torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)
        ...  # your code here

    def below(input_ids, token_id):
        ...  # your code here
        return torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)

    for answer in (above, below):
        assert Exercise("1.2").check(answer).passed


class Called:
    def __call__(self, input_ids, token_id):
        return right(input_ids, token_id)


def test_whatever_can_be_called_is_graded(tmp_path):
    exec_made = made(function("return x"), "timed", tmp_path)
    for answer in (right, len, 7, lambda x: x[..., -1], lambda x: None, lambda x: ..., exec_made):
        assert not is_untouched(answer)
    for answer in (lambda i, t: right(i, t), partial(right), Called(), Called().__call__):
        assert Exercise("1.2").check(answer).passed


def test_what_decorates_a_stub_does_not_fill_it(tmp_path):
    for decorator in ("functools.cache", "torch.no_grad()"):
        stub = f"import functools, torch\n@{decorator}\n{function(PLACEHOLDER)}"
        assert is_untouched(made(stub, "file", tmp_path))
        assert not is_untouched(made(stub + "\n    return x", "file", tmp_path))


def test_a_class_may_be_written_in_many_ways(tmp_path):
    base = "class Base:\n    def m(self):\n        return 1\n"
    for source in (
        f"{base}class answer(Base):\n    pass",
        "class answer:\n    layers = {}",
        "class answer:\n    m = len",
        "class answer:\n    @property\n    def m(self):\n        return 1",
        "class answer:\n    @staticmethod\n    def m(x):\n        return x\n    def n(self): ...",
        "class answer:\n    @classmethod\n    def m(cls):\n        return cls",
    ):
        for how in ("file", "timed"):
            assert not is_untouched(made(source, how, tmp_path)), source
    for source in (
        "class Base:\n    ...\nclass answer(Base):\n    def m(self): ...",
        "class answer:\n    @property\n    def m(self):\n        ...",
        "from utils.parts import KVCache\nclass answer(KVCache):\n    pass",
    ):
        for how in ("file", "timed"):
            assert is_untouched(made(source, how, tmp_path)), source


def one_check(run, *mistakes):
    return ExerciseSpec("t", run, mistakes, {mistake.name: mistake.says for mistake in mistakes})


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        (lambda x: None, "none"),
        (lambda x: x.tolist(), "list-for-tensor"),
        (lambda x: "text", "not-a-tensor"),
        (lambda x: x[None], "batch-kept"),
        (lambda x: x[:2], "too-short"),
        (lambda x: torch.zeros(7 + 0 * len(x)), "wrong-shape"),
        (lambda x: x.half(), "wrong-dtype"),
        (lambda x: x.to("meta"), "wrong-device"),
        (lambda x: x.mul_(1.0).add_(1).clone() - 1, "changed-in-place"),
        (lambda x: x / 0 * 0, "nan"),
        (lambda x: x + 1, "offset"),
        (lambda x: torch.tensor([9.0, 7.0, 3.5]), "never-used"),
        (lambda x: x * torch.tensor([9.0, 3.5, 1.7]), "differs"),
        (lambda x: x * 2, "doubled"),
        (lambda x: x @ x[:2], "wrong-size"),
        (lambda x: x @ x[:1], "shapes-do-not-multiply"),
        (lambda x: 1 / 0, "raised"),
        (lambda x: exit(), "raised"),
        (lambda: 1, "wrong-arguments"),
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


@pytest.fixture(params=["alarm", "no alarm"])
def alarm(request, monkeypatch):
    """Once as on Linux and macOS, once as on Windows, whose Python knows no alarm."""
    if request.param == "no alarm":
        for name in ("SIGALRM", "setitimer", "getitimer"):
            monkeypatch.delattr(signal, name)


@pytest.mark.parametrize("stubborn", [False, True])
def test_code_that_spins_is_stopped(stubborn, alarm):
    before = signal.getsignal(signal.SIGINT)

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
    time.sleep(0.3)  # no late ring
    assert signal.getsignal(signal.SIGINT) == before


def test_without_an_alarm_the_learner_can_still_interrupt(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job may ignore it
    try:
        with pytest.raises(KeyboardInterrupt), time_limit(60):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_time_limit_leaves_quick_code_alone_and_restores_the_handler():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(5):
        assert sum(range(10)) == 45
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
