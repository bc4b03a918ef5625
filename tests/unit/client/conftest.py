"""A cluster in a dictionary, and a driver that runs operations against it step by step."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from raybase.actors.system import SystemClock, TcpNetwork
from raybase.client.admin_core import AdminCore
from raybase.client.core import Core
from raybase.client.effects import (
    Begin,
    Call,
    FindServers,
    Finish,
    Parallel,
    Shared,
    Sleep,
)
from raybase.client.table_core import TableCore
from raybase.config import ClientConfig, RpcConfig
from raybase.errors import (
    ConnectionLostError,
    ConstraintError,
    NamespaceExistsError,
    NamespaceNotFoundError,
    NoSuchFamilyError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    TableExistsError,
    TableNotFoundError,
    UnknownScannerError,
    UnsupportedOperationError,
)
from raybase.model import (
    META_REGION,
    META_TABLE,
    CellType,
    NamespaceDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from raybase.operations import CompareOperator, Condition, Get, Mutation, MutationKind, Scan
from raybase.rpc import convert, schema
from raybase.rpc.call import Reply
from raybase.rpc.client import Answer
from raybase.rpc.codec import COLUMNAR
from raybase.rpc.multi import RegionAnswer
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.server import RpcServer
from raybase.rpc.services import SERVICES
from raybase.storage.cells import CellBatch
from raybase.storage.key import META_ROWS, PLAIN_ROWS

Rows = dict[bytes, dict[tuple[bytes, bytes], tuple[int, bytes]]]

MASTER_SERVER = ServerName("master", 9, 90)
META_SERVER = ServerName("one", 1, 10)


@dataclass
class Place:
    info: RegionInfo
    server: ServerName
    sequence_id: int = 1


@dataclass
class OpenScanner:
    place: Place
    rows: list[tuple[bytes, list[tuple[bytes, bytes, int, int, bytes]]]]
    limit: int
    call_seq: int = 0


@dataclass
class FakeCluster:
    """Servers, regions and rows; answers the messages of HBase's services at once.

    ``cells_per_answer`` cuts scans into pieces, within rows too. ``faults`` maps a method to
    errors to raise instead of answering, first come, first served; with ``late_faults`` the
    call is done and its answer lost.
    """

    servers: list[ServerName] = field(
        default_factory=lambda: [ServerName("one", 1, 10), ServerName("two", 2, 20)]
    )
    places: list[Place] = field(default_factory=list)
    rows: dict[TableName, Rows] = field(default_factory=dict)
    tables: dict[TableName, TableDescriptor] = field(default_factory=dict)
    states: dict[TableName, int] = field(default_factory=dict)
    moved: dict[bytes, Place] = field(default_factory=dict)
    meta_server: ServerName = META_SERVER
    stale: dict[str, ServerName] = field(default_factory=dict)
    """Hosts that say hbase:meta, and the active master, were somewhere else."""
    master: ServerName = MASTER_SERVER
    cells_per_answer: int = 10**9
    faults: dict[str, list[RaybaseError]] = field(default_factory=dict)
    late_faults: dict[str, list[RaybaseError]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    scanners: dict[int, OpenScanner] = field(default_factory=dict)
    nonces: dict[int, CellBatch] = field(default_factory=dict)
    procedures: dict[int, RaybaseError | None] = field(default_factory=dict)
    draining: list[ServerName] = field(default_factory=list)
    transitions: dict[RegionInfo, str] = field(default_factory=dict)
    truncated: list[tuple[str, bool]] = field(default_factory=list)
    namespaces: dict[str, NamespaceDescriptor] = field(
        default_factory=lambda: {name: NamespaceDescriptor(name) for name in ("default", "hbase")}
    )
    balancer_on: bool = True
    normalizer_on: bool = True
    normalized: list[Any] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    clock_ms: int = 1000
    next_id: int = 0
    tells_moves: bool = True

    # -- what tests do to it ---------------------------------------------------------------

    def add_table(self, name: str, *splits: bytes, families: Sequence[str] = ("f",)) -> TableName:
        table = TableName.parse(name)
        from raybase.client.arguments import as_descriptor

        self.tables[table] = as_descriptor(name, list(families), {})
        self.states[table] = 0
        self.rows[table] = {}
        bounds = [b"", *splits, b""]
        for index, (start, end) in enumerate(pairwise(bounds)):
            info = RegionInfo(table, start, end, 1)
            self.places.append(Place(info, self.servers[index % len(self.servers)]))
        return table

    def fill(self, table: TableName, rows: int, columns: int = 1) -> None:
        for number in range(rows):
            self.rows[table][b"%04d" % number] = {
                (b"f", b"q%d" % column): (5, b"v%d.%d" % (number, column))
                for column in range(columns)
            }

    def place(self, table: TableName, row: bytes) -> Place:
        return next(
            one for one in self.places if one.info.table == table and one.info.contains(row)
        )

    def move(self, place: Place, server: ServerName) -> None:
        self._close_scanners(place)
        place.server = server
        place.sequence_id += 1
        if self.tells_moves:
            self.moved[place.info.name] = place

    def split(self, place: Place, row: bytes) -> None:
        self._close_scanners(place)
        info, new_id = place.info, place.info.region_id + 1
        at = self.places.index(place)
        self.places[at : at + 1] = [
            Place(RegionInfo(info.table, info.start_key, row, new_id), place.server),
            Place(RegionInfo(info.table, row, info.end_key, new_id), self.servers[-1]),
        ]

    def kill(self, server: ServerName) -> None:
        """The server is gone; its regions are with the next one."""
        self.servers.remove(server)
        for one in self.places:
            if one.server == server:
                self._close_scanners(one)
                one.server = self.servers[0]
                one.sequence_id += 1
        if self.meta_server == server:
            self.meta_server = self.servers[0]

    def _close_scanners(self, place: Place) -> None:
        self.scanners = {
            number: one for number, one in self.scanners.items() if one.place is not place
        }

    # -- calls -----------------------------------------------------------------------------

    def handle(self, server: ServerName, method: str, request: Any, cells: bytes = b"") -> Reply:
        self.calls.append((server.host, method))
        self.requests.append(request)
        if self.faults.get(method):
            raise self.faults[method].pop(0)
        name = method[0].lower() + method[1:]
        reply: Reply = getattr(self, f"_{name}")(server, request, cells)
        if self.late_faults.get(method):
            raise self.late_faults[method].pop(0)
        return reply

    def _getClusterId(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        return Reply(pb.GetClusterIdResponse(cluster_id="the-cluster"))

    def _getActiveMaster(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        name = schema.server_name_to_pb(self.stale.get(server.host, self.master))
        return Reply(pb.GetActiveMasterResponse(server_name=name))

    def _getMetaRegionLocations(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        location = pb.RegionLocation(
            region_info=schema.region_info_to_pb(META_REGION),
            server_name=schema.server_name_to_pb(self.stale.get(server.host, self.meta_server)),
            seq_num=1,
        )
        return Reply(pb.GetMetaRegionLocationsResponse(meta_locations=[location]))

    def _served(self, server: ServerName, specifier: Any) -> Place:
        name = bytes(specifier.value)
        if name == META_REGION.name:
            if server != self.meta_server:
                raise NotServingRegionError("hbase:meta is not here")
            return Place(META_REGION, server)
        for one in self.places:
            if one.info.name == name and one.server == server:
                if self.states[one.info.table]:
                    break
                return one
        if name in self.moved and self.moved[name].server != server:
            new = self.moved[name]
            raise RegionMovedError(
                new.server.host, new.server.port, new.server.start_code, new.sequence_id
            )
        raise NotServingRegionError(f"{name!r} is not at {server}")

    def _get(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        place = self._served(server, request.region)
        get = convert.get_from_pb(request.get)
        return convert.get_reply(self._read(place.info.table, get), get, COLUMNAR)

    def _read(self, table: TableName, get: Get) -> CellBatch:
        scan = Scan(
            get.row,
            get.row,
            include_stop=True,
            columns=get.columns,
            time_range=get.time_range,
        )
        batch = CellBatch()
        for row, found in self._selected(table, scan):
            for cell in found:
                batch.append(row, *cell)
            batch.end_row()
        return batch

    def _mutate(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        place = self._served(server, request.region)
        mutation, condition = convert.mutate_from_request(request, cells, COLUMNAR)
        table = place.info.table
        held = condition is None or self._holds(table, condition)
        result = self._apply(table, mutation) if held else CellBatch()
        processed = None if condition is None else held
        return convert.mutate_reply(result, COLUMNAR, processed=processed)

    def _multi(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        batches = convert.multi_from_request(request, cells, COLUMNAR)
        return convert.multi_reply(
            request, [self._one_region(server, one) for one in batches], COLUMNAR
        )

    def _one_region(self, server: ServerName, batch: Any) -> RegionAnswer:
        specifier = pb.RegionSpecifier(type=pb.RegionSpecifier.REGION_NAME, value=batch.region)
        try:
            table = self._served(server, specifier).info.table
        except RaybaseError as error:
            return RegionAnswer(error=error)
        processed = None
        if batch.atomic:
            processed = batch.condition is None or self._holds(table, batch.condition)
            if not processed:
                return RegionAnswer([None] * len(batch.operations), processed=False)
        outcomes: list[Any] = []
        for one in batch.operations:
            try:
                outcomes.append(
                    self._read(table, one) if isinstance(one, Get) else self._apply(table, one)
                )
            except RaybaseError as error:
                outcomes.append(error)
        return RegionAnswer(outcomes, processed=processed)

    def _holds(self, table: TableName, condition: Condition) -> bool:
        assert condition.operator is CompareOperator.EQUAL
        row = self.rows[table].get(condition.row, {})
        found = row.get((condition.family, condition.qualifier))
        return (found[1] if found else None) == condition.value

    def _apply(self, table: TableName, mutation: Mutation) -> CellBatch | None:
        if mutation.nonce and mutation.nonce in self.nonces:
            return self.nonces[mutation.nonce]
        if any(self.tables[table].family(cell[0]) is None for cell in mutation.cells):
            raise NoSuchFamilyError(f"table {table} has no such family")
        if mutation.row == b"busy" and self.faults.get("busy"):
            raise self.faults["busy"].pop(0)
        row = self.rows[table].setdefault(mutation.row, {})
        self.clock_ms += 1
        result = CellBatch()
        for family, qualifier, timestamp, _, value in mutation.cells:
            stamp = self.clock_ms if timestamp == 2**63 - 1 else timestamp
            key = (family, qualifier)
            if mutation.kind is MutationKind.DELETE:
                row.pop(key, None)
                continue
            old = row.get(key, (0, b""))[1]
            if mutation.kind is MutationKind.APPEND:
                value = old + value
            if mutation.kind is MutationKind.INCREMENT:
                total = int.from_bytes(old, "big", signed=True) + int.from_bytes(
                    value, "big", signed=True
                )
                value = total.to_bytes(8, "big", signed=True)
            row[key] = (stamp, value)
            result.append(mutation.row, family, qualifier, stamp, CellType.PUT.value, value)
        if mutation.kind is MutationKind.DELETE and not mutation.cells:
            row.clear()
        if not row:
            del self.rows[table][mutation.row]
        if mutation.kind in (MutationKind.PUT, MutationKind.DELETE):
            return None
        result.end_row()
        if mutation.nonce:
            self.nonces[mutation.nonce] = result
        return result

    # -- scans -----------------------------------------------------------------------------

    def _meta_rows(self) -> Rows:
        found: Rows = {}
        for one in self.places:
            values = {
                b"regioninfo": schema.region_info_to_cell(one.info),
                b"server": one.server.address.encode(),
                b"serverstartcode": one.server.start_code.to_bytes(8, "big"),
                b"seqnumDuringOpen": one.sequence_id.to_bytes(8, "big"),
                b"state": b"OPEN",
            }
            found[one.info.name] = {(b"info", key): (1, value) for key, value in values.items()}
        for table, state in self.states.items():
            value = pb.TableState(state=pb.TableState.State.Name(state)).SerializeToString()
            found[str(table).encode()] = {(b"table", b"state"): (1, value)}
        return found

    def _selected(
        self, table: TableName, scan: Scan
    ) -> list[tuple[bytes, list[tuple[bytes, bytes, int, int, bytes]]]]:
        """Rows of a scan, whatever the region."""
        encode = (META_ROWS if table == META_TABLE else PLAIN_ROWS).encode
        source = self._meta_rows() if table == META_TABLE else self.rows[table]
        start, stop = encode(scan.start_row), encode(scan.stop_row)
        sign = -1 if scan.reversed else 1
        found = []
        for row in sorted(source, key=encode, reverse=scan.reversed):
            key = encode(row)
            after = (key > start) - (key < start)
            if scan.start_row and (after * sign < 0 or (not after and not scan.include_start)):
                continue
            before = (key > stop) - (key < stop)
            if scan.stop_row and (before * sign > 0 or (not before and not scan.include_stop)):
                continue
            cells = [
                (family, qualifier, stamp, CellType.PUT.value, value)
                for (family, qualifier), (stamp, value) in sorted(source[row].items())
                if _wanted(scan, family, qualifier) and stamp in scan.time_range
            ]
            if cells:
                found.append((row, cells))
        return found

    def _scan(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        if request.HasField("scanner_id"):
            scanner = self.scanners.get(request.scanner_id)
            if scanner is None:
                raise UnknownScannerError(f"scanner {request.scanner_id} is not known")
            if request.close_scanner:
                del self.scanners[request.scanner_id]
                return Reply(pb.ScanResponse())
            assert request.next_call_seq == scanner.call_seq
            scanner.call_seq += 1
            number = request.scanner_id
        else:
            place = self._served(server, request.region)
            scan = convert.scan_from_request(request)
            rows = [
                (row, found)
                for row, found in self._selected(place.info.table, scan)
                if place.info.table == META_TABLE or place.info.contains(row)
            ]
            scanner = OpenScanner(place, rows, scan.limit)
            self.next_id += 1
            number = self.next_id
            self.scanners[number] = scanner
        return self._next_rows(number, scanner, request)

    def _next_rows(self, number: int, scanner: OpenScanner, request: Any) -> Reply:
        batch = CellBatch()
        room = self.cells_per_answer if request.client_handles_partials else 10**9
        while scanner.rows and batch.row_count < request.number_of_rows and room:
            row, found = scanner.rows[0]
            for cell in found[:room]:
                batch.append(row, *cell)
            batch.end_row()
            if len(found) > room:
                scanner.rows[0] = (row, found[room:])
                batch.partial = True
                break
            room -= len(found)
            del scanner.rows[0]
            if scanner.limit:
                scanner.limit -= 1
                if not scanner.limit:
                    scanner.rows.clear()
                    scanner.limit = -1
        response = pb.ScanResponse(scanner_id=number, more_results=scanner.limit >= 0)
        response.more_results_in_region = bool(scanner.rows)
        if request.close_scanner or not scanner.rows:
            del self.scanners[number]
        return convert.scan_reply(response, batch, COLUMNAR)

    # -- master and admin ------------------------------------------------------------------

    def _procedure(self, error: RaybaseError | None = None) -> int:
        self.next_id += 1
        self.procedures[self.next_id] = error
        return self.next_id

    def _createTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        descriptor = convert.table_from_pb(request.table_schema)
        error = None
        if descriptor.name in self.tables:
            error = TableExistsError(str(descriptor.name))
        else:
            self.add_table(str(descriptor.name), *request.split_keys)
            self.tables[descriptor.name] = descriptor
        return Reply(pb.CreateTableResponse(proc_id=self._procedure(error)))

    def _deleteTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        table = convert.table_name_from_pb(request.table_name)
        if table not in self.tables:
            raise TableNotFoundError(str(table))
        for known in (self.tables, self.states, self.rows):
            known.pop(table)  # type: ignore[attr-defined]
        self.places = [one for one in self.places if one.info.table != table]
        return Reply(pb.DeleteTableResponse(proc_id=self._procedure()))

    def _disableTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        self.states[convert.table_name_from_pb(request.table_name)] = 1
        return Reply(pb.DisableTableResponse(proc_id=self._procedure()))

    def _enableTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        self.states[convert.table_name_from_pb(request.table_name)] = 0
        return Reply(pb.EnableTableResponse(proc_id=self._procedure()))

    def _truncateTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        table = convert.table_name_from_pb(request.tableName)
        assert self.states[table] == 1, "it must be disabled first"
        self.states[table] = 0
        self.truncated.append((str(table), request.preserveSplits))
        return Reply(pb.TruncateTableResponse(proc_id=self._procedure()))

    def _modifyTable(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        descriptor = convert.table_from_pb(request.table_schema)
        self.tables[descriptor.name] = descriptor
        return Reply(pb.ModifyTableResponse(proc_id=self._procedure()))

    def _getProcedureResult(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        response = pb.GetProcedureResultResponse(state=pb.GetProcedureResultResponse.FINISHED)
        if request.proc_id not in self.procedures:
            response.state = pb.GetProcedureResultResponse.NOT_FOUND
            return Reply(response)
        error = self.procedures[request.proc_id]
        if error is not None:
            response.exception.generic_exception.class_name = error.java_class
            response.exception.generic_exception.message = str(error)
        return Reply(response)

    def _getTableNames(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        names = [schema.table_name_to_pb(one) for one in self.tables]
        return Reply(pb.GetTableNamesResponse(table_names=names))

    def _getTableDescriptors(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        wanted = [schema.table_name_from_pb(one) for one in request.table_names]
        found = [schema.table_to_pb(self.tables[one]) for one in wanted if one in self.tables]
        return Reply(pb.GetTableDescriptorsResponse(table_schema=found))

    def _getClusterStatus(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        status = pb.ClusterStatus(master=schema.server_name_to_pb(self.master))
        for one in self.servers:
            live = status.live_servers.add(server=schema.server_name_to_pb(one))
            live.server_load.total_number_of_requests = 7
            for place in self.places:
                if place.server == one:
                    live.server_load.region_loads.add(
                        region_specifier=schema.region_specifier(place.info.name), storefiles=2
                    )
            live.server_load.report_end_time = 65_000
        for place, reason in self.transitions.items():
            status.regions_in_transition.add(
                spec=schema.region_specifier(place.name),
                region_state=pb.RegionState(
                    region_info=schema.region_info_to_pb(place),
                    state=pb.RegionState.OPENING,
                    stamp=60_000,
                    server=str(self.servers[0]),
                    reason=reason,
                ),
            )
        return Reply(pb.GetClusterStatusResponse(cluster_status=status))

    def _getProcedures(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        response = pb.GetProceduresResponse()
        times = {"submitted_time": 60_000, "last_update": 61_000}
        response.procedure.add(
            class_name="MoveProcedure", proc_id=7, state=pb.RUNNABLE, description="move web",
            step="hand_over", reason="waits for one to answer", **times,
        )  # fmt: skip
        failed = response.procedure.add(
            class_name="SplitProcedure", proc_id=8, parent_id=7, state=pb.FAILED, **times
        )
        failed.exception.generic_exception.message = "cannot be split"
        return Reply(response)

    def _abortProcedure(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        waits = request.proc_id == 8
        return Reply(
            pb.AbortProcedureResponse(
                is_procedure_aborted=waits
                or (request.proc_id == 7 and request.mayInterruptIfRunning)
            )
        )

    def _getLocks(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        times = {"submitted_time": 1, "last_update": 1, "state": pb.RUNNABLE}
        owner, waiter = (pb.Procedure(class_name="x", proc_id=one, **times) for one in (7, 9))
        region = pb.LockedResource(
            resource_type=pb.REGION,
            resource_name="abc",
            lock_type=pb.EXCLUSIVE,
            exclusive_lock_owner_procedure=owner,
            waitingProcedures=[waiter],
        )
        table = pb.LockedResource(
            resource_type=pb.TABLE,
            resource_name="web",
            lock_type=pb.SHARED,
            shared_lock_count=2,
        )
        return Reply(pb.GetLocksResponse(lock=[region, table]))

    def _decommissionRegionServers(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        for one in request.server_name:
            name = schema.server_name_from_pb(one)
            self.draining.append(name)
            for place in self.places:
                if place.server == name and request.offload:
                    self.move(place, next(other for other in self.servers if other != name))
        return Reply(pb.DecommissionRegionServersResponse())

    def _listDecommissionedRegionServers(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        names = [schema.server_name_to_pb(one) for one in self.draining]
        return Reply(pb.ListDecommissionedRegionServersResponse(server_name=names))

    def _recommissionRegionServer(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        name = schema.server_name_from_pb(request.server_name)
        self.draining.remove(name)
        for region in request.region:
            encoded = region.value.decode()
            self.move(next(one for one in self.places if one.info.encoded_name == encoded), name)
        return Reply(pb.RecommissionRegionServerResponse())

    def _createNamespace(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        namespace = schema.namespace_from_pb(request.namespaceDescriptor)
        error = None
        if namespace.name in self.namespaces:
            error = NamespaceExistsError(namespace.name)
        else:
            self.namespaces[namespace.name] = namespace
        return Reply(pb.CreateNamespaceResponse(proc_id=self._procedure(error)))

    def _modifyNamespace(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        namespace = schema.namespace_from_pb(request.namespaceDescriptor)
        self.namespaces[namespace.name] = namespace
        return Reply(pb.ModifyNamespaceResponse(proc_id=self._procedure()))

    def _deleteNamespace(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        error = None
        if any(one.namespace == request.namespaceName for one in self.tables):
            error = ConstraintError("only an empty namespace can be removed")
        else:
            del self.namespaces[request.namespaceName]
        return Reply(pb.DeleteNamespaceResponse(proc_id=self._procedure(error)))

    def _getNamespaceDescriptor(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        if request.namespaceName not in self.namespaces:
            raise NamespaceNotFoundError(request.namespaceName)
        found = schema.namespace_to_pb(self.namespaces[request.namespaceName])
        return Reply(pb.GetNamespaceDescriptorResponse(namespaceDescriptor=found))

    def _listNamespaceDescriptors(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        found = [schema.namespace_to_pb(one) for one in self.namespaces.values()]
        return Reply(pb.ListNamespaceDescriptorsResponse(namespaceDescriptor=found))

    def _listTableNamesByNamespace(  # noqa: N802
        self, server: ServerName, request: Any, cells: bytes
    ) -> Reply:
        name = request.namespaceName
        found = [schema.table_name_to_pb(one) for one in self.tables if one.namespace == name]
        return Reply(pb.ListTableNamesByNamespaceResponse(tableName=found))

    def _splitRegion(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        info = schema.region_info_from_pb(request.region_info)
        place = next(one for one in self.places if one.info.name == info.name)
        self.split(place, bytes(request.split_row) or info.start_key + b"5")
        return Reply(pb.SplitTableRegionResponse(proc_id=self._procedure()))

    def _moveRegion(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        encoded = request.region.value.decode()
        place = next(one for one in self.places if one.info.encoded_name == encoded)
        target = next(one for one in self.servers if one != place.server)
        if request.HasField("dest_server_name"):
            target = schema.server_name_from_pb(request.dest_server_name)
        self.move(place, target)
        return Reply(pb.MoveRegionResponse())

    def _balance(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        ran = self.balancer_on or request.dry_run
        made = ran and not request.dry_run
        return Reply(
            pb.BalanceResponse(
                balancer_ran=ran, moves_calculated=int(ran), moves_executed=int(made)
            )
        )

    def _getLogEntries(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        limit = pb.BalancerDecisionsRequest.FromString(request.log_message).limit
        decision = pb.BalancerDecision(
            initial_function_costs="moves 0.0 (weight 7)",
            final_function_costs="moves 0.1 (weight 7)",
            init_total_cost=0.5,
            computed_total_cost=0.25,
            computed_steps=1,
            region_plans=["t,,1: a to b: region count skew falls from 0.5 to 0.2"],
        )
        found = pb.BalancerDecisionsResponse(balancer_decision=[decision] * (limit or 2))
        name = request.log_class_name.replace("Request", "Response")
        return Reply(pb.LogEntry(log_class_name=name, log_message=found.SerializeToString()))

    def _setBalancerRunning(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        was, self.balancer_on = self.balancer_on, request.on
        return Reply(pb.SetBalancerRunningResponse(prev_balance_value=was))

    def _isBalancerEnabled(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        return Reply(pb.IsBalancerEnabledResponse(enabled=self.balancer_on))

    def _normalize(self, server: ServerName, request: Any, cells: bytes) -> Reply:
        self.normalized = [schema.table_name_from_pb(one) for one in request.table_names]
        return Reply(pb.NormalizeResponse(normalizer_ran=self.normalizer_on))

    def _setNormalizerRunning(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        was, self.normalizer_on = self.normalizer_on, request.on
        return Reply(pb.SetNormalizerRunningResponse(prev_normalizer_value=was))

    def _isNormalizerEnabled(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        return Reply(pb.IsNormalizerEnabledResponse(enabled=self.normalizer_on))

    def _flushRegion(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        self._served(server, request.region)
        return Reply(pb.FlushRegionResponse(last_flush_time=1, flushed=True))

    def _compactRegion(self, server: ServerName, request: Any, cells: bytes) -> Reply:  # noqa: N802
        self._served(server, request.region)
        return Reply(pb.CompactRegionResponse())


def _wanted(scan: Scan, family: bytes, qualifier: bytes) -> bool:
    if not scan.columns:
        return True
    if family not in scan.columns:
        return False
    qualifiers = scan.columns[family]
    return qualifiers is None or qualifier in qualifiers


class FakeClock:
    def __init__(self) -> None:
        self.time_s = 0.0

    def monotonic_s(self) -> float:
        return self.time_s


class CountingEntropy:
    """Numbers in order; no jitter."""

    def __init__(self) -> None:
        self.count = 0

    def uniform(self, low: float, high: float) -> float:
        return low

    def integer(self, bits: int) -> int:
        self.count += 1
        return self.count


class Driver:
    """Runs operations against a FakeCluster; time passes only in their pauses.

    ``before_call`` is run before each call, to change the cluster under the operation's feet.
    """

    def __init__(
        self, cluster: FakeCluster | None = None, config: ClientConfig | None = None
    ) -> None:
        self.cluster = cluster or FakeCluster()
        self.clock = FakeClock()
        self.core = Core(config or ClientConfig(), self.clock, CountingEntropy())
        self.admin = AdminCore(self.core)
        self.pauses: list[float] = []
        self.before_call: Callable[[Call], None] = lambda _: None
        self.find_error: RaybaseError | None = None

    def table(self, name: str) -> TableCore:
        return TableCore(self.core, TableName.parse(name))

    def run(self, operation: Any) -> Any:
        try:
            effect = next(operation)
            while True:
                try:
                    outcome = self._perform(effect)
                except RaybaseError as error:
                    effect = operation.throw(error)
                else:
                    effect = operation.send(outcome)
        except StopIteration as stop:
            return stop.value

    def _perform(self, effect: Any) -> Any:
        match effect:
            case Call():
                return self._call(effect)
            case Begin(call):
                return call
            case Finish(call):
                return self._call(call)
            case Parallel(calls):
                return [self._outcome(one) for one in calls]
            case Sleep(delay_s):
                self.clock.time_s += delay_s
                self.pauses.append(delay_s)
                return None
            case Shared(_, start):
                return self.run(start())
            case FindServers():
                if self.find_error is not None:
                    raise self.find_error
                return [(one.host, one.port) for one in self.cluster.servers]
        raise AssertionError(effect)

    def _outcome(self, call: Call) -> Any:
        try:
            return self._call(call)
        except RaybaseError as error:
            return error

    def _call(self, call: Call) -> Answer:
        self.before_call(call)
        known = [*self.cluster.servers, self.cluster.master]
        server = next((one for one in known if (one.host, one.port) == call.address), None)
        if server is None:
            raise ConnectionLostError(f"nobody at {call.address}")
        request = type(call.message).FromString(call.message.SerializeToString())
        assert not isinstance(call.cells, CellBatch)
        reply = self.cluster.handle(server, call.method, request, call.cells or b"")
        cells = reply.cells
        if cells is not None:
            cells = COLUMNAR.decode(COLUMNAR.encode(cells))
        message = type(reply.message).FromString(reply.message.SerializeToString())
        return Answer(0, message, cells)


class Service:
    """One service of one server, as RpcServer wants it: a method for each call."""

    def __init__(self, cluster: FakeCluster, server: ServerName, name: str) -> None:
        for method in SERVICES[name].values():
            setattr(self, method.handler, self._handler(cluster, server, method.name))

    @staticmethod
    def _handler(cluster: FakeCluster, server: ServerName, method: str) -> Callable[..., Reply]:
        def handle(call: Any) -> Reply:
            if not hasattr(cluster, f"_{method[0].lower()}{method[1:]}"):
                raise UnsupportedOperationError(method)
            return cluster.handle(server, method, call.request, call.cells)

        return handle


class ServedCluster:
    """A FakeCluster behind real ports of this machine, in a thread with a loop of its own."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._rpc: list[tuple[RpcServer, Any]] = []
        cluster.servers = [self.serve(10), self.serve(20)]
        cluster.meta_server = cluster.servers[0]
        cluster.master = self.serve(90)
        self.address = ",".join(one.address for one in cluster.servers)

    def serve(self, start_code: int) -> ServerName:
        """A new server's name, with the port it listens on."""
        return self.call(self._serve(start_code))

    async def _serve(self, start_code: int) -> ServerName:
        services: dict[str, object] = {}

        async def gate() -> None:
            return

        def on_fatal(error: Exception) -> None:
            raise error

        network = TcpNetwork()
        factory: Callable[[], asyncio.Protocol] = lambda: rpc()  # noqa: E731
        listener = await network.listen(factory, "127.0.0.1", 0)
        name = ServerName("127.0.0.1", listener.port, start_code)
        services.update({one: Service(self.cluster, name, one) for one in SERVICES})
        rpc = RpcServer(services, RpcConfig(), SystemClock(), gate, on_fatal=on_fatal)
        self._rpc.append((rpc, listener))
        return name

    def cut(self) -> None:
        """Ends all connections, as a restart of the servers would."""

        async def abort() -> None:
            for rpc, _ in self._rpc:
                for one in list(rpc._connections):
                    one.abort()

        self.call(abort())

    def call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        async def close() -> None:
            for rpc, listener in self._rpc:
                await listener.close()
                await rpc.close()

        self.call(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def served(cluster: FakeCluster) -> Iterator[ServedCluster]:
    one = ServedCluster(cluster)
    yield one
    one.close()


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def driver(cluster: FakeCluster) -> Driver:
    return Driver(cluster)


@pytest.fixture
def new_driver() -> type[Driver]:
    return Driver
