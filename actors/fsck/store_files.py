"""The check of a region's store files: there, whole, in order, within their bounds."""

from __future__ import annotations

from typing import Final

from ...errors import CorruptionError
from ...model import META_REGION
from ...runtime import FileSystem
from ...storage.block_cache import BlockCache
from ...storage.hfile.reader import HFileReader
from ...storage.key import END, META_ROWS, PLAIN_ROWS
from ...storage.manifest import Manifest, NonceFileEntry, StoreFileEntry
from ...storage.nonce_table import NonceTable
from ..store_io import archive_path, read_store_file
from .finding import Kind, Report

_CACHE_BYTES: Final = 1 << 20


class StoreFileCheck:
    """Reads every byte of the files it is given.

    A file never changes, so what an earlier look of the same check found sound is not read
    again.
    """

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self._sound: dict[tuple[str, bytes, bytes, str], int] = {}

    async def check(self, manifest: Manifest, entry: StoreFileEntry, report: Report) -> None:
        """Adds what is wrong with the file, as this manifest names it."""
        if entry.max_sequence_id > manifest.max_sequence_id:
            report.add(
                Kind.FILE_DAMAGED,
                entry.path,
                f"{entry.path} has edits after {manifest.max_sequence_id} of {manifest.region}",
            )
        known = (entry.path, entry.lower, entry.upper, manifest.region.encoded_name)
        if known in self._sound:
            report.cells += self._sound[known]
            return
        data = await self._read(manifest, entry, report)
        if data is None:
            return
        before, cells_before = len(report.findings), report.cells
        try:
            reader = HFileReader.from_image(entry.path, memoryview(data))
            _check_cells(manifest, entry, reader, report)
        except CorruptionError as error:
            report.add(Kind.FILE_DAMAGED, entry.path, str(error))
        if len(report.findings) == before:
            self._sound[known] = report.cells - cells_before

    async def check_nonces(self, manifest: Manifest, entry: NonceFileEntry, report: Report) -> None:
        """As ``check``, for a file of nonces, which may be in the archive: what a region was
        made from goes there before its nonces have expired."""
        path = entry.path
        try:
            NonceTable.decode(entry, await read_store_file(self._files, path))
        except FileNotFoundError:
            text = f"{manifest.region}: its file {path} is missing"
            report.add(Kind.FILE_MISSING, path, text)
        except CorruptionError as error:
            report.add(Kind.FILE_DAMAGED, path, str(error))

    async def _read(
        self, manifest: Manifest, entry: StoreFileEntry, report: Report
    ) -> bytes | None:
        path = entry.path
        try:
            data = await self._files.read(path)
        except FileNotFoundError:
            if await self._files.exists(archive_path(path)):
                text = f"{manifest.region}: its file {path} is missing, and is in the archive"
                report.add(Kind.FILE_ARCHIVED, path, text)
            else:
                text = f"{manifest.region}: its file {path} is missing"
                report.add(Kind.FILE_MISSING, path, text)
            return None
        if len(data) != entry.size:
            text = f"{path} has {len(data)} bytes, its manifest says {entry.size}"
            report.add(Kind.FILE_DAMAGED, path, text)
            return None
        return data


def _check_cells(
    manifest: Manifest, entry: StoreFileEntry, reader: HFileReader, report: Report
) -> None:
    info = manifest.region
    rows = META_ROWS if info == META_REGION else PLAIN_ROWS
    last = b""
    entries = 0
    for block in reader.blocks(BlockCache(_CACHE_BYTES)):
        for key in block.keys:
            entries += 1
            if key <= last:
                text = f"{entry.path}: cells out of order at {key!r}"
                report.add(Kind.FILE_DAMAGED, entry.path, text)
                return
            last = key
            if (entry.lower and key < entry.lower) or (entry.upper and key >= entry.upper):
                continue
            report.cells += 1
            if not info.contains(rows.decode(key[: key.index(END)])):
                text = f"{entry.path}: a cell of another region in {info}: {key!r}"
                report.add(Kind.FILE_DAMAGED, entry.path, text)
                return
    if entries != entry.entries and not entry.is_reference:
        text = f"{entry.path} has {entries} cells, its manifest says {entry.entries}"
        report.add(Kind.FILE_DAMAGED, entry.path, text)
