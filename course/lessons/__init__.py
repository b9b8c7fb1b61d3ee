"""The lessons: one file each, the only place where lesson text is written.  How to find them."""

from pathlib import Path

LESSONS = Path(__file__).parent


def lesson_files(begins: str = "") -> list[Path]:
    """The lessons' files in their order; those whose name begins with `begins`, such as "03"."""
    return sorted(path for path in LESSONS.glob("[0-9]*.py") if path.stem.startswith(begins))


def lesson_of(number: str) -> str:
    """In which lesson an exercise or a question is asked: "3.2" → "03", "3.a" → "03"."""
    return f"{int(number.split('.')[0]):02d}"


def by_number(number: str) -> tuple[int, ...]:
    """A key that sorts exercises as they come: "7.10" → (7, 10), after "7.9"."""
    return tuple(map(int, number.split(".")))
