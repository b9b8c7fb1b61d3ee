"""Slides: those of one lesson as Chromium shows them, and what is in those of all lessons."""

import os
import re

import nbformat
import pytest
from fontTools.ttLib import TTFont

from course import ROOT
from course.notebooks.contents import contents
from course.notebooks.words import exercise_words
from course.workshop import class_report, html_page, site, slides
from course.workshop.html_page import FONTS, formula, lessons, markdown_to_html
from course.workshop.leads import lead
from course.workshop.plans import PLANS, plan_rows
from course.workshop.speaker_notes import speaker_notes
from tests.axe import violations
from tests.jupyterlab import CHROMIUM, browser_page
from tests.test_class_report import folder  # noqa: F401

LESSON = "05_kv_cache"  # it has formulas, pictures, long code and Hangul in what is printed
NO_BROWSER = "no Chromium here: `apt-get install chromium`, or put Google Chrome on the PATH"
needs_chromium = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("CI") != "true", reason=NO_BROWSER
)
ALL = [(lesson, lang) for lesson in lessons([]) for lang in ("ko", "en")]
OUTSIDE = """() => {
    const slide = document.querySelector("section.present .slide");
    const frame = slide.getBoundingClientRect();
    return [...slide.querySelectorAll(":scope > :not(aside), :scope > :not(aside) *")]
        .map(part => [part, part.getBoundingClientRect()])
        .filter(([part, box]) => box.width && !part.closest("aside") && (
            box.bottom > frame.bottom + 1 || box.right > frame.right + 1
            || box.left < frame.left - 1 || box.top < frame.top - 1))
        .map(([part, box]) => `${part.tagName} ${box.right} ${box.bottom}`);
}"""


@pytest.fixture(scope="module")
def page():
    if not CHROMIUM:
        pytest.fail(NO_BROWSER)
    with browser_page(1280, 720) as page:
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(error))
        yield page


@pytest.fixture(scope="module", params=["ko", "en"])
def deck(request, page, tmp_path_factory):
    """(language, page): the deck of one lesson, open in the browser."""
    path = tmp_path_factory.mktemp("slides") / f"{request.param}.html"
    path.write_text(slides.deck(LESSON, request.param), encoding="utf-8")
    page.asked.clear()
    page.goto(path.as_uri())
    page.wait_for_function("() => Reveal.isReady()")
    page.evaluate("() => document.fonts.ready")
    return request.param, page


@needs_chromium
def test_every_slide_fits_and_nothing_leaves_the_machine(deck):
    _lang, page = deck
    assert 12 <= page.evaluate("Reveal.getTotalSlides()") <= 22
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number}, 0, 9)")  # with what a press reveals
        assert page.evaluate(OUTSIDE) == [], f"slide {number + 1}"
        for picture in page.locator("section.present figure img").all():
            assert picture.bounding_box()["height"] > 300
    assert page.evaluate("document.fonts.size") == page.evaluate(
        "[...document.fonts].filter(font => font.status != 'error').length"
    )
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []


@needs_chromium
def test_a_question_is_asked_before_it_is_answered(deck):
    _lang, page = deck
    page.evaluate("Reveal.slide(Reveal.getSlides().findIndex(s => s.id == 'question-a'), 0, -1)")
    answer = page.locator("section.present .fragment")
    assert not answer.evaluate("part => part.classList.contains('visible')")
    page.keyboard.press("ArrowRight")
    assert answer.evaluate("part => part.classList.contains('visible')")
    assert "✓" in answer.inner_text()


@needs_chromium
def test_a_clock_runs_and_stops(deck):
    _lang, page = deck
    page.evaluate("Reveal.slide(Reveal.getSlides().findIndex(s => s.querySelector('.clock')))")
    clock = page.locator("section.present .clock")
    begins = clock.inner_text()
    assert re.fullmatch(r"\d+:00", begins)
    page.keyboard.press("t")
    page.wait_for_function(
        "text => document.querySelector('section.present .clock').innerText != text", arg=begins
    )
    clock.click()
    assert re.fullmatch(r"\d+:5\d", clock.inner_text())
    assert not clock.evaluate("clock => clock.until")
    assert clock.get_attribute("title")


@needs_chromium
def test_the_speaker_s_view_opens_from_a_file(deck):
    lang, page = deck
    page.evaluate("Reveal.slide(Reveal.getSlides().findIndex(s => s.id == 'question-a'))")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    speaker.wait_for_function(
        "() => document.querySelector('.speaker-controls-notes .value')?.innerText.length > 20"
    )
    notes = speaker.locator(".speaker-controls-notes .value").inner_text()
    heading = page.evaluate("document.querySelector('section.present h2').innerText")
    assert notes.split()[:3] == speaker_notes(LESSON, lang)[heading].split()[:3]
    speaker.close()


