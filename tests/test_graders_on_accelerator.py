"""Graders on a machine with a GPU, pretended: what answers do there gets a sentence of its own."""

import copy
import functools
import inspect
from types import GeneratorType

import pytest
import torch
from torch import Tensor, nn

from course.graders import exercise_spec
from course.graders.attempt import Attempt, grade
from course.graders.spec import ExerciseSpec
from course.lessons import lesson_files, lesson_of
from course.notebooks.build import with_solution
from course.notebooks.lesson import in_language, read_lesson
from course.notebooks.words import exercise_numbers
from tests.pretend_accelerator import pretend_accelerator
from utils.language import use_language

# They take a number or a place in the default model, or run that, which takes seconds.
NO_TENSORS = {"1.1", "1.3", "1.4", "2.5", "3.8", "4.4", "6.4", "7.9", "7.10", "7.11", "9.8"}
ON_THE_CPU = {"8.4", "8.5"}  # lesson 08 computes there, and says so
MOVED: dict[int, tuple] = {}  # models, and the same on the GPU
QUICK = sorted(set(exercise_numbers()) - NO_TENSORS)
GIVE_TENSORS = sorted(
    set(QUICK) - {"3.1", "3.6", "3.7", "5.2", "5.3", "5.5", "8.5", "9.5", "9.6", "9.7"}
)


@pytest.fixture(scope="module", autouse=True)
def gpu():
    with pretend_accelerator() as gpu:
        yield gpu


@functools.cache
def answers(lesson: str) -> dict:
    """What a lesson's own solutions define, by exercise."""
    names, found = {}, {}
    exec("import torch\nfrom utils.parts import *", names)
    for cell in read_lesson(lesson_files(lesson)[0]):
        if cell.kind == "code" and cell.id.startswith("ex-"):
            exec(with_solution(in_language(cell.source, "en")), names)
        elif cell.kind == "code" and cell.id.startswith("check-"):
            given = cell.source.split(".check(")[1].rsplit(")", 1)[0]
            found[cell.id.removeprefix("check-").replace("-", ".")] = given
    return {number: names.get(given) for number, given in found.items()}


def solution(number: str):
    return answers(lesson_of(number))[number]


def each(move, value):
    """`move` done to all that a list, tuple, dict or generator holds."""
    if isinstance(value, GeneratorType):
        return (move(part) for part in value)
    if isinstance(value, dict):
        return {name: move(part) for name, part in value.items()}
    return type(value)(map(move, value)) if type(value) in (list, tuple) else value


def far(value):
    """The same on the GPU: tensors, models, generators; a function there asks one of the CPU's."""
    if isinstance(value, Tensor):
        return value.to("cuda")
    if isinstance(value, nn.Module):
        if id(value) not in MOVED:
            MOVED[id(value)] = value, copy.deepcopy(value).to("cuda")
        return MOVED[id(value)][1]
    if isinstance(value, torch.Generator):
        return torch.Generator("cuda").manual_seed(value.initial_seed())
    if inspect.isfunction(value) or inspect.ismethod(value):
        return lambda *given, **named: far(value(*near(given), **near(named)))
    return each(far, value)


def near(value):
    return value.cpu() if isinstance(value, Tensor) else each(near, value)


# 5.4 asks the library's `generate` of every text: two seconds, and a helper does the same.
@pytest.mark.parametrize("number", sorted(set(QUICK) - ON_THE_CPU - {"5.4"}))
def test_a_solution_computes_where_its_arguments_are(number, monkeypatch):
    """All that graders give is moved to the GPU, and what comes back is moved back."""
    call, moved = Attempt.call, []

    def call_there(attempt, title, *given, function=None, name=None, **named):
        function = function or attempt.answer
        if isinstance(function, type):
            return call(attempt, title, *given, function=function, name=name, **named)

        @functools.wraps(function, updated=())
        def there(*given, **named):
            moved.append(far((given, named)))
            return near(function(*moved[-1][0], **moved[-1][1]))

        return call(attempt, title, *given, function=there, name=name, **named)

    monkeypatch.setattr(Attempt, "call", call_there)
    checks, _printed = grade(exercise_spec(number), solution(number))
    assert checks[-1].passed, checks[-1]
    assert moved


def giving_far(answer):
    """The same answer; what it gives is on the GPU."""

    def there(*given, **named):
        return far(answer(*given, **named))

    functools.update_wrapper(there, answer, updated=())
    if not isinstance(answer, type):
        return there
    methods = {
        name: giving_far(method)
        for name, method in vars(answer).items()
        if inspect.isfunction(method) and name != "__init__"
    }
    return type(answer.__name__, (answer,), methods)


@pytest.mark.parametrize("number", GIVE_TENSORS)
def test_a_result_on_another_device_is_named(number):
    checks, _printed = grade(exercise_spec(number), giving_far(solution(number)))
    assert checks[-1].diagnosis in ("wrong-device", "devices-do-not-match"), checks[-1]
    assert "device" in checks[-1].says


X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
MIXED = {
    "joined": lambda x: torch.cat([x, torch.ones(2, 2, device="cuda")]),
    "an operation": lambda x: x + x.cuda(),
    "drawn": lambda x: torch.multinomial(x.cuda(), 1, generator=torch.Generator()),
    "indexed": lambda x: x[torch.tensor([0, 1], device="cuda")],
    "numpy": lambda x: x.cuda().numpy(),
    "a model": lambda x: nn.Linear(2, 2).to("cuda")(x),
}


@pytest.mark.parametrize("how", MIXED)
def test_an_answer_that_mixes_devices_hears_so(how):
    def run(attempt):
        yield attempt.compare("t", X, expected=X)

    says = {}
    for lang in ("ko", "en"):
        use_language(lang)
        check = grade(ExerciseSpec("t", run, (), {}), MIXED[how])[0][-1]
        assert check.diagnosis == "devices-do-not-match", check
        says[lang] = check.says
    assert "GPU" in says["ko"]
    assert "on the CPU met one on the GPU" in says["en"]


# What other CUDA builds and Apple's MPS say of the same.
ELSEWHERE = [
    "Expected all tensors to be on the same device, but got index is on cpu, different from other "
    "tensors on cuda:0 (when checking argument in method wrapper_CUDA__index_select)",
    "Expected all tensors to be on the same device, but found at least two devices, mps:0 and cpu!",
    "can't convert mps:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
    "memory first.",
]


@pytest.mark.parametrize("message", ELSEWHERE)
def test_errors_of_other_devices_are_known(message):
    def run(attempt):
        yield attempt.compare("t", X, expected=X)

    def answer(_x):
        raise RuntimeError(message)

    check = grade(ExerciseSpec("t", run, (), {}), answer)[0][-1]
    assert check.diagnosis == "devices-do-not-match"
