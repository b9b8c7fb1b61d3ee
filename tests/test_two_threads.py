"""Two threads at once: each gets the numbers it would get alone, and nothing is left switched on.

In each test one thread is held at the worst moment until the other has done its work, or, where it
has to wait, until it waits.
"""

import asyncio
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import matplotlib
import pytest
import torch

from course.graders.attempt import Attempt
from course.graders.own_thread import printed_to, raised_after
from course.graders.patience import TimeUp, time_limit
from course.graders.spec import ExerciseSpec
from tests.test_explorers_base import Letters, letter_picture
from tests.tiny_models import TINY, tiny_tokenizer
from utils import callbacks
from utils.architecture import attention_modules, blocks
from utils.attention import record_attention, without_head
from utils.explorers.feed_forward import FeedForwardExplorer
from utils.feed_forward import (
    losses_without_each,
    without_attention,
    without_each,
    without_feed_forward,
)
from utils.figures.style import in_course_style, png
from utils.generation import generate
from utils.hooks import hooked, skipped

TEXT = "The dog chased the squirrel because it"
SOON = 0.2  # seconds after which a thread that has done nothing is taken for one that waits
LATE = 20  # seconds after which a test has failed

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def other():
    """Another thread: `other(function, …)` starts it there, and gives a Future."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


@pytest.fixture(params=["llama", "gpt-neox"])
def tiny(request):
    return TINY[request.param](), tiny_tokenizer()


@contextmanager
def held_in(module, other, work):
    """The first pass of this thread through `module` goes on when another has done `work()`.

    Yields a list, to which the work's result comes.
    """
    done, me = [], threading.get_ident()

    def hold(*_given):
        if threading.get_ident() == me and not done:
            done.append(None)
            done[0] = other(work).result(LATE)

    handle = module.register_forward_pre_hook(hold)
    try:
        yield done
    finally:
        handle.remove()


def left_on(model) -> list:
    """Whatever stands on a model that is neither its own nor the library's."""
    hooks = [
        hook
        for m in model.modules()
        for hook in (*m._forward_hooks.values(), *m._forward_pre_hooks.values())
        if not hook.__module__.startswith("transformers.")
    ]
    forwards = [m for m in model.modules() if "forward" in vars(m)]
    return hooks + forwards


def bare_logits(model, tokenizer):
    """What a cell does without any helper."""
    with torch.no_grad():
        return model(**tokenizer(TEXT, return_tensors="pt", return_token_type_ids=False)).logits


@pytest.mark.parametrize("part", ["feed_forward", "attention"])
def test_what_one_thread_switches_off_is_on_in_the_other(tiny, other, part):
    model, _tokenizer = tiny
    text, logits = generate(*tiny, TEXT, 8), bare_logits(*tiny)
    each = without_each(*tiny, TEXT, part)

    def work():
        return generate(*tiny, TEXT, 8), bare_logits(*tiny)

    # Held in the last block: by then the first is skipped, or a hook has switched it off.
    for off in (lambda: without_each(*tiny, TEXT, part), lambda: losses_without_each(*tiny, TEXT)):
        with held_in(blocks(model)[-1].module, other, work) as done:
            found = off()
        assert done[0][0] == text
        assert torch.equal(done[0][1], logits)
        if hasattr(found, "without"):
            assert torch.equal(found.without, each.without)
    for layers in (
        without_feed_forward(model, 0),
        without_attention(model, [0, 1]),
        without_head(model, 1, 2),
        skipped([blocks(model)[0].module], [torch.zeros(1)]),
    ):
        with layers:
            assert other(generate, *tiny, TEXT, 8).result(LATE) == text
    assert left_on(model) == []


def test_two_threads_each_switch_off_something_else(tiny, other):
    model, _tokenizer = tiny
    alone = losses_without_each(*tiny, TEXT), without_each(*tiny, TEXT)

    def work():  # would wait for a pass that skips a block, which waits for this: so no result
        return other_pool.submit(without_each, *tiny, TEXT)

    with ThreadPoolExecutor(1) as other_pool, held_in(blocks(model)[-1].module, other, work) as d:
        losses = losses_without_each(*tiny, TEXT)
        each = d[0].result(LATE)
    assert torch.equal(losses.feed_forward, alone[0].feed_forward)
    assert torch.equal(losses.attention, alone[0].attention)
    assert torch.equal(each.without, alone[1].without)
    assert left_on(model) == []


