"""What a caller may write for rows, columns and cells, turned into operations.

Text is taken as UTF-8. A column is written ``family:qualifier``; ``family`` alone means all of
it, and ``family:`` the column with the empty qualifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from ..errors import IllegalArgumentError
from ..model import (
    ALL_TIME,
    LATEST_TIMESTAMP,
    BloomType,
    Durability,
    FamilyDescriptor,
    FileFormat,
    KeepDeletedCells,
    TableDescriptor,
    TableName,
    TimeRange,
)
from ..operations import (
    Append,
    Columns,
    CompareOperator,
    Condition,
    Delete,
    Filter,
    Get,
    Increment,
    Mutation,
    Put,
    Scan,
)
from ..storage.filters import parse_filter

_FAMILY_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "bloom": BloomType,
    "keep_deleted_cells": KeepDeletedCells,
    "file_format": FileFormat,
}

Text = bytes | str
ColumnNames = Text | Iterable[Text] | None
Times = TimeRange | tuple[int, int] | None
FamilyTimes = Mapping[Text, TimeRange | tuple[int, int]] | None
FilterLike = Filter | Text | None
"""A filter, or its text in HBase's filter language."""
Families = TableDescriptor | Mapping[str, Mapping[str, Any]] | Iterable[Text]
"""A descriptor, or names with options (``{"f": {"max_versions": 3}}``), or names alone."""


