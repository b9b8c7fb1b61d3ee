"""A lesson put back as it came: nothing that a learner wrote is lost."""

import shutil

import nbformat
import pytest

from course import ROOT, learner
from course.notebooks import reset
from course.notebooks.contents import contents, find_lesson
from course.notebooks.copies import keep_copy
from course.notebooks.reset import put_back
from utils.language import use_language


@pytest.fixture
def chapters(tmp_path, monkeypatch):
    """The course's chapters in a folder of their own, as they are committed."""
    use_language("en")
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    monkeypatch.setattr(learner, "ROOT", tmp_path)
    monkeypatch.setenv("COURSE_CHAPTERS", str(tmp_path / "chapters"))
    return tmp_path / "chapters"


def work_on(path) -> bytes:
    """Work on a notebook as a learner does, and save it."""
    mine = nbformat.read(path, as_version=4)
    mine.cells[-1].source = "my own words"
    nbformat.write(mine, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", [lesson.source.stem for lesson in contents("en")])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_what_is_put_back_is_what_the_course_came_with(chapters, tmp_path, name, lang):
    lesson = find_lesson(name)
    done = put_back(lesson, lang, tmp_path / "new")
    assert done.notebook.read_bytes() == (chapters / lang / lesson.notebook).read_bytes()
    assert done.kept is None


def test_the_learners_notebook_is_kept_under_a_dated_name(chapters, capsys):
    path = chapters / "ko" / "03_decoding.ipynb"
    as_it_came, others = path.read_bytes(), sorted(chapters.rglob("*"))
    mine = work_on(path)
    (chapters / "ko" / "my_llm.py").write_text("mine", encoding="utf-8")
    assert reset.main(["3"]) == 0
    said = capsys.readouterr().out
    assert path.read_bytes() == as_it_came
    (kept,) = chapters.glob("ko/kept/03_decoding-*.ipynb")
    assert kept.read_bytes() == mine
    assert f"yours is kept as kept/{kept.name}" in said
    assert "chapters/en/03_decoding.ipynb is as it came." in said
    assert "python -m course progress --reset 03" in said
    assert (chapters / "ko" / "my_llm.py").read_text(encoding="utf-8") == "mine"
    assert {*others} <= {*chapters.rglob("*")}

    assert reset.main(["03", "ko"]) == 0  # as it came: there is nothing more to keep
    assert len(list(chapters.glob("ko/kept/*"))) == 1


def test_many_resets_in_one_second_keep_everything(chapters):
    path = chapters / "en" / "05_kv_cache.ipynb"
    for n in range(5):
        path.write_text(f"attempt {n}", encoding="utf-8")
        put_back(find_lesson("05"), "en", path.parent)
    kept = [copy.read_text(encoding="utf-8") for copy in chapters.glob("en/kept/*")]
    assert sorted(kept) == [f"attempt {n}" for n in range(5)]


def test_what_cannot_be_kept_is_not_replaced(chapters, monkeypatch, capsys):
    path = chapters / "en" / "02_components.ipynb"
    mine = work_on(path)

    def full(_source, _copy):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    assert reset.main(["components"]) == 1
    assert "No space left" in capsys.readouterr().err
    assert path.read_bytes() == mine
    assert list(chapters.glob("en/kept/*")) == []  # nor is half a copy left


def test_a_copy_that_protects_is_never_overwritten(tmp_path):
    path = tmp_path / "my_llm.py"
    for n in range(12):
        path.write_text(f"version {n}", encoding="utf-8")
        copy = keep_copy(path)
        assert copy.read_text(encoding="utf-8") == f"version {n}"
    assert sorted(
        copy.read_text(encoding="utf-8") for copy in tmp_path.glob("kept/my_llm-*.py")
    ) == sorted(f"version {n}" for n in range(12))


@pytest.mark.parametrize("name", ["10", "nonsense", "", "..", "3.2"])
def test_what_is_no_lesson_gets_a_sentence(chapters, capsys, name):
    assert reset.main([name]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("There is no lesson")
    assert "03_decoding" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "name",
    ["3", "03", "decoding", "03_decoding", "03_decoding.ipynb", "my_course/ko/03_decoding.ipynb"],
)
def test_a_lesson_is_found_by_any_of_its_names(name):
    assert find_lesson(name).number == "03"
