"""Korean and English: every message translated, none written so that it cannot be."""

import ast
import re
import warnings

import pytest

from course import ROOT
from course.graders import exercise_spec
from course.lessons import lesson_files
from course.notebooks.words import exercise_numbers
from course.upkeep.messages import in_the_code, translated, untranslated
from utils import language
from utils.figures.style import in_course_style, new_figure, png
from utils.language import _, current_language, ngettext, use_language

SOURCES = [path for room in ("course", "utils") for path in (ROOT / room).rglob("*.py")]

# What Korean prose called a thing before the glossary settled its word. A word is found where it
# begins, so 고리 is not found in 알고리즘.
OLD_WORDS = {
    r"씨앗": "시드",
    r"과정": "강좌",
    r"검사기": "채점기",
    r"손잡이": "설정",
    r"걸음": "단계",
    r"키와 값의? 헤드": "KV 헤드",
    r"천장": "상한",
    r"진동수": "주파수",
    r"문턱": "기준",
    r"기둥": "열, 막대",
    r"너비": "차원",
    r"고리(?=[가를는에의 ])": "되풀이",
    r"가장 그럴듯": "확률이 가장 높은, 1등",
    r"모든 다른 ": "나머지 … 전부",
    r"얼려 ?[두둡둔]": "동결하다",
    r"가중치 묶기": "가중치 공유",
    r"숫자끼리 곱": "원소별로 곱하다",
    r"(?:키|쿼리|헤드|입력) 쪽으로": "축을 따라",
    r"자리 정보": "위치 정보",
    r"새 토큰의 자리": "새 토큰의 위치",
    r"토큰 하나까지 같": "토큰 하나 다르지 않다",
    r"푸를수록": "파란색이 진할수록",
    r"단어 주머니": "순서 없는 단어 묶음",
    r"다음 문(?=[:은이 ])": "다음 레슨",
}
# Where one of them is the right word: 과정 is a process, too.
RIGHT_THERE = ("글을 쓰는 과정", "계산 과정", "작동 과정")
PARTICLE_OF_AN_UNKNOWN_WORD = r"을\(를\)|은\(는\)|이\(가\)|와\(과\)|\(으\)로|\(이\)(?=[가-힣])"


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


ARGUMENTS = {"_": 2, "N_": 2, "ngettext": 4}  # with the Korean


def test_graders_have_their_korean_beside_the_english():
    for path in (ROOT / "course" / "graders").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ARGUMENTS:
                said = node.args[0]
                if isinstance(said, ast.Constant):  # else it is a variable: said before
                    assert len(node.args) == ARGUMENTS[node.func.id], f"{path.name}:{node.lineno}"


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


def korean_prose():
    """(where, text) of all Korean that the course says, each text on one line, without code."""
    for path in lesson_files():
        cells = re.split(r"(?m)^# %%", path.read_text(encoding="utf-8"))
        for cell in cells:
            if 'lang="ko"' in cell.partition("\n")[0]:
                yield path.name, re.sub(r"(?m)^# ?", "", cell)
    for name in ("README.ko.md", "course/workshop/guide.ko.md"):
        yield name, (ROOT / name).read_text(encoding="utf-8")
    yield from both_languages()
    # titles of checks, which are made while checking
    for path in (ROOT / "course" / "graders").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.search("[가-힣]", str(node.value)):
                yield path.name, node.value


def plain(text):
    """`text` on one line and without code, and without the phrases where an old word is right."""
    text = " ".join(re.sub("`[^`]*`", "`…`", text).split())
    for phrase in RIGHT_THERE:
        text = text.replace(phrase, "…")
    return text


def old_words_in(text):
    text = plain(text)
    found = [
        f"{old} → {new}" for old, new in OLD_WORDS.items() if re.search(f"(?<![가-힣]){old}", text)
    ]
    return found + re.findall(PARTICLE_OF_AN_UNKNOWN_WORD, text)


def test_korean_uses_the_words_of_the_glossary():
    prose = list(korean_prose())
    assert len(prose) > 1000
    faults = [f"{where}: {fault}" for where, text in prose for fault in old_words_in(text)]
    assert not faults, "\n".join(sorted(set(faults)))


def test_an_old_word_is_found_where_a_word_begins():
    assert old_words_in("같은 씨앗을 씁니다")
    assert old_words_in("이 과정의\n디코더")
    assert old_words_in("{name}을(를) 쓸 수 없습니다")
    assert not old_words_in("글을 쓰는\n과정을 봅니다. 알고리즘의 `과정`. 사이에서도 그럴듯한 답")
    glossary = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    for right in ("시드", "강좌", "채점기", "설정", "단계", "KV 헤드", "상한", "주파수", "차원"):
        assert right in OLD_WORDS.values()
        assert right in glossary, right


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_hides_in_an_f_string(path):
    """Babel does not find `_()` there, nor a message put together before it is looked up."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
