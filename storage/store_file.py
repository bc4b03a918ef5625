"""A file of a store, whole or the half that a daughter region refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model import TimeRange
from .block_cache import BlockCache
from .hfile import HFileReader, HFileStats
from .manifest import StoreFileEntry
from .window import Window


class StoreFile:
    """An open HFile seen through the key bounds of its manifest entry.

    Every method that reads may raise BlockMiss before anything changed: fetch the bytes, hand
    them to ``reader.admit`` and call again.
    """

    __slots__ = ("_end", "_first", "_last", "_lower", "entry", "reader")

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
        self, encoded_row: bytes, qualifiers: Iterable[bytes], cache: BlockCache
    ) -> bool:
        """False only if no cell of the file matters to these columns of the row."""
        reader = self.reader
        return any(
            reader.may_contain_column(encoded_row, qualifier, cache) for qualifier in qualifiers
        )

    def may_have_prefix(self, prefix: bytes, cache: BlockCache) -> bool:
        """False only if the file has no row that begins with ``prefix``."""
        return self.reader.may_contain_prefix(prefix, cache)

    def may_matter_at(self, times: TimeRange) -> bool:
        """False only if no cell of the file can change what a read of these times answers.

        A delete hides what is older than itself, so a file with deletes always matters.
        """
        stats = self.reader.stats
        if stats.delete_count:
            return True
        return stats.min_timestamp < times.stop and stats.max_timestamp >= times.start

    def window(
        self, start: bytes, stop: bytes, cache: BlockCache, *, keep: bool = True
    ) -> Window:
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

    def keys_below(self, key: bytes, cells_max: int, cache: BlockCache) -> list[bytes]:
        """The last keys below ``key`` (empty: the end), greatest first, of one block.

        None only if there are none at all.
        """
        reader = self.reader
        key = least_bound(key, self.entry.upper)
        lower = self._lower
        place = reader.before(key, cache)
        while place is not None:
            block = reader.block(place, cache)
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
