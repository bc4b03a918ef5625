"""Rows of hbase:meta, written and read: HBase's columns, so that its clients understand them.

::

    row           name of a region, a table, or a namespace
    info:regioninfo         "PBUF" RegionInfo
    info:server             host:port of who serves the region
    info:serverstartcode    8 bytes, big-endian
    info:seqnumDuringOpen   8 bytes, big-endian
    info:sn                 host,port,startcode of its owner, or who is to be
    info:state              TransitionState as text
    info:splitA, splitB     "PBUF" RegionInfo of a split parent's daughters
    info:merge0000, ...     "PBUF" RegionInfo of the regions it was merged from
    table:state             TableState
    table:descriptor        TableSchema
    ns:d                    NamespaceDescriptor

Every cell carries the master's timestamp, which only grows: a mutation that arrives late, for
the second time, is hidden by what was written after it. Source: MetaTableAccessor.java,
CatalogFamilyFormat.java, RegionStateStore.java.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ..errors import CorruptionError, InvalidRequestError
from ..model import (
    META_REGION,
    META_TABLE,
    FamilyDescriptor,
    NamespaceDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from ..operations import Delete, Mutation, Put
from ..rpc import schema
from ..rpc.proto import hbase_pb2 as pb
from ..storage.cells import CellBatch

INFO: Final = b"info"
TABLE: Final = b"table"
NAMESPACE: Final = b"ns"
_VERSIONS: Final = 3
_NEVER_OPEN: Final = 1
"""HBase's sequence id of the opening of a region that comes of others and was never open."""

META_DESCRIPTOR: Final = TableDescriptor(
    META_TABLE,
    (
        FamilyDescriptor(INFO, max_versions=_VERSIONS, in_memory=True),
        FamilyDescriptor(NAMESPACE, max_versions=_VERSIONS, in_memory=True),
        FamilyDescriptor(TABLE, max_versions=_VERSIONS, in_memory=True),
    ),
)


class TableState(IntEnum):
    """HBase's TableState; the numbers stand in hbase:meta."""

    ENABLED = 0
    DISABLED = 1
    DISABLING = 2
    ENABLING = 3


