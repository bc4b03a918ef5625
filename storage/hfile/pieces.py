"""Pieces: a stream that is many byte strings one after another."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np

_UNPACKED_FROM: Final = 8
"""Pieces from which one call of struct is faster than slices."""


class Pieces:
    """A stream that is many byte strings one after another."""

    __slots__ = ("_ends", "_length", "data", "memory_bytes")

    def __init__(self, data: bytes, lengths: bytes, count: int) -> None:
        """Raises ValueError or struct.error unless the lengths make up ``data``."""
        self.data = data
        self._length = 0
        self._ends: array[int] | None = None
        self.memory_bytes = len(data)
        if len(lengths) == 4:
            (self._length,) = struct.unpack("<I", lengths)
            total = self._length * count
        else:
            if len(lengths) != 4 * count:
                raise ValueError(f"{len(lengths)} bytes of lengths for {count} pieces")
            ends = np.cumsum(np.frombuffer(lengths, "<u4"), dtype=np.uint64)
            total = int(ends[-1])
            self._ends = array("Q", ends.tobytes())
            self.memory_bytes += 8 * count
        if total != len(data):
            raise ValueError(f"{count} pieces of {total} bytes in a stream of {len(data)}")

    def __getitem__(self, place: int) -> bytes:
        ends = self._ends
        if ends is None:
            length = self._length
            return self.data[place * length : (place + 1) * length]
        return self.data[ends[place - 1] if place else 0 : ends[place]]

    def between(self, first: int, end: int) -> list[bytes]:
        """Some neighbours."""
        ends = self._ends
        data = self.data
        if ends is not None:
            stops = ends[first:end]
            return [
                data[start:stop]
                for start, stop in zip(
                    chain((ends[first - 1] if first else 0,), stops), stops, strict=False
                )
            ]
        length = self._length
        count = end - first
        if count > _UNPACKED_FROM:
            return list(struct.unpack_from(f"{length}s" * count, data, first * length))
        start = first * length
        return (
            [data[at : at + length] for at in range(start, start + count * length, length)]
            if length
            else [b""] * count
        )

    @property
    def length(self) -> int | None:
        """Of every piece; None if they differ."""
        return self._length if self._ends is None else None

    def gathered(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Those of some ranges of neighbours."""
        return [piece for first, end in ranges for piece in self.between(first, end)]


def cut(joined: bytes, length: int) -> list[bytes]:
    """Pieces of one length, which is not 0."""
    return list(struct.unpack(f"{length}s" * (len(joined) // length), joined))
