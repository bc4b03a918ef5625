"""MoveProcedure: an open region handed from one server to another."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import (
    IllegalArgumentError,
    NotServingRegionError,
    RegionOwnedElsewhereError,
    ServerGoneError,
    UnknownRegionError,
    UnsupportedOperationError,
)
from ...model import ServerName
from ..assignment import RegionNode, TransitionState
from ..messages import MoveRequest, MoveResult
from .assign import AssignProcedure
from .environment import MasterEnvironment
from .procedure import DONE, StepResult


@dataclass(kw_only=True)
class MoveProcedure(AssignProcedure):
    """Moves a region to ``destination``, or to the server that suits best if that is empty.

    One call to the source does it; the two servers settle the rest between them. If the
    source dies, the manifest says who has the region: from there on it is an assignment,
    which asks the target first. A target that cannot take the region leaves it where it is,
    and the procedure fails. Source: TransitRegionStateProcedure.java.
    """

    kind = "move"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    destination: str = ""
    source: str = ""
    reason: str = ""
    """Whose wish it is, for people."""

    def describe(self) -> str:
        return f"move {self.region} to {self.destination or 'another server'}"

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or not environment.assignment.wants_open(node):
            raise UnknownRegionError(f"no region {self.region} is to be served")
        source = node.server
        if node.state != TransitionState.OPEN or not environment.servers.is_live(source):
            raise UnsupportedOperationError(f"region {self.region} is {node.state}, not OPEN")
        assert source is not None
        target = await self._destination(environment, source)
        if target == source:
            return DONE
        self.source, self.target = str(source), str(target)
        return "hand_over"

    async def _destination(self, environment: MasterEnvironment, source: ServerName) -> ServerName:
        if not self.destination:
            return await environment.pick_server(self.region.table, avoid=[source])
        target = ServerName.parse(self.destination)
        if not environment.servers.is_live(target):
            raise IllegalArgumentError(f"no region server {target} lives")
        if target in environment.draining and target != source:
            raise IllegalArgumentError(f"{target} is being drained: recommission it first")
        return target

    async def hand_over(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None:
            return DONE
        source, target = ServerName.parse(self.source), ServerName.parse(self.target)
        if not environment.servers.is_live(source):
            return "open"
        if not environment.servers.is_live(target):
            return await self._target_gone(environment, source)
        request = MoveRequest(
            encoded=self.region.encoded_name,
            target=self.target,
            target_process=environment.servers.process_of(target),
            master_epoch=environment.epoch,
            order=environment.next_order(),
        )
        node.reason = f"moving to {target}"
        try:
            result = await environment.servers.call(source, "hand_over", request)
        except (ServerGoneError, NotServingRegionError, RegionOwnedElsewhereError):
            return "open"
        assert isinstance(result, MoveResult)
        return self._handed_over(environment, node, result)

    def _handed_over(
        self, environment: MasterEnvironment, node: RegionNode, result: MoveResult
    ) -> StepResult:
        assignment = environment.assignment
        if not result.moved:
            self.fail(UnsupportedOperationError(f"{self.region} did not move: {result.reason}"))
            # For hbase:meta it has to be confirmed: its server must know this master.
            state = TransitionState.OPENING if self.is_meta else TransitionState.OPEN
            assignment.set_state(node, state, ServerName.parse(self.source))
            return "choose"
        # From here on the target's logs may hold its edits, whatever becomes of this master.
        self.target = result.server
        self.open_sequence_id = result.open_sequence_id
        target = ServerName.parse(self.target)
        assignment.set_state(node, TransitionState.OPENING, target)
        return "confirm"

    async def _target_gone(self, environment: MasterEnvironment, source: ServerName) -> StepResult:
        """Nobody but the dead target knows whether it took the region before it died."""
        node = self.node(environment)
        assert node is not None
        owner = await environment.owner_of(node.info)
        self.fail(UnsupportedOperationError(f"{self.region} did not move: {self.target} died"))
        environment.assignment.set_state(node, TransitionState.OPENING, owner or source)
        return "choose"
