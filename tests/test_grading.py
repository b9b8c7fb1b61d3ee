"""How any answer is graded: relations, errors in words, torch's settings, shared models, time."""

import inspect
import linecache
import math
import random
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from course.exercise import Exercise
from course.graders import exercise_spec
from course.graders.attempt import Attempt, Refused, grade
from course.graders.compare import describe_from, equal, fault
from course.graders.models import tiny_llama
from course.graders.relations import TIERS, related
from course.graders.spec import ExerciseSpec, Mistake
from course.lessons import lesson_of
from course.progress import events
from tests.mutants import EQUIVALENT, answer_from, code_exercises, diagnosis_of, mutants, solutions
from utils.language import N_, use_language

IDS = torch.tensor([[3, 5, 8]])
CLOSE = {"atol": 1e-5, "rtol": 1e-4}


def spec(*given: object, right, **about) -> ExerciseSpec:
    def run(attempt: Attempt):
        for title in ("first", "again"):
            yield attempt.compare(title, *given, expected=right(*given), **about)

    return ExerciseSpec("t", run, (), {})


def diagnosis(answer, *given: object, right) -> str | None:
    return grade(spec(*given, right=right), answer)[0][-1].diagnosis


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


MASK = torch.ones(5, 5, dtype=torch.bool).tril()


def hidden(scores: Tensor) -> Tensor:
    return scores.masked_fill(~MASK, -math.inf)


def spoilt(x: Tensor, axis: int, places: slice) -> Tensor:
    x = x.clone()
    x.movedim(axis, 0)[places] += some(*x.shape, seed=9).movedim(axis, 0)[places].abs() + 1
    return x


def spoil(places: slice):
    return lambda x: spoilt(x, 1, places)


GOT = {  # by relation: what comes out, and what is expected, from random numbers [3, 5, 5]
    "mask-left-out": (lambda x: x, hidden),
    "mask-inverted": (lambda x: x.masked_fill(MASK, -math.inf), hidden),
    "large-for-minus-inf": (lambda x: x.masked_fill(~MASK, -1e4), hidden),
    "zero-for-minus-inf": (lambda x: x.masked_fill(~MASK, 0), hidden),
    "other-places-hidden": (lambda x: x.masked_fill(~MASK.tril(-1), -math.inf), hidden),
    "axes-swapped": (lambda x: x.transpose(1, 2), None),
    "axes-in-other-order": (lambda x: x.permute(2, 0, 1), None),
    "axes-mixed": (lambda x: x.transpose(0, 1).reshape(3, 5, 5), None),
    "reversed": (lambda x: x.flip(1), None),
    "shifted": (lambda x: x.roll(1, 1), None),
    "other-shape": (lambda x: x.flatten(1), None),
    "too-short": (lambda x: x[:, :-1], None),
    "too-long": (lambda x: torch.cat([x, x[:, :1]], 1), None),
    "one-of-axis": (lambda x: x[:, -1], None),
    "added-over-axis": (lambda x: x.sum(1), None),
    "averaged-over-axis": (lambda x: x.mean(1), None),
    "largest-of-axis": (lambda x: x.amax(1), None),
    "negated": (lambda x: -x, None),
    "log-too-many": (lambda x: x.abs().log(), torch.abs),
    "exp-too-many": (lambda x: x.exp(), None),
    "without-sign": (lambda x: x.abs(), None),
    "squared": (lambda x: x * x, None),
    "square-root": (lambda x: x.abs().sqrt(), torch.abs),
    "turned-over": (lambda x: 1 / x, None),
    "softmax-missing": (lambda x: x, lambda x: x.softmax(-1)),
    "softmax-too-many": (lambda x: x.softmax(-1), None),
    "not-normalised": (lambda x: x, lambda x: x / x.norm(dim=-1, keepdim=True)),
    "normalised": (lambda x: x / x.norm(dim=-1, keepdim=True), None),
    "sums-not-one": (lambda x: 2 * x.softmax(-1), lambda x: x.softmax(-1)),
    "sums-along-other-axis": (lambda x: x.softmax(1), lambda x: x.softmax(-1)),
    "too-large-by": (lambda x: x * 8**0.5, None),
    "too-small-by": (lambda x: x / 8, None),
    "offset": (lambda x: x + 1, None),
    "factor-by-row": (lambda x: x * x[..., :1], None),
    "offset-by-row": (lambda x: x - x.logsumexp(-1, keepdim=True), None),
    "rounded": (lambda x: (3 * x).round(), lambda x: 3 * x),
    "imprecise": (lambda x: x.bfloat16().float(), None),
    "other-order": (lambda x: x.flatten().sort().values.view_as(x), None),
    "only-first-right": (spoil(slice(1, None)), None),
    "only-last-right": (spoil(slice(-1)), None),
    "first-wrong": (spoil(slice(1)), None),
    "last-wrong": (spoil(slice(-1, None)), None),
    "wrong-from": (spoil(slice(2, None)), None),
}


