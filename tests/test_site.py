"""The site: two lessons in both languages, as files; test_slides.py opens a page in Chromium."""

import json
import re
from collections import Counter
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nbformat
import pytest
from fontTools.ttLib import TTFont

from course import ROOT
from course.notebooks.contents import contents
from course.notebooks.words import as_html, exercise_words, question_words
from course.workshop import site
from course.workshop.html_page import FONTS

LESSON = "05_kv_cache"  # it has formulas, pictures, questions and Hangul in what is printed
EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}  # never closed
each_language = pytest.mark.parametrize("lang", ["ko", "en"])


class Page(HTMLParser):
    """A page: its tags with their attributes, and its words, those folded away apart."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown, self.folded = "", ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []  # every tag that was opened is closed

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in EMPTY
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "details" in self._open and self._open[-1] != "summary" and "main" in self._open:
            self.folded += data
        else:
            self.shown += data

    def every(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [attributes[name] or "" for _tag, attributes in self.tags if name in attributes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A site of the first lesson and one more, without fonts: test_slides.py makes some."""
    folder = tmp_path_factory.mktemp("site")
    site.write_shared(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "font_faces", lambda letters: f"/* {''.join(sorted(letters))} */")
        for lang in ("ko", "en"):
            site.write(folder, lang, [one for one in contents(lang) if one.number in ("00", "05")])
    return folder


@pytest.fixture(scope="module")
def pages(folder):
    """File → its page."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


def solved(lang: str) -> list:
    return nbformat.read(ROOT / "solutions" / lang / f"{LESSON}.ipynb", as_version=4).cells


def test_every_link_leads_somewhere_and_nothing_is_fetched_from_elsewhere(folder, pages):
    to_come = {f"{lesson.source.stem}.html" for lesson in contents("en")}
    for path, page in pages.items():
        for tag, attributes in page.tags:
            url = attributes.get("src") or attributes.get("href") or "data:"
            parts = urlsplit(url)
            if parts.scheme:
                assert parts.scheme == "data" or tag == "a", url
                continue
            target = (path.parent / parts.path).resolve() if parts.path else path
            if target in pages:
                assert not parts.fragment or parts.fragment in pages[target].every("id"), url
            else:
                assert target.exists() or target.name in to_come, url
            assert target.is_relative_to(folder.resolve())
    for path in folder.rglob("*.css"):
        urls = re.findall(r"url\(([^)]*)\)|@import", path.read_text(encoding="utf-8"))
        assert [url for url in urls if not url.startswith("data:")] == []
    assert "//" not in re.sub(r"(?m)(^|\s)// .*", "", (folder / "site.js").read_text("utf-8"))


def test_every_letter_has_a_glyph_that_comes_with_the_site(folder, pages):
    glyphs = {code for path in FONTS.values() for code in TTFont(path).getBestCmap()}
    for path, page in pages.items():
        letters = {*page.shown, *page.folded} - {"\n"}
        assert {letter for letter in letters if ord(letter) not in glyphs} == set()
        if path.parent != folder:
            assert letters <= {*(path.parent / "fonts.css").read_text(encoding="utf-8")}


def test_ids_are_there_once_and_pictures_have_words(pages):
    for path, page in pages.items():
        assert [each for each, times in Counter(page.every("id")).items() if times > 1] == [], path
        assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img"), path


def test_a_section_has_one_address_in_both_languages(folder, pages):
    ko, en = (pages[folder / lang / f"{LESSON}.html"] for lang in ("ko", "en"))
    assert ko.every("id") == en.every("id")
    assert {"exercise-5-1", "question-5-a"} < {*ko.every("id")}
    for page, lang in ((ko, "ko"), (en, "en")):
        assert page.tags[0] == ("html", {"lang": lang})
        assert f"../{'en' if lang == 'ko' else 'ko'}/{LESSON}.html" in page.every("href")


@each_language
def test_all_that_a_lesson_has_put_out_is_there(folder, pages, lang):
    page = pages[folder / lang / f"{LESSON}.html"]
    words, drawn = page.shown + page.folded, set()
    for cell in solved(lang):
        if cell.cell_type == "markdown" or cell.id.startswith("question-"):
            continue
        if cell.id not in ("language", "solved", "map"):
            assert cell.source in words
        for output in cell.outputs:
            if "text" in output:
                assert output.text.strip("\n") in words
            elif "image/png" in output.data:
                drawn.add(f"pictures/05-{cell.id}.png")
                assert output.metadata["image/png"].alt in page.every("alt")
            else:
                html = re.sub(r"<span.*?</span>|<[^>]*>", "\n", output.data["text/html"])
                assert all(line in words for line in unescape(html).split("\n"))
    assert drawn == {src for src in page.every("src") if src.startswith("pictures/")}
    headings = re.findall(r"(?m)^#+ ([^`$\n]*)$", "\n".join(cell.source for cell in solved(lang)))
    assert len(headings) > 8
    assert all(heading in page.shown for heading in headings)


@each_language
def test_hints_solutions_and_answers_are_folded_away(folder, pages, lang):
    page = pages[folder / lang / f"{LESSON}.html"]
    html = (folder / lang / f"{LESSON}.html").read_text(encoding="utf-8")
    for number in ("5.1", "5.5"):
        for hint in exercise_words(number, lang).hints:
            assert hint.replace("`", "") in page.folded
            assert hint.replace("`", "") not in page.shown
    assert "self.layers = {}" in page.folded
    assert "self.layers = {}" not in page.shown
    assert "class KVCache" in page.shown
    for number in ("5.a", "5.c"):
        said = question_words(number, lang)
        assert as_html(said.asks) in html
        assert all(choice.replace("`", "") in page.shown for choice in said.choices)
        for why in (said.because, *filter(None, said.overlooks)):
            assert why.replace("`", "") in page.folded
            assert why.replace("`", "") not in page.shown
    assert not [each for tag, each in page.tags if tag == "details" and "open" in each][1:]


@each_language
def test_the_search_finds_a_section_by_its_words(folder, pages, lang):
    text = (folder / lang / "search.js").read_text(encoding="utf-8")
    entries = json.loads(text.removeprefix("window.COURSE_SEARCH = ").rstrip(";\n"))
    word = {"ko": "프리필", "en": "prefill"}[lang]
    found = [entry for entry in entries if word in entry["text"]]
    assert found
    assert all(entry["heading"] in pages[folder / lang / f"{LESSON}.html"].shown for entry in found)
    for entry in entries:
        name, anchor = entry["href"].split("#")
        assert anchor in pages[folder / lang / name].every("id")
        assert "\n" not in entry["heading"]
        assert entry["text"]
    assert "predicted_cache_bytes" in text  # code is found, too
    assert escape("<strong>") not in text
    assert "<p>" not in text


def test_the_front_page_has_the_map_and_all_lessons(folder, pages):
    for lang in ("ko", "en"):
        page = pages[folder / lang / "index.html"]
        assert "pictures/00-map.png" in page.every("src")
        assert {"00_start_here.html", f"{LESSON}.html"} < {*page.every("href")}
        builds = {lesson.number: lesson.builds for lesson in contents(lang)}
        assert builds["05"] in page.shown
    assert {"ko/index.html", "en/index.html"} < {*pages[folder / "index.html"].every("href")}
