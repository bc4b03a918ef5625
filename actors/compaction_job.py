"""Compaction as a task: inputs from objects or files, the output written as it is made.

A task needs memory for these and no more, however large the store is: inputs as whole images
up to IMAGES_BYTES_MAX together (objects of the object store are mapped, not copied), of the
others READ_AHEAD_BYTES each, the cache of decoded blocks, and a piece of the output with its
index.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..config import MIB
from ..errors import BlockMiss, ObjectLostError
from ..runtime import FileSystem, Objects
from ..storage.block_cache import BlockCache
from ..storage.compaction import CompactionOptions, Merge
from ..storage.hfile import HFileImage, HFileReader
from ..storage.manifest import StoreFileEntry
from ..storage.store_file import StoreFile, entry_of
from .file_pieces import Pieces, write_pieces
from .messages import HandedFile
from .store_io import open_reader, read_store_file
from .throughput import Pace

IMAGES_BYTES_MAX: Final = 64 * MIB
READ_AHEAD_BYTES: Final = MIB
_CACHE_BYTES_MIN: Final = 16 * MIB
"""A merge goes through each block once."""
_CACHE_BYTES_EACH: Final = MIB
"""Of an input, so that the block it is at stays."""


@dataclass(frozen=True, slots=True)
class CompactionWork:
    """What a compaction needs besides files and objects; ``path`` is the file to write."""

    inputs: tuple[StoreFileEntry, ...]
    options: CompactionOptions
    handed: tuple[HandedFile, ...]
    path: str
    bytes_per_s: float = float("inf")
    """How fast the output may be written."""


async def compact_job(
    files: FileSystem, objects: Objects, work: CompactionWork
) -> StoreFileEntry | None:
    """Merges the inputs into the file at ``work.path``; None, and no file, if nothing is left.

    Every run writes the same bytes. Raises CorruptionError, OSError.
    """
    run = _Run(await _Inputs.open(files, objects, work), work)
    if not await write_pieces(files, work.path, run.pieces()):
        return None
    assert run.image is not None
    return entry_of(work.options.family.name, work.path, run.image.stats)


class _Inputs:
    """The open files of a compaction, and the bytes that were read ahead of it."""

    def __init__(
        self, files: FileSystem, entries: tuple[StoreFileEntry, ...], readers: list[HFileReader]
    ) -> None:
        self._files = files
        self._readers = {reader.path: reader for reader in readers}
        self._ahead: dict[str, tuple[int, bytes]] = {}
        self.cache = BlockCache(max(_CACHE_BYTES_MIN, _CACHE_BYTES_EACH * len(entries)))
        self.store_files = [StoreFile(entry, self._readers[entry.path]) for entry in entries]

    @classmethod
    async def open(cls, files: FileSystem, objects: Objects, work: CompactionWork) -> _Inputs:
        """Raises CorruptionError, OSError."""
        references = {one.path: one.reference for one in work.handed}
        sizes = {entry.path: entry.size for entry in work.inputs}
        to_read = sum(size for path, size in sizes.items() if path not in references)
        whole = to_read <= IMAGES_BYTES_MAX
        readers = await asyncio.gather(
            *(_open(files, objects, path, size, references, whole) for path, size in sizes.items())
        )
        return cls(files, work.inputs, readers)

    async def step(self, merge: Merge) -> None:
        """``merge.step``, with what it misses."""
        while True:
            try:
                return merge.step()
            except BlockMiss as miss:
                await self._fetch(miss)

    async def _fetch(self, miss: BlockMiss) -> None:
        offset, data = self._ahead.get(miss.path, (0, b""))
        if not offset <= miss.offset <= offset + len(data) - miss.length:
            offset, length = miss.offset, max(miss.length, READ_AHEAD_BYTES)
            data = await read_store_file(self._files, miss.path, offset, length)
            self._ahead[miss.path] = offset, data
        begin = miss.offset - offset
        stored = data[begin : begin + miss.length]
        self._readers[miss.path].admit(miss.offset, stored, self.cache)


async def _open(
    files: FileSystem,
    objects: Objects,
    path: str,
    size: int,
    references: Mapping[str, Any],
    whole: bool,
) -> HFileReader:
    if path in references:
        try:
            return HFileReader.from_image(
                path, memoryview(await objects.get(references[path])).cast("B")
            )
        except ObjectLostError:
            return await open_reader(files, path, size)
    if whole:
        return HFileReader.from_image(path, memoryview(await read_store_file(files, path)))
    return await open_reader(files, path, size)


class _Run:
    """One merge from beginning to end."""

    def __init__(self, inputs: _Inputs, work: CompactionWork) -> None:
        self._inputs = inputs
        self._bytes_per_s = work.bytes_per_s
        self._merge = Merge(inputs.store_files, work.options, inputs.cache)
        self.image: HFileImage | None = None
        """Once all pieces are out; only its statistics are whole."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """The output; no piece at all if no cell is left."""
        loop = asyncio.get_running_loop()
        pace = Pace(self._bytes_per_s, loop.time())
        merge, gathered = self._merge, Pieces()
        while not merge.exhausted:
            await self._inputs.step(merge)
            piece = gathered.add(merge.drain())
            if piece:
                yield piece
                await asyncio.sleep(pace.delay_s(len(piece), loop.time()))
        self.image = merge.finish()
        if self.image.stats.entries:
            yield gathered.rest() + self.image.data