def as_bytes(what: str, value: object) -> bytes:
    """Raises IllegalArgumentError for anything but bytes and text."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise IllegalArgumentError(f"{what} is bytes or text, not {type(value).__name__}")


def split_column(column: Text) -> tuple[bytes, bytes]:
    """(family, qualifier) of ``family:qualifier``. Raises IllegalArgumentError without ':'."""
    family, colon, qualifier = as_bytes("a column", column).partition(b":")
    if not colon or not family:
        raise IllegalArgumentError(f"a column is written 'family:qualifier', not {column!r}")
    return family, qualifier


def as_columns(columns: ColumnNames) -> Columns:
    """Selection of whole families and single columns; None selects everything."""
    if columns is None:
        return {}
    chosen: dict[bytes, tuple[bytes, ...] | None] = {}
    for one in [columns] if isinstance(columns, bytes | str) else columns:
        family, colon, qualifier = as_bytes("a column", one).partition(b":")
        if not family:
            raise IllegalArgumentError(f"column {one!r} names no family")
        if not colon:
            chosen[family] = None
            continue
        known = chosen.get(family, ())
        if known is not None:
            chosen[family] = (*known, qualifier)
    return chosen


def as_times(time_range: Times, timestamp: int | None = None) -> TimeRange:
    """A range of timestamps; ``timestamp`` alone means exactly this one."""
    if timestamp is not None:
        if time_range is not None:
            raise IllegalArgumentError("give time_range or timestamp, not both")
        return TimeRange(timestamp, timestamp + 1)
    if time_range is None:
        return ALL_TIME
    return time_range if isinstance(time_range, TimeRange) else TimeRange(*time_range)


def as_filter(given: FilterLike) -> Filter | None:
    """Raises IllegalArgumentError for text that is none of the filter language."""
    if given is None or isinstance(given, Filter):
        return given
    return parse_filter(as_bytes("a filter", given))


def as_family_times(given: FamilyTimes) -> dict[bytes, TimeRange]:
    return {as_bytes("a family", one): as_times(times) for one, times in (given or {}).items()}


def as_get(
    row: Text | Get,
    columns: ColumnNames = None,
    *,
    versions: int = 1,
    time_range: Times = None,
    timestamp: int | None = None,
    existence_only: bool = False,
    filter: FilterLike = None,  # noqa: A002 - HBase's word
    family_times: FamilyTimes = None,
    store_limit: int = 0,
    store_offset: int = 0,
) -> Get:
    if isinstance(row, Get):
        return row
    return Get(
        as_bytes("a row", row),
        as_columns(columns),
        versions,
        as_times(time_range, timestamp),
        existence_only,
        filter=as_filter(filter),
        family_times=as_family_times(family_times),
        store_limit=store_limit,
        store_offset=store_offset,
    )


def as_existence(row: Text | Get, columns: ColumnNames) -> Get:
    """A get that asks only whether there is a cell."""
    if isinstance(row, Get):
        return replace(row, existence_only=True)
    return as_get(row, columns, existence_only=True)


def as_put(
    row: Text | Put,
    cells: Mapping[Text, Text] | None,
    timestamp: int | None = None,
    durability: Durability = Durability.USE_DEFAULT,
    ttl_ms: int | None = None,
) -> Put:
    if isinstance(row, Put):
        if cells is not None:
            raise IllegalArgumentError("give a Put or a row and its cells, not both")
        return row
    put = Put(as_bytes("a row", row), durability=durability, ttl_ms=ttl_ms)
    at = LATEST_TIMESTAMP if timestamp is None else timestamp
    for column, value in (cells or {}).items():
        family, qualifier = split_column(column)
        put.add(family, qualifier, as_bytes("a value", value), at)
    return put


def as_puts(puts: Iterable[Put] | Mapping[Text, Mapping[Text, Text]]) -> list[Put]:
    if isinstance(puts, Mapping):
        return [as_put(row, cells) for row, cells in puts.items()]
    return list(puts)


def as_delete(
    row: Text | Delete,
    columns: ColumnNames,
    timestamp: int | None = None,
    durability: Durability = Durability.USE_DEFAULT,
) -> Delete:
    if isinstance(row, Delete):
        return row
    at = LATEST_TIMESTAMP if timestamp is None else timestamp
    delete = Delete(as_bytes("a row", row), at, durability=durability)
    for family, qualifiers in as_columns(columns).items():
        if qualifiers is None:
            delete.family(family, at)
        for qualifier in qualifiers or ():
            delete.column(family, qualifier, at)
    return delete


def as_append(row: Text | Append, tails: Mapping[Text, Text] | None) -> Append:
    if isinstance(row, Append):
        return row
    append = Append(as_bytes("a row", row))
    for column, tail in (tails or {}).items():
        append.add(*split_column(column), as_bytes("a value", tail))
    return append


def as_increment(row: Text | Increment, amounts: Mapping[Text, int] | None) -> Increment:
    if isinstance(row, Increment):
        return row
    increment = Increment(as_bytes("a row", row))
    for column, amount in (amounts or {}).items():
        increment.add(*split_column(column), amount)
    return increment


def as_condition(
    row: Text,
    column: Text | None,
    operator: CompareOperator,
    expected: Text | None,
    time_range: Times = None,
    filter: FilterLike = None,  # noqa: A002 - HBase's word
) -> Condition:
    """Of a column's newest value, or that a filter leaves something of the row."""
    if (column is None) != (filter is not None):
        raise IllegalArgumentError("a condition has a column or a filter, and not both")
    family, qualifier = (b"", b"") if column is None else split_column(column)
    value = None if expected is None else as_bytes("a value", expected)
    times = as_times(time_range)
    encoded = as_bytes("a row", row)
    return Condition(encoded, family, qualifier, operator, value, times, as_filter(filter))


