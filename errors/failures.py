"""Errors that are nobody's request: what broke, was lost, or has to be fetched first."""

from __future__ import annotations

from collections.abc import Sequence

from .base import HBASE, RaybaseError


class FatalError(RaybaseError):
    """The process that meets this must end at once, acknowledging nothing more."""

    java_class = HBASE + "regionserver.RegionServerAbortedException"


class FencedError(FatalError):
    """A later owner fenced this process's log, or committed a manifest over its own."""


class SyncFailedError(FatalError):
    """A log could not be written or synced. It is never tried again on the same descriptor."""


class DiskFullError(SyncFailedError):
    """A log has no room to grow. It keeps what it could not write and writes that first when it
    is appended to again; who does not do that must treat it as the failure it is."""


class ProcessDiedError(RaybaseError):
    """The process is gone and will not come back under this name."""


class CorruptionError(RaybaseError):
    """Stored bytes are not what was written. Nothing was skipped over or made up."""

    java_class = HBASE + "io.hfile.CorruptHFileException"
    do_not_retry = True

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} (file {self.path}, offset {self.offset})"


class UnsupportedFormatError(CorruptionError):
    """The file may be sound, but raybase does not read its version, codec or encoding."""


class BlockMiss(RaybaseError):  # noqa: N818 - not an error to whom it is raised
    """A read needs bytes that are not in memory: fetch them, admit them, resume the read.

    ``keep`` is False if the block should pass through the cache without staying there.
    ``others`` are what the same read is known to need as well: fetch them beside this one.
    """

    def __init__(
        self,
        path: str,
        offset: int,
        length: int,
        keep: bool = True,
        others: tuple[BlockMiss, ...] = (),
    ) -> None:
        super().__init__(path, offset, length, keep, others)
        self.path = path
        self.offset = offset
        self.length = length
        self.keep = keep
        self.others = others

    @classmethod
    def joined(cls, misses: Sequence[BlockMiss]) -> BlockMiss:
        """One miss of all these, at least one; a new one, so that whoever raises it and holds
        these is no circle of references, which keeps a read's memory until garbage is collected."""
        first = misses[0]
        others = (*first.others, *(one for miss in misses[1:] for one in miss.all))
        return cls(first.path, first.offset, first.length, first.keep, others)

    @property
    def all(self) -> tuple[BlockMiss, ...]:
        """This one and the others."""
        return (self, *self.others)


class RegionOwnedElsewhereError(RaybaseError):
    """The region's manifest names another owner, whose log has not been recovered."""

    def __init__(self, region: str, owner: str) -> None:
        super().__init__(region, owner)
        self.region = region
        self.owner = owner

    def __str__(self) -> str:
        return f"region {self.region} belongs to {self.owner}"


class ObjectLostError(RaybaseError):
    """An object of the object store is gone; read the file it was made from."""


class ClusterError(RaybaseError):
    """A cluster cannot be started, joined or stopped; the message says why and what to do."""
