"""What many tests share: tiny models, and the course's default model."""

import gc
import os

import pytest
from nbval.plugin import IPyNbCell

os.environ.setdefault("COURSE_LANG", "en")  # tests read messages in English unless they choose

from tests import warm_kernels
from tests.tiny_models import TINY, tiny_tokenizer
from utils.explorers.base import Explorer
from utils.figures import style
from utils.language import current_language


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


@pytest.fixture
def drawn_once(monkeypatch):
    """Small pictures, and none drawn twice: of hundreds of moves, most lead where one has been."""
    show, seen = Explorer._show, set()

    def show_once(explorer, record):
        state = type(explorer), current_language(), explorer.words(record)
        if state not in seen:
            seen.add(state)
            show(explorer, record)
        else:
            explorer._words = state[-1]
            explorer.say("")

    monkeypatch.setattr(style, "PIXEL_DENSITY", 0.5)
    monkeypatch.setattr(Explorer, "_show", show_once)
    return seen