def test_every_relation_has_its_example():
    assert set(GOT) == {relation.name for tier in TIERS for relation in tier}


@pytest.mark.parametrize("name", GOT)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_a_relation_is_found_and_said(name, seed):
    x, (wrong, right) = some(3, 5, 5, seed=seed), GOT[name]
    expected = right(x) if right else x
    found = related(wrong(x), expected)
    assert found is not None
    assert found[0] == name
    for lang in ("ko", "en"):
        use_language(lang)
        says = fault(wrong(x), expected, **CLOSE)
        assert says[0] == name
        assert "{" not in says[1]


@given(seed=st.integers(0, 10**6), shape=st.lists(st.integers(2, 8), min_size=1, max_size=4))
@settings(max_examples=60)
def test_what_has_nothing_to_do_with_it_has_no_relation(seed, shape):
    got, expected = some(*shape, seed=seed), some(*shape, seed=seed + 1)
    if expected.numel() >= 6:
        assert related(got, expected) is None


def test_the_first_difference_is_shown_with_its_index():
    x = torch.arange(60.0).view(3, 20)
    wrong = x.clone()
    wrong[1, 12] = 7.25
    check = grade(spec(x, right=lambda x: x), lambda x: wrong)[0][-1]
    assert "[1, 11]" in check.got
    assert "7.25" in check.got
    assert check.got != check.expected
    assert "from index [2, 14]" in describe_from(x, [2, 19])


@pytest.mark.parametrize(
    ("got", "expected", "name", "part"),
    [
        ((some(3), [1, 2]), (some(3), [1, 3]), "other-value", "[1]"),
        ({"a": some(3, 4).T}, {"a": some(3, 4)}, "axes-swapped", "['a']"),
        ([1, {"k": (some(4), 2 * some(4))}], [1, {"k": (some(4), some(4))}], "too-large-by", None),
        ((1, 2), (1, 2, 3, 5), "too-short", ""),
        (("a", "b"), ("a", "b", "c"), "wrong-length", ""),
        ({"a": 1}, {"b": 1}, "wrong-keys", ""),
        ([3, 2, 1, 5], [5, 1, 2, 3], "reversed", ""),
        ((some(3),), some(3), "tuple-for-tensor", ""),
        (some(3).numpy(), some(3), "numpy-for-tensor", ""),
    ],
)
def test_the_part_that_is_wrong_is_named(got, expected, name, part):
    found, says = fault(got, expected, **CLOSE)
    assert found == name
    assert (part if part is not None else "[1]['k'][1]") in says


X = some(3, 4)
RAISED = {
    "shapes-do-not-multiply": lambda x: x @ x,
    "shapes-do-not-match": lambda x: x / x.sum(-1),
    "sizes-do-not-join": lambda x: torch.cat([x, x.T]),
    "no-such-axis": lambda x: x.sum(2),
    "no-such-index": lambda x: x[7],
    "mask-does-not-fit": lambda x: x[x.T > 0],
    "not-in-order": lambda x: x.T.view(-1),
    "shape-does-not-fit": lambda x: x.view(5, 5),
    "called-a-value": lambda x: x.shape(0),
    "none-used": lambda x: [].append(x) + x,
    "pair-for-tensor": lambda x: x.max(-1) + 1,
    "no-such-attribute": lambda x: x.lenght,
    "unknown-name": lambda x: y,  # noqa: F821
    "wrong-arguments": lambda: 1,
    "unhashable": lambda x: {[]: 1},
    "many-for-one": lambda x: x.item() if x.numel() == 1 else float(torch.zeros(0)) + int(x),
    "many-for-true": lambda x: x if x > 0 else -x,
    "types-do-not-match": lambda x: x @ x.T.double(),
    "other-number-of-parts": lambda x: [a for a, b in [x]],
    "raised": lambda x: 1 / 0,
}


