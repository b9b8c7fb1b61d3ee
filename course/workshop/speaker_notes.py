"""What the instructor's guide says of each slide of a lesson."""

import re

from course.workshop.html_page import WORKSHOP

ITEM = re.compile(r"(?ms)^- .*?(?=^- |\Z|\n\n)")
STEP = re.compile(r"(?ms)^\d+\. (.*?)(?=^\d+\. |\Z|\n\n)")
LINK_TO_CELL = re.compile(r"\[(`[^`]+`)\]\([^)]*#cell-id=([\w-]+)\)")


def speaker_notes(lesson: str, lang: str) -> dict[str, str]:
    """Notes in Markdown, by the heading of a section, the number of an exercise or question, or,
    for the steps of the demonstration, the cell that a step names first.

    Under "title" stands what belongs to the whole lesson: its aim, and the picture for the board.
    """
    path = WORKSHOP / f"guide.{lang}.md"
    if not path.exists():
        return {}
    chapters = re.split(r"(?m)^## ", path.read_text(encoding="utf-8"))
    chapter = next((part for part in chapters if part.startswith(f"{lesson[:2]} ")), "")
    parts = dict(_headed("### ", chapter))
    notes = {"title": "\n\n".join([*parts.values()][:2])}
    for part in parts.values():
        for item in ITEM.findall(part):
            number = re.match(r"- (\d+\.\d+)|.*?\((\d+\.[a-z])\)", item)
            if number:
                key = number[1] or number[2]
                notes[key] = f"{notes.get(key, '')}{item.strip()}\n"
        for step in STEP.findall(part):
            if cell := LINK_TO_CELL.search(step):
                says = LINK_TO_CELL.sub(r"\1", step.strip())
                notes[cell[2]] = f"{notes.get(cell[2], '')}\n\n▸ {says}".strip()
    return notes | dict(_headed("#### ", chapter))


def _headed(mark: str, text: str) -> list[tuple[str, str]]:
    """The heading and the text of each part that begins with `mark`."""
    found = re.findall(rf"(?ms)^{mark}(.*?)\n(.*?)(?=^#{{2,{len(mark) - 1}}} |\Z)", text)
    return [(heading.strip(), part.strip()) for heading, part in found]
