"""MergeProcedure: neighbouring regions become one, at one atomic mutation of hbase:meta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from ...errors import (
    IllegalArgumentError,
    MergeRegionError,
    NotServingRegionError,
    RegionOwnedElsewhereError,
    UnknownRegionError,
)
from ...model import META_TABLE, RegionInfo
from ...storage.manifest import region_directory
from .. import meta_rows
from ..archiver import archive_region, may_be_referred_to
from ..assignment import TransitionState
from ..merged import write_merged
from .assign import AssignProcedure, RegionProcedure, UnassignProcedure
from .environment import MasterEnvironment
from .procedure import DONE, Children, Lock, Procedure, StepResult


@dataclass(kw_only=True)
class MergeProcedure(Procedure):
    """Merges open regions, given in the order of their keys, into one.

    Steps: check; mark the parents; close them; write the merged region's manifest, which refers to
    their files; then *commit*, the point of no return: one mutation that removes the parents
    from hbase:meta and names them in the merged region's row; open the merged region.
    Whatever fails before leads to ``undo``: the merged region's files go, the parents are
    opened again, the procedure fails. After it there is no way but on.

    ``forcible`` also merges regions with a hole between them, rows that no region has.
    Source: MergeTableRegionsProcedure.java.
    """

    kind = "merge"
    first_step = "prepare"
    may_fail = frozenset({"prepare"})
    undone_by = MappingProxyType({"mark_merging": "undo", "close_parents": "undo", "write": "undo"})

    regions: tuple[RegionInfo, ...]
    forcible: bool = False
    merged: RegionInfo | None = None
    server: str = ""
    """Where the first parent was: where the merged region is opened if that lives."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.regions = tuple(self.regions)
        if len(self.regions) < 2 or len(set(self.regions)) < len(self.regions):
            raise IllegalArgumentError("a merge takes two regions or more, each of them once")

    def locks(self) -> Sequence[Lock]:
        return (
            Lock.table(self.regions[0].table, exclusive=False),
            *(Lock.region(one.encoded_name) for one in self.regions),
        )

    def describe(self) -> str:
        return "merge " + ", ".join(map(str, self.regions))

    async def prepare(self, environment: MasterEnvironment) -> StepResult:
        self._check(environment)
        newest = max(one.region_id for one in self.regions)
        first, last = self.regions[0], self.regions[-1]
        region_id = max(environment.meta.next_ms(), newest + 1)
        self.merged = RegionInfo(first.table, first.start_key, last.end_key, region_id)
        node = environment.assignment.region(first.encoded_name)
        assert node is not None
        self.server = str(node.server)
        return "mark_merging"

    def _check(self, environment: MasterEnvironment) -> None:
        table = self.regions[0].table
        if table == META_TABLE:
            raise MergeRegionError("hbase:meta cannot be merged")
        for one in self.regions:
            node = environment.assignment.region(one.encoded_name)
            if node is None or not environment.assignment.wants_open(node):
                raise UnknownRegionError(f"no region {one} is to be served")
            if one.table != table:
                raise MergeRegionError(f"{one} is not of table {table}")
            if node.state != TransitionState.OPEN:
                raise MergeRegionError(f"region {one} is {node.state}, not OPEN")
            if node.merge_parents:
                raise MergeRegionError(
                    f"region {one} still refers to the files it was merged from: compact it, "
                    "and try again when the janitor has cleaned them"
                )
        others = environment.assignment.regions_of(table)
        starts = [node.info.start_key for node in others if node.state != TransitionState.SPLIT]
        for left, right in pairwise(self.regions):
            if left.end_key and left.end_key == right.start_key:
                continue
            between = any(left.start_key < start < right.start_key for start in starts)
            if between or not (self.forcible and left.end_key and left.end_key < right.start_key):
                raise MergeRegionError(f"{left} and {right} are not neighbours")

    async def mark_merging(self, environment: MasterEnvironment) -> StepResult:
        now_ms = environment.meta.next_ms()
        state = TransitionState.MERGING
        await environment.meta.write(
            [meta_rows.region_put(one, state, now_ms) for one in self.regions]
        )
        for one in self.regions:
            node = environment.assignment.region(one.encoded_name)
            assert node is not None
            environment.assignment.set_state(node, state)
        return "close_parents"

    async def close_parents(self, environment: MasterEnvironment) -> StepResult:
        return Children([UnassignProcedure(region=one) for one in self.regions], then="write")

    async def write(self, environment: MasterEnvironment) -> StepResult:
        assert self.merged is not None
        files = environment.runtime.files
        try:
            await write_merged(files, self.regions, self.merged, environment.epoch)
        except (RegionOwnedElsewhereError, NotServingRegionError) as error:
            # A server died with edits in its log alone: only an open brings them in.
            self.fail(MergeRegionError(f"the regions were not merged: {error}"))
            return "undo"
        return "commit"

    async def undo(self, environment: MasterEnvironment) -> StepResult:
        assert self.merged is not None
        await environment.runtime.files.remove(region_directory(self.merged))
        return Children([AssignProcedure(region=one) for one in self.regions], then="finish")

    async def commit(self, environment: MasterEnvironment) -> StepResult:
        assert self.merged is not None
        assignment = environment.assignment
        if assignment.region(self.merged.encoded_name) is None:
            now_ms = environment.meta.next_ms()
            await environment.meta.write(meta_rows.merge_puts(self.regions, self.merged, now_ms))
            for one in self.regions:
                parent = assignment.region(one.encoded_name)
                assert parent is not None
                assignment.set_state(parent, TransitionState.MERGED)
                assignment.drop_region(one.encoded_name)
            node = assignment.add_region(self.merged, TransitionState.MERGING_NEW)
            node.merge_parents = self.regions
        return "open_merged"

    async def open_merged(self, environment: MasterEnvironment) -> StepResult:
        assert self.merged is not None
        child = AssignProcedure(region=self.merged, preferred=self.server)
        return Children([child], then="finish")

    async def finish(self, environment: MasterEnvironment) -> StepResult:
        return DONE


@dataclass(kw_only=True)
class CleanMergeParentsProcedure(RegionProcedure):
    """Archives what a region was merged from, once no region refers to it.

    References only ever become fewer, so what no manifest names now, none will. Source:
    GCMultipleMergedRegionsProcedure.java.
    """

    kind = "clean_merge_parents"
    first_step = "check"

    async def check(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None:
            return DONE
        infos = [one.info for one in environment.assignment.regions_of(self.region.table)]
        for parent in node.merge_parents:
            if await may_be_referred_to(environment.runtime.files, parent, infos):
                return DONE
        return "archive"

    async def archive(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is None:
            return DONE
        for parent in node.merge_parents:
            await archive_region(environment.runtime.files, parent)
        return "forget"

    async def forget(self, environment: MasterEnvironment) -> StepResult:
        node = self.node(environment)
        if node is not None and node.merge_parents:
            now_ms = environment.meta.next_ms()
            count = len(node.merge_parents)
            await environment.meta.write([meta_rows.merge_delete(node.info, count, now_ms)])
            node.merge_parents = ()
        return DONE
