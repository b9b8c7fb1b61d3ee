"""What figures put on a page: texts cut to their room, and boxes in CSS pixels."""

import pytest

from utils.figures.page import (
    WIDTH,
    axes_at,
    box_on_page,
    cut,
    cut_beginning,
    layer_ticks,
    new_page,
    rounded,
)
from utils.figures.style import in_course_style


@pytest.mark.parametrize(
    ("text", "room", "end", "beginning"),
    [
        ("capital", 7, "capital", "capital"),
        ("capital", 5, "capi…", "… pital"),
        ("프랑스의", 8, "프랑스의", "프랑스의"),
        ("프랑스의", 7, "프랑스…", "… 랑스의"),
        ("수도 is", 6, "수도 …", "… 도 is"),
        ("capital", 1, "c…", "… l"),
        ("", 3, "", ""),
    ],
)
def test_a_text_is_cut_to_its_room_and_hangul_takes_two(text, room, end, beginning):
    assert cut(text, room) == end
    assert cut_beginning(text, room) == beginning


def test_numbers_in_two_digits():
    assert [rounded(x) for x in (1234.5, 0.0456, 7, 99.6)] == ["1200", "0.046", "7", "100"]


def test_every_fifth_of_many_layers_is_numbered():
    assert list(layer_ticks(4)) == [0, 1, 2, 3]
    assert list(layer_ticks(30)) == [0, 5, 10, 15, 20, 25]


def test_a_box_of_axes_is_told_in_css_pixels_from_the_top_left():
    @in_course_style
    def draw():
        figure, page = new_page(200)
        assert box_on_page(page, (10, 30), (40, 45)) == pytest.approx((10, 40, 20, 5))
        axes = axes_at(figure, 100, 50, 400, 100, xlim=(0, 4), ylim=(0, 1))
        return box_on_page(axes, (1, 2), (0, 1)), box_on_page(page, (0, WIDTH), (0, 200))

    inside, whole = draw()
    assert inside == pytest.approx((200, 50, 100, 100))
    assert whole == pytest.approx((0, 0, WIDTH, 200))
