"""Makes the slides of a lesson: one reveal.js deck, from the lesson's own cells.

`python -m course slides [LESSON …] [ko | en]` writes build/slides/{ko,en}/NN_….html, a file each
that needs no network.  A deck opens with what the lesson promises and closes with its recap; every
question is asked before it is answered, and exercises that follow each other are one slide.  Beside
these it has the code cells tagged "slide", each with what it has put out in the solved notebook.
Press S for the speaker's view: the guide's notes, and the lesson's own words.
"""

import base64
import math
import re
import struct
import unicodedata
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode as Node

from course.notebooks.words import exercise_words
from course.workshop.html_page import WORKSHOP, command, has_tag, page, place, read
from course.workshop.speaker_notes import speaker_notes
from utils.language import _, use_language

COURSE = "Inside a Transformer LLM · 트랜스포머 LLM 속으로"
REVEAL = WORKSHOP / "reveal"
# Between sentences, but not inside `code` or a "quotation".
SENTENCE_ENDS = re.compile(r'(?<=[.?!])\s+(?=(?:[^`]*`[^`]*`)*[^`]*$)(?=(?:[^"]*"[^"]*")*[^"]*$)')
TITLE = re.compile(r"# \d+ · (.*)")
EXERCISE = re.compile(r"(?m)^### \S+ (\d+\.\d+) · .*$")
ACROSS, BESIDE = 175, 300  # letters that fit above code, or beside a picture; Hangul counts twice


def deck(lesson: str, lang: str) -> str:
    """The slides of `lesson`, such as "03_decoding", in `lang`, as one HTML file."""
    use_language(lang)
    return page(
        "slides",
        [cell for slide in slides(lesson, lang) for cell in slide],
        lang=lang,
        title=read("solutions", lang, lesson)[0].source.split("\n")[0].removeprefix("# "),
        reveal_css=(REVEAL / "reveal.css").read_text(encoding="utf-8"),
        reveal_js=(REVEAL / "reveal.js").read_text(encoding="utf-8"),
        notes_js=(REVEAL / "notes.js").read_text(encoding="utf-8"),
    )


def slides(lesson: str, lang: str) -> list[list[Node]]:
    """The cells of each slide: the first says so in its metadata, the last one has the notes."""
    head, *cells = read("solutions", lang, lesson)
    stubs = {cell.id: cell.source for cell in read("chapters", lang, lesson)}
    found, section, heading, text = [_title(head)], "", TITLE.findall(head.source)[0], ""
    for cell, after in pairwise([*cells, None]):
        if cell.cell_type == "markdown":
            for part in re.split(r"(?m)^(?=##)", cell.source):
                mark, title, text = re.findall(r"(?:(#+) (.*)\n*)?((?s:.*))", part)[0]
                section = title if mark == "##" else section
                # what follows an exercise belongs to the section again
                heading = (section if EXERCISE.match(part) else title) or heading
        elif cell.id.startswith("ex-"):
            found.append(_task(part, stubs[cell.id], section))
        elif re.fullmatch(r"question-\w+", cell.id):
            found.append(_question(cell, after, heading, text, section))
        elif cell.id == "map" or has_tag(cell, "slide"):
            found.append(_shown(cell, after, heading, text, section))
    found = [slide for kind, group in groupby(found, _kind) for slide in _joined(kind, list(group))]
    found += _recap(cells[-1])
    notes = speaker_notes(lesson, lang)
    for slide in found:
        about = slide[0].metadata.slide
        guide = [
            notes.get(key, "") for key in dict.fromkeys([about.title or about.id, *about.about])
        ]
        slide[-1].metadata.notes = "\n\n".join(filter(None, [*guide, about.says]))
    return found


def _slide(
    kind: str,
    slide_id: str,
    title: str,
    cells: list[Node],
    says: str = "",
    about: Sequence[str] = (),
) -> list[Node]:
    """A slide of these cells.  `about`: what of the guide belongs to it; `says`: of the lesson."""
    told = {"kind": kind, "id": slide_id, "title": title, "says": says, "about": list(about)}
    cells[0].metadata.slide = nbformat.from_dict(told)
    return cells


def _kind(slide: list[Node]) -> str:
    return slide[0].metadata.slide.kind


def _words(source: str) -> Node:
    return nbformat.v4.new_markdown_cell(source)


def _title(head: Node) -> list[Node]:
    """What the lesson is called, what it promises, how long it takes."""
    title, promise, minutes = head.source.split("\n\n")[:3]
    parts = [COURSE, title, promise, minutes.split(" · ")[0]]
    return _slide("title", "title", "", [_words("\n\n".join(parts))])


