"""A learner's half solved chapter survives whatever the course does, in a folder `내 강좌 (1)`."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import nbformat
import pytest

from course import ROOT, learner
from course import lessons as lessons_folder
from course.machine import lab
from course.my_progress import ProgressExplorer
from course.notebooks import build, built, reset, tables, update
from tests.test_build import LESSON as SMALL
from utils.language import LANGUAGES, use_language

LESSON = SMALL.replace("# # 제목", "# # 01 · 제목").replace("# # Title", "# # 01 · Title")
NEWER = LESSON.replace("Return 2x", "Return twice x")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two lessons, as it is downloaded; its folder."""
    root = tmp_path / "내 강좌 (1)"
    (root / "lessons").mkdir(parents=True)
    for module in (build, learner, tables, update):
        monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(lessons_folder, "LESSONS", root / "lessons")
    monkeypatch.setattr(build, "execute", lambda _node, _folder: None)  # kernels take long
    monkeypatch.delenv("COURSE_CHAPTERS", raising=False)
    use_language("en")
    for number in ("01_small", "02_other"):
        publish(root, LESSON.replace('lesson="01"', f'lesson="{number[:2]}"'), number)
    return root


def publish(root, text: str, name: str = "01_small") -> None:
    """A new version of a lesson arrives, with its notebooks."""
    (root / "lessons" / f"{name}.py").write_text(text, encoding="utf-8")
    build.build()


def mine(root, name: str = "01_small"):
    return root / "my_course" / "en" / f"{name}.ipynb"


def solve_half(path) -> bytes:
    """Write into the notebook, run it and save it, as JupyterLab does."""
    node = nbformat.read(path, as_version=4)
    node.cells[1].source = "def double(x):\n    return x + x"
    node.cells[1].execution_count = 3
    node.metadata.language_info = {"name": "python", "version": "3.11.9", "file_extension": ".py"}
    nbformat.write(node, path)
    return path.read_bytes()


def save_unchanged(path) -> None:
    """Open a notebook and save it: JupyterLab says more of the language then."""
    node = nbformat.read(path, as_version=4)
    node.metadata.language_info = {"name": "python", "version": "3.11.9"}
    nbformat.write(node, path)


def stub_of(path) -> str:
    return nbformat.read(path, as_version=4).cells[1].source


def everything(folder) -> dict:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_time_both_languages_are_copied(course):
    done = update.update()
    assert done.first
    for lang in LANGUAGES:
        for name in ("01_small.ipynb", "02_other.ipynb"):
            copy = course / "my_course" / lang / name
            assert copy.read_bytes() == (course / "chapters" / lang / name).read_bytes()
    assert update.say(done).startswith("Your notebooks are in my_course: ")
    assert update.say(done).count("\n") == 0
    again = update.update()
    assert again == update.Update(again.folder)
    assert update.say(again) == ""


def test_a_half_solved_chapter_survives_an_update_of_its_lesson(course, capsys):
    update.update()
    work = solve_half(mine(course))
    publish(course, NEWER)
    for _time in range(2):  # it is said until they have the new one
        assert update.main(["en"]) == 0
        said = capsys.readouterr().out
        assert mine(course).read_bytes() == work
        assert "Changed since you began: 01_small." in said
        assert "`python -m course reset 01`" in said
        assert "02_other" not in said
    assert update.behind("en") == ["01_small"]
    assert update.behind("ko") == []
    assert "Return twice x" in stub_of(course / "my_course" / "ko" / "01_small.ipynb")

    assert reset.main(["01", "en"]) == 0
    assert "Return twice x" in stub_of(mine(course))
    (kept,) = (course / "my_course" / "en" / "kept").iterdir()
    assert kept.read_bytes() == work
    assert f"my_course/en/01_small.ipynb is as it came; yours is kept as kept/{kept.name}." in (
        capsys.readouterr().out
    )
    assert update.say(update.update()) == ""
    assert update.behind("en") == []


def test_what_was_not_begun_is_replaced_even_if_it_was_opened_and_saved(course):
    update.update()
    save_unchanged(mine(course))
    publish(course, NEWER)
    done = update.update()
    assert (done.renewed, done.behind, done.new) == (["01_small"], [], [])
    assert "Return twice x" in stub_of(mine(course))
    assert "as you had not begun them: 01_small." in update.say(done)


def test_a_new_lesson_arrives_beside_the_others(course):
    update.update()
    work = solve_half(mine(course))
    publish(course, LESSON.replace('lesson="01"', 'lesson="03"'), "03_new")
    assert update.say(update.update()) == "New: 03_new."
    assert mine(course, "03_new").exists()
    assert mine(course).read_bytes() == work


def test_a_half_solved_chapter_survives_build(course, capsys):
    update.update()
    solve_half(mine(course))
    (mine(course).parent / "my notes.ipynb").write_text("mine", encoding="utf-8")
    (course / "lessons" / "02_other.py").unlink()
    (course / "lessons" / "01_small.py").write_text(NEWER, encoding="utf-8")
    before = everything(course / "my_course")
    for arguments in (["--check"], [], ["01"], ["--rerun"]):
        build.main(arguments)
    assert everything(course / "my_course") == before
    assert "my_course" not in capsys.readouterr().out


