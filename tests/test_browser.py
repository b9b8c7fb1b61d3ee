"""What a learner does, in a real browser: run, press, answer, solve, come back another day.

Each explorer of the course is one row of EXPLORERS.
"""

import ast
import json
import os
import re
import shutil
from dataclasses import dataclass

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from course.progress import events
from tests.axe import violations_in_outputs
from tests.jupyterlab import (
    CHROMIUM,
    ROOT,
    ask_kernel,
    browser_page,
    cell,
    close_kernels,
    errors,
    jupyterlab,
    open_notebook,
    run_all,
    run_cells,
)

NO_BROWSER = "no Chromium here: `apt-get install chromium`, or put Google Chrome on the PATH"
if not CHROMIUM and os.environ.get("CI") != "true":
    pytestmark = pytest.mark.skip(reason=NO_BROWSER)  # not skipif: pytest says this in one line
# Every lesson loads the model; in the notebook of all explorers they are given the same one.
# Lesson 05 measures how long its steps take: of short texts here, a slider moves over any times.
ONE_MODEL = """import functools
import utils.model
import utils.timing
utils.model.load_model = functools.cache(utils.model.load_model)
utils.timing.measure_steps = functools.partial(
    utils.timing.measure_steps, lengths=(16, 64), repeats=1)

import json
from ipywidgets.widgets import widget
from utils.explorers.base import Explorer


def explorer_that_says(words):
    return next(e for e in widget._instances.values()
                if isinstance(e, Explorer) and e._words == words)


def to_touch(words):
    \"\"\"A region that lies on top at its middle, and changes something if any does.\"\"\"
    explorer = explorer_that_says(words)
    regions = explorer.regions
    def middle(region):
        left, top, width, height = region.box
        return left + width / 2, top + height / 2
    def lies_at(region, x, y):
        left, top, width, height = region.box
        return left <= x < left + width and top <= y < top + height
    seen = [r for i, r in enumerate(regions)
            if not any(lies_at(other, *middle(r)) for other in regions[i + 1:])]
    changing = [r for r in seen
                if any(explorer.controls[c].value != v for c, v in r.sets.items())]
    found = changing or seen
    region = found[min(len(found) // 2 + 1, len(found) - 1)] if found else None
    return json.dumps(region and (middle(region), region.text, region.sets, explorer._width))


def values(words, names):
    return json.dumps({name: explorer_that_says(words).controls[name].value for name in names})
"""
# All questions and exercises, answered and not, in nobody's name.
ALL_ANSWERS = """import os
from IPython.display import display
from course.exercise import Exercise, Question
from course.notebooks.words import exercise_numbers, question_numbers, question_words
learner, os.environ["COURSE_LEARNER"] = os.environ["COURSE_LEARNER"], "off"
for i, number in enumerate(question_numbers()):
    right = question_words(number).right + 1
    display(Question(number).answer(right if i % 2 else 1 + right % 2))
for number in exercise_numbers():
    display(Exercise(number))
display(Exercise("1.1").check(lambda model, ids: None))
os.environ["COURSE_LEARNER"] = learner"""
THEMES = ("JupyterLab Light", "JupyterLab Dark")


@dataclass(frozen=True)
class Row:
    """One explorer: the cells of the English chapter that make it, and what a learner does to it.

    `change(explorer)` moves a control; words and picture must be others afterwards.  `spoil` makes
    a control hold what the explorer cannot take, and a sentence must say so; None where none can.
    """

    lesson: str
    cells: tuple[str, ...]  # their ids; the last one shows the explorer
    change: object
    spoil: object = None
    first: object = None  # what must be done before there is anything to click


def press(label: str):
    return lambda explorer: explorer.get_by_role("button", name=label, exact=True).click()


def slide(label: str, key: str = "ArrowRight"):
    return lambda explorer: explorer.get_by_role("slider", name=label, exact=True).press(key)


