"""The second tier of the block cache: stored blocks in one piece of memory off the heap.

Blocks are kept as they stand in their files, mostly a fraction of what they take decoded. The
memory is cut into buckets, and a bucket into slots of one size class; a block costs one entry
of a dictionary besides its slot, and nothing that the garbage collector looks at. The least
recently used block gives way; if those of the class that needs room were all used lately, the
bucket of one that was not changes over as a whole. Source: BucketCache.java, BucketAllocator.java.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import Final

SLOT_BYTES: Final = tuple(
    (kib + 1) * 1024 for kib in (4, 8, 16, 32, 40, 48, 56, 64, 96, 128, 192, 256, 384, 512)
)
"""The size classes. hbase.bucketcache.bucket.sizes"""
BUCKET_BYTES: Final = 4 * SLOT_BYTES[-1]
_OLD: Final = 64
"""So many of the least recently used blocks are as good as the very last one to give up."""
_LENGTH_BITS: Final = 20
_LENGTH_MASK: Final = (1 << _LENGTH_BITS) - 1

ArenaKey = tuple[str, int]
"""(path of the file, offset of the block in it)."""


@dataclass(slots=True)
class ArenaStats:
    """Counts since the arena was made."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class BlockArena:
    """Keeps stored blocks within ``capacity_bytes``: whole buckets, one at least.

    A block is never changed and its file's path never used again, so blocks of files that
    are gone need no removal: they are not asked for and give way like others.
    """

    def __init__(self, capacity_bytes: int) -> None:
        buckets = max(capacity_bytes // BUCKET_BYTES, 1)
        self.capacity_bytes = buckets * BUCKET_BYTES
        self.stats = ArenaStats()
        self.stored_bytes = 0
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANON
        self._memory = mmap.mmap(-1, self.capacity_bytes, flags=flags)
        self._places: OrderedDict[ArenaKey, int] = OrderedDict()
        """Position and length of each block in one number; least recently used first."""
        self._class_of: list[int | None] = [None] * buckets
        self._keys: list[list[ArenaKey | None]] = [[] for _ in range(buckets)]
        """Of each bucket, what its slots hold."""
        self._free_buckets = list(reversed(range(buckets)))
        self._free_slots: list[list[int]] = [[] for _ in SLOT_BYTES]
        """Of each class, positions."""

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: ArenaKey) -> bytes | None:
        """A copy of the block, which counts as a use; None, counted as a miss."""
        place = self._places.get(key)
        if place is None:
            self.stats.misses += 1
            return None
        self.stats.hits += 1
        self._places.move_to_end(key)
        position = place >> _LENGTH_BITS
        return self._memory[position : position + (place & _LENGTH_MASK)]

    def touch(self, key: ArenaKey) -> None:
        """Counts as a use of the block, if it is here."""
        if key in self._places:
            self._places.move_to_end(key)

    def put(self, key: ArenaKey, block: bytes) -> None:
        """Keeps the block, unless it is larger than every slot."""
        length = len(block)
        if key in self._places or length > SLOT_BYTES[-1]:
            return
        position = self._take_slot(bisect_left(SLOT_BYTES, length))
        self._memory[position : position + length] = block
        self._places[key] = position << _LENGTH_BITS | length
        bucket, slot = self._slot_at(position)
        self._keys[bucket][slot] = key
        self.stored_bytes += length

    def _slot_at(self, position: int) -> tuple[int, int]:
        bucket, offset = divmod(position, BUCKET_BYTES)
        size_class = self._class_of[bucket]
        assert size_class is not None, "a free bucket has no slots"
        return bucket, offset // SLOT_BYTES[size_class]

    def _take_slot(self, size_class: int) -> int:
        free = self._free_slots[size_class]
        while not free:
            if self._free_buckets:
                self._assign(self._free_buckets.pop(), size_class)
            else:
                self._make_room(size_class)
        return free.pop()

    def _assign(self, bucket: int, size_class: int) -> None:
        size = SLOT_BYTES[size_class]
        count = BUCKET_BYTES // size
        self._class_of[bucket] = size_class
        self._keys[bucket] = [None] * count
        start = bucket * BUCKET_BYTES
        self._free_slots[size_class] += [start + slot * size for slot in reversed(range(count))]

    def _make_room(self, size_class: int) -> None:
        old = list(islice(self._places.items(), _OLD))
        for key, place in old:
            bucket = (place >> _LENGTH_BITS) // BUCKET_BYTES
            if self._class_of[bucket] == size_class:
                self._drop(key)
                return
        self._empty((old[0][1] >> _LENGTH_BITS) // BUCKET_BYTES)

    def _empty(self, bucket: int) -> None:
        size_class = self._class_of[bucket]
        assert size_class is not None, "it has a block"
        for key in self._keys[bucket]:
            if key is not None:
                self._drop(key)
        start = bucket * BUCKET_BYTES
        self._free_slots[size_class] = [
            position
            for position in self._free_slots[size_class]
            if not start <= position < start + BUCKET_BYTES
        ]
        self._class_of[bucket] = None
        self._keys[bucket] = []
        self._free_buckets.append(bucket)

    def _drop(self, key: ArenaKey) -> None:
        place = self._places.pop(key)
        position = place >> _LENGTH_BITS
        bucket, slot = self._slot_at(position)
        size_class = self._class_of[bucket]
        assert size_class is not None, "it had a block"
        self._keys[bucket][slot] = None
        self._free_slots[size_class].append(position)
        self.stored_bytes -= place & _LENGTH_MASK
        self.stats.evictions += 1
