"""Writes the course as a site to read: every solved lesson in both languages, nothing to run.

`python -m course site` writes build/site/index.html and build/site/{ko,en}/.  The site needs no
server and no network: it can be opened from a disk, copied to a stick, or put on any web server.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from nbformat import NotebookNode as Node
from pygments.formatters import HtmlFormatter

from course import ROOT
from course.notebooks.contents import Lesson, contents
from course.workshop.html_page import WORKSHOP, font_faces, markdown_to_html, rendered, style
from course.workshop.site_cells import cells, pictures, words_cell
from course.workshop.site_search import entries, plain, script
from utils.language import LANGUAGES, _, current_language, use_language

SITE = ROOT / "build" / "site"
COURSE = {"ko": "트랜스포머 LLM 속으로", "en": "Inside a Transformer LLM"}
# Of Pygments' styles those in which all that our code has is told from the ground at 4.5 : 1.
CODE_LIGHT, CODE_DARK = "xcode", "monokai"


def write(folder: Path, lang: str, lessons: list[Lesson]) -> list[Path]:
    """Write the pages of these lessons, and the one before them, in `lang` below `folder`.

    `lessons` are some in a row, the first of which has the map of the whole course.
    """
    before = current_language()
    use_language(lang)
    place = folder / lang
    (place / "pictures").mkdir(parents=True, exist_ok=True)
    shown = {lesson.source.stem: cells(lesson.source.stem, lang) for lesson in lessons}
    pages = {"index.html": _front(lessons, shown[lessons[0].source.stem])}
    search = []
    for i, lesson in enumerate(lessons):
        name, here = f"{lesson.source.stem}.html", shown[lesson.source.stem]
        beside = (None, *lessons)[i], (*lessons, None)[i + 1]
        pages[name] = _page(name, _title(lesson), here, *beside)
        search += entries(name, _title(lesson), here)
        for file, png in pictures(here).items():
            (place / file).write_bytes(png)
    letters = frozenset("".join(pages.values()))
    texts = pages | {"search.js": script(search), "fonts.css": font_faces(letters)}
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    use_language(before)
    return [place / name for name in pages]


def write_shared(folder: Path) -> None:
    """Write what the pages of both languages share: the door, the style, the script."""
    folder.mkdir(parents=True, exist_ok=True)
    light, dark = (
        HtmlFormatter(style=name).get_style_defs(".highlight") for name in (CODE_LIGHT, CODE_DARK)
    )
    in_the_dark = f"@media (prefers-color-scheme: dark) {{\n{dark}\n}}"
    css = "\n".join([light, in_the_dark, style("cells"), style("site")])
    (folder / "site.css").write_text(css, encoding="utf-8")
    for name, source in (("index.html", "site_door.html"), ("site.js", "site.js")):
        shutil.copyfile(WORKSHOP / "templates" / source, folder / name)


def _front(lessons: list[Lesson], first: list[Node]) -> str:
    """The page before the lessons: what this is, the map, and where each lesson is."""
    course, about = (
        COURSE[current_language()],
        _(
            "In this course you take a real, trained LLM apart and put it back together. Here its "
            "lessons can be read without running anything, with all that they print and draw. "
            "To move the sliders yourself and to have your own answers checked, open the course in "
            "JupyterLab."
        ),
    )
    map_title, lessons_title = _("The map"), _("The lessons")
    rows = "\n".join(map(_row, lessons))
    shown = [
        words_cell(f"# {course}\n\n{about}", "course"),
        words_cell(f"## {map_title}", "map"),
        *[cell for cell in first if cell.id == "map"],
        words_cell(f"## {lessons_title}\n\n{rows}", "lessons"),
    ]
    return _page("index.html", course, shown)


def _row(lesson: Lesson) -> str:
    """A lesson in the list of all: a link to it, what one builds in it, and its minutes."""
    minutes = _("{minutes} minutes").format(minutes=lesson.minutes)
    says = [lesson.builds, minutes if lesson.minutes else ""]
    about = " · ".join(filter(None, says))
    return f"- [{_title(lesson)}]({lesson.source.stem}.html)<br>{about}"


def _title(lesson: Lesson) -> str:
    return f"{lesson.number} · {lesson.title}"


def _page(
    name: str,
    title: str,
    shown: list[Node],
    before: Lesson | None = None,
    after: Lesson | None = None,
) -> str:
    """One page, with the lessons before and after it to go on to."""
    lang = current_language()
    return rendered(
        "site",
        shown,
        lang=lang,
        name=name,
        title=title,
        course=COURSE[lang],
        languages=LANGUAGES,
        headings=[_heading(cell) for cell in shown if cell.metadata.get("anchor")][1:],
        before=before and {"href": f"{before.source.stem}.html", "title": _title(before)},
        after=after and {"href": f"{after.source.stem}.html", "title": _title(after)},
        says=_labels(),
    )


def _heading(cell: Node) -> dict[str, Any]:
    """A heading in the list of a page's headings: its address, its depth, its words."""
    marks, words = cell.source.split("\n")[0].split(" ", 1)
    return {
        "anchor": cell.metadata.anchor,
        "depth": len(marks),
        "title": plain(markdown_to_html(words)),
    }


def _labels() -> dict[str, str]:
    return {
        "skip": _("Skip to the text"),
        "search": _("Search the lessons"),
        "found": _("Places found: {count}"),
        "on_this_page": _("On this page"),
        "language": _("Language"),
        "lessons": _("Lessons"),
        "map": _("The map and all lessons"),
    }


def main(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="python -m course site", description=__doc__).parse_args(arguments)
    shutil.rmtree(SITE, ignore_errors=True)  # pages of lessons that were called otherwise
    write_shared(SITE)
    for lang in LANGUAGES:
        for path in write(SITE, lang, contents(lang)):
            print(f"wrote {path.relative_to(ROOT)}", flush=True)
    return 0
