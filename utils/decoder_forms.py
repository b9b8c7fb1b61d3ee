"""The same product in several forms: which is fastest depends on the machine, and a trial tells.

With one vector, a product can be as fast as its matrix is read.  On some processors the usual form
reads it with one core, however many there are.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import linear

from utils.cores import Spent
from utils.timing import spent

Product = Callable[[Tensor], Tensor]  # from x [… position, in] to x @ matrix.T [… position, out]
Form = Callable[[Tensor], Product]  # from a matrix [out, in]
TRIAL_BYTES = 40_000_000  # of matrices, more than most processors keep near themselves
ROUNDS = 3


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
        if x.shape[-2] > 1:
            return linear(x, matrix)
        return torch.bmm(x.expand(2, 1, -1), halves).view(*x.shape[:-1], -1)

    return product


def by_openblas(matrix: Tensor) -> Product:
    """By numpy, whose OpenBLAS uses all cores; by PyTorch for several vectors."""
    weight = matrix.numpy()

    def product(x: Tensor) -> Tensor:
        if x.shape[-2] > 1:
            return linear(x, matrix)
        return torch.from_numpy(weight @ x.numpy().ravel()).view(*x.shape[:-1], -1)

    return product


def by_onednn(matrix: Tensor) -> Product:
    """By oneDNN, from a copy in an order of its own."""
    packed = torch.ops.mkldnn._reorder_linear_weight(matrix, 1)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")


def fastest_form(matrices: Sequence[Tensor]) -> Form:
    """The form in which one vector takes the shortest through the first of `matrices`, [out, in].

    A GPU does not care, and so is not asked.
    """
    if matrices[0].device.type != "cpu":
        return by_rows if matrices[0].is_cuda else by_columns
    tried = try_forms(matrices)
    return min(tried, key=lambda form: tried[form].seconds)


@torch.no_grad()
def try_forms(matrices: Sequence[Tensor]) -> dict[Form, Spent]:
    """What one vector takes through the first of `matrices`, [out, in], in each form, on a CPU.

    Numbers other than float32 are served by two forms alone.
    """
    forms: list[Form] = [by_rows, by_columns]
    if matrices[0].dtype == torch.float32:
        forms.append(by_openblas)
        if all(len(matrix) % 2 == 0 for matrix in matrices):
            forms.append(in_halves)
        if hasattr(torch.ops.mkldnn, "_linear_pointwise") and torch.backends.mkldnn.is_available():
            forms.append(by_onednn)
    chosen, size = [], 0
    for matrix in matrices:
        chosen.append(matrix)
        size += matrix.nbytes
        if size > TRIAL_BYTES:
            break
    inputs, tried = [matrix[:1].clone() for matrix in chosen], {}
    for form in forms:
        work = partial(_all, [form(matrix) for matrix in chosen], inputs)
        tried[form] = spent(work, matrices[0].device, ROUNDS)
    return tried


def _all(products: Sequence[Product], inputs: Sequence[Tensor]) -> None:
    for product, x in zip(products, inputs, strict=True):
        product(x)
