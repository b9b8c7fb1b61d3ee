"""Makes the handout of a lesson: a PDF to read on paper or to take home.

`python -m course handout [LESSON …] [ko | en]` writes build/handout/{ko,en}/NN_….pdf: the lesson
with its outputs and pictures.  Exercises are as a learner finds them, and whatever gives one of
them away is left out.  With `--answers` a second file is written, NN_…-answers.pdf: how the
exercises may be solved, what the questions' answers are, and the pictures that were left out.
"""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode as Node

from course.workshop.html_page import (
    has_tag,
    lessons_parser,
    page,
    place,
    read,
    write_lessons,
)
from utils.language import N_, _, use_language

try:
    from playwright.sync_api import Page, sync_playwright
except ModuleNotFoundError:
    sync_playwright = None  # type: ignore[assignment]  # `printer` says what to do

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
NO_CHROMIUM = N_(
    "A handout is printed by Chromium, and there is none here. Install it "
    "(`apt-get install chromium`, or Google Chrome from its site) and try again."
)
NO_PLAYWRIGHT = N_("A handout needs the package playwright: `make handout` installs it.")


def cells(lesson: str, lang: str) -> list[Node]:
    """What the handout shows, in its order: nothing that gives an answer away."""
    stubs = {cell.id: cell.source for cell in read("chapters", lang, lesson)}
    shown = []
    for cell in read("solutions", lang, lesson):
        if cell.cell_type == "code":
            if cell.id in ("language", "solved") or cell.id.startswith("check-"):
                continue
            if has_tag(cell, "solution"):
                continue
            if cell.id.startswith("ex-"):
                cell.source, cell.outputs = stubs[cell.id], []
            if has_tag(cell, "answer"):
                cell.outputs = []
            cell.metadata.no_code = cell.id == "map" or cell.id.startswith("question-")
        shown.append(cell)
    return shown


def answers(lesson: str, lang: str) -> list[Node]:
    """What a handout leaves out, each below the heading that it belongs to."""
    title, heading, told, answers_of = "", "", "", _("Answers")
    found = []
    for cell in read("solutions", lang, lesson):
        if cell.cell_type == "markdown":
            headings = re.findall(r"(?m)^#+ (.*)$", cell.source)
            title = title or headings[0]
            heading = [heading, *headings][-1]
            continue
        if cell.id == "solved" or not (
            cell.id.startswith("ex-") or has_tag(cell, "solution") or has_tag(cell, "answer")
        ):
            continue
        cell.metadata.no_code = cell.id.startswith("question-")
        if heading != told:
            found.append(nbformat.v4.new_markdown_cell(f"### {heading}"))
        told = heading
        found.append(cell)
    return [nbformat.v4.new_markdown_cell(f"# {title}\n\n## {answers_of}"), *found]


def html(lesson: str, lang: str, of: Callable[[str, str], list[Node]] = cells) -> str:
    """The handout of `lesson`, such as "03_decoding", or its `answers`, as one HTML file."""
    use_language(lang)
    shown = of(lesson, lang)
    title = shown[0].source.split("\n")[0].removeprefix("# ")
    return page("handout", shown, lang=lang, title=title)


def find_chromium() -> str | None:
    """The program of a Chromium, Chrome or Edge on this machine."""
    places = [*map(shutil.which, CHROMIUM), *filter(lambda place: Path(place).exists(), ELSEWHERE)]
    return next(filter(None, places), None)


@contextmanager
def printer() -> Iterator["Page"]:
    """A page of headless Chromium.  Raises ValueError with a sentence where there is none."""
    program = find_chromium()
    if not program or sync_playwright is None:
        raise ValueError(_(NO_PLAYWRIGHT if program else NO_CHROMIUM))
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser.new_page()
        browser.close()


def print_to(paper: "Page", html: str, path: Path) -> None:
    """Write a page as a PDF; `paper` is what `printer` gave."""
    paper.set_content(html)
    paper.evaluate("() => document.fonts.ready")
    paper.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=True)


def main(arguments: list[str]) -> int:
    parser = lessons_parser("handout", __doc__)
    parser.add_argument("--answers", action="store_true", help="write a second file: the answers")
    options = parser.parse_args(arguments)

    def write(lesson: str, lang: str) -> list[Path]:
        parts = {"": cells, "-answers": answers} if options.answers else {"": cells}
        paths = {place("handout", lang, f"{lesson}{name}", "pdf"): of for name, of in parts.items()}
        for path, of in paths.items():
            print_to(paper, html(lesson, lang, of), path)
        return list(paths)

    try:
        with printer() as paper:
            return write_lessons(options.which, write)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
