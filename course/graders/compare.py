"""Comparing what came out with what was expected: is it equal, and if not, which fault is it?"""

from types import GeneratorType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course.graders import relations
from utils.language import N_, _

SHOWN = 6  # numbers of a tensor
DIAGNOSES = {
    "list-for-tensor": N_(
        "A Python list came out; a tensor was asked for.",
        "파이썬 리스트가 나왔습니다. 텐서를 돌려주어야 합니다.",
    ),
    "tuple-for-tensor": N_(
        "A tuple came out; one tensor was asked for. Is there a comma after `return …`, or does "
        "a function give two things?",
        "튜플이 나왔습니다. 텐서 하나를 돌려주어야 합니다. `return …` 뒤에 쉼표가 있거나, 두 "
        "가지를 주는 함수를 썼나요?",
    ),
    "numpy-for-tensor": N_(
        "A NumPy array came out; a tensor was asked for: `torch.from_numpy`, or no NumPy at all.",
        "NumPy 배열이 나왔습니다. 텐서가 필요합니다. `torch.from_numpy`를 쓰거나 NumPy 없이 "
        "계산하세요.",
    ),
    "numpy-for-value": N_(
        "A NumPy value came out; {kind} was asked for. `.item()` turns it into a plain one.",
        "NumPy 값이 나왔습니다. 돌려주어야 하는 것은 {kind}입니다. `.item()`으로 바꾸세요.",
    ),
    "iterator": N_(
        "A generator came out, which has computed nothing yet; {kind} was asked for. Use "
        "`return` in place of `yield`.",
        "아직 아무것도 계산하지 않은 제너레이터가 나왔습니다. 돌려주어야 하는 것은 {kind}입니다. "
        "`yield` 대신 `return`을 쓰세요.",
    ),
    "wrong-length": N_(
        "{got} things came out; {expected} were asked for.",
        "{got}개가 나왔습니다. {expected}개가 필요합니다.",
    ),
    "wrong-keys": N_(
        "The dict's keys are {got}; they should be {expected}.",
        "딕셔너리의 키가 {got}입니다. {expected}이어야 합니다.",
    ),
    "tensor-for-value": N_(
        "A tensor came out; {kind} was asked for. `.item()` turns a tensor with one number "
        "into that number.",
        "텐서가 나왔습니다. 돌려주어야 하는 것은 {kind}입니다. 숫자 하나짜리 텐서는 "
        "`.item()`으로 그 숫자가 됩니다.",
    ),
    "not-a-tensor": N_(
        "{got} came out; a tensor was asked for.",
        "나온 것은 {got}입니다. 텐서를 돌려주어야 합니다.",
    ),
    "wrong-type": N_(
        "{got} came out; {kind} was asked for.",
        "나온 것은 {got}입니다. 돌려주어야 하는 것은 {kind}입니다.",
    ),
    "wrong-device": N_(
        "The result is on {got}, what was given on {expected}. Make tensors with "
        "`device=x.device`, and use the model that the function is given, not the notebook's.",
        "결과는 {got}에 있는데, 받은 것은 {expected}에 있습니다. 텐서는 `device=x.device`로 "
        "만들고, 모델은 노트북의 것이 아니라 함수가 받은 것을 쓰세요.",
    ),
    "batch-kept": N_(
        "The result has one axis too many in front: the batch axis was kept, or added.",
        "결과의 맨 앞에 축이 하나 더 있습니다. 배치 축이 남았거나 새로 붙었습니다.",
    ),
    "wrong-shape": N_(
        "The shape is {got}; it should be {expected}.",
        "모양이 {got}입니다. 맞는 모양은 {expected}입니다.",
    ),
    "wrong-dtype": N_(
        "The numbers are {got}; they should stay {expected}.",
        "숫자의 자료형이 {got}입니다. {expected} 그대로여야 합니다.",
    ),
    "nan": N_(
        "Some numbers are nan (not a number): something like inf - inf or 0 / 0.",
        "nan(숫자가 아님)이 섞여 있습니다. inf - inf나 0 / 0 같은 계산이 있었습니다.",
    ),
    "other-value": N_("That is not the value expected.", "기대한 값이 아닙니다."),
    "differs": N_(
        "{wrong} of {all} numbers differ; the first at index {index}: {got} where {expected} "
        "was expected.",
        "숫자 {all}개 가운데 {wrong}개가 다릅니다. 처음 다른 곳은 인덱스 {index}입니다. "
        "기대한 값은 {expected}, 나온 값은 {got}입니다.",
    ),
}


