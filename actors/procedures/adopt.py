"""AdoptRegionProcedure: a region that hbase:meta has lost, and the files still have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import TableNotFoundError, UnknownRegionError, UnsupportedOperationError
from .. import key_space, meta_rows
from ..assignment import TransitionState
from ..store_io import load_manifest
from .assign import AssignProcedure, RegionProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, Lock, StepResult


@dataclass(kw_only=True)
class AdoptRegionProcedure(RegionProcedure):
    """Puts a region that has a manifest back into hbase:meta and opens it.

    Only where no region of its table holds a row of its range: then nobody can have written
    there since, and nothing is served twice. Source: HBCK2's addFsRegionsMissingInMeta.
    """

    kind = "adopt_region"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})

    def locks(self) -> Sequence[Lock]:
        return (
            Lock.table(self.region.table, exclusive=True),
            Lock.region(self.region.encoded_name),
        )

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        if self.node(environment) is not None:
            return "assign"
        assignment = environment.assignment
        if assignment.table(self.region.table) is None:
            raise TableNotFoundError(f"there is no table {self.region.table}")
        manifest = await load_manifest(environment.runtime.files, self.region)
        if manifest is None or manifest.region != self.region:
            raise UnknownRegionError(f"no manifest is of region {self.region}")
        others = [
            node.info
            for node in assignment.regions_of(self.region.table)
            if node.state != TransitionState.SPLIT
        ]
        if not key_space.fits(self.region, others):
            raise UnsupportedOperationError(f"other regions hold rows of {self.region}")
        return "record_closed"

    async def record_closed(self, environment: MasterEnvironment) -> StepResult:
        if self.node(environment) is None:
            put = meta_rows.region_put(
                self.region, TransitionState.CLOSED, environment.meta.next_ms()
            )
            await environment.meta.write([put])
            environment.assignment.add_region(self.region, TransitionState.CLOSED)
        return "assign"

    async def assign(self, environment: MasterEnvironment) -> StepResult:
        return Children([AssignProcedure(region=self.region)], then="finish")

    async def finish(self, environment: MasterEnvironment) -> StepResult:
        return DONE
