"""Makes one page of what a class found hard, from the progress of its learners.

`python -m course class-report FOLDER [--out report.html]` reads every .json file in it, as
`python -m course progress --export json` writes them, and every .sqlite file, as a hub keeps them:
there nobody has to hand in anything.  Files may be named one by one, too.  The exercise with which
most were lost comes first.  The page names no learner, and is in both languages, yours first.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from course.graders import diagnosis_sentence
from course.notebooks.words import as_html, exercise_numbers, exercise_words, question_words
from course.workshop.class_counts import MANY, Row, guesses, rows
from course.workshop.handed_in import read
from course.workshop.html_page import font_faces
from utils.language import LANGUAGES, _, current_language, use_language

STYLE = """
body { font: 16px/1.5 "Course Hangul", "Course Signs", sans-serif; max-width: 1160px;
       margin: 2em auto; padding: 0 1em; color: #1a1a1a; }
h1, h2 { color: #1f3a5f; } nav a { margin-right: 1em; } section { margin-bottom: 4em; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; vertical-align: bottom; border-bottom: 2px solid #1f3a5f; }
td { vertical-align: top; border-bottom: 1px solid #c9d1d9; }
th, td { padding: 0.4em 0.6em; word-break: keep-all; }
.number { text-align: right; white-space: nowrap; }
.bar { width: 90px; height: 8px; background: #eef1f4; margin-left: auto; }
.bar div { height: 8px; background: #4477aa; }
ul { margin: 0; padding-left: 1.1em; }
code { background: #eef1f4; padding: 0 0.2em; font-family: "Course Mono", "Course Hangul"; }
.quiet { color: #595959; } .small { font-size: 0.85em; }
@media print { tr { break-inside: avoid; } }
"""


def page(
    records: list[dict],
    problems: list[str],
    asked: Mapping[str, Sequence[int]] | None = None,
) -> str:
    """The report as one HTML file that needs nothing else.

    asked: of questions, how many guessed each choice, where that is known better than from the
    records.
    """
    before = current_language()
    asked = guesses(records) if asked is None else asked
    sections = []
    for lang in (before, *(other for other in LANGUAGES if other != before)):
        use_language(lang)
        says = f"{_exercises(rows(records), len(records))}{_questions(asked)}"
        sections.append(f'<section lang="{lang}" id="{lang}">{says}</section>')
    use_language(before)
    links = "".join(f'<a href="#{code}">{name}</a>' for code, name in LANGUAGES.items())
    left_out = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    body = f"<nav>{links}</nav>{''.join(sections)}<ul>{left_out}</ul>"
    fonts = font_faces(frozenset(body))
    return (
        f'<!doctype html><html lang="{before}"><head><meta charset="utf-8">'
        f"<title>Inside a Transformer LLM</title><style>{fonts}{STYLE}</style></head><body>"
        f"{body}</body></html>\n"
    )


def _exercises(found: list[Row], learners: int) -> str:
    columns = (
        _("exercise"),
        _("passed"),
        _("hard for"),
        _("attempts to pass (median)"),
        _("minutes to pass (median)"),
        _("hints opened"),
        _("what went wrong, most frequent first"),
    )
    heads = "".join(f"<th>{column}</th>" for column in columns)
    title = _("What the class found hard")
    about = _(
        "{learners} learners. The exercise that was hard for most of them stands first: they have "
        "begun it and not passed, or took {many} attempts or more, or all three hints. Minutes "
        "count from the first check or hint."
    )
    table = "".join(_row(row, learners) for row in found)
    return (
        f"<h1>{title}</h1><p>{about.format(learners=learners, many=MANY)}</p>"
        f"<table><tr>{heads}</tr>{table}</table>"
    )


def _row(row: Row, learners: int) -> str:
    known = row.exercise in exercise_numbers()
    title = as_html(exercise_words(row.exercise).title) if known else ""
    share = round(100 * row.passed / learners)
    tries, minutes = ("–" if n is None else f"{n:g}" for n in (row.attempts_to_pass, row.minutes))
    reached = []
    if hints_only := row.begun - row.attempted:
        reached.append(_("hints only: {count}").format(count=hints_only))
    if not_begun := learners - row.begun:
        reached.append(_("not begun: {count}").format(count=not_begun))
    often = "".join(f"<li>{_diagnosis(row.exercise, *each)}</li>" for each in row.diagnoses)
    return (
        f"<tr><td><strong>{row.exercise}</strong> {title}</td>"
        f'<td class="number">{row.passed} / {learners}'
        f'<div class="bar"><div style="width:{share}%"></div></div>'
        f'<span class="quiet small">{"<br>".join(reached)}</span></td>'
        f'<td class="number">{row.hard_for}</td>'
        f'<td class="number">{tries}</td><td class="number">{minutes}</td>'
        f'<td class="number">{row.hints}</td><td><ul>{often}</ul></td></tr>'
    )


def _diagnosis(exercise: str, name: str, learners: int, times: int) -> str:
    says = as_html(diagnosis_sentence(exercise, name))
    count = _("learners: {learners}, times: {times}").format(learners=learners, times=times)
    return f'{says} <span class="quiet"><code>{escape(name)}</code> · {count}</span>'


def _questions(asked: Mapping[str, Sequence[int]]) -> str:
    """What the class guessed before it was shown, each question's right answer marked."""
    if not asked:
        return ""
    found = []
    for number, counts in asked.items():
        said = question_words(number)
        choices = "".join(
            f"<li>{'✓ ' if i == said.right else ''}{as_html(text)}: <strong>{count}</strong></li>"
            for i, (text, count) in enumerate(zip(said.choices, counts, strict=True))
        )
        found.append(
            f"<tr><td><strong>{number}</strong> {as_html(said.asks)}</td>"
            f"<td><ul>{choices}</ul></td></tr>"
        )
    title = _("What the class guessed first")
    return f"<h2>{title}</h2><table>{''.join(found)}</table>"


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
