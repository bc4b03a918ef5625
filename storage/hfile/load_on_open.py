"""The end of an HFile, which is all that opening it takes: trailer, root indexes, file info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...errors import BlockMiss, CorruptionError, UnsupportedFormatError
from ..key import META_ROWS, PLAIN_ROWS
from . import blocks, columnar, file_info, keyvalue
from .block import DataBlockEncoding
from .blocks import StoredBlock, reported_as_corruption, unframe
from .columnar import Columnar
from .file_info import HFileStats
from .index import LEVELS_MAX, DataIndex, Entry, decode_root
from .keyvalue import KeyValues
from .trailer import TRAILER_BYTES, Trailer

TAIL_GUESS_BYTES: Final = 64 * 1024
"""What is read at first: enough to open a file of a few hundred blocks."""


@dataclass(frozen=True, slots=True)
class LoadOnOpen:
    """What a reader keeps of a file for as long as it is open."""

    stats: HFileStats
    encoding: DataBlockEncoding
    codec: int
    checksum_type: int
    index: DataIndex
    metas: list[Entry]


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
    section = _Section(path, size - len(tail), tail[:-TRAILER_BYTES], trailer.codec)
    root = section.block(index_offset, blocks.ROOT_INDEX)
    metas_offset = index_offset + root.stored_bytes
    metas = section.block(metas_offset, blocks.ROOT_INDEX, root.checksum_type)
    info = _file_info(path, trailer, section, root.checksum_type)
    encoding = _encoding_of(path, trailer, info)
    with reported_as_corruption(path, trailer.file_info_offset):
        stats = file_info.stats_of(info, trailer.entry_count, size)
    with reported_as_corruption(path, index_offset):
        levels = trailer.data_index_levels
        if not 1 <= levels <= LEVELS_MAX:
            raise ValueError(f"an index of {levels} levels")
        entries = decode_root(root.payload, trailer.data_index_count, has_mid=levels > 1)
        index = DataIndex(entries, levels, encoding.from_index_key)
        if entries:
            stats.first_key = encoding.from_index_key(entries[0].key)
            stats.last_key = encoding.last_key(info[file_info.LAST_KEY])
    with reported_as_corruption(path, metas_offset):
        meta_entries = decode_root(metas.payload, trailer.meta_index_count, has_mid=False)
    return LoadOnOpen(stats, encoding, trailer.codec, root.checksum_type, index, meta_entries)


@dataclass(frozen=True, slots=True)
class _Section:
    path: str
    offset: int
    data: bytes
    codec: int

    def block(self, offset: int, magic: bytes, checksum_type: int | None = None) -> StoredBlock:
        data = self.data[offset - self.offset :]
        stored = unframe(self.path, offset, data, self.codec, checksum_type)
        if stored.magic != magic:
            raise CorruptionError(self.path, offset, f"{stored.magic!r} instead of {magic!r}")
        return stored


def _file_info(
    path: str, trailer: Trailer, section: _Section, checksum_type: int
) -> dict[bytes, bytes]:
    offset = trailer.file_info_offset
    block = section.block(offset, blocks.FILE_INFO, checksum_type)
    with reported_as_corruption(path, offset):
        info = file_info.decode(block.payload)
    if file_info.is_of_raybase(info) and not trailer.is_checked:
        raise CorruptionError(path, offset, "the trailer has lost its checksum")
    return info


def _encoding_of(path: str, trailer: Trailer, info: Mapping[bytes, bytes]) -> DataBlockEncoding:
    name = info.get(file_info.DATA_BLOCK_ENCODING, keyvalue.NAME.encode()).decode("latin-1")
    offset = trailer.file_info_offset
    if name == columnar.NAME:
        return Columnar()
    if name != keyvalue.NAME:
        raise UnsupportedFormatError(path, offset, f"data block encoding {name} is not read")
    known = (*keyvalue.PLAIN_COMPARATORS, *keyvalue.META_COMPARATORS)
    if trailer.comparator not in known:
        raise UnsupportedFormatError(
            path, offset, f"the order of {trailer.comparator or 'no comparator'} is not known"
        )
    with reported_as_corruption(path, offset):
        return KeyValues(
            rows=META_ROWS if trailer.comparator in keyvalue.META_COMPARATORS else PLAIN_ROWS,
            has_sequence_ids=file_info.has_sequence_ids(info),
            has_tags=file_info.MAX_TAGS_BYTES in info,
        )
