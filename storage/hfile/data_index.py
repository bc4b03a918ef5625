"""The index over data blocks in memory: the root, and what is fetched below it.

A file holds its root for as long as it is open. Leaves and the levels between are blocks like
any other: they come through the block cache, count in it and leave it again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import ge
from typing import Final, NamedTuple
from weakref import ref

from ..block_cache import BlockCache
from .blocks import INTERMEDIATE_INDEX, LEAF_INDEX, ROOT_INDEX
from .index import Entry

LEVELS_MAX: Final = 16
_ENTRY_OVERHEAD_BYTES: Final = 140
"""Of a key and two numbers in CPython, and their places in lists."""
_FINDS_A_TOUCH: Final = 16


class Place(NamedTuple):
    """Where a block is, and which keys can be in it."""

    offset: int
    stored_bytes: int
    lower: bytes
    """Not above any key of the block, above every key of the one before it. It is a cell key
    or begins one, and ends with the row's END at least."""
    bound: bytes
    """``lower`` of the next block on this level; empty at the end of the file."""


class IndexBlock:
    """A block of the index: ``keys[i]`` is the ``lower`` of the i-th block below it."""

    __slots__ = ("__weakref__", "keys", "magic", "memory_bytes", "offsets", "stored_bytes")

    def __init__(
        self,
        entries: Sequence[Entry],
        cell_key: Callable[[bytes], bytes],
        magic: bytes = ROOT_INDEX,
    ) -> None:
        """Raises ValueError if the keys are not in order, or there are none below the root."""
        self.magic = magic
        self.keys = [cell_key(entry.key) for entry in entries]
        self.offsets = [entry.offset for entry in entries]
        self.stored_bytes = [entry.stored_bytes for entry in entries]
        self.memory_bytes = sum(map(len, self.keys)) + _ENTRY_OVERHEAD_BYTES * len(entries)
        if any(map(ge, self.keys, self.keys[1:])):
            raise ValueError("the keys of the index are not in order")
        if not entries and magic != ROOT_INDEX:
            raise ValueError("a block of the index has no entries")


Fetch = Callable[[Place, bytes, BlockCache], IndexBlock]
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
        self._leaves: dict[int, ref[IndexBlock]] = {}
        self._finds = 0

    @property
    def memory_bytes(self) -> int:
        return self._root.memory_bytes

    def find(self, key: bytes, cache: BlockCache, fetch: Fetch) -> Place | None:
        """The last block whose ``lower`` is not above ``key``, or the first; None if none is.

        The first cell with a key >= ``key`` is in it or is the first of the next block.
        """
        node, bound = self._root, b""
        keys = node.keys
        if not keys:
            return None
        number = bisect_right(keys, key, 1) - 1
        is_leaf = len(self._below) == 1
        for magic in self._below:
            below = self._leaf(number) if is_leaf else None
            if below is None:
                below = fetch(_place(node, number, bound), magic, cache)
                if is_leaf:
                    self._leaves[number] = ref(below)
            if number + 1 < len(keys):
                bound = keys[number + 1]
            node, keys = below, below.keys
            number = bisect_right(keys, key, 1) - 1
        return _place(node, number, bound)

    def _leaf(self, number: int) -> IndexBlock | None:
        """A leaf right below the root that is in the cache, or was a moment ago.

        To ask the cache for it costs a tenth of a get. Now and then it is asked all the same,
        so that it knows that the leaf is in use.
        """
        self._finds += 1
        if not self._finds % _FINDS_A_TOUCH:
            return None
        known = self._leaves.get(number)
        return None if known is None else known()

    def before(self, key: bytes, cache: BlockCache, fetch: Fetch) -> Place | None:
        """The last block whose ``lower`` is below ``key``; an empty ``key`` is above all."""
        node = self._root
        number = (bisect_left(node.keys, key) if key else len(node.keys)) - 1
        if number < 0:
            return None
        place = _place(node, number, b"")
        for magic in self._below:
            node = fetch(place, magic, cache)
            # The first key of a node is that of its entry above, which is below ``key``.
            number = (bisect_left(node.keys, key) if key else len(node.keys)) - 1
            place = _place(node, max(number, 0), place.bound)
        return place

    def middle(self, cache: BlockCache, fetch: Fetch) -> bytes | None:
        """``lower`` of the block in the middle of the file; None if it is empty.

        Source: HFileBlockIndex.CellBasedKeyBlockIndexReader.midkey.
        """
        if not self._below:
            keys = self._root.keys
            return keys[len(keys) // 2] if keys else None
        offset, stored_bytes, number = self._middle
        leaf = fetch(Place(offset, stored_bytes, b"", b""), LEAF_INDEX, cache)
        return leaf.keys[number]


def _place(node: IndexBlock, number: int, bound: bytes) -> Place:
    keys = node.keys
    following = number + 1
    return Place(
        node.offsets[number],
        node.stored_bytes[number],
        keys[number],
        keys[following] if following < len(keys) else bound,
    )
