"""Makes the handout of a lesson: a PDF to read on paper or to take home.

`python -m course handout [LESSON …] [ko | en]` writes build/handout/{ko,en}/NN_….pdf: the lesson
with its outputs and pictures.  Exercises are as a learner finds them; how they may be solved, and
what the questions' answers are, stands at the end.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode as Node

from course.workshop.html_page import command, page, place, read
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
    """What the handout shows, in its order."""
    stubs = {cell.id: cell.source for cell in read("chapters", lang, lesson)}
    shown, answers, heading = [], [], ""
    for cell in read("solutions", lang, lesson):
        if cell.cell_type == "markdown":
            heading = ([heading, *re.findall(r"(?m)^#+ (.*)$", cell.source)])[-1]
            shown.append(cell)
            continue
        if cell.id in ("language", "solved") or cell.id.startswith("check-"):
            continue
        if re.fullmatch(r"question-\w+-answered", cell.id):
            cell.metadata.no_code = True
            answers.append(cell)
            continue
        if cell.id.startswith("ex-"):
            solved = nbformat.v4.new_code_cell(cell.source)
            answers += [nbformat.v4.new_markdown_cell(f"### {heading}"), solved]
            cell.source, cell.outputs = stubs[cell.id], []
        cell.metadata.no_code = cell.id == "map" or cell.id.startswith("question-")
        shown.append(cell)
    title = _("Answers")
    head = nbformat.v4.new_markdown_cell(f'<h2 class="answers">{title}</h2>')
    return [*shown, head, *answers]


def html(lesson: str, lang: str) -> str:
    """The handout of `lesson`, such as "03_decoding", as one HTML file."""
    use_language(lang)
    shown = cells(lesson, lang)
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


def print_to(paper: "Page", lesson: str, lang: str, path: Path) -> None:
    """Write the handout of a lesson as a PDF; `paper` is what `printer` gave."""
    paper.set_content(html(lesson, lang))
    paper.evaluate("() => document.fonts.ready")
    paper.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=True)


def main(arguments: list[str]) -> int:
    def write(lesson: str, lang: str) -> Path:
        path = place("handout", lang, lesson, "pdf")
        print_to(paper, lesson, lang, path)
        return path

    try:
        with printer() as paper:
            return command("handout", __doc__, arguments, write)
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
