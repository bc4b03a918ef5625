"""Deliberate bugs, by name: each must be found, or the tests prove nothing.

A mutant changes the product at run time, for the length of a ``with`` block::

    with MUTANTS["ack before sync"].applied():
        assert tell(seed).problems
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from ..actors.log_writer import LogWriter
from ..actors.procedures.crash import ServerCrashProcedure
from ..actors.procedures.split import SplitProcedure
from .files import SimLog


@dataclass(frozen=True, slots=True)
class Mutant:
    """``replacement(original)`` takes the place of ``owner.attribute``."""

    name: str
    why_wrong: str
    owner: type
    attribute: str
    replacement: Callable[[Any], Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        original = getattr(self.owner, self.attribute)
        with mock.patch.object(self.owner, self.attribute, self.replacement(original)):
            yield


def _ack_before_sync(append: Any) -> Any:
    async def acknowledge_then_append(self: LogWriter, batch: list[Any]) -> None:
        for *_, done in batch:
            done()
        batch[:] = [(*entry[:-1], lambda: None) for entry in batch]
        await append(self, batch)

    return acknowledge_then_append


def _no_fence_test(test_fence: Any) -> Any:
    def pass_any(self: SimLog) -> None:
        return

    return pass_any


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


MUTANTS: Final = {
    mutant.name: mutant
    for mutant in (
        Mutant(
            "ack before sync",
            "a write is acknowledged that the power going off takes away (I1)",
            LogWriter,
            "_append",
            _ack_before_sync,
        ),
        Mutant(
            "no fence test",
            "a server that was given up acknowledges and answers when it wakes (I2)",
            SimLog,
            "_test_fence",
            _no_fence_test,
        ),
        Mutant(
            "last WAL skipped",
            "recovery leaves out the newest log of a dead server (I1)",
            ServerCrashProcedure,
            "_split",
            _last_wal_skipped,
        ),
        Mutant(
            "meta before references",
            "a split is published before its daughters have the parent's files (I8)",
            SplitProcedure,
            "run_step",
            _meta_before_references,
        ),
    )
}
