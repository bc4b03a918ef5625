"""Writes an HFile: cells in order go in, the bytes of the file come out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import accumulate
from operator import add, gt
from typing import Final

import numpy as np

from ...errors import IllegalArgumentError
from ...model import BloomType, CellType, FamilyDescriptor, FileFormat
from ..key import END, META_ROWS, SEQUENCE_MAX, TAIL_BYTES, RowEncoder
from ..tags import any_tagged, tags_of
from ..window import Window
from . import blocks, codecs, file_info, keyvalue
from .block import DataBlockEncoding
from .blocks import Checksums
from .columnar import Columnar
from .file_info import HFileStats
from .filter_writers import (
    DELETE_FAMILY_TYPES,
    FilterWriter,
    HBaseFilters,
    NoFilters,
    RowFilterWriter,
)
from .index import INDEX_BLOCK_BYTES, Entry, IndexWriter, encode_root, separator
from .keyvalue import KeyValues
from .trailer import NO_OFFSET, TRAILER_BYTES, Trailer

_TAIL: Final = np.dtype([("timestamp", ">u8"), ("type", "u1"), ("sequence_id", ">u8")])


@dataclass(frozen=True, slots=True)
class HFileImage:
    """A finished file."""

    data: bytes
    """All of it, or what ``HFileWriter.drain`` has not given out."""
    stats: HFileStats


class HFileWriter:
    """Builds a file of one family: in memory, or in parts if ``drain`` is called now and then.

    Args:
        family: its block size, format, compression and filter.
        rows: the table's row encoder.
        index_block_bytes: size at which an index block is full.

    """

    def __init__(
        self,
        family: FamilyDescriptor,
        rows: RowEncoder,
        *,
        index_block_bytes: int = INDEX_BLOCK_BYTES,
    ) -> None:
        self._family = family
        self._encoding: DataBlockEncoding
        self._filters: FilterWriter
        self._checksums: Checksums | None
        if family.file_format is FileFormat.HBASE:
            self._encoding = KeyValues(family.name, rows)
            self._codec = codecs.codec_id(family.compression)
            self._checksums = Checksums(blocks.CRC32C)
            # HBase has no filters of hbase:meta, whose rows do not sort as bytes.
            has_filters = rows is not META_ROWS
            self._filters = HBaseFilters(self._emit, family, rows) if has_filters else NoFilters()
        else:
            self._encoding = Columnar()
            self._codec = codecs.NONE
            self._checksums = None
            has_filters = family.bloom is not BloomType.NONE
            self._filters = RowFilterWriter(self._emit) if has_filters else NoFilters()
        self._shortens_index_keys = rows is not META_ROWS
        self._parts: list[bytes] = []
        self._offset = 0
        self._total_uncompressed_bytes = 0
        self._previous_offsets: dict[bytes, int] = {}
        self._index = IndexWriter(self._emit, index_block_bytes)
        self._stats = HFileStats(min_sequence_id=SEQUENCE_MAX)
        self._first_data_offset = self._last_data_offset = NO_OFFSET
        # Cells not yet in a block; _ends[i] counts the bytes of all cells up to the i-th.
        self._keys: list[bytes] = []
        self._columns: list[bytes] = []
        self._tails = bytearray()
        self._values: list[bytes] = []
        self._ends: list[int] = []
        self._block_start = 0

    def append(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Adds cells whose keys are not below any key added before.

        Raises IllegalArgumentError, with nothing added, if they are not in order.
        """
        if len(keys) != len(values):
            raise IllegalArgumentError(f"{len(keys)} keys with {len(values)} values")
        self.append_window(Window(list(keys), list(values), b""))

    def append_window(self, window: Window) -> None:
        """As ``append``, for cells of which more is known than their keys."""
        keys, values = window.keys, window.values
        if not keys:
            return
        last = self._keys[-1] if self._keys else self._stats.last_key
        if last > keys[0] or any(map(gt, keys, keys[1:])):
            raise IllegalArgumentError("an HFile's cells must come in the order of their keys")
        sizes = map(add, map(len, keys), map(len, values))
        start = self._ends[-1] if self._ends else self._block_start
        ends = accumulate(sizes, initial=start)
        next(ends)
        self._keys += keys
        self._columns += window.columns
        self._tails += window.tails
        self._values += values
        self._ends += ends
        self._write_full_blocks()

    def drain(self) -> bytes:
        """The bytes of the file that are done and were not given out before.

        What all calls give, and then the finished image's ``data``, is the file.
        """
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def finish(
        self, *, max_sequence_id: int, major: bool = False, created_ms: int = 0
    ) -> HFileImage:
        """The file; the writer must not be used after it.

        ``max_sequence_id`` is that of the newest edit the file is known to cover.
        """
        if self._keys:
            self._write_data_block(0, len(self._keys))
        filters = self._filters.finish()
        index_root, index_payload = self._index.finish()
        load_on_open_offset = self._offset
        self._emit(blocks.ROOT_INDEX, index_payload)
        filters.metas.sort(key=lambda entry: entry.key)
        self._emit(blocks.ROOT_INDEX, encode_root(filters.metas))
        file_info_offset = self._offset
        stats = self._finished_stats(max_sequence_id, major, created_ms)
        last_index_key = self._encoding.to_index_key(stats.last_key) if stats.entries else b""
        has_tags = stats.max_tags_bytes > 0 or self._encoding.name == keyvalue.NAME
        info = file_info.describe(stats, self._encoding.name, last_index_key, has_tags=has_tags)
        self._emit(blocks.FILE_INFO, file_info.encode(info | filters.info))
        for magic, payload in filters.load_on_open:
            self._emit(magic, payload)
        trailer = Trailer(
            file_info_offset=file_info_offset,
            load_on_open_offset=load_on_open_offset,
            uncompressed_data_index_bytes=self._index.payload_bytes,
            total_uncompressed_bytes=self._total_uncompressed_bytes + TRAILER_BYTES,
            data_index_count=len(index_root),
            meta_index_count=len(filters.metas),
            entry_count=stats.entries,
            data_index_levels=self._index.levels,
            first_data_block_offset=self._first_data_offset,
            last_data_block_offset=self._last_data_offset,
            comparator=self._encoding.comparator,
            codec=self._codec,
            seed=self._checksums.seed if self._checksums is not None else b"",
        )
        self._parts.append(trailer.encode())
        return HFileImage(self.drain(), replace(stats, size=self._offset + TRAILER_BYTES))

    def _finished_stats(self, max_sequence_id: int, major: bool, created_ms: int) -> HFileStats:
        stats = self._stats
        return replace(
            stats,
            min_sequence_id=stats.min_sequence_id if stats.entries else 0,
            max_sequence_id=max_sequence_id,
            major=major,
            created_ms=created_ms,
        )

    def _write_full_blocks(self) -> None:
        start = 0
        while True:
            full_at = self._block_start + self._family.block_bytes
            stop = bisect_left(self._ends, full_at, lo=start) + 1
            while stop < len(self._keys) and self._encoding.same_cell(
                self._keys[stop - 1], self._keys[stop]
            ):
                stop += 1
            if stop >= len(self._keys):
                break  # not full, or the next cell may have to come along
            self._write_data_block(start, stop)
            start = stop
        if start:
            del self._keys[:start], self._columns[:start], self._tails[: start * TAIL_BYTES]
            del self._values[:start], self._ends[:start]

    def _write_data_block(self, start: int, stop: int) -> None:
        keys, values = self._keys[start:stop], self._values[start:stop]
        content_bytes = self._ends[stop - 1] - self._block_start
        self._block_start += content_bytes
        heads = self._columns[start:stop]
        joined_heads = b"".join(heads)
        tails = bytes(self._tails[start * TAIL_BYTES : stop * TAIL_BYTES])
        payload = self._encoding.encode(keys, values, heads, tails)
        offset, stored_bytes = self._emit(self._encoding.magic, payload)
        index_key = keys[0]
        if self._stats.entries and self._shortens_index_keys:
            index_key = separator(self._stats.last_key, keys[0])
        self._count(keys, tails, content_bytes, len(joined_heads) + len(tails))
        if any_tagged(values):
            self._stats.max_tags_bytes = max(
                self._stats.max_tags_bytes, max(len(tags_of(value)) for value in values)
            )
        if self._first_data_offset == NO_OFFSET:
            self._first_data_offset = offset
        self._last_data_offset = offset
        self._index.add(Entry(offset, stored_bytes, self._encoding.to_index_key(index_key)))
        # Neither rows nor qualifiers contain END, and each is followed by one.
        parts = joined_heads.split(END)
        self._filters.add(parts[:-1:2], parts[1::2], np.frombuffer(tails, _TAIL)["type"])

    def _count(self, keys: list[bytes], tails: bytes, content_bytes: int, key_bytes: int) -> None:
        stats = self._stats
        cells = np.frombuffer(tails, _TAIL)
        timestamps = file_info.TIMESTAMP_MAX - cells["timestamp"].astype(np.int64)
        types = cells["type"]
        puts = types == 255 - CellType.PUT
        if not stats.entries:
            stats.first_key = keys[0]
        stats.last_key = keys[-1]
        stats.entries += len(keys)
        stats.key_bytes += key_bytes
        stats.value_bytes += content_bytes - key_bytes
        stats.min_timestamp = min(stats.min_timestamp, int(timestamps.min()))
        stats.max_timestamp = max(stats.max_timestamp, int(timestamps.max()))
        stats.min_sequence_id = min(
            stats.min_sequence_id, SEQUENCE_MAX - int(cells["sequence_id"].max())
        )
        stats.max_cell_sequence_id = max(
            stats.max_cell_sequence_id, SEQUENCE_MAX - int(cells["sequence_id"].min())
        )
        put_count = int(np.count_nonzero(puts))
        if put_count:
            earliest = int(timestamps[puts].min())
            stats.earliest_put_timestamp = min(stats.earliest_put_timestamp, earliest)
        if put_count < len(keys):
            stats.delete_count += len(keys) - put_count
            stats.delete_family_count += int(np.isin(types, DELETE_FAMILY_TYPES).sum())

    def _emit(self, magic: bytes, payload: bytes) -> tuple[int, int]:
        if self._checksums is None:
            seed = blake2b(payload, digest_size=blocks.SEED_BYTES).digest()
            self._checksums = Checksums(blocks.PLACED_CRC32C, seed)
        offset = self._offset
        previous = self._previous_offsets.get(magic, -1)
        block = blocks.frame(magic, payload, self._codec, offset, previous, self._checksums)
        self._previous_offsets[magic] = offset
        self._total_uncompressed_bytes += blocks.HEADER_BYTES + len(payload)
        self._parts.append(block)
        self._offset += len(block)
        return offset, len(block)
