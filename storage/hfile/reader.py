"""Reads an HFile: from bytes that others fetch, into blocks that a cache keeps."""

from __future__ import annotations

from bisect import bisect_right

from ...errors import BlockMiss, CorruptionError
from ..block_cache import BlockCache, Cacheable
from . import blocks, row_filter
from .block import Block
from .blocks import StoredBlock, reported_as_corruption, unframe
from .index import DataIndex
from .load_on_open import TAIL_GUESS_BYTES, LoadOnOpen, load
from .row_filter import RowFilter


class HFileReader:
    """An open file. It does no I/O: what is not in memory is asked for by BlockMiss.

    Whoever catches a BlockMiss reads those bytes of the file, hands them to ``admit`` and
    calls again. With an image attached, everything comes from the image.

    Raises, from every method: CorruptionError for bytes that are not what was written.
    """

    def __init__(self, path: str, size: int, loaded: LoadOnOpen) -> None:
        self.path = path
        self.size = size
        self.stats = loaded.stats
        self.in_memory = False
        """Whether its blocks have the cache's IN_MEMORY priority."""
        self._loaded = loaded
        self._index = loaded.index
        prefix = row_filter.META_PREFIX
        self._filters = [entry for entry in loaded.metas if entry.key.startswith(prefix)]
        self._filter_rows = [entry.key[len(prefix) :] for entry in self._filters]
        self._image: memoryview | None = None

    @staticmethod
    def tail_range(file_size: int) -> tuple[int, int]:
        """(offset, length) of the bytes to begin with."""
        length = min(file_size, TAIL_GUESS_BYTES)
        return file_size - length, length

    @classmethod
    def from_tail(cls, path: str, size: int, tail: bytes) -> HFileReader:
        """Opens the file of ``size`` bytes whose last bytes are ``tail``.

        Raises BlockMiss if that is not enough: read from its offset to the end of the file
        and call again. UnsupportedFormatError names a version, codec or encoding not read.
        """
        return cls(path, size, load(path, size, tail))

    @classmethod
    def from_image(cls, path: str, image: memoryview) -> HFileReader:
        """Opens a file that is in memory as a whole, and reads it from there."""
        length = cls.tail_range(len(image))[1]
        try:
            reader = cls.from_tail(path, len(image), bytes(image[len(image) - length :]))
        except BlockMiss as miss:
            reader = cls.from_tail(path, len(image), bytes(image[miss.offset :]))
        reader.attach_image(image)
        return reader

    def attach_image(self, image: memoryview) -> None:
        """Reads from the whole file's bytes from now on; nothing is missed any more."""
        if len(image) != self.size:
            raise CorruptionError(
                self.path, 0, f"an image of {len(image)} bytes for a file of {self.size}"
            )
        self._image = image

    def detach_image(self) -> None:
        """Gives the image back; what is not cached is missed again."""
        self._image = None

    @property
    def block_count(self) -> int:
        """Number of data blocks. May raise BlockMiss, as all that needs the index."""
        return len(self._whole_index().offsets)

    def block_index(self, key: bytes) -> int:
        """Where to begin looking for the first cell with a key >= ``key``.

        It is in this block or is the first of the next one. 0 for an empty file.
        """
        return self._whole_index().find(key)

    def block_key(self, index: int) -> bytes:
        """A lower bound of the block's keys that is above all keys of the block before it.

        It is a cell key or begins one: it ends with the row's END at least.
        """
        return self._whole_index().keys[index]

    def mid_key(self) -> bytes | None:
        """The ``block_key`` in the middle of the file; None if the file is empty."""
        keys = self._whole_index().keys
        return keys[len(keys) // 2] if keys else None

    def block(self, index: int, cache: BlockCache) -> Block:
        """The ``index``-th data block.

        Raises IndexError outside of 0 <= index < block_count, BlockMiss as said above.
        """
        data_index = self._whole_index()
        offset = data_index.offsets[index]
        found = cache.get((self.path, offset), Block)
        if found is not None:
            return found
        length = data_index.stored_bytes[index]
        block = self._admit(offset, self._bytes(offset, length), cache)
        if not isinstance(block, Block):
            raise CorruptionError(self.path, offset, "the index points to what is no data block")
        return block

    def may_contain_row(self, encoded_row: bytes, cache: BlockCache) -> bool:
        """False only if the file has no cell of the row. May raise BlockMiss."""
        if not self._filters:
            return True
        chunk = bisect_right(self._filter_rows, encoded_row) - 1
        if chunk < 0:
            return False
        entry = self._filters[chunk]
        found = cache.get((self.path, entry.offset), RowFilter)
        if found is None:
            data = self._bytes(entry.offset, entry.stored_bytes)
            block = self._admit(entry.offset, data, cache)
            if not isinstance(block, RowFilter):
                raise CorruptionError(self.path, entry.offset, "this should be a row filter")
            found = block
        return found.may_contain(encoded_row)

    def admit(self, offset: int, data: bytes, cache: BlockCache) -> None:
        """Takes in what a BlockMiss asked for: verified, decoded, and kept in the cache."""
        self._admit(offset, data, cache)

    @property
    def memory_bytes(self) -> int:
        """What the open file itself holds: its index, without blocks, filters or image."""
        return self._index.memory_bytes + 140 * len(self._filters)

    def _admit(self, offset: int, data: bytes, cache: BlockCache) -> Cacheable | None:
        stored = self._unframe(offset, data)
        decoded: Cacheable | None = None
        with reported_as_corruption(self.path, offset):
            if stored.magic == self._loaded.encoding.magic:
                decoded = self._loaded.encoding.decode(stored.payload)
            elif stored.magic == blocks.META:
                decoded = RowFilter.decode(stored.payload)
            else:
                self._index.admit(offset, stored)
        if decoded is not None:
            cache.put((self.path, offset), decoded, in_memory=self.in_memory)
        return decoded

    def _whole_index(self) -> DataIndex:
        index = self._index
        while (missing := index.next_missing) is not None:
            stored = self._unframe(
                missing.offset, self._bytes(missing.offset, missing.stored_bytes)
            )
            with reported_as_corruption(self.path, missing.offset):
                index.admit(missing.offset, stored)
        return index

    def _unframe(self, offset: int, data: bytes) -> StoredBlock:
        loaded = self._loaded
        return unframe(self.path, offset, data, loaded.codec, loaded.checksum_type)

    def _bytes(self, offset: int, length: int) -> bytes:
        if self._image is None:
            raise BlockMiss(self.path, offset, length)
        return bytes(self._image[offset : offset + length])
