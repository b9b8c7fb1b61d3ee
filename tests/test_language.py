"""Korean and English: every message translated, none written so that it cannot be."""

import ast
import re
import warnings

import pytest

from course import ROOT
from course.graders import exercise_spec
from course.notebooks.words import exercise_numbers
from course.upkeep.messages import in_the_code, translated, untranslated
from utils import language
from utils.figures.style import in_course_style, new_figure, png
from utils.language import _, current_language, ngettext, use_language

SOURCES = [path for room in ("course", "utils") for path in (ROOT / room).rglob("*.py")]


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    use_language("en")


def test_every_message_has_its_korean():
    catalogue = translated()
    in_code = {message.id for message in in_the_code() if message.id}
    in_catalogue = {message.id for message in catalogue if message.id}
    assert in_code == in_catalogue, "run `make messages`"
    assert untranslated(catalogue) == []


def test_our_reader_of_catalogues_finds_what_babel_finds():
    wanted = {}
    for message in translated():
        if message.id and not message.fuzzy:
            plural = isinstance(message.id, tuple)
            wanted[message.id[0] if plural else message.id] = (
                message.string[0] if plural else message.string
            )
    assert language._catalogue("ko") == wanted
    assert len(wanted) > 400


def test_graders_have_their_korean_beside_the_english():
    alone = [m.id for m in in_the_code() if "course/graders" in str(m.locations)]
    assert alone == []


def both_languages():
    """(English, Korean) of every message, in the catalogue or beside each other in a grader."""
    for number in exercise_numbers():
        exercise_spec(number)  # its module is imported
    for message in translated():
        if message.id:
            first = [m if isinstance(m, str) else m[0] for m in (message.id, message.string)]
            yield tuple(first)
    yield from language._beside.items()


def test_korean_keeps_placeholders_and_code():
    pairs = list(both_languages())
    assert len(pairs) > 800
    for english, korean in pairs:
        assert re.search("[가-힣]", korean) or english == korean, english
        names = [sorted(re.findall(r"\{(\w+)[^}]*\}", text)) for text in (english, korean)]
        assert names[0] == names[1], english
        code = [sorted(re.findall(r"`[^`]+`", text)) for text in (english, korean)]
        assert code[0] == code[1], english


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_hides_in_an_f_string(path):
    """Babel does not find `_()` there, nor a message put together before it is looked up."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            literal = [
                n
                for n in ast.walk(node)
                if isinstance(n, ast.Call)
                and isinstance(n.func, ast.Name)
                and n.func.id in ("_", "N_", "ngettext")
                and n.args
                and isinstance(n.args[0], ast.Constant)
            ]
            assert not literal, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            assert not isinstance(node.args[0], ast.JoinedStr), f"line {node.lineno}"


def test_language_is_chosen_then_asked_for_then_the_machines(monkeypatch):
    monkeypatch.setattr(language, "_chosen", None)
    monkeypatch.setenv("COURSE_LANG", "ko")
    assert current_language() == "ko"
    monkeypatch.delenv("COURSE_LANG")
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert current_language() == "ko"
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert current_language() == "en"
    use_language("ko")
    assert current_language() == "ko"
    assert _("Passed.") == "통과했습니다."
    assert ngettext("{passes} pass so far", "{passes} passes so far", 2).endswith("번")
    with pytest.raises(ValueError, match="'fr'"):
        use_language("fr")


def test_every_message_can_be_drawn():
    """No tofu: the course's own fonts have every character of every Korean message."""

    @in_course_style
    def draw():
        figure, characters = new_figure(740, 400), set()
        for message in translated():
            text = message.string if isinstance(message.string, str) else message.string[0]
            characters |= set(text)
        figure.text(0, 0.5, "".join(sorted(characters - {"\n"})))
        return figure

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png(draw())
