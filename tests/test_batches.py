"""Several texts in one pass: the time of one, its words and picture."""

import pytest

from tests.tiny_models import TINY
from utils.batches import BatchTimes, measure_batches
from utils.figures.batches import batch_times_picture
from utils.language import use_language


def test_measures_each_number_of_texts():
    times = measure_batches(TINY["llama"](), texts=(1, 3), rounds=1)
    assert times.texts == (1, 3)
    assert all(seconds > 0 for seconds in times.seconds)


@pytest.mark.parametrize(("lang", "says"), [("en", "100 tokens/s"), ("ko", "초당 100토큰")])
def test_tells_throughput_and_wait(lang, says):
    use_language(lang)
    picture = batch_times_picture(BatchTimes((1, 8), (0.04, 0.08)))
    use_language("en")
    assert len(picture.words.splitlines()) == 2
    assert says in picture.words
    assert "80 ms" in picture.words
