"""A second reader of raybase's store files, written from docs/formats/hfile.md and key.md alone.

It imports nothing of raybase. It reads what raybase writes: checks every block, decodes every
cell, compares index, row filters and file info with the cells (Bloom filters are compared with
HBase's own elsewhere), and raises ``WrongError`` if anything is not as the pages say.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import blosc2
import cramjam
import google_crc32c
from pyroaring import BitMap


class WrongError(Exception):
    """The file is not as the pages say."""


def check(condition: bool, what: str) -> None:
    if not condition:
        raise WrongError(what)


class Cell(NamedTuple):
    row: bytes  # as its cell key has it
    qualifier: bytes
    timestamp: int
    type: int
    sequence_id: int
    value: bytes
    tags: bytes


class Block(NamedTuple):
    payload: bytes
    stored_bytes: int
    previous: int


END = b"\0\0"


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Protobuf's."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def message(data: bytes) -> list[tuple[int, Any]]:
    """The fields of a protobuf message of varints and byte strings."""
    fields, at = [], 0
    while at < len(data):
        tag, at = varint(data, at)
        value: Any
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        fields.append((tag >> 3, value))
    return fields


def vint(data: bytes, at: int) -> tuple[int, int]:
    """Hadoop's."""
    first = data[at] - 256 if data[at] > 127 else data[at]
    if first >= -112:
        return first, at + 1
    length = -112 - first if first >= -120 else -120 - first
    value = int.from_bytes(data[at + 1 : at + 1 + length], "big")
    return (value if first >= -120 else ~value), at + 1 + length


def decompress(data: bytes, codec: int) -> bytes:
    if codec == 2:
        return data
    if codec == 1:
        return zlib.decompress(data, wbits=zlib.MAX_WBITS | 16)
    out, at = b"", 0
    while at < len(data):
        (group,) = struct.unpack_from(">i", data, at)
        at += 4
        while group > 0:
            (size,) = struct.unpack_from(">i", data, at)
            chunk = data[at + 4 : at + 4 + size]
            if codec == 4:
                made = cramjam.lz4.decompress_block(chunk, output_len=group)
            else:
                name = {3: cramjam.snappy.decompress_raw, 6: cramjam.zstd.decompress}
                made = name[codec](chunk)
            out, at, group = out + bytes(made), at + 4 + size, group - len(made)
    return out


def cell_key(cell: Cell) -> bytes:
    qualifier = cell.qualifier.replace(b"\0", b"\0\xff")
    tail = (2**63 - 1 - cell.timestamp, 255 - cell.type, 2**64 - 1 - cell.sequence_id)
    return cell.row + END + qualifier + END + struct.pack(">QBQ", *tail)


