"""Draws pictures that are small enough for Dagster's UI to show them unfolded, as SVG in the URL of an image.

The UI hides Markdown of 1,000 characters or more behind a button, and a picture by matplotlib has a hundred times as
many. The functions are pure. Put here how such a picture is drawn; the text around it is written by those who use it.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_CHARACTERS = 999
"""What Dagster's UI shows unfolded."""

WIDTH, HEIGHT = 350, 60
"""Pixels. A wider picture is cut off in the UI, in a window of 1,400 pixels beside a long key."""

COLUMNS = 50
"""A picture has no more columns than this, so that it stays small."""

_BLUE, _RED = "%232b6c99", "%23c8553d"
_BLOCKS = 20


def line(numbers: Sequence[int]) -> str:
    """Return the URL of a line through the numbers, in order.

    Its axis spans at least a twentieth of the highest number, so that a few changes do not look like many.
    """
    shown = _thinned(numbers)
    if len(shown) == 1:
        # A single day is a line of its own.
        shown = [*shown, *shown]
    low, high = min(shown, default=0), max(shown, default=0)
    span = max(high - low, high // 20, 1)
    step = WIDTH // max(len(shown) - 1, 1)
    # Half of the line's width stays free at both edges.
    points = [f"{place * step},{1 + _top(number - low, span, HEIGHT - 2)}" for place, number in enumerate(shown)]
    return _svg(f"<path%20d='M{','.join(points)}'%20fill='none'%20stroke='{_BLUE}'%20stroke-width='2'/>" * bool(points))


def bars(up: Sequence[int], down: Sequence[int] = ()) -> str:
    """Return the URL of a picture with a bar for each number of `up` and, below the axis, one for each of `down`.

    Only the last COLUMNS numbers are drawn.
    """
    up, down = up[-COLUMNS:], down[-COLUMNS:]
    most = max([*up, *down], default=0) or 1
    axis = HEIGHT // 2 if any(down) else HEIGHT
    above = _area([_top(number, most, axis) for number in up], axis, _BLUE)
    below = _area([2 * axis - _top(number, most, axis) for number in down], axis, _RED) if any(down) else ""
    return _svg(above + below)


def image(title: str, url: str) -> str:
    """Return the Markdown of a picture. `title` holds no brackets."""
    return f"![{title}]({url})"


def table_of_bars(head: tuple[str, str], counts: Sequence[tuple[str, int]]) -> str:
    """Return a Markdown table of names and counts, with a bar of blocks for each, as far as there is room.

    `head` names the two columns. The names are Markdown.
    """
    lines = [f"| {head[0]} | {head[1]} | |", "|---|--:|---|"]
    most = max((count for _, count in counts), default=0) or 1
    for name, count in counts:
        row = f"| {name} | {count:,} | {'█' * max(1, round(count / most * _BLOCKS))} |"
        if sum(map(len, lines)) + len(lines) + len(row) > MOST_CHARACTERS:
            break
        lines.append(row)
    return "\n".join(lines)


def _thinned(numbers: Sequence[int]) -> Sequence[int]:
    """Return at most COLUMNS of the numbers, evenly spaced, with the last one, which is the present."""
    every = -(-len(numbers) // COLUMNS) or 1
    return numbers[::-1][::every][::-1]


def _top(number: int, most: int, height: int) -> int:
    """Return how far below the upper edge a number is drawn if `most` is drawn at the edge and 0 at `height`."""
    return round((most - number) / most * height)


def _area(edges: Sequence[int], axis: int, colour: str) -> str:
    """Return a filled area between the axis and a step of the same width for each edge."""
    width = WIDTH // max(len(edges), 1)
    steps = "".join(f"V{edge}h{width}" for edge in edges)
    return f"<path%20d='M0,{axis}{steps}V{axis}z'%20fill='{colour}'/>"


def _svg(shapes: str) -> str:
    # Markdown allows no blank in the address of an image, and a # would begin its fragment.
    size = f"width='{WIDTH}'%20height='{HEIGHT}'"
    return f"data:image/svg+xml,<svg%20xmlns='http://www.w3.org/2000/svg'%20{size}>{shapes}</svg>"
