"""AssignProcedure, UnassignProcedure, ReopenProcedure: regions opened and closed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ...errors import (
    FatalError,
    InvalidRequestError,
    RaybaseError,
    RegionOwnedElsewhereError,
    ServerGoneError,
    StaleMasterError,
    StaleOrderError,
)
from ...model import META_TABLE, RegionInfo, ServerName
from .. import meta_rows
from ..assignment import RegionNode, TransitionState
from ..messages import CloseRequest, CloseResult, OpenRequest, OpenResult
from ..waiting import waiting
from .environment import MasterEnvironment
from .procedure import DONE, Lock, Procedure, StepResult

_FAILED_OPEN_PAUSE_S: Final = 1.0
_FAILED_OPEN_PAUSE_MAX_S: Final = 60.0


@dataclass(kw_only=True)
class RegionProcedure(Procedure):
    """A change of one region; nothing else changes it meanwhile."""

    region: RegionInfo

    def locks(self) -> Sequence[Lock]:
        return (
            Lock.table(self.region.table, exclusive=False),
            Lock.region(self.region.encoded_name),
        )

    def describe(self) -> str:
        return f"{self.kind} {self.region}"

    @property
    def is_recovery(self) -> bool:
        return self.is_meta and self.begun

    @property
    def needs_meta(self) -> bool:
        return not self.is_meta

    @property
    def is_meta(self) -> bool:
        return self.region.table == META_TABLE

    async def record(
        self,
        environment: MasterEnvironment,
        state: TransitionState,
        owner: ServerName | None,
        reason: str = "",
    ) -> None:
        """Stores the region's state in hbase:meta, then in memory."""
        node = self.node(environment)
        if node is None:
            return
        if not self.is_meta:
            now_ms = environment.meta.next_ms()
            put = meta_rows.region_put(node.info, state, now_ms)
            if owner is not None:
                put = meta_rows.owner_put(node.info, state, owner, now_ms)
            await environment.meta.write([put])
        environment.assignment.set_state(node, state, owner, reason=reason)

    async def recover(
        self, environment: MasterEnvironment, node: RegionNode, server: ServerName
    ) -> None:
        """Returns when nothing of the region is in the dead server's logs alone."""
        await environment.recovered(server, node.info)
        abnormal = TransitionState.ABNORMALLY_CLOSED
        environment.assignment.set_state(node, abnormal, server, reason=f"{server} died")

    async def order(
        self, environment: MasterEnvironment, server: ServerName, method: str, request: object
    ) -> object:
        """The answer of a server that may have very many such orders; hbase:meta's go first."""
        servers = environment.servers
        give = servers.call if self.is_meta else servers.order
        return await give(server, method, request)

    def node(self, environment: MasterEnvironment) -> RegionNode | None:
        return environment.assignment.region(self.region.encoded_name)


