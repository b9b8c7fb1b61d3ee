"""What the site's search looks through: the words of every section, as a script beside the pages.

A script, because a page that is opened from a disk may not fetch a file.  Nothing is stemmed or cut
into words: `site.js` looks for what was typed anywhere in the text, which finds a Korean noun
whatever particle follows it.
"""

import json
import re
from html import unescape

from nbformat import NotebookNode as Node

from course.workshop.html_page import markdown_to_html


def entries(page: str, title: str, shown: list[Node]) -> list[dict[str, str]]:
    """The sections of a page: where each is, in which lesson, its heading, and all it says."""
    found: list[dict[str, str]] = []
    for cell in shown:
        text = _text(cell)
        if cell.metadata.get("anchor"):
            heading, text = text.split("\n", 1) if "\n" in text else (text, "")
            href = f"{page}#{cell.metadata.anchor}"
            found.append({"href": href, "lesson": title, "heading": heading, "text": ""})
        found[-1]["text"] = f"{found[-1]['text']} {text}"
    return [entry | {"text": " ".join(entry["text"].split())} for entry in found]


def script(found: list[dict[str, str]]) -> str:
    """The entries as a script that the page's own script waits for."""
    return f"window.COURSE_SEARCH = {json.dumps(found, ensure_ascii=False)};\n"


def _text(cell: Node) -> str:
    if cell.cell_type == "markdown":
        return plain(markdown_to_html(cell.source))
    html = [output.data.get("text/html", "") for output in cell.outputs if "data" in output]
    return "\n".join([cell.source, *map(plain, html)])


def plain(html: str) -> str:
    """The words of a piece of HTML, a formula as it is written in LaTeX."""
    html = re.sub(r'<img[^>]*\balt="([^"]*)"[^>]*>', r"\1", html)
    html = re.sub(r"(</(?:h\d|p|li|t[hd]|summary)>)", r"\1\n", html)  # where another word begins
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()
