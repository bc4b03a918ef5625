"""Mender: what `raybase fsck --repair` has the active master do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import (
    IllegalArgumentError,
    ServerGoneError,
    UnknownRegionError,
    UnsupportedOperationError,
)
from ..model import RegionInfo, ServerName
from .assignment import RegionNode, TransitionState
from .fsck.file_mender import FileMender
from .fsck.mends import Act
from .messages import RegionState, RegionStatus
from .procedures.adopt import AdoptRegionProcedure
from .procedures.assign import AssignProcedure
from .store_io import load_manifest_in

if TYPE_CHECKING:
    from .master_term import MasterTerm


class Mender:
    """Mends one finding of fsck at a time.

    The finding may be old: each mend looks again, with what the master knows, and does nothing
    if there is nothing to do. What a procedure can do, a procedure does.
    """

    def __init__(self, term: MasterTerm) -> None:
        self._term = term
        self._files = FileMender(term.environment.runtime.files)

    async def mend(self, act: Act, subject: str) -> str:
        """What was done, in words. Raises InvalidRequestError if it would not be safe now."""
        if act is Act.ASSIGN:
            return await self._assign(subject)
        if act is Act.RECOVER:
            return await self._recover(ServerName.parse(subject))
        if act is Act.ADOPT:
            return await self._adopt(subject)
        if act is Act.PUT_BACK:
            return await self._files.put_back(subject)
        return await self._archive(subject)

    async def _assign(self, encoded: str) -> str:
        term, environment = self._term, self._term.environment
        node = term.assignment.region(encoded)
        if node is None:
            raise UnknownRegionError(f"there is no region {encoded}")
        if term.is_claimed(node):
            return f"a procedure is at work on {node.info}"
        if not term.assignment.wants_open(node) or await self._is_served(node):
            return f"{node.info} is as it should be"
        owner = await environment.owner_of(node.info)
        term.assignment.set_state(
            node, TransitionState.OPENING, owner or node.server, reason="fsck found it not served"
        )
        procedure_id = await term.executor.submit(AssignProcedure(region=node.info))
        await term.executor.wait(procedure_id)
        return f"{node.info} was opened at {node.server}"

    async def _is_served(self, node: RegionNode) -> bool:
        """Whether the server that hbase:meta names owns the region and serves it."""
        environment, server = self._term.environment, node.server
        if node.state != TransitionState.OPEN or server is None:
            return False
        if await environment.owner_of(node.info) != server:
            return False
        try:
            status = await environment.servers.call(server, "region_state", node.info.encoded_name)
        except ServerGoneError:
            return False
        assert isinstance(status, RegionStatus)
        return status.state is RegionState.OPEN

    async def _recover(self, server: ServerName) -> str:
        if self._term.servers.is_live(server):
            raise UnsupportedOperationError(f"{server} lives: its logs are its own")
        await self._term.recover(server)
        return f"the logs of {server} are being split"

    async def _adopt(self, directory: str) -> str:
        manifest = await load_manifest_in(self._term.environment.runtime.files, directory)
        if manifest is None:
            raise UnknownRegionError(f"{directory} has no manifest")
        info: RegionInfo = manifest.region
        if directory.rpartition("/")[2] != info.encoded_name:
            raise IllegalArgumentError(f"{directory} has the manifest of {info}")
        executor = self._term.executor
        await executor.wait(await executor.submit(AdoptRegionProcedure(region=info)))
        return f"{info} is in hbase:meta again"

    async def _archive(self, path: str) -> str:
        table = "/".join(path.split("/")[1:3])
        busy = [f"{one.namespace}/{one.qualifier}" for one in self._term.janitor.busy_tables()]
        if table in busy or self._term.servers.recovering():
            raise UnsupportedOperationError(
                f"{path} stays while procedures are at work on its table: look again"
            )
        (done,) = await self._files.archive([path])
        return done
