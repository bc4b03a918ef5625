"""The block cache: decoded blocks of store files, within a limit of bytes.

A block enters with priority SINGLE and rises to MULTI when it is used again; blocks of
families that ask for it are IN_MEMORY from the start. When the cache is full, priorities that
exceed their share give blocks back first, so that one long scan cannot drive out what is read
again and again. Source: LruBlockCache.java.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, TypeVar

SHARES: Final = (0.25, 0.50, 0.25)
"""Of SINGLE, MULTI and IN_MEMORY."""
FULL_FRACTION: Final = 0.99
EVICTED_FRACTION: Final = 0.95
BLOCKS_MIN: Final = 64
"""So many blocks stay however small the limit: a read that merges many files starts again
after every block it misses, and must find the others still here."""


class Priority(IntEnum):
    SINGLE = 0
    MULTI = 1
    IN_MEMORY = 2


class Cacheable(Protocol):
    """What can be kept: anything that knows how much memory it holds."""

    @property
    def memory_bytes(self) -> int: ...


CacheKey = tuple[str, int]
"""(path of the file, offset of the block in it)."""

_Bucket = OrderedDict[CacheKey, Cacheable]
_C = TypeVar("_C", bound=Cacheable)


@dataclass(slots=True)
class CacheStats:
    """Counts since the cache was made."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class BlockCache:
    """Keeps up to ``capacity_bytes`` of blocks, the least recently used going first."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.stats = CacheStats()
        self._single: _Bucket = OrderedDict()
        self._multi: _Bucket = OrderedDict()
        self._in_memory: _Bucket = OrderedDict()
        self._buckets = (self._single, self._multi, self._in_memory)
        self._bytes = [0, 0, 0]

    @property
    def memory_bytes(self) -> int:
        return sum(self._bytes)

    def __len__(self) -> int:
        return sum(map(len, self._buckets))

    def get(self, key: CacheKey, kind: type[_C]) -> _C | None:
        """The block, which counts as a use; None, counted as a miss, if it is not here."""
        block = self._multi.get(key)
        if block is not None:
            self._multi.move_to_end(key)
        elif (block := self._single.pop(key, None)) is not None:
            self._multi[key] = block
            self._bytes[Priority.SINGLE] -= block.memory_bytes
            self._bytes[Priority.MULTI] += block.memory_bytes
        elif (block := self._in_memory.get(key)) is not None:
            self._in_memory.move_to_end(key)
        if not isinstance(block, kind):
            self.stats.misses += 1
            return None
        self.stats.hits += 1
        return block

    def put(self, key: CacheKey, block: Cacheable, *, in_memory: bool = False) -> None:
        """Keeps the block and drops others for it if need be.

        The block stays at least until the next one of its priority comes: whoever fetched it
        and reads at once finds it, however large it is.
        """
        self.remove(key)
        priority = Priority.IN_MEMORY if in_memory else Priority.SINGLE
        self._buckets[priority][key] = block
        self._bytes[priority] += block.memory_bytes
        if self.memory_bytes > self.capacity_bytes * FULL_FRACTION:
            self._evict()

    def remove(self, key: CacheKey) -> None:
        """Drops the block if it is here."""
        for priority, bucket in enumerate(self._buckets):
            block = bucket.pop(key, None)
            if block is not None:
                self._bytes[priority] -= block.memory_bytes

    def remove_file(self, path: str) -> None:
        """Drops all blocks of a file that will not be read again."""
        for bucket in self._buckets:
            for key in [key for key in bucket if key[0] == path]:
                self.remove(key)

    def _evict(self) -> None:
        """Frees down to the lower mark, the smallest excess over a share first."""
        to_free = self.memory_bytes - int(self.capacity_bytes * EVICTED_FRACTION)
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
        while freed < bytes_wanted and len(bucket) > 1 and len(self) > BLOCKS_MIN:
            _, block = bucket.popitem(last=False)
            freed += block.memory_bytes
            self._bytes[priority] -= block.memory_bytes
            self.stats.evictions += 1
        return freed
