"""Bugs of the processes together: told as the stories of seeds."""

from __future__ import annotations

from typing import Any, Final

from ...actors.procedures.crash import ServerCrashProcedure
from ...actors.procedures.split import SplitProcedure
from .mutant import Mutant, Patch

STORIES: Final = "stories of seeds"


def _last_wal_skipped(split: Any) -> Any:
    async def split_all_but_one(
        self: ServerCrashProcedure, environment: Any, names: list[str]
    ) -> None:
        await split(self, environment, sorted(names, key=lambda name: (len(name), name))[:-1])

    return split_all_but_one


_AFTER: Final = {"prepare": "commit", "commit": "close_parent", "close_parent": "open_daughters"}


def _meta_before_references(steps: Any) -> Any:
    async def publish_first(self: SplitProcedure, environment: Any) -> Any:
        step = self.step
        then = await steps(self, environment)
        return _AFTER[step] if step in _AFTER and isinstance(then, str) and then != "undo" else then

    return publish_first


CLUSTER_MUTANTS: Final = (
    Mutant(
        "last WAL skipped",
        "recovery leaves out the newest log of a dead server (I1)",
        STORIES,
        (Patch(ServerCrashProcedure, "_split", _last_wal_skipped),),
    ),
    Mutant(
        "meta before references",
        "a split is published before its daughters have the parent's files (I8)",
        STORIES,
        (Patch(SplitProcedure, "run_step", _meta_before_references),),
    ),
)