@pytest.mark.parametrize("own", ["sdpa", "eager"])
def test_one_thread_records_attention_and_the_other_uses_the_model_s_own(tiny, other, own):
    model, _tokenizer = tiny
    before = model.config._attn_implementation
    model.set_attn_implementation(own)
    try:
        text, logits, record = (
            generate(*tiny, TEXT, 8),
            bare_logits(*tiny),
            record_attention(*tiny, TEXT),
        )

        def work():
            return generate(*tiny, TEXT, 8), bare_logits(*tiny)

        with held_in(attention_modules(model)[1], other, work) as done:
            found = record_attention(*tiny, TEXT)
        assert done[0][0] == text
        assert torch.allclose(done[0][1], logits, atol=1e-5)
        assert all(map(torch.equal, found.weights, record.weights))
        assert model.config._attn_implementation == own

        # A pass that has begun before the recording, and ends within it.
        with held_in(
            attention_modules(model)[1], other, lambda: record_attention(*tiny, TEXT)
        ) as d:
            assert torch.equal(bare_logits(*tiny), logits)
        assert all(map(torch.equal, d[0].weights, record.weights))
    finally:
        model.set_attn_implementation(before)


def test_two_recordings_come_one_after_the_other_and_the_model_s_own_attention_back(tiny, other):
    model, _tokenizer = tiny
    own, alone = model.config._attn_implementation, record_attention(*tiny, TEXT)
    waiting = []

    def hold(*_given):
        if not waiting:
            waiting.append(other(record_attention, *tiny, TEXT))
            time.sleep(SOON)
            assert not waiting[0].done()

    handle = attention_modules(model)[0].register_forward_pre_hook(hold)
    try:
        first = record_attention(*tiny, TEXT)
    finally:
        handle.remove()
    second = waiting[0].result(LATE)
    for record in (first, second):
        assert all(map(torch.equal, record.weights, alone.weights))
    assert model.config._attn_implementation == own
    assert left_on(model) == []


def test_a_hook_that_is_half_on_troubles_no_other_thread(other):
    """torch puts a hook on, and says only afterwards that it takes names."""
    module, x, seen = torch.nn.Linear(2, 2), torch.ones(1, 2), []
    with hooked([module], lambda *given: seen.append(given)):
        module._forward_hooks_with_kwargs.clear()
        other(module, x).result(LATE)
        assert seen == []
    with hooked([module], lambda *given: seen.append(given), before=True):
        module._forward_pre_hooks_with_kwargs.clear()
        other(module, x).result(LATE)
        assert seen == []


# Pictures ------------------------------------------------------------------------------------


@pytest.fixture
def settings():
    with matplotlib.rc_context():
        yield matplotlib.rcParams


def all_but_backend(settings) -> dict:
    return {name: settings[name] for name in settings if name != "backend"}


def test_two_drawings_leave_matplotlib_s_settings_as_they_were(other, settings):
    settings["font.size"] = 7
    before = all_but_backend(settings)
    drawing, go_on = threading.Event(), threading.Event()

    @in_course_style
    def slow():
        drawing.set()
        assert go_on.wait(LATE)
        return png(letter_picture(("abc", 0)).figure)

    def second():
        assert drawing.wait(LATE)
        return png(letter_picture(("abc", 1)).figure)

    with ThreadPoolExecutor(1) as third:
        first_png, second_png = other(slow), third.submit(second)
        assert drawing.wait(LATE)
        time.sleep(SOON)
        assert not second_png.done()  # it waits: had it begun, it would put back our style
        go_on.set()
        assert first_png.result(LATE)
        assert second_png.result(LATE)
    assert all_but_backend(settings) == before


def test_what_a_learner_sets_while_a_picture_is_drawn_stays_set(other, settings):
    expected = all_but_backend(settings) | {"font.size": 21, "lines.linewidth": 9}

    @in_course_style
    def draw():
        def cell():
            settings["font.size"] = 21  # one of the course's
            settings["lines.linewidth"] = 9  # and one that is none

        other(cell).result(LATE)
        return png(letter_picture(("abc", 0)).figure)

    draw()
    assert all_but_backend(settings) == expected

    @in_course_style
    def fails():
        raise KeyError(settings["axes.titlelocation"])

    with pytest.raises(KeyError, match="left"):
        fails()
    assert all_but_backend(settings) == expected


# Explorers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["asked", "drawn"])
def test_a_hand_while_a_cell_sets_is_drawn_last(monkeypatch, other, when):
    letters, hands = Letters("abcdef"), []

    def hand():
        letters.controls["position"].value = 4

    def held(function):
        def slow(*args, **kwargs):
            if not hands:  # the values have been read; now a hand moves one, and waits
                hands.append(other(hand))
                time.sleep(SOON)
            return function(*args, **kwargs)

        return slow

    where = {"asked": "record", "drawn": "_show"}[when]
    monkeypatch.setattr(letters, where, held(getattr(letters, where)))
    letters.set(position=1)
    hands[0].result(LATE)
    assert letters.controls["position"].value == 4
    assert repr(letters) == "letter 4 of 'abcdef': e"


def test_a_hand_while_a_cell_is_quiet_is_drawn(other):
    letters = Letters("abcdef")
    with letters.quietly():
        hand = other(setattr, letters.controls["position"], "value", 4)
        time.sleep(SOON)
    hand.result(LATE)
    assert repr(letters) == "letter 4 of 'abcdef': e"


