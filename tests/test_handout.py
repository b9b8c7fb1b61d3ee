"""Handouts: of one lesson in both languages, as Chromium prints them."""

import os

import nbformat
import pypdf
import pytest

from course import ROOT
from course.workshop import handout

LESSON = "05_kv_cache"  # it has formulas, pictures, long code and Hangul in what is printed
NO_BROWSER = "no Chromium here: `apt-get install chromium`, or put Google Chrome on the PATH"
CHROMIUM = handout.find_chromium()
needs_chromium = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("CI") != "true", reason=NO_BROWSER
)
each_language = pytest.mark.parametrize("lang", ["ko", "en"])


@pytest.fixture(scope="module", params=["ko", "en"])
def paper(request, tmp_path_factory):
    """(language, PDF): the handout of one lesson, printed."""
    if not CHROMIUM:
        pytest.fail(NO_BROWSER)
    path = tmp_path_factory.mktemp("handout") / "lesson.pdf"
    with handout.printer() as printer:
        handout.print_to(printer, LESSON, request.param, path)
    return request.param, pypdf.PdfReader(path)


@needs_chromium
def test_a_handout_is_a4_with_its_fonts_and_words_in_it(paper):
    lang, pdf = paper
    for number, sheet in enumerate(pdf.pages, 1):
        assert [round(side) for side in sheet.mediabox[2:]] == [595, 842]
        assert f"{number} / {len(pdf.pages)}" in sheet.extract_text()
        for font in sheet["/Resources"]["/Font"].values():
            assert is_embedded(font.get_object()), f"page {number}"
            assert "/ToUnicode" in font.get_object()
    words = "".join("".join(sheet.extract_text() for sheet in pdf.pages).split())
    for cell in handout.cells(LESSON, lang):
        for line in cell.source.split("\n") if cell.cell_type == "code" else ():
            if not cell.metadata.get("no_code") and line.isascii():
                assert "".join(line.split()) in words  # no code is clipped
    assert ("키와값캐시" if lang == "ko" else "key-valuecache") in words


def is_embedded(font) -> bool:
    """Chromium writes fonts of either outline: TrueType as files, others as Type 3 drawings."""
    if font["/Subtype"] == "/Type3":
        return bool(font["/CharProcs"])
    inner = font.get("/DescendantFonts", [font])[0].get_object()
    return any(key.startswith("/FontFile") for key in inner["/FontDescriptor"].get_object())


@each_language
def test_a_handout_gives_solutions_at_its_end_only(lang):
    shown = handout.cells(LESSON, lang)
    answers = next(i for i, cell in enumerate(shown) if 'class="answers"' in cell.source)
    before = "\n".join(cell.source for cell in shown[:answers])
    after = "\n".join(cell.source for cell in shown[answers:])
    assert "self.layers = {}" not in before
    assert "self.layers = {}" in after
    assert "class KVCache" in before
    assert sum(cell.cell_type == "markdown" for cell in shown[:answers]) == sum(
        cell.cell_type == "markdown"
        for cell in nbformat.read(ROOT / f"solutions/{lang}/{LESSON}.ipynb", as_version=4).cells
    )
    pictures = [
        output
        for cell in shown
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", ())
    ]
    assert len(pictures) >= 6


def test_without_chromium_a_sentence_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(handout, "find_chromium", lambda: None)
    assert handout.main(["05"]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err
