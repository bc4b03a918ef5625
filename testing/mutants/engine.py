"""Bugs of one region server: its log, its files, and what survives of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from ...actors import posix, region_compactor
from ...actors.hosted_region import HostedRegion
from ...actors.log_writer import LogWriter
from ...errors import SyncFailedError
from ...runtime import Buffer
from ...storage import manifest, wal
from ...storage.filters import columns
from ...storage.hfile import blocks
from ...storage.manifest import Manifest
from ...storage.mvcc import Mvcc
from ...storage.region import Region
from ...storage.region_files import RegionFiles
from ..disk import Disk, FileNode
from ..files import SimFiles, SimLog
from .mutant import Mutant, Patch

_EARLY: Final = 10
"""Edits of about one flush of the scenarios."""


def _ack_before_sync(append: Any) -> Any:
    async def acknowledge_then_append(self: LogWriter, batch: list[Any]) -> None:
        for *_, done in batch:
            done()
        batch[:] = [(*entry[:-1], lambda: None) for entry in batch]
        await append(self, batch)

    return acknowledge_then_append


def _no_directory_sync(sync_directory: Any) -> Any:
    def leave_it(self: Disk, path: str) -> None:
        return

    return leave_it


def _no_sync_of_directories(sync_directory: Any) -> Any:
    def leave_it(directory: str) -> None:
        return

    return leave_it


def _store_files_unsynced(sync: Any) -> Any:
    def sync_logs_and_manifests(self: Disk, path: str, node: FileNode) -> None:
        if not path.startswith("data/") or "/manifest/" in path:
            sync(self, path, node)

    return sync_logs_and_manifests


def _always_major(plan_compaction: Any) -> Any:
    def plan_major(self: Region, *arguments: Any, **options: Any) -> Any:
        planned = plan_compaction(self, *arguments, **options)
        if planned is None:
            return None
        return replace(planned, options=replace(planned.options, major=True))

    return plan_major


def _archive_first(commit: Any) -> Any:
    async def archive_then_commit(self: HostedRegion, manifest: Manifest) -> None:
        replaced = tuple(one for one in self.manifest.files if one not in manifest.files)
        await region_compactor._archive(self, replaced)  # noqa: SLF001 - what it does anyway
        await commit(self, manifest)

    return archive_then_commit


def _without_nonces(flush_manifest: Any) -> Any:
    def forget_nonces(*arguments: Any) -> Any:
        return replace(flush_manifest(*arguments), nonce_files=())

    return forget_nonces


def _newest_applied(begin: Any) -> Any:
    def begin_seen(self: Mvcc) -> int:
        number: int = begin(self)
        self.read_point = number
        return number

    return begin_seen


def _already_complete(complete: Any) -> Any:
    def leave_it(self: Mvcc, number: int) -> None:
        return

    return leave_it


def _too_far(flushed: Any) -> Any:
    def one_flush_early(self: LogWriter, region: str, sequence_id: int) -> None:
        flushed(self, region, sequence_id + _EARLY)

    return one_flush_early


def _appended_behind(append: Any) -> Any:
    async def try_again(self: SimLog, data: Buffer, *, sync: bool = True) -> int:
        try:
            length: int = await append(self, data, sync=sync)
        except SyncFailedError:
            self._broken = False
            length = await append(self, data, sync=sync)
        return length

    return try_again


def _no_fence_test(test_fence: Any) -> Any:
    def pass_any(self: SimLog) -> None:
        return

    return pass_any


def _no_mark(fence: Any) -> Any:
    async def leave_it(self: SimFiles, directory: str) -> None:
        return

    return leave_it


def _nothing_to_wait_for(barrier: Any) -> Any:
    async def at_once(self: LogWriter) -> None:
        return

    return at_once


def _past_the_match(column: Any) -> Any:
    def behind_it(cell: Any, qualifier: bytes) -> Any:
        return column(cell, qualifier + b"\0")

    return behind_it


def _always_right(checksum: Any) -> Any:
    return lambda data: 0


def _right_for_all(checksum_function: Any) -> Any:
    return lambda *place: _always_right(None)


def _library_that_agrees(library: Any) -> Any:
    return SimpleNamespace(value=_always_right(None))


ENGINE_MUTANTS: Final = (
    Mutant(
        "ack before sync",
        "a write is acknowledged that the power going off takes away (I1)",
        "images: append",
        (Patch(LogWriter, "_append", _ack_before_sync),),
    ),
    Mutant(
        "no directory fsync",
        "a file is durable, its name is not (I1)",
        "images: roll",
        (Patch(Disk, "sync_directory", _no_directory_sync),),
    ),
    Mutant(
        "no directory fsync on POSIX",
        "the same, in the real file system's code",
        "golden list: posix",
        (Patch(posix, "sync_directory", _no_sync_of_directories),),
    ),
    Mutant(
        "manifest before HFile sync",
        "a manifest names a file whose bytes the power going off takes away (I1)",
        "images: flush",
        (Patch(Disk, "sync", _store_files_unsynced),),
    ),
    Mutant(
        "tombstone dropped in a minor",
        "a minor compaction forgets a deletion of what an older file still has (I5)",
        "images: compaction",
        (Patch(Region, "plan_compaction", _always_major),),
    ),
    Mutant(
        "read point ignored",
        "a reader sees a write that is not durable yet, and that a crash takes back (I1)",
        "images: append",
        (
            Patch(Mvcc, "begin", _newest_applied),
            Patch(Mvcc, "complete", _already_complete),
        ),
    ),
    Mutant(
        "WAL archived one flush early",
        "a log goes whose edits are in no file yet (I1)",
        "images: WAL archive",
        (Patch(LogWriter, "flushed", _too_far),),
    ),
    Mutant(
        "archive before commit",
        "the files that a compaction replaces go while the newest manifest names them (I6)",
        "images: compaction",
        (Patch(HostedRegion, "commit", _archive_first),),
    ),
    Mutant(
        "nonce dropped on flush",
        "an increment that its client sends again after a crash counts twice (I3)",
        "images: flush",
        (Patch(RegionFiles, "flush_manifest", _without_nonces),),
    ),
    Mutant(
        "torn tail appended behind",
        "a log goes on behind a failed write, where no recovery reads on (I1)",
        "errors: EIO, once",
        (Patch(SimLog, "append", _appended_behind),),
    ),
    Mutant(
        "flush ahead of its log",
        "a file has one half of a mutation whose other half is lost (I3)",
        "images: flush, slow log",
        (Patch(LogWriter, "barrier", _nothing_to_wait_for),),
    ),
    Mutant(
        "no fence test",
        "a server that was given up acknowledges and answers when it wakes (I2)",
        "a zombie writes",
        (Patch(SimLog, "_test_fence", _no_fence_test),),
    ),
    Mutant(
        "recovery without FENCED",
        "a server that only was slow acknowledges what recovery has not read (I1, I2)",
        "a zombie writes",
        (Patch(SimFiles, "fence", _no_mark),),
    ),
    Mutant(
        "seek hint past a match",
        "a filter that seeks leaves out the very column it seeks (I4)",
        "filters that seek",
        (Patch(columns, "_column", _past_the_match),),
    ),
    Mutant(
        "block checksum skipped",
        "damage of a store file is read as data (I9)",
        "damage: store file",
        (Patch(blocks, "_checksum_function", _right_for_all),),
    ),
    Mutant(
        "record checksum skipped",
        "damage of a log is replayed as data (I9)",
        "damage: log",
        (Patch(wal, "_checksum", _always_right),),
    ),
    Mutant(
        "manifest checksum skipped",
        "damage of a manifest is believed (I9)",
        "damage: manifest",
        (Patch(manifest, "google_crc32c", _library_that_agrees),),
    ),
)
