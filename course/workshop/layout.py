"""How code and what it has printed fit on a slide."""

import math

from nbformat import NotebookNode as Node

from course.workshop.leads import width


def layout(cell: Node, above: str) -> tuple[str, int]:
    """How code and output are largest below these words: one below or beside the other; in px."""
    printed = "".join(o.get("text") or o.data["text/plain"] for o in cell.outputs).strip("\n")
    code, output = cell.source.split("\n"), printed.split("\n")
    longest, shown = max(map(width, code)), max(map(width, output))
    height = 510 - 40 * math.ceil(width(above) / 88) - 130 * ("$$" in above)
    for size in range(24, 11, -1):
        letters = int(1120 / (0.602 * size))
        if longest <= letters and _rows([*code, *output], letters) * 1.35 + 3 <= height / size:
            return "shown", size
        left = letters - longest - 5
        rows = max(len(code), _rows(output, left)) if left >= min(shown, 24) else math.inf
        if rows * 1.35 + 1 <= height / size:
            return "columns", size
    return "shown", size


def _rows(lines: list[str], letters: int) -> int:
    return sum(max(1, math.ceil(width(line) / letters)) for line in lines)
