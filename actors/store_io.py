"""A region's files: manifests read and committed, store files opened, written and fetched.

The object store is asked first and never believed alone: whatever it does not have is read
from the file, and if the file was archived meanwhile, from its archive path.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..config import StoreConfig
from ..errors import BlockMiss, CorruptionError, FencedError, ObjectLostError
from ..model import RegionInfo
from ..runtime import Buffer, FileSystem, Objects, Runtime
from ..storage.block_cache import BlockCache
from ..storage.hfile.reader import HFileReader
from ..storage.manifest import (
    MANIFESTS,
    Manifest,
    StoreFileEntry,
    manifest_directory,
    manifest_path,
    region_directory,
)
from .messages import HandedFile

log = logging.getLogger(__name__)

ARCHIVE: Final = "archive"
RECOVERED_EDITS: Final = "recovered.edits"
"""Name of the directory, in a region's, of edits that only a dead server's log had."""
READ_ATTEMPTS: Final = 3
"""A read that fails is tried again, for it changes nothing."""
_VERSIONS_KEPT: Final = 16
"""Old manifest versions that stay, for who has listed them and not read yet."""


def recovered_sequence_id(name: str) -> int:
    """The highest sequence id in a file of recovered edits, which its name begins with."""
    return int(name.partition("-")[0])


def archive_path(path: str) -> str:
    """Where a store file goes when its region needs it no more."""
    return f"{ARCHIVE}/{path}"


async def load_manifest(files: FileSystem, region: RegionInfo) -> Manifest | None:
    """The newest version; None if the region has none. Raises CorruptionError, OSError."""
    return await load_manifest_in(files, region_directory(region))


async def load_manifest_in(files: FileSystem, region_path: str) -> Manifest | None:
    """As load_manifest, for a region known by its directory."""
    directory = f"{region_path}/{MANIFESTS}"
    while True:
        names = await files.list(directory)
        if not names:
            return None
        path = f"{directory}/{names[-1]}"
        try:
            return Manifest.decode(path, await read_file(files, path))
        except FileNotFoundError:
            # Pruned between list and read, so there is a newer one now.
            continue


async def put_manifest(files: FileSystem, manifest: Manifest, *, together: bool = False) -> bool:
    """Commits a version; False: another writer was first, and the region is the other's.

    A version that is there with these very bytes is an earlier try of ours whose answer was
    lost. A success counts only if no higher version exists: old versions are pruned, so a
    writer that slept for long may find its number free again. ``together`` is put_if_absent's.

    That a file half made is gone says nothing of who has the region: the owner of before removes
    what it finds, if it slept through the loss of it. So it is made again.
    """
    data = manifest.encode()
    path = manifest_path(manifest.region, manifest.version)
    for attempt in range(1, READ_ATTEMPTS + 1):
        try:
            made = await files.put_if_absent(path, data, together=together)
            if not made and not await _has(files, path, data):
                return False
            names = await files.list(manifest_directory(manifest.region))
            return names[-1:] == [path.rpartition("/")[2]]
        except OSError:
            if attempt == READ_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def _has(files: FileSystem, path: str, data: bytes) -> bool:
    """Whether the version has these bytes; not if later ones have pruned it meanwhile."""
    try:
        return await files.read(path) == data
    except FileNotFoundError:
        return False


async def commit_manifest(files: FileSystem, manifest: Manifest) -> None:
    """Commits a version of a region this process owns. Raises FencedError if it lost it."""
    if not await put_manifest(files, manifest):
        raise FencedError(
            f"region {manifest.region.encoded_name}: manifest {manifest.version} is another's"
        )
    if manifest.version % _VERSIONS_KEPT == 0:
        await prune_manifests(files, manifest)


async def prune_manifests(files: FileSystem, manifest: Manifest) -> None:
    """Removes versions long before this one, which its writer has committed."""
    try:
        await _prune(files, manifest)
    except OSError as error:
        # The commit stands; the next round removes what this one left.
        log.warning("old manifests of %s stay: %s", manifest.region, error)


async def _prune(files: FileSystem, manifest: Manifest) -> None:
    directory = manifest_directory(manifest.region)
    limit = manifest_path(manifest.region, max(manifest.version - _VERSIONS_KEPT, 0))
    for name in await files.list(directory):
        if f"{directory}/{name}" < limit:
            await files.remove(f"{directory}/{name}")


async def read_file(
    files: FileSystem, path: str, offset: int = 0, length: int | None = None
) -> bytes:
    """Reads, again after a passing failure. Raises FileNotFoundError, OSError."""
    for attempt in range(1, READ_ATTEMPTS + 1):
        try:
            return await files.read(path, offset, length)
        except FileNotFoundError:
            raise
        except OSError:
            if attempt == READ_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


async def read_store_file(
    files: FileSystem, path: str, offset: int = 0, length: int | None = None
) -> bytes:
    """Reads from a store file where it was or where it was archived."""
    try:
        return await read_file(files, path, offset, length)
    except FileNotFoundError:
        return await read_file(files, archive_path(path), offset, length)


async def open_reader(
    files: FileSystem, path: str, size: int, image: memoryview | None = None
) -> HFileReader:
    """A reader with the file's load-on-open part; with an image no file is touched."""
    offset, length = HFileReader.tail_range(size)
    while True:
        if image is not None:
            tail: Buffer = image[offset : offset + length]
        else:
            tail = await read_store_file(files, path, offset, length)
        if len(tail) != length:
            raise CorruptionError(path, offset, f"the file ends {length - len(tail)} bytes early")
        try:
            reader = HFileReader.from_tail(path, size, bytes(tail))
            break
        except BlockMiss as miss:
            length += offset - miss.offset
            offset = miss.offset
    if image is not None:
        reader.attach_image(image)
    return reader


