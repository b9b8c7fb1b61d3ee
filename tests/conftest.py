"""What many tests share: tiny models, and the course's default model."""

import os

import pytest

os.environ.setdefault("COURSE_LANG", "en")  # tests read messages in English unless they choose

from tests.tiny_models import TINY, tiny_tokenizer
from utils.figures import style


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
def small_pictures(monkeypatch):
    """Pictures a quarter as wide and high: where hundreds are drawn, that halves the time."""
    monkeypatch.setattr(style, "PIXEL_DENSITY", 0.5)