def _recap(cell: Node) -> list[list[Node]]:
    """What was learned; then what the learner has built, and what comes next."""
    heading, learned, *further = re.split(r"(?m)^(?=## )", cell.source)[-1].split("\n\n")
    return [
        _slide("recap", "recap", heading.removeprefix("## "), [_words(learned)]),
        _slide("next", "next", "", [_words("\n\n".join(further))]),
    ]


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
        width, height = struct.unpack(">II", base64.b64decode(pictures[0])[16:24])
        kind, words = ("beside", BESIDE) if height > 0.55 * width else ("shown", ACROSS)
        cell.metadata.no_code = True
    else:
        words = ACROSS
        kind, cell.metadata.size = _layout(cell, lead(text, words))
    says = [text]
    if after and after.cell_type == "markdown":  # what the lesson says once it has been seen
        says.append(re.split(r"(?m)^#", after.source)[0])
    cells = [_words(lead(text, words)), cell]
    return _slide(kind, cell.id, heading, cells, "\n\n".join(says), [section or "title"])


def _layout(cell: Node, above: str) -> tuple[str, int]:
    """How code and output are largest below these words: one below or beside the other; in px."""
    printed = "".join(o.get("text") or o.data["text/plain"] for o in cell.outputs).strip("\n")
    code, output = cell.source.split("\n"), printed.split("\n")
    longest, shown = max(map(_width, code)), max(map(_width, output))
    height = 510 - 40 * math.ceil(_width(above) / 88) - 130 * ("$$" in above)
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
    return sum(max(1, math.ceil(_width(line) / letters)) for line in lines)


def _width(text: str) -> int:
    """How many letters wide a text is; Hangul counts twice, a formula not at all."""
    text = re.sub(r"\$\$.*?\$\$", "", text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _task(text: str, stub: str, section: str) -> list[Node]:
    number = EXERCISE.findall(text)[0]
    said = exercise_words(number)
    task = {
        "title": f"{number} · {said.title}",
        "minutes": said.minutes,
        "stub": stub,
    }
    cell = _words(text.split("\n", 1)[1].strip())
    cell.metadata.task = nbformat.from_dict(task)
    return _slide("turn", f"ex-{number.replace('.', '-')}", "", [cell], about=[number, section])


def _joined(kind: str, group: list[list[Node]]) -> list[list[Node]]:
    """Slides as they are; exercises in a row as one slide, a single one with its whole text."""
    if kind != "turn":
        return group
    cells = [cell for (cell,) in group]
    tasks = [cell.metadata.task for cell in cells]
    numbers = [number for (cell,) in group for number in cell.metadata.slide.about]
    title = _("Your turn: {minutes} minutes").format(minutes=sum(task.minutes for task in tasks))
    minutes = _("{minutes} min")
    shown, says = [], []
    if len(tasks) == 1:
        words = f"**{tasks[0].title}**\n\n{cells[0].source}"
        shown = [
            nbformat.v4.new_code_cell(tasks[0].stub, metadata={"size": _fitting(tasks[0].stub)})
        ]
    else:
        words = "\n".join(
            f"- **{task.title}** · {minutes.format(minutes=task.minutes)}<br>"
            f"{lead(cell.source, 110) if len(tasks) < 4 else ''}<br>`{_signature(task.stub)}`"
            for cell, task in zip(cells, tasks, strict=True)
        )
        says = [f"**{cell.metadata.task.title}** {cell.source}" for cell in cells]
    first = cells[0].metadata.slide.id
    return [_slide("turn", first, title, [_words(words), *shown], "\n\n".join(says), numbers)]


def _fitting(code: str) -> int:
    return min(23, int(1120 / (0.602 * max(map(_width, code.split("\n"))))))


def _signature(stub: str) -> str:
    first = re.findall(r"(?m)^(?:def |class |\w+ = ).*$", stub)[0]
    return re.sub(r"^(def|class) |:$|  # .*$", "", first)


def lead(text: str, room: int) -> str:
    """What a slide says before it shows: all of a short text; else the sentences in a row that
    have most of its terms in bold and formulas, or the first ones."""
    if _width(text) <= room:
        return text
    parts = text.strip().replace("\n\n$$", " $$").split("\n\n")
    prose = [part for part in parts if not part.startswith(("- ", "|"))]
    sentences = [sentence for part in prose for sentence in SENTENCE_ENDS.split(part)]
    rows = [sentences[i:j] for i in range(len(sentences)) for j in range(i + 1, len(sentences) + 1)]
    fitting = [row for row in rows if len(row) == 1 or _width(" ".join(row)) <= room]
    best = max(fitting, key=lambda row: (_terms(row), row[0] == sentences[0], len(row)))
    return " ".join(best)


def _terms(sentences: list[str]) -> int:
    return sum("**" in sentence or "$$" in sentence for sentence in sentences)


def write(lesson: str, lang: str) -> Path:
    path = place("slides", lang, lesson, "html")
    path.write_text(deck(lesson, lang), encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    return command("slides", __doc__, arguments, write)
