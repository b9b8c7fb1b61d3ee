"""The builder: what it refuses, what it leaves out, and that it changes nothing without a cause."""

import re

import nbformat
import pytest

from course import lessons as lessons_folder
from course.notebooks import build, tables

LESSON = '''\
# %% [markdown] lang="ko"
# # 제목
# %% [markdown] lang="en"
# # Title
# %% id="answer" tags=["C01"]
def double(x):
    """Return 2x."""
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION
# %% id="value"
guess = 41  # SOLUTION
# %% id="shown" tags=["solution"]
print(double(21))
# %% [markdown] lang="ko" lesson="01"
# 두 배
#
# - C01 두 배는 두 번이다
# %% [markdown] lang="en" lesson="01"
# the double
#
# - C01 Double is twice
'''


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one lesson in a folder of its own.  Returns its folder and its lesson's path."""
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(lessons_folder, "LESSONS", lessons)
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    lesson = lessons / "01_small.py"
    lesson.write_text(LESSON)
    return tmp_path, lesson


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_writes_four_notebooks(course):
    root, _lesson = course
    build.build()
    stub = 'def double(x):\n    """Return 2x."""\n    ...  # {}'
    assert sources(root / "chapters/ko/01_small.ipynb") == [
        "# 제목",
        stub.format("여기에 코드를 쓰세요"),
        "guess = ...  # 여기에 코드를 쓰세요",
    ]
    assert sources(root / "chapters/en/01_small.ipynb") == [
        "# Title",
        stub.format("your code here"),
        "guess = ...  # your code here",
    ]
    solved = ['def double(x):\n    """Return 2x."""\n    return 2 * x', "guess = 41"]
    for lang, title in (("ko", "# 제목"), ("en", "# Title")):
        path = root / f"solutions/{lang}/01_small.ipynb"
        assert sources(path) == [title, *solved, "print(double(21))"]
        assert nbformat.read(path, as_version=4).cells[-1].outputs[0].text == "42\n"
    assert not any(
        cell.get("outputs") or cell.get("execution_count")
        for cell in nbformat.read(root / "chapters/en/01_small.ipynb", as_version=4).cells
    )


def test_a_solved_notebook_keeps_nothing_right_after_its_language(course):
    root, lesson = course
    language = "".join(f'# %% id="language" lang="{lang}"\n"{lang}"\n' for lang in ("ko", "en"))
    lesson.write_text(LESSON + language + '# %% id="last"\n1 + 1\n')
    build.build()
    for lang in ("ko", "en"):
        chapter = nbformat.read(root / f"chapters/{lang}/01_small.ipynb", as_version=4)
        solved = nbformat.read(root / f"solutions/{lang}/01_small.ipynb", as_version=4)
        assert [cell.id for cell in chapter.cells[-2:]] == ["language", "last"]
        assert [cell.id for cell in solved.cells[-3:]] == ["language", "solved", "last"]
        assert solved.cells[-2].source.startswith(
            "from course.learner import keep_nothing\n\nkeep_nothing()  # "
        )
        assert bool(re.search("[가-힣]", solved.cells[-2].source)) == (lang == "ko")


def test_a_second_build_changes_no_byte(course):
    root, lesson = course
    build.build()
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.ipynb")}
    assert build.build() == []
    again = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.ipynb")}
    assert again == before
    build.build(rerun=True)
    assert {path: path.read_bytes() for path in before} == {p: b for p, (b, _t) in before.items()}
    lesson.write_text(LESSON.replace("# # Title", "# # New title"))
    assert build.build() == ["chapters/en/01_small.ipynb", "solutions/en/01_small.ipynb"]


def test_prose_or_a_tag_alone_executes_nothing(course, monkeypatch):
    root, lesson = course
    build.build()
    monkeypatch.setattr(build, "execute", lambda *_: pytest.fail("executed"))
    lesson.write_text(LESSON.replace("# # Title", "# # New").replace('"C01"', '"C01", "slide"'))
    assert len(build.build()) == 4
    solved = nbformat.read(root / "solutions/en/01_small.ipynb", as_version=4)
    assert solved.cells[0].source == "# New"
    assert solved.cells[1].metadata.tags == ["C01", "slide"]
    assert solved.cells[-1].outputs[0].text == "42\n"
    assert build.build() == []


def test_check_names_what_is_stale_or_orphaned_and_writes_nothing(course):
    root, lesson = course
    build.build()
    lesson.write_text(LESSON.replace("guess = 41", "guess = 40"))
    (root / "chapters/en/09_gone.ipynb").write_text("{}")
    learners_own = root / "chapters/en/01_small-2026-11-22-205143.ipynb"  # kept by `reset`
    learners_own.write_text("{}")
    stale = build.build(check=True)
    assert stale == [
        "solutions/ko/01_small.ipynb",
        "solutions/en/01_small.ipynb",
        "chapters/en/09_gone.ipynb (no lesson)",
    ]
    assert (root / "chapters/en/09_gone.ipynb").exists()
    assert build.main(["--check"]) == 1
    build.build()
    assert not (root / "chapters/en/09_gone.ipynb").exists()
    assert learners_own.exists()
    assert build.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("    # END SOLUTION\n", "", 5, "one pair"),
        ("    # BEGIN SOLUTION\n", "", 5, "one pair"),
        ('# %% [markdown] lang="en"\n# # Title\n', "", 1, "no counterpart"),
        ('# %% [markdown] lang="ko"\n# # 제목\n', "", 1, "no counterpart"),
        ('id="value"', 'id="answer"', 11, "used twice"),
        ('id="value"', "", 11, "needs an id"),
        ('"C01"', '"C99"', 5, "no concept"),
        ('lang="en"', 'lang="fr"', 1, "no counterpart"),
        ('[markdown] lang="en"', "[markdown]", 1, "no counterpart"),
        ("# %% [mark", "words\n# %% [mark", 1, "before the first"),
    ],
)
def test_refuses_with_file_and_line(course, capsys, old, new, line, why):
    _root, lesson = course
    lesson.write_text(LESSON.replace(old, new, 1))
    assert build.main([]) == 1
    says = capsys.readouterr().err
    assert says.startswith(f"01_small.py:{line}: ")
    assert why in says


@pytest.mark.parametrize("arguments", [["99"], ["--check", "99"], ["01", "99"]])
def test_an_unknown_lesson_is_named_and_nothing_is_written(course, capsys, arguments):
    root, _lesson = course
    assert build.main(arguments) == 1
    says = capsys.readouterr().err
    assert "'99'" in says
    assert "01_small" in says
    assert not (root / "chapters").exists()


def test_a_cell_that_fails_is_named(course, capsys):
    _root, lesson = course
    lesson.write_text(LESSON.replace("return 2 * x", "return 2 / 0"))
    assert build.main([]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_widget_state_is_not_kept(course):
    root, lesson = course
    lesson.write_text(LESSON + '# %% id="widget"\nimport ipywidgets\nipywidgets.IntSlider()\n')
    build.build()
    text = (root / "solutions/en/01_small.ipynb").read_text()
    assert "IntSlider(value=0)" in text
    assert "widget-view" not in text
    assert "widget-state" not in text
