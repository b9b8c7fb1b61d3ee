"""Makes the slides of a lesson: one reveal.js deck, from the lesson's own cells.

`python -m course slides [LESSON …] [ko | en]` writes build/slides/{ko,en}/NN_….html, a file each
that needs no network.  A deck opens with what the lesson promises and closes with its recap; every
question is asked before it is answered, and exercises that follow each other are one slide, with a
clock.  Beside these it has the code cells tagged "slide", each with what it has put out in the
solved notebook; one that is tagged "answer", too, comes after the exercises that it answers.
With `--plan` a deck keeps the exercises of one of the guide's plans.  Press S for the speaker's
view: the guide's notes and demonstrations, and the lesson's own words.
"""

import base64
import re
import struct
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode as Node

from course.workshop.html_page import (
    WORKSHOP,
    has_tag,
    lessons_parser,
    page,
    place,
    read,
    write_lessons,
)
from course.workshop.layout import layout
from course.workshop.leads import lead
from course.workshop.plans import PLANS, plan_row, plan_rows
from course.workshop.speaker_notes import speaker_notes
from course.workshop.turns import EXERCISE, task, turn
from utils.language import LANGUAGES, _, use_language

COURSE = "Inside a Transformer LLM · 트랜스포머 LLM 속으로"
REVEAL = WORKSHOP / "reveal"
TITLE = re.compile(r"# \d+ · (.*)")
STOP = re.compile("A place to stop|쉬어 가기")
BREAK = 10  # minutes
ACROSS, BESIDE = 175, 300  # letters that fit above code, or beside a picture; Hangul counts twice


def deck(lesson: str, lang: str, plan: str = "") -> str:
    """The slides of `lesson`, such as "03_decoding", in `lang`, as one HTML file; all of it, or
    what one of PLANS keeps."""
    use_language(lang)
    return page(
        "slides",
        [cell for slide in slides(lesson, lang, plan) for cell in slide],
        lang=lang,
        title=read("solutions", lang, lesson)[0].source.split("\n")[0].removeprefix("# "),
        clock=_("Start or stop the clock (T)"),
        reveal_css=(REVEAL / "reveal.css").read_text(encoding="utf-8"),
        reveal_js=(REVEAL / "reveal.js").read_text(encoding="utf-8"),
        notes_js=(REVEAL / "notes.js").read_text(encoding="utf-8"),
    )


def slides(lesson: str, lang: str, plan: str = "") -> list[list[Node]]:
    """The cells of each slide: the first says so in its metadata, the last one has the notes."""
    head, *cells = read("solutions", lang, lesson)
    stubs = {cell.id: cell.source for cell in read("chapters", lang, lesson)}
    minutes, kept = plan_row(plan, lesson) if plan else (0, ())
    found, section, heading, text = (
        [_title(head, minutes, kept)],
        "",
        TITLE.findall(head.source)[0],
        "",
    )
    seen: list[tuple[str, int, str]] = []  # of each code cell its section, how many slides before
    for cell, after in pairwise([*cells, None]):
        if cell.cell_type == "markdown":
            for part in re.split(r"(?m)^(?=##)", cell.source):
                mark, title, text = re.findall(r"(?:(#+) (.*)\n*)?((?s:.*))", part)[0]
                section = title if mark == "##" else section
                # what follows an exercise belongs to the section again
                heading = (section if EXERCISE.match(part) else title) or heading
                if mark == "##" and STOP.match(title):
                    found.append(_stop(title, text))
            continue
        seen.append((section, len(found), cell.id))
        if cell.id.startswith("ex-"):
            if not plan or cell.id[3:].replace("-", ".") in kept:
                asked = task(part, stubs[cell.id])
                about = [asked.metadata.task.number, section]
                others = sum(_kind(slide) != "turn" for slide in found)
                found.append(_slide("turn", cell.id, "", [asked], about=about, others=others))
        elif re.fullmatch(r"question-\w+", cell.id):
            found.append(_question(cell, after, heading, text, section))
            text = ""
        elif cell.id == "map" or has_tag(cell, "slide"):
            found.append(_shown(cell, after, heading, text, section))
        if any(output.output_type == "stream" for output in cell.get("outputs", ())):
            text = ""  # it was about what this cell has printed, and is about no other
    _note_cells(found, seen)
    found = _answers_last(found)
    found = [slide for _key, group in groupby(found, _row) for slide in _joined(list(group))]
    if plan and "turn" not in [_kind(slide) for slide in found[_stops_at(found) :]]:
        found = [slide for slide in found if _kind(slide) != "stop"]
    found.append(_recap(cells[-1]))
    notes = speaker_notes(lesson, lang)
    for slide in found:
        about = slide[0].metadata.slide
        keys = dict.fromkeys([about.title or about.id, *about.about])
        slide[-1].metadata.notes = "\n\n".join(
            filter(None, [*(notes.get(key, "") for key in keys), about.says])
        )
    return found


def _note_cells(found: list[list[Node]], seen: list[tuple[str, int, str]]) -> None:
    """Let each slide know the cells that are run with it: its own, and those after it in its
    section that are on no slide; where a section begins with such cells, the slide after them."""
    slides_of = [slide[0].metadata.slide for slide in found]
    for section, before, cell_id in seen:
        last, then = slides_of[before - 1], slides_of[min(before, len(slides_of) - 1)]
        is_with_the_last = then.id != cell_id and section in last.about
        (last if is_with_the_last else then).about.append(cell_id)


