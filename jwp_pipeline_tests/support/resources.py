"""Plain v1 resources to put into a library. A test gives the fields that matter to it; the others have defaults."""


def video(key, **fields):
    """Make a small v1 video. Its date is derived from its key, so that a listing by date has a definite order."""
    number = sum(ord(letter) << 8 * place for place, letter in enumerate(reversed(key[-3:])))
    return {"key": key, "title": f"Video {key}", "date": 1_000_000_000 + number, "updated": 1, "views": 0, **fields}


def videos(*numbers):
    """Make a video for each number, with keys such as v0007."""
    return [video(f"v{number:04}") for number in numbers]


def channel(key, **fields):
    """Make a small v1 manual channel."""
    return {"key": key, "title": f"Channel {key}", "type": "manual", **fields}