class SecondReader:
    """A file in memory. ``cells`` are all it holds, after everything else was checked."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._read_trailer()
        fields = self.fields
        root_block = self._block(fields[2], b"IDXROOT2")
        meta_block = self._block(fields[2] + root_block.stored_bytes, b"IDXROOT2")
        self._read_info()
        root, rest = self._root(root_block.payload, fields[5])
        self.metas, after = self._root(meta_block.payload, fields[6])
        check(not after and self.metas == sorted(self.metas, key=lambda one: one[2]), "metas")
        self.places = list(self._data_blocks(root, fields[8]))
        check(len(rest) == (0 if fields[8] == 1 else 16), "the place of the middle")
        if rest:
            offset, size, number = struct.unpack(">qii", rest)
            leaf = self._block(offset, b"IDXLEAF2")
            middle = self._node(leaf.payload)[number]
            check(middle == self.places[(len(self.places) - 1) // 2], "the middle")
            check(size == leaf.stored_bytes, "the middle's size")
        self.cells: list[Cell] = []
        for number in range(len(self.places)):
            self._read_data_block(number)
        self._check_sums()
        self._check_row_filters()

    def _read_trailer(self) -> None:
        trailer = self.data[-4096:]
        check(trailer[:8] == b'TRABLK"$' and trailer[-4:] == b"\3\0\0\3", "magic and version")
        checksum = struct.pack(">I", google_crc32c.value(trailer[:-8] + trailer[-4:]))
        check(checksum == trailer[-8:-4], "the trailer's checksum")
        length, at = varint(trailer, 8)
        self.fields = dict(message(trailer[at : at + length]))
        self.columnar = self.fields[11] == b"raybase.CellKey"
        self.meta_rows = self.fields[11] == b"org.apache.hadoop.hbase.KeyValue$MetaComparator"
        self.seed = self.fields.get(64, b"")
        check(len(self.seed) == (8 if self.columnar else 0), "the seed")

    def _block(self, offset: int, magic: bytes) -> Block:
        header = struct.unpack_from(">8siiqBii", self.data, offset)
        found, after, payload_bytes, previous, kind, per_chunk, checked_bytes = header
        check(found == magic and kind == (82 if self.columnar else 2), f"block at {offset}")
        checked = self.data[offset : offset + checked_bytes]
        place = self.seed + struct.pack(">q", offset) if self.columnar else b""
        sums = [
            google_crc32c.value(place + checked[start : start + per_chunk])
            for start in range(0, checked_bytes, per_chunk)
        ]
        stored = self.data[offset + checked_bytes : offset + 33 + after]
        check(stored == struct.pack(f">{len(sums)}I", *sums), f"checksums at {offset}")
        payload = decompress(checked[33:], self.fields[12])
        check(len(payload) == payload_bytes, f"size of the payload at {offset}")
        if offset == 0 and self.columnar:
            check(hashlib.blake2b(payload, digest_size=8).digest() == self.seed, "the seed")
        return Block(payload, 33 + after, previous)

    def _read_info(self) -> None:
        block = self._block(self.fields[1], b"FILEINF2")
        check(block.payload[:4] == b"PBUF", "the file info's magic")
        length, at = varint(block.payload, 4)
        check(at + length == len(block.payload), "the file info's length")
        pairs = [dict(message(pair)) for _, pair in message(block.payload[at:])]
        self.info: dict[bytes, bytes] = {pair[1]: pair[2] for pair in pairs}
        check(list(self.info) == sorted(self.info), "the file info's order")

    def _root(self, payload: bytes, count: int) -> tuple[list[tuple[int, int, bytes]], bytes]:
        entries, at = [], 0
        for _ in range(count):
            length, start = vint(payload, at + 12)
            end = start + length
            entries.append((*struct.unpack_from(">qi", payload, at), payload[start:end]))
            at = end
        return entries, payload[at:]

    def _node(self, payload: bytes) -> list[tuple[int, int, bytes]]:
        count = struct.unpack_from(">i", payload)[0]
        starts, base = struct.unpack_from(f">{count + 1}i", payload, 4), 4 * (count + 2)
        check(base + starts[-1] == len(payload), "the end of an index block")
        parts = [payload[base + start : base + end] for start, end in pairwise(starts)]
        return [(*struct.unpack_from(">qi", part), part[12:]) for part in parts]

    def _data_blocks(
        self, entries: list[tuple[int, int, bytes]], levels: int
    ) -> Iterator[tuple[int, int, bytes]]:
        if levels == 1:
            yield from entries
            return
        for offset, size, key in entries:
            block = self._block(offset, b"IDXLEAF2" if levels == 2 else b"IDXINTE2")
            below = self._node(block.payload)
            check(block.stored_bytes == size and below[0][2] == key, "a parent has its child's key")
            yield from self._data_blocks(below, levels - 1)

    def _read_data_block(self, number: int) -> None:
        offset, size, index_key = self.places[number]
        block = self._block(offset, b"DATABLKE" if self.columnar else b"DATABLK*")
        check(block.stored_bytes == size, f"size of the block at {offset}")
        check(block.previous == (self.places[number - 1][0] if number else -1), "previous block")
        decode = self._columnar_cells if self.columnar else self._plain_cells
        cells = decode(block.payload)
        lower = index_key if self.columnar else self._flat_order(index_key)
        keys = [cell_key(cell) for cell in cells]
        check(lower <= keys[0] and keys == sorted(keys), f"order in the block at {offset}")
        check(not self.cells or cell_key(self.cells[-1]) < lower, f"the index key of {offset}")
        self.cells += cells

    def _columnar_cells(self, payload: bytes) -> list[Cell]:
        number, version, count = struct.unpack_from(">hBI", payload)
        check((number, version) in ((0x5242, 1), (0x5242, 2)), "the encoding")
        amount = 5 if version == 1 else 7
        sizes = struct.unpack_from(">" + "BII" * amount, payload, 7)
        at, streams = 7 + 9 * amount, []
        for form, raw, stored in zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True):
            data, at = payload[at : at + stored], at + stored
            streams.append(blosc2.decompress(data)[:raw] if form == 1 else data)
            check(len(streams[-1]) == raw, "a stream's size")
        check(at == len(payload), "the end of the streams")
        heads = self._cut(streams[1], streams[0], count)
        tails = struct.iter_unpack(">QBQ", streams[2])
        values = self._cut(streams[4], streams[3], count)
        tags = self._cut(streams[6], streams[5], count) if version == 2 else [b""] * count
        cells = []
        for head, tail, value, tag in zip(heads, tails, values, tags, strict=True):
            row, _, rest = head.partition(END)
            check(rest.endswith(END), "a key's second END")
            qualifier = rest[:-2].replace(b"\0\xff", b"\0")
            numbers = (2**63 - 1 - tail[0], 255 - tail[1], 2**64 - 1 - tail[2])
            cells.append(Cell(row, qualifier, *numbers, value, tag))
        return cells

    def _cut(self, data: bytes, lengths: bytes, count: int) -> list[bytes]:
        sizes = struct.unpack(f"<{len(lengths) // 4}I", lengths)
        sizes = sizes * count if len(sizes) == 1 else sizes
        check(len(sizes) == count and sum(sizes) == len(data), "lengths of a stream")
        return list(struct.unpack("".join(f"{size}s" for size in sizes), data))

    def _plain_cells(self, payload: bytes) -> list[Cell]:
        cells, at = [], 0
        while at < len(payload):
            key_bytes, value_bytes = struct.unpack_from(">ii", payload, at)
            key, at = payload[at + 8 : at + 8 + key_bytes], at + 8 + key_bytes
            value, at = payload[at : at + value_bytes], at + value_bytes
            tags_end = at + 2 + struct.unpack_from(">H", payload, at)[0]
            tags = payload[at + 2 : tags_end]
            sequence, at = vint(payload, tags_end)
            cells.append(Cell(*self._flat(key), sequence, value, tags))
        return cells

    def _flat(self, key: bytes) -> tuple[bytes, bytes, int, int]:
        family_at = 2 + struct.unpack_from(">H", key)[0]
        qualifier = key[family_at + 1 + key[family_at] : -9]
        time, kind = struct.unpack(">QB", key[-9:])
        return self._encoded(key[2:family_at]), qualifier, time, kind

    def _encoded(self, row: bytes) -> bytes:
        parts = [row]
        if self.meta_rows and b"," in row:
            table, rest = row.split(b",", 1)
            parts = [table, *rest.rsplit(b",", 1)]
        return b"\0\1".join(part.replace(b"\0", b"\0\xff") for part in parts)

    def _flat_order(self, key: bytes) -> bytes:
        return cell_key(Cell(*self._flat(key), 2**64 - 1, b"", b""))

    def _check_sums(self) -> None:
        cells, info = self.cells, self.info
        check(len(cells) == self.fields[7], "the number of cells")
        tags = max((len(cell.tags) for cell in cells), default=0).to_bytes(4, "big")
        check(info.get(b"hfile.MAX_TAGS_LEN", bytes(4)) == tags, "the longest tags")
        if cells:
            last, key = info[b"hfile.LASTKEY"], cell_key(cells[-1])
            same = last == key if self.columnar else self._flat_order(last)[:-8] == key[:-8]
            check(same, "the last key")
            times = [cell.timestamp for cell in cells]
            check(info[b"TIMERANGE"] == struct.pack(">qq", min(times), max(times)), "times")

    def _check_row_filters(self) -> None:
        filters = [(key[4:], offset) for offset, _, key in self.metas if key[:4] == b"ROWS"]
        for number, (first, offset) in enumerate(filters):
            payload = self._block(offset, b"METABLKc").payload
            hashes, bits = BitMap.deserialize(payload[1:]), payload[0]
            stop = filters[number + 1][0] if number + 1 < len(filters) else None
            for cell in self.cells:
                if cell.row >= first and (stop is None or cell.row < stop):
                    mixed = google_crc32c.value(cell.row)
                    mixed = (mixed ^ mixed >> 15) * 0x9E3779B1 % 2**32
                    check(mixed >> 32 - bits in hashes, "a row is missing in its filter")
