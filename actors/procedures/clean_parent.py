"""CleanParentProcedure: a split parent that nobody needs any more goes."""

from __future__ import annotations

from dataclasses import dataclass

from .. import meta_rows
from ..archiver import archive_region, may_be_referred_to
from ..assignment import TransitionState
from .assign import RegionProcedure
from .environment import MasterEnvironment
from .procedure import DONE, StepResult


@dataclass(kw_only=True)
class CleanParentProcedure(RegionProcedure):
    """Archives a split parent's files and removes its row, once no region refers to them.

    References only ever become fewer: daughters are made with all they have, so what no
    manifest names now, none will. Source: GCRegionProcedure.java, CatalogJanitor.java.
    """

    kind = "clean_parent"
    first_step = "check"

    async def check(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None or node.state != TransitionState.SPLIT or node.merge_parents:
            return DONE  # What it was merged from is cleaned first.
        others = [
            other.info
            for other in environment.assignment.regions_of(self.region.table)
            if other is not node
        ]
        if await may_be_referred_to(environment.runtime.files, node.info, others):
            return DONE
        return "archive"

    async def archive(self, environment: MasterEnvironment) -> StepResult:
        await archive_region(environment.runtime.files, self.region)
        return "remove_from_meta"

    async def remove_from_meta(self, environment: MasterEnvironment) -> StepResult:
        now_ms = environment.meta.next_ms()
        await environment.meta.write([meta_rows.region_delete(self.region, now_ms)])
        environment.assignment.drop_region(self.region.encoded_name)
        return DONE
