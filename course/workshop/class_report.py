"""Makes one page of what a class found hard, from the progress files that learners handed in.

`python -m course class-report FOLDER [--out report.html]` reads every .json file in it, as
`python -m course progress --export json` writes them; files may be named one by one, too.  The
exercise most in need of another word comes first.  The page names no learner, and is in both
languages.
"""

import argparse
import codecs
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median

from course.graders import diagnosis_sentence
from course.lessons import by_number
from course.notebooks.words import as_html, exercise_numbers, exercise_words, question_words
from course.progress.export import FORMAT, plain_number
from utils.language import LANGUAGES, _, current_language, use_language

OFTEN = 3  # so many diagnoses are shown for an exercise


@dataclass(frozen=True)
class Row:
    """What became of one exercise in a class."""

    exercise: str
    attempted: int  # learners
    passed: int
    attempts_to_pass: float | None  # median of those who passed
    hints: int  # opened, by all together
    diagnoses: tuple[tuple[str, int, int], ...]  # name, learners it was given, times; most first

    @property
    def need(self) -> tuple:
        """The larger, the more this exercise needs explaining again: first by those who are stuck,
        then by how long the others took and how much help it was."""
        return (1 - self.passed / self.attempted, self.attempts_to_pass or 0, self.hints)


def read(paths: list[Path]) -> tuple[list[dict], list[str]]:
    """The records in `paths`, files or folders, one a learner, and a sentence for each not read.

    Of two files of one learner the one with more attempts counts.
    """
    files = [
        f for path in paths for f in (sorted(path.glob("*.json")) if path.is_dir() else [path])
    ]
    records: dict[str, dict] = {}
    problems = []
    for file in files:
        try:
            record = json.loads(_text(file))
            if not _is_right(record):
                raise ValueError(_("it is not a progress file of this course"))
        except (OSError, ValueError, RecursionError) as problem:
            why = str(problem).encode(errors="replace").decode()  # half a character
            says = _("{file} is left out: {problem}.").format(file=file, problem=why.rstrip("."))
            problems.append(says)
            continue
        for done in record["exercises"]:
            done["exercise"] = plain_number(done["exercise"])
        if record["learner"] in records:
            says = _("{file} is a second file of one learner; the one with more attempts counts.")
            problems.append(says.format(file=file))
            record = max(records[record["learner"]], record, key=_size)
        records[record["learner"]] = record
    return list(records.values()), problems


def _text(file: Path) -> str:
    """What is in a text file, in whichever of the encodings that Windows writes."""
    read = file.read_bytes()
    wide = read.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return read.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("it is not written in UTF-8: save it as that")) from None


def _is_right(record: object) -> bool:
    """Whether everything that is counted is there, and of the kind that `export` writes."""
    if not isinstance(record, dict) or {key: record.get(key) for key in FORMAT} != FORMAT:
        return False
    exercises = record.get("exercises")
    return (
        _is_text(record.get("learner"))
        and isinstance(exercises, list)
        and all(map(_is_done_right, exercises))
    )


def _is_done_right(done: object) -> bool:
    """The same for what a learner did with one exercise."""
    if not isinstance(done, dict):
        return False
    number, diagnoses, passed = done.get("exercise"), done.get("diagnoses"), done.get("passed")
    return (
        isinstance(number, str)
        and re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}", number) is not None
        and isinstance(passed, bool)
        and _is_count(done.get("attempts"))
        and _is_count(done.get("hints"))
        and (not passed or _is_count(done.get("attempts_to_pass")))
        and isinstance(diagnoses, dict)
        and all(map(_is_text, diagnoses))
        and all(map(_is_count, diagnoses.values()))
    )


def _is_text(value: object) -> bool:
    """Whether it can be written down: half a character of two cannot."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _size(record: dict) -> int:
    return sum(done["attempts"] for done in record["exercises"])


def rows(records: list[dict]) -> list[Row]:
    """One row for each exercise that somebody attempted, the one most in need first."""
    by_exercise: dict[str, list[dict]] = {}
    for record in records:
        for done in record["exercises"]:
            if done["attempts"]:
                by_exercise.setdefault(done["exercise"], []).append(done)
    found = [_row(exercise, done) for exercise, done in by_exercise.items()]
    return sorted(
        sorted(found, key=lambda row: by_number(row.exercise)),
        key=lambda row: row.need,
        reverse=True,
    )


def _row(exercise: str, all_done: list[dict]) -> Row:
    learners: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for done in all_done:
        learners.update(done["diagnoses"].keys())
        times.update(done["diagnoses"])
    often = sorted(times, key=lambda name: (-learners[name], -times[name], name))
    tries = [done["attempts_to_pass"] for done in all_done if done["passed"]]
    return Row(
        exercise,
        attempted=len(all_done),
        passed=len(tries),
        attempts_to_pass=median(tries) if tries else None,
        hints=sum(done["hints"] for done in all_done),
        diagnoses=tuple((name, learners[name], times[name]) for name in often[:OFTEN]),
    )


STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans KR", sans-serif; max-width: 1080px; margin: 2em auto;
       padding: 0 1em; color: #1a1a1a; }
h1 { color: #1f3a5f; } nav a { margin-right: 1em; } section { margin-bottom: 4em; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; vertical-align: bottom; border-bottom: 2px solid #1f3a5f; }
td { vertical-align: top; border-bottom: 1px solid #c9d1d9; }
th, td { padding: 0.4em 0.6em; } .number { text-align: right; white-space: nowrap; }
.bar { width: 90px; height: 8px; background: #eef1f4; } 
.bar div { height: 8px; background: #4477aa; }
ul { margin: 0; padding-left: 1.1em; } code { background: #eef1f4; padding: 0 0.2em; }
.quiet { color: #595959; } @media print { tr { break-inside: avoid; } }
"""


