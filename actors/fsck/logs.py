"""The check of write-ahead logs: split when their server is dead, readable, not gone too early."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from ...errors import CorruptionError
from ...runtime import FileSystem
from ...storage.manifest import Manifest
from ...storage.wal import LogIndex, WalRecord, read_log
from ..log_writer import OLD_WALS, WALS, wal_directory
from ..server_manager import is_log
from .finding import Kind, Report


async def check_dead_logs(files: FileSystem, living: Iterable[str], report: Report) -> None:
    """What a dead server's logs hold must be in recovered edits, and the logs put away.

    A server that died before it had a region leaves a log without records: garbage.
    """
    alive = dict.fromkeys(living)
    for server in await files.list(WALS):
        if server in alive:
            continue
        regions_by_log = await _regions_by_log(files, server, report)
        unsplit = list(dict.fromkeys(chain.from_iterable(regions_by_log.values())))
        if unsplit:
            text = f"logs of the dead server {server} were not split: they hold {unsplit}"
            report.add(Kind.LOG_UNSPLIT, server, text)
        elif regions_by_log:
            report.add(Kind.LOG_EMPTY, server, f"logs of the dead server {server} hold nothing")


async def check_readable(files: FileSystem, report: Report) -> None:
    """Of a stopped cluster: the next start will read every log, so each must be readable."""
    for server in await files.list(WALS):
        await _regions_by_log(files, server, report)


async def _regions_by_log(
    files: FileSystem, server: str, report: Report
) -> dict[str, dict[str, None]]:
    """Path of each log that can be read -> encoded names of the regions it has edits of."""
    found = {}
    for name in await files.list(wal_directory(server)):
        path = f"{wal_directory(server)}/{name}"
        if not is_log(name):
            continue
        try:
            found[path] = dict.fromkeys(LogIndex(path, await files.read(path)).regions)
        except CorruptionError as error:
            report.add(Kind.LOG_DAMAGED, path, str(error))
        except FileNotFoundError:
            continue  # Put away while we looked.
    return found


async def check_archived_logs(
    files: FileSystem, living: Iterable[str], manifests: Mapping[str, Manifest], report: Report
) -> None:
    """What a living server put away must be in the files of the regions it has."""
    for server in living:
        for name in await files.list(f"{OLD_WALS}/{server}"):
            path = f"{OLD_WALS}/{server}/{name}"
            try:
                for record in read_log(path, await files.read(path)):
                    manifest = manifests.get(record.region)
                    if manifest is not None and manifest.owner == server:
                        _check_record(path, record, manifest, report)
            except CorruptionError as error:
                report.add(Kind.LOG_DAMAGED, path, str(error))
            except FileNotFoundError:
                continue


def _check_record(path: str, record: WalRecord, manifest: Manifest, report: Report) -> None:
    number = record.sequence_id
    if number < manifest.open_sequence_id:
        return  # From an earlier stay at this server.
    for cells in record.families:
        if number > manifest.flushed.get(cells.family, number):
            text = f"{path} was archived, but edit {number} of {record.region} needs it"
            report.add(Kind.LOG_NEEDED, path, text)