def _answers_last(found: list[list[Node]]) -> list[list[Node]]:
    """What answers an exercise comes after the exercises that follow it."""
    ordered: list[list[Node]] = []
    held: list[list[Node]] = []
    for slide in found:
        if slide[0].metadata.slide.get("answers"):
            held.append(slide)
            continue
        if _kind(slide) != "turn" and ordered and _kind(ordered[-1]) == "turn":
            ordered += held
            held = []
        ordered.append(slide)
    return ordered + held


def _stops_at(found: list[list[Node]]) -> int:
    return next((i for i, slide in enumerate(found) if _kind(slide) == "stop"), 0)


def _slide(
    kind: str,
    slide_id: str,
    title: str,
    cells: list[Node],
    says: str = "",
    about: Sequence[str] = (),
    **more: Any,
) -> list[Node]:
    """A slide of these cells.  `about`: what of the guide belongs to it; `says`: of the lesson."""
    told = {"kind": kind, "id": slide_id, "title": title, "says": says, "about": list(about)}
    cells[0].metadata.slide = nbformat.from_dict({**told, **more})
    return cells


def _kind(slide: list[Node]) -> str:
    return slide[0].metadata.slide.kind


def _words(source: str) -> Node:
    return nbformat.v4.new_markdown_cell(source)


def _title(head: Node, minutes: int, kept: Sequence[str]) -> list[Node]:
    """What the lesson is called, what it promises, how long it takes, here or in a plan."""
    title, promise, takes = head.source.split("\n\n")[:3]
    if minutes:
        says = _("**{minutes} minutes** with exercises {exercises}")
        takes = says.format(minutes=minutes, exercises=", ".join(kept))
    parts = [COURSE, title, promise, re.split(r"\s·\s", takes)[0]]
    return _slide("title", "title", "", [_words("\n\n".join(parts))])


def _stop(title: str, text: str) -> list[Node]:
    """Where a lesson can be broken in two, with a clock for the break."""
    built = text.split("\n\n")[0]
    return _slide("stop", "stop", title, [_words(built)], text, minutes=BREAK)


def _recap(cell: Node) -> list[Node]:
    """What was learned, what the learner has built, and what comes next.

    The table of the notes is for reading: it stays with the speaker.
    """
    heading, *parts = re.split(r"(?m)^(?=## )", cell.source)[-1].strip().split("\n\n")
    tables = [i for i, part in enumerate(parts) if part.startswith("|")]
    aside = {i for table in tables for i in (table - 1, table)}
    shown = "\n\n".join(part for i, part in enumerate(parts) if i not in aside)
    says = "\n\n".join(part for i, part in enumerate(parts) if i in aside)
    return _slide("recap", "recap", heading.removeprefix("## "), [_words(shown)], says)


def _question(asked: Node, answered: Node, heading: str, text: str, section: str) -> list[Node]:
    """The question; one press further, the same with its answer."""
    before, after = (cell.outputs[0].data["text/html"] for cell in (asked, answered))
    both = f'<div class="r-stack"><div>{before}</div><div class="fragment">{after}</div></div>'
    output = nbformat.v4.new_output("display_data", {"text/html": both})
    cell = nbformat.v4.new_code_cell(outputs=[output], metadata={"no_code": True})
    numbers = re.findall(r'Question\("(.+?)"\)', asked.source)
    words = _words(lead(text, ACROSS))
    return _slide("question", asked.id, heading, [words, cell], text, [*numbers, section])


def _shown(cell: Node, after: Node | None, heading: str, text: str, section: str) -> list[Node]:
    """A code cell and what it has put out; where that is a picture, the picture alone."""
    pictures = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", ())]
    if pictures:
        wide, tall = struct.unpack(">II", base64.b64decode(pictures[0])[16:24])
        beside = text and tall > 0.55 * wide
        kind, words = ("beside", BESIDE) if beside else ("shown", ACROSS)
        cell.metadata.no_code = True
    else:  # as many words as make its letters no smaller
        fits = {room: layout(cell, lead(text, room)) for room in (ACROSS, 2 * ACROSS)}
        words = max(room for room in fits if fits[room][1] == fits[ACROSS][1])
        kind, cell.metadata.size = fits[words]
    says = [text]
    if after and after.cell_type == "markdown":  # what the lesson says once it has been seen
        says.append(re.split(r"(?m)^#", after.source)[0])
    cells = [_words(lead(text, words)), cell]
    about, answers = [section or "title"], has_tag(cell, "answer")
    return _slide(kind, cell.id, heading, cells, "\n\n".join(says), about, answers=answers)


def _row(slide: list[Node]) -> str:
    """The same for exercises in a row; of its own for any other slide."""
    about = slide[0].metadata.slide
    return f"turn {about.others}" if about.kind == "turn" else about.id


def _joined(group: list[list[Node]]) -> list[list[Node]]:
    """A slide as it is; exercises in a row as one slide."""
    if _kind(group[0]) != "turn":
        return group
    shown, says, minutes = turn([cell for (cell,) in group])
    title = _("Your turn: {minutes} minutes").format(minutes=minutes)
    about = [key for (cell,) in group for key in cell.metadata.slide.about]
    first = group[0][0].metadata.slide.id
    return [_slide("turn", first, title, shown, says, about, minutes=minutes)]


def main(arguments: list[str]) -> int:
    parser = lessons_parser("slides", __doc__)
    parser.add_argument("--plan", choices=PLANS, default="", help="the exercises that a plan keeps")
    options = parser.parse_args(arguments)
    plan, which = options.plan, options.which
    if plan and not set(which) - set(LANGUAGES):
        which += plan_rows(plan)

    def write(lesson: str, lang: str) -> list[Path]:
        path = place("slides", lang, "-".join(filter(None, (lesson, plan))), "html")
        path.write_text(deck(lesson, lang, plan), encoding="utf-8")
        return [path]

    return write_lessons(which, write)
