"""AlterTableProcedure: another descriptor for a table that goes on being served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import IllegalArgumentError, InvalidRequestError, ServerGoneError
from ...model import TableDescriptor
from ...storage.settings import master_config, same_for_regions
from ...storage.table_check import check_table
from ..assignment import RegionNode, TransitionState
from .assign import ReopenProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, StepResult
from .tables import TableProcedure


def names_of(table: TableDescriptor) -> list[bytes]:
    """Of its families."""
    return [family.name for family in table.families]


@dataclass(kw_only=True)
class AlterTableProcedure(TableProcedure):
    """Gives a table another descriptor, and its open regions a few at a time.

    One mutation of hbase:meta is the change; whatever region is opened after it has the new
    descriptor. Those that were open are opened again: first one, then twice as many each
    time, so that the table stays available. A region that was opened since, by a recovery for
    instance, is left alone; a change that regions do not look at opens none. A descriptor with
    which none can be opened costs one region: the procedure fails there, and the table is to be
    altered again. Files of families the table no longer has drop out of the regions' manifests
    and are archived.

    Source: ModifyTableProcedure.java, ReopenTableRegionsProcedure.java.
    """

    kind = "alter"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    sharing = frozenset({"reopen"})

    descriptor: TableDescriptor
    reopen_regions: bool = True
    """False: regions get the descriptor whenever they are opened for another reason."""
    waiting: tuple[str, ...] = ()
    """Encoded names of regions that are still to be opened again."""
    reopening: tuple[str, ...] = ()
    """The last of those that were not left waiting."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waiting = tuple(self.waiting)
        self.reopening = tuple(self.reopening)

    @property
    def regions_left(self) -> int:
        """How many regions have the earlier descriptor, as far as is known."""
        return len(self.waiting) + len(self.children)

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        known = self.existing(environment)
        if self.descriptor.name != self.table:
            raise IllegalArgumentError(f"a table cannot be renamed: {self.table}")
        check_table(self.descriptor, environment.config.master)
        if not self.reopen_regions and names_of(known.descriptor) != names_of(self.descriptor):
            raise IllegalArgumentError(
                f"table {self.table}: families come and go only with regions opened again"
            )
        if self.reopen_regions:
            await self._learn_descriptors(environment)
            self.waiting = tuple(
                node.info.encoded_name
                for node in environment.assignment.regions_of(self.table)
                if node.state == TransitionState.OPEN
                and not same_for_regions(node.opened_as or known.descriptor, self.descriptor)
            )
        return "change_descriptor"

    async def _learn_descriptors(self, environment: MasterEnvironment) -> None:
        """Asks the servers of regions that no procedure of this master has opened: an earlier
        alter may have stopped half-way under another master."""
        nodes = environment.assignment.regions_of(self.table)
        unknown = [one for one in nodes if one.state == TransitionState.OPEN and not one.opened_as]
        for server in dict.fromkeys(one.server for one in unknown):
            if server is None:
                continue
            try:
                found = await environment.servers.call(server, "opened_as", self.table)
            except ServerGoneError:
                continue  # Whoever opens its regions gives them the table's descriptor.
            for node in unknown:
                if node.server == server:
                    node.opened_as = found.get(node.info.encoded_name)

    async def change_descriptor(self, environment: MasterEnvironment) -> StepResult:
        known = environment.assignment.table(self.table)
        assert known is not None
        await self.set_state(environment, known.state, self.descriptor)
        return "reopen"

    async def reopen(self, environment: MasterEnvironment) -> StepResult:
        config = master_config(environment.config.master, self.descriptor)
        behind = [one for one in self._wanted(environment, self.waiting) if self._is_behind(one)]
        for node in self._wanted(environment, self.reopening):
            if node.state == TransitionState.FAILED_OPEN:
                self._give_up(node, len(behind))
                return DONE
        if not behind:
            return DONE
        if self.reopening:
            await environment.runtime.clock.sleep(config.reopen_backoff_s)
        unlimited = config.reopen_batch_max <= 0
        size = len(behind) if unlimited else max(2 * len(self.reopening), 1)
        now = behind[: size if unlimited else min(size, config.reopen_batch_max)]
        later = behind[len(now) :]
        self.reopening = tuple(node.info.encoded_name for node in now)
        self.waiting = tuple(node.info.encoded_name for node in later)
        return Children([ReopenProcedure(region=node.info) for node in now], then="reopen")

    def _wanted(self, environment: MasterEnvironment, names: Sequence[str]) -> list[RegionNode]:
        """Those of the regions that are still there and to be open."""
        assignment = environment.assignment
        nodes = [node for node in map(assignment.region, names) if node]
        return [node for node in nodes if assignment.wants_open(node)]

    def _is_behind(self, node: RegionNode) -> bool:
        failed = node.state == TransitionState.FAILED_OPEN
        return failed or node.opened_as != self.descriptor

    def _give_up(self, node: RegionNode, others: int) -> None:
        self.fail(
            InvalidRequestError(
                f"table {self.table} is described anew, but {node.info} {node.reason}; {others} "
                "other regions are as they were: alter it again, or back"
            )
        )
