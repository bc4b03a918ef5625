"""HBase's plain data blocks (encoding NONE): every cell as a KeyValue.

::

    cell := i32 key bytes, i32 value bytes, key, value, [u16 tag bytes, tags], [vlong sequence id]

Source: KeyValue.java, NoneEncoder.java.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..key import PLAIN_ROWS, RowEncoder, split_key
from ..tags import tagged, tags_of
from .block import CELLS_MAX, Block
from .blocks import DATA
from .flat_key import TIME_AND_TYPE, FlatKeys, flat_key
from .primitives import decode_vlong, encode_vlong, take

NAME: Final = "NONE"

LENGTHS: Final = struct.Struct(">ii")


@dataclass(frozen=True, slots=True)
class CellForm:
    """What a file's cells have besides key and value; its file info says."""

    has_sequence_ids: bool = True
    """Whether cells end with their sequence ids; without, they are 0."""
    has_tags: bool = True
    """Whether cells have tags, or at least a length of none."""
    tags_are_compressed: bool = False
    """Whether the encodings that compress cells do so with tags."""


class KeyValues(FlatKeys):
    """The encoding named NONE."""

    name = NAME
    magic = DATA

    def __init__(
        self, family: bytes = b"", rows: RowEncoder = PLAIN_ROWS, form: CellForm | None = None
    ) -> None:
        super().__init__(family, rows)
        self.form = form or CellForm()

    def encode(
        self, keys: Sequence[bytes], values: Sequence[bytes], heads: Sequence[bytes], tails: bytes
    ) -> bytes:
        """With sequence ids and tags, whatever the form says of cells that are read."""
        parts: list[bytes] = []
        for key, value in zip(keys, values, strict=True):
            row, qualifier, timestamp, type_code, sequence_id = split_key(key)
            time_and_type = TIME_AND_TYPE.pack(timestamp, type_code)
            flat = flat_key(self.rows.decode(row), self.family, qualifier, time_and_type)
            tags = tags_of(value)
            parts += (
                LENGTHS.pack(len(flat), len(value)),
                flat,
                value,
                len(tags).to_bytes(2, "big"),
                tags,
                encode_vlong(sequence_id),
            )
        return b"".join(parts)

    def decode(self, payload: bytes) -> Block:
        keys: list[bytes] = []
        values: list[bytes] = []
        has_tags, has_sequence_ids = self.form.has_tags, self.form.has_sequence_ids
        at = 0
        while at < len(payload):
            key_bytes, value_bytes = LENGTHS.unpack_from(payload, at)
            value_at = at + 8 + key_bytes
            end = value_at + value_bytes
            if key_bytes < 0 or value_bytes < 0 or end > len(payload):
                raise ValueError(f"a cell at {at} runs past its block")
            flat = payload[at + 8 : value_at]
            value = payload[value_at:end]
            if has_tags:
                tags, end = take(payload, end + 2, int.from_bytes(payload[end : end + 2], "big"))
                value = tagged(value, tags)
            values.append(value)
            sequence_id = 0
            if has_sequence_ids:
                sequence_id, end = decode_vlong(payload, end)
            keys.append(self.cell_key(flat, sequence_id))
            if len(keys) > CELLS_MAX:
                raise ValueError(f"a block of more than {CELLS_MAX} cells")
            at = end
        return Block(keys, values, len(payload))
