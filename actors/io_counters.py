"""IoCounters: what a process asked of the file system."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

_PATHS_COUNTED: Final = 4096


@dataclass(slots=True)
class PathCounters:
    """Calls on one file."""

    reads: int = 0
    read_bytes: int = 0
    writes: int = 0
    written_bytes: int = 0
    syncs: int = 0


@dataclass(slots=True)
class IoCounters:
    """What this process asked of the file system: sums, and per path for the latest paths."""

    total: PathCounters = field(default_factory=PathCounters)
    by_path: OrderedDict[str, PathCounters] = field(default_factory=OrderedDict)

    def path(self, path: str) -> PathCounters:
        counters = self.by_path.get(path)
        if counters is None:
            counters = self.by_path[path] = PathCounters()
            if len(self.by_path) > _PATHS_COUNTED:
                self.by_path.popitem(last=False)
        return counters

    def read(self, path: str, length: int) -> None:
        for counters in (self.total, self.path(path)):
            counters.reads += 1
            counters.read_bytes += length

    def wrote(self, path: str, length: int, *, synced: bool) -> None:
        for counters in (self.total, self.path(path)):
            counters.writes += 1
            counters.written_bytes += length
            counters.syncs += synced


@runtime_checkable
class CountingFiles(Protocol):
    """A file system that knows what it was asked."""

    @property
    def counters(self) -> IoCounters: ...
