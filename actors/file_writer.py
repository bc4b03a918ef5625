"""Store files made from a region's memstores: durable, and handed on.

A flush needs memory for a piece of its file, the file's index and, while the file may go to
the object store, for OBJECT_BYTES_MAX of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from ..config import MIB
from ..errors import StorageError
from ..model import RegionInfo
from ..runtime import Entropy
from ..storage.flush import FlushPlan
from ..storage.hfile import HFileImage, HFileWriter
from ..storage.manifest import Manifest, family_directory
from ..storage.region import Region
from ..storage.store_file import StoreFile, entry_of
from .file_pieces import Pieces, write_pieces
from .region_services import RegionServices
from .store_io import open_reader

_FILE_ID_BITS: Final = 128
OBJECT_BYTES_MAX: Final = 64 * MIB
"""Larger files are not kept in memory for the object store: whoever needs one reads it."""


NewPath = Callable[[bytes], str]
"""Family -> a path no file ever had."""


class FilesInWork:
    """The files of a region that its owner is making, and that a manifest of it may name yet."""

    def __init__(self, info: RegionInfo, entropy: Entropy) -> None:
        self._info = info
        self._entropy = entropy
        self._paths: dict[str, None] = {}

    @contextmanager
    def begun(self) -> Iterator[NewPath]:
        """Inside the block files are made and committed at paths given by what it yields."""
        paths: list[str] = []

        def new_path(family: bytes) -> str:
            name = f"{self._entropy.integer(_FILE_ID_BITS):032x}"
            paths.append(f"{family_directory(self._info, family)}/{name}")
            self._paths[paths[-1]] = None
            return paths[-1]

        try:
            yield new_path
        finally:
            for path in paths:
                del self._paths[path]

    def unneeded(self, manifest: Manifest, paths: Iterable[str]) -> list[str]:
        """Those that neither ``manifest``, its owner's newest, nor a later one of it names."""
        named = dict.fromkeys(manifest.paths)
        return [path for path in paths if path not in self._paths and path not in named]


async def write_plan(
    services: RegionServices,
    region: Region,
    plan: FlushPlan,
    new_path: NewPath,
    *,
    hand_on: bool = True,
) -> dict[bytes, StoreFile]:
    """A durable file, in no manifest yet, for every family of the plan that has cells worth
    keeping. With ``hand_on`` it goes into the object store as well.

    Gives way to the loop after every slice. Raises StorageError.
    """
    files = {}
    for family in plan.families:
        path = new_path(family)
        writing = _FlushedFile(services, region, plan, family)
        try:
            if await write_pieces(services.runtime.files, path, writing.pieces()):
                files[family] = await writing.opened(path, hand_on=hand_on)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error}") from error
    return files


class _FlushedFile:
    """One family's file on its way to disk, and to the object store if it is not too large."""

    def __init__(
        self, services: RegionServices, region: Region, plan: FlushPlan, family: bytes
    ) -> None:
        self._services = services
        self._plan = plan
        self._family = family
        self._writer = HFileWriter(region.stores[family].family, region.encoder)
        self._image: HFileImage | None = None
        self._kept: list[bytes] = []
        self._room = OBJECT_BYTES_MAX

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file; no piece at all if no cell is worth keeping."""
        clock = self._services.runtime.clock
        slice_s = self._services.config.region_server.slice_s
        gathered, writer = Pieces(), self._writer
        began_s = clock.monotonic_s()
        windows = 0
        for window in self._plan.slices(self._family):
            writer.append_window(window)
            windows += 1
            # One window more would make the slice too long.
            if (clock.monotonic_s() - began_s) * (windows + 1) >= slice_s * windows:
                await asyncio.sleep(0)
                began_s = clock.monotonic_s()
                windows = 0
            piece = gathered.add(writer.drain())
            if piece:
                yield self._keep(piece)
        self._image = writer.finish(
            max_sequence_id=self._plan.sequence_id, created_ms=clock.now_ms()
        )
        if self._image.stats.entries:
            yield self._keep(gathered.rest() + self._image.data)

    def _keep(self, piece: bytes) -> bytes:
        """Remembers the piece for the object store, or gives up on a file beyond its limit."""
        self._room -= len(piece)
        if self._room >= 0:
            self._kept.append(piece)
        else:
            self._kept.clear()
        return piece

    async def opened(self, path: str, *, hand_on: bool) -> StoreFile:
        """The file, which has been written. Raises OSError."""
        assert self._image is not None
        stats, io = self._image.stats, self._services.io
        data = memoryview(b"".join(self._kept)) if self._kept else None
        if data is not None and hand_on:
            await io.handoff.put(path, data)
        reader = await open_reader(self._services.runtime.files, path, stats.size, data)
        reader.detach_image()
        return StoreFile(entry_of(self._family, path, stats), reader)