def as_scan(
    start: Text = b"",
    stop: Text = b"",
    *,
    prefix: Text | None = None,
    columns: ColumnNames = None,
    versions: int = 1,
    time_range: Times = None,
    timestamp: int | None = None,
    limit: int = 0,
    reversed: bool = False,  # noqa: A002 - HBase's word
    include_start: bool = True,
    include_stop: bool = False,
    caching: int = 0,
    filter: FilterLike = None,  # noqa: A002 - HBase's word
    family_times: FamilyTimes = None,
    store_limit: int = 0,
    store_offset: int = 0,
    batch: int = 0,
    raw: bool = False,
    load_on_demand: bool = True,
    result_bytes: int,
) -> Scan:
    start_row, stop_row = as_bytes("a row", start), as_bytes("a row", stop)
    if prefix is not None:
        if start_row or stop_row:
            raise IllegalArgumentError("give prefix or start and stop, not both")
        first = as_bytes("a prefix", prefix)
        if reversed:
            start_row, stop_row = prefix_stop(first), first
            include_start, include_stop = False, True
        else:
            start_row, stop_row = first, prefix_stop(first)
    return Scan(
        start_row,
        stop_row,
        include_start,
        include_stop,
        as_columns(columns),
        versions,
        as_times(time_range, timestamp),
        reversed,
        limit,
        caching,
        result_bytes,
        filter=as_filter(filter),
        family_times=as_family_times(family_times),
        store_limit=store_limit,
        store_offset=store_offset,
        batch=batch,
        raw=raw,
        load_on_demand=load_on_demand,
    )


def prefix_stop(prefix: bytes) -> bytes:
    """The least row above all rows with this prefix; empty if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b""


def check_action(action: Get | Mutation, cell_bytes_max: int) -> None:
    """Raises IllegalArgumentError for what no server would take, before it is sent."""
    if isinstance(action, Get):
        return
    if not action.cells and action.kind != "delete":
        raise IllegalArgumentError(f"the {action.kind} of row {action.row!r} has no cells")
    for family, qualifier, _, _, value in action.cells:
        size = len(action.row) + len(family) + len(qualifier) + len(value)
        if size > cell_bytes_max:
            raise IllegalArgumentError(
                f"cell of {size} bytes in row {action.row[:64]!r}; the limit is {cell_bytes_max} "
                "(client setting cell_bytes_max, server setting store.cell_bytes_max)"
            )
        if not family:
            raise IllegalArgumentError(f"a cell of row {action.row[:64]!r} names no family")


def check_one_row(row: bytes, mutations: Sequence[Mutation], condition: Condition | None) -> None:
    """Raises IllegalArgumentError unless all of it is about one row."""
    if not mutations:
        raise IllegalArgumentError("no mutation was given")
    rows = {row, *(one.row for one in mutations)}
    if condition is not None:
        rows.add(condition.row)
    if len(rows) > 1:
        raise IllegalArgumentError(f"only one row can be changed at once, not {sorted(rows)}")


def as_descriptor(
    name: Text | TableName, families: Families, options: Mapping[str, Any]
) -> TableDescriptor:
    """A table's descriptor from what create_table was given."""
    if isinstance(families, TableDescriptor):
        return families
    if isinstance(families, Mapping):
        chosen = tuple(as_family(one, **dict(of or {})) for one, of in families.items())
    else:
        names = [families] if isinstance(families, bytes | str) else families
        chosen = tuple(as_family(one) for one in names)
    try:
        return TableDescriptor(TableName.parse(name), chosen, **options)
    except TypeError as error:
        raise IllegalArgumentError(f"not an option of a table: {error}") from None


def as_family(name: Text | FamilyDescriptor, **options: Any) -> FamilyDescriptor:
    """A family's descriptor; the options are FamilyDescriptor's fields."""
    if isinstance(name, FamilyDescriptor):
        return name
    try:
        return FamilyDescriptor(as_bytes("a family", name), **as_family_options(options))
    except TypeError as error:
        raise IllegalArgumentError(f"not an option of a column family: {error}") from None


def as_family_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with texts that stand for one of a few values turned into these."""
    found = dict(options)
    for field, kind in _FAMILY_ENUMS.items():
        if field in found:
            text = str(found[field])
            known = {one.value.lower(): one for one in kind}
            if text.lower() not in known:
                raise IllegalArgumentError(
                    f"{field} is one of {', '.join(one.value for one in kind)}, not {text!r}"
                )
            found[field] = known[text.lower()]
    if isinstance(found.get("compression"), str):
        found["compression"] = found["compression"].upper()
    return found
