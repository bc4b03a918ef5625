"""Which call sites each scenario must pass: a row that stays empty fails, a new one, too.

A line names a function of the product and what it does to the disk through which operation of
the file system. ``python -m raybase.testing images --sites`` prints what a run passes.
"""

from __future__ import annotations

from typing import Final


def _sites(text: str) -> tuple[str, ...]:
    found = []
    for line in text.strip().splitlines():
        caller, _, calls = line.strip().partition(": ")
        found += [f"{caller}: {call}" for call in calls.split()]
    return tuple(found)


SITES: Final[dict[str, tuple[str, ...]]] = {
    "append": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        """
    ),
    "append, ASYNC_WAL": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        """
    ),
    "roll": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        log_writer.LogWriter._seal: append/write append/sync
        log_writer.LogWriter._create_next: create_log/create create_log/syncdir append/write
        log_writer.LogWriter._create_next: append/sync
        """
    ),
    "flush": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        nonce_files.write_nonces: write/mkdir write/syncdir write/create write/write write/sync
        nonce_files.write_nonces: write/rename
        """
    ),
    "flush, slow log": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        nonce_files.write_nonces: write/mkdir write/syncdir write/create write/write write/sync
        nonce_files.write_nonces: write/rename
        """
    ),
    "compaction": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        region_compactor._archive: rename/mkdir rename/syncdir rename/rename
        compaction_job.compact_job: write/create write/write write/sync write/rename write/syncdir
        region_compactor._replace: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_compactor._replace: put_if_absent/link put_if_absent/unlink
        region_compactor._replace: put_if_absent/syncdir
        """
    ),
    "manifest commit": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        store_io._prune: remove/unlink remove/syncdir
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        nonce_files.write_nonces: write/mkdir write/syncdir write/create write/write write/sync
        nonce_files.write_nonces: write/rename
        archiver.archive_file: rename/mkdir rename/syncdir rename/rename
        """
    ),
    "WAL archive": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        log_writer.LogWriter._seal: append/write append/sync
        log_writer.LogWriter._create_next: create_log/create create_log/syncdir append/write
        log_writer.LogWriter._create_next: append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        log_writer.LogWriter._archive_file: rename/mkdir rename/syncdir rename/rename
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        nonce_files.write_nonces: write/mkdir write/syncdir write/create write/write write/sync
        nonce_files.write_nonces: write/rename
        """
    ),
    "close, open": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        region_closer.give_up: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_closer.give_up: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        region_opener._try_open: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_opener._try_open: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        nonce_files.write_nonces: write/create write/write write/sync write/rename write/syncdir
        """
    ),
    "recovery": _sites(
        """
        log_recovery.fence_logs: fence/create fence/syncdir
        jobs.split_wal_job: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        jobs.split_wal_job: put_if_absent/write put_if_absent/sync put_if_absent/link
        jobs.split_wal_job: put_if_absent/unlink
        log_recovery.split_and_archive: rename/mkdir rename/syncdir rename/rename
        log_writer.LogWriter._create_next: create_log/mkdir create_log/syncdir create_log/create
        log_writer.LogWriter._create_next: append/write append/sync
        region_opener._try_open: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_opener._try_open: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        log_writer.LogWriter._append: append/write append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        hosted_region.HostedRegion.remove_recovered_edits: remove/unlink remove/syncdir
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        nonce_files.write_nonces: write/create write/write write/sync write/rename write/syncdir
        archiver.archive_file: rename/mkdir rename/syncdir rename/rename
        """
    ),
    "split": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        region_closer.give_up: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_closer.give_up: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        daughters.ensure_manifest: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        daughters.ensure_manifest: put_if_absent/write put_if_absent/sync put_if_absent/link
        daughters.ensure_manifest: put_if_absent/unlink
        compaction_job.compact_job: write/mkdir write/syncdir write/create write/write write/sync
        compaction_job.compact_job: write/rename
        region_compactor._replace: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_compactor._replace: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        """
    ),
    "split, cleaned": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        archiver.archive_file: rename/mkdir rename/syncdir rename/rename
        archiver.archive_directory: remove/unlink remove/syncdir
        janitor.Janitor._clean: remove/unlink remove/syncdir
        compaction_job.compact_job: write/mkdir write/syncdir write/create write/write write/sync
        compaction_job.compact_job: write/rename
        region_compactor._replace: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_compactor._replace: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        """
    ),
    "merge": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        region_closer.give_up: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_closer.give_up: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        daughters.ensure_manifest: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        daughters.ensure_manifest: put_if_absent/write put_if_absent/sync put_if_absent/link
        daughters.ensure_manifest: put_if_absent/unlink
        region_opener._try_open: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_opener._try_open: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        compaction_job.compact_job: write/mkdir write/syncdir write/create write/write write/sync
        compaction_job.compact_job: write/rename
        region_compactor._replace: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_compactor._replace: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        """
    ),
    "merge, cleaned": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        archiver.archive_file: rename/mkdir rename/syncdir rename/rename
        archiver.archive_directory: remove/unlink remove/syncdir
        janitor.Janitor._clean: remove/unlink remove/syncdir
        """
    ),
    "move": _sites(
        """
        log_writer.LogWriter._append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        region_mover._commit: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_mover._commit: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        """
    ),
    "server crash": _sites(
        """
        coordinator_files.CoordinatorFiles.append: append/write append/sync
        procedure_store.RegionProcedureStore._append: append/write append/sync
        log_recovery.fence_logs: fence/create fence/syncdir
        jobs.split_wal_job: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        jobs.split_wal_job: put_if_absent/write put_if_absent/sync put_if_absent/link
        jobs.split_wal_job: put_if_absent/unlink
        log_recovery.split_and_archive: rename/mkdir rename/syncdir rename/rename
        log_writer.LogWriter._create_next: create_log/mkdir create_log/syncdir create_log/create
        log_writer.LogWriter._create_next: append/write append/sync
        region_opener._try_open: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_opener._try_open: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        hosted_region.HostedRegion.remove_recovered_edits: remove/unlink remove/syncdir
        log_writer.LogWriter._append: append/write append/sync
        crash.ServerCrashProcedure.finish: remove/unlink remove/syncdir
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        """
    ),
    "master crash": _sites(
        """
        coordinator_files.CoordinatorFiles.append: append/write append/sync
        procedure_store.RegionProcedureStore._create_log: create_log/mkdir create_log/syncdir
        procedure_store.RegionProcedureStore._create_log: create_log/create append/write append/sync
        procedure_store.RegionProcedureStore._recover: fence/create fence/syncdir remove/unlink
        procedure_store.RegionProcedureStore._recover: remove/syncdir
        procedure_store.RegionProcedureStore._store_file: write/mkdir write/syncdir write/create
        procedure_store.RegionProcedureStore._store_file: write/write write/sync write/rename
        procedure_store.RegionProcedureStore._flush: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._flush: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._flush: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._compact: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._compact: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: remove/unlink remove/syncdir
        procedure_store.RegionProcedureStore._append: append/write append/sync
        meta_region.MetaRegion.fence: put_if_absent/create put_if_absent/write put_if_absent/sync
        meta_region.MetaRegion.fence: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        log_writer.LogWriter._append: append/write append/sync
        region_opener._try_open: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        region_opener._try_open: put_if_absent/write put_if_absent/sync put_if_absent/link
        region_opener._try_open: put_if_absent/unlink
        """
    ),
    "first start, create table": _sites(
        """
        coordinator.Coordinator.start: try_lock/create
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/mkdir put_if_absent/syncdir
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/create put_if_absent/write
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/sync put_if_absent/link
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/unlink create_log/create
        coordinator_files.CoordinatorFiles.take_over: create_log/syncdir
        coordinator_files.CoordinatorFiles._write_header: append/write append/sync
        coordinator_files.CoordinatorFiles.append: append/write append/sync
        procedure_store.RegionProcedureStore._create_log: create_log/mkdir create_log/syncdir
        procedure_store.RegionProcedureStore._create_log: create_log/create append/write append/sync
        procedure_store.RegionProcedureStore._commit: put_if_absent/mkdir put_if_absent/syncdir
        procedure_store.RegionProcedureStore._commit: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._commit: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._commit: put_if_absent/unlink
        procedure_store.RegionProcedureStore._append: append/write append/sync
        log_writer.LogWriter._create_next: create_log/mkdir create_log/syncdir create_log/create
        log_writer.LogWriter._create_next: append/write append/sync
        region_opener._try_open: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        region_opener._try_open: put_if_absent/write put_if_absent/sync put_if_absent/link
        region_opener._try_open: put_if_absent/unlink
        log_writer.LogWriter._append: append/write append/sync
        """
    ),
    "cold start": _sites(
        """
        coordinator.Coordinator.start: try_lock/create
        coordinator_files._recover: fence/create fence/syncdir
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/mkdir put_if_absent/syncdir
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/create put_if_absent/write
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/sync put_if_absent/link
        coordinator_files.CoordinatorFiles.take_over: put_if_absent/unlink create_log/create
        coordinator_files.CoordinatorFiles.take_over: create_log/syncdir
        coordinator_files.CoordinatorFiles._write_header: append/write append/sync
        coordinator_files._remove_files: remove/unlink remove/syncdir
        coordinator_files._remove_lives: remove/unlink remove/syncdir
        coordinator_files.CoordinatorFiles.append: append/write append/sync
        procedure_store.RegionProcedureStore._create_log: create_log/mkdir create_log/syncdir
        procedure_store.RegionProcedureStore._create_log: create_log/create append/write append/sync
        procedure_store.RegionProcedureStore._recover: fence/create fence/syncdir remove/unlink
        procedure_store.RegionProcedureStore._recover: remove/syncdir
        procedure_store.RegionProcedureStore._store_file: write/mkdir write/syncdir write/create
        procedure_store.RegionProcedureStore._store_file: write/write write/sync write/rename
        procedure_store.RegionProcedureStore._flush: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._flush: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._flush: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._compact: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._compact: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: remove/unlink remove/syncdir
        procedure_store.RegionProcedureStore._append: append/write append/sync
        log_recovery.fence_logs: fence/create fence/syncdir
        jobs.split_wal_job: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        jobs.split_wal_job: put_if_absent/write put_if_absent/sync put_if_absent/link
        jobs.split_wal_job: put_if_absent/unlink
        log_recovery.split_and_archive: rename/mkdir rename/syncdir rename/rename
        log_writer.LogWriter._create_next: create_log/mkdir create_log/syncdir create_log/create
        log_writer.LogWriter._create_next: append/write append/sync
        region_opener._try_open: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_opener._try_open: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        hosted_region.HostedRegion.remove_recovered_edits: remove/unlink remove/syncdir
        log_writer.LogWriter._append: append/write append/sync
        crash.ServerCrashProcedure.finish: remove/unlink remove/syncdir
        """
    ),
    "logs of the master": _sites(
        """
        procedure_store.RegionProcedureStore._append: append/write append/sync
        procedure_store.RegionProcedureStore._store_file: write/mkdir write/syncdir write/create
        procedure_store.RegionProcedureStore._store_file: write/write write/sync write/rename
        procedure_store.RegionProcedureStore._flush: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._flush: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._flush: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: put_if_absent/create put_if_absent/write
        procedure_store.RegionProcedureStore._compact: put_if_absent/sync put_if_absent/link
        procedure_store.RegionProcedureStore._compact: put_if_absent/unlink put_if_absent/syncdir
        procedure_store.RegionProcedureStore._compact: remove/unlink remove/syncdir
        procedure_store.RegionProcedureStore._create_log: create_log/create create_log/syncdir
        procedure_store.RegionProcedureStore._create_log: append/write append/sync
        procedure_store.RegionProcedureStore._roll: remove/unlink remove/syncdir
        log_writer.LogWriter._append: append/write append/sync
        region_opener._try_open: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        region_opener._try_open: put_if_absent/write put_if_absent/sync put_if_absent/link
        region_opener._try_open: put_if_absent/unlink
        region_closer.give_up: put_if_absent/create put_if_absent/write
        region_closer.give_up: put_if_absent/sync put_if_absent/link put_if_absent/unlink
        region_closer.give_up: put_if_absent/syncdir
        archiver.archive_directory: remove/unlink remove/syncdir
        coordinator_files.CoordinatorFiles.append: append/write append/sync
        coordinator_files.CoordinatorFiles.roll: create_log/create create_log/syncdir
        coordinator_files.CoordinatorFiles._write_header: append/write append/sync
        coordinator_files.Snapshot.write: put_if_absent/create put_if_absent/write
        coordinator_files.Snapshot.write: put_if_absent/sync put_if_absent/link put_if_absent/unlink
        coordinator_files.Snapshot.write: put_if_absent/syncdir
        log_recovery.fence_logs: fence/create fence/syncdir
        coordinator_files._remove_files: remove/unlink remove/syncdir
        jobs.split_wal_job: put_if_absent/mkdir put_if_absent/syncdir put_if_absent/create
        jobs.split_wal_job: put_if_absent/write put_if_absent/sync put_if_absent/link
        jobs.split_wal_job: put_if_absent/unlink
        log_recovery.split_and_archive: rename/mkdir rename/syncdir rename/rename
        log_writer.LogWriter._create_next: create_log/mkdir create_log/syncdir create_log/create
        log_writer.LogWriter._create_next: append/write append/sync
        file_writer.write_plan: write/mkdir write/syncdir write/create write/write write/sync
        file_writer.write_plan: write/rename
        hosted_region.HostedRegion._flush_plan: put_if_absent/create put_if_absent/write
        hosted_region.HostedRegion._flush_plan: put_if_absent/sync put_if_absent/link
        hosted_region.HostedRegion._flush_plan: put_if_absent/unlink put_if_absent/syncdir
        hosted_region.HostedRegion.remove_recovered_edits: remove/unlink remove/syncdir
        crash.ServerCrashProcedure.finish: remove/unlink remove/syncdir
        """
    ),
    "delete table": _sites(
        """
        procedure_store.RegionProcedureStore._append: append/write append/sync
        log_writer.LogWriter._append: append/write append/sync
        region_closer.give_up: put_if_absent/create put_if_absent/write put_if_absent/sync
        region_closer.give_up: put_if_absent/link put_if_absent/unlink put_if_absent/syncdir
        archiver.archive_file: rename/mkdir rename/syncdir rename/rename
        archiver.archive_directory: remove/unlink remove/syncdir
        file_writer.write_plan: write/create write/write write/sync write/rename write/syncdir
        """
    ),
}
