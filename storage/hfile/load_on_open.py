"""The end of an HFile, which is all that opening it takes: trailer, root indexes, file info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...errors import BlockMiss, CorruptionError, UnsupportedFormatError
from ...model import BloomType
from ..key import META_ROWS, PLAIN_ROWS, RowEncoder
from . import blocks, bloom, columnar, file_info
from .block import DataBlockDecoder
from .blocks import Checksums, StoredBlock, reported_as_corruption, unframe
from .bloom import BloomFilter
from .columnar import Columnar
from .data_index import LEVELS_MAX, IndexBlock
from .decoders import DECODERS
from .file_info import HFileStats
from .flat_key import META_COMPARATORS, PLAIN_COMPARATORS
from .index import Entry, decode_mid, decode_root
from .keyvalue import CellForm
from .trailer import TRAILER_BYTES, Trailer

TAIL_GUESS_BYTES: Final = 64 * 1024
"""What is read at first: enough to open a file of a few hundred blocks."""


@dataclass(frozen=True, slots=True)
class LoadOnOpen:
    """What a reader keeps of a file for as long as it is open."""

    trailer: Trailer
    info: Mapping[bytes, bytes]
    stats: HFileStats
    encoding: DataBlockDecoder
    rows: RowEncoder
    checksums: Checksums
    index_root: IndexBlock
    middle: tuple[int, int, int]
    """Leaf and number of the middle data block, if the index has several levels."""
    metas: list[Entry]
    bloom: BloomFilter | None
    delete_family_bloom: BloomFilter | None


def load(path: str, size: int, tail: bytes) -> LoadOnOpen:
    """Opens the file of ``size`` bytes whose last bytes are ``tail``.

    Raises:
        BlockMiss: the section begins before ``tail`` does; its offset says where.
        UnsupportedFormatError: a version, codec, encoding or order that is not read.
        CorruptionError: the file is not what was written.

    """
    trailer = Trailer.decode(path, size, tail)
    index_offset = trailer.load_on_open_offset
    if size - index_offset > len(tail):
        raise BlockMiss(path, index_offset, size - index_offset)
    section = _Section(path, size - len(tail), tail[:-TRAILER_BYTES], trailer)
    checksums = Checksums(blocks.PLACED_CRC32C, trailer.seed) if trailer.seed else None
    root = section.block(index_offset, blocks.ROOT_INDEX, checksums)
    checksums = checksums or Checksums(root.checksum_kind)
    metas_offset = index_offset + root.stored_bytes
    metas = section.block(metas_offset, blocks.ROOT_INDEX, checksums)
    info_block = section.block(trailer.file_info_offset, blocks.FILE_INFO, checksums)
    info = _file_info(path, trailer, info_block)
    rows = META_ROWS if trailer.comparator in META_COMPARATORS else PLAIN_ROWS
    encoding = _encoding_of(path, trailer, info, rows)
    with reported_as_corruption(path, trailer.file_info_offset):
        stats = file_info.stats_of(info, trailer.entry_count, size)
    with reported_as_corruption(path, index_offset):
        entries, middle = _root_index(trailer, root.payload)
        index_root = IndexBlock(entries, encoding.from_index_key)
        if entries:
            stats.first_key = encoding.from_index_key(entries[0].key)
            stats.last_key = encoding.last_key(info[file_info.LAST_KEY])
    with reported_as_corruption(path, metas_offset):
        meta_entries, rest = decode_root(metas.payload, trailer.meta_index_count)
        if rest:
            raise ValueError(f"{len(rest)} bytes behind the index of meta blocks")
    filters = section.filters(trailer.file_info_offset + info_block.stored_bytes, checksums, info)
    return LoadOnOpen(
        trailer=trailer,
        info=info,
        stats=stats,
        encoding=encoding,
        rows=rows,
        checksums=checksums,
        index_root=index_root,
        middle=middle,
        metas=meta_entries,
        bloom=filters.get(blocks.BLOOM_META),
        delete_family_bloom=filters.get(blocks.DELETE_FAMILY_BLOOM_META),
    )


def _root_index(trailer: Trailer, payload: bytes) -> tuple[list[Entry], tuple[int, int, int]]:
    levels = trailer.data_index_levels
    if not 1 <= levels <= LEVELS_MAX:
        raise ValueError(f"an index of {levels} levels")
    entries, rest = decode_root(payload, trailer.data_index_count)
    if levels > 1:
        return entries, decode_mid(rest)
    if rest:
        raise ValueError(f"{len(entries)} entries do not fill an index of {len(payload)} bytes")
    return entries, (0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Section:
    path: str
    offset: int
    data: bytes
    trailer: Trailer

    def block(self, offset: int, magic: bytes, checksums: Checksums | None) -> StoredBlock:
        stored = self._any_block(offset, checksums)
        if stored.magic != magic:
            raise CorruptionError(self.path, offset, f"{stored.magic!r} instead of {magic!r}")
        return stored

    def filters(
        self, offset: int, checksums: Checksums, info: Mapping[bytes, bytes]
    ) -> dict[bytes, BloomFilter]:
        """The bloom filters behind the file info, by the magic of their meta blocks."""
        found: dict[bytes, BloomFilter] = {}
        while offset < self.offset + len(self.data):
            stored = self._any_block(offset, checksums)
            with reported_as_corruption(self.path, offset):
                if stored.magic == blocks.BLOOM_META:
                    found[stored.magic] = self._general_bloom(stored.payload, info)
                elif stored.magic == blocks.DELETE_FAMILY_BLOOM_META:
                    found[stored.magic] = bloom.decode_meta(stored.payload, BloomType.ROW, b"", b"")
            offset += stored.stored_bytes
        return found

    def _general_bloom(self, payload: bytes, info: Mapping[bytes, bytes]) -> BloomFilter:
        name = info.get(file_info.BLOOM_TYPE, b"NONE").decode("latin-1")
        if name not in BloomType.__members__:
            offset = self.trailer.file_info_offset
            raise UnsupportedFormatError(self.path, offset, f"bloom filter {name} is not read")
        return bloom.decode_meta(
            payload,
            BloomType(name),
            info.get(file_info.BLOOM_PARAM, b""),
            info.get(file_info.LAST_BLOOM_KEY, b""),
        )

    def _any_block(self, offset: int, checksums: Checksums | None) -> StoredBlock:
        data = self.data[offset - self.offset :]
        return unframe(self.path, offset, data, self.trailer.codec, checksums)


def _file_info(path: str, trailer: Trailer, block: StoredBlock) -> dict[bytes, bytes]:
    offset = trailer.file_info_offset
    with reported_as_corruption(path, offset):
        info = file_info.decode(block.payload)
    if file_info.is_of_raybase(info) and not trailer.is_checked:
        raise CorruptionError(path, offset, "the trailer has lost its checksum")
    return info


def _encoding_of(
    path: str, trailer: Trailer, info: Mapping[bytes, bytes], rows: RowEncoder
) -> DataBlockDecoder:
    name = info.get(file_info.DATA_BLOCK_ENCODING, b"NONE").decode("latin-1")
    offset = trailer.file_info_offset
    if name == columnar.NAME:
        return Columnar()
    decoder = DECODERS.get(name)
    if decoder is None:
        raise UnsupportedFormatError(path, offset, f"data block encoding {name} is not read")
    index_encoding = info.get(file_info.INDEX_BLOCK_ENCODING, b"NONE").decode("latin-1")
    if index_encoding != "NONE":
        raise UnsupportedFormatError(
            path, offset, f"index block encoding {index_encoding} is not read"
        )
    if trailer.comparator not in (*PLAIN_COMPARATORS, *META_COMPARATORS):
        raise UnsupportedFormatError(
            path, offset, f"the order of {trailer.comparator or 'no comparator'} is not known"
        )
    with reported_as_corruption(path, offset):
        return decoder(
            rows=rows,
            form=CellForm(
                has_tags=file_info.MAX_TAGS_BYTES in info,
                tags_are_compressed=info.get(file_info.TAGS_COMPRESSED, b"\0") != b"\0",
                has_sequence_ids=file_info.has_sequence_ids(info),
            ),
        )
