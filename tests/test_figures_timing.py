"""Pictures of times and of losses past the context: with words, and no wider than the column."""

import torch

from tests.tiny_models import TINY
from utils.figures.losses import distance_picture, loss_picture
from utils.figures.timing import answer_times_words, pass_times_picture
from utils.timing import AnswerTimes, StepTimes, pass_times


def test_the_pictures_say_what_they_show():
    model = TINY["llama"]()
    times = list(pass_times(model, torch.arange(3, 30), (2, 5)))
    assert [t.tokens for t in times] == [2, 5]
    pictures = [
        pass_times_picture(times),
        loss_picture([3.0, 2.5], [3.0, 2.5, 2.0, 9.0], 512, 1024),
        distance_picture([0, 1000], [2.0, 7.5], 3.25, 512),
    ]
    for picture in pictures:
        bundle, about = picture._repr_mimebundle_()
        assert bundle["text/plain"] == repr(picture)
        assert about["image/png"]["width"] <= 740
        assert len(bundle["image/png"]) > 1000
    assert "9.0" in repr(pictures[1])
    assert "1,000 positions in between: loss 7.5" in repr(pictures[2])


def test_the_times_of_an_answer_in_words():
    times = StepTimes((4, 16), (0.01, 0.02), (0.01, 0.01))
    words = answer_times_words(AnswerTimes(times, prompt_tokens=4, new_tokens=3))
    assert words.startswith("3 new tokens after a prompt of 4:")
    assert "with the cache 0.03 s, the last step 0.010 s" in words