def page(
    records: list[dict], problems: list[str], guesses: Mapping[str, Sequence[int]] | None = None
) -> str:
    """The report as one HTML file that needs nothing else.

    guesses: of questions, how many learners guessed each choice; a live class knows them.
    """
    before = current_language()
    found = rows(records)
    sections = []
    for lang in LANGUAGES:
        use_language(lang)
        sections.append(
            f'<section lang="{lang}" id="{lang}">{_section(found, records)}'
            f"{_guesses(guesses or {})}</section>"
        )
    use_language(before)
    links = "".join(f'<a href="#{code}">{name}</a>' for code, name in LANGUAGES.items())
    left_out = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return (
        f'<!doctype html><html lang="{before}"><head><meta charset="utf-8">'
        f"<title>Inside a Transformer LLM</title><style>{STYLE}</style></head><body>"
        f"<nav>{links}</nav>{''.join(sections)}<ul>{left_out}</ul></body></html>\n"
    )


def _section(found: list[Row], records: list[dict]) -> str:
    columns = (
        _("exercise"),
        _("passed"),
        _("attempts to pass (median)"),
        _("hints opened"),
        _("what went wrong, most frequent first"),
    )
    heads = "".join(f"<th>{column}</th>" for column in columns)
    title = _("What the class found hard")
    about = _("{learners} learners. The exercise most in need of another word stands first.")
    return (
        f"<h1>{title}</h1>"
        f"<p>{about.format(learners=len(records))}</p>"
        f"<table><tr>{heads}</tr>{''.join(map(_table_row, found))}</table>"
    )


def _guesses(guesses: Mapping[str, Sequence[int]]) -> str:
    """What the class guessed before it was shown, each question's right answer marked."""
    if not guesses:
        return ""
    rows = []
    for number, counts in guesses.items():
        said = question_words(number)
        choices = "".join(
            f"<li>{'✓ ' if i == said.right else ''}{as_html(text)}: <strong>{count}</strong></li>"
            for i, (text, count) in enumerate(zip(said.choices, counts, strict=True))
        )
        asks = as_html(said.asks)
        rows.append(
            f"<tr><td><strong>{number}</strong> {asks}</td><td><ul>{choices}</ul></td></tr>"
        )
    title = _("What the class guessed first")
    return f"<h2>{title}</h2><table>{''.join(rows)}</table>"


def _table_row(row: Row) -> str:
    title = escape(exercise_words(row.exercise).title) if row.exercise in exercise_numbers() else ""
    share = round(100 * row.passed / row.attempted)
    tries = "–" if row.attempts_to_pass is None else f"{row.attempts_to_pass:g}"
    often = "".join(f"<li>{_diagnosis(row.exercise, *each)}</li>" for each in row.diagnoses)
    return (
        f"<tr><td><strong>{row.exercise}</strong> {title}</td>"
        f'<td class="number">{row.passed} / {row.attempted}'
        f'<div class="bar"><div style="width:{share}%"></div></div></td>'
        f'<td class="number">{tries}</td><td class="number">{row.hints}</td>'
        f"<td><ul>{often}</ul></td></tr>"
    )


def _diagnosis(exercise: str, name: str, learners: int, times: int) -> str:
    says = as_html(diagnosis_sentence(exercise, name))
    count = _("{learners} learners, {times} times").format(learners=learners, times=times)
    return f'{says} <span class="quiet"><code>{escape(name)}</code> · {count}</span>'


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course class-report", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE or FOLDER")
    parser.add_argument("--out", type=Path, default=Path("class-report.html"))
    options = parser.parse_args(arguments)
    records, problems = read(options.paths)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not records:
        print(_("There is no progress file that can be read."), file=sys.stderr)
        return 1
    try:
        options.out.write_text(page(records, problems), encoding="utf-8")
    except OSError as problem:
        says = _("The report cannot be written to {path}: {why}.")
        print(says.format(path=options.out, why=problem.strerror), file=sys.stderr)
        return 1
    print(_("{learners} learners: {path}").format(learners=len(records), path=options.out))
    return 0
