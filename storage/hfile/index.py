"""The index over data blocks in the file: a tree whose leaves stand between the data blocks.

::

    root     := n x (i64 offset, i32 stored bytes, byte array key), [mid]
    mid      := i64 offset and i32 stored bytes of the leaf that holds the middle data block,
                i32 its place in the leaf                           (if there is more than a root)
    non-root := i32 n, (n+1) x i32 start of an entry after this table,
                n x (i64 offset, i32 stored bytes, key)

The key of a block is above every key of the block before it and not above its own first key.
Source: HFileBlockIndex.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from ..key import END, TAIL_BYTES
from .blocks import INTERMEDIATE_INDEX, LEAF_INDEX
from .primitives import decode_byte_array, encode_byte_array

INDEX_BLOCK_BYTES: Final = 128 * 1024
"""hfile.index.block.max.size"""
_ROOT_ENTRIES_MIN: Final = 16
"""A root of so few entries gets no level above it, however long its keys."""
_ENTRIES_MAX: Final = 1 << 20
"""Of a block that is read; one that is full at 128 KiB has a few thousand."""

_ENTRY: Final = struct.Struct(">qi")
_MID: Final = struct.Struct(">qii")


class Entry(NamedTuple):
    """A block as its index knows it; ``key`` is in the file's form."""

    offset: int
    stored_bytes: int
    key: bytes


Emit = Callable[[bytes, bytes], tuple[int, int]]
"""Writes (magic, payload) as the file's next block: its (offset, stored bytes)."""


def separator(last: bytes, first: bytes) -> bytes:
    """A short cell key that ends where a part of one ends, with last < it <= first.

    ``last`` and ``first`` are the neighbours on both sides of a block boundary. Source:
    HFileWriterImpl.getMidpoint, by other means: here the order is that of plain bytes.
    """
    first_end = first.index(END)
    last_end = last.index(END)
    if first[:first_end] != last[:last_end]:
        row, last_row = first[:first_end], last[:last_end]
        length = next(
            (i + 1 for i, (a, b) in enumerate(zip(row, last_row, strict=False)) if a != b),
            len(last_row) + 1,
        )
        if row[length - 1] == 0:
            length += 1  # the second half of an escaped zero, or of a separator
        return row[:length] + END
    column = first[:-TAIL_BYTES]
    return column if column > last else first


class IndexWriter:
    """Collects the entries of data blocks; full leaves go into the file as they fill up."""

    def __init__(self, emit: Emit, block_bytes: int) -> None:
        self._emit = emit
        self._block_bytes = block_bytes
        self._pending: list[Entry] = []
        self._pending_bytes = 8
        self._leaves: list[Entry] = []
        self._leaf_counts: list[int] = []
        self.levels = 1
        self.payload_bytes = 0
        """Of all index blocks but those not yet written."""

    def add(self, entry: Entry) -> None:
        self._pending.append(entry)
        self._pending_bytes += _ENTRY.size + len(entry.key) + 4
        if self._pending_bytes >= self._block_bytes:
            self._flush_leaf()

    def finish(self) -> tuple[list[Entry], bytes]:
        """Writes the leaves and levels that are left; (entries of the root, its payload)."""
        if not self._leaves:
            root = self._pending
            payload = encode_root(root)
        else:
            if self._pending:
                self._flush_leaf()
            root = self._leaves
            self.levels = 2
            while len(root) > _ROOT_ENTRIES_MIN and len(encode_root(root)) > self._block_bytes:
                root = self._level_above(root)
                self.levels += 1
            payload = encode_root(root) + self._mid()
        self.payload_bytes += len(payload)
        return root, payload

    def _flush_leaf(self) -> None:
        self._leaves.append(self._emit_node(LEAF_INDEX, self._pending))
        self._leaf_counts.append(len(self._pending))
        self._pending = []
        self._pending_bytes = 8

    def _level_above(self, entries: Sequence[Entry]) -> list[Entry]:
        parents: list[Entry] = []
        node: list[Entry] = []
        node_bytes = 8
        for entry in entries:
            node.append(entry)
            node_bytes += _ENTRY.size + len(entry.key) + 4
            if node_bytes >= self._block_bytes:
                parents.append(self._emit_node(INTERMEDIATE_INDEX, node))
                node, node_bytes = [], 8
        if node:
            parents.append(self._emit_node(INTERMEDIATE_INDEX, node))
        return parents

    def _emit_node(self, magic: bytes, entries: Sequence[Entry]) -> Entry:
        payload = encode_node(entries)
        self.payload_bytes += len(payload)
        offset, stored_bytes = self._emit(magic, payload)
        return Entry(offset, stored_bytes, entries[0].key)

    def _mid(self) -> bytes:
        place = (sum(self._leaf_counts) - 1) // 2
        for leaf, count in zip(self._leaves, self._leaf_counts, strict=True):
            if place < count:
                return _MID.pack(leaf.offset, leaf.stored_bytes, place)
            place -= count
        raise AssertionError("the middle block is in none of the leaves")


def encode_root(entries: Sequence[Entry]) -> bytes:
    return b"".join(
        _ENTRY.pack(entry.offset, entry.stored_bytes) + encode_byte_array(entry.key)
        for entry in entries
    )


def decode_root(payload: bytes, count: int) -> tuple[list[Entry], bytes]:
    """The entries, of which there are ``count``, and what stands behind them."""
    if not 0 <= count <= _ENTRIES_MAX:
        raise ValueError(f"an index of {count} entries")
    entries = []
    at = 0
    for _ in range(count):
        offset, stored_bytes = _ENTRY.unpack_from(payload, at)
        key, at = decode_byte_array(payload, at + _ENTRY.size)
        entries.append(Entry(offset, stored_bytes, key))
    return entries, payload[at:]


def decode_mid(rest: bytes) -> tuple[int, int, int]:
    """(offset, stored bytes) of the leaf with the middle data block, and its place there."""
    offset, stored_bytes, place = _MID.unpack(rest)
    return offset, stored_bytes, place


def encode_node(entries: Sequence[Entry]) -> bytes:
    starts = [0]
    parts = []
    for entry in entries:
        part = _ENTRY.pack(entry.offset, entry.stored_bytes) + entry.key
        parts.append(part)
        starts.append(starts[-1] + len(part))
    return struct.pack(f">{len(starts) + 1}i", len(entries), *starts) + b"".join(parts)


def decode_node(payload: bytes) -> list[Entry]:
    (count,) = struct.unpack_from(">i", payload)
    if not 0 <= count <= min(len(payload) // 4, _ENTRIES_MAX):
        raise ValueError(f"an index block of {len(payload)} bytes claims {count} entries")
    starts = struct.unpack_from(f">{count + 1}i", payload, 4)
    base = 4 * (count + 2)
    entries = []
    for start, stop in pairwise(starts):
        if stop < start + _ENTRY.size or base + stop > len(payload):
            raise ValueError("an index entry runs past its block")
        offset, stored_bytes = _ENTRY.unpack_from(payload, base + start)
        entries.append(
            Entry(offset, stored_bytes, payload[base + start + _ENTRY.size : base + stop])
        )
    return entries