@dataclass(slots=True)
class StoreCounters:
    """Sums since the process began."""

    object_reads: int = 0
    """Store files taken from the object store."""
    file_reads: int = 0
    """Store files opened from the file system."""
    block_fetches: int = 0
    objects_lost: int = 0
    objects_dropped: int = 0


class Handoff:
    """References to the objects of files this server wrote, under a limit of bytes.

    Dropping a reference costs the next reader a read of the file, nothing else.
    """

    def __init__(self, objects: Objects, bytes_max: int, counters: StoreCounters) -> None:
        self._objects = objects
        self._bytes_max = bytes_max
        self._counters = counters
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self.bytes = 0
        self.changes = 0

    async def put(self, path: str, data: Buffer) -> None:
        """Hands the file's bytes to the object store, if it takes them."""
        size = len(data)
        if size > self._bytes_max:
            return
        try:
            reference = await self._objects.put(data)
        except ObjectLostError:
            self._counters.objects_lost += 1
            return
        self.drop(path)
        self._held[path] = (reference, size)
        self.changes += 1
        self.bytes += size
        while self.bytes > self._bytes_max:
            self.drop(next(iter(self._held)))
            self._counters.objects_dropped += 1

    def drop(self, path: str) -> None:
        _, size = self._held.pop(path, (None, 0))
        self.changes += 1
        self.bytes -= size

    def __contains__(self, path: str) -> bool:
        return path in self._held

    def of(self, paths: Iterable[str]) -> tuple[HandedFile, ...]:
        """References for those of the files that are held."""
        found = []
        for path in dict.fromkeys(paths):
            held = self._held.get(path)
            if held is not None:
                found.append(HandedFile(path, held[0]))
        return tuple(found)


class AttachedImages:
    """Files read from the object store, within a limit: an image in use pins its object there.

    The reader that had its image longest goes back to its file first.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._readers: deque[HFileReader] = deque()
        self._paths: Counter[str] = Counter()
        self.bytes = 0
        self.changes = 0

    def __contains__(self, path: str) -> bool:
        return self._paths[path] > 0

    def add(self, reader: HFileReader) -> None:
        self._readers.append(reader)
        self._paths[reader.path] += 1
        self.changes += 1
        self.bytes += reader.size
        while self.bytes > self._bytes_max:
            oldest = self._readers.popleft()
            self._paths -= Counter([oldest.path])
            self.bytes -= oldest.size
            oldest.detach_image()


@dataclass(slots=True)
class StoreIO:
    """What all regions of one server share in reading and writing store files."""

    runtime: Runtime
    config: StoreConfig
    cache: BlockCache
    handoff: Handoff
    images: AttachedImages
    counters: StoreCounters
    _fetches: dict[tuple[str, int], asyncio.Task[bytes]] = field(default_factory=dict)

    @classmethod
    def create(cls, runtime: Runtime, config: StoreConfig, handoff_bytes_max: int) -> StoreIO:
        counters = StoreCounters()
        return cls(
            runtime,
            config,
            BlockCache(config.block_cache_bytes, config.block_cache_l2_bytes),
            Handoff(runtime.objects, handoff_bytes_max, counters),
            AttachedImages(handoff_bytes_max),
            counters,
        )

    def is_at_hand(self, path: str) -> bool:
        """Whether the file is in the object store of this node, as far as this process knows."""
        return path in self.handoff or path in self.images

    @property
    def at_hand_changes(self) -> int:
        """Grows whenever ``is_at_hand`` may have another answer for some file."""
        return self.handoff.changes + self.images.changes

    async def open_readers(
        self, entries: Sequence[StoreFileEntry], handed: Sequence[HandedFile] = ()
    ) -> dict[str, HFileReader]:
        """A reader for every file named, by path; handed objects first.

        Raises CorruptionError, FileNotFoundError, OSError.
        """
        references = {one.path: one.reference for one in self.handoff.of(e.path for e in entries)}
        references.update((one.path, one.reference) for one in handed)
        sizes = {entry.path: entry.size for entry in entries}
        readers = await asyncio.gather(
            *(self.open_reader(path, size, references) for path, size in sizes.items())
        )
        return {reader.path: reader for reader in readers}

    async def open_reader(self, path: str, size: int, references: Mapping[str, Any]) -> HFileReader:
        image = None
        if path in references:
            image = await self._image(path, size, references[path])
        reader = await open_reader(self.runtime.files, path, size, image)
        if image is None:
            self.counters.file_reads += 1
        else:
            self.images.add(reader)
        return reader

    async def _image(self, path: str, size: int, reference: Any) -> memoryview | None:
        try:
            image = memoryview(await self.runtime.objects.get(reference)).cast("B")
        except ObjectLostError:
            self.counters.objects_lost += 1
            return None
        if len(image) != size:
            raise CorruptionError(path, 0, f"the object has {len(image)} bytes, not {size}")
        self.counters.object_reads += 1
        return image

    async def fetch(self, miss: BlockMiss, reader: HFileReader) -> None:
        """Brings a missed block into the cache; readers that miss it together share the read."""
        key = (miss.path, miss.offset)
        task = self._fetches.get(key)
        if task is None:
            self.counters.block_fetches += 1
            task = asyncio.create_task(
                read_store_file(self.runtime.files, miss.path, miss.offset, miss.length)
            )
            self._fetches[key] = task
            task.add_done_callback(lambda _: self._fetches.pop(key, None))
        data = await asyncio.shield(task)
        reader.admit(miss.offset, data, self.cache, keep=miss.keep)
