"""Encodes a still picture with a progress bar as H.264, in the simplest way that the standard (ITU-T H.264) allows.

The first frame holds the picture as it is, without compression ("I_PCM"). Each following frame repeats the one before
but for one macroblock of 16 by 16 pixels, so that the bar grows from left to right.
"""

from __future__ import annotations

import re

from PIL import Image

BLOCK = 16
_PCM_IN_I_SLICE = 25
_PCM_IN_P_SLICE = 30
_I_SLICES, _P_SLICES = 7, 5
_IDR_NAL, _SLICE_NAL, _SPS_NAL, _PPS_NAL = 0x65, 0x41, 0x67, 0x68


class _Bits:
    """A string of bits, written from left to right."""

    def __init__(self) -> None:
        self._bits: list[str] = []
        self._length = 0

    def fixed(self, value: int, width: int) -> None:
        self._bits.append(f"{value:0{width}b}")
        self._length += width

    def golomb(self, *values: int) -> None:
        """Write unsigned Exp-Golomb codes, which the standard calls ue(v)."""
        for value in values:
            width = (value + 1).bit_length()
            self.fixed(value + 1, 2 * width - 1)

    def pcm(self, block: bytes) -> None:
        """Go to the next whole byte and write a macroblock's samples."""
        if self._length % 8:
            self.fixed(0, 8 - self._length % 8)
        self.fixed(int.from_bytes(block), 8 * len(block))

    def nal(self, head: int) -> bytes:
        """End the bits and return them as a NAL unit."""
        bits = "".join(self._bits) + "1"
        bits += "0" * (-len(bits) % 8)
        payload = int(bits, 2).to_bytes(len(bits) // 8)
        # Three bytes that look like a start code must not occur inside.
        return bytes([head]) + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", payload)


def parameter_sets(width: int, height: int) -> tuple[bytes, bytes]:
    """Return the sequence and picture parameter sets for pictures of this size in pixels (even numbers)."""
    columns, rows = _blocks(width), _blocks(height)
    sequence = _Bits()
    sequence.fixed(66, 8)  # Constrained Baseline profile
    sequence.fixed(0b1100_0000, 8)
    sequence.fixed(30, 8)  # Level 3
    sequence.golomb(0, 0, 2, 1)  # id, 4 bits of frame number, frames shown in the order decoded, one reference frame
    sequence.fixed(0, 1)
    sequence.golomb(columns - 1, rows - 1)
    sequence.fixed(0b111, 3)  # whole frames, 8x8 inference, cropping
    sequence.golomb(0, (columns * BLOCK - width) // 2, 0, (rows * BLOCK - height) // 2)
    sequence.fixed(0, 1)
    frame = _Bits()
    frame.golomb(0, 0)  # id of these parameters and of the sequence's
    frame.fixed(0, 2)  # CAVLC
    frame.golomb(0, 0, 0)
    frame.fixed(0, 3)
    frame.golomb(0, 0, 0)
    frame.fixed(0b100, 3)  # Slices say themselves whether they are deblocked.
    return sequence.nal(_SPS_NAL), frame.nal(_PPS_NAL)


def frames(picture: Image.Image, bar: tuple[int, int, int]) -> list[bytes]:
    """Return the NAL units of the picture and of the frames in which the bar grows, one for each column of blocks."""
    columns, rows = _blocks(picture.width), _blocks(picture.height)
    padded = Image.new("RGB", (columns * BLOCK, rows * BLOCK))
    padded.paste(picture)
    whole = _Bits()
    whole.golomb(0, _I_SLICES, 0)
    whole.fixed(0, 4)  # frame number
    whole.golomb(0)
    whole.fixed(0, 2)
    whole.golomb(0, 1)  # no change of the quantiser, no deblocking
    for block in _samples(padded):
        whole.golomb(_PCM_IN_I_SLICE)
        whole.pcm(block)
    (colour,) = _samples(Image.new("RGB", (BLOCK, BLOCK), bar))
    # The lowest row of blocks that is not cropped.
    first = (picture.height // BLOCK - 1) * columns
    grown = [_grown(number, first + number - 1, columns * rows, colour) for number in range(1, columns + 1)]
    return [whole.nal(_IDR_NAL), *grown]


def _grown(number: int, place: int, blocks: int, colour: bytes) -> bytes:
    bits = _Bits()
    bits.golomb(0, _P_SLICES, 0)
    bits.fixed(number % 16, 4)
    bits.fixed(0, 3)
    bits.golomb(0, 1)
    # So many blocks are as in the frame before, and then comes one that is not.
    bits.golomb(place, _PCM_IN_P_SLICE)
    bits.pcm(colour)
    if place < blocks - 1:
        bits.golomb(blocks - 1 - place)
    return bits.nal(_SLICE_NAL)


def _samples(image: Image.Image) -> list[bytes]:
    """Return the samples of each block: 256 of brightness, then 64 of blue and 64 of red."""
    # Video keeps the ends of the range free, so 0 to 255 becomes 16 to 235 or 240.
    limits = (219, 224, 224)
    bands = [
        band.point([16 + value * limit // 255 for value in range(256)])
        for band, limit in zip(image.convert("YCbCr").split(), limits, strict=True)
    ]
    half = (image.width // 2, image.height // 2)
    planes = [bands[0], bands[1].resize(half), bands[2].resize(half)]
    return [
        b"".join(
            plane.crop((x // part, y // part, (x + BLOCK) // part, (y + BLOCK) // part)).tobytes()
            for plane, part in zip(planes, (1, 2, 2), strict=True)
        )
        for y in range(0, image.height, BLOCK)
        for x in range(0, image.width, BLOCK)
    ]


def _blocks(pixels: int) -> int:
    return -(-pixels // BLOCK)