def test_two_explorers_of_one_model(tiny, other):
    model, _tokenizer = tiny
    one, two = (FeedForwardExplorer(*tiny, TEXT) for _explorer in range(2))
    words = [repr(one.set(layers=layers)) for layers in ((0, 0), (1, 1))]
    with held_in(blocks(model)[1].module, other, lambda: repr(two.set(layers=(1, 1)))) as done:
        assert repr(one.set(layers=(0, 0))) == words[0]
    assert done == [words[1]]


# The kernel ----------------------------------------------------------------------------------


@pytest.fixture
def kernel(monkeypatch):
    """Enough of a kernel: it notes on which thread what a front end says is done."""
    seen = []

    def comm_msg(*message):
        seen.append((threading.current_thread(), *message))
        if "raise" in message:
            raise KeyboardInterrupt

    loop = asyncio.new_event_loop()
    kernel = SimpleNamespace(
        shell_handlers={"comm_msg": comm_msg},
        io_loop=SimpleNamespace(add_callback=loop.call_soon_threadsafe, asyncio_loop=loop),
        log=SimpleNamespace(warning=lambda _text: None),
        loop=loop,
        seen=seen,
    )
    monkeypatch.setattr(callbacks, "get_ipython", lambda: SimpleNamespace(kernel=kernel))
    yield kernel
    loop.close()


@pytest.mark.parametrize("says", ["message", "raise"])
def test_a_callback_waits_for_the_cell_and_is_done_on_the_main_thread(kernel, other, says):
    callbacks.wait_for_cells()
    callbacks.wait_for_cells()  # every explorer asks for it
    handle, ended = kernel.shell_handlers["comm_msg"], []

    def subshell():
        handle("stream", "idents", says)
        ended.append(len(kernel.seen))

    def cell():
        ended.append(other(subshell))
        time.sleep(SOON)
        ended.append((len(kernel.seen), ended[0].done()))

    kernel.loop.call_soon(cell)
    kernel.loop.call_later(3 * SOON, kernel.loop.stop)
    kernel.loop.run_forever()
    ended[0].result(LATE)
    assert ended[1] == (0, False)  # as long as the cell ran
    assert kernel.seen == [(threading.main_thread(), "stream", "idents", says)]
    assert ended[2:] == [1]  # the front end has its answer when all is done
    if says == "message":
        handle(says)  # on the main thread at once
        assert kernel.seen[-1] == (threading.main_thread(), says)


def test_a_kernel_that_has_ended_keeps_no_thread_waiting(kernel, other):
    callbacks.wait_for_cells()
    other(kernel.shell_handlers["comm_msg"], "message").result(LATE)
    assert not kernel.seen


def test_without_a_kernel_there_is_nothing_to_wait_for(monkeypatch):
    for shell in (None, SimpleNamespace(kernel=None)):
        monkeypatch.setattr(callbacks, "get_ipython", lambda shell=shell: shell)
        callbacks.wait_for_cells()


# Answers -------------------------------------------------------------------------------------


def test_what_another_thread_prints_is_none_of_the_answer_s(capsys, other):
    attempt, outputs = Attempt(ExerciseSpec("t", iter, (), {}), None), sys.stdout

    def answer():
        print("mine")
        other(print, "a callback's").result(LATE)
        print("mine too", flush=True)
        return 1

    assert attempt.call("prints", function=answer) == 1
    assert attempt.printed.getvalue() == "mine\nmine too\n"
    assert capsys.readouterr().out == "a callback's\n"
    assert sys.stdout is outputs


def test_two_answers_print_each_to_its_own_place(other):
    attempts = [Attempt(ExerciseSpec("t", iter, (), {}), None) for _ in range(2)]
    outputs, first_in, second_in, first_out = sys.stdout, *(threading.Event() for _ in range(3))

    def first():
        with printed_to(attempts[0].printed):
            first_in.set()
            assert second_in.wait(LATE)
            print("first")
        first_out.set()

    with ThreadPoolExecutor(1) as third:
        one = third.submit(first)
        assert first_in.wait(LATE)
        with printed_to(attempts[1].printed):
            second_in.set()
            assert first_out.wait(LATE)
            print("second")
        one.result(LATE)
    assert [attempt.printed.getvalue() for attempt in attempts] == ["first\n", "second\n"]
    assert sys.stdout is outputs


def never_ends() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:  # as a learner may write; TimeUp is none
            pass


def test_a_loop_that_never_ends_is_stopped_on_any_thread(other):
    def limited():
        with pytest.raises(TimeUp), time_limit(0.1):
            never_ends()
        with time_limit(0.1):
            pass
        for _step in range(20):  # nothing comes afterwards
            time.sleep(0.02)
        return "stopped"

    assert other(limited).result(LATE) == "stopped"


def test_it_is_stopped_even_where_it_swallows_everything_once(other):
    def twice():
        try:
            never_ends()
        except BaseException:
            never_ends()

    def limited():
        with pytest.raises(TimeUp), raised_after(0.05, TimeUp):
            twice()
        return "stopped"

    assert other(limited).result(LATE) == "stopped"
