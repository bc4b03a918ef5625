"""The block cache: decoded blocks of store files, within a limit of bytes.

A block of data enters with priority SINGLE and rises to MULTI when another read uses it; those
that others are found by (index, filters) begin as MULTI, as each serves thousands of rows, and
blocks of families that ask for it are IN_MEMORY from the start. When the cache is full,
priorities that exceed their share give blocks back first, so that one long scan cannot drive out
what is read again and again. Source: LruBlockCache.java.

Blocks that are not to be kept only pass through: whoever fetched one reads at once and finds
it, and after some others it is gone.

A second tier (block_arena.py) may hold the same blocks as they are stored: a block that is
not here is looked for there before its file is read. Other than HBase's, a block goes there
when it comes from its file, not when it leaves here: it would have to be encoded again, and
stored it is so small that having it twice costs little.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Protocol, TypeVar

from .block_arena import BlockArena

SHARES: Final = (0.25, 0.50, 0.25)
"""Of SINGLE, MULTI and IN_MEMORY."""
FULL_FRACTION: Final = 0.99
BLOCK_BYTES_MAX: Final = 16 * 1024 * 1024
"""A larger block passes through. hbase.lru.max.block.size"""
BLOCKS_MIN: Final = 64
"""So many blocks stay however small the limit, and so many that pass through: a read that
merges many files starts again after every block it misses, and must find the others still
here."""
ARRIVALS_A_READ: Final = 16
"""A block that was used again before so many others came was used by the read that missed it,
which begins again after every miss."""
PASSING_SHARE: Final = 1 / 32
"""Of the limit, for blocks that pass through, if that is more than BLOCKS_MIN of them."""


class Priority(IntEnum):
    SINGLE = 0
    MULTI = 1
    IN_MEMORY = 2


class Category(IntEnum):
    """What a block is for."""

    DATA = 0
    INDEX = 1
    FILTER = 2


class Cacheable(Protocol):
    """What can be kept: anything that knows how much memory it holds."""

    @property
    def memory_bytes(self) -> int: ...


CacheKey = tuple[str, int]
"""(path of the file, offset of the block in it)."""


class _Entry(NamedTuple):
    block: Cacheable
    bytes: int
    """When it came: what a block holds may change."""
    category: Category
    arrival: int
    """How many blocks had come before it."""


_Bucket = OrderedDict[CacheKey, _Entry]
_C = TypeVar("_C", bound=Cacheable)


@dataclass(slots=True)
class CacheStats:
    """Counts since the cache was made."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class BlockCache:
    """Keeps up to ``capacity_bytes`` of blocks, the least recently used going first.

    It makes room as it takes a block in, so it needs no hard limit above that as HBase's
    does. ``second_bytes`` is the size of the second tier; 0: there is none.
    """

    def __init__(self, capacity_bytes: int, second_bytes: int = 0) -> None:
        self.capacity_bytes = capacity_bytes
        self.second = BlockArena(second_bytes) if second_bytes else None
        self.stats = CacheStats()
        self._single: _Bucket = OrderedDict()
        self._multi: _Bucket = OrderedDict()
        self._in_memory: _Bucket = OrderedDict()
        self._buckets = (self._single, self._multi, self._in_memory)
        self._bytes = [0, 0, 0]
        self._passing: _Bucket = OrderedDict()
        self._passing_bytes = 0
        self._category_bytes = [0, 0, 0]
        self._arrivals = 0

    @property
    def memory_bytes(self) -> int:
        """Of all blocks in this tier."""
        return sum(self._bytes) + self._passing_bytes

    def category_bytes(self, category: Category) -> int:
        """Of the blocks of one category."""
        return self._category_bytes[category]

    def counters(self) -> dict[str, int]:
        """For status: what is held and what became of questions."""
        second, stats = self.second, self.stats
        return {
            "hits": stats.hits,
            "misses": stats.misses,
            "evictions": stats.evictions,
            **{f"{one.name.lower()}_bytes": self._category_bytes[one] for one in Category},
            "l2_hits": second.stats.hits if second else 0,
            "l2_misses": second.stats.misses if second else 0,
            "l2_evictions": second.stats.evictions if second else 0,
            "l2_bytes": second.stored_bytes if second else 0,
        }

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) + len(self._passing)

    def get(self, key: CacheKey, kind: type[_C]) -> _C | None:
        """The block, which counts as a use; None, counted as a miss, if it is not here."""
        entry = self._multi.get(key)
        if entry is not None:
            self._multi.move_to_end(key)
        elif (entry := self._single.get(key)) is not None:
            self._use_again(key, entry)
        elif (entry := self._in_memory.get(key)) is not None:
            self._in_memory.move_to_end(key)
        else:
            entry = self._passing.get(key)
        block = None if entry is None else entry.block
        if not isinstance(block, kind):
            self.stats.misses += 1
            return None
        self.stats.hits += 1
        return block

    def put(
        self,
        key: CacheKey,
        block: Cacheable,
        *,
        category: Category = Category.DATA,
        in_memory: bool = False,
        keep: bool = True,
    ) -> None:
        """Takes the block in and drops others for it if need be.

        The block stays at least until the next one of its priority comes: whoever fetched it
        and reads at once finds it, however large it is. With ``keep`` False it passes through
        and drives out only others that do.
        """
        self.remove(key)
        self._arrivals += 1
        entry = _Entry(block, block.memory_bytes, category, self._arrivals)
        self._category_bytes[category] += entry.bytes
        if keep and entry.bytes <= BLOCK_BYTES_MAX:
            priority = _first_priority(category, in_memory=in_memory)
            self._buckets[priority][key] = entry
            self._bytes[priority] += entry.bytes
        else:
            self._passing[key] = entry
            self._passing_bytes += entry.bytes
            self._let_pass()
        if self.memory_bytes > self.capacity_bytes * FULL_FRACTION:
            self._evict()

    def remove(self, key: CacheKey) -> None:
        """Drops the block if it is here."""
        for priority, bucket in enumerate(self._buckets):
            entry = bucket.pop(key, None)
            if entry is not None:
                self._bytes[priority] -= entry.bytes
                self._category_bytes[entry.category] -= entry.bytes
        entry = self._passing.pop(key, None)
        if entry is not None:
            self._passing_bytes -= entry.bytes
            self._category_bytes[entry.category] -= entry.bytes

    def remove_file(self, path: str) -> None:
        """Drops all blocks of a file that will not be read again."""
        for bucket in (*self._buckets, self._passing):
            for key in [key for key in bucket if key[0] == path]:
                self.remove(key)

    # The second tier

    def stored(self, key: CacheKey) -> bytes | None:
        """The block as ``keep_stored`` took it, verified then; None if it is not there."""
        return None if self.second is None else self.second.get(key)

    def keep_stored(self, key: CacheKey, data: bytes) -> None:
        """Keeps a block as it stands in its file, whose checksums were verified."""
        if self.second is not None:
            self.second.put(key, data)

    # Making room

    def _use_again(self, key: CacheKey, entry: _Entry) -> None:
        """A SINGLE one."""
        if self._arrivals - entry.arrival < ARRIVALS_A_READ:
            self._single.move_to_end(key)
            return
        self._multi[key] = self._single.pop(key)
        self._bytes[Priority.SINGLE] -= entry.bytes
        self._bytes[Priority.MULTI] += entry.bytes

    def _let_pass(self) -> None:
        limit = self.capacity_bytes * PASSING_SHARE
        while self._passing_bytes > limit and len(self._passing) > max(BLOCKS_MIN, 1):
            self.remove(next(iter(self._passing)))
            self.stats.evictions += 1

    def _evict(self) -> None:
        """Frees what is too much, the smallest excess over a share first.

        It comes to about a block for each that came: who fetches one waits for no more.
        """
        to_free = self.memory_bytes - int(self.capacity_bytes * FULL_FRACTION)
        excess = [
            (held - int(self.capacity_bytes * share), priority)
            for priority, (held, share) in enumerate(zip(self._bytes, SHARES, strict=True))
        ]
        freed = 0
        for done, (over, priority) in enumerate(sorted(excess)):
            if over > 0:
                share = (to_free - freed) // (len(SHARES) - done)
                freed += self._free(priority, min(over, share))

    def _free(self, priority: int, bytes_wanted: int) -> int:
        bucket = self._buckets[priority]
        freed = 0
        others = len(self) - len(self._passing) - len(bucket)
        while freed < bytes_wanted and len(bucket) > 1 and others + len(bucket) > BLOCKS_MIN:
            key, entry = bucket.popitem(last=False)
            freed += entry.bytes
            self._bytes[priority] -= entry.bytes
            self._category_bytes[entry.category] -= entry.bytes
            self.stats.evictions += 1
            if self.second is not None and priority != Priority.SINGLE:
                self.second.touch(key)
        return freed


def _first_priority(category: Category, *, in_memory: bool) -> Priority:
    if in_memory:
        return Priority.IN_MEMORY
    return Priority.SINGLE if category is Category.DATA else Priority.MULTI
