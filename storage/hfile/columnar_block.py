"""A columnar block in memory: its streams, from which cells are cut when they are asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np

from ..key import TAIL_BYTES
from ..tags import tagged
from ..window import Window
from .block import Block
from .pieces import Pieces, cut
from .words import WORD_BYTES, Words, common_start

_SEARCHES_UNPREPARED: Final = 8
"""A get searches twice, for the beginning and the end of its row, and begins again after every
block that it misses elsewhere."""
_BLOCK_OVERHEAD_BYTES: Final = 800
_CUT_AT_ONCE: Final = 8
"""A window of so few cells is a row that is wanted whole."""
_NEAR_CELLS: Final = 16
"""The end of a row is looked for so near its beginning first."""


class ColumnarBlock(Block):
    """A block as its streams, from which cells are cut when they are asked for.

    A block that is searched once, as most are that were just read from the disk, is searched in
    the streams; one that is searched again gets words. No object is kept per cell: keys would
    take half as much again as the streams.
    """

    __slots__ = (
        "_count",
        "_first_key",
        "_heads",
        "_searches",
        "_tags",
        "_tails",
        "_value_pieces",
        "_words",
        "sizes",
    )

    def __init__(
        self,
        count: int,
        head_lengths: bytes,
        heads: bytes,
        tails: bytes,
        value_lengths: bytes,
        values: bytes,
        tag_lengths: bytes = b"",
        tags: bytes = b"",
    ) -> None:
        """Raises ValueError or struct.error for streams that contradict each other."""
        if len(tails) != count * TAIL_BYTES or not count:
            raise ValueError(f"{len(tails)} bytes of tails for {count} cells")
        self._count = count
        self._heads = Pieces(heads, head_lengths, count)
        self._tails = tails
        self._value_pieces = Pieces(values, value_lengths, count)
        self._tags = Pieces(tags, tag_lengths, count) if tag_lengths else None
        self.sizes: tuple[int, int] | None = None
        """Of every head and of every value, in bytes; None if they differ, or there are tags."""
        if self._tags is None and self._heads.length and self._value_pieces.length:
            self.sizes = self._heads.length, self._value_pieces.length
        self._words: Words | None = None
        self._searches = 0
        self._first_key = self._key(0)
        parts = (self._heads, self._value_pieces, self._tags)
        streams = sum(part.memory_bytes for part in parts if part is not None)
        words = count * WORD_BYTES
        self.memory_bytes = streams + len(tails) + words + _BLOCK_OVERHEAD_BYTES

    def __len__(self) -> int:
        return self._count

    def lower_bound(self, key: bytes, low: int = 0) -> int:
        if key <= self._first_key:
            return low
        words = self._prepared()
        if words is None:
            return self._search(key, low)
        return self._search_between(key, *words.narrowed(key, low, self._count))

    def row_range(self, start: bytes, stop: bytes, low: int = 0) -> tuple[int, int]:
        words = self._words
        if words is None or not (start.startswith(words.shared) and stop.startswith(words.shared)):
            return super().row_range(start, stop, low)
        numbers, count = words.numbers, self._count
        word = words.word_of(start)
        first = bisect_left(numbers, word, low)
        if first < count and numbers[first] == word:
            first = self._search_between(start, first, bisect_right(numbers, word, first))
        word = words.word_of(stop)
        near = min(first + _NEAR_CELLS, count)
        end = bisect_left(numbers, word, first, near)
        if end == near < count:
            end = bisect_left(numbers, word, near)
        if end < count and numbers[end] == word:
            end = self._search_between(stop, end, bisect_right(numbers, word, end))
        return first, end

    def _prepared(self) -> Words | None:
        """Its words, once the block has been searched often enough."""
        if self._words is None:
            self._searches += 1
            if self._searches > _SEARCHES_UNPREPARED:
                self._words = self._made_words()
        return self._words

    def _made_words(self) -> Words:
        shared = common_start(self._first_key, self._key(self._count - 1))
        begin, end = len(shared), len(shared) + WORD_BYTES
        length = self._heads.length
        if length is not None and end <= length:
            heads = np.frombuffer(self._heads.data, np.uint8).reshape(self._count, length)
            return Words(shared, heads[:, begin:end].tobytes())
        return Words.of(self.keys_between(0, self._count))

    def keys_between(self, first: int, end: int) -> list[bytes]:
        return BlockWindow(self, first, end, b"").keys

    def columns_between(self, first: int, end: int) -> list[bytes]:
        """The keys of some neighbours without their tails."""
        return self._heads.between(first, end)

    def tails_between(self, first: int, end: int) -> bytes:
        """The tails of the keys of some neighbours, joined."""
        return self._tails[first * TAIL_BYTES : end * TAIL_BYTES]

    def values_between(self, first: int, end: int) -> list[bytes]:
        """The values of some neighbours."""
        values = self._value_pieces.between(first, end)
        if self._tags is not None:
            values = list(map(tagged, values, self._tags.between(first, end)))
        return values

    def window(self, first: int, end: int, bound: bytes) -> Window:
        if end - first > _CUT_AT_ONCE:
            return BlockWindow(self, first, end, bound)
        if self.sizes is not None:
            head, value = self.sizes
            heads, values = self._heads.data, self._value_pieces.data
            return Window.of_columns(
                [heads[at : at + head] for at in range(first * head, end * head, head)],
                self._tails[first * TAIL_BYTES : end * TAIL_BYTES],
                [values[at : at + value] for at in range(first * value, end * value, value)],
                bound,
            )
        return Window.of_columns(
            self._heads.between(first, end),
            self._tails[first * TAIL_BYTES : end * TAIL_BYTES],
            self.values_between(first, end),
            bound,
        )

    def gather(self, ranges: Sequence[tuple[int, int]]) -> Window:
        at, tails = TAIL_BYTES, self._tails
        values = self._value_pieces.gathered(ranges)
        if self._tags is not None:
            values = list(map(tagged, values, self._tags.gathered(ranges)))
        return Window.of_columns(
            self._heads.gathered(ranges),
            b"".join([tails[first * at : end * at] for first, end in ranges]),
            values,
            b"",
        )

    def add_strips(self, ranges: Sequence[tuple[int, int]], strips: Strips) -> None:
        """Appends the cells of some ranges. Requires: ``sizes`` are those of the strips."""
        head_bytes, value_bytes = strips.sizes
        add_heads, add_tails, add_values = strips.appenders
        heads, tails, values = self._heads.data, self._tails, self._value_pieces.data
        for first, end in ranges:
            add_heads(heads[first * head_bytes : end * head_bytes])
            add_tails(tails[first * TAIL_BYTES : end * TAIL_BYTES])
            add_values(values[first * value_bytes : end * value_bytes])

    def edges(self) -> tuple[bytes, bytes]:
        return self._first_key, self._key(self._count - 1)

    def _key(self, place: int) -> bytes:
        return self._heads[place] + self._tails[place * TAIL_BYTES : (place + 1) * TAIL_BYTES]

    def _search(self, key: bytes, low: int) -> int:
        high = self._count
        step = 1
        while low and low + step < high:  # the end of a row is near its beginning
            if not self._is_below(low + step, key):
                high = low + step
                break
            low += step
            step *= 2
        return self._search_between(key, low, high)

    def _search_between(self, key: bytes, low: int, high: int) -> int:
        while low < high:
            middle = (low + high) // 2
            if self._is_below(middle, key):
                low = middle + 1
            else:
                high = middle
        return low

    def _is_below(self, place: int, key: bytes) -> bool:
        head = self._heads[place]
        # A head below the key decides, unless the key goes on where the head ends.
        return head < key and (not key.startswith(head) or self._key(place) < key)


class BlockWindow(Window):
    """Neighbours in a columnar block. They are cut when they are asked for, so that a merge,
    which often takes the first few of them only, does not cut the others again and again."""

    __slots__ = ("_block", "_end", "_first")

    def __init__(self, block: ColumnarBlock, first: int, end: int, bound: bytes) -> None:
        super().__init__(None, None, bound)
        self._block = block
        self._first = first
        self._end = end

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def columns(self) -> list[bytes]:
        if self._columns is None:
            self._columns = self._block.columns_between(self._first, self._end)
        return self._columns

    @property
    def tails(self) -> bytes:
        return self._block.tails_between(self._first, self._end)

    @property
    def values(self) -> list[bytes]:
        if self._values is None:
            self._values = self._block.values_between(self._first, self._end)
        return self._values

    def below(self, bound: bytes) -> Window:
        end = min(self._block.lower_bound(bound, self._first), self._end)
        return BlockWindow(self._block, self._first, end, bound)


class Strips:
    """Heads, tails and values of cells of one size, as the bytes of one run after another."""

    __slots__ = ("_heads", "_tails", "_values", "appenders", "sizes")

    def __init__(self, sizes: tuple[int, int]) -> None:
        self.sizes = sizes
        """Of a head and of a value, in bytes; neither is 0."""
        self._heads: list[bytes] = []
        self._tails: list[bytes] = []
        self._values: list[bytes] = []
        self.appenders = self._heads.append, self._tails.append, self._values.append

    def window(self) -> Window:
        """The cells, cut all at once."""
        head_bytes, value_bytes = self.sizes
        return Window.of_columns(
            cut(b"".join(self._heads), head_bytes),
            b"".join(self._tails),
            cut(b"".join(self._values), value_bytes),
            b"",
        )


class Gathering:
    """Cells of many blocks of a file, a few of each, which become one window.

    To cut the few cells of each block by themselves takes twice as long.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[Window | Strips] = []

    def add(self, block: Block, ranges: Sequence[tuple[int, int]]) -> None:
        """Appends the cells from each first place to before its end; ranges in order."""
        parts = self._parts
        if not isinstance(block, ColumnarBlock) or block.sizes is None:
            parts.append(block.gather(ranges))
            return
        sizes = block.sizes
        last = parts[-1] if parts else None
        if not isinstance(last, Strips) or last.sizes != sizes:
            last = Strips(sizes)
            parts.append(last)
        block.add_strips(ranges, last)

    def window(self) -> Window:
        """All cells added."""
        windows = [one.window() if isinstance(one, Strips) else one for one in self._parts]
        return Window.joined(windows) if windows else Window([], [], b"")
