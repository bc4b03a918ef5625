"""The index over data blocks in memory: the root, and what is fetched below it.

A file holds its root for as long as it is open. Leaves and the levels between are blocks like
any other: they come through the block cache, count in it and leave it again. Each entry knows
where in the cache its block is, so that a get looks nothing up there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import ge
from typing import Final

from ..block_cache import BlockCache, Cacheable, CachedBlock
from .blocks import INTERMEDIATE_INDEX, LEAF_INDEX, ROOT_INDEX
from .index import Entry

LEVELS_MAX: Final = 16
_ENTRY_OVERHEAD_BYTES: Final = 180
"""Of a key and two numbers, their places in lists, and what is kept of a block that was here."""


class IndexBlock:
    """A block of the index: ``keys[i]`` is the ``lower`` of the i-th block below it, and
    ``cached[i]`` where in the cache that block is, or was when it was last looked up."""

    __slots__ = ("cached", "keys", "magic", "memory_bytes", "offsets", "stored_bytes")

    def __init__(
        self,
        entries: Sequence[Entry],
        cell_key: Callable[[bytes], bytes],
        magic: bytes = ROOT_INDEX,
    ) -> None:
        """Raises ValueError if the keys are not in order, or there are none below the root."""
        self.magic = magic
        self.keys = [cell_key(entry.key) for entry in entries]
        self.offsets = array("q", [entry.offset for entry in entries])
        self.stored_bytes = array("i", [entry.stored_bytes for entry in entries])
        self.cached: list[CachedBlock | None] = [None] * len(entries)
        self.memory_bytes = sum(map(len, self.keys)) + _ENTRY_OVERHEAD_BYTES * len(entries)
        if any(map(ge, self.keys, self.keys[1:])):
            raise ValueError("the keys of the index are not in order")
        if not entries and magic != ROOT_INDEX:
            raise ValueError("a block of the index has no entries")

    def bound(self, number: int, above: bytes) -> bytes:
        """Where the block of that number ends; ``above`` is where this one's keys do."""
        keys = self.keys
        return keys[number + 1] if number + 1 < len(keys) else above


class Place:
    """Where a block is, and which keys can be in it: an entry of a block of the index.

    A get needs little of this, and all of it is elsewhere in memory: it is looked at when it
    is asked for.
    """

    __slots__ = ("_above", "_node", "_number")

    def __init__(self, node: IndexBlock, number: int, above: bytes) -> None:
        self._node = node
        self._number = number
        self._above = above

    @property
    def offset(self) -> int:
        return self._node.offsets[self._number]

    @property
    def stored_bytes(self) -> int:
        return self._node.stored_bytes[self._number]

    @property
    def lower(self) -> bytes:
        """Not above any key of the block, above every key of the one before it. It is a cell key
        or begins one, and ends with the row's END at least."""
        return self._node.keys[self._number]

    @property
    def bound(self) -> bytes:
        """``lower`` of the next block on this level; empty at the end of the file."""
        return self._node.bound(self._number, self._above)

    def cached(self, cache: BlockCache) -> Cacheable | None:
        """The block, if it was kept here and is still in the cache; counts as a use."""
        entry = self._node.cached[self._number]
        return None if entry is None else cache.used(entry)

    def keep(self, entry: CachedBlock | None) -> None:
        """Remembers where in the cache the block is."""
        self._node.cached[self._number] = entry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self._parts == other._parts

    def __repr__(self) -> str:
        offset, stored_bytes, lower, bound = self._parts
        return f"Place({offset}, {stored_bytes}, {lower!r}, {bound!r})"

    @property
    def _parts(self) -> tuple[int, int, bytes, bytes]:
        return self.offset, self.stored_bytes, self.lower, self.bound


class LonePlace:
    """Where a block is that is found in another way, whatever keys it has."""

    __slots__ = ("_entry", "offset", "stored_bytes")
    lower = bound = b""

    def __init__(self, offset: int, stored_bytes: int) -> None:
        self.offset = offset
        self.stored_bytes = stored_bytes
        self._entry: CachedBlock | None = None

    def cached(self, cache: BlockCache) -> Cacheable | None:
        """As ``Place.cached``."""
        return None if self._entry is None else cache.used(self._entry)

    def keep(self, entry: CachedBlock | None) -> None:
        """As ``Place.keep``."""
        self._entry = entry


AnyPlace = Place | LonePlace

Fetch = Callable[[AnyPlace, bytes, BlockCache], IndexBlock]
"""The index block at a place, which has this magic; from the cache if it is there.

May raise BlockMiss; CorruptionError if the block is another one."""


class DataIndex:
    """Finds the data block a key is in.

    Args:
        root: the root's entries.
        levels: how many levels there are; with one, the root names data blocks.
        middle: the leaf with the middle data block and the block's number in it, if there are
            levels below the root.

    """

    def __init__(self, root: IndexBlock, levels: int, middle: tuple[int, int, int]) -> None:
        self._root = root
        self._below = (INTERMEDIATE_INDEX,) * (levels - 2) + (LEAF_INDEX,) * (levels > 1)
        self._middle = middle

    @property
    def memory_bytes(self) -> int:
        return self._root.memory_bytes

    def find(self, key: bytes, cache: BlockCache, fetch: Fetch) -> Place | None:
        """The last block whose ``lower`` is not above ``key``, or the first; None if none is.

        The first cell with a key >= ``key`` is in it or is the first of the next block.
        """
        node, above = self._root, b""
        if not node.keys:
            return None
        number = bisect_right(node.keys, key, 1) - 1
        for magic in self._below:
            place = Place(node, number, above)
            below = place.cached(cache)
            above = node.bound(number, above)
            if not isinstance(below, IndexBlock) or below.magic != magic:
                below = fetch(place, magic, cache)
            node = below
            number = bisect_right(node.keys, key, 1) - 1
        return Place(node, number, above)

    def before(self, key: bytes, cache: BlockCache, fetch: Fetch) -> Place | None:
        """The last block whose ``lower`` is below ``key``; an empty ``key`` is above all."""
        node = self._root
        number = (bisect_left(node.keys, key) if key else len(node.keys)) - 1
        if number < 0:
            return None
        place = Place(node, number, b"")
        for magic in self._below:
            node = fetch(place, magic, cache)
            # The first key of a node is that of its entry above, which is below ``key``.
            number = (bisect_left(node.keys, key) if key else len(node.keys)) - 1
            place = Place(node, max(number, 0), place.bound)
        return place

    def middle(self, cache: BlockCache, fetch: Fetch) -> bytes | None:
        """``lower`` of the block in the middle of the file; None if it is empty.

        Source: HFileBlockIndex.CellBasedKeyBlockIndexReader.midkey.
        """
        if not self._below:
            keys = self._root.keys
            return keys[len(keys) // 2] if keys else None
        offset, stored_bytes, number = self._middle
        leaf = fetch(LonePlace(offset, stored_bytes), LEAF_INDEX, cache)
        return leaf.keys[number]
