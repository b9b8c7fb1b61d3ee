"""The builder: what it refuses, what it leaves out, and that it changes nothing without a cause."""

import re
import shutil
from types import SimpleNamespace

import nbformat
import pytest

import conftest
from course import ROOT
from course import lessons as lessons_folder
from course.notebooks import build, built, tables

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
    lesson.write_text(LESSON, encoding="utf-8")
    return tmp_path, lesson


@pytest.fixture
def not_run(course, monkeypatch):
    """The same, where solved notebooks are not executed: kernels take long."""
    monkeypatch.setattr(build, "execute", lambda _node, _folder: None)
    return course


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
    lesson.write_text(LESSON + language + '# %% id="last"\n1 + 1\n', encoding="utf-8")
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
    assert build.build().stale == []
    again = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.ipynb")}
    assert again == before
    build.build(rerun=True)
    assert {path: path.read_bytes() for path in before} == {p: b for p, (b, _t) in before.items()}
    lesson.write_text(LESSON.replace("# # Title", "# # New title"), encoding="utf-8")
    assert build.build().stale == [
        "chapters/en/01_small.ipynb",
        "solutions/en/01_small.ipynb",
        "course/data/built.json",
    ]


def test_prose_or_a_tag_alone_executes_nothing(course, monkeypatch):
    root, lesson = course
    build.build()
    monkeypatch.setattr(build, "execute", lambda *_: pytest.fail("executed"))
    lesson.write_text(
        LESSON.replace("# # Title", "# # New").replace('"C01"', '"C01", "slide"'), encoding="utf-8"
    )
    assert len(build.build().stale) == 4 + 1
    solved = nbformat.read(root / "solutions/en/01_small.ipynb", as_version=4)
    assert solved.cells[0].source == "# New"
    assert solved.cells[1].metadata.tags == ["C01", "slide"]
    assert solved.cells[-1].outputs[0].text == "42\n"
    assert build.build().stale == []


def test_check_names_what_is_stale_or_orphaned_and_writes_nothing(not_run, capsys):
    root, lesson = not_run
    gone = lesson.with_name("09_gone.py")
    gone.write_text(LESSON.replace("01", "09"), encoding="utf-8")
    build.build()
    gone.unlink()
    lesson.write_text(LESSON.replace("guess = 41", "guess = 40"), encoding="utf-8")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found = build.build(check=True)
    assert found.left == []
    assert found.stale == [
        "solutions/ko/01_small.ipynb",
        "solutions/en/01_small.ipynb",
        "chapters/en/09_gone.ipynb (no lesson)",
        "chapters/ko/09_gone.ipynb (no lesson)",
        "solutions/en/09_gone.ipynb (no lesson)",
        "solutions/ko/09_gone.ipynb (no lesson)",
        "course/data/built.json",
    ]
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert build.main(["--check"]) == 1
    capsys.readouterr()
    assert build.main([]) == 0
    assert "removed chapters/en/09_gone.ipynb" in capsys.readouterr().out
    assert not list(root.rglob("09_gone.ipynb"))
    assert build.main(["--check"]) == 0


def written_into(path) -> None:
    node = nbformat.read(path, as_version=4)
    node.cells[-1].source += "\n# mine"
    nbformat.write(node, path)


def run_by_hand(path) -> None:
    node = nbformat.read(path, as_version=4)
    node.cells[-1].outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(node, path)


def no_notebook(path) -> None:
    path.write_bytes(b"\xff\xfe no notebook")


def emptied(path) -> None:
    path.write_text("{}", encoding="utf-8")


def turned_into_a_list(path) -> None:
    path.write_text('{"cells": [1], "metadata": []}', encoding="utf-8")


OTHERS = [written_into, run_by_hand, no_notebook, emptied, turned_into_a_list]