@pytest.mark.parametrize("name", RAISED)
def test_an_error_is_explained_and_not_repeated(name):
    for lang in ("ko", "en"):
        use_language(lang)
        check = grade(spec(X, right=lambda x: x), RAISED[name])[0][-1]
        assert check.diagnosis == name, check
        assert "{" not in check.says.split("`")[0]
        assert check.got.split(": ", 1)[1] not in check.says


def settings_now() -> tuple:
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
    )


def draws_and_sets(x: Tensor) -> Tensor:
    torch.manual_seed(random.randrange(9))
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    np.random.seed(3)  # noqa: NPY002
    return x @ torch.eye(4, dtype=torch.float32)


def test_an_answer_is_graded_under_torch_s_defaults_and_the_learner_s_are_put_back():
    def makes(x):
        return x + torch.zeros(4) + (x @ torch.zeros(4, 4))

    torch.set_default_dtype(torch.bfloat16)
    torch.set_default_device("meta")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
            before = settings_now()
            for answer in (makes, draws_and_sets):
                checks = grade(spec(X, right=lambda x: x + torch.zeros(4)), answer)[0]
                assert [check.passed for check in checks] == [True, True]
            assert settings_now() == before
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


def zeroes(model):
    with torch.no_grad():
        model.lm_head.weight[3, 2] = 0


