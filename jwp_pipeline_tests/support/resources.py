"""Plain v1 resources to put into a library. A test names the fields that it is about; the others are as here."""


def video(key, **fields):
    """A small v1 video. Its date follows from its key, so that a listing by date has one order."""
    number = sum(ord(letter) << 8 * place for place, letter in enumerate(reversed(key[-3:])))
    return {"key": key, "title": f"Video {key}", "date": 1_000_000_000 + number, "updated": 1, "views": 0, **fields}


def videos(*numbers):
    """Videos with keys such as v0007 for each number."""
    return [video(f"v{number:04}") for number in numbers]


def channel(key, **fields):
    """A small v1 manual channel."""
    return {"key": key, "title": f"Channel {key}", "type": "manual", **fields}
