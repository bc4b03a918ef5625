"""Bugs of the master's procedures: found by killing masters over them, or by asking too much."""

from __future__ import annotations

from typing import Any, Final

from ...actors import meta_rows
from ...actors.assignment import TransitionState
from ...actors.meta_region import MetaRegion
from ...actors.procedures.assign import AssignProcedure
from ...actors.procedures.locks import LockTable
from ...actors.procedures.split import SplitProcedure
from .mutant import Mutant, Patch


def _whatever_others_have(may_have: Any) -> Any:
    def give_regions_to_all(self: LockTable, waiter: Any, wanted_before: Any) -> bool:
        if any(lock.key.startswith("region ") for lock in waiter.locks):
            return True
        return bool(may_have(self, waiter, wanted_before))

    return give_regions_to_all


def _any_epoch(check_epoch: Any) -> Any:
    def pass_any(self: MetaRegion, hosted: Any, master_epoch: int) -> None:
        return

    return pass_any


def _failure_confirmed(failed: Any) -> Any:
    async def go_on(self: AssignProcedure, environment: Any, node: Any, error: Exception) -> str:
        return "confirm"

    return go_on


def _daughters_first(close_parent: Any) -> Any:
    async def publish_and_close(self: SplitProcedure, environment: Any) -> Any:
        now_ms = environment.meta.next_ms()
        puts = [meta_rows.region_put(one, TransitionState.CLOSED, now_ms) for one in self.daughters]
        await environment.meta.write(puts)
        return await close_parent(self, environment)

    return publish_and_close


PROCEDURE_MUTANTS: Final = (
    Mutant(
        "two procedures on one region",
        "a region is moved while it is split: who serves it is chance (I2)",
        "procedures at once",
        (Patch(LockTable, "_may_have", _whatever_others_have),),
    ),
    Mutant(
        "lower-epoch meta write accepted",
        "a master that was deposed while it slept changes hbase:meta when it wakes (I2, I8)",
        "a stale master writes",
        (Patch(MetaRegion, "_check_epoch", _any_epoch),),
    ),
    Mutant(
        "FAILED_OPEN taken for OPEN",
        "hbase:meta sends clients to a server that could not open the region (I2)",
        "killed masters: reopen where it cannot be",
        (Patch(AssignProcedure, "_failed", _failure_confirmed),),
    ),
    Mutant(
        "daughters published before the point of no return",
        "a key has two regions in hbase:meta, and a split that is undone leaves both (I2, I8)",
        "killed masters: split that fails",
        (Patch(SplitProcedure, "close_parent", _daughters_first),),
    ),
)
