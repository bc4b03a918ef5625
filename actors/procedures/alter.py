"""AlterTableProcedure: another descriptor for a table that goes on being served."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import IllegalArgumentError
from ...model import TableDescriptor
from ...storage.settings import master_config, same_for_regions
from ...storage.table_check import check_table
from ..assignment import RegionNode
from .assign import ReopenProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, StepResult
from .tables import TableProcedure


@dataclass(kw_only=True)
class AlterTableProcedure(TableProcedure):
    """Gives a table another descriptor, and its open regions a few at a time.

    One mutation of hbase:meta is the change; whatever region is opened after it has the new
    descriptor. Those that were open are opened again: first one, then twice as many each
    time, so that the table stays available and a descriptor with which none can be opened costs
    one region. A region that was opened since, by a recovery for instance, is left
    alone; a change that regions do not look at opens none. Files of families the table no
    longer has drop out of the regions' manifests and are archived.

    Source: ModifyTableProcedure.java, ReopenTableRegionsProcedure.java.
    """

    kind = "alter"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    sharing = frozenset({"reopen", "finish"})

    descriptor: TableDescriptor
    waiting: tuple[str, ...] = ()
    """Encoded names of regions that are still to be opened again."""
    batch: int = 0
    """How many were last."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waiting = tuple(self.waiting)

    @property
    def regions_left(self) -> int:
        """How many regions have the earlier descriptor, as far as is known."""
        return len(self.waiting) + len(self.children)

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        known = self.existing(environment)
        if self.descriptor.name != self.table:
            raise IllegalArgumentError(f"a table cannot be renamed: {self.table}")
        check_table(self.descriptor, environment.config.master)
        if not same_for_regions(known.descriptor, self.descriptor):
            assignment = environment.assignment
            nodes = assignment.regions_of(self.table)
            self.waiting = tuple(
                node.info.encoded_name for node in nodes if assignment.wants_open(node)
            )
        return "change_descriptor"

    async def change_descriptor(self, environment: MasterEnvironment) -> StepResult:
        known = environment.assignment.table(self.table)
        assert known is not None
        await self.set_state(environment, known.state, self.descriptor)
        return "reopen"

    async def reopen(self, environment: MasterEnvironment) -> StepResult:
        config = master_config(environment.config.master, self.descriptor)
        if self.batch:
            await environment.runtime.clock.sleep(config.reopen_backoff_s)
        nodes = [node for node in map(environment.assignment.region, self.waiting) if node]
        behind = [node for node in nodes if self._is_behind(environment, node)]
        unlimited = config.reopen_batch_max <= 0
        self.batch = min(max(2 * self.batch, 1), config.reopen_batch_max)
        size = len(behind) if unlimited else self.batch
        now, later = behind[:size], behind[size:]
        self.waiting = tuple(node.info.encoded_name for node in later)
        children = [ReopenProcedure(region=node.info) for node in now]
        return Children(children, then="reopen" if later else "finish")

    def _is_behind(self, environment: MasterEnvironment, node: RegionNode) -> bool:
        return environment.assignment.wants_open(node) and node.opened_as != self.descriptor

    async def finish(self, environment: MasterEnvironment) -> StepResult:
        return DONE
