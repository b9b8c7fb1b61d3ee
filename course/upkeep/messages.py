"""Keeps the Korean catalogue in step with the sentences in the code.

`python -m course messages` gathers what stands in `_()`, `N_()` and `ngettext()`, where its Korean
does not stand beside it, into `utils/locale/ko/LC_MESSAGES/course.po`; it keeps the translations
there, and names what lacks one.
"""

import sys
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from course import ROOT
from utils.language import CATALOGUES

KOREAN = CATALOGUES / "ko" / "LC_MESSAGES" / "course.po"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
TWO_LANGUAGES = "graders/"  # here a sentence has its Korean beside it


def in_the_code() -> Catalog:
    """All messages that stand in course/ and utils/, in English."""
    catalogue = Catalog()
    for package in ("course", "utils"):
        for found in extract_from_dir(ROOT / package, [("**.py", "python")], keywords=KEYWORDS):
            path, _line, message, comments, _context = found
            if path.startswith(TWO_LANGUAGES):
                continue
            place: Any = f"{package}/{path}", None  # without its line, which changes too often
            catalogue.add(message, None, [place], auto_comments=comments)
    return catalogue


def translated() -> Catalog:
    """The Korean catalogue as it stands."""
    if not KOREAN.exists():
        return Catalog(locale="ko")
    with KOREAN.open("rb") as file:
        return read_po(file, locale="ko")


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages without a translation that counts: none, an empty one, or a fuzzy one."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and (message.fuzzy or not all(_strings(message)))
    ]


def _strings(message: Message) -> tuple:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def main(_arguments: list[str]) -> int:
    catalogue = translated()
    created = catalogue.creation_date  # a new one at every run would be all that has changed
    catalogue.update(in_the_code(), no_fuzzy_matching=True)
    catalogue.creation_date = created
    catalogue.obsolete.clear()
    KOREAN.parent.mkdir(parents=True, exist_ok=True)
    with KOREAN.open("wb") as file:
        write_po(file, catalogue, width=100, omit_header=False, sort_by_file=True)
    missing = untranslated(catalogue)
    for message in missing:
        print(f"no Korean yet: {message}", file=sys.stderr)
    return int(bool(missing))