@pytest.mark.parametrize(("lesson", "lang"), ALL)
def test_a_deck_of_any_lesson_has_all_it_should(lesson, lang):
    shown = slides.slides(lesson, lang)
    about = [slide[0].metadata.slide for slide in shown]
    solved = nbformat.read(ROOT / "solutions" / lang / f"{lesson}.ipynb", as_version=4).cells
    marked = {cell.id for cell in solved if "slide" in cell.metadata.get("tags", ())}
    questions = {cell.id for cell in solved if re.fullmatch(r"question-\w+", cell.id)}
    assert 12 <= len(shown) <= 22
    assert [about[0].id, about[-1].id] == ["title", "recap"]
    assert marked | questions <= {each.id for each in about}
    assert len({each.id for each in about}) == len(about)
    turns = "".join(cell.source for slide in shown for cell in slide if cell.metadata.get("slide"))
    for cell in solved:
        if cell.id.startswith("ex-"):
            assert f"**{cell.id[3:].replace('-', '.')} · " in turns
    # what solves an exercise is shown nowhere
    code = [cell.source for slide in shown for cell in slide if cell.cell_type == "code"]
    assert not [cell.id for cell in solved if cell.id.startswith("ex-") and cell.source in code]
    # the guide has a word for every slide, and each step of its demonstration is on one
    assert [
        each.id for each, slide in zip(about, shown, strict=True) if not slide[-1].metadata.notes
    ] == []
    notes = "\n".join(slide[-1].metadata.notes for slide in shown)
    steps = [says for says in speaker_notes(lesson, lang).values() if says.startswith("▸")]
    assert len(steps) >= 3
    assert [says for says in steps if notes.count(says) != 1] == []
    # what answers an exercise comes after it
    order = [each.id for each in about]
    for cell in solved:
        if {"answer", "slide"} <= set(cell.metadata.get("tags", ())):
            assert about[order.index(cell.id) - 1].kind == "turn"


def test_words_about_what_a_cell_has_printed_are_on_no_other_slide():
    """In 07 a text tells what `scores-to-weights` prints, which is on no slide."""
    about = {slide[0].metadata.slide.id: slide for slide in slides.slides("07_attention", "en")}
    assert not any("a line is the score" in slide[0].source for slide in about.values())
    assert about["why-scale"][0].source.startswith("Why divide by 8?")
    assert "\\sqrt{d}" in about["two-steps"][0].source
    assert about["stop"][0].metadata.slide.minutes == 10
    for step, slide in (
        ("where-it-looks", "question-a"),
        ("why-scale", "why-scale"),
        ("without-positions", "without-positions"),
        ("circuits", "circuits-induction"),
        ("switch-off", "question-d"),
    ):
        assert f"[`{step}`]" not in about[slide][-1].metadata.notes
        assert re.search(f"▸ .*`{step}`", about[slide][-1].metadata.notes), step


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("plan", PLANS)
def test_a_deck_for_a_plan_keeps_its_exercises_and_says_its_minutes(lang, plan):
    for number, (minutes, kept) in plan_rows(plan).items():
        (lesson,) = lessons([number])
        shown = slides.slides(lesson, lang, plan)
        turns = [slide for slide in shown if slide[0].metadata.slide.kind == "turn"]
        words = "\n".join(slide[0].source for slide in turns)
        assert tuple(re.findall(r"\*\*(\d+\.\d+) · ", words)) == kept
        clocks = sum(slide[0].metadata.slide.minutes for slide in turns)
        assert clocks == sum(exercise_words(each).minutes for each in kept)
        assert str(minutes) in shown[0][0].source
    assert ("stop" in {slide[0].metadata.slide.id for slide in shown}) == (number == "08")


def test_a_plan_that_leaves_a_lesson_out_says_so(capsys):
    assert slides.main(["04", "en", "--plan", "half-day"]) == 1
    assert "leaves lesson 04 out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lesson", "lang", "asked"),
    [
        ("01", "en", "Return the id of the token"),
        ("01", "ko", "점수가 가장 높은 토큰의 id를"),
        ("07", "en", "Split it into `[head, position, head_dim]`"),
        ("07", "ko", "`[head, position, head_dim]`으로 나누세요"),
        ("07", "en", "rotate it by the angle"),
        ("07", "en", "Find one."),
        ("07", "en", "find the head in which ` it` looks most"),
        ("07", "ko", "헤드를 270개"),
        ("08", "en", "and return the joined matrix"),
        ("08", "en", "put the cache between them"),
    ],
)
def test_a_task_says_what_is_to_be_done(lesson, lang, asked):
    shown = slides.slides(*lessons([lesson]), lang)
    turns = [slide[0].source for slide in shown if slide[0].metadata.slide.kind == "turn"]
    assert sum(asked in words for words in turns) == 1


