"""Bugs of regions that change hands: found while clients work and nothing else fails."""

from __future__ import annotations

from typing import Any, Final

from ...actors.hosted_region import HostedRegion
from ...actors.messages import RegionState
from ...actors.procedures import clean_parent, merge
from ...actors.procedures.move import MoveProcedure
from ...actors.procedures.procedure import DONE
from ...actors.region_map import RegionMap
from .mutant import Mutant, Patch

CHANGING_HANDS: Final = "regions change hands under load"


def _nobody(may_be_referred_to: Any) -> Any:
    async def say_no(*_: Any) -> bool:
        return False

    return say_no


def _never_recorded(handed_over: Any) -> Any:
    def end_here(*_: Any) -> Any:
        return DONE

    return end_here


def _goes_on_serving(end: Any) -> Any:
    def serve_on(self: HostedRegion, state: RegionState, moved: Any = None) -> None:
        if state is RegionState.MOVED:
            self.serve()
        else:
            end(self, state, moved)

    return serve_on


def _still_found(remove: Any) -> Any:
    def forget_no_name(
        self: RegionMap, hosted: HostedRegion, moved_to: str, sequence_id: int
    ) -> None:
        remove(self, hosted, moved_to, sequence_id)
        if moved_to:
            self._by_name[hosted.info.name] = hosted

    return forget_no_name


AVAILABILITY_MUTANTS: Final = (
    Mutant(
        "parent cleaned while referenced",
        "the files of a split or merged region go while a daughter refers to them (I6)",
        CHANGING_HANDS,
        (
            Patch(clean_parent, "may_be_referred_to", _nobody),
            Patch(merge, "may_be_referred_to", _nobody),
        ),
    ),
    Mutant(
        "balancer move dropped half-way",
        "a move ends when the source has handed the region over, and hbase:meta never hears of "
        "it (I8)",
        CHANGING_HANDS,
        (Patch(MoveProcedure, "_handed_over", _never_recorded),),
    ),
    Mutant(
        "stale location served",
        "a server goes on answering for a region that it has handed over (I2)",
        CHANGING_HANDS,
        (
            Patch(HostedRegion, "end", _goes_on_serving),
            Patch(RegionMap, "remove", _still_found),
        ),
    ),
)
