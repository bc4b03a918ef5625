"""What travels in the control calls to a region server: requests, results, their promises.

All are plain frozen data, picklable, and every request is safe to send again: a control call
without an answer may have run, may yet run, or never will. A request that names a
``master_epoch`` below the highest the server (or the region's manifest) has seen is refused
with StaleMasterError. An ``order`` grows over all orders that masters ever give, and is the
same when a request is sent again: a server refuses one below the highest it has seen for
the region with StaleOrderError, so that a late duplicate changes nothing.

The methods, called by name through ``Remote.call`` (``encoded`` is a region's encoded name)::

    hold(session_id) -> never                  its failure is the report of this process's death
    describe() -> dict                         version, config, server name, role
    open_region(OpenRequest) -> OpenResult
    close_region(CloseRequest) -> CloseResult
    hand_over(MoveRequest) -> MoveResult       asked of the source; the source talks to the target
    prepare_open(PrepareRequest) -> None       source to target, while the source serves
    adopt_region(AdoptRequest) -> OpenResult   source to target, the one call inside the window
    abandon(encoded) -> None                   source to target: forget what was prepared
    split_region(SplitRequest) -> SplitResult
    split_point(encoded) -> bytes | None       None: the region cannot be split
    flush_region(encoded) -> FlushResult
    compact_region(encoded, major) -> None     asked for; runs in the background
    region_state(encoded) -> RegionStatus
    regions() -> list[RegionStatus]
    opened_as(table) -> dict[str, TableDescriptor]     what each open region of the table has
    status() -> ServerStatus
    scanned_files() -> list[str]               compacted away, and still read by open scanners
    file_reads(path) -> int                    reads of a file by this process since its start
    mutate_meta(master_epoch, mutations) -> int        all rows or none; returns the sequence id
    read_meta(start_row, stop_row) -> CellBatch        newest versions, fence-tested
    meta_newest_ms() -> int                            highest timestamp there, deletes included
    fence_meta(master_epoch) -> None                   refuses lower epochs from now on, durably

What a region's manifest says of its owner decides who may open it (see OpenRequest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..model import RegionInfo, TableDescriptor
from ..storage.manifest import Manifest


@dataclass(frozen=True, slots=True)
class HandedFile:
    """A store file that is in the object store as well: a cache, never the only copy."""

    path: str
    """Relative to the root, as in the manifest."""
    reference: Any


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Opens a region: replays its recovered edits, commits the manifest, serves, flushes.

    The manifest's owner must be "", this server, or ``recovered_from``: the name of a dead
    server whose log was fenced and split to its end. Otherwise RegionOwnedElsewhereError(region,
    owner) and nothing changed: if that owner lives the region is there (ask its
    ``region_state``); if it is dead, its logs are to be split first, and when they are (now
    or long ago) the request may be sent again with that owner as ``recovered_from``.

    A region without a manifest is created empty. A region that is open here answers with what
    its open answered. Files of a family that ``table`` lacks are left out of the manifest.
    """

    info: RegionInfo
    table: TableDescriptor
    master_epoch: int
    order: int
    recovered_from: str | None = None
    handed: tuple[HandedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenResult:
    """The region is served here; ``open_sequence_id`` grows with every open of it."""

    encoded: str
    server: str
    open_sequence_id: int
    as_asked: bool = True
    """False: it was open already, with another descriptor of its table."""


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """Flushes and closes a region, and gives it up in its manifest (owner "")."""

    encoded: str
    master_epoch: int
    order: int
    destination: str = ""
    """Server name clients are sent to afterwards, if the master knows it already."""


@dataclass(frozen=True, slots=True)
class CloseResult:
    """``was_here`` False: this server did not hold the region (any more), nothing was done.

    After ``was_here`` True the manifest's owner is "" and all edits are in files.
    """

    encoded: str
    was_here: bool
    sequence_id: int = 0
    moved_to: str = ""
    """Server name it was handed over to, if it was and not long ago."""


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """Asks the source to hand an open region over to a live server.

    NotServingRegionError if the source does not hold it. If the target cannot take it, the
    source goes on serving and the result says ``moved`` False. When the source dies meanwhile
    the manifest's owner tells whether the target has it.
    """

    encoded: str
    target: str
    """Server name (host,port,code)."""
    target_process: str
    master_epoch: int
    order: int


@dataclass(frozen=True, slots=True)
class MoveResult:
    encoded: str
    moved: bool
    server: str
    """Who serves the region now: the target, or the source again."""
    open_sequence_id: int
    reason: str = ""
    """Why it did not move."""


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    """Opens the files of a region that ``source`` still serves, and waits for its last edits."""

    info: RegionInfo
    table: TableDescriptor
    master_epoch: int
    order: int
    source: str
    manifest: Manifest
    """The source's: which files to open."""
    handed: tuple[HandedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class AdoptRequest:
    """Takes a prepared region over, whose source has stopped serving it.

    ``manifest`` is the next version, with the target as owner and everything the source knew
    (sequence ids, region clock): the target commits this one and no other, after
    ``edits`` are durable in its own log. That commit is the point of no return: it fails if
    the source, or whoever recovered it, has put a manifest of that number first, and the
    target then forgets the region (RegionOwnedElsewhereError).
    """

    encoded: str
    source: str
    master_epoch: int
    order: int
    manifest: Manifest
    edits: tuple[bytes, ...]
    """WAL records of what is in the source's memory, cells and nonces, and in no file."""


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """Closes the parent and opens its daughters, which refer to halves of its files.

    The daughters' manifests name the server as owner, and nothing but an OpenRequest for
    each is needed for them to be served: send it once hbase:meta has them, for until then,
    or for some seconds, calls about the parent wait.

    Any server can be asked again, also when the first one died: if the parent is closed it
    only makes sure of the daughters' manifests. RegionOwnedElsewhereError if another server
    has the parent open. Nothing is visible to clients before the master's mutation of meta.
    """

    parent: RegionInfo
    table: TableDescriptor
    daughters: tuple[RegionInfo, RegionInfo]
    """Lower and upper; the upper's start key is the split row."""
    master_epoch: int
    order: int


@dataclass(frozen=True, slots=True)
class SplitResult:
    """The parent is closed; each daughter can be opened by an OpenRequest."""

    parent: str
    sequence_id: int
    handed: tuple[HandedFile, ...] = ()
    """Files both daughters refer to; may travel in their OpenRequests."""


@dataclass(frozen=True, slots=True)
class FlushResult:
    """All edits up to ``sequence_id`` are in files; ``flushed`` False: there were none."""

    encoded: str
    flushed: bool
    sequence_id: int


class RegionState(StrEnum):
    """Where a region stands at one server."""

    ABSENT = "ABSENT"
    OPENING = "OPENING"
    PREPARED = "PREPARED"
    """Files open, waiting for the source of a move."""
    OPEN = "OPEN"
    HANDING_OVER = "HANDING_OVER"
    """Not serving; the outcome of a hand-over is not known yet."""
    SPLITTING = "SPLITTING"
    """Given up, and its daughters are open: they serve when hbase:meta has them."""
    CLOSING = "CLOSING"
    MOVED = "MOVED"
    """Given away not long ago; ``moved_to`` says to whom."""


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """One region at one server. Sizes in bytes; ``info`` is None when it is not here."""

    encoded: str
    state: RegionState
    info: RegionInfo | None = None
    open_sequence_id: int = 0
    moved_to: str = ""
    memstore_bytes: int = 0
    store_files: int = 0
    store_file_bytes: int = 0
    references: int = 0
    """Store files that are half of a parent's file."""
    reads: int = 0
    writes: int = 0
    object_bytes: int = 0
    """Of the store files, what is in the object store of the server's node."""

    def __reduce__(self) -> tuple[Any, ...]:
        # As RegionInfo's: a report has one for each region. What is an object of its own costs
        # Ray's pickler as much again, so the region's fields go along with these.
        info = self.info
        return _status_of, (
            None if info is None else info.__reduce__()[1],
            self.encoded,
            self.state,
            self.open_sequence_id,
            self.moved_to,
            self.memstore_bytes,
            self.store_files,
            self.store_file_bytes,
            self.references,
            self.reads,
            self.writes,
            self.object_bytes,
        )


def _status_of(
    info: tuple[Any, ...] | None, encoded: str, state: RegionState, *rest: Any
) -> RegionStatus:
    """What was pickled."""
    return RegionStatus(encoded, state, None if info is None else RegionInfo(*info), *rest)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A region server's load. ``counters`` are sums since its start, by name.

    Among them ``object_reads`` and ``file_reads``: store files taken from the object store
    and from the file system; ``handoff_bytes``: what is held in the object store now.
    """

    server: str
    process: str
    regions: tuple[RegionStatus, ...]
    memstore_bytes: int
    block_cache_bytes: int
    wal_files: int
    counters: Mapping[str, int] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    """What keeps it from doing its work, in sentences."""
    node: str = ""
    """Whose servers share an object store."""


@dataclass(frozen=True, slots=True)
class SplitWalResult:
    """What ``jobs.split_wal_job(files, objects, server, name)`` did with one log file."""

    wal: str
    edits: dict[str, int]
    """Number of records written to recovered edits, by encoded region name."""