def test_an_unknown_lesson_is_named(capsys):
    assert slides.main(["99"]) == 1
    assert "'99'" in capsys.readouterr().err


def test_a_lesson_without_slides_is_named_and_the_others_are_written(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(slides, "deck", lambda lesson, lang, plan: "")
    monkeypatch.setattr(slides, "place", lambda kind, lang, lesson, ending: tmp_path / lesson)
    monkeypatch.setattr(html_page, "ROOT", tmp_path)
    assert slides.main(["00"]) == 1
    shown = capsys.readouterr()
    assert not shown.out
    assert "'00'" in shown.err
    assert slides.main(["00", "01", "en"]) == 0
    shown = capsys.readouterr()
    assert "wrote 01_generation_loop" in shown.out
    assert "'00'" in shown.err


@pytest.mark.parametrize(("lesson", "lang"), ALL)
def test_every_letter_has_a_glyph_that_comes_with_the_course(lesson, lang):
    glyphs = {code for path in FONTS.values() for code in TTFont(path).getBestCmap()}
    shown = [cell for slide in slides.slides(lesson, lang) for cell in slide]
    texts = [cell.source for cell in shown] + [
        output.get("text") or output.data.get("text/html") or output.data["text/plain"]
        for cell in shown
        for output in cell.get("outputs", ())
    ]
    assert {letter for letter in "".join(texts) if ord(letter) not in glyphs} <= {"\n"}


def test_formulas_are_drawn_and_code_is_left_alone():
    html = markdown_to_html("A $x^2$ and `$x$`.\n\n$$\\frac{1}{2}$$")
    assert html.count("<img") == 2
    assert "<code>$x$</code>" in html
    assert 'alt="x^2"' in formula("x^2", "inline")
    assert "<svg" not in html  # it is an image that a page cannot break


def test_a_lead_is_whole_sentences_in_a_row():
    text = "First of all. Second `a. b` here. A **term** is this. Last one is long, " + "x" * 200
    assert lead(text, 45) == "Second `a. b` here. A **term** is this."
    assert lead("Short.", 60) == "Short."


@needs_chromium
def test_a_page_of_the_site_is_for_everyone_and_asks_for_nothing(page, tmp_path):
    """On a telephone, by day and by night; here because a Chromium is open, the rest is in
    test_site.py."""
    site.write_shared(tmp_path)
    site.write(tmp_path, "ko", [one for one in contents("ko") if one.source.stem == LESSON])
    page.asked.clear()
    page.problems.clear()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((tmp_path / "ko" / f"{LESSON}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    page.locator("input[type=search]").fill("프리필 use_cache")
    page.wait_for_selector(".found mark")
    wide = page.evaluate("document.documentElement.scrollWidth")
    asked = [url for url in page.asked if not url.startswith(("file:", "data:"))]
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, fault) for fault in violations(page)]
    page.set_viewport_size({"width": 1280, "height": 720})
    assert wide == 390
    assert found == page.problems == asked == []


@pytest.mark.parametrize("deck", ["en"], indirect=True)
def test_a_deck_and_the_class_report_are_accessible(deck, folder, tmp_path):  # noqa: F811
    _lang, page = deck
    report = tmp_path / "report.html"
    assert class_report.main([str(folder), "--out", str(report)]) == 0
    tab = page.context.browser.new_page()
    all_slides = page.url.split("#")[0] + "?print-pdf"  # one below the other
    for address, ready in (
        (all_slides, ".pdf-page >> nth=5"),
        (report.as_uri(), ".quiet >> nth=0"),
    ):
        tab.goto(address)
        tab.wait_for_selector(ready, state="attached")
        height = tab.evaluate("() => document.documentElement.scrollHeight")
        tab.set_viewport_size({"width": 1280, "height": height})  # else axe judges the first alone
        assert violations(tab) == []
    tab.evaluate("() => { document.querySelector('.quiet').style.color = '#999999'; }")
    assert {found.split(":")[0] for found in violations(tab)} == {"color-contrast"}
    tab.close()
