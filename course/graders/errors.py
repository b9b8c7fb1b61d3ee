"""What Python's and torch's errors mean: which operation it was, and what to look at."""

import inspect
import linecache
import re
from types import TracebackType

from course.lessons import lesson_files
from utils.language import N_, _

EXPLAINED = {
    "shapes-do-not-multiply": (
        r"shapes cannot be multiplied \((?P<a>\S+) and (?P<b>\S+)\)"
        r"|size mismatch, got input \((?P<a2>\d+)\), mat \((?P<b2>\S+)\)"
        r"|inconsistent tensor size, expected tensor (?P<a3>\[\d+\]) and src (?P<b3>\[\d+\])"
        r"|batch2 tensor to be: (?P<a4>\[[\d, ]+\]) but got: (?P<b4>\[[\d, ]+\])",
        N_(
            "A product met {a} and {b}. In `x @ y`, the last axis of x is as long as the last "
            "but one of y: print both shapes. Is a `.T` missing, or one too many?",
            "곱셈에서 {a}와 {b}가 만났습니다. `x @ y`에서는 x의 마지막 축과 y의 끝에서 둘째 축의 "
            "길이가 같아야 합니다. 두 모양을 출력해 보세요. `.T`가 빠졌거나 하나 더 있나요?",
        ),
    ),
    "shapes-do-not-match": (
        r"size of tensor a \((?P<a>\d+)\) must match the size of tensor b \((?P<b>\d+)\) at "
        r"non-singleton dimension (?P<axis>\d+)",
        N_(
            "Two tensors were put together number by number, but axis {axis} is {a} long in the "
            "first and {b} in the second. Print both shapes. Is an axis missing (`keepdim=True`)?",
            "두 텐서를 숫자끼리 계산하려 했지만 {axis}번 축의 길이가 첫째는 {a}, 둘째는 {b}입니다. "
            "두 모양을 출력해 보세요. 축 하나가 빠졌나요(`keepdim=True`)?",
        ),
    ),
    "sizes-do-not-join": (
        r"Sizes of tensors must match except in dimension"
        r"|stack expects each tensor to be equal size|Tensors must have same number of dimensions"
        r"|zero-dimensional tensor .* cannot be concatenated",
        N_(
            "`cat` and `stack` join tensors that are alike in all other axes; these are not. "
            "Print their shapes, and see along which axis you join.",
            "`cat`과 `stack`은 다른 축이 모두 같은 텐서를 잇는데, 이 텐서들은 그렇지 않습니다. "
            "모양을 출력하고 어느 축으로 잇는지 보세요.",
        ),
    ),
    "no-such-axis": (
        r"Dimension out of range \(expected to be in range of \[(?P<low>-?\d+), (?P<high>-?\d+)\]"
        r", but got (?P<a>-?\d+)",
        N_(
            "Axis {a} was asked for, but there are only the axes {low} to {high}: the tensor "
            "has fewer axes than you think. Print its shape.",
            "{a}번 축을 찾았지만 축은 {low}부터 {high}까지입니다. 텐서의 축이 생각보다 적습니다. "
            "모양을 출력해 보세요.",
        ),
    ),
    "mask-does-not-fit": (
        r"shape of the mask (?P<a>\[[^\]]*\]) at index \d+ does not match the shape of the indexed "
        r"tensor (?P<b>\[[^\]]*\])",
        N_(
            "A mask {a} cannot pick from a tensor {b} with `[…]`: the first axes have to be alike. "
            "`masked_fill` and `torch.where` fit a mask to every head by themselves.",
            "모양 {a}의 마스크는 모양 {b}의 텐서에 `[…]`로 쓸 수 없습니다. 앞쪽 축이 같아야 "
            "합니다. `masked_fill`과 `torch.where`는 헤드마다 마스크를 맞춰 줍니다.",
        ),
    ),
    "no-such-index": (
        r"index (?P<a>-?\d+) is out of bounds for dimension|index out of range|"
        r"too many indices for tensor",
        N_(
            "An index goes past the end, or there are more indices than axes. Print the shape or "
            "the length; the last index is one less than the length.",
            "인덱스가 끝을 넘었거나 축보다 많습니다. 모양이나 길이를 출력해 보세요. 마지막 "
            "인덱스는 길이보다 1 작습니다.",
        ),
    ),
    "not-in-order": (
        r"view size is not compatible",
        N_(
            "After `transpose` or `permute` the numbers no longer lie in order, and `view` "
            "refuses. `reshape` and `flatten` copy them.",
            "`transpose`나 `permute`를 하면 숫자가 차례로 놓여 있지 않아 `view`를 쓸 수 "
            "없습니다. `reshape`와 `flatten`은 복사해 줍니다.",
        ),
    ),
    "shape-does-not-fit": (
        r"shape '(?P<a>\[[^']*\])' is invalid for input of size (?P<b>\d+)",
        N_(
            "{b} numbers do not fit into the shape {a}: multiply its lengths and compare.",
            "숫자 {b}개는 모양 {a}에 들어가지 않습니다. 길이를 모두 곱해서 비교해 보세요.",
        ),
    ),
    "called-a-value": (
        r"'(?P<a>\S+)' object is not callable",
        N_(
            "Brackets after something that is no function, but a {a}: `x(…)` calls, `x[…]` "
            "looks inside. A shape is `x.shape[0]`, without round brackets.",
            "함수가 아닌 {a} 뒤에 괄호가 있습니다. `x(…)`는 호출이고 `x[…]`는 안을 보는 "
            "것입니다. 모양은 둥근 괄호 없이 `x.shape[0]`입니다.",
        ),
    ),
    "none-used": (
        r"'?NoneType'?",
        N_(
            "None was used as if it were a value. A list's `append` and `sort` give None, and so "
            "does a function without `return` (or `yield`).",
            "None을 값처럼 썼습니다. 리스트의 `append`와 `sort`, 그리고 `return`(또는 `yield`)이 "
            "없는 함수는 None을 줍니다.",
        ),
    ),
    "pair-for-tensor": (
        r"torch\.return_types\.|can only concatenate tuple|'tuple' object has no attribute",
        N_(
            "That is a tuple, not a tensor: `max`, `min`, `sort` and `topk` along an axis give "
            "values and indices. Take one, by `.values` or `.indices`; of any other, by `[0]`.",
            "텐서가 아니라 튜플입니다. 축을 따라 쓴 `max`, `min`, `sort`, `topk`는 값과 인덱스를 "
            "줍니다. `.values`나 `.indices`로 하나를 고르고, 다른 튜플이라면 `[0]`을 쓰세요.",
        ),
    ),
    "no-such-attribute": (
        r"'(?P<a>\w+)' object has no attribute '(?P<b>\w+)'",
        N_(
            "A {a} has no `{b}`. Is it another thing than you think? Print its type.",
            "{a}에는 `{b}`가 없습니다. 생각한 것과 다른 것인가요? 타입을 출력해 보세요.",
        ),
    ),
    "unknown-name": (
        r"name '(?P<a>\w+)' is not defined|variable '(?P<a2>\w+)'",
        N_(
            "The name `{a}` has no value here: a slip in writing, an import, or a cell that was "
            "not run?",
            "`{a}`라는 이름에 값이 없습니다. 오타이거나, import가 빠졌거나, 실행하지 않은 셀이 "
            "있나요?",
        ),
    ),
    "wrong-arguments": (
        r"(?P<a>[\w.<>]+)\(\) (takes|missing|got an unexpected|got multiple)",
        N_(
            "`{a}` was called with other arguments than it takes. Leave its first line, "
            "`def …`, as the exercise has it, and compare it with the call.",
            "함수 `{a}`: 부를 때 쓴 인수가 받는 인수와 다릅니다. 첫 줄 `def …`는 문제에 있는 "
            "그대로 두고, 호출과 비교해 보세요.",
        ),
    ),
    "unhashable": (
        r"unhashable type: '(?P<a>\w+)'",
        N_(
            "A {a} can be no key of a dict and no member of a set; a tuple can.",
            "딕셔너리의 키나 집합의 원소로 {a} 형은 쓸 수 없습니다. 튜플은 됩니다.",
        ),
    ),
    "many-for-one": (
        r"Could not infer dtype of (?P<a>\S+)|only one element tensors can be converted"
        r"|Tensor with \d+ elements cannot be converted to Scalar|only integer tensors of a single",
        N_(
            "One number was needed where a whole tensor, a list or something else stands. Pick "
            "the one you mean first, or join tensors with `stack` or `cat`.",
            "숫자 하나가 필요한 곳에 텐서나 리스트, 또는 다른 것이 있습니다. 먼저 하나를 고르거나, "
            "텐서라면 `stack`이나 `cat`으로 이으세요.",
        ),
    ),
    "many-for-true": (
        r"Boolean value of Tensor with more than one value is ambiguous",
        N_(
            "`if`, `and`, `or` and `not` want one True or False, not a tensor of them. Use `&`, "
            "`|`, `~`, `torch.where`, or `.all()`.",
            "`if`, `and`, `or`, `not`에는 True나 False 하나가 필요합니다. 텐서에는 `&`, `|`, `~`, "
            "`torch.where`, `.all()`을 쓰세요.",
        ),
    ),
    "devices-do-not-match": (
        r"to be on the same device|should be either on cpu or on the same device"
        r"|device type for generator|convert (cuda|mps)\S* device type tensor to numpy",
        N_(
            "A tensor on the CPU met one on the GPU, or a model there. Put yours where the one you "
            "are given is: `device=x.device` where you make it, `.to(model.device)` before a "
            "model reads it, `.cpu()` before `numpy()`.",
            "CPU에 있는 텐서가 GPU에 있는 텐서나 모델과 만났습니다. 받은 것과 같은 장치에 두세요. "
            "텐서를 만들 때는 `device=x.device`, 모델에 넣기 전에는 `.to(model.device)`, "
            "`numpy()` 앞에는 `.cpu()`를 씁니다.",
        ),
    ),
    "types-do-not-match": (
        r"same dtype|expected scalar type|result type .* can't be cast",
        N_(
            "Tensors of different types were put together. Make yours like the one given: "
            "`dtype=x.dtype`.",
            "자료형이 다른 텐서를 함께 계산했습니다. 받은 텐서와 같은 자료형으로 "
            "만드세요(`dtype=x.dtype`).",
        ),
    ),
    "other-number-of-parts": (
        r"(not enough|too many) values to unpack",
        N_(
            "On the left of `=` there are more or fewer names than parts on the right. Print "
            "the shape or the length.",
            "`=` 왼쪽의 이름 수가 오른쪽에 있는 것의 수와 다릅니다. 모양이나 길이를 출력해 보세요.",
        ),
    ),
}
"""By diagnosis: a pattern of the errors' texts, and the sentence, filled with what it found."""

