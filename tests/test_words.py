"""What a lesson says of its exercises and questions: one home, both languages, nothing missing."""

import re

import pytest

from course.lessons import lesson_files
from course.notebooks.lesson import LessonError, in_language, read_lesson
from course.notebooks.words import exercise_words, lesson_words, question_words
from utils.language import use_language

LESSON = '''\
# %% [markdown] lang="ko" lesson="01"
# 두 배
#
# - C01 두 배는 두 번이다
# %% [markdown] lang="en" lesson="01"
# the double
#
# - C01 Double is
#   twice
# %% [markdown] lang="ko"
# ### 연습 1.1 · 두 배 `2x`
# %% [markdown] lang="en"
# ### Exercise 1.1 · The double `2x`
# %% id="ex-1-1" tags=["C01"]
def double(x):
    """두 배."""
    """The double."""
    ...
# %% id="check-1-1" kind="implement" difficulty=2 minutes=5
Exercise("1.1").check(double)
# %% [markdown] lang="ko" hints="1.1"
# 1. 하나
# 2. 둘
# 3. 셋
# %% [markdown] lang="en" hints="1.1"
# 1. One:
#    that goes on
# 2. Two
# 3. Three
# %% id="question-a"
Question("1.a")
# %% [markdown] lang="ko" question="1.a"
# 몇 배?
#
# - [ ] 한 배
#   - 한 번은 그대로다.
# - [x] 두 배
#
# 두 번이니까.
# %% [markdown] lang="en" question="1.a"
# How often?
#
# - [ ] once
#   - Once is
#     as it was.
# - [x] twice,
#       which is two
#
# Because it is
# twice.
'''


@pytest.fixture
def lesson(tmp_path):
    path = tmp_path / "01_small.py"
    path.write_text(LESSON, encoding="utf-8")
    return path


def test_words_are_read_as_they_stand_in_the_lesson(lesson):
    english = lesson_words(lesson, "en")
    assert english.builds == "the double"
    assert english.concepts == {"C01": "Double is twice"}
    exercise = english.exercises["1.1"]
    assert (exercise.title, exercise.kind) == ("The double `2x`", "implement")
    assert (exercise.difficulty, exercise.minutes) == (2, 5)
    assert exercise.hints == ("One: that goes on", "Two", "Three")
    question = english.questions["1.a"]
    assert (question.asks, question.because) == ("How often?", "Because it is twice.")
    assert question.choices == ("once", "twice, which is two")
    assert question.overlooks == ("Once is as it was.", "")
    assert question.right == 1
    korean = lesson_words(lesson, "ko")
    assert korean.exercises["1.1"].hints == ("하나", "둘", "셋")
    assert korean.questions["1.a"].choices == ("한 배", "두 배")


def test_they_go_into_no_notebook(lesson):
    cells = read_lesson(lesson)
    assert [cell.kind for cell in cells] == ["markdown"] * 2 + ["code"] * 3
    assert not any("Two" in cell.source or "- C01" in cell.source for cell in cells)


def test_a_docstring_is_in_the_language_of_the_notebook(lesson):
    code = next(cell.source for cell in read_lesson(lesson) if cell.id == "ex-1-1")
    assert in_language(code, "ko") == 'def double(x):\n    """두 배."""\n    ...'
    assert in_language(code, "en") == 'def double(x):\n    """The double."""\n    ...'
    assert in_language("x = 1", "ko") == "x = 1"


KOREAN_HINTS = LESSON[LESSON.index('# %% [markdown] lang="ko" hints') :].split("# %%")[1]
KOREAN_CHOICES = "# - [ ] 한 배\n#   - 한 번은 그대로다.\n# - [x] 두 배\n"
TURNED_CHOICES = "# - [x] 두 배\n# - [ ] 한 배\n#   - 한 번은 그대로다.\n"
ENGLISH_QUESTION = LESSON[LESSON.index('# %% [markdown] lang="en" question') :]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("# %%" + KOREAN_HINTS, "", "no counterpart"),
        (ENGLISH_QUESTION, "", "no counterpart"),
        ("# 3. 셋\n", "", "three hints"),
        ("# ### 연습 1.1 · 두 배 `2x`", "# ### 연습 1.1", "a heading with its number and title"),
        (' kind="implement"', "", "a check cell with kind"),
        (' kind="implement"', ' kind="guess"', "a kind, one of"),
        (" minutes=5", "", "minutes"),
        ("difficulty=2", "difficulty=9", "a difficulty from 1 to 5"),
        ("# - [x] 두 배", "# - [ ] 두 배", "one `- [x]`"),
        ("#   - 한 번은 그대로다.\n", "", "what it overlooks"),
        ("# - [x] 두 배\n", "# - [x] 두 배\n#   - 맞다.\n", "below the right one none"),
        (KOREAN_CHOICES, TURNED_CHOICES, "other choices"),
        ("#\n# 두 번이니까.\n", "", "why it is right"),
        ('    """두 배."""\n', "", "side by side"),
        ('Exercise("1.1")', 'Exercise("1.2")', "no words beside it"),
        ('Question("1.a")', 'Question("1.b")', "no words beside it"),
        ("# - C01 두 배는 두 번이다\n", "", "same concepts"),
    ],
)
def test_what_is_missing_is_refused_with_file_and_line(lesson, old, new, why):
    assert old in LESSON
    lesson.write_text(LESSON.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LessonError, match=r"^01_small\.py:\d+: ") as refused:
        read_lesson(lesson)
    assert why in str(refused.value)


def test_the_courses_own_words_are_found_in_both_languages():
    assert exercise_words("3.1", "ko").title == "탐욕적 검색"
    assert exercise_words("3.1", "en").title == "Greedy search"
    assert question_words("3.a", "ko").choices != question_words("3.a", "en").choices
    use_language("en")
    for odd in ("9.9", "", "3", "../3.1", "three.1", "3.1 "):
        with pytest.raises(ValueError, match=r"1\.1, 1\.2"):
            exercise_words(odd)
    with pytest.raises(ValueError, match=r"1\.a, 1\.b"):
        question_words("3.1")


@pytest.mark.parametrize("path", lesson_files(), ids=lambda path: path.stem)
def test_both_languages_say_it_with_the_same_code(path):
    korean, english = (lesson_words(path, lang) for lang in ("ko", "en"))
    for ko, en in zip(korean.exercises.values(), english.exercises.values(), strict=True):
        for a, b in zip(ko.hints, en.hints, strict=True):
            assert code_in(a) == code_in(b), ko.number
    for ko, en in zip(korean.questions.values(), english.questions.values(), strict=True):
        pairs = ((ko.asks, en.asks), (ko.because, en.because))
        for a, b in (*pairs, *zip(ko.overlooks, en.overlooks, strict=True)):
            assert code_in(a) == code_in(b), ko.number
        for text in (ko.asks, *ko.choices, ko.because):
            assert re.search("[가-힣]", text) or text in (en.asks, *en.choices, en.because), text
        assert all(re.search("[가-힣]", text) for text in ko.overlooks if text), ko.number


def code_in(text):
    return sorted(re.findall(r"`[^`]+`", text))
