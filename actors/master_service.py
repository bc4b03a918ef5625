"""MasterService: HBase's administrative RPCs. Source: MasterRpcServices.java."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import (
    IllegalArgumentError,
    NoSuchFamilyError,
    TableNotFoundError,
    UnknownRegionError,
)
from ..model import FamilyDescriptor, TableName
from ..rpc import convert
from ..rpc.call import Call, Reply
from ..rpc.proto import hbase_pb2 as pb
from .balancing_service import BalancingService
from .cluster_status import cluster_status
from .namespace_service import NamespaceService
from .observers import Action
from .procedure_report import locks_to_pb, procedures_to_pb
from .procedures.alter import AlterTableProcedure
from .procedures.flush import FlushTableProcedure
from .procedures.merge import MergeProcedure
from .procedures.move import MoveProcedure
from .procedures.procedure import Procedure
from .procedures.split import SplitProcedure
from .procedures.tables import (
    CreateTableProcedure,
    DeleteTableProcedure,
    DisableTableProcedure,
    EnableTableProcedure,
    TableProcedure,
    TruncateTableProcedure,
)

if TYPE_CHECKING:
    from .assignment import RegionNode, TableNode


class MasterService(BalancingService, NamespaceService):
    """Answers while its master is active; every call is authorized before anything else.

    What takes long answers the id of its procedure, for getProcedureResult. A request that
    is sent again with its nonce gets the same procedure.
    """

    def is_master_running(self, call: Call) -> Reply:
        self.authorize(call, Action.EXEC)
        running = self.master.is_active
        return Reply(pb.IsMasterRunningResponse(is_master_running=running))

    # -- tables ----------------------------------------------------------------------------

    async def create_table(self, call: Call) -> Reply:
        request = call.request
        descriptor = convert.table_from_pb(request.table_schema)
        self.authorize(call, Action.CREATE, descriptor.name)
        procedure = CreateTableProcedure(
            table=descriptor.name,
            descriptor=descriptor,
            split_keys=tuple(bytes(one) for one in request.split_keys),
        )
        return Reply(pb.CreateTableResponse(proc_id=await self.submit(call, procedure)))

    async def delete_table(self, call: Call) -> Reply:
        return Reply(pb.DeleteTableResponse(proc_id=await self._whole(call, DeleteTableProcedure)))

    async def enable_table(self, call: Call) -> Reply:
        return Reply(pb.EnableTableResponse(proc_id=await self._whole(call, EnableTableProcedure)))

    async def disable_table(self, call: Call) -> Reply:
        proc_id = await self._whole(call, DisableTableProcedure)
        return Reply(pb.DisableTableResponse(proc_id=proc_id))

    async def modify_table(self, call: Call) -> Reply:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.ADMIN, table)
        descriptor = convert.table_from_pb(call.request.table_schema)
        procedure = AlterTableProcedure(
            table=table, descriptor=descriptor, reopen_regions=call.request.reopen_regions
        )
        return Reply(pb.ModifyTableResponse(proc_id=await self.submit(call, procedure)))

    async def truncate_table(self, call: Call) -> Reply:
        table = convert.table_name_from_pb(call.request.tableName)
        self.authorize(call, Action.CREATE, table)
        procedure = TruncateTableProcedure(table=table, preserve_splits=call.request.preserveSplits)
        return Reply(pb.TruncateTableResponse(proc_id=await self.submit(call, procedure)))

    async def add_column(self, call: Call) -> Reply:
        new = convert.family_from_pb(call.request.column_families)

        def added(families: dict[bytes, FamilyDescriptor]) -> None:
            if new.name in families:
                raise IllegalArgumentError(f"column family {new.name!r} exists")
            families[new.name] = new

        return Reply(pb.AddColumnResponse(proc_id=await self._change_families(call, added)))

    async def modify_column(self, call: Call) -> Reply:
        new = convert.family_from_pb(call.request.column_families)

        def modified(families: dict[bytes, FamilyDescriptor]) -> None:
            if new.name not in families:
                raise NoSuchFamilyError(f"there is no column family {new.name!r}")
            families[new.name] = new

        return Reply(pb.ModifyColumnResponse(proc_id=await self._change_families(call, modified)))

    async def delete_column(self, call: Call) -> Reply:
        name = bytes(call.request.column_name)

        def deleted(families: dict[bytes, FamilyDescriptor]) -> None:
            if families.pop(name, None) is None:
                raise NoSuchFamilyError(f"there is no column family {name!r}")

        return Reply(pb.DeleteColumnResponse(proc_id=await self._change_families(call, deleted)))

    async def _change_families(
        self, call: Call, change: Callable[[dict[bytes, FamilyDescriptor]], None]
    ) -> int:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.ADMIN, table)
        known = self._existing(table).descriptor
        families = {one.name: one for one in known.families}
        change(families)
        descriptor = replace(known, families=tuple(families.values()))
        return await self.submit(call, AlterTableProcedure(table=table, descriptor=descriptor))

    async def flush_table(self, call: Call) -> Reply:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.ADMIN, table)
        proc_id = await self.submit(call, FlushTableProcedure(table=table))
        return Reply(pb.FlushTableResponse(proc_id=proc_id))

    def get_procedure_result(self, call: Call) -> Reply:
        self.authorize(call, Action.EXEC)
        procedure = self.master.term.executor.get(call.request.proc_id)
        response = pb.GetProcedureResultResponse(state=pb.GetProcedureResultResponse.NOT_FOUND)
        if procedure is None:
            return Reply(response)
        response.submitted_time = procedure.submitted_ms
        response.last_update = procedure.updated_ms
        response.state = pb.GetProcedureResultResponse.RUNNING
        if procedure.is_over:
            response.state = pb.GetProcedureResultResponse.FINISHED
            self._add_error(response, procedure)
        return Reply(response)

    def _add_error(self, response: pb.GetProcedureResultResponse, procedure: Procedure) -> None:
        error = procedure.outcome()
        if error is not None:
            exception = response.exception
            exception.source = str(self.master.server)
            exception.generic_exception.class_name = error.java_class
            exception.generic_exception.message = str(error)

    def get_table_descriptors(self, call: Call) -> Reply:
        request = call.request
        self.authorize(call, Action.READ)
        wanted = [convert.table_name_from_pb(one) for one in request.table_names]
        found = self.tables_asked(request, wanted, system=request.include_sys_tables)
        response = pb.GetTableDescriptorsResponse()
        response.table_schema.extend(convert.table_to_pb(one.descriptor) for one in found)
        return Reply(response)

    def get_table_names(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        response = pb.GetTableNamesResponse()
        response.table_names.extend(
            convert.table_name_to_pb(one.descriptor.name)
            for one in self.tables_asked(call.request, [], system=call.request.include_sys_tables)
        )
        return Reply(response)

    def get_table_state(self, call: Call) -> Reply:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.READ, table)
        state = self._existing(table).state
        message = pb.TableState(state=pb.TableState.State.Name(state.value))
        return Reply(pb.GetTableStateResponse(table_state=message))

    def get_schema_alter_status(self, call: Call) -> Reply:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.READ, table)
        self._existing(table)
        term = self.master.term
        total = len(term.assignment.regions_of(table))
        waiting = sum(
            one.regions_left
            for one in term.executor.unfinished()
            if isinstance(one, AlterTableProcedure) and one.table == table
        )
        return Reply(
            pb.GetSchemaAlterStatusResponse(yet_to_update_regions=waiting, total_regions=total)
        )

    # -- regions ---------------------------------------------------------------------------

    async def move_region(self, call: Call) -> Reply:
        node = self._region(convert.region_of(call.request.region))
        self.authorize(call, Action.ADMIN, node.info.table)
        destination = ""
        if call.request.HasField("dest_server_name"):
            destination = str(convert.server_name_from_pb(call.request.dest_server_name))
        procedure = MoveProcedure(region=node.info, destination=destination)
        await self.master.perform(procedure)
        return Reply(pb.MoveRegionResponse())

    async def split_region(self, call: Call) -> Reply:
        info = convert.region_info_from_pb(call.request.region_info)
        self.authorize(call, Action.ADMIN, info.table)
        node = self._region(info.encoded_name)
        row = bytes(call.request.split_row)
        proc_id = await self.submit(call, SplitProcedure(region=node.info, row=row))
        return Reply(pb.SplitTableRegionResponse(proc_id=proc_id))

    async def merge_table_regions(self, call: Call) -> Reply:
        nodes = [self._region(convert.region_of(one)) for one in call.request.region]
        for node in nodes:
            self.authorize(call, Action.ADMIN, node.info.table)
        infos = sorted((node.info for node in nodes), key=lambda one: one.start_key)
        procedure = MergeProcedure(regions=tuple(infos), forcible=call.request.forcible)
        proc_id = await self.submit(call, procedure)
        return Reply(pb.MergeTableRegionsResponse(proc_id=proc_id))

    async def decommission_region_servers(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        servers = [convert.server_name_from_pb(one) for one in call.request.server_name]
        await self.master.term.draining.add(servers, offload=call.request.offload)
        return Reply(pb.DecommissionRegionServersResponse())

    def list_decommissioned_region_servers(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        found = self.master.term.draining.all()
        names = [convert.server_name_to_pb(one) for one in found]
        return Reply(pb.ListDecommissionedRegionServersResponse(server_name=names))

    async def recommission_region_server(self, call: Call) -> Reply:
        """Moves the regions that are named there; they are on their way when it answers."""
        self.authorize(call, Action.ADMIN)
        server = convert.server_name_from_pb(call.request.server_name)
        nodes = [self._region(convert.region_of(one)) for one in call.request.region]
        await self.master.term.draining.remove(server)
        for node in nodes:
            procedure = MoveProcedure(region=node.info, destination=str(server))
            await self.master.term.executor.submit(procedure)
        return Reply(pb.RecommissionRegionServerResponse())

    async def get_cluster_status(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        status = await cluster_status(self.master.term, self.master.server, self.master.registry)
        return Reply(pb.GetClusterStatusResponse(cluster_status=status))

    def abort_procedure(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        request = call.request
        aborted = self.master.term.executor.abort(
            request.proc_id, interrupt=request.mayInterruptIfRunning
        )
        return Reply(pb.AbortProcedureResponse(is_procedure_aborted=aborted))

    def get_procedures(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        return Reply(procedures_to_pb(self.master.term))

    def get_locks(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        return Reply(locks_to_pb(self.master.term))

    # -- shared ----------------------------------------------------------------------------

    async def _whole(self, call: Call, kind: type[TableProcedure]) -> int:
        table = convert.table_name_from_pb(call.request.table_name)
        self.authorize(call, Action.CREATE, table)
        return await self.submit(call, kind(table=table))

    def _existing(self, table: TableName) -> TableNode:
        found = self.master.term.assignment.table(table)
        if found is None:
            raise TableNotFoundError(f"there is no table {table}")
        return found

    def _region(self, encoded: str) -> RegionNode:
        node = self.master.term.assignment.region(encoded)
        if node is None:
            raise UnknownRegionError(f"there is no region {encoded}")
        return node