@pytest.mark.parametrize("change", OTHERS, ids=lambda change: change.__name__)
def test_what_a_learner_has_changed_is_left_and_not_judged(not_run, capsys, change):
    root, lesson = not_run
    gone = lesson.with_name("09_gone.py")
    gone.write_text(LESSON.replace("01", "09"), encoding="utf-8")
    build.build()
    gone.unlink()
    lesson.write_text(LESSON.replace("Return 2x", "Return twice x"), encoding="utf-8")
    theirs = [root / "chapters/en/01_small.ipynb", root / "chapters/ko/09_gone.ipynb"]
    for path in theirs:
        change(path)
    before = [path.read_bytes() for path in theirs]
    assert build.main([]) == 0
    said = capsys.readouterr().out
    assert [path.read_bytes() for path in theirs] == before
    for path in theirs:
        assert f"{path.relative_to(root)} is left as it is" in said
    assert build.main(["--check"]) == 0
    assert "stale" not in capsys.readouterr().out
    assert [path.read_bytes() for path in theirs] == before
    assert "Return twice x" in sources(root / "chapters/ko/01_small.ipynb")[1]


@pytest.mark.parametrize("name", ["my notes", "01_small-Copy1", "10_mine", "Untitled", "01-2026-1"])
def test_what_the_course_did_not_build_is_nothing_to_it(not_run, capsys, name):
    root, _lesson = not_run
    build.build()
    own = [root / place / f"{name}.ipynb" for place in ("chapters/en", "solutions/ko")]
    for path in own:
        shutil.copy(root / "chapters/en/01_small.ipynb", path)
    for arguments in (["--check"], [], ["01"], ["--rerun"]):
        capsys.readouterr()
        assert build.main(arguments) == 0
        assert name not in capsys.readouterr().out.replace("01_small.ipynb", "")
    assert all(path.exists() for path in own)


def test_a_new_lesson_takes_no_learners_name(not_run):
    root, lesson = not_run
    build.build()
    mine = root / "chapters/en/02_new.ipynb"
    mine.write_text("mine", encoding="utf-8")
    lesson.with_name("02_new.py").write_text(LESSON.replace("01", "02"), encoding="utf-8")
    assert build.build().left == ["chapters/en/02_new.ipynb"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_pytest_judges_what_was_built_and_whatever_is_named(not_run):
    root, _lesson = not_run
    build.build()
    chapter = root / "chapters/en/01_small.ipynb"
    notes = shutil.copy(chapter, chapter.with_name("my notes.ipynb"))
    assert built.is_as_built(chapter, root)
    assert not built.is_as_built(notes, root)
    run_by_hand(chapter)
    assert not built.is_as_built(chapter, root)
    own, theirs = ROOT / "solutions/en/01_generation_loop.ipynb", ROOT / "chapters/en/my.ipynb"
    everything = SimpleNamespace(
        args=["/x/chapters", "tests"], getini=lambda _: ["chapters", "tests"]
    )
    named = SimpleNamespace(args=["chapters"], getini=everything.getini)
    assert conftest.pytest_ignore_collect(own, everything) is None
    assert conftest.pytest_ignore_collect(theirs, everything)
    assert conftest.pytest_ignore_collect(theirs, named) is None
    assert conftest.pytest_ignore_collect(root / "elsewhere.ipynb", everything) is None


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
    lesson.write_text(LESSON.replace(old, new, 1), encoding="utf-8")
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
    lesson.write_text(LESSON.replace("return 2 * x", "return 2 / 0"), encoding="utf-8")
    assert build.main([]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_widget_state_is_not_kept(course):
    root, lesson = course
    lesson.write_text(
        LESSON + '# %% id="widget"\nimport ipywidgets\nipywidgets.IntSlider()\n', encoding="utf-8"
    )
    build.build()
    text = (root / "solutions/en/01_small.ipynb").read_text(encoding="utf-8")
    assert "IntSlider(value=0)" in text
    assert "widget-view" not in text
    assert "widget-state" not in text
