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


RATIOS = """() => [...document.querySelectorAll("figure img")].map(picture => {
    const box = picture.getBoundingClientRect();
    return [picture.alt, (box.width / box.height) / (picture.naturalWidth / picture.naturalHeight),
            box.height];
})"""


@pytest.fixture(scope="module", params=["ko", "en"])
def paper(request, tmp_path_factory):
    """(language, PDF, shapes of its pictures): the handout of one lesson, printed."""
    if not CHROMIUM:
        pytest.fail(NO_BROWSER)
    path = tmp_path_factory.mktemp("handout") / "lesson.pdf"
    with handout.printer() as printer:
        printer.set_viewport_size({"width": 665, "height": 982})  # between the margins of A4
        handout.print_to(printer, handout.html(LESSON, request.param), path)
        shapes = printer.evaluate(RATIOS)
    return request.param, pypdf.PdfReader(path), shapes


@needs_chromium
def test_a_picture_on_paper_has_the_shape_that_was_drawn(paper):
    _lang, _pdf, shapes = paper
    assert len(shapes) >= 4
    assert [alt for alt, ratio, _ in shapes if abs(ratio - 1) > 0.01] == []
    assert [alt for alt, _, height in shapes if not 100 < height < 92 * 3.78 + 1] == []


@needs_chromium
def test_a_handout_is_a4_with_its_fonts_and_words_in_it(paper):
    lang, pdf, _shapes = paper
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
def test_a_handout_gives_no_solution_away(lang):
    shown, after = handout.cells(LESSON, lang), handout.answers(LESSON, lang)
    before = "\n".join(cell.source for cell in shown)
    assert "self.layers = {}" not in before
    assert "self.layers = {}" in "\n".join(cell.source for cell in after)
    assert "class KVCache" in before
    assert sum(cell.cell_type == "markdown" for cell in shown) == sum(
        cell.cell_type == "markdown"
        for cell in nbformat.read(ROOT / f"solutions/{lang}/{LESSON}.ipynb", as_version=4).cells
    )


@each_language
def test_what_is_found_with_an_explorer_is_printed_with_the_answers_only(lang):
    """In 07 the explorer's first picture is the answer to 7.9, what it is set to 7.10 and 7.11."""
    found = [
        "\n".join(
            str(output.get("data", {}).get("text/plain"))
            for cell in cells("07_attention", lang)
            for output in cell.get("outputs", ())
        )
        for cells in (handout.cells, handout.answers)
    ]
    for words in ("16 head 0 0.82", "18 head 6 0.88", "13 head 8 0.53"):
        number = words if lang == "en" else words.split()[-1]
        assert [number in text for text in found] == [False, True], words


def test_without_chromium_a_sentence_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(handout, "find_chromium", lambda: None)
    assert handout.main(["05"]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err