def test_pytest_neither_judges_nor_touches_a_learners_notebooks(course):
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, course)
    update.update()
    solve_half(mine(course))
    reset.main(["01", "en"])
    solve_half(mine(course))
    before = everything(course / "my_course")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-p", "nbval.plugin", "."],
        cwd=course,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.stdout.count("01_small.ipynb::") == 2 * 2 + 2 * 3, run.stdout + run.stderr
    assert "my_course" not in run.stdout
    assert everything(course / "my_course") == before


def test_what_was_written_in_chapters_before_moves_over(course):
    chapters = course / "chapters" / "en"
    work = solve_half(chapters / "01_small.ipynb")
    older = json.loads(work)
    del older["metadata"][built.NOTE]  # as notebooks were before there were copies
    (chapters / "01_small.ipynb").write_text(json.dumps(older), encoding="utf-8")
    (chapters / "kept").mkdir()
    theirs = {"my_llm.py": "mine", "my notes.ipynb": "notes", "kept/my_llm-2026.py": "old"}
    for name, text in theirs.items():
        (chapters / name).write_text(text, encoding="utf-8")
    done = update.update()
    assert sorted(done.moved) == sorted(f"en/{name}" for name in [*theirs, "01_small.ipynb"])
    for name, text in theirs.items():
        assert (course / "my_course" / "en" / name).read_text(encoding="utf-8") == text
        assert not (chapters / name).exists()
    assert "return x + x" in stub_of(mine(course))
    assert build.build(check=True) == build.Outcome()  # nor is anything left in `git status`
    assert "What you had written in chapters/ is in my_course now: en/01_small.ipynb, " in (
        update.say(done)
    )
    assert update.say(update.update()) == ""
    publish(course, NEWER)
    assert update.update().behind == ["01_small"]


def test_what_is_written_in_chapters_later_takes_no_place(course):
    update.update()
    work = solve_half(mine(course))
    (mine(course).parent / "my_llm.py").write_text("mine", encoding="utf-8")
    again = solve_half(course / "chapters" / "en" / "01_small.ipynb") + b"\n"
    (course / "chapters" / "en" / "01_small.ipynb").write_bytes(again)
    (course / "chapters" / "en" / "my_llm.py").write_text("other", encoding="utf-8")
    broken = b"\xff\xfe no notebook"
    (course / "chapters" / "en" / "02_other.ipynb").write_bytes(broken)
    done = update.update()
    assert mine(course).read_bytes() == work
    assert (mine(course).parent / "my_llm.py").read_text(encoding="utf-8") == "mine"
    kept = {path.name[:8]: path.read_bytes() for path in (mine(course).parent / "kept").iterdir()}
    assert json.loads(kept["01_small"]) == json.loads(again)
    assert kept["my_llm-2"] == b"other"
    assert mine(course, "02_other").read_bytes() == broken  # theirs was not begun
    assert len(done.moved) == 3
    assert build.build(check=True) == build.Outcome()


def test_on_a_hub_solved_notebooks_stand_beside(course, tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("COURSE_CHAPTERS", str(home / "course" / "my_course"))
    (course / "chapters" / "en" / "my notes.ipynb").write_text("whose?", encoding="utf-8")
    done = update.update()
    assert done.moved == []  # in a checkout that many share
    solved = home / "course" / "solutions" / "en"
    assert (solved / "01_small.ipynb").exists()
    work = solve_half(solved / "02_other.ipynb")
    publish(course, NEWER)
    publish(course, NEWER.replace('lesson="01"', 'lesson="02"'), "02_other")
    update.update()
    assert "Return twice x" in stub_of(solved / "01_small.ipynb")
    assert (solved / "02_other.ipynb").read_bytes() == work
    assert lab.first_notebook("ko").as_posix() == "my_course/ko/00_start_here.ipynb"
    monkeypatch.setenv("COURSE_CHAPTERS", str(course / "chapters"))
    before = everything(course)
    assert update.say(update.update()) == ""
    assert everything(course) == before


def test_a_folder_that_cannot_be_written_gets_a_sentence(course, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CHAPTERS", str(tmp_path / "file" / "my_course"))
    assert update.main([]) == 1
    assert "Set $COURSE_CHAPTERS to a folder of your own." in capsys.readouterr().err


def test_the_front_door_names_lessons_that_have_changed(learner):
    ours = ROOT / "chapters" / "en" / "03_decoding.ipynb"
    (learner / ours.name).write_bytes(ours.read_bytes())
    assert "Changed" not in ProgressExplorer()._links.value
    older = json.loads(solve_half(learner / ours.name))
    older["metadata"][built.NOTE]["built"] = "another"
    (learner / ours.name).write_text(json.dumps(older), encoding="utf-8")
    shown = ProgressExplorer()._links.value
    assert "Changed since you began: 03_decoding." in shown
    assert "<code>python -m course reset 03</code>" in shown


def test_every_sentence_is_said_in_korean(course):
    done = update.Update(course / "my_course", False, ["en/a"], ["b"], ["c"], ["d_e"])
    use_language("ko")
    for said in (replace(done, first=True), done):
        assert not any(word in update.say(said) for word in ("Your", "What", "New:", "Changed"))
    use_language("en")


def test_git_does_not_see_a_learners_notebooks():
    for theirs in ("my_course/ko/03_decoding.ipynb", "my_course/en/my_llm.py"):
        ignored = subprocess.run(["git", "check-ignore", theirs], cwd=ROOT, capture_output=True)
        if ignored.returncode == 128:
            pytest.skip("this is not a clone")
        assert ignored.returncode == 0
