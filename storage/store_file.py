"""A file of a store, whole or the half that a daughter region refers to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from ..model import TimeRange
from .block_cache import BlockCache
from .hfile import Block, Gathering, HFileReader, HFileStats
from .key import AFTER_END, END, unescape
from .manifest import StoreFileEntry
from .window import Window


class StoreFile:
    """An open HFile seen through the key bounds of its manifest entry.

    Every method that reads may raise BlockMiss before anything changed: fetch the bytes, hand
    them to ``reader.admit`` and call again.
    """

    __slots__ = ("__weakref__", "_end", "_first", "_last", "_lower", "entry", "reader")

    def __init__(self, entry: StoreFileEntry, reader: HFileReader) -> None:
        self.entry = entry
        self.reader = reader
        self._lower = entry.lower
        self._end = entry.upper
        stats = reader.stats
        self._first = max(stats.first_key, entry.lower)
        self._last = stats.last_key if stats.entries else b""

    @property
    def path(self) -> str:
        return self.entry.path

    def may_have_range(self, start: bytes, stop: bytes) -> bool:
        """False only if the file has no key ``start <= key < stop`` (empty stop: open)."""
        return (
            start <= self._last
            and self._last >= self._lower
            and (not stop or self._first < stop)
            and (not self._end or (start < self._end and self._first < self._end))
        )

    def may_have_row(self, encoded_row: bytes, cache: BlockCache) -> bool:
        """False only if the file has no cell of the row."""
        return self.reader.may_contain_row(encoded_row, cache)

    def may_have_columns(
        self, encoded_row: bytes, qualifiers: Iterable[bytes] | None, cache: BlockCache
    ) -> bool:
        """False only if no cell of the file matters to these columns of the row; None: to all."""
        reader = self.reader
        if qualifiers is None or not reader.knows_columns:
            return reader.may_contain_row(encoded_row, cache)
        return any(
            reader.may_contain_column(encoded_row, qualifier, cache) for qualifier in qualifiers
        )

    def may_have_between(self, start: bytes, stop: bytes, cache: BlockCache) -> bool:
        """False only if no row between two keys is in the file, by what they have in common.

        Source: StoreFileReader.passesGeneralRowPrefixBloomFilter.
        """
        if not self.reader.knows_prefixes or not stop:
            return True
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(start, stop, strict=False))
        shared = start[: sum(1 for _ in alike)].partition(END)[0]
        prefix = unescape(shared.removesuffix(b"\0"))  # half of an escaped zero, or of an END
        return self.reader.may_contain_prefix(prefix, cache)

    def may_matter_at(self, times: TimeRange) -> bool:
        """False only if no cell of the file can change what a read of these times answers.

        A delete hides what is older than itself, so a file with deletes always matters.
        """
        stats = self.reader.stats
        if stats.delete_count:
            return True
        return stats.min_timestamp < times.stop and stats.max_timestamp >= times.start

    def window(self, start: bytes, stop: bytes, cache: BlockCache, *, keep: bool = True) -> Window:
        """The cells of one block with ``start <= key < stop``; an empty stop is open.

        With ``keep`` False blocks pass through the cache without staying there.
        """
        reader = self.reader
        start = max(start, self._lower)
        stop = least_bound(stop, self._end) if self._end else stop
        place = reader.find(start, cache)
        while place is not None:
            block = reader.block(place, cache, keep=keep)
            first = block.lower_bound(start)
            if first < len(block):
                break
            if not place.bound or (stop and place.bound >= stop):
                return Window([], [], b"")
            place = reader.find(place.bound, cache)
        else:
            return Window([], [], b"")
        bound = place.bound
        if stop and (not bound or bound >= stop):
            return block.window(first, block.lower_bound(stop, first), b"")
        return block.window(first, len(block), bound)

    def row_window(self, row: bytes, start: bytes, stop: bytes, cache: BlockCache) -> Window | None:
        """The cells of an encoded row in one block, as ``window``; None if there are none.

        What is in memory is searched at once; the row filter is asked before a block is read.
        """
        if start > self._last or stop <= self._first or self._lower or self._end:
            if not self.may_have_range(start, stop) or not self.may_have_row(row, cache):
                return None
            return self.window(start, stop, cache)
        reader = self.reader
        place = reader.find(start, cache)
        if place is None:
            return None
        block = reader.cached_block(place, cache)
        if block is None:
            if not reader.may_contain_row(row, cache):
                return None
            block = reader.uncached_block(place, cache)
        first, end = block.row_range(start, stop)
        if end == len(block) and place.bound and place.bound < stop:
            return self.window(start, stop, cache)
        return block.window(first, end, b"") if first < end else None

    def rows_window(self, rows: Sequence[bytes], cache: BlockCache) -> Window:
        """All cells of these encoded rows, which are in order and differ."""
        reader = self.reader
        gathering = Gathering()
        ranges: list[tuple[int, int]] = []
        bound = b""
        block: Block | None = None
        end = 0
        for row in self._rows_inside(rows, cache):
            start, stop = row + END, row + AFTER_END
            if block is None or (bound and start >= bound):
                place = reader.find(start, cache)
                if place is None:
                    break
                if block is not None:
                    gathering.add(block, ranges)
                    ranges = []
                block, bound, end = reader.block(place, cache), place.bound, 0
            first, end = block.row_range(start, stop, end)
            ranges.append((first, end))
            while end == len(block) and bound and bound < stop:
                gathering.add(block, ranges)
                place = reader.find(bound, cache)
                assert place is not None, "a bound is where a block begins"
                block, bound = reader.block(place, cache), place.bound
                end = block.lower_bound(stop)
                ranges = [(0, end)]
        if block is not None:
            gathering.add(block, ranges)
        return gathering.window()

    def _rows_inside(self, rows: Sequence[bytes], cache: BlockCache) -> Iterable[bytes]:
        """Those of the rows that the file may have, in order."""
        if not self._last:
            return ()
        first = bisect_left(rows, self._first[: self._first.index(END)])
        inside = rows[first : bisect_left(rows, self._last)]
        if self._end:
            inside = [row for row in inside if row + END < self._end]
        return self.reader.rows_contained(inside, cache)

    def keys_below(
        self, key: bytes, cells_max: int, cache: BlockCache, *, keep: bool = True
    ) -> list[bytes]:
        """The last keys below ``key`` (empty: the end), greatest first, of one block.

        None only if there are none at all.
        """
        reader = self.reader
        key = least_bound(key, self.entry.upper)
        lower = self._lower
        place = reader.before(key, cache)
        while place is not None:
            block = reader.block(place, cache, keep=keep)
            end = block.lower_bound(key) if key else len(block)
            begin = block.lower_bound(lower) if lower else 0
            if begin < end:
                found = block.keys_between(max(begin, end - cells_max), end)
                found.reverse()
                return found
            if begin:
                break
            place = reader.before(place.lower, cache)
        return []

    def blocks(self, cache: BlockCache) -> Iterator[Window]:
        """All cells in order, a block at a time."""
        start = self.entry.lower
        while True:
            window = self.window(start, b"", cache)
            if window:
                yield window
            if not window.bound:
                return
            start = window.bound

    def split_row(self, cache: BlockCache) -> bytes | None:
        """The encoded row in the middle; None if that is the first or last one of the file.

        Source: StoreUtils.getFileSplitPoint.
        """
        mid = self.reader.mid_key(cache)
        if mid is None:
            return None
        stats = self.reader.stats
        row = encoded_row_of(mid)
        if row in (encoded_row_of(stats.first_key), encoded_row_of(stats.last_key)):
            return None
        return row


def least_bound(left: bytes, right: bytes) -> bytes:
    """The lower of two upper bounds, of which an empty one is open."""
    if not left or not right:
        return left or right
    return min(left, right)


def encoded_row_of(key: bytes) -> bytes:
    """The encoded row a cell key begins with."""
    return key[: key.index(b"\0\0")]


def entry_of(family: bytes, path: str, stats: HFileStats) -> StoreFileEntry:
    """The manifest entry of a file that was just written."""
    return StoreFileEntry(
        family=family,
        path=path,
        size=stats.size,
        entries=stats.entries,
        max_sequence_id=stats.max_sequence_id,
        min_timestamp=stats.min_timestamp,
        max_timestamp=stats.max_timestamp,
        major=stats.major,
        created_ms=stats.created_ms,
    )
