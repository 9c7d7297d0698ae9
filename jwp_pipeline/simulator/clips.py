"""Makes the clips that the simulator delivers: MP4 files of any length in some hundred kilobytes, which really play.

A video clip is the poster with a bar that grows while it plays; an audio clip is silence. The files are fragmented, so
that they serve both as a file and, with their head as the initialisation section, as the segment of an HLS playlist.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from jwp_pipeline.simulator import h264, posters

WIDTH, HEIGHT = 320, 180
TIMESCALE = 1000
AUDIO_RATE = 8000
AUDIO_FRAME_SAMPLES = 1024
SILENT_FRAME = bytes.fromhex("00c800802380")
"""A frame of AAC for one channel in which all bands are zero."""
_AAC_CONFIG = bytes.fromhex("1588")
"""AAC LC, 8 kHz, one channel."""
_STANDS_ALONE = 0x0200_0000
_NEEDS_THE_ONE_BEFORE = 0x0101_0000
_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)


@dataclass(frozen=True, slots=True)
class Clip:
    """An MP4 file in its two parts."""

    head: bytes
    fragment: bytes

    @property
    def body(self) -> bytes:
        """The whole file."""
        return self.head + self.fragment


@lru_cache(maxsize=32)
def video_clip(card: posters.Card, seconds: float) -> Clip:
    """Return a clip of this length with H.264 of 320 by 180 pixels."""
    units = h264.frames(posters.picture(card, WIDTH, HEIGHT), posters.accent(card))
    sequence, frame = h264.parameter_sets(WIDTH, HEIGHT)
    config = b"\1" + sequence[1:4] + b"\xff\xe1" + _counted(sequence) + b"\1" + _counted(frame)
    entry = _box(
        "avc1",
        struct.pack(">6xH16xHHIIIH32xHh", 1, WIDTH, HEIGHT, 0x48_0000, 0x48_0000, 0, 1, 24, -1),
        _box("avcC", config),
    )
    media_head = _box("vmhd", struct.pack(">II4x", 1, 0))
    head = _head("vide", media_head, entry, TIMESCALE, round(seconds * TIMESCALE), (WIDTH, HEIGHT))
    samples = [struct.pack(">I", len(unit)) + unit for unit in units]
    frame_time = max(round(seconds * TIMESCALE / len(samples)), 1)
    return Clip(head, _fragment(samples, frame_time, _NEEDS_THE_ONE_BEFORE))


@lru_cache(maxsize=32)
def audio_clip(seconds: float) -> Clip:
    """Return a clip of this length with silent AAC."""
    count = max(round(seconds * AUDIO_RATE / AUDIO_FRAME_SAMPLES), 1)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(5, _AAC_CONFIG))
    stream = _descriptor(3, struct.pack(">HB", 1, 0) + decoder + _descriptor(6, b"\2"))
    entry = _box(
        "mp4a",
        struct.pack(">6xH8xHH4xI", 1, 1, 16, AUDIO_RATE << 16),
        _box("esds", struct.pack(">I", 0), stream),
    )
    head = _head("soun", _box("smhd", bytes(8)), entry, AUDIO_RATE, count * AUDIO_FRAME_SAMPLES, (0, 0))
    return Clip(head, _fragment([SILENT_FRAME] * count, AUDIO_FRAME_SAMPLES, _STANDS_ALONE))


def _head(handler: str, media_head: bytes, entry: bytes, timescale: int, duration: int, size: tuple[int, int]) -> bytes:
    """Return the boxes that stand before the samples. The duration is in units of the time scale."""
    movie = _full("mvhd", 0, struct.pack(">4IIH10x", 0, 0, timescale, 0, 0x10000, 0x100), _UNITY, bytes(24), _number(2))
    track = _full(
        "tkhd",
        3,
        struct.pack(">5I8x4H", 0, 0, 1, 0, 0, 0, 0, 0x100 if handler == "soun" else 0, 0),
        _UNITY,
        struct.pack(">II", size[0] << 16, size[1] << 16),
    )
    media = _box(
        "mdia",
        _full("mdhd", 0, struct.pack(">4IHH", 0, 0, timescale, 0, 0x55C4, 0)),
        _full("hdlr", 0, struct.pack(">4x4s13x", handler.encode())),
        _box("minf", media_head, _box("dinf", _full("dref", 0, _number(1), _full("url ", 1))), _table(entry)),
    )
    extends = _box("mvex", _full("mehd", 0, _number(duration)), _full("trex", 0, struct.pack(">5I", 1, 1, 0, 0, 0)))
    return _box("ftyp", b"iso5", _number(512), b"iso5iso6mp41") + _box(
        "moov", movie, _box("trak", track, media), extends
    )


def _table(entry: bytes) -> bytes:
    empty = [
        _full("stts", 0, _number(0)),
        _full("stsc", 0, _number(0)),
        _full("stsz", 0, bytes(8)),
        _full("stco", 0, _number(0)),
    ]
    return _box("stbl", _full("stsd", 0, _number(1), entry), *empty)


def _fragment(samples: list[bytes], duration: int, flags: int) -> bytes:
    """Return the samples, which all have this duration, in one fragment. `flags` are those of all but the first."""

    def movie(offset: int) -> bytes:
        sizes = struct.pack(f">{len(samples)}I", *map(len, samples))
        run = struct.pack(">III", len(samples), offset, _STANDS_ALONE) + sizes
        track = _box(
            "traf",
            _full("tfhd", 0x2_0028, struct.pack(">III", 1, duration, flags)),
            _full("tfdt", 0, _number(0)),
            _full("trun", 0x205, run),
        )
        return _box("moof", _full("mfhd", 0, _number(1)), track)

    # The offset counts from the start of `moof` to the samples, behind the head of `mdat`.
    return movie(len(movie(0)) + 8) + _box("mdat", *samples)


def _box(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def _full(kind: str, flags: int, *parts: bytes) -> bytes:
    """Return a box that begins with its version, which is 0, and its flags."""
    return _box(kind, _number(flags), *parts)


def _number(number: int) -> bytes:
    return struct.pack(">I", number)


def _counted(part: bytes) -> bytes:
    return struct.pack(">H", len(part)) + part


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body