CHANGES = {
    "type": lambda model: model.to(torch.bfloat16),
    "train": lambda model: model.train(),
    "hook": lambda model: model.model.norm.register_forward_hook(lambda *_: None),
    "weights": zeroes,
    "weights.data": lambda model: model.lm_head.weight.data.mul_(2),
    "weights=": lambda model: setattr(model.lm_head.weight, "data", torch.zeros(64, 32)),
    "parts": lambda model: setattr(model.model, "norm", torch.nn.Identity()),
    "forward": lambda model: setattr(model, "forward", lambda *_: None),
    "gradients": lambda model: model.requires_grad_(True),
    "configuration": lambda model: setattr(model.config, "use_cache", False),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("reached", ["given", "closure", "small-part"])
def test_what_an_answer_does_to_a_model_is_undone_and_said(how, reached, monkeypatch):
    model = tiny_llama()
    monkeypatch.setattr(
        "course.graders.surroundings.made_again", lambda _: tiny_llama.__wrapped__()
    )
    if reached == "small-part":  # as a large model: no copy of the weights is kept
        monkeypatch.setattr("course.graders.surroundings.SMALL", 0)
    right = model(IDS).logits

    def inside(ids):
        CHANGES[how](model)
        return right

    def given(ids, model):
        CHANGES[how](model)
        return right

    given_model = reached != "closure"
    run = spec(IDS, *([model] if given_model else []), right=lambda *_: right)
    check = grade(run, given if given_model else inside)[0][-1]
    assert check.diagnosis == "changed-the-model"
    assert how.split(".")[0].rstrip("=") in check.says
    assert torch.equal(model(IDS).logits, right)
    assert not model.training
    assert model.config.use_cache
    assert not any(weight.requires_grad for weight in model.parameters())
    assert diagnosis(lambda ids: model(ids).logits, IDS, right=lambda ids: right) is None


def test_what_is_put_back_by_the_answer_itself_is_no_change():
    def careful(ids):
        hook = tiny_llama().model.norm.register_forward_hook(lambda *_: None)
        logits = tiny_llama()(ids).logits
        hook.remove()
        return logits

    assert diagnosis(careful, IDS, right=lambda ids: tiny_llama()(ids).logits) is None


@pytest.mark.usefixtures("learner")
def test_a_fault_in_the_grader_is_said_and_no_attempt(monkeypatch):
    def broken(attempt):
        yield attempt.compare("same", X, expected=X)
        raise KeyError("grader")

    monkeypatch.setattr(
        "course.graders.exercise_spec", lambda number: ExerciseSpec(number, broken, (), {})
    )
    widget = Exercise("1.2").check(lambda x: x)
    assert not widget.passed
    assert "not your mistake" in repr(widget)
    assert events.summary() == {}


def test_only_the_answer_s_own_computing_counts():
    attempt = Attempt(spec(1, right=lambda x: x), lambda x: time.sleep(0.6) or x, seconds_left=0.2)
    assert attempt.call("sleeps as if the machine were busy", 1) == 1
    attempt = Attempt(spec(1, right=lambda x: x), lambda x: time.sleep(9), seconds_left=0.05)
    with pytest.raises(Refused) as refused:
        attempt.call("waits", 1)
    assert refused.value.check.diagnosis == "waits"


def test_where_the_reference_is_slow_the_answer_may_be_so_too():
    def computes(seconds):
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return 1

    attempt = Attempt(spec(1, right=computes), computes, seconds_left=0.2)
    computes(0.3)  # what is expected
    assert attempt.call("as slow", 0.5) == 1


def test_a_value_error_of_one_s_own_is_a_value_error():
    class TooCold(ValueError):
        pass

    def apply_temperature(logits, temperature):
        if temperature <= 0:
            raise TooCold
        return logits / temperature

    assert Exercise("3.2").check(apply_temperature).passed


def alike(one, other):
    """Equal where they are values; models and functions are made anew."""
    return equal(other, one) or not isinstance(one, Tensor | int | float | str | list)


def test_a_case_can_be_tried_again_as_it_was():
    """What is pasted into a cell calls the answer with what the check gave it."""
    written = 0
    for number in code_exercises():
        given: list = []
        solution = answer_from(number, solutions()[number])
        if isinstance(solution, type) or lesson_of(number) == "01":  # there the model is slow
            continue
        parameters = inspect.signature(solution).parameters
        names = {"note": lambda *values, given=given: given.append(values)}
        head = f"def {solution.__name__}({', '.join(parameters)}): note({', '.join(parameters)})"
        exec(head.replace("cache", "cache=None", 1) if "cache" in parameters else head, names)
        check = grade(exercise_spec(number), names[solution.__name__])[0][-1]
        if check.tries:
            written += 1
            exec(check.tries, names)
            first, again = given[-2:]
            assert all(map(alike, first, again)), number
    assert written >= 25


def test_a_grader_that_does_not_load_is_no_attempt(monkeypatch, learner):
    def broken(_name):
        raise SyntaxError("half a line")

    monkeypatch.setattr("course.graders.EXERCISES", {})
    monkeypatch.setattr("course.graders._import", broken)
    widget = Exercise("1.2").check(lambda ids, token: ids)
    assert "not your mistake" in repr(widget)
    assert events.summary() == {}


def test_of_two_mistakes_the_one_that_fits_more_cases_is_believed():
    doubled = Mistake("doubled", lambda x: 2 * x, N_("twice", "두 배"))
    squared = Mistake("squared-it", lambda x: x * x, N_("squared", "제곱"))

    def run(attempt):
        for x in (torch.full((3,), 2.0), some(3), some(3, seed=1)):
            yield attempt.compare("same", x, expected=x)

    for mistakes in ((doubled, squared), (squared, doubled)):
        says = {mistake.name: mistake.says for mistake in mistakes}
        task = ExerciseSpec("t", run, mistakes, says)
        assert grade(task, lambda x: x * x)[0][-1].diagnosis == "squared-it"
        assert grade(task, lambda x: x + x)[0][-1].diagnosis == "doubled"


def test_axes_are_called_what_the_docstring_calls_them():
    def turned(x):
        """Return [head, query, key]."""
        return x.transpose(1, 2)

    says = grade(spec(some(2, 3, 4), right=lambda x: x), turned)[0][-1].says
    assert "0 `head`, 1 `query`, 2 `key`" in says


@pytest.mark.parametrize("number", ["3.4", "3.7", "4.5", "5.3", "7.1", "7.7"])
def test_no_spoilt_solution_passes(number):
    """`python -m tests.mutants` tries all of every exercise."""
    passed = [
        what
        for what, source in list(mutants(solutions()[number]))[::2]
        if diagnosis_of(number, source) is None
    ]
    assert set(passed) <= EQUIVALENT


def test_an_error_names_the_cell_where_it_arose_and_the_call():
    names: dict = {}
    for number, cell in enumerate(
        (
            "\ndef next_token_id(model, input_ids):\n    return input_ids + model.lenght\n",
            "def answer(x):\n    y = x\n    return next_token_id(y, x)\n",
        )
    ):
        file = f"<ipython-input-{number}>"
        linecache.cache[file] = len(cell), None, cell.splitlines(True), file
        exec(compile(cell, file, "exec"), names)
    says = grade(spec(X, right=lambda x: x), names["answer"])[0][-1].says
    assert "line 3 of the cell with `next_token_id` (exercise 1.1)" in says
    assert "called from line 3 of the cell with `answer`" in says
