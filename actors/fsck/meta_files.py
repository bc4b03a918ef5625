"""hbase:meta as the files of a stopped cluster have it."""

from __future__ import annotations

from typing import Final

from ...config import MIB, StoreConfig
from ...errors import CorruptionError, StorageError
from ...model import META_REGION
from ...operations import Scan
from ...runtime import FileSystem
from ...storage.block_cache import BlockCache
from ...storage.cells import CellBatch
from ...storage.hfile.reader import HFileReader
from ...storage.manifest import manifest_directory, region_directory
from ...storage.region import Region
from ...storage.store_file import StoreFile
from ...storage.wal import WalRecord, read_log
from ..log_writer import WALS, wal_directory
from ..meta_rows import META_DESCRIPTOR, MetaContent, parse
from ..region_opener import fitted
from ..server_manager import is_log, is_meta_log
from ..store_io import RECOVERED_EDITS, load_manifest

_CACHE_BYTES: Final = 4 * MIB


async def read_meta_files(files: FileSystem) -> MetaContent:
    """All of hbase:meta: its store files, its recovered edits, and what the logs still hold.

    Nothing is changed. Raises CorruptionError or StorageError, saying which file is in the way.
    """
    manifest = await load_manifest(files, META_REGION)
    if manifest is None:
        directory = manifest_directory(META_REGION)
        raise StorageError(f"hbase:meta has no manifest in {directory}")
    manifest = fitted(manifest, META_DESCRIPTOR)
    stores: dict[bytes, list[StoreFile]] = {}
    for entry in manifest.files:
        try:
            data = await files.read(entry.path)
        except FileNotFoundError:
            raise CorruptionError(entry.path, 0, "a file of hbase:meta is missing") from None
        reader = HFileReader.from_image(entry.path, memoryview(data))
        stores.setdefault(entry.family, []).append(StoreFile(entry, reader))
    cache = BlockCache(_CACHE_BYTES)
    region = Region(META_REGION, META_DESCRIPTOR, manifest, stores, StoreConfig(), cache)
    for record in await _edits(files):
        region.replay(record)
    return parse(_rows(region))


def _rows(region: Region) -> CellBatch:
    scanner = region.scanner(Scan(), region.clock_ms)
    rows = CellBatch()
    try:
        while not scanner.exhausted:
            for cell in scanner.next().cells():
                rows.append(*cell)
    finally:
        scanner.close()
    rows.end_row()
    return rows


async def _edits(files: FileSystem) -> list[WalRecord]:
    """What is in no store file, or not known to be, in the order in which it was written."""
    found: dict[int, WalRecord] = {}
    directory = f"{region_directory(META_REGION)}/{RECOVERED_EDITS}"
    paths = [(f"{directory}/{name}", True) for name in await files.list(directory)]
    for server in await files.list(WALS):
        names = [one for one in await files.list(wal_directory(server)) if is_log(one)]
        paths += [(f"{wal_directory(server)}/{name}", False) for name in names if is_meta_log(name)]
    for path, complete in paths:
        for record in read_log(path, await files.read(path), complete=complete):
            if record.region == META_REGION.encoded_name:
                found[record.sequence_id] = record
    return [found[number] for number in sorted(found)]
