"""Files of nonces: written by flushes, read by whoever opens the region."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence

from ..errors import StorageError
from ..model import RegionInfo
from ..runtime import FileSystem
from ..storage.manifest import NONCES, NonceFileEntry, region_directory
from ..storage.nonce_table import NonceTable
from ..storage.nonces import NoncePlan
from .archiver import archive_file
from .file_pieces import write_pieces
from .file_writer import NewPath
from .store_io import read_store_file

log = logging.getLogger(__name__)


async def write_nonces(files: FileSystem, plan: NoncePlan, new_path: NewPath) -> None:
    """Makes the plan's file durable; no manifest names it yet.

    Gives way to the loop after every slice. Raises StorageError.
    """
    path = new_path(NONCES.encode("ascii"))
    for _ in plan.sort(path):
        await asyncio.sleep(0)
    assert plan.table is not None
    try:
        await write_pieces(files, path, _giving_way(plan.table))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}") from error


async def _giving_way(table: NonceTable) -> AsyncIterator[bytes]:
    for piece in table.pieces():
        yield piece
        await asyncio.sleep(0)


async def archive_replaced(files: FileSystem, info: RegionInfo, plan: NoncePlan) -> None:
    """Own files that the plan's, committed, replaced; a parent's are its cleaner's."""
    own = region_directory(info) + "/"
    for table in plan.replaced:
        path = table.entry.path
        if not path.startswith(own):
            continue
        try:
            await archive_file(files, path)
        except OSError as error:
            # It is in no manifest any more: the janitor finds it.
            log.warning("could not archive %s: %s", path, error)


async def open_nonces(files: FileSystem, entries: Sequence[NonceFileEntry]) -> list[NonceTable]:
    """The tables of these files, which may be in the archive: a region cleaned away does not
    wait for nonces to expire. Raises CorruptionError, FileNotFoundError, OSError."""
    tables = []
    for entry in entries:
        data = await read_store_file(files, entry.path)
        tables.append(NonceTable.decode(entry, data))
        await asyncio.sleep(0)
    return tables


def tables_of(
    entries: Iterable[NonceFileEntry], tables: Sequence[NonceTable]
) -> list[NonceTable] | None:
    """Those of the open tables that are these files'; None if one is missing."""
    columns = {table.entry.path: table.columns for table in tables}
    entries = tuple(entries)
    if any(entry.path not in columns for entry in entries):
        return None
    return [NonceTable(entry, columns[entry.path]) for entry in entries]
