"""Plain gets: the newest version of a row's columns, without what most gets do not ask for.

Nearly all gets want one version of a row whose cells are puts in one block of each file. Then
the cells are taken as they come, a few steps each; whatever is unusual (a tombstone, a row
that goes on in another block, a time to live, tags) is left to ``read_row``, which knows all
rules and gives the same answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter, ne
from typing import Final, Self

import numpy as np

from ..errors import BlockMiss
from ..model import ALL_TIME, CellType
from ..operations import Get
from .cell_arrays import TAIL
from .cells import CellBatch
from .column_state import PUT
from .family_merge import order_of
from .key import (
    AFTER_END,
    END,
    ESCAPED_ZERO,
    SEQUENCE_MAX,
    TAIL_BYTES,
    TIMESTAMP_MAX,
    RowEncoder,
    unescape,
)
from .store import Store
from .window import Window

_END: Final = -len(END)
_TYPE_AT: Final = 8
_SEQUENCE_AT: Final = _TYPE_AT + 1
_LOOPED_TO: Final = 2
"""Cells up to which a loop is faster than lists of all."""
_TIMES_AND_SEQUENCES: Final = [struct.Struct(">" + "QxQ" * count) for count in range(65)]
"""What takes both out of so many tails."""
_PUTS: Final = bytes([PUT]) * len(_TIMES_AND_SEQUENCES)
_row_of: Final = attrgetter("row")
_PUT_CODE: Final = CellType.PUT.value


def is_plain(get: Get) -> bool:
    """Whether the get asks for no more than one version of columns or families."""
    return (
        get.max_versions == 1
        and get.time_range is ALL_TIME
        and get.filter is None
        and not get.family_times
        and not get.store_limit
        and not get.store_offset
        and not get.read_uncommitted
        and get.cache_blocks
    )


class RowReader:
    """Reads single rows of a region's stores.

    Args:
        stores: the region's, by family.
        encoder: the table's row encoder.

    """

    def __init__(self, stores: Mapping[bytes, Store], encoder: RowEncoder) -> None:
        self._stores = stores
        self._encode = encoder.encode

    def read(self, get: Get, read_point: int) -> CellBatch | None:
        """The row's cells; None if this takes the general way.

        Requires: ``is_plain(get)``, and that the region has the row. Raises BlockMiss of all
        blocks that families and files are known to lack, with nothing changed.
        """
        row = get.row
        encoded = self._encode(row)
        start, stop = encoded + END, encoded + AFTER_END
        least = SEQUENCE_MAX - read_point
        columns = get.columns
        if columns and not columns.keys() <= self._stores.keys():
            return None
        out = CellBatch()
        missed: list[BlockMiss] = []
        for name, store in self._stores.items():
            wanted: Iterable[bytes] | None = None
            if columns:
                if name not in columns:
                    continue
                wanted = columns[name]
            if not store.is_plain:
                return None
            try:
                window = store.row_window(encoded, start, stop)
            except BlockMiss as miss:
                missed.append(miss.with_traceback(None))
                continue
            if not window or missed:
                continue
            if window.bound or not _add(window, len(start), least, wanted, out):
                return None
            out.families += [name] * (len(out.values) - len(out.families))
        if missed:
            raise BlockMiss.joined(missed)
        count = len(out.values)
        if count:
            out.rows = [row] * count
            out.types = [_PUT_CODE] * count
            out.row_ends.append(count)
        return out

    def read_many(self, gets: Sequence[Get], read_point: int) -> list[CellBatch] | None:
        """The rows of gets that all ask for the same families and columns, in their order.

        They are read in the order of their keys, so that a block is looked for once for all
        rows it has. None if one of them takes the general way. Requires and raises as ``read``.
        """
        columns = gets[0].columns
        if columns and not columns.keys() <= self._stores.keys():
            return None
        encoded = list(map(self._encode, map(_row_of, gets)))
        rows = sorted(set(encoded))
        found: list[_FamilyCells] = []
        for name, store in self._stores.items():
            if columns and name not in columns:
                continue
            if not store.is_plain:
                return None
            window = store.rows_window(rows)
            if not window:
                continue
            family = _FamilyCells.of(name, window, read_point, columns.get(name))
            if family is None:
                return None
            if family.rows:
                found.append(family)
        if not found:
            return [CellBatch() for _ in gets]
        cells = _Cells(found)
        return [cells.of_row(get.row, key) for get, key in zip(gets, encoded, strict=True)]


@dataclass(slots=True)
class _FamilyCells:
    """The newest puts of one family in several rows, and the encoded row of each."""

    name: bytes
    rows: list[bytes]
    qualifiers: list[bytes]
    timestamps: list[int]
    values: list[bytes]

    @classmethod
    def of(
        cls, name: bytes, window: Window, read_point: int, wanted: Sequence[bytes] | None
    ) -> Self | None:
        """None if a cell of the window is no put. Requires: it is not empty."""
        tails = np.frombuffer(window.tails, TAIL)
        if not (tails["type"] == PUT).all():
            return None
        columns, values = window.columns, window.values
        seen = tails["sequence_id"] >= np.uint64(SEQUENCE_MAX - read_point)
        if not seen.all():
            columns, values = list(compress(columns, seen)), list(compress(values, seen))
            tails = tails[seen]
        # The newest version of a column that is seen is the first of those that are left.
        keep = np.fromiter(map(ne, columns, chain((b"",), columns)), bool, len(columns))
        if not keep.all():
            columns, values = list(compress(columns, keep)), list(compress(values, keep))
            tails = tails[keep]
        timestamps = (TIMESTAMP_MAX - tails["timestamp"].astype(np.int64)).tolist()
        joined = b"".join(columns)
        parts = joined.split(END)
        rows, qualifiers = parts[:-1:2], parts[1::2]
        if ESCAPED_ZERO in joined:
            qualifiers = list(map(unescape, qualifiers))
        if wanted is not None:
            asked = frozenset(wanted)
            selected = [qualifier in asked for qualifier in qualifiers]
            rows, qualifiers, timestamps, values = (
                list(compress(one, selected)) for one in (rows, qualifiers, timestamps, values)
            )
        return cls(name, rows, qualifiers, timestamps, values)


class _Cells:
    """The cells of several rows and families by row; at least one."""

    def __init__(self, found: Sequence[_FamilyCells]) -> None:
        order = order_of([one.rows for one in found])
        rows = order.of([one.rows for one in found])
        self._families = order.of([[one.name] * len(one.rows) for one in found])
        self._qualifiers = order.of([one.qualifiers for one in found])
        self._timestamps = order.of([one.timestamps for one in found])
        self._values = order.of([one.values for one in found])
        ends = chain(order.starts[1:], (len(rows),))
        self._places = {
            rows[first]: (first, end) for first, end in zip(order.starts, ends, strict=True)
        }

    def of_row(self, row: bytes, encoded: bytes) -> CellBatch:
        place = self._places.get(encoded)
        if place is None:
            return CellBatch()
        first, end = place
        return CellBatch.of_row(
            row,
            self._families[first:end],
            self._qualifiers[first:end],
            self._timestamps[first:end],
            _PUT_CODE,
            self._values[first:end],
        )


def _add(
    window: Window,
    row_bytes: int,
    least: int,
    wanted: Iterable[bytes] | None,
    out: CellBatch,
) -> bool:
    """Appends the newest put of every column; False if there is something else.

    ``least`` is the least sequence id, inverted as in keys, that is seen.
    """
    columns, tails, values = window.columns, window.tails, window.values
    count = len(columns)
    if count <= _LOOPED_TO or wanted is not None or count >= len(_TIMES_AND_SEQUENCES):
        return _add_one_by_one(columns, tails, values, row_bytes, least, wanted, out)
    if tails[_TYPE_AT::TAIL_BYTES] != _PUTS[:count]:
        return False
    qualifiers = [column[row_bytes:_END] for column in columns]
    numbers = _TIMES_AND_SEQUENCES[count].unpack(tails)
    if min(numbers[1::2]) < least or len(set(qualifiers)) < count:
        return _add_one_by_one(columns, tails, values, row_bytes, least, wanted, out)
    if b"\0" in b"".join(qualifiers):
        qualifiers = list(map(unescape, qualifiers))
    out.qualifiers += qualifiers
    out.timestamps += [TIMESTAMP_MAX - one for one in numbers[::2]]
    out.values += values
    return True


def _add_one_by_one(
    columns: Sequence[bytes],
    tails: bytes,
    values: Sequence[bytes],
    row_bytes: int,
    least: int,
    wanted: Iterable[bytes] | None,
    out: CellBatch,
) -> bool:
    qualifiers, timestamps = out.qualifiers, out.timestamps
    last: bytes | None = None
    at = 0
    for column, value in zip(columns, values, strict=True):
        tail = tails[at : at + TAIL_BYTES]
        at += TAIL_BYTES
        if tail[_TYPE_AT] != PUT:
            return False
        if column == last or int.from_bytes(tail[_SEQUENCE_AT:]) < least:
            continue
        last = column
        qualifier = unescape(column[row_bytes:_END])
        if wanted is not None and qualifier not in wanted:
            continue
        qualifiers.append(qualifier)
        timestamps.append(TIMESTAMP_MAX - int.from_bytes(tail[:_TYPE_AT]))
        out.values.append(value)
    return True
