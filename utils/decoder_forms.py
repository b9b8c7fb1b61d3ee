"""The same product in several forms: which is fastest depends on the machine, and a trial tells.

With one vector, a product takes as long as its matrix takes to be read.  On some processors the
usual form reads it with one core, however many there are.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import linear

Product = Callable[[Tensor], Tensor]  # from x [1, position, in] to x @ matrix.T [1, position, out]
Form = Callable[[Tensor], Product]  # from a matrix [out, in]
TRIAL_BYTES = 60_000_000  # of matrices, more than most processors keep near themselves
ROUNDS = 2


def by_rows(matrix: Tensor) -> Product:
    """As the matrix lies in a model, row by row."""
    return partial(linear, weight=matrix)


def by_columns(matrix: Tensor) -> Product:
    """In memory input by input."""
    return partial(linear, weight=matrix.T.contiguous().T)


def in_halves(matrix: Tensor) -> Product:
    """Two products of half the rows each, for two cores; whole for several vectors."""
    halves = matrix.view(2, -1, matrix.shape[1]).transpose(1, 2)

    def product(x: Tensor) -> Tensor:
        if x.shape[1] > 1:
            return linear(x, matrix)
        return torch.bmm(x.expand(2, 1, -1), halves).view(1, 1, -1)

    return product


def by_openblas(matrix: Tensor) -> Product:
    """By numpy, whose OpenBLAS uses all cores; by PyTorch for several vectors."""
    weight = matrix.numpy()

    def product(x: Tensor) -> Tensor:
        if x.shape[1] > 1:
            return linear(x, matrix)
        return torch.from_numpy(weight @ x.numpy()[0, 0])[None, None]

    return product


def by_onednn(matrix: Tensor) -> Product:
    """By oneDNN, from a copy in an order of its own."""
    packed = torch.ops.mkldnn._reorder_linear_weight(matrix, 1)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")


def fastest_form(matrices: Sequence[Tensor]) -> Form:
    """The form in which one vector takes the shortest through the first of `matrices`, [out, in].

    A GPU does not care, and numbers other than float32 on a CPU are served by two forms alone.
    """
    if matrices[0].device.type != "cpu":
        return by_rows if matrices[0].is_cuda else by_columns
    forms: list[Form] = [by_rows, by_columns]
    if matrices[0].dtype == torch.float32:
        forms.append(by_openblas)
        if all(len(matrix) % 2 == 0 for matrix in matrices):
            forms.append(in_halves)
        if hasattr(torch.ops.mkldnn, "_linear_pointwise") and torch.backends.mkldnn.is_available():
            forms.append(by_onednn)
    tried, size = [], 0
    for matrix in matrices:
        tried.append(matrix)
        size += matrix.nbytes
        if size > TRIAL_BYTES:
            break
    ways = {form: [form(matrix) for matrix in tried] for form in forms}
    seconds = {form: _shortest(partial(_all, ways[form], tried)) for form in forms}
    return min(seconds, key=lambda form: seconds[form])


def _all(products: list[Product], matrices: list[Tensor]) -> None:
    for product, matrix in zip(products, matrices, strict=True):
        product(matrix[:1, None])


def _shortest(run: Callable[[], None]) -> float:
    """The best of some times: what slows a run down is whatever else the machine does."""
    seconds = []
    for _round in range(1 + ROUNDS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
