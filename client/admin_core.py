"""Operations on tables, regions and the cluster, without I/O. Source: RawAsyncHBaseAdmin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from ..errors import (
    IllegalArgumentError,
    NotServingRegionError,
    RaybaseError,
    TableNotFoundError,
    UnknownRegionError,
)
from ..model import META_TABLE, FamilyDescriptor, RegionInfo, ServerName, TableDescriptor, TableName
from ..rpc.proto import hbase_pb2 as pb
from . import meta, wire
from .core import ADMIN, Core
from .effects import Operation, Sleep
from .location import RegionLocation
from .meta import RegionRow, TableState
from .result import results
from .scan import Scanner
from .status import ClusterStatus, LockStatus, ProcedureStatus

POLL_FIRST_S: Final = 0.005
POLL_LAST_S: Final = 0.5

Target = str | bytes | TableName | RegionInfo
"""A table, or a region by its info, its name, or its encoded name."""


class AdminCore:
    """What Admin and AsyncAdmin drive."""

    def __init__(self, core: Core) -> None:
        self.core = core

    # -- tables ----------------------------------------------------------------------------

    def create_table(self, descriptor: TableDescriptor, splits: Sequence[bytes]) -> Operation[None]:
        if b"" in splits or len(set(splits)) != len(splits):
            raise IllegalArgumentError("split keys must be different and not empty")
        request = pb.CreateTableRequest(
            table_schema=wire.table_schema(descriptor), split_keys=sorted(splits)
        )
        name = descriptor.name
        yield from self.procedure("CreateTable", request, lambda: self.is_enabled(name))

    def delete_table(self, name: TableName) -> Operation[None]:
        request = pb.DeleteTableRequest(table_name=wire.table_name(name))

        def is_gone() -> Operation[bool]:
            exists = yield from self.exists(name)
            return not exists

        yield from self.procedure("DeleteTable", request, is_gone)
        self.core.cache.drop_table(name)

    def enable_table(self, name: TableName) -> Operation[None]:
        request = pb.EnableTableRequest(table_name=wire.table_name(name))
        yield from self.procedure("EnableTable", request, lambda: self.is_enabled(name))

    def disable_table(self, name: TableName) -> Operation[None]:
        request = pb.DisableTableRequest(table_name=wire.table_name(name))

        def is_disabled() -> Operation[bool]:
            state = yield from self.state(name)
            return state is TableState.DISABLED

        yield from self.procedure("DisableTable", request, is_disabled)
        self.core.cache.drop_table(name)

    def truncate_table(self, name: TableName, *, preserve_splits: bool) -> Operation[None]:
        request = pb.TruncateTableRequest(
            tableName=wire.table_name(name), preserveSplits=preserve_splits
        )
        yield from self.procedure("truncateTable", request, lambda: self.is_enabled(name))
        self.core.cache.drop_table(name)

    def alter_table(
        self, descriptor: TableDescriptor, *, reopen_regions: bool = True
    ) -> Operation[None]:
        """Replaces the table's descriptor."""
        request = pb.ModifyTableRequest(
            table_name=wire.table_name(descriptor.name),
            table_schema=wire.table_schema(descriptor),
            reopen_regions=reopen_regions,
        )

        def is_altered() -> Operation[bool]:
            now = yield from self.describe(descriptor.name)
            return now == descriptor

        yield from self.procedure("ModifyTable", request, is_altered)

    def change_families(
        self,
        name: TableName,
        change: Callable[[dict[bytes, FamilyDescriptor]], None],
    ) -> Operation[None]:
        """Alters the table's families by a function that changes the mapping it is given."""
        from dataclasses import replace

        descriptor = yield from self.describe(name)
        families = {one.name: one for one in descriptor.families}
        change(families)
        yield from self.alter_table(replace(descriptor, families=tuple(families.values())))

    def tables(self, *, system: bool) -> Operation[list[TableName]]:
        request = pb.GetTableNamesRequest(include_sys_tables=system)
        answer = yield from self.core.on_master("GetTableNames", request)
        return sorted(wire.parse_table_name(one) for one in answer.message.table_names)

    def describe(self, name: TableName) -> Operation[TableDescriptor]:
        request = pb.GetTableDescriptorsRequest(
            table_names=[wire.table_name(name)], include_sys_tables=True
        )
        answer = yield from self.core.on_master("GetTableDescriptors", request)
        for one in answer.message.table_schema:
            return wire.parse_table_schema(one)
        raise TableNotFoundError(f"there is no table {name}; `list` shows the tables")

    def exists(self, name: TableName) -> Operation[bool]:
        try:
            yield from self.state(name)
        except TableNotFoundError:
            return False
        return True

    def is_enabled(self, name: TableName) -> Operation[bool]:
        state = yield from self.state(name)
        return state is TableState.ENABLED

    def state(self, name: TableName) -> Operation[TableState]:
        """Read from hbase:meta, so it needs no master. Raises TableNotFoundError."""
        if name == META_TABLE:
            return TableState.ENABLED
        attempts = self.core.attempts(lambda: f"reading the state of table {name}")
        while True:
            try:
                return (yield from self.core.table_state(name))
            except RaybaseError as error:
                yield attempts.failed(error)

    # -- regions ---------------------------------------------------------------------------

    def regions(self, name: TableName) -> Operation[list[RegionRow]]:
        """The table's regions in order, as hbase:meta has them now. Raises
        TableNotFoundError."""
        if name == META_TABLE:
            location = yield from self._meta_location()
            return [RegionRow(location.region, "OPEN", location)]
        yield from self.state(name)
        scanner = Scanner(self.core, META_TABLE, meta.table_scan(name))
        found: list[RegionRow] = []
        while (batch := (yield from scanner.next_batch())) is not None:
            found += meta.parse_rows(results(batch))
        found = [one for one in found if not one.region.split]
        for one in found:
            if one.location is not None:
                self.core.cache.add(one.location)
        return found

    def flush(self, target: Target) -> Operation[None]:
        yield from self._on_regions(
            target,
            "FlushRegion",
            lambda at: pb.FlushRegionRequest(region=wire.region_specifier(at)),
        )

    def compact(self, target: Target, *, major: bool) -> Operation[None]:
        """Asks for it; compactions go on after the answer."""
        yield from self._on_regions(
            target,
            "CompactRegion",
            lambda at: pb.CompactRegionRequest(region=wire.region_specifier(at), major=major),
        )

    def split(self, target: Target, row: bytes | None) -> Operation[None]:
        """Splits one region, the one with ``row``, or each of a table's."""
        rows = yield from self.find_regions(target)
        if row is not None:
            rows = [one for one in rows if one.region.contains(row)]
            if not rows:
                raise IllegalArgumentError(f"row {row!r} is not in {target!r}")
        for one in rows:
            request = pb.SplitTableRegionRequest(region_info=wire.region_info(one.region))
            if row is not None:
                request.split_row = row
            parent = one.region

            def is_split(parent: RegionInfo = parent) -> Operation[bool]:
                now = yield from self.regions(parent.table)
                return all(other.region.name != parent.name for other in now)

            yield from self.procedure("SplitRegion", request, is_split)

    def merge(self, targets: Sequence[Target], *, forcible: bool) -> Operation[None]:
        """Makes one region of them."""
        parents = []
        for target in targets:
            parents += yield from self.find_regions(target)
        request = pb.MergeTableRegionsRequest(forcible=forcible)
        for one in parents:
            request.region.append(region_specifier(one))

        def is_merged() -> Operation[bool]:
            now = yield from self.regions(parents[0].region.table)
            names = [one.region.name for one in now]
            return all(one.region.name not in names for one in parents)

        yield from self.procedure("MergeTableRegions", request, is_merged)

    def move(self, target: Target, server: ServerName | None) -> Operation[None]:
        """Moves one region (or each of a table's) to a server, or to any other one."""
        for one in (yield from self.find_regions(target)):
            request = pb.MoveRegionRequest(region=region_specifier(one))
            if server is not None:
                request.dest_server_name.CopyFrom(wire.server_name_message(server))
            yield from self.core.on_master("MoveRegion", request)

    def status(self) -> Operation[ClusterStatus]:
        answer = yield from self.core.on_master("GetClusterStatus", pb.GetClusterStatusRequest())
        return ClusterStatus.parse(answer.message.cluster_status)

    def procedures(self) -> Operation[list[ProcedureStatus]]:
        answer = yield from self.core.on_master("GetProcedures", pb.GetProceduresRequest())
        return [ProcedureStatus.parse(one) for one in answer.message.procedure]

    def abort_procedure(self, procedure: int, *, interrupt: bool) -> Operation[bool]:
        request = pb.AbortProcedureRequest(proc_id=procedure, mayInterruptIfRunning=interrupt)
        answer = yield from self.core.on_master("AbortProcedure", request)
        return bool(answer.message.is_procedure_aborted)

    def locks(self) -> Operation[list[LockStatus]]:
        answer = yield from self.core.on_master("GetLocks", pb.GetLocksRequest())
        return [LockStatus.parse(one) for one in answer.message.lock]

    def find_server(self, text: str) -> Operation[ServerName]:
        """The live server written ``host:port``, ``host,port`` or ``host,port,startcode``."""
        status = yield from self.status()
        for one in status.servers:
            name = one.name
            if text in (str(name), name.address, f"{name.host},{name.port}"):
                return name
        known = ", ".join(one.name.address for one in status.servers)
        raise IllegalArgumentError(f"no live server is called {text!r}; there are: {known}")

    # -- shared ----------------------------------------------------------------------------

    def _meta_location(self) -> Operation[RegionLocation]:
        attempts = self.core.attempts(lambda: "looking for hbase:meta")
        while True:
            try:
                return (yield from self.core.locate_meta())
            except RaybaseError as error:
                yield attempts.failed(error)

    def find_regions(self, target: Target) -> Operation[list[RegionRow]]:
        """The regions that are meant, found in hbase:meta."""
        if isinstance(target, RegionInfo):
            rows = yield from self.regions(target.table)
            return _only(rows, target.name)
        text = str(target) if isinstance(target, TableName) else target
        name = text.encode() if isinstance(text, str) else text
        if b"," in name:
            table = TableName.parse(name.partition(b",")[0])
            return _only((yield from self.regions(table)), name)
        if isinstance(target, TableName) or not _is_encoded(name):
            return (yield from self.regions(TableName.parse(name)))
        for table in (yield from self.tables(system=True)):
            for one in (yield from self.regions(table)):
                if one.region.encoded_name.encode() == name:
                    return [one]
        raise UnknownRegionError(f"no region is called {name.decode()}")

    def _on_regions(
        self, target: Target, method: str, request: Callable[[RegionLocation], Message]
    ) -> Operation[None]:
        """One call for each region, and for what took its place if it was split meanwhile."""
        rows = yield from self.find_regions(target)
        done: set[bytes] = set()
        while rows:
            gone = False
            for one in rows:
                if one.region.name in done:
                    continue
                done.add(one.region.name)
                location = yield from self._served(one)
                try:
                    yield from self.core.on_region(location, ADMIN, method, request)
                except NotServingRegionError:
                    gone = True
            if not gone:
                return
            now = yield from self.regions(rows[0].region.table)
            rows = [one for one in now if _within(one.region, rows)]

    def _served(self, row: RegionRow) -> Operation[RegionLocation]:
        """Where the region is, waiting until it is somewhere."""
        region = row.region
        attempts = self.core.attempts(lambda: f"looking for region {region}")
        while row.location is None:
            yield attempts.failed(NotServingRegionError(f"{row}"))
            now = yield from self.regions(region.table)
            row = _only(now, region.name)[0]
        return row.location

    def procedure(
        self, method: str, request: Any, is_done: Callable[[], Operation[bool]]
    ) -> Operation[None]:
        """Starts a procedure and waits for its end; what it raised is raised here.

        A nonce makes the start known to the master, should its answer be lost. If the master
        no longer knows the procedure, ``is_done`` says from hbase:meta whether it is over.
        """
        request.nonce_group = self.core.nonce_group
        request.nonce = self.core.nonce()
        answer = yield from self.core.on_master(method, request)
        attempts = self.core.attempts(lambda: f"waiting for {method}")
        query = pb.GetProcedureResultRequest(proc_id=answer.message.proc_id)
        delay_s = POLL_FIRST_S
        while True:
            answer = yield from self.core.on_master("getProcedureResult", query)
            state = answer.message.state
            if state == pb.GetProcedureResultResponse.FINISHED:
                if answer.message.HasField("exception"):
                    raise wire.procedure_error(answer.message.exception)
                return
            if state == pb.GetProcedureResultResponse.NOT_FOUND and (yield from is_done()):
                return
            if attempts.remaining_s() <= 0:
                raise attempts.exhausted("because its time has passed; it may still go on")
            yield Sleep(delay_s)
            delay_s = min(POLL_LAST_S, delay_s * 1.5)


def _only(rows: list[RegionRow], name: bytes) -> list[RegionRow]:
    found = [one for one in rows if one.region.name == name]
    if not found:
        raise UnknownRegionError(
            f"no region is called {name.decode('utf-8', 'backslashreplace')}; it may have split"
        )
    return found


def region_specifier(row: RegionRow) -> pb.RegionSpecifier:
    value = row.region.encoded_name.encode()
    return pb.RegionSpecifier(type=pb.RegionSpecifier.ENCODED_REGION_NAME, value=value)


def _is_encoded(name: bytes) -> bool:
    return len(name) == 32 and all(b in b"0123456789abcdef" for b in name)


def _within(region: RegionInfo, rows: list[RegionRow]) -> bool:
    return any(
        one.region.start_key <= region.start_key
        and (not one.region.end_key or region.start_key < one.region.end_key)
        for one in rows
    )
