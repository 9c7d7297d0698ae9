"""Pictures of the past are small enough for Dagster's UI to show them unfolded, and are good Markdown and SVG."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.history.small_pictures import HEIGHT, MOST_CHARACTERS, WIDTH, bars, image, line, table_of_bars

NUMBERS = st.lists(st.integers(min_value=0, max_value=10**9), max_size=3000)


def points(url):
    """Parse a picture as a browser does, and return the coordinates of all its points."""
    scheme, _, svg = unquote(url).partition(",")
    assert scheme == "data:image/svg+xml"
    found = []
    for path in ElementTree.fromstring(svg):
        x = y = 0
        for letter, numbers in re.findall(r"([MVhz])([\d,]*)", path.get("d")):
            values = [int(number) for number in numbers.split(",") if number]
            if letter == "M":
                found += list(zip(values[::2], values[1::2], strict=True))
                x, y = found[-1]
            elif letter == "V":
                y = values[0]
                found.append((x, y))
            elif letter == "h":
                x += values[0]
                found.append((x, y))
    return found


@given(NUMBERS, NUMBERS)
def test_every_picture_is_within_its_frame_and_short_enough_to_be_shown_unfolded(up, down):
    for url in (line(up), bars(up), bars(up, down)):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(url))
        shown = image("a title of some length", url)
        assert len(shown) <= MOST_CHARACTERS - 150
        # In Markdown, none of these may stand in the address of an image.
        assert not re.search(r"[\s()#]", url)


def test_a_line_rises_with_its_numbers_and_a_small_change_looks_small():
    assert [y for _, y in points(line([0, 5, 10]))] == [59, 30, 1]
    ys = [y for _, y in points(line([1000, 1001]))]
    assert 0 < ys[0] - ys[1] < HEIGHT / 20
    assert len({y for _, y in points(line([7]))}) == 1


def test_the_last_numbers_are_those_that_are_drawn():
    assert points(line([0] * 3000 + [1]))[-1][1] == 1
    assert points(bars([0] * 3000 + [1]))[-2] == (WIDTH, 0)


def test_what_goes_is_drawn_below_the_axis():
    ys = {y for _, y in points(bars([2], [1]))}
    assert ys == {0, HEIGHT // 2, HEIGHT * 3 // 4}


@pytest.mark.parametrize("rows", [0, 1, 200])
def test_a_table_of_bars_ends_where_it_would_be_hidden(rows):
    table = table_of_bars(("tag", "items"), [(f"`tag number {number}`", rows - number) for number in range(rows)])
    assert len(table) <= MOST_CHARACTERS
    assert table.startswith("| tag | items | |\n|---|--:|---|")
    assert (table.count("\n") > 10) == (rows == 200)
