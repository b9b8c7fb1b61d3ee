"""Which language the course speaks, Korean or English, and how a sentence is put into it.

Messages stand in the code in English, inside `_()`; their Korean stands in
`locale/ko/LC_MESSAGES/course.po`, or beside them: `_("English", "한국어")`, as graders write it.
Nothing is imported here that does not come with Python, so that
`python -m course doctor` can speak where a package is missing.
"""

from __future__ import annotations  # so that even an old Python can be told it is too old

import ast
import locale
import os
import re
from functools import cache
from pathlib import Path

LANGUAGES = {"ko": "한국어", "en": "English"}
CATALOGUES = Path(__file__).parent / "locale"

_chosen: str | None = None
_beside: dict[str, str] = {}  # English → Korean, where both stand side by side in the code


def use_language(code: str) -> None:
    """Speak `code`, "ko" or "en", from now on.  The first cell of every notebook calls this.

    Raises ValueError for any other code.
    """
    global _chosen
    if code not in LANGUAGES:
        raise ValueError(f"The course speaks {' and '.join(LANGUAGES)}, not {code!r}.")
    _chosen = code


def current_language() -> str:
    """The language in use: the one chosen, else $COURSE_LANG, else the machine's, else English."""
    if _chosen:
        return _chosen
    for name in (
        os.environ.get("COURSE_LANG"),
        os.environ.get("LC_ALL"),
        os.environ.get("LANG"),
        locale.getlocale()[0],
    ):
        if name:
            return "ko" if name.lower().startswith("ko") else "en"
    return "en"


@cache
def _catalogue(code: str) -> dict[str, str]:
    """English → `code`: what the .po file has.  Korean has one form for any number, msgstr[0]."""
    path = CATALOGUES / code / "LC_MESSAGES" / "course.po"
    found = {}
    for entry in path.read_text(encoding="utf-8").split("\n\n") if path.exists() else ():
        lines = [line for line in entry.splitlines() if line]
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        texts: dict[str, str] = {}
        field = ""
        for line in lines:
            keyed = re.match(r'(msg\S+) (".*")|(".*")', line)
            if keyed:
                field = keyed[1] or field
                texts[field] = texts.get(field, "") + ast.literal_eval(keyed[2] or keyed[3])
        translated = texts.get("msgstr") or texts.get("msgstr[0]")
        if texts.get("msgid") and translated:
            found[texts["msgid"]] = translated
    return found


def _(message: str, korean: str = "") -> str:
    """`message` in the language in use.  Fill it in afterwards: `_("k is {k}").format(k=3)`."""
    return _translated(N_(message, korean), message)


def N_(message: str, korean: str = "") -> str:
    """Mark `message` for translation where it is defined; `_()` translates it where it is shown."""
    if korean:
        _beside[message] = korean
    return message


def ngettext(one: str, many: str, number: int, korean: str = "") -> str:
    """`one` or `many`, as `number` asks, in the language in use."""
    return _translated(N_(one, korean), one if number == 1 else many)


def _translated(message: str, otherwise: str) -> str:
    code = current_language()
    if code == "ko" and message in _beside:
        return _beside[message]
    return _catalogue(code).get(message, otherwise)
