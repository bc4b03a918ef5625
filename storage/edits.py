"""Edits: the cells a batch of mutations comes to, checked whole before any is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ..errors import IllegalArgumentError, InvalidRequestError, NoSuchFamilyError, WrongRegionError
from ..model import LATEST_TIMESTAMP, CellType, RegionInfo, TableDescriptor, check_row
from ..operations import Cell, Delete, Mutation, MutationKind, check_timestamp, check_ttl
from .key import SEQUENCE_MAX, TIMESTAMP_MAX, RowEncoder, pack_tail
from .tags import any_tagged, check_tags, with_ttl
from .wal import FamilyCells

CELL_FRAME_BYTES: Final = 20
"""What HBase's form of a cell has besides row, family, qualifier and value."""
_PUT: Final = CellType.PUT.value
_DELETE: Final = CellType.DELETE.value
_FAMILY_DELETES: Final = (
    CellType.DELETE_FAMILY.value,
    CellType.DELETE_FAMILY_VERSION.value,
)
_DELETES: Final = (_DELETE, CellType.DELETE_COLUMN.value, *_FAMILY_DELETES)

NewestTimestamp = Callable[[bytes, bytes, bytes, int], int | None]
"""(row, family, qualifier, n) -> timestamp of the n-th newest version, from 0; None: no such."""


class EditBuilder:
    """Turns mutations of one region into cells with keys.

    Args:
        info: rows outside of it are refused.
        table: families it lacks are refused.
        encoder: the table's row encoder.
        cell_bytes_max: larger cells are refused.
        newest_timestamp: asked for a delete of "the newest version".

    """

    def __init__(
        self,
        info: RegionInfo,
        table: TableDescriptor,
        encoder: RowEncoder,
        cell_bytes_max: int,
        newest_timestamp: NewestTimestamp,
    ) -> None:
        self._info = info
        self._table = table
        self._encode = encoder.encode
        self._cell_bytes_max = cell_bytes_max
        self._newest_timestamp = newest_timestamp

    def build(
        self, mutations: Iterable[Mutation], timestamp: int, sequence_id: int
    ) -> tuple[list[FamilyCells], bool]:
        """The cells by family, and whether a tombstone has the very timestamp given.

        ``timestamp`` stands where a cell asks for the server's time. Appends and increments
        must have been worked out to puts.

        Raises InvalidRequestError's kinds for the first mutation that cannot be applied, and
        BlockMiss; nothing has changed then.
        """
        columns: dict[bytes, tuple[list[bytes], list[bytes]]] = {
            family.name: ([], []) for family in self._table.families
        }
        put_tail = _tail(timestamp, _PUT, sequence_id)
        deletes_now = False
        for mutation in mutations:
            row = mutation.row
            self.check_row(row)
            encoded = self._encode(row)
            is_put = mutation.kind is MutationKind.PUT
            cells = mutation.cells
            if not is_put:
                cells = self._deletes(mutation, timestamp)
            elif not cells:
                raise IllegalArgumentError("a put without a cell")
            if mutation.ttl_ms is not None:
                cells = _with_ttl(mutation, cells)
            for family, qualifier, cell_timestamp, kind, value in cells:
                held = columns.get(family)
                if held is None:
                    raise self._no_such_family(family)
                size = len(row) + len(family) + len(qualifier) + len(value) + CELL_FRAME_BYTES
                if size > self._cell_bytes_max > 0:
                    raise InvalidRequestError(
                        f"cell of {size} bytes; the limit is {self._cell_bytes_max}"
                    )
                if is_put and cell_timestamp == LATEST_TIMESTAMP and kind == _PUT:
                    tail = put_tail
                else:
                    tail = _checked_tail(cell_timestamp, kind, sequence_id, timestamp, is_put)
                    deletes_now = deletes_now or (not is_put and cell_timestamp == timestamp)
                if b"\0" in qualifier:
                    qualifier = qualifier.replace(b"\0", b"\0\xff")
                held[0].append(b"%b\0\0%b\0\0%b" % (encoded, qualifier, tail))
                held[1].append(value)
        return _checked_families(columns), deletes_now

    def check_row(self, row: bytes) -> None:
        """Raises IllegalArgumentError or WrongRegionError."""
        check_row(row)
        if not self._info.contains(row):
            raise WrongRegionError(
                f"row {row[:64]!r} is outside of region {self._info}, which ends before "
                f"{self._info.end_key[:64]!r}"
            )

    def check_family(self, family: bytes) -> None:
        """Raises NoSuchFamilyError."""
        if self._table.family(family) is None:
            raise self._no_such_family(family)

    def _no_such_family(self, family: bytes) -> NoSuchFamilyError:
        known = ", ".join(one.name.decode("latin-1") for one in self._table.families)
        return NoSuchFamilyError(
            f"table {self._table.name} has no column family {family[:64]!r}; it has: {known}"
        )

    def _deletes(self, mutation: Mutation, now: int) -> list[Cell]:
        """The tombstones of a delete, every timestamp decided."""
        if mutation.kind is not MutationKind.DELETE:
            raise IllegalArgumentError(f"a batch of puts and deletes has a {mutation.kind}")
        if not mutation.cells:
            timestamp = mutation.timestamp if isinstance(mutation, Delete) else LATEST_TIMESTAMP
            kind = CellType.DELETE_FAMILY.value
            at = now if timestamp == LATEST_TIMESTAMP else timestamp
            return [(one.name, b"", at, kind, b"") for one in self._table.families]
        asked: dict[tuple[bytes, bytes], int] = {}
        cells = []
        for family, qualifier, timestamp, kind, value in mutation.cells:
            if timestamp == LATEST_TIMESTAMP:
                timestamp = now
                if kind == _DELETE:
                    self.check_family(family)
                    n = asked.get((family, qualifier), 0)
                    asked[family, qualifier] = n + 1
                    found = self._newest_timestamp(mutation.row, family, qualifier, n)
                    timestamp = now if found is None else found
            cells.append((family, qualifier, timestamp, kind, value))
        return cells


