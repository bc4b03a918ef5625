"""Flush: a memstore's cells on their way into a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..model import FamilyDescriptor
from .memstore import MemStore
from .nonces import NoncePlan
from .retention import Retention
from .window import Window

SLICE_CELLS: Final = 256
"""Cells a slice has at most: half a ms of work for whoever encodes it."""

DROPPED_CELLS: Final = 1024
"""Cells given back at a time: under half a ms."""


@dataclass(frozen=True, slots=True)
class FlushPlan:
    """A snapshot of some stores of a region, to be written to files and committed.

    Write a file for every family of ``families``, with ``sequence_id`` as its
    ``max_sequence_id``, and one of ``nonces``; wait until the region's read point has reached
    ``sequence_id`` (the log then holds nothing less than the files); commit
    ``Region.flush_manifest``; then call ``Region.commit_flush``. Or ``Region.abort_flush``,
    after which nothing has happened.
    """

    sequence_id: int
    """Every edit of the families up to this one is in the snapshot or in files already."""
    families: tuple[bytes, ...]
    """Those that have cells to write, in order."""
    memory_bytes: int
    _snapshots: dict[bytes, tuple[FamilyDescriptor, MemStore]]
    _read_point: int
    _now_ms: int
    nonces: NoncePlan | None = None
    """Those of its edits, which go into a file of their own; None: there are none."""

    def slices(self, family: bytes) -> Iterator[Window]:
        """The family's cells in order, for ``HFileWriter.append_window``.

        Stop between two slices for as long as you like.
        """
        descriptor, snapshot = self._snapshots[family]
        retention = Retention(descriptor, self._read_point, self._now_ms, major=False)
        return retention.apply(snapshot.slices(SLICE_CELLS))

    def drop_some(self) -> bool:
        """Gives some of the memory back after the commit; False when there is no more.

        Call it until then, with room for others in between: to let go of a large snapshot at
        once takes many ms.
        """
        if any(snapshot.drop_some(DROPPED_CELLS) for _, snapshot in self._snapshots.values()):
            return True
        return self.nonces is not None and self.nonces.drop_some()
