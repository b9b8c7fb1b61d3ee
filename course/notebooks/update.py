"""A learner works in copies of the course's notebooks; an update of the course never loses any.

`python -m course update` makes them, in `my_course/ko` and `my_course/en` or where $COURSE_CHAPTERS
says, and after an update of the course brings them up to date: a notebook that nobody has written
into is replaced by the new one, any other stays as it is and is named.  `… lab` does it each time.
"""

import argparse
import itertools
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from course import ROOT, learner
from course.lessons import lesson_files
from course.notebooks import build, built
from course.notebooks.copies import free_name
from course.notebooks.reset import as_it_came, write_whole
from utils.language import LANGUAGES, _, current_language, use_language


@dataclass
class Update:
    """What was done in a learner's folder; lessons by their names, "03_decoding"."""

    folder: Path
    first: bool = False  # there were no notebooks of theirs before
    moved: list[str] = field(default_factory=list)  # what somebody had written in chapters/
    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)  # as they were not begun
    behind: list[str] = field(default_factory=list)  # begun, and the lesson has changed since


def update() -> Update:
    """Make the learner's notebooks, or bring them up to date.  Raises OSError where it may not."""
    folder = learner.chapters()
    done = Update(folder, first=not any(folder.glob("*/*.ipynb")))
    if folder.resolve() == (ROOT / "chapters").resolve():
        return done  # whoever works in the course's own takes care of them
    chapters = {
        (lang, f"{lesson.stem}.ipynb"): as_it_came(lesson, lang)
        for lesson, lang in itertools.product(lesson_files(), LANGUAGES)
    }
    if folder == ROOT / "my_course":
        _move_over(chapters, done)
    for (lang, name), chapter in chapters.items():
        _bring(chapter, folder / lang / name, done)
    if folder.parent.resolve() != ROOT.resolve():
        _bring_solutions(folder.parent / "solutions")
    return done


def behind(lang: str) -> list[str]:
    """The lessons that have changed since the learner began their notebook in `lang`."""
    try:
        mine = learner.chapters() / lang
    except OSError:  # no such folder can be told: no notebook is in it
        return []
    return [
        path.stem
        for path in sorted((ROOT / "chapters" / lang).glob("*.ipynb"))
        if built.version(mine / path.name) not in (None, built.version(path))
        and not built.is_as_built(mine / path.name, solved=False)
    ]


def _bring(chapter: str, path: Path, done: Update) -> None:
    """Bring one notebook, `chapter` as it is now, to its place among the learner's."""
    made_from = built.version(path)
    if not os.path.lexists(path):
        names = done.new
    elif made_from == built.noted(json.loads(chapter)):
        return
    elif built.is_as_built(path, solved=False):
        names = done.renewed
    else:
        names = done.behind if made_from else []
    if names is done.new or names is done.renewed:
        write_whole(path, chapter.encode())
    if path.stem not in names:  # of the other language
        names.append(path.stem)


def _bring_solutions(folder: Path) -> None:
    """The solved notebooks, beside the learner's, where a link from those leads to."""
    for path in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        theirs = folder / path.parent.name / path.name
        if not os.path.lexists(theirs) or (
            built.version(theirs) != built.version(path) and built.is_as_built(theirs, solved=True)
        ):
            write_whole(theirs, path.read_bytes())


def _move_over(chapters: dict[tuple[str, str], str], done: Update) -> None:
    """Move what somebody has written in chapters/, as they did before they had copies."""
    for lang in LANGUAGES:
        folder = ROOT / "chapters" / lang
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_dir() or any(part.startswith((".", "__")) for part in inside.parts):
                continue
            chapter = chapters.get((lang, inside.as_posix()))
            if not _is_the_courses(path, chapter):
                place = _move(path, done.folder / lang / inside, chapter)
                done.moved.append(place.relative_to(done.folder).as_posix())


def _is_the_courses(path: Path, chapter: str | None) -> bool:
    """Whether the file at `path` in chapters/ was built, and nobody's work is in it."""
    if built.is_as_built(path, solved=False):
        return True
    if chapter is None or not build.says_the_same(path, nbformat.reads(chapter, as_version=4)):
        return False
    return not built.has_outputs(json.loads(path.read_text(encoding="utf-8")))


def _move(path: Path, place: Path, chapter: str | None) -> Path:
    """Move a file to its place among the learner's, or in kept/ where theirs is; returns where.

    Of a lesson's notebook the one as it came is left behind.
    """
    content = path.read_bytes()
    if os.path.lexists(place) and not built.is_as_built(place, solved=False):
        place = free_name(place)
    write_whole(place, content if chapter is None else _with_note(content, json.loads(chapter)))
    if chapter is None:
        path.unlink()
    else:
        write_whole(path, chapter.encode())
    return place


def _with_note(content: bytes, made_from: dict) -> bytes:
    """A learner's notebook that says what it was made from, as older ones did not."""
    try:
        notebook = json.loads(content)
        notebook["metadata"].setdefault(built.NOTE, made_from["metadata"][built.NOTE])
        return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    except built.UNREADABLE:
        return content


def say(done: Update) -> str:
    """What was done, in sentences; "" where there was nothing to do."""
    said = []
    if done.first:
        said.append(
            _(
                "Your notebooks are in {folder}: copies of the course's. An update of the course "
                "never changes one that you have written into."
            ).format(folder=learner.shown(done.folder))
        )
    if done.moved:
        said.append(
            _("What you had written in chapters/ is in {folder} now: {files}.").format(
                folder=learner.shown(done.folder), files=", ".join(done.moved)
            )
        )
    if done.new and not done.first:
        said.append(_("New: {lessons}.").format(lessons=", ".join(done.new)))
    if done.renewed:
        said.append(
            _("Replaced by a newer version, as you had not begun them: {lessons}.").format(
                lessons=", ".join(done.renewed)
            )
        )
    if done.behind:
        said.append(newer(done.behind))
    return "\n".join(said)


def newer(lessons: list[str]) -> str:
    """The sentence that these lessons have changed, and how to get the new version."""
    return _(
        "Changed since you began: {lessons}. Yours stays as it is. `python -m course reset "
        "{number}` brings the new version, and keeps yours in kept/."
    ).format(lessons=", ".join(lessons), number=lessons[0][:2])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m course update", description=__doc__)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default=current_language())
    use_language(parser.parse_args(arguments).language)
    try:
        done = update()
    except OSError as problem:
        print(no_place(problem), file=sys.stderr)
        return 1
    print(say(done) or _("Your notebooks are up to date."))
    return 0


def no_place(problem: OSError) -> str:
    """The sentence that a learner's notebooks cannot be written."""
    return _(
        "Your notebooks cannot be written ({problem}). Set $COURSE_CHAPTERS to a folder of your "
        "own."
    ).format(problem=problem)
