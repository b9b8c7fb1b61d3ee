"""What many tests share: tiny models, and the course's default model."""

import gc
import os
import sys
from itertools import count

import hypothesis
import pytest
from nbval.plugin import IPyNbCell

os.environ.setdefault("COURSE_LANG", "en")  # tests read messages in English unless they choose

from tests import warm_kernels
from tests.tiny_models import TINY, tiny_tokenizer
from utils.explorers.base import Explorer
from utils.figures import picture, style
from utils.language import current_language, use_language

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("course")


def pytest_collection_finish(session):
    """What is loaded by now stays: the collector need not walk through it thousands of times."""
    gc.collect()
    gc.freeze()
    if warm_kernels.POSSIBLE and any(isinstance(item, IPyNbCell) for item in session.items):
        warm_kernels.use_warm_kernels()


@pytest.fixture(params=TINY)
def tiny(request):
    """(model, tokenizer).  A test that takes it runs once for every architecture.

    `@pytest.mark.parametrize("tiny", ["llama"], indirect=True)` runs it for some only.
    """
    return TINY[request.param](), tiny_tokenizer()


@pytest.fixture(scope="session")
def default_model():
    """(model, tokenizer): the default model, prepared on this machine by the first who asks."""
    from utils.model import load_model

    return load_model("smollm2", "cpu")


def words_alone(explorer, record) -> str:
    """The words of a record without its picture: beside every `x_picture` stands `x_words`."""
    picture = explorer.picture
    words = picture.__name__.replace("_picture", "_words")
    return getattr(sys.modules[picture.__module__], words)(record)


@pytest.fixture
def learner(tmp_path, monkeypatch):
    """Somebody is learning, in English, with a progress and a folder of notebooks of their own.

    Returns that folder, which is not the working folder.
    """
    folder = tmp_path / "chapters" / "en"
    folder.mkdir(parents=True)
    monkeypatch.setenv("COURSE_LEARNER", "on")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.setenv("COURSE_CHAPTERS", str(tmp_path / "chapters"))
    monkeypatch.delenv("COURSE_MY_LLM", raising=False)
    use_language("en")
    yield folder
    use_language("en")


@pytest.fixture(autouse=True)
def nothing_unforeseen(monkeypatch):
    """What an explorer did not foresee is a sentence for a learner, and an error in a test."""

    def broken(_explorer, problem):
        raise problem

    monkeypatch.setattr(Explorer, "_broken", broken)


@pytest.fixture
def drawn_once(monkeypatch):
    """Small pictures, none drawn twice, and one in five down to its pixels.

    Of hundreds of moves most lead where one has been; what can fail is in the words and in the
    making of the figure, and half of the time goes into pixels.
    """
    show, seen, drawn = Explorer._show, set(), count()

    def show_once(explorer, record):
        state = type(explorer), current_language(), words_alone(explorer, record)
        if state not in seen:
            seen.add(state)
            show(explorer, record)
        else:
            explorer._words = state[-1]
            explorer.say("")

    def png_now_and_then(figure):
        return style.png(figure) if next(drawn) % 5 == 0 else b"not drawn: pixels take long"

    monkeypatch.setattr(style, "PIXEL_DENSITY", 0.5)
    monkeypatch.setattr(picture, "png", png_now_and_then)
    monkeypatch.setattr(Explorer, "_show", show_once)
    return seen