def _checked_families(
    columns: Mapping[bytes, tuple[list[bytes], list[bytes]]],
) -> list[FamilyCells]:
    """The families that have cells. Raises IllegalArgumentError for malformed tags."""
    for _, values in columns.values():
        if any_tagged(values):
            _check_tags(values)
    return [FamilyCells(name, *held) for name, held in columns.items() if held[0]]


def _checked_tail(timestamp: int, kind: int, sequence_id: int, now: int, is_put: bool) -> bytes:
    check_timestamp(timestamp)
    if (kind != _PUT) if is_put else (kind not in _DELETES):
        raise IllegalArgumentError(
            f"a {'put' if is_put else 'delete'} cannot hold a cell of type {kind}"
        )
    return _tail(now if timestamp == LATEST_TIMESTAMP else timestamp, kind, sequence_id)


def _tail(timestamp: int, kind: int, sequence_id: int) -> bytes:
    return pack_tail(TIMESTAMP_MAX - timestamp, 255 - kind, SEQUENCE_MAX - sequence_id)


def _with_ttl(mutation: Mutation, cells: Iterable[Cell]) -> list[Cell]:
    check_ttl(mutation.ttl_ms)
    if mutation.ttl_ms is None or mutation.kind is MutationKind.DELETE:
        raise IllegalArgumentError("a delete has no time to live")
    values = [cell[4] for cell in cells]
    if any_tagged(values):
        _check_tags(values)
    return [(*cell[:4], with_ttl(cell[4], mutation.ttl_ms)) for cell in cells]


def _check_tags(values: Iterable[bytes]) -> None:
    try:
        check_tags(values)
    except ValueError as error:
        raise IllegalArgumentError(f"malformed tags: {error}") from None


def durability_of(mutations: Iterable[Mutation], default: int) -> int:
    """The strongest durability that one of the mutations asks for."""
    return max((mutation.durability or default for mutation in mutations), default=default)
