"""Every exercise accepts its solution and other right ways, and refuses each wrong one by name."""

import copy
import importlib
import pkgutil

import jupytext
import pytest

from course.exercise import Exercise
from course.graders import diagnosis_sentence, exercise_spec
from course.graders.attempt import DIAGNOSES, grade
from course.graders.models import default_model
from course.lessons import lesson_files, lesson_of
from course.my_llm.written import is_untouched
from course.notebooks.build import with_solution, without_solution
from course.notebooks.lesson import in_language, read_lesson
from course.notebooks.words import exercise_numbers
from tests import wrong_answers
from utils.language import use_language

ANSWERS = [
    importlib.import_module(f"tests.wrong_answers.{module.name}")
    for module in pkgutil.iter_modules(wrong_answers.__path__)
]
EXERCISES = exercise_numbers()
WRONG: dict = {}
RIGHT: dict = {}
for module in ANSWERS:
    for number, wrong in module.WRONG.items():
        WRONG.setdefault(number, {}).update(wrong)
    for number, right in module.RIGHT.items():
        RIGHT.setdefault(number, []).extend(right)
SAID = {}  # of token ids in lesson 01: the model's output


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine must not make a right answer late; the limit has a test of its own."""
    monkeypatch.setattr("course.graders.attempt.SECONDS", 120)


@pytest.fixture
def same_text_same_logits(monkeypatch):
    """In lesson 01 nothing is done to the model: what it has said of a text, it need not compute.

    Korean asks what English did, and many answers the same.  Each caller gets a copy of its own.
    """
    model, _tokenizer = default_model()
    forward = model.forward

    def remembered(*given, **named):
        if len(given) + len(named) > 1 or set(named) - {"input_ids"}:
            return forward(*given, **named)  # with a cache, or what else it may be
        (ids,) = (*given, *named.values())
        key = str(ids.dtype), tuple(ids.shape), tuple(ids.flatten().tolist())
        if key not in SAID:
            SAID[key] = forward(ids)
        return copy.deepcopy(SAID[key])

    monkeypatch.setattr(model, "forward", remembered)


@pytest.fixture(params=["ko", "en"])
def lang(request):
    use_language(request.param)
    yield request.param
    use_language("en")


@pytest.mark.parametrize("number", sorted(EXERCISES))
def test_has_enough_answers_to_be_tried_with(number):
    assert len(WRONG[number]) >= 4
    assert len(RIGHT[number]) >= 2


def bare(diagnosis):
    """Without what tells several answers with one diagnosis apart."""
    return diagnosis.partition(" (")[0]


@pytest.mark.parametrize("number", sorted(WRONG))
def test_every_diagnosis_has_its_sentence(number):
    spec = exercise_spec(number)
    assert {mistake.name for mistake in spec.mistakes} <= spec.diagnoses.keys()
    for name in {*map(bare, WRONG[number]), *spec.diagnoses, *DIAGNOSES}:
        use_language("ko")
        korean = diagnosis_sentence(number, name)
        use_language("en")
        assert korean, name
        assert diagnosis_sentence(number, name) not in ("", korean), name


@pytest.mark.parametrize(
    ("number", "diagnosis"), [(number, name) for number in sorted(WRONG) for name in WRONG[number]]
)
def test_wrong_answer_gets_its_own_diagnosis(number, diagnosis, monkeypatch, request):
    if lesson_of(number) == "01":
        request.getfixturevalue("same_text_same_logits")
    if diagnosis == "too-slow":
        monkeypatch.setattr("course.graders.attempt.SECONDS", 0.5)
    answer, diagnosis = WRONG[number][diagnosis], bare(diagnosis)
    spec, said = exercise_spec(number), {}
    for lang in ("ko", "en"):
        use_language(lang)
        checks, _printed = grade(spec, answer)
        assert [check.diagnosis for check in checks if not check.passed] == [diagnosis]
        said[lang] = checks[-1].says
    assert said["ko"] != said["en"]
    assert all(said.values())


@pytest.mark.parametrize("number", sorted(RIGHT))
def test_other_right_ways_pass(number, request):
    if lesson_of(number) == "01":
        request.getfixturevalue("same_text_same_logits")
    for answer in RIGHT[number]:
        checks, _printed = grade(exercise_spec(number), answer)
        assert all(check.passed for check in checks), checks[-1]
        assert checks


@pytest.mark.parametrize("number", sorted(EXERCISES))
def test_untouched_stub_is_not_attempted(number, lang, tmp_path, monkeypatch):
    """The stub as the chapter has it, passed as the chapter passes it."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    name = f"ex-{number.replace('.', '-')}"
    lesson = lesson_files(lesson_of(number))[0]
    cells = {cell.id: cell.source for cell in read_lesson(lesson) if cell.lang in (None, lang)}
    source = in_language(cells[name], lang)
    stub = without_solution(source, lang)
    assert stub != with_solution(source)
    answer = _value(stub, cells[f"check-{number.replace('.', '-')}"], tmp_path)
    assert is_untouched(answer)
    widget = Exercise(number).check(answer)
    assert {"ko": "아직 풀지 않았습니다", "en": "not attempted yet"}[lang] in repr(widget)
    assert not (tmp_path / "progress.sqlite").exists() or not widget.passed


def _value(source: str, check: str, folder):
    """What the check cell passes to `check(…)` after `source` has run as a file of its own."""
    path = folder / "stub.py"
    path.write_text(f"import torch\n{source}\n", encoding="utf-8")
    names: dict = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    argument = check.split(".check(")[1].rsplit(")", 1)[0]
    return eval(argument, names)


def test_every_lesson_exercise_has_a_grader():
    for lesson in lesson_files():
        for cell in jupytext.read(lesson).cells:
            if 'Exercise("' in cell.source:
                assert cell.source.split('Exercise("')[1].split('"')[0] in EXERCISES
