"""runtime.FileSystem over a simulated disk: slow, failing, full, shared by all processes.

An operation is the same series of calls as in actors/posix.py, with time between them, so a
process can die or stand still half-way; what it had written stays in the page cache (``Disk``)
until the power goes off.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from typing import Final

from ..actors.io_counters import IoCounters
from ..actors.posix import FENCED
from ..actors.shortage import lacks_room
from ..errors import DiskFullError, FencedError, SyncFailedError
from ..runtime import Buffer
from .disk import DirectoryNode, Disk, FileNode
from .process import SimProcess

_TEMPORARY: Final = ".tmp-"
_SYNC_S: Final = (0.0001, 0.001)
_CACHE_S: Final = (0.00001, 0.0001)
_SECOND_S: Final = (0.0001, 0.002)
"""Operations off the loop."""


class LockTable:
    """Who holds which lock file."""

    def __init__(self) -> None:
        self.holders: dict[str, SimProcess] = {}


class SimFiles:
    """The root as one process sees it. ``counters`` as in actors.posix.PosixFiles."""

    def __init__(self, process: SimProcess, disk: Disk, locks: LockTable) -> None:
        self.process = process
        self._world = process.world
        self._random = process.world.stream(f"files {process.name} {process.life}")
        self.disk = disk
        self._locks = locks
        self._temporaries = 0
        self.counters = IoCounters()

    async def create_log(self, path: str) -> SimLog:
        _check(path)
        directory = os.path.dirname(path)
        if self.is_fenced(directory):
            raise FencedError(f"{directory} is fenced")
        await self.takes(_SYNC_S, "create")
        self.disk.make_directories(directory)
        node = self.disk.create(path)
        self.trace(f"create log {path}")
        await self.takes(_SYNC_S, "syncdir")
        self.disk.sync_directory(directory)
        await self.process.failpoint("done")
        log = SimLog(self, path, node)
        await log.check()
        return log

    async def fence(self, directory: str) -> None:
        _check(directory)
        await self.takes(_SYNC_S, "create")
        self.disk.make_directories(directory)
        marker = f"{directory}/{FENCED}"
        if self.disk.find(marker) is None:
            self.disk.create(marker)
        self.trace(f"fence {directory}")
        await self.takes(_SYNC_S, "syncdir")
        self.disk.sync_directory(directory)
        await self.process.failpoint("done")

    async def put_if_absent(self, path: str, data: Buffer, *, together: bool = False) -> bool:
        _check(path)
        directory = os.path.dirname(path)
        temporary = None
        if self.disk.find(path) is None:
            temporary = await self._write_temporary(directory, [data])
        made = False
        if temporary is not None:
            if self.disk.find(path) is None:
                self.disk.link(temporary, path)
                made = True
            self.disk.unlink(temporary)
        await self.takes(_SYNC_S, "syncdir")
        # Also if it was there: its maker may have died before this.
        self.disk.sync_directory(directory)
        self.trace(f"put {path} {len(data)} {'made' if made else 'present'}")
        if made:
            self.counters.wrote(path, len(data), synced=True)
        await self.process.failpoint("done")
        return made

    async def write(self, path: str, parts: Sequence[Buffer]) -> None:
        _check(path)
        temporary = await self._write_temporary(os.path.dirname(path), parts)
        self.disk.rename(temporary, path)
        await self.takes(_SYNC_S, "syncdir")
        self.disk.sync_directory(os.path.dirname(path))
        size = sum(map(len, parts))
        self.trace(f"write {path} {size}")
        self.counters.wrote(path, size, synced=True)
        await self.process.failpoint("done")

    async def write_stream(self, path: str, parts: AsyncIterator[Buffer]) -> None:
        await self.write(path, [part async for part in parts])

    async def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        _check(path)
        self.disk.file(path)
        await self.takes(_CACHE_S if length is not None else _SECOND_S)
        if self._random.random() < self._world.faults.read_failed:
            self._world.counts["reads failed"] += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        self.disk.reads(path)
        node = self.disk.file(path)
        stop = len(node.data) if length is None else offset + length
        data = bytes(memoryview(node.data)[offset:stop])
        self.counters.read(path, len(data))
        return data

    async def size(self, path: str) -> int:
        _check(path)
        return len(self.disk.file(path).data)

    async def exists(self, path: str) -> bool:
        _check(path)
        return self.disk.find(path) is not None

    async def list(self, directory: str) -> list[str]:
        _check(directory)
        return [one for one in self.disk.list(directory) if not one.startswith(_TEMPORARY)]

    async def remove_unfinished(self, directory: str) -> int:
        _check(directory)
        left = [one for one in self.disk.list(directory) if one.startswith(_TEMPORARY)]
        for name in left:
            self.disk.unlink(f"{directory}/{name}")
            self.trace(f"remove {directory}/{name}")
        return len(left)

    async def rename(self, source: str, target: str) -> None:
        _check(source)
        _check(target)
        await self.takes(_CACHE_S, "rename")
        if self.disk.find(source) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
        self.disk.make_directories(os.path.dirname(target))
        self.disk.rename(source, target)
        self.trace(f"rename {source} {target}")
        await self.takes(_SYNC_S, "syncdir")
        self.disk.sync_directory(os.path.dirname(target))
        if os.path.dirname(source) != os.path.dirname(target):
            await self.takes(_SYNC_S, "syncdir")
            self._sync_if_there(os.path.dirname(source))
        await self.process.failpoint("done")

    async def remove(self, path: str) -> None:
        _check(path)
        await self.takes(_CACHE_S, "unlink")
        node = self.disk.find(path)
        if node is None:
            return
        self.trace(f"remove {path}")
        if isinstance(node, DirectoryNode):
            # Another process may be removing, too, or making a file inside.
            while files := [name for name, _ in self.disk.walk(path)]:
                for name in files[: len(files) // 2 + 1]:
                    self.disk.unlink(name)
                await self.takes(_CACHE_S, "unlink")
            self._remove_empty(path)
        elif self.disk.find(path) is not None:
            self.disk.unlink(path)
        await self.takes(_SYNC_S, "syncdir")
        self._sync_if_there(os.path.dirname(path))
        await self.process.failpoint("done")

    async def try_lock(self, path: str) -> bool:
        _check(path)
        holder = self._locks.holders.get(path)
        if holder is not None and holder.alive and holder is not self.process:
            return False
        self._locks.holders[path] = self.process
        if self.disk.find(path) is None:
            self.disk.make_directories(os.path.dirname(path))
            self.disk.create(path)
        return True

    # Shared with SimLog.

    def is_fenced(self, directory: str) -> bool:
        return self.disk.find(f"{directory}/{FENCED}") is not None

    def trace(self, text: str) -> None:
        self._world.trace.add(f"{self.process.name} {text}")

    def happens(self, rate: float, what: str) -> bool:
        """Whether a fault of this rate strikes now; counted if so."""
        if rate and self._random.random() < rate:
            self._world.counts[what] += 1
            return True
        return False

    async def takes(
        self, between_s: tuple[float, float], effect: str = "", slow: float = 0.0
    ) -> None:
        """Time passes before an ``effect``, often much of it if that is ``slow``; a process that
        is dead gets no further."""
        if effect:
            await self.process.failpoint(effect)
        elif not self.process.alive:
            await self.process.never()
        delay_s = self._random.uniform(*between_s)
        faults = self._world.faults
        if self.happens(max(faults.disk_slow, slow), "slow file operations"):
            delay_s += self._random.uniform(0, faults.disk_slow_s)
        await self.process.sleep(delay_s)

    @property
    def log_slow(self) -> float:
        return self._world.faults.log_slow

    @property
    def faults_write_late(self) -> bool:
        return self.happens(self._world.faults.write_late, "late writes")

    @property
    def faults_sync(self) -> bool:
        return self.happens(self._world.faults.sync_failed, "syncs failed")

    async def _write_temporary(self, directory: str, parts: Sequence[Buffer]) -> str:
        await self.process.failpoint("create")
        self._temporaries += 1
        name = f"{_TEMPORARY}{self.process.name}-{self.process.life}-{self._temporaries}"
        temporary = f"{directory}/{name}" if directory else name
        self.disk.make_directories(directory)
        node = self.disk.create(temporary)
        try:
            for number, part in enumerate(parts):
                self.disk.append(temporary, node, part)
                if number % 64 == 0:
                    await self.takes(_CACHE_S)
            await self.takes(_SYNC_S, "sync")
            if self.happens(self._world.faults.write_failed, "writes failed") or self.faults_sync:
                raise OSError(errno.EIO, os.strerror(errno.EIO), temporary)
        except OSError:
            self.disk.unlink(temporary)
            raise
        self.disk.sync(temporary, node)
        return temporary

    def _sync_if_there(self, directory: str) -> None:
        if isinstance(self.disk.find(directory), DirectoryNode):
            self.disk.sync_directory(directory)

    def _remove_empty(self, path: str) -> None:
        node = self.disk.find(path)
        if isinstance(node, DirectoryNode):
            for name in sorted(node.entries):
                self._remove_empty(f"{path}/{name}")
            if not node.entries:
                self.disk.unlink(path)


class SimLog:
    """runtime.AppendLog on the simulated disk: one append at a time, in the order asked."""

    def __init__(self, files: SimFiles, path: str, node: FileNode) -> None:
        self._files = files
        self._path = path
        self._node = node
        self._directory = os.path.dirname(path)
        self._length = 0
        self._broken = False
        self._unwritten = b""
        self._turn = asyncio.Lock()

    @property
    def path(self) -> str:
        return self._path

    async def append(self, data: Buffer, *, sync: bool = True) -> int:
        async with self._turn:
            if self._broken:
                raise SyncFailedError(f"log {self._path} failed before or is closed")
            data = b"".join((self._unwritten, data))
            length = len(self._node.data)
            try:
                await self._write(data, sync=sync)
            except OSError as error:
                written = len(self._node.data) - length
                if written < len(data) and lacks_room(error):
                    self._length += written
                    self._unwritten = data[written:]
                    raise DiskFullError(f"no room for {self._path}: {error}") from error
                self._broken = True
                raise SyncFailedError(f"cannot append to {self._path}: {error}") from error
            self._unwritten = b""
            await self._files.process.failpoint("done")
            self._test_fence()
            self._length += len(data)
            self._files.counters.wrote(self._path, len(data), synced=sync)
            self._files.trace(f"append {self._path} {len(data)}")
            return self._length

    async def _write(self, data: Buffer, *, sync: bool) -> None:
        files = self._files
        late = files.faults_write_late
        await files.process.failpoint("write")
        if not late:
            files.disk.append(self._path, self._node, data)
        between_s, effect = (_SYNC_S, "sync") if sync else (_CACHE_S, "")
        await files.takes(between_s, effect, files.log_slow)
        if late:
            files.disk.append(self._path, self._node, data)
        if sync:
            if files.faults_sync:
                self._node.sync_lost = True
                raise OSError(errno.EIO, os.strerror(errno.EIO), self._path)
            files.disk.sync(self._path, self._node)

    async def check(self) -> None:
        self._test_fence()

    async def close(self) -> None:
        self._broken = True

    def _test_fence(self) -> None:
        files = self._files
        gone = files.disk.find(self._path) is not self._node
        if gone or files.is_fenced(self._directory):
            raise FencedError(f"log {self._path} is fenced")


def _check(path: str) -> None:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"not a path below the root: {path!r}")
