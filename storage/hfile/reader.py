"""Reads an HFile: from bytes that others fetch, into blocks that a cache keeps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from ...errors import BlockMiss, CorruptionError
from ...model import BloomType
from ..block_cache import BlockCache, Cacheable, Category
from ..key import META_ROWS, unescape
from . import blocks, row_filter
from .block import Block
from .blocks import StoredBlock, reported_as_corruption, unframe
from .bloom import BloomChunk, BloomFilter, BloomKey, row_column_key, row_key
from .data_index import AnyPlace, DataIndex, IndexBlock, LonePlace, Place
from .index import decode_node
from .load_on_open import TAIL_GUESS_BYTES, LoadOnOpen, load
from .row_filter import RowFilter

_MISSED_MAX: Final = 256
"""Places remembered between a miss and its block; beyond it they were given up by their reads."""
_CATEGORIES: Final = {
    blocks.LEAF_INDEX: Category.INDEX,
    blocks.INTERMEDIATE_INDEX: Category.INDEX,
    blocks.META: Category.FILTER,
    blocks.BLOOM_CHUNK: Category.FILTER,
}
"""Of all blocks but those of data."""
_B = TypeVar("_B", bound=Cacheable)


class HFileReader:
    """An open file. It does no I/O: what is not in memory is asked for by BlockMiss.

    Whoever catches a BlockMiss reads those bytes of the file, hands them to ``admit`` and
    calls again. With an image attached, everything comes from the image. Only the root of the
    index is held; all other blocks are in the cache or missing.

    Raises, from every method: CorruptionError for bytes that are not what was written.
    """

    def __init__(self, path: str, size: int, loaded: LoadOnOpen) -> None:
        self.path = path
        self.size = size
        self.stats = loaded.stats
        self.in_memory = False
        """Whether its blocks have the cache's IN_MEMORY priority."""
        self.loaded = loaded
        """What opening the file brought into memory."""
        self._index = DataIndex(loaded.index_root, loaded.trailer.data_index_levels, loaded.middle)
        self._missed: dict[int, AnyPlace] = {}
        prefix = row_filter.META_PREFIX
        filters = [entry for entry in loaded.metas if entry.key.startswith(prefix)]
        self._filters = [LonePlace(entry.offset, entry.stored_bytes) for entry in filters]
        self._filter_rows = [entry.key[len(prefix) :] for entry in filters]
        # hbase:meta's rows do not sort as bytes, which a bloom filter's chunks do.
        self._bloom = None if loaded.rows is META_ROWS else loaded.bloom
        kind = BloomType.NONE if self._bloom is None else self._bloom.kind
        self.knows_columns = kind is BloomType.ROWCOL
        """Whether ``may_contain_column`` knows more than ``may_contain_row``."""
        self.knows_prefixes = kind is BloomType.ROWPREFIX_FIXED_LENGTH
        """Whether ``may_contain_prefix`` knows anything."""
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

    def find(self, key: bytes, cache: BlockCache) -> Place | None:
        """The data block in which to look for the first cell with a key >= ``key``.

        It is in this block or is the first of the next one, which is found by ``bound``. None
        for an empty file. May raise BlockMiss, as all that needs the index.
        """
        return self._index.find(key, cache, self._index_block)

    def before(self, key: bytes, cache: BlockCache) -> Place | None:
        """The last data block that can hold keys below ``key``; an empty key: the last one.

        None if there are no such keys. The block before it is found by its ``lower``.
        """
        return self._index.before(key, cache, self._index_block)

    def mid_key(self, cache: BlockCache) -> bytes | None:
        """``lower`` of the block in the middle of the file; None if the file is empty."""
        with reported_as_corruption(self.path, self.loaded.trailer.load_on_open_offset):
            return self._index.middle(cache, self._index_block)

    def block(self, place: Place, cache: BlockCache, *, keep: bool = True) -> Block:
        """The data block at a place that ``find`` or ``before`` gave. May raise BlockMiss.

        With ``keep`` False it does not stay in the cache if it was not there.
        """
        found = self._cached(place, cache, Block)
        return found if found is not None else self._load(place, cache, Block, keep=keep)

    def cached_block(self, place: Place, cache: BlockCache) -> Block | None:
        """The data block, if it is in memory."""
        return self._cached(place, cache, Block)

    def uncached_block(self, place: Place, cache: BlockCache) -> Block:
        """As ``block``, for one that ``cached_block`` does not have."""
        return self._load(place, cache, Block)

    def blocks(self, cache: BlockCache) -> Iterator[Block]:
        """All data blocks in order, of a file whose image is attached."""
        place = self.find(b"", cache)
        while place is not None:
            yield self.block(place, cache)
            place = self.find(place.bound, cache) if place.bound else None

    def may_contain_row(self, encoded_row: bytes, cache: BlockCache) -> bool:
        """False only if the file has no cell of the row. May raise BlockMiss."""
        bloom = self._bloom
        if bloom is not None:
            if bloom.kind in (BloomType.ROW, BloomType.ROWPREFIX_FIXED_LENGTH):
                return self._in_bloom(bloom, bloom.key_of_row(unescape(encoded_row)), cache)
            return True
        if not self._filters:
            return True
        chunk = bisect_right(self._filter_rows, encoded_row) - 1
        if chunk < 0:
            return False
        return self._any(self._filters[chunk], cache, RowFilter).may_contain(encoded_row)

    def rows_contained(self, encoded_rows: Sequence[bytes], cache: BlockCache) -> list[bytes]:
        """Those of some rows in order that ``may_contain_row`` is true of. May raise BlockMiss."""
        if self._bloom is not None or not self._filters:
            return [row for row in encoded_rows if self.may_contain_row(row, cache)]
        found: list[bytes] = []
        firsts = self._filter_rows
        start = bisect_left(encoded_rows, firsts[0])
        while start < len(encoded_rows):
            chunk = bisect_right(firsts, encoded_rows[start]) - 1
            is_last = chunk + 1 == len(firsts)
            stop = len(encoded_rows) if is_last else bisect_left(encoded_rows, firsts[chunk + 1])
            rows = self._any(self._filters[chunk], cache, RowFilter)
            found += rows.contained(encoded_rows[start:stop])
            start = stop
        return found

    def may_contain_column(self, encoded_row: bytes, qualifier: bytes, cache: BlockCache) -> bool:
        """False only if no cell of the file matters to this column of the row.

        A delete of the whole family matters, and has an empty qualifier. May raise BlockMiss.
        """
        bloom = self._bloom
        if bloom is None or not self.knows_columns:
            return self.may_contain_row(encoded_row, cache)
        row = unescape(encoded_row)
        return self._in_bloom(bloom, row_column_key(row, qualifier), cache) or self._in_bloom(
            bloom, row_column_key(row, b""), cache
        )

    def may_contain_prefix(self, prefix: bytes, cache: BlockCache) -> bool:
        """False only if no row that begins with ``prefix`` (as it is, not encoded) is in the file.

        Only a filter of prefixes not longer than this one can say so. May raise BlockMiss.
        """
        bloom = self._bloom
        if bloom is None or not self.knows_prefixes or len(prefix) < bloom.prefix_bytes:
            return True
        return self._in_bloom(bloom, bloom.key_of_row(prefix), cache)

    def may_have_family_delete(self, encoded_row: bytes, cache: BlockCache) -> bool:
        """False only if the file deletes nothing of the row's whole family. May raise BlockMiss."""
        if not self.stats.delete_family_count:
            return False
        bloom = self.loaded.delete_family_bloom
        if bloom is None or self.loaded.rows is META_ROWS:
            return True
        return self._in_bloom(bloom, row_key(unescape(encoded_row)), cache)

    def admit(self, offset: int, data: bytes, cache: BlockCache, *, keep: bool = True) -> None:
        """Takes in what a BlockMiss asked for: verified, decoded, and in the cache.

        ``keep`` is that of the BlockMiss.
        """
        place = self._missed.pop(offset, None)
        self._take_in(place, offset, self._unframed(offset, data), cache, keep=keep)
        if keep:
            cache.keep_stored((self.path, offset), data)

    @property
    def memory_bytes(self) -> int:
        """What the open file itself holds: roots of its index and filters, without any block."""
        blooms = (self.loaded.bloom, self.loaded.delete_family_bloom)
        return (
            self._index.memory_bytes
            + 140 * len(self._filters)
            + sum(bloom.memory_bytes for bloom in blooms if bloom is not None)
        )

    def _in_bloom(self, bloom: BloomFilter, key: BloomKey, cache: BlockCache) -> bool:
        entry = bloom.chunk_of(key)
        if entry is None:
            return False
        place = LonePlace(entry.offset, entry.stored_bytes)
        chunk = self._any(place, cache, BloomChunk)
        return chunk.may_contain(key.hashed, bloom.function, bloom.hash_count)

    def _index_block(self, place: AnyPlace, magic: bytes, cache: BlockCache) -> IndexBlock:
        block = self._any(place, cache, IndexBlock)
        if block.magic != magic:
            raise CorruptionError(
                self.path, place.offset, f"{block.magic!r} where the index has {magic!r}"
            )
        return block

    def _any(self, place: AnyPlace, cache: BlockCache, kind: type[_B]) -> _B:
        found = self._cached(place, cache, kind)
        return found if found is not None else self._load(place, cache, kind)

    def _cached(self, place: AnyPlace, cache: BlockCache, kind: type[_B]) -> _B | None:
        block = place.cached(cache)
        if block is None:
            entry = cache.find((self.path, place.offset))
            place.keep(entry)
            if entry is None:
                cache.stats.misses += 1
                return None
            block = cache.used(entry)
        return block if isinstance(block, kind) else None

    def _load(self, place: AnyPlace, cache: BlockCache, kind: type[_B], *, keep: bool = True) -> _B:
        """A block that the cache does not have decoded; BlockMiss if it is not in memory."""
        offset = place.offset
        if self._image is not None:
            data = bytes(self._image[offset : offset + place.stored_bytes])
            stored = self._unframed(offset, data)
        elif (kept := cache.stored((self.path, offset))) is not None:
            stored = self._unframed(offset, kept, verified=True)
        else:
            if len(self._missed) >= _MISSED_MAX:
                self._missed.clear()
            self._missed[offset] = place
            raise BlockMiss(self.path, offset, place.stored_bytes, keep)
        block = self._take_in(place, offset, stored, cache, keep=keep)
        if not isinstance(block, kind):
            raise CorruptionError(
                self.path, offset, f"the index points to what is no {kind.__name__}"
            )
        return block

    def _unframed(self, offset: int, data: bytes, *, verified: bool = False) -> StoredBlock:
        loaded = self.loaded
        codec = loaded.trailer.codec
        return unframe(self.path, offset, data, codec, loaded.checksums, verified=verified)

    def _take_in(
        self,
        place: AnyPlace | None,
        offset: int,
        stored: StoredBlock,
        cache: BlockCache,
        *,
        keep: bool,
    ) -> Cacheable:
        with reported_as_corruption(self.path, offset):
            if place is not None and stored.stored_bytes != place.stored_bytes:
                raise ValueError(f"{stored.stored_bytes} bytes where the index has {place}")
            decoded = self._decoded(stored)
            if place is not None:
                _check_place(decoded, place)
        entry = cache.put(
            (self.path, offset),
            decoded,
            category=_CATEGORIES.get(stored.magic, Category.DATA),
            in_memory=self.in_memory,
            keep=keep,
        )
        if place is not None:
            place.keep(entry)
        return decoded

    def _decoded(self, stored: StoredBlock) -> Cacheable:
        loaded = self.loaded
        if stored.magic == loaded.encoding.magic:
            return loaded.encoding.decode(stored.payload)
        if stored.magic in (blocks.LEAF_INDEX, blocks.INTERMEDIATE_INDEX):
            return IndexBlock(
                decode_node(stored.payload), loaded.encoding.from_index_key, stored.magic
            )
        if stored.magic == blocks.META:
            return RowFilter.decode(stored.payload)
        if stored.magic == blocks.BLOOM_CHUNK:
            return BloomChunk(stored.payload)
        raise ValueError(f"a block {stored.magic!r}, which the file should not have here")


def _check_place(block: Cacheable, place: AnyPlace) -> None:
    """Raises ValueError if the block's keys show that it belongs elsewhere."""
    if isinstance(block, Block):
        if not len(block):
            raise ValueError("a block without cells")
        first, last = block.edges()
    elif isinstance(block, IndexBlock):
        first, last = block.keys[0], block.keys[-1]
    else:
        return
    if first < place.lower or (place.bound and last >= place.bound):
        raise ValueError("the keys of a block are not those its index promises")
