"""Nonces of a region: which operations were applied, so that a retry is not applied again.

They live as long as a client may retry. Those of edits in memory are in the log's records, and
travel as such when the region moves; a flush writes them, once, to a file beside the region's
store files. Manifests name these files, so nonces follow the region through crash, move, split
and merge, and none of these costs more for there being many.
Source: ServerNonceManager.java (there they are forgotten with the server).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

import numpy as np

from .manifest import NonceFileEntry
from .nonce_table import NonceTable, merged, run_of

RESULT_TTL_MS: Final = 60_000
"""How long the result of an operation is remembered. A later retry gets the newest version."""

STEP_MS_MAX: Final = 60_000
"""Nonces grow no older than this from one write to the next: the wall clock may jump, by hours,
and what was applied a second ago must not be forgotten for that. In a region that is hardly
written to they stay longer."""

SPANS: Final = 8
"""A file's nonces were made within this part of the time they are kept for, or by one flush,
so that not much more is kept than must be."""

NONCE_BYTES: Final = 350
"""What a nonce takes in memory until it is flushed."""
_DROPPED: Final = 1024
"""Nonces given back, or sorted, at a time: under a ms."""

Made = Mapping[tuple[bytes, bytes], tuple[int, bytes]]
"""(family, qualifier) -> (timestamp, value) of the cells an operation made."""

Key = tuple[int, int]
"""Group and nonce."""


@dataclass(slots=True)
class NoncePlan:
    """Nonces on their way into a file: those of the edits that a flush writes, and those of
    small files that the new one replaces.

    Run ``sort`` to its end, write ``table.pieces()`` to the path, commit the manifest.
    """

    operations: dict[Key, tuple[int, int]]
    """Key -> sequence id, age when it was made."""
    replaced: tuple[NonceTable, ...]
    oldest_ms: int
    newest_ms: int
    table: NonceTable | None = field(default=None)
    """What is to be written; None until it is sorted."""

    def sort(self, path: str) -> Iterator[None]:
        """Works the table out. Stop between two steps for as long as you like."""
        runs = [table.columns for table in self.replaced]
        left = iter(self.operations.items())
        while some := [(key[1], key[0], value[0]) for key, value in islice(left, _DROPPED)]:
            runs.append(run_of(some))
            yield
        columns = np.empty((3, sum(run.shape[1] for run in runs)), dtype=np.uint64)
        at = 0
        for part in merged(runs):
            columns[:, at : at + part.shape[1]] = part
            at += part.shape[1]
            yield
        entry = NonceFileEntry(path, at, self.oldest_ms, self.newest_ms)
        self.table = NonceTable(entry, columns)

    def drop_some(self) -> bool:
        """As ``FlushPlan.drop_some``."""
        for _ in range(min(len(self.operations), _DROPPED)):
            self.operations.popitem()
        return bool(self.operations)


class Nonces:
    """The nonces younger than ``ttl_ms`` on the region's clock, and some older ones.

    Args:
        ttl_ms: how long a client may retry an operation.
        clock_ms: the region's clock as it was last seen.
        age_ms: counts as the clock does, but in small steps only; what it was then.
        tables: those that were flushed.

    """

    def __init__(
        self,
        ttl_ms: int,
        clock_ms: int = 0,
        age_ms: int = 0,
        tables: Sequence[NonceTable] = (),
    ) -> None:
        self.age_ms = age_ms
        self.tables = sorted(tables, key=lambda one: one.entry.newest_ms)
        """Oldest first."""
        self._ttl_ms = ttl_ms
        self._clock_ms = clock_ms
        self._recent: dict[Key, tuple[int, int]] = {}
        self._flushing: dict[Key, tuple[int, int]] = {}
        self._made: dict[Key, tuple[int, Made]] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._flushing) + sum(map(len, self.tables))

    @property
    def memory_bytes(self) -> int:
        """Memory that those in no file take."""
        return NONCE_BYTES * (len(self._recent) + len(self._flushing))

    def find(self, group: int, nonce: int) -> int | None:
        """The sequence id of the write that applied this operation, if it was applied."""
        if not nonce:
            return None
        found = self._recent.get((group, nonce)) or self._flushing.get((group, nonce))
        if found is not None:
            return found[0]
        for table in reversed(self.tables):
            sequence_id = table.find(group, nonce)
            if sequence_id is not None:
                return sequence_id
        return None

    def made_by(self, group: int, nonce: int) -> Made:
        """The cells that the operation made, as far as they are remembered."""
        return self._made.get((group, nonce), (0, {}))[1]

    def unflushed(self) -> Iterator[tuple[int, int, int]]:
        """(group, nonce, sequence id) of those in no file, in the order they were added."""
        for (group, nonce), (sequence_id, _) in chain(self._flushing.items(), self._recent.items()):
            yield group, nonce, sequence_id

    def add(self, group: int, nonce: int, sequence_id: int, clock_ms: int, made: Made) -> None:
        """The operation was applied, at ``clock_ms``. Requires: ``find`` does not know it."""
        if not nonce:
            return
        self.forget(clock_ms)
        self._recent[group, nonce] = (sequence_id, self.age_ms)
        if made:
            self._made[group, nonce] = (self.age_ms, made)

    def forget(self, clock_ms: int) -> None:
        """Drops what is older than a client's operation can be."""
        self.age_ms += min(max(clock_ms - self._clock_ms, 0), STEP_MS_MAX)
        self._clock_ms = max(clock_ms, self._clock_ms)
        oldest_ms = self.age_ms - self._ttl_ms
        while self.tables and self.tables[0].entry.newest_ms < oldest_ms:
            del self.tables[0]
        while self._recent:
            oldest = next(iter(self._recent))
            if self._recent[oldest][1] >= oldest_ms:
                break
            del self._recent[oldest]
        result_oldest_ms = self.age_ms - min(RESULT_TTL_MS, self._ttl_ms)
        while self._made:
            oldest = next(iter(self._made))
            if self._made[oldest][0] >= result_oldest_ms:
                break
            del self._made[oldest]

    # Flush

    def begin_flush(self) -> NoncePlan | None:
        """Sets those in no file aside to be written; None if there are none.

        Small files go into the new one, so that there never are many. Requires: no flush is
        under way.
        """
        if not self._recent:
            return None
        self._flushing, self._recent = self._recent, {}
        oldest_ms = next(iter(self._flushing.values()))[1]
        entries, replaced = len(self._flushing), list[NonceTable]()
        for table in reversed(self.tables):
            too_old = self.age_ms - table.entry.oldest_ms > self._ttl_ms // SPANS
            if too_old or len(table) > 2 * entries:
                break
            replaced.append(table)
            entries += len(table)
            oldest_ms = min(oldest_ms, table.entry.oldest_ms)
        return NoncePlan(self._flushing, tuple(replaced), oldest_ms, self.age_ms)

    def after(self, plan: NoncePlan) -> list[NonceTable]:
        """The tables there are once the plan is committed."""
        assert plan.table is not None, "the plan's table was not worked out"
        return [*(one for one in self.tables if one not in plan.replaced), plan.table]

    def commit_flush(self, plan: NoncePlan) -> None:
        """The manifest that names the plan's table is committed."""
        self.tables = self.after(plan)
        self._flushing = {}

    def abort_flush(self) -> None:
        """The flush was given up before its manifest was committed."""
        self._recent = {**self._flushing, **self._recent}
        self._flushing = {}
