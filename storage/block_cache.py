"""The block cache: decoded blocks of store files, within a limit of bytes.

A block of data enters with priority SINGLE and rises to MULTI when another read uses it; those
that others are found by (index, filters) begin as MULTI, as each serves thousands of rows, and
blocks of families that ask for it are IN_MEMORY from the start. When the cache is full,
priorities that exceed their share give blocks back first, so that one long scan cannot drive out
what is read again and again. Source: LruBlockCache.java.

Within a priority the oldest gives way, unless it was used since it was last passed over (CLOCK,
Corbato 1968): a use costs a look at a flag, where an order of uses costs changes in five places
of memory.

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
from typing import Final, Protocol, TypeVar

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
CHANCES_MAX: Final = 64
"""So many blocks at most are passed over to free some bytes: who fetches one waits for it."""
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


class CachedBlock:
    """A block's place in the cache: whoever keeps it need not look the block up again."""

    __slots__ = ("arrival", "block", "bytes", "category", "is_used", "key", "priority")

    def __init__(
        self,
        key: CacheKey,
        block: Cacheable,
        category: Category,
        priority: Priority | None,
        arrival: int,
    ) -> None:
        self.key = key
        self.block: Cacheable | None = block
        """None once it left the cache."""
        self.bytes = block.memory_bytes
        """When it came: what a block holds may change."""
        self.category = category
        self.priority = priority
        """None if it passes through."""
        self.arrival = arrival
        """How many blocks had come before it."""
        self.is_used = False
        """Since it came, or was passed over."""


_Queue = OrderedDict[CacheKey, CachedBlock]
_C = TypeVar("_C", bound=Cacheable)


@dataclass(slots=True)
class CacheStats:
    """Counts since the cache was made."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class BlockCache:
    """Keeps up to ``capacity_bytes`` of blocks; those not used for long go first.

    It makes room as it takes a block in, so it needs no hard limit above that as HBase's
    does. ``second_bytes`` is the size of the second tier; 0: there is none.
    """

    def __init__(self, capacity_bytes: int, second_bytes: int = 0) -> None:
        self.capacity_bytes = capacity_bytes
        self.second = BlockArena(second_bytes) if second_bytes else None
        self.stats = CacheStats()
        self._entries: dict[CacheKey, CachedBlock] = {}
        self._queues: tuple[_Queue, ...] = tuple(OrderedDict() for _ in Priority)
        self._bytes = [0] * len(Priority)
        self._passing: _Queue = OrderedDict()
        self._passing_bytes = 0
        self._category_bytes = [0] * len(Category)
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
        return len(self._entries)

    def get(self, key: CacheKey, kind: type[_C]) -> _C | None:
        """The block, which counts as a use; None, counted as a miss, if it is not here."""
        entry = self.find(key)
        block = None if entry is None else self.used(entry)
        if not isinstance(block, kind):
            self.stats.misses += 1
            return None
        return block

    def find(self, key: CacheKey) -> CachedBlock | None:
        """The block's place, which is no use of it yet."""
        return self._entries.get(key)

    def used(self, entry: CachedBlock) -> Cacheable | None:
        """The block at a place that is known, which counts as a use; None if it left."""
        block = entry.block
        if block is not None:
            self.stats.hits += 1
            if not entry.is_used:
                self._use(entry)
        return block

    def put(
        self,
        key: CacheKey,
        block: Cacheable,
        *,
        category: Category = Category.DATA,
        in_memory: bool = False,
        keep: bool = True,
    ) -> CachedBlock:
        """Takes the block in and drops others for it if need be.

        The block stays at least until the next one of its priority comes: whoever fetched it
        and reads at once finds it, however large it is. With ``keep`` False it passes through
        and drives out only others that do.
        """
        self.remove(key)
        self._arrivals += 1
        keep = keep and block.memory_bytes <= BLOCK_BYTES_MAX
        priority = _first_priority(category, in_memory=in_memory) if keep else None
        entry = self._entries[key] = CachedBlock(key, block, category, priority, self._arrivals)
        self._category_bytes[category] += entry.bytes
        if priority is None:
            self._passing[key] = entry
            self._passing_bytes += entry.bytes
            self._let_pass()
        else:
            self._queues[priority][key] = entry
            self._bytes[priority] += entry.bytes
        if self.memory_bytes > self.capacity_bytes * FULL_FRACTION:
            self._evict()
        return entry

    def remove(self, key: CacheKey) -> None:
        """Drops the block if it is here."""
        entry = self._entries.get(key)
        if entry is not None:
            (self._passing if entry.priority is None else self._queues[entry.priority]).pop(key)
            self._forget(entry)

    def remove_file(self, path: str) -> None:
        """Drops all blocks of a file that will not be read again."""
        for key in [key for key in self._entries if key[0] == path]:
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

    def _use(self, entry: CachedBlock) -> None:
        """The first use since it came or was passed over."""
        if self._entries.get(entry.key) is not entry:
            return  # It is another cache's, which is asked by somebody who reads with both.
        if entry.priority is Priority.SINGLE:
            if self._arrivals - entry.arrival < ARRIVALS_A_READ:
                return
            del self._queues[Priority.SINGLE][entry.key]
            self._bytes[Priority.SINGLE] -= entry.bytes
            entry.priority = Priority.MULTI
            self._queues[Priority.MULTI][entry.key] = entry
            self._bytes[Priority.MULTI] += entry.bytes
        entry.is_used = True

    def _forget(self, entry: CachedBlock) -> None:
        """Of what no queue has any more."""
        del self._entries[entry.key]
        entry.block = None
        self._category_bytes[entry.category] -= entry.bytes
        if entry.priority is None:
            self._passing_bytes -= entry.bytes
        else:
            self._bytes[entry.priority] -= entry.bytes

    def _let_pass(self) -> None:
        limit = self.capacity_bytes * PASSING_SHARE
        while self._passing_bytes > limit and len(self._passing) > max(BLOCKS_MIN, 1):
            self._forget(self._passing.popitem(last=False)[1])
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
        queue = self._queues[priority]
        freed = chances = 0
        others = len(self) - len(self._passing) - len(queue)
        while freed < bytes_wanted and len(queue) > 1 and others + len(queue) > BLOCKS_MIN:
            key, entry = queue.popitem(last=False)
            if (entry.is_used and chances < CHANCES_MAX) or entry.arrival == self._arrivals:
                chances += 1
                entry.is_used = False
                queue[key] = entry
                continue
            freed += entry.bytes
            self._forget(entry)
            self.stats.evictions += 1
            if self.second is not None and priority != Priority.SINGLE:
                self.second.touch(key)
        return freed


def _first_priority(category: Category, *, in_memory: bool) -> Priority:
    if in_memory:
        return Priority.IN_MEMORY
    return Priority.SINGLE if category is Category.DATA else Priority.MULTI
