"""SplitProcedure: a region becomes two, at one atomic mutation of hbase:meta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ...errors import (
    IllegalArgumentError,
    RaybaseError,
    ServerGoneError,
    StaleMasterError,
    StaleOrderError,
    UnknownRegionError,
    UnsupportedOperationError,
    WrongRegionError,
)
from ...model import META_TABLE, RegionInfo, ServerName, check_row
from ...storage.manifest import region_directory
from ...storage.settings import is_enabled
from .. import meta_rows
from ..assignment import RegionNode, TransitionState
from ..messages import SplitRequest
from ..namespace_auditor import check_split
from .assign import AssignProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, StepResult


@dataclass(kw_only=True)
class SplitProcedure(AssignProcedure):
    """Splits an open region at ``row``, or where its server finds the middle.

    Steps: ask for the row; have the server close the parent and open the daughters, which
    it does not serve yet; then *commit*, the point of no return: one mutation that marks the
    parent split and sends clients to the daughters at the same server; have the server serve
    them, which it does at once, as its clients wait for it. Whatever fails before leads to
    ``undo``: the daughters' files go, the parent is opened again, the procedure fails.
    After it there is no way but on: if the server died its daughters are assigned as any
    regions of a dead server. Source: SplitTableRegionProcedure.java.
    """

    kind = "split"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    undone_by = MappingProxyType({"close_parent": "undo"})

    row: bytes = b""
    server: str = ""
    daughters: tuple[RegionInfo, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.daughters = tuple(self.daughters)

    def describe(self) -> str:
        return f"split {self.region}"

    def additions(self) -> Sequence[RegionInfo]:
        return self.daughters[1:]

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or not environment.assignment.wants_open(node):
            raise UnknownRegionError(f"no region {self.region} is to be served")
        if self.region.table == META_TABLE:
            raise UnsupportedOperationError("hbase:meta cannot be split")
        table = environment.assignment.table(self.region.table)
        if table is None or not is_enabled(table.descriptor, "SPLIT_ENABLED"):
            raise UnsupportedOperationError(f"table {self.region.table} is not to be split")
        server = node.server
        if node.state != TransitionState.OPEN or not environment.servers.is_live(server):
            raise UnsupportedOperationError(f"region {self.region} is {node.state}, not OPEN")
        assert server is not None
        row = self.row or await self._middle(environment, server)
        check_row(row)
        if not node.info.contains(row) or row == node.info.start_key:
            raise WrongRegionError(f"{row!r} does not divide region {self.region}")
        check_split(environment, self.region)
        # Never the id of an earlier try: what that one may have left is not this one's.
        region_id = max(environment.meta.next_ms(), node.info.region_id + 1)
        name = node.info.table
        self.row, self.server = row, str(server)
        self.daughters = (
            RegionInfo(name, node.info.start_key, row, region_id),
            RegionInfo(name, row, node.info.end_key, region_id),
        )
        return "close_parent"

    async def _middle(self, environment: MasterEnvironment, server: ServerName) -> bytes:
        encoded = self.region.encoded_name
        row = await environment.servers.call(server, "split_point", encoded)
        if row is None:
            raise UnsupportedOperationError(f"region {self.region} cannot be split now")
        if not isinstance(row, bytes):
            raise IllegalArgumentError(f"{server} names {row!r} as a row")
        return row

    async def close_parent(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        table = environment.assignment.table(self.region.table)
        assert node is not None
        assert table is not None
        server = ServerName.parse(self.server)
        if not environment.servers.is_live(server):
            return self._give_up(f"{server} died")
        await self.record(environment, TransitionState.SPLITTING, server)
        lower, upper = self.daughters
        request = SplitRequest(
            parent=node.info,
            table=table.descriptor,
            daughters=(lower, upper),
            master_epoch=environment.epoch,
            order=environment.next_order(),
        )
        try:
            await environment.servers.call(server, "split_region", request)
        except (StaleMasterError, StaleOrderError):
            raise
        except ServerGoneError:
            return self._give_up(f"{server} died")
        except (RaybaseError, OSError) as error:
            return self._give_up(f"{type(error).__name__}: {error}")
        return "commit"

    def _give_up(self, why: str) -> StepResult:
        self.fail(UnsupportedOperationError(f"region {self.region} was not split: {why}"))
        return "undo"

    async def undo(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        server = node.server if node else None
        if server is not None and not environment.servers.is_live(server):
            await environment.recovered(server, self.region)
        for daughter in self.daughters:
            await environment.runtime.files.remove(region_directory(daughter))
        return "choose"

    async def commit(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        assert node is not None
        if node.state != TransitionState.SPLIT:
            now_ms = environment.meta.next_ms()
            state, server = TransitionState.OPENING, ServerName.parse(self.server)
            await environment.meta.write(
                meta_rows.split_puts(node.info, self.daughters, state, server, now_ms)
            )
            self._split_in_memory(environment, node)
        return "open_daughters"

    def _split_in_memory(self, environment: MasterEnvironment, node: RegionNode) -> None:
        assignment = environment.assignment
        node.info = node.info.with_flags(offline=True, split=True)
        node.daughters = self.daughters
        assignment.set_state(node, TransitionState.SPLIT)
        state, server = TransitionState.SPLITTING_NEW, ServerName.parse(self.server)
        for daughter in self.daughters:
            assignment.set_state(assignment.add_region(daughter, state), state, server)

    async def open_daughters(self, environment: MasterEnvironment) -> StepResult:
        children = [
            AssignProcedure(region=daughter, preferred=self.server) for daughter in self.daughters
        ]
        return Children(children, then="finish")

    async def finish(self, environment: MasterEnvironment) -> StepResult:
        return DONE