def equal(got: Any, expected: Any, atol: float = 1e-5, rtol: float = 1e-4) -> bool:
    """Whether `got` is `expected`: the same kind of thing, and for floats close enough."""
    if isinstance(expected, Tensor):
        return (
            isinstance(got, Tensor)
            and got.shape == expected.shape
            and got.dtype == expected.dtype
            and got.device == expected.device
            and torch.allclose(got.float(), expected.float(), atol=atol, rtol=rtol, equal_nan=True)
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(got, list | tuple)
            and len(got) == len(expected)
            and all(equal(g, e, atol, rtol) for g, e in zip(got, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(equal(got[key], expected[key], atol, rtol) for key in expected)
        )
    if isinstance(expected, float):
        return (
            isinstance(got, float | int)
            and not isinstance(got, bool)
            and (abs(got - expected) <= atol + rtol * abs(expected))
        )
    return type(got) is type(expected) and got == expected


def fault(
    got: Any, expected: Any, atol: float, rtol: float, axes: tuple[str, ...] = ()
) -> tuple[str, str]:
    """What is wrong with `got`, where it is not `expected`: a diagnosis, and its sentence.

    The kind of thing first, then shape and dtype, then how the numbers relate.  In a list, tuple or
    dict it is the first part that is wrong, and the sentence names it.  `axes`: what the result's
    axes are called, said where the sentence speaks of one.
    """
    part, got, expected = _wrong_part(got, expected, atol, rtol)
    name, values = _fault(got, expected, atol, rtol)
    says = _({**DIAGNOSES, **relations.DIAGNOSES}[name]).format(**values)
    if not part:
        return name, says + _axes_named(axes, expected, values)
    return name, _("In part `{part}`: {says}", "`{part}` 부분: {says}").format(part=part, says=says)


def _axes_named(axes: tuple[str, ...], expected: Any, values: dict) -> str:
    """The axes' names, where a sentence speaks of one by its number."""
    if not isinstance(expected, Tensor) or not {"axis", "a", "order"} & values.keys():
        return ""
    if axes[:1] == ("...",):  # however many there are in front
        axes = ("…",) * (expected.dim() - len(axes) + 1) + axes[1:]
    if len(axes) != expected.dim() or len(axes) < 2:
        return ""
    named = ", ".join(f"{place} `{name}`" for place, name in enumerate(axes))
    return " " + _("The axes: {named}.", "축: {named}.").format(named=named)


def _wrong_part(got: Any, expected: Any, atol: float, rtol: float) -> tuple[str, Any, Any]:
    """Where in lists, tuples and dicts the first difference is, such as "[1]", and both there."""
    if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
        keys = list(expected)
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        if len(got) != len(expected) or _numbers(expected) is not None:
            return "", got, expected
        keys = list(range(len(expected)))
    else:
        return "", got, expected
    for key in keys:
        if not equal(got[key], expected[key], atol, rtol):
            part, inner, wanted = _wrong_part(got[key], expected[key], atol, rtol)
            return f"[{key!r}]{part}", inner, wanted
    return "", got, expected


def _numbers(value: Any) -> Tensor | None:
    """A list of plain numbers as a tensor; None if it is anything else."""
    plain = isinstance(value, list | tuple) and all(type(n) in (int, float) for n in value)
    return torch.tensor(value, dtype=torch.float64) if plain and value else None


def _fault(got: Any, expected: Any, atol: float, rtol: float) -> tuple[str, dict]:
    """A name of DIAGNOSES or of a relation, and what its sentence is filled with."""
    kind = _kind(expected)
    if isinstance(got, GeneratorType):
        return "iterator", {"kind": kind}
    if isinstance(expected, Tensor):
        if not isinstance(got, Tensor):
            return _no_tensor(got)
        if got.device != expected.device:
            return "wrong-device", {"got": got.device, "expected": expected.device}
        if got.shape == (1, *expected.shape):
            return "batch-kept", {}
        hides_nan = got.isnan().any() and not expected.isnan().any()
        if got.shape == expected.shape:
            if got.dtype != expected.dtype:
                return "wrong-dtype", {"got": _dtype(got), "expected": _dtype(expected)}
            if hides_nan:
                return "nan", {}
        if found := relations.related(got, expected):
            return found
        if got.shape != expected.shape:
            return "wrong-shape", {"got": list(got.shape), "expected": list(expected.shape)}
        return "differs", _first_difference(got, expected, atol, rtol)
    if isinstance(got, Tensor):
        return "tensor-for-value", {"kind": kind}
    if isinstance(expected, list | tuple | dict):
        return _other_collection(got, expected)
    if isinstance(got, np.ndarray | np.generic):
        return "numpy-for-value", {"kind": kind}
    if isinstance(expected, float) and type(got) in (int, float):
        return relations.of_numbers(got, expected) or ("other-value", {})
    if type(got) is not type(expected):
        return "wrong-type", {"got": _kind(got), "kind": kind}
    if isinstance(expected, str):
        return relations.of_texts(got, expected) or ("other-value", {})
    if type(expected) is int:
        return relations.of_numbers(got, expected) or ("other-value", {})
    return "other-value", {}


def _no_tensor(got: Any) -> tuple[str, dict]:
    if isinstance(got, tuple):
        return "tuple-for-tensor", {}
    if isinstance(got, list):
        return "list-for-tensor", {}
    if isinstance(got, np.ndarray | np.generic):
        return "numpy-for-tensor", {}
    return "not-a-tensor", {"got": _kind(got)}


def _other_collection(got: Any, expected: list | tuple | dict) -> tuple[str, dict]:
    together = dict if isinstance(expected, dict) else list | tuple
    if not isinstance(got, together):
        return "wrong-type", {"got": _kind(got), "kind": _kind(expected)}
    mine, wanted = _numbers(got), _numbers(expected)
    if mine is not None and wanted is not None and (found := relations.related(mine, wanted)):
        return found
    if isinstance(expected, dict):
        return "wrong-keys", {"got": list(got), "expected": list(expected)}
    if len(got) != len(expected):
        return "wrong-length", {"got": len(got), "expected": len(expected)}
    return "other-value", {}


def near_difference(got: Any, expected: Any, atol: float, rtol: float) -> tuple[str, str]:
    """Both in words: of large tensors, the numbers around the first difference."""
    if not (
        isinstance(got, Tensor)
        and isinstance(expected, Tensor)
        and got.shape == expected.shape
        and got.device == expected.device
        and got.dim()
        and got.numel() > SHOWN
        and not got.is_meta
    ):
        return describe(got), describe(expected)
    wrong = ~torch.isclose(got.double(), expected.double(), equal_nan=True, atol=atol, rtol=rtol)
    if not wrong.any():
        return describe(got), describe(expected)
    return describe_from(got, first := wrong.nonzero()[0].tolist()), describe_from(expected, first)


def describe_from(tensor: Tensor, index: list[int]) -> str:
    """A tensor in a few words, with the numbers from one place to the end of its row."""
    *row, place = index
    start = max(0, min(place - 1, tensor.shape[-1] - SHOWN))
    if tensor.numel() <= SHOWN or not (any(row) or start):
        return describe(tensor)
    numbers = tensor.detach()[tuple(row)][start : start + SHOWN].tolist()
    shown = ", ".join(f"{n:.4g}" if isinstance(n, float) else str(n) for n in numbers)
    where = _("from index {index}", "인덱스 {index}부터").format(index=[*row, start])
    return f"tensor {list(tensor.shape)} {_dtype(tensor)}, {where}: {shown}, …"


def _first_difference(got: Tensor, expected: Tensor, atol: float, rtol: float) -> dict:
    wrong = ~torch.isclose(got.float(), expected.float(), equal_nan=True, atol=atol, rtol=rtol)
    first = tuple(wrong.nonzero()[0].tolist())
    return {
        "wrong": int(wrong.sum()),
        "all": wrong.numel(),
        "index": list(first),
        "got": f"{got[first].item():.4g}",
        "expected": f"{expected[first].item():.4g}",
    }


def describe(value: Any) -> str:
    """A value in a few words: a tensor's shape, type and first numbers; anything else shortened."""
    if isinstance(value, Tensor):
        numbers = [] if value.is_meta else value.detach().flatten()[:SHOWN].tolist()
        shown = ", ".join(f"{n:.4g}" if isinstance(n, float) else str(n) for n in numbers)
        more = ", …" if value.numel() > SHOWN else ""
        return f"tensor {list(value.shape)} {_dtype(value)}: {shown}{more}"
    if isinstance(value, torch.nn.Module):
        return type(value).__name__
    if isinstance(value, list | tuple):
        inside = ", ".join(map(describe, value[:6])) + (", …" if len(value) > 6 else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {describe(v)}' for key, v in value.items())}}}"[:400]
    if isinstance(value, float):
        return f"{value:.4g}"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = repr(value)
    if " object at 0x" in text:
        return type(value).__name__
    return text if len(text) <= 160 else text[:159] + "…"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


_KINDS = {
    int: N_("a whole number (int)", "정수(int)"),
    float: N_("a number (float)", "실수(float)"),
    str: N_("a text (str)", "문자열(str)"),
    bool: N_("True or False", "True 또는 False"),
    list: N_("a list", "리스트"),
    tuple: N_("a tuple", "튜플"),
    dict: N_("a dict", "딕셔너리"),
    set: N_("a set", "집합"),
    Tensor: N_("a tensor", "텐서"),
}


def _kind(value: Any) -> str:
    return _(_KINDS[type(value)]) if type(value) in _KINDS else type(value).__name__
