"""Which language the course speaks, Korean or English, and how a sentence is put into it.

Messages stand in the code in English, inside `_()`; their Korean stands in
`locale/ko/LC_MESSAGES/course.po`.
"""

import gettext
import io
import locale
import os
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"ko": "한국어", "en": "English"}
CATALOGUES = Path(__file__).parent / "locale"

_chosen: str | None = None


def use_language(code: str) -> None:
    """Speak `code`, "ko" or "en", from now on.  The first cell of every notebook calls this."""
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
def _catalogue(code: str) -> gettext.NullTranslations:
    path = CATALOGUES / code / "LC_MESSAGES" / "course.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """`message` in the language in use.  Fill it in afterwards: `_("k is {k}").format(k=3)`."""
    return _catalogue(current_language()).gettext(message)


def N_(message: str) -> str:
    """Mark `message` for translation where it is defined; `_()` translates it where it is shown."""
    return message


def ngettext(one: str, many: str, number: int) -> str:
    """`one` or `many`, as `number` asks, in the language in use."""
    return _catalogue(current_language()).ngettext(one, many, number)