@dataclass(kw_only=True)
class AssignProcedure(RegionProcedure):
    """Opens a region at some server, whatever became of the last one that had it.

    Steps: choose a server; open there, or wherever the manifest says the region is; confirm
    in hbase:meta; from the top if that server died meanwhile. A dead owner's logs are fenced
    and split before the region is opened elsewhere. A region that should not be open is
    recorded as closed. One that fails to open too often is left FAILED_OPEN, so that its table
    can be altered or disabled; the master tries anew a few seconds later.
    Source: TransitRegionStateProcedure.java.
    """

    kind = "assign"
    first_step = "choose"

    target: str = ""
    preferred: str = ""
    """Server name to take if it lives."""
    recovered_from: str = ""
    """The dead owner whose logs are split."""
    failed_at: tuple[str, ...] = ()
    """Servers that could not open it, newest last."""
    failures: int = 0
    open_sequence_id: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.failed_at = tuple(self.failed_at)

    @property
    def is_recovery(self) -> bool:
        return self.is_meta and (self.begun or self.kind == AssignProcedure.kind)

    async def choose(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or node.state == TransitionState.SPLIT:
            return DONE
        live = environment.servers.is_live(node.server)
        if node.state == TransitionState.OPEN and live:
            return DONE
        if node.server is not None and not live:
            await self.recover(environment, node, node.server)
            self.recovered_from = str(node.server)
        if not environment.assignment.wants_open(node):
            return DONE if node.state == TransitionState.CLOSED else "mark_closed"
        preferred = ServerName.parse(self.preferred) if self.preferred else None
        if preferred in environment.draining:
            preferred = None
        if node.server is not None and live and node.state != TransitionState.CLOSED:
            preferred = node.server
        avoid = [ServerName.parse(one) for one in self.failed_at[-1:]]
        target = await environment.pick_server(self.region.table, preferred, avoid)
        environment.assignment.plan(node, target)
        self.target = str(target)
        return "open"

    async def mark_closed(self, environment: MasterEnvironment) -> StepResult:
        await self.record(environment, TransitionState.CLOSED, None)
        return DONE

    async def open(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        table = environment.assignment.table(self.region.table)
        if node is None or table is None:
            return DONE
        target = ServerName.parse(self.target)
        if not environment.servers.is_live(target):
            environment.assignment.set_state(node, TransitionState.OPENING, target)
            return "choose"
        if node.state == TransitionState.SPLITTING_NEW and node.server == target:
            # So says hbase:meta since the split, and clients wait for the daughter.
            environment.assignment.set_state(node, TransitionState.OPENING)
        else:
            await self.record(environment, TransitionState.OPENING, target)
        request = OpenRequest(
            info=node.info,
            table=table.descriptor,
            master_epoch=environment.epoch,
            order=environment.next_order(),
            recovered_from=self.recovered_from or None,
        )
        try:
            result = await self.order(environment, target, "open_region", request)
        except RegionOwnedElsewhereError as error:
            return await self._follow_owner(environment, node, ServerName.parse(error.owner))
        except (StaleMasterError, StaleOrderError):
            raise
        except ServerGoneError:
            return "choose"
        except (RaybaseError, OSError) as error:
            return await self._failed(environment, node, error)
        assert isinstance(result, OpenResult)
        node.opened_as = table.descriptor if result.as_asked else None
        self.open_sequence_id = result.open_sequence_id
        return "confirm"

    async def _follow_owner(
        self, environment: MasterEnvironment, node: RegionNode, owner: ServerName
    ) -> StepResult:
        """The manifest names another owner: a living one keeps it, a dead one is recovered."""
        if environment.servers.is_live(owner):
            self.target = str(owner)
        else:
            await self.recover(environment, node, owner)
            self.recovered_from = str(owner)
        return "open"

    async def _failed(
        self, environment: MasterEnvironment, node: RegionNode, error: Exception
    ) -> StepResult:
        if isinstance(error, FatalError):
            raise error
        self.failed_at = (*self.failed_at[-9:], self.target)
        self.failures += 1
        reason = (
            f"failed to open {self.failures} times, last at {self.target}: "
            f"{type(error).__name__}: {error}"
        )
        await self.record(environment, TransitionState.FAILED_OPEN, None, reason)
        if self.failures >= environment.config.master.open_attempts_max and not self.is_meta:
            # Others may have to change the table first; the master begins anew after them.
            if self.error is None:
                self.fail(InvalidRequestError(f"region {self.region} {reason}"))
            return DONE
        self.trouble = reason
        delay_s = _FAILED_OPEN_PAUSE_S * 2 ** (len(self.failed_at) - 1)
        delay_s = min(delay_s, _FAILED_OPEN_PAUSE_MAX_S)
        with waiting(f"the next try, {delay_s:.0f} s after the last") as wait:
            wait.trouble = reason
            await environment.runtime.clock.sleep(delay_s)
        return "choose"

    async def confirm(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None:
            return DONE
        target = ServerName.parse(self.target)
        with suppress(ServerGoneError):  # Which shows in the next line, too.
            await self._record_open(environment, node, target)
        if not environment.servers.is_live(target):
            environment.assignment.set_state(node, TransitionState.OPENING, target)
            return "choose"
        return DONE

    async def _record_open(
        self, environment: MasterEnvironment, node: RegionNode, server: ServerName
    ) -> None:
        assignment, meta = environment.assignment, environment.meta
        sequence_id = self.open_sequence_id
        if not environment.servers.is_live(server):
            return
        if self.is_meta:
            # Before anybody writes there: what a later master knows binds an earlier one.
            await meta.fence(server)
        else:
            now_ms = meta.next_ms()
            state = TransitionState.OPEN
            await meta.write([meta_rows.open_put(node.info, state, server, sequence_id, now_ms)])
        if environment.servers.is_live(server):
            assignment.set_state(node, TransitionState.OPEN, server, open_sequence_id=sequence_id)
        if self.is_meta:
            await meta.publish(server)


@dataclass(kw_only=True)
class UnassignProcedure(RegionProcedure):
    """Closes a region wherever it is open. Source: TransitRegionStateProcedure.java."""

    kind = "unassign"
    first_step = "prepare"

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or node.state in (TransitionState.CLOSED, TransitionState.SPLIT):
            return DONE
        return "close"

    async def close(self, environment: MasterEnvironment) -> StepResult:
        return await self.close_where_it_is(environment, then="mark_closed", again="close")

    async def close_where_it_is(
        self, environment: MasterEnvironment, *, then: str, again: str
    ) -> StepResult:
        """Has the owner close the region: ``then`` when nobody serves it any more."""
        node = self.node(environment)
        if node is None or node.server is None:
            return then
        server = node.server
        if not environment.servers.is_live(server):
            await self.recover(environment, node, server)
            return then
        await self.record(environment, TransitionState.CLOSING, server)
        request = CloseRequest(
            self.region.encoded_name, environment.epoch, environment.next_order()
        )
        try:
            result = await self.order(environment, server, "close_region", request)
        except ServerGoneError:
            return again
        except (StaleMasterError, StaleOrderError, FatalError):
            raise
        except (RaybaseError, OSError) as error:
            reason = f"{server} could not close it: {type(error).__name__}: {error}"
            await self.record(environment, TransitionState.FAILED_CLOSE, server, reason)
            raise
        assert isinstance(result, CloseResult)
        if result.was_here:
            return then
        owner = await environment.owner_of(node.info)
        if owner is None or owner == server:
            return then
        environment.assignment.set_state(node, TransitionState.CLOSING, owner)
        return again

    async def mark_closed(self, environment: MasterEnvironment) -> StepResult:
        await self.record(environment, TransitionState.CLOSED, None)
        return DONE


@dataclass(kw_only=True)
class ReopenProcedure(AssignProcedure, UnassignProcedure):
    """Closes an open region and opens it at the same server, with its table's descriptor.

    Source: ReopenTableRegionsProcedure.java, for one region.
    """

    kind = "reopen"
    first_step = "prepare"

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or node.state != TransitionState.OPEN:
            return "choose"
        self.preferred = str(node.server)
        return "close"

    async def close(self, environment: MasterEnvironment) -> StepResult:
        return await self.close_where_it_is(environment, then="closed", again="close")

    async def closed(self, environment: MasterEnvironment) -> StepResult:
        await self.record(environment, TransitionState.CLOSED, None)
        return "choose"
