"""Words: keys in order found by eight bytes of each, without a look at the keys."""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import takewhile
from typing import Final, Self

WORD_BYTES: Final = 8
_WORD: Final = struct.Struct(">Q")


class Words:
    """Of every key the number that its bytes behind what all keys share make.

    A bisection of keys touches an object of its own, and most often a page of memory of its
    own, at every step; one of these touches a few cache lines. The numbers are in the order of
    the keys, so that only among equal ones the keys themselves have to be looked at.
    """

    __slots__ = ("at", "numbers", "shared")

    def __init__(self, shared: bytes, packed: bytes) -> None:
        self.shared = shared
        """What all keys begin with."""
        self.at = len(shared)
        self.numbers = array("Q", packed)
        if sys.byteorder == "little":
            self.numbers.byteswap()

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Self:
        """Of keys in order, at least one. Those too short for a word end with zeros."""
        shared = common_start(keys[0], keys[-1])
        begin, end = len(shared), len(shared) + WORD_BYTES
        return cls(shared, b"".join([key[begin:end].ljust(WORD_BYTES, b"\0") for key in keys]))

    @property
    def memory_bytes(self) -> int:
        return WORD_BYTES * len(self.numbers)

    def word_of(self, key: bytes) -> int:
        """Of a key that begins as all do."""
        at = self.at
        if len(key) - at >= WORD_BYTES:
            word: int = _WORD.unpack_from(key, at)[0]
            return word
        return int.from_bytes(key[at:].ljust(WORD_BYTES, b"\0"))

    def narrowed(self, key: bytes, low: int, high: int) -> tuple[int, int]:
        """Between which two places, not outside of these, the key's lower bound is.

        If both are the same, that is the lower bound, and no key is equal to this one.
        """
        shared = self.shared
        if not key.startswith(shared):
            return (low, low) if key < shared else (high, high)
        number = self.word_of(key)
        numbers = self.numbers
        low = bisect_left(numbers, number, low, high)
        if low == high or numbers[low] != number:
            return low, low
        return low, bisect_right(numbers, number, low, high)


def common_start(first: bytes, last: bytes) -> bytes:
    """What both begin with; whatever is between them in order begins so, too."""
    pairs = zip(first, last, strict=False)
    return first[: sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))]