DIAGNOSES = {
    "raised": N_("Your code raised this error.", "코드에서 이 오류가 났습니다."),
    **{name: says for name, (_pattern, says) in EXPLAINED.items()},
}


def error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def explained(error: BaseException, answer: object) -> tuple[str, str]:
    """A name of DIAGNOSES for what the answer raised, and the sentence: what it was, and where.

    The sentence does not repeat the error's own text, which is shown beside it.
    """
    text, name, values = error_text(error), "raised", {}
    for known, (pattern, _says) in EXPLAINED.items():
        if found := re.search(pattern, text):
            name = known
            values = {key.rstrip("234"): part for key, part in found.groupdict().items() if part}
            break
    return name, _(DIAGNOSES[name]).format(**values) + _where(error, answer)


def _where(error: BaseException, answer: object) -> str:
    """The line of the learner's own code in which an error was raised, and in which function."""
    parts = vars(answer).values() if isinstance(answer, type) else [answer]
    codes = [getattr(inspect.unwrap(part), "__code__", None) for part in parts if callable(part)]
    files = {code.co_filename for code in codes if code}
    trace, last = error.__traceback__, None
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file in files or file.startswith("<ipython") or "ipykernel_" in file:
            last = trace
        trace = trace.tb_next
    if last is None:
        return ""
    code, place = last.tb_frame.f_code, last.tb_lineno
    called = _called_from(error, files, last)
    written = linecache.getline(code.co_filename, last.tb_lineno).strip()
    if not written:
        return _(" (line {line} of your cell)", " (셀의 {line}번째 줄)").format(line=place)
    exercise = _exercise_of(code.co_name)
    where = _(
        " It is line {line} of the cell with `{name}`{exercise}: `{written}`",
        " 함수 `{name}`{exercise}, 그 셀의 {line}번째 줄: `{written}`",
    ).format(line=place, name=code.co_name, written=written, exercise=exercise)
    return where + called


def _called_from(error: BaseException, files: set[str], last: TracebackType) -> str:
    """Where the answer called the function that failed, if that is another cell's."""
    trace = error.__traceback__
    if last.tb_frame.f_code.co_filename in files:
        return ""
    while trace and trace.tb_frame.f_code.co_filename not in files:
        trace = trace.tb_next
    if trace is None:
        return ""
    return _(
        " It was called from line {line} of the cell with `{name}`.",
        " 이 함수를 부른 곳은 `{name}`의 셀 {line}번째 줄입니다.",
    ).format(line=trace.tb_lineno, name=trace.tb_frame.f_code.co_name)


def _exercise_of(name: str) -> str:
    """The exercise that asks for the function of this name, in brackets; "" if none does."""
    for lesson in lesson_files():
        for cell in re.split(r"(?m)^# %%", lesson.read_text(encoding="utf-8")):
            asked = re.match(r' id="ex-(\d+)-(\d+)"', cell)
            if asked and re.search(rf"(?m)^def {re.escape(name)}\(", cell):
                number = f"{asked[1]}.{asked[2]}"
                return _(" (exercise {number})", "(연습 {number})").format(number=number)
    return ""