def choose(label: str, option: str):
    return lambda explorer: explorer.get_by_label(label, exact=True).select_option(label=option)


def write(label: str, text: str):
    def act(explorer: Locator) -> None:
        explorer.get_by_label(label, exact=True).fill(text)
        explorer.get_by_label(label, exact=True).press("Enter")

    return act


def fill(label: str, text: str):
    """As `write`, for a box of several lines: there Enter is one more line."""
    return lambda explorer: explorer.get_by_label(label, exact=True).fill(text)


EXPLORERS = [
    Row(
        "01_generation_loop",
        ("imports", "load", "explorer"),
        change=write("prompt", "Once upon a time"),
        spoil=write("prompt", ""),
        first=press("one token"),
    ),
    Row(
        "02_components",
        ("imports", "anatomy"),
        change=choose("part", "self_attn · attention layer"),
        spoil=write("text", ""),
    ),
    Row(
        "02_components",
        ("imports", "tokenizer"),
        change=fill("text", "Hello, 세계!"),
        spoil=fill("text", ""),
    ),
    Row(
        "03_decoding",
        ("imports", "to-hidden-states", "explorer"),
        change=slide("temperature"),
        spoil=write("prompt", ""),
    ),
    Row(
        "03_decoding",
        ("imports", "explorer-filters"),
        change=press("draw 500"),
        spoil=write("prompt", ""),
    ),
    Row(
        "04_parallel_streams",
        ("imports", "butterfly"),
        change=slide("position", "ArrowLeft"),
        spoil=write("new word", ""),
    ),
    Row(
        "04_parallel_streams",
        ("imports", "explorer"),
        change=slide("layer", "ArrowLeft"),
        spoil=write("text", ""),
    ),
    Row(
        "05_kv_cache",
        ("imports", "cache-explorer"),
        change=press("next step"),
        spoil=write("prompt", ""),
    ),
    # Sliders and lists hold nothing that cannot be drawn: there is nothing to spoil in these two.
    Row(
        "05_kv_cache",
        ("imports", "measure", "times-explorer"),
        change=slide("new tokens", "ArrowLeft"),
    ),
    Row("05_kv_cache", ("imports", "memory-explorer"), change=slide("tokens")),
    Row(
        "06_block",
        ("imports", "residual"),
        change=slide("position", "ArrowLeft"),
        spoil=write("token", "Red Dragon"),
    ),
    Row(
        "06_block",
        ("imports", "feed-forward"),
        change=choose("part", "attention"),
        spoil=write("prompt", ""),
    ),
    Row(
        "06_block",
        ("imports", "neurons"),
        change=slide("layer", "ArrowLeft"),
        spoil=write("token", "Red Dragon"),
    ),
    Row(
        "07_attention",
        ("imports", "record", "explorer"),
        change=slide("layer"),
        spoil=write("text", ""),
    ),
    Row(
        "07_attention",
        ("imports", "record", "circuits"),
        change=choose("looks", "at the first token"),
        spoil=write("text", ""),
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The learner's home folder: in it lies their progress."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lab(tmp_path_factory, home):
    """JupyterLab on a copy of the course: what is saved in it touches nothing here."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("chapters", "solutions"):
        shutil.copytree(ROOT / folder, root / folder)
    write_explorers(root / "explorers.ipynb")
    with jupyterlab(root, home) as address_and_token:
        yield address_and_token


@pytest.fixture(scope="module")
def page(lab):
    if not CHROMIUM:
        pytest.fail(NO_BROWSER)
    expect.set_options(timeout=30_000)  # a kernel on a busy machine may take its time
    with browser_page() as page:
        yield page


@pytest.fixture
def notebook(page, lab):
    """Open the notebook at a path: `page = notebook("chapters/ko/…")`."""

    def opened(path: str) -> Page:
        open_notebook(page, lab, path)
        return page

    yield opened
    close_kernels(page)


EXERCISE = Row("01_generation_loop", ("imports", "load", "ex-1-1", "check-1-1"), change=None)


def write_explorers(path) -> None:
    """One notebook with the explorers of all lessons: they share one kernel and one model."""
    cells, setup = {"one-model": nbformat.v4.new_code_cell(ONE_MODEL, id="one-model")}, []
    for row in (EXERCISE, *EXPLORERS):
        chapter = nbformat.read(ROOT / "chapters" / "en" / f"{row.lesson}.ipynb", as_version=4)
        sources = {node.id: node for node in chapter.cells if node.cell_type == "code"}
        for cell_id in ("language", *row.cells):
            node = sources[cell_id]
            if node.source not in setup:
                setup.append(node.source)
                node.id = f"{row.lesson[:2]}-{cell_id}"
                cells[node.id] = node
    answers = nbformat.v4.new_code_cell(ALL_ANSWERS, id="all-answers")
    chapter.cells = [*cells.values(), answers]
    nbformat.write(chapter, path)


def wear(page: Page, theme: str) -> None:
    """Put on one of THEMES."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    light = str(theme == THEMES[0]).lower()
    page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)


def picture(explorer: Locator) -> tuple[str, str]:
    """An explorer's picture, and its words, as a screen reader reads them."""
    image = explorer.locator("img")
    return image.get_attribute("src"), image.get_attribute("alt")


def expect_other_picture(explorer: Locator, before: tuple[str, str]) -> None:
    image = explorer.locator("img")
    expect(image).not_to_have_attribute("alt", before[1])
    expect(image).not_to_have_attribute("src", before[0])


FRONT_DOOR = {  # language: the buttons, and a link to the other language's front door
    "ko": ("다시 보기", "새로 시작 …", "네, 새로 시작합니다", "English"),
    "en": ("look again", "start anew …", "yes, start anew", "“한국어”"),
}


@pytest.mark.parametrize("lang", FRONT_DOOR)
def test_the_front_door_shows_the_map_and_what_was_passed(notebook, home, monkeypatch, lang):
    again, anew, yes, other = FRONT_DOOR[lang]
    page = notebook(f"chapters/{lang}/00_start_here.ipynb")
    run_all(page)
    assert errors(page) == []
    expect(cell(page, "map").locator("img")).to_have_attribute("alt", re.compile("LLM.*07: ", re.S))
    expect(cell(page, "doctor")).to_contain_text("✓ Python")

    door = cell(page, "progress").locator(".course-explorer")
    before = picture(door)
    monkeypatch.setenv("COURSE_PROGRESS", str(home / "progress.sqlite"))
    events.record_attempt("2.1", True)  # as a check in lesson 02 does
    press(again)(door)
    expect_other_picture(door, before)
    coming = "02_components.ipynb#cell-id=ex-2-2"
    expect(door.get_by_role("link", name="2.2")).to_have_attribute("href", coming)

    passed, copies = picture(door), set(home.glob("progress-*.sqlite"))
    door.get_by_role("combobox").select_option(index=1)
    press(anew)(door)
    expect(door.get_by_role("alert")).to_contain_text("my_llm.py")
    assert violations_in_outputs(page) == []
    press(yes)(door)
    expect_other_picture(door, passed)
    (copy,) = set(home.glob("progress-*.sqlite")) - copies
    expect(door.get_by_role("alert")).to_contain_text(copy.name)
    assert "2.1" not in events.summary()

    if lang == "en":  # a click on the box of exercise 1.2 goes to its cell, in this JupyterLab
        open_by_a_click(page, door, (348 + 25 + 9, 40 + 14), "1.2: ")
        return
    page.get_by_role("link", name=other).click()
    page.wait_for_function(
        "path => jupyterapp.shell.currentWidget?.context?.path === path",
        arg=f"chapters/{'en' if lang == 'ko' else 'ko'}/00_start_here.ipynb",
    )


def open_by_a_click(page: Page, explorer: Locator, spot: tuple[float, float], says: str) -> None:
    """Click at `spot`, in CSS pixels of the picture, what opens exercise 1.2."""
    image = explorer.locator("img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    page.mouse.move(box["x"] + spot[0], box["y"] + spot[1])
    expect(explorer.get_by_role("tooltip")).to_contain_text(says)
    page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
    page.wait_for_function(
        """() => {
            const { context, content } = jupyterapp.shell.currentWidget ?? {};
            const found = content?.widgets.find(cell => cell.model.id === 'ex-1-2')?.node;
            if (context?.path !== 'chapters/en/01_generation_loop.ipynb' || !found) return false;
            const [seen, cell] = [content.node, found].map(node => node.getBoundingClientRect());
            return cell.bottom > seen.top && cell.top < seen.bottom;
        }"""
    )
    assert len(page.context.pages) == 1


def test_a_learner_s_path_through_a_chapter(notebook):
    page = notebook("chapters/ko/01_generation_loop.ipynb")
    run_all(page)
    assert errors(page) == []
    for number in ("1-1", "1-2", "1-3", "1-4"):
        expect(cell(page, f"check-{number}")).to_contain_text("아직 풀지 않았습니다")

    explorer = cell(page, "explorer").locator(".course-explorer")
    seen = [picture(explorer)]
    for _press in range(3):
        press("토큰 하나")(explorer)
        expect_other_picture(explorer, seen[-1])
        seen.append(picture(explorer))
    assert len({words for _image, words in seen}) == 4
    assert "' Paris" in seen[1][1]

    question = cell(page, "question-a")
    question.get_by_role("radio", name="한 번", exact=True).check()
    expect(question).to_contain_text("✗")
    question.get_by_role("radio", name="50번", exact=True).check()
    expect(question).to_contain_text("✓")
    expect(question).not_to_contain_text("✗")

    exercise, check = cell(page, "ex-1-2"), cell(page, "check-1-2")
    type_answer(exercise, "return torch.cat([token_id, input_ids])")
    run_cells(page, "ex-1-2", "check-1-2")
    expect(check).to_contain_text("✗")
    type_answer(exercise, "return torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)")
    run_cells(page, "ex-1-2", "check-1-2")
    expect(check).to_contain_text("통과했습니다")
    expect(check).not_to_contain_text("✗")
    assert violations_in_outputs(page) == []

    # Another day: the page is loaded anew, and a new kernel knows nothing of the old one.
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    close_kernels(page)
    page = notebook("chapters/ko/01_generation_loop.ipynb")
    for asleep in ("map", "explorer", "question-a", "check-1-2"):
        expect(cell(page, asleep).get_by_role("status").first).to_contain_text("위의 모든 셀 실행")
    assert cell(page, "explorer").locator("img").get_attribute("alt") == seen[-1][1]
    expect(cell(page, "question-a")).to_contain_text("● 50번")
    expect(cell(page, "check-1-2")).to_contain_text("통과했습니다")
    expect(page.get_by_text("model not found")).to_have_count(0)
    expect(cell(page, "ex-1-2")).to_contain_text("[input_ids, torch.tensor([[token_id]])]")
    run_cells(page, "check-1-2")  # before anything else of this day
    expect(cell(page, "check-1-2")).to_contain_text("Exercise 이름은 위쪽 셀에서 나오는데")
    type_answer(cell(page, "ex-1-2"), "return input_ids")
    run_cells(page, "language", "imports", "ex-1-2", "check-1-2")
    check = cell(page, "check-1-2")
    expect(check).to_contain_text("지금까지 시도: 3번")
    expect(check).to_contain_text("전에 통과한 문제입니다")


def type_answer(exercise: Locator, code: str) -> None:
    """Type `code` over the last line of a cell, key by key."""
    exercise.locator(".cm-line").last.click()
    keyboard = exercise.page.keyboard
    keyboard.press("End")
    keyboard.press("Shift+Home")  # up to the indentation
    keyboard.type(code)
    expect(exercise.locator(".cm-line").last).to_have_text("    " + code)


@pytest.fixture(scope="module")
def explorers(page, lab):
    """The notebook with every lesson's explorer, run."""
    open_notebook(page, lab, "explorers.ipynb")
    run_all(page)
    assert errors(page) == []
    yield page
    close_kernels(page)


@pytest.fixture(params=EXPLORERS, ids=lambda row: f"{row.lesson}-{row.cells[-1]}")
def row(request):
    return request.param


NOTHING_TO_POINT_AT = {"times-explorer", "memory-explorer"}
NOTHING_TO_CLICK = {"tokenizer"}


@dataclass(frozen=True)
class Touch:
    """A click in an explorer's picture, at a share of its width and height."""

    explorer: str  # the id of its cell
    spot: tuple[float, float]
    said: str  # what is said beside the pointer; a pattern
    control: str  # the slider or list that the click moves
    becomes: str  # and what stands beside it then


TOUCHES = [
    Touch("04-explorer", (0.11, 0.6), r"layer \d+, position 0, 'The': '.*'", "position", "0"),
    Touch("06-feed-forward", (0.3, 0.75), r"without the .* of layer \d+: '.*' \d\.\d\d", "", ""),
    Touch("07-explorer", (0.2, 0.3), r"' dog' → 'The': \d\.\d\d", "position", "1"),
]


@pytest.mark.parametrize("touch", TOUCHES, ids=lambda touch: touch.explorer)
def test_a_picture_answers_the_hand(explorers, touch):
    explorer = cell(explorers, touch.explorer).locator(".course-explorer")
    name = "prompt" if touch.explorer == "06-feed-forward" else "text"
    for text in ("The cat", "The dog chased the squirrel"):  # a row before this one has spoiled it
        shown = picture(explorer)
        write(name, text)(explorer)
        expect_other_picture(explorer, shown)
    expect(explorer.get_by_role("alert")).to_have_count(0)
    before, image = picture(explorer), explorer.locator("img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    x, y = box["x"] + touch.spot[0] * box["width"], box["y"] + touch.spot[1] * box["height"]
    explorers.mouse.move(x, y)
    tip = explorer.get_by_role("tooltip")
    expect(tip).to_have_text(re.compile(touch.said))
    expect(explorer.locator(".course-outline")).to_be_visible()
    assert picture(explorer) == before  # pointing asks nobody
    token = re.search(r"'.*?'", tip.inner_text()).group()
    explorers.mouse.click(x, y)
    expect_other_picture(explorer, before)
    assert token in picture(explorer)[1]
    if touch.control:
        moved = explorer.get_by_role("slider", name=touch.control, exact=True)
        expect(moved).to_have_attribute("aria-valuetext", touch.becomes)


def test_after_many_moves_the_picture_is_the_last_ones(explorers):
    explorer = cell(explorers, "03-explorer").locator(".course-explorer")
    write("prompt", "The capital of France is")(explorer)
    handle = explorer.get_by_role("slider", name="temperature", exact=True)
    for _move in range(50):
        handle.press("ArrowRight")
    explorers.wait_for_timeout(100)  # until the number beside the slider is drawn
    last = handle.get_attribute("aria-valuetext")
    expect(explorer.locator("img")).to_have_attribute("alt", re.compile(f"temperature {last}"))
    handle.press("Home")  # or the next test could not move it further
    expect(explorer.locator("img")).not_to_have_attribute("alt", re.compile(f"temperature {last}"))


def test_two_handles_on_one_value_can_be_moved_apart(explorers):
    """By mouse, to the right and to the left: each handle can be taken hold of."""
    explorer = cell(explorers, "06-feed-forward").locator(".course-explorer")
    write("prompt", "The dog chased the squirrel")(explorer)
    slider = explorer.get_by_role("slider", name="layers off", exact=True)
    readout = explorer.locator(".widget-readout").first
    for handle, by in ((slider.last, 40), (slider.first, -40)):
        ask_kernel(explorers, "feed_forwards.set(layers=(20, 20))")
        expect(readout).to_have_text(re.compile(r"20\s*–\s*20"))
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] * (0.8 if by > 0 else 0.2), box["y"] + box["height"] / 2
        explorers.mouse.move(x, y)
        explorers.mouse.down()
        explorers.mouse.move(x + by, y, steps=4)
        explorers.mouse.up()
        expect(readout).to_have_text(re.compile(r"20\s*–\s*2\d" if by > 0 else r"1\d\s*–\s*20"))
        expect(readout).not_to_have_text(re.compile(r"20\s*–\s*20"))


def test_pointing_says_what_is_there_and_a_click_picks_it(explorers, row):
    explorer = cell(explorers, f"{row.lesson[:2]}-{row.cells[-1]}").locator(".course-explorer")
    if row.first:
        before = picture(explorer)
        row.first(explorer)
        expect_other_picture(explorer, before)
    before, image = picture(explorer), explorer.locator("img")
    found = from_kernel(explorers, f"to_touch({before[1]!r})")
    assert (found is None) == (row.cells[-1] in NOTHING_TO_POINT_AT)
    if found is None:
        return
    (left, top), says, sets, width = found
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    scale = box["width"] / width
    at = box["x"] + left * scale, box["y"] + top * scale
    explorers.mouse.move(*at)
    tip = explorer.get_by_role("tooltip")
    expect(tip).to_have_text(says, use_inner_text=True)
    expect(explorer.locator(".course-outline")).to_be_visible()
    assert picture(explorer) == before  # pointing asks nobody
    assert bool(sets) == (row.cells[-1] not in NOTHING_TO_CLICK)
    if sets:
        explorers.mouse.click(*at)
        expect_other_picture(explorer, before)
        after = picture(explorer)[1]
        assert from_kernel(explorers, f"values({after!r}, {list(sets)})") == sets
    explorers.mouse.move(0, 0)


def from_kernel(page: Page, expression: str):
    """What an expression gives that is JSON."""
    return json.loads(ast.literal_eval(ask_kernel(page, expression)))


def test_a_hand_on_an_explorer_changes_words_and_picture(explorers, row):
    explorer = cell(explorers, f"{row.lesson[:2]}-{row.cells[-1]}").locator(".course-explorer")
    before = picture(explorer)
    row.change(explorer)
    expect_other_picture(explorer, before)
    if row.spoil:
        expect(explorer.get_by_role("alert")).to_have_count(0)
        shown = picture(explorer)
        row.spoil(explorer)
        expect(explorer.get_by_role("alert")).to_have_text(re.compile(r"\w"))
        assert picture(explorer) == shown


@pytest.mark.parametrize("theme", THEMES)
def test_every_explorer_question_and_exercise_is_accessible(explorers, theme):
    wear(explorers, theme)
    check = cell(explorers, "01-check-1-1")
    expect(check).to_contain_text("not attempted yet")
    if theme == THEMES[0]:
        check.get_by_role("button", name="Hint (3 left)").click()
    expect(check.get_by_role("listitem")).to_have_count(1)
    assert violations_in_outputs(explorers) == []
    wear(explorers, THEMES[0])


WIDER_THAN_ITS_PLACE = """() => [...document.querySelectorAll(".course-widget, .course-widget *")]
    .filter(part => part.scrollWidth > part.clientWidth + 1 && !part.closest(".course-reach, pre"))
    .filter(part => ["auto", "scroll"].includes(getComputedStyle(part).overflowX))
    .map(part => `${part.className} ${part.clientWidth} < ${part.scrollWidth}`)"""


WINDOWS = {  # width: from what width to what a picture is shown then
    640: (560, 740),  # one of 1,280 pixels at a zoom of 200 %
    1000: (560, 740),  # its smallest letters can still be read
    1720: (741, 925),
}


@pytest.mark.parametrize("width", WINDOWS)
def test_no_window_is_too_narrow_and_a_wide_one_is_used(explorers, width):
    explorers.set_viewport_size({"width": width, "height": 800 * width // 1280})
    explorers.wait_for_timeout(200)
    assert explorers.evaluate(WIDER_THAN_ITS_PLACE) == []
    shown = explorers.locator(".course-picture").first.bounding_box()["width"]
    assert WINDOWS[width][0] <= round(shown) <= WINDOWS[width][1]
    explorers.set_viewport_size({"width": 1280, "height": 800})


def test_without_the_front_end_there_are_picture_words_and_a_sentence(explorers, lab):
    page = explorers.context.browser.new_page()
    page.route("**/extensions/anywidget/**", lambda route: route.abort())
    open_notebook(page, lab, "explorers.ipynb")
    run_cells(page, "03-explorer")
    explorer = cell(page, "03-explorer").locator(".course-explorer")
    expect(explorer.locator("img")).to_have_attribute("alt", re.compile("the model: "))
    expect(explorer.get_by_text("The picture cannot be touched here")).to_be_visible()
    before = picture(explorer)
    explorer.locator(".noUi-handle").first.press("ArrowRight")  # it has no name here
    expect_other_picture(explorer, before)
    assert explorer.locator(".jupyter-widgets-error-widget:visible").count() == 0
    page.close()


def test_axe_sees_what_cannot_be_seen(explorers):
    """That axe finds nothing in our outputs means something only if it looks at them."""
    wear(explorers, THEMES[1])
    explorers.evaluate(
        """() => {
            const explorer = document.querySelector(".course-explorer");
            explorer.classList.add("planted");
            explorer.querySelector("img").removeAttribute("alt");
            explorer.querySelector(".widget-label").style = "color: #333; background: #111";
        }"""
    )
    found = {found.split(":")[0] for found in violations_in_outputs(explorers, ".planted")}
    assert found == {"image-alt", "color-contrast"}
    wear(explorers, THEMES[0])


def test_a_hand_on_an_explorer_while_a_cell_runs(notebook):
    """JupyterLab brings it on another thread; the cell's numbers are those of the whole model."""
    path = "chapters/en/06_block.ipynb"
    page = notebook(path)
    run_cells(page, "language", "imports", "feed-forward")
    explorer = cell(page, "feed-forward").locator(".course-explorer")
    before = picture(explorer)
    off = explorer.get_by_role("slider", name="layers off", exact=True)
    off.last.press("ArrowRight")  # the first touch of all still goes the old way
    expect_other_picture(explorer, before)

    threads = (
        "hands := []",
        (
            "feed_forwards.controls['layers'].observe("
            "lambda _change: hands.append(__import__('threading').current_thread().name), 'value')"
        ),
    )
    assert [ask_kernel(page, f"({each})") for each in threads] == ["[]", "None"]
    cell(page, "losses").locator(".jp-InputPrompt").click()
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-cell')")
    expect(cell(page, "losses").locator(".jp-InputPrompt")).to_have_text("[*]:")
    for _step in range(5):
        off.last.press("ArrowRight")
        page.wait_for_timeout(100)
    expect(cell(page, "losses").locator(".jp-InputPrompt")).to_have_text("[*]:")  # still runs
    losses = cell(page, "losses").locator(".jp-OutputArea img")
    expect(losses).to_be_visible(timeout=240_000)
    solved = nbformat.read(ROOT / "solutions/en/06_block.ipynb", as_version=4)
    (node,) = (node for node in solved.cells if node.id == "losses")
    assert losses.get_attribute("alt") == node.outputs[0].data["text/plain"]
    # Where the hand has left it, and not each step on the way.
    expect(explorer.locator("img")).to_have_attribute("alt", re.compile("layers 20–26"))
    assert ask_kernel(page, "set(hands)") == "{'MainThread'}"
    assert errors(page) == []