@dataclass(frozen=True, slots=True)
class RegionRow:
    """What hbase:meta says of a region. ``server`` is its owner or the one it is to have."""

    info: RegionInfo
    state: str
    server: ServerName | None = None
    open_sequence_id: int = 0
    daughters: tuple[RegionInfo, ...] = ()
    merge_parents: tuple[RegionInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    name: TableName
    descriptor: TableDescriptor
    state: TableState


@dataclass(frozen=True, slots=True)
class MetaContent:
    """All of hbase:meta, and its highest timestamp."""

    regions: tuple[RegionRow, ...]
    tables: tuple[TableRow, ...]
    timestamp_ms: int
    namespaces: tuple[NamespaceDescriptor, ...] = ()
    """Those that were created or altered; ``default`` and ``hbase`` need no row."""


def region_put(info: RegionInfo, state: str, timestamp_ms: int) -> Put:
    """A region that is new, or has another state than before."""
    put = Put(info.name)
    put.add(INFO, b"regioninfo", schema.region_info_to_cell(info), timestamp_ms)
    return put.add(INFO, b"state", state.encode(), timestamp_ms)


def owner_put(info: RegionInfo, state: str, owner: ServerName, timestamp_ms: int) -> Put:
    """A region on its way to ``owner`` or away from it; clients still look where it was."""
    put = region_put(info, state, timestamp_ms)
    return put.add(INFO, b"sn", str(owner).encode(), timestamp_ms)


def open_put(
    info: RegionInfo, state: str, server: ServerName, sequence_id: int, timestamp_ms: int
) -> Put:
    """A region that ``server`` serves: from now on clients look there."""
    put = owner_put(info, state, server, timestamp_ms)
    put.add(INFO, b"server", server.address.encode(), timestamp_ms)
    put.add(INFO, b"serverstartcode", server.start_code.to_bytes(8, "big"), timestamp_ms)
    return put.add(INFO, b"seqnumDuringOpen", sequence_id.to_bytes(8, "big"), timestamp_ms)


def split_puts(
    parent: RegionInfo,
    daughters: tuple[RegionInfo, ...],
    state: str,
    server: ServerName,
    timestamp_ms: int,
) -> list[Put]:
    """The split's point of no return: the parent gives way to its daughters.

    Clients look for these at ``server``, which has them open.
    """
    flagged = parent.with_flags(offline=True, split=True)
    put = region_put(flagged, "SPLIT", timestamp_ms)
    for qualifier, daughter in zip((b"splitA", b"splitB"), daughters, strict=True):
        put.add(INFO, qualifier, schema.region_info_to_cell(daughter), timestamp_ms)
    opened = (open_put(one, state, server, _NEVER_OPEN, timestamp_ms) for one in daughters)
    return [put, *opened]


def merge_puts(
    parents: Sequence[RegionInfo], merged: RegionInfo, timestamp_ms: int
) -> list[Mutation]:
    """The merge's point of no return: the parents give way to the merged region."""
    put = _new_put(merged, timestamp_ms)
    for number, parent in enumerate(parents):
        put.add(INFO, _merge_column(number), schema.region_info_to_cell(parent), timestamp_ms)
    return [put, *(region_delete(parent, timestamp_ms) for parent in parents)]


def _new_put(info: RegionInfo, timestamp_ms: int) -> Put:
    """A region that comes of others, and was never open."""
    put = region_put(info, "CLOSED", timestamp_ms)
    return put.add(INFO, b"seqnumDuringOpen", _NEVER_OPEN.to_bytes(8, "big"), timestamp_ms)


def merge_delete(merged: RegionInfo, count: int, timestamp_ms: int) -> Delete:
    """The merged region refers to none of its parents any more."""
    delete = Delete(merged.name)
    for number in range(count):
        delete.column(INFO, _merge_column(number), timestamp_ms)
    return delete


def _merge_column(number: int) -> bytes:
    return b"merge%04d" % number


def table_put(descriptor: TableDescriptor, state: TableState, timestamp_ms: int) -> Put:
    message = schema.table_to_pb(descriptor).SerializeToString(deterministic=True)
    put = Put(_table_row(descriptor.name))
    put.add(TABLE, b"state", encode_state(state), timestamp_ms)
    return put.add(TABLE, b"descriptor", message, timestamp_ms)


def region_delete(info: RegionInfo, timestamp_ms: int) -> Delete:
    return Delete(info.name).family(INFO, timestamp_ms)


def table_delete(name: TableName, timestamp_ms: int) -> Delete:
    return Delete(_table_row(name)).family(TABLE, timestamp_ms)


def namespace_put(namespace: NamespaceDescriptor, timestamp_ms: int) -> Put:
    message = schema.namespace_to_pb(namespace).SerializeToString(deterministic=True)
    return Put(namespace.name.encode()).add(NAMESPACE, b"d", message, timestamp_ms)


def namespace_delete(name: str, timestamp_ms: int) -> Delete:
    return Delete(name.encode()).family(NAMESPACE, timestamp_ms)


def encode_state(state: TableState) -> bytes:
    return pb.TableState(state=pb.TableState.State.Name(state.value)).SerializeToString()


def parse(batch: CellBatch) -> MetaContent:
    """What the newest cells of hbase:meta say.

    Raises CorruptionError naming the row: meta is not read half.
    """
    regions: list[RegionRow] = []
    tables: list[TableRow] = []
    namespaces: list[NamespaceDescriptor] = []
    for row, columns in _rows(batch):
        try:
            if (NAMESPACE, b"d") in columns:
                message = schema.parsed(pb.NamespaceDescriptor, columns.pop((NAMESPACE, b"d")))
                namespaces.append(schema.namespace_from_pb(message))
            if b"," not in row:
                # A namespace and a table of the default one may have one name, and row.
                tables += [_table(row, columns)] if columns else []
            elif (INFO, b"regioninfo") in columns:
                regions.append(_region(columns))
        except (KeyError, ValueError, InvalidRequestError) as error:
            raise CorruptionError(str(META_REGION), 0, f"row {row!r}: {error!r}") from error
    timestamp_ms = max(batch.timestamps, default=0)
    return MetaContent(tuple(regions), tuple(tables), timestamp_ms, tuple(namespaces))


def _rows(batch: CellBatch) -> Iterator[tuple[bytes, dict[tuple[bytes, bytes], bytes]]]:
    columns: dict[tuple[bytes, bytes], bytes] = {}
    at: bytes | None = None
    for row, family, qualifier, _, _, value in batch.cells():
        if row != at:
            if at is not None:
                yield at, columns
            at, columns = row, {}
        columns.setdefault((family, qualifier), value)
    if at is not None:
        yield at, columns


def _region(columns: dict[tuple[bytes, bytes], bytes]) -> RegionRow:
    owner = columns.get((INFO, b"sn"))
    daughters = (columns.get((INFO, b"splitA")), columns.get((INFO, b"splitB")))
    return RegionRow(
        schema.region_info_from_cell(columns[INFO, b"regioninfo"]),
        columns.get((INFO, b"state"), b"OFFLINE").decode("ascii"),
        ServerName.parse(owner.decode("ascii")) if owner else None,
        int.from_bytes(columns.get((INFO, b"seqnumDuringOpen"), b""), "big"),
        tuple(schema.region_info_from_cell(one) for one in daughters if one),
        _merge_parents(columns),
    )


def _merge_parents(columns: dict[tuple[bytes, bytes], bytes]) -> tuple[RegionInfo, ...]:
    found = sorted(key for key in columns if key[0] == INFO and key[1].startswith(b"merge"))
    return tuple(schema.region_info_from_cell(columns[key]) for key in found)


def _table(row: bytes, columns: dict[tuple[bytes, bytes], bytes]) -> TableRow:
    state = schema.parsed(pb.TableState, columns[TABLE, b"state"]).state
    message = schema.parsed(pb.TableSchema, columns[TABLE, b"descriptor"])
    return TableRow(TableName.parse(row), schema.table_from_pb(message), TableState(state))


def _table_row(name: TableName) -> bytes:
    return str(name).encode("ascii")
