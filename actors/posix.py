"""The root as a directory: HBase's HDFS replaced by POSIX calls.

Fencing without clocks: an append writes, syncs and *then* looks for the FENCED file in the
log's directory; a fence makes that file and syncs the directory. So an append either returned
before the fence was durable, and its bytes are in the file for whoever reads next, or it
raises. A log that is no longer at its path counts as fenced, too: recovery archived it.

Needs a file system on which a name made by one node is seen by the others at once.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import secrets
import shutil
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, runtime_checkable

from ..errors import FencedError, SyncFailedError
from ..runtime import Buffer

FENCED: Final = "FENCED"
_TEMPORARY: Final = ".tmp-"
_INLINE_BYTES: Final = 256 * 1024
"""Reads up to this are tried on the loop, for what is in the page cache costs 20 us there."""
_NOWAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)
_PATHS_COUNTED: Final = 4096
_PARTS_MAX: Final = 512
"""Below every system's IOV_MAX."""

T = TypeVar("T")


@dataclass(slots=True)
class PathCounters:
    """Calls on one file."""

    reads: int = 0
    read_bytes: int = 0
    writes: int = 0
    written_bytes: int = 0
    syncs: int = 0


@dataclass(slots=True)
class IoCounters:
    """What this process asked of the file system: sums, and per path for the latest paths."""

    total: PathCounters = field(default_factory=PathCounters)
    by_path: OrderedDict[str, PathCounters] = field(default_factory=OrderedDict)

    def path(self, path: str) -> PathCounters:
        counters = self.by_path.get(path)
        if counters is None:
            counters = self.by_path[path] = PathCounters()
            if len(self.by_path) > _PATHS_COUNTED:
                self.by_path.popitem(last=False)
        return counters

    def read(self, path: str, length: int) -> None:
        for counters in (self.total, self.path(path)):
            counters.reads += 1
            counters.read_bytes += length

    def wrote(self, path: str, length: int, *, synced: bool) -> None:
        for counters in (self.total, self.path(path)):
            counters.writes += 1
            counters.written_bytes += length
            counters.syncs += synced


@runtime_checkable
class CountingFiles(Protocol):
    """A file system that knows what it was asked."""

    @property
    def counters(self) -> IoCounters: ...


class PosixLog:
    """An append-only file; see runtime.AppendLog for the promises.

    Everything happens on the calling thread: beside a busy loop a thread would wait longer
    for the interpreter than the disk takes.
    """

    def __init__(self, path: str, absolute: str, descriptor: int, counters: IoCounters) -> None:
        self._path = path
        self._absolute = absolute
        self._fence = os.path.join(os.path.dirname(absolute), FENCED)
        self._descriptor = descriptor
        self._length = 0
        self._failed = False
        self._counters = counters

    @property
    def path(self) -> str:
        return self._path

    async def append(self, data: Buffer, *, sync: bool = True) -> int:
        if self._failed or self._descriptor < 0:
            raise SyncFailedError(f"log {self._path} failed before or is closed")
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if sync:
                _sync_data(self._descriptor)
        except OSError as error:
            self._failed = True
            raise SyncFailedError(f"cannot append to {self._path}: {error}") from error
        self._test_fence()
        self._length += len(data)
        self._counters.wrote(self._path, len(data), synced=sync)
        return self._length

    async def check(self) -> None:
        self._test_fence()

    def _test_fence(self) -> None:
        if os.access(self._fence, os.F_OK) or not os.access(self._absolute, os.F_OK):
            raise FencedError(f"log {self._path} is fenced")

    async def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class PosixFiles:
    """runtime.FileSystem over a directory. ``counters`` are for tests and status."""

    def __init__(self, root: str, *, threads: int = 4) -> None:
        self._root = os.path.abspath(root)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="files")
        self._durable: set[str] = {self._root}
        self._locks: dict[str, int] = {}
        self.counters = IoCounters()

    @property
    def root(self) -> str:
        return self._root

    def close(self) -> None:
        """Ends the threads and gives the lock files up."""
        self._threads.shutdown(wait=True)
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    async def create_log(self, path: str) -> PosixLog:
        absolute = self._absolute(path)
        directory = os.path.dirname(absolute)
        if os.access(os.path.join(directory, FENCED), os.F_OK):
            raise FencedError(f"{os.path.dirname(path)} is fenced")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        descriptor = self._below(directory, lambda: os.open(absolute, flags, 0o644))
        log = PosixLog(path, absolute, descriptor, self.counters)
        try:
            _sync_directory(directory)
            await log.check()
        except BaseException:
            await log.close()
            raise
        return log

    async def fence(self, directory: str) -> None:
        absolute = self._absolute(directory)
        mark = os.path.join(absolute, FENCED)
        flags = os.O_WRONLY | os.O_CREAT
        descriptor = self._below(absolute, lambda: os.open(mark, flags, 0o644))
        try:
            _sync_file(descriptor)
        finally:
            os.close(descriptor)
        _sync_directory(absolute)

    async def put_if_absent(self, path: str, data: Buffer) -> bool:
        absolute = self._absolute(path)
        if os.access(absolute, os.F_OK):
            # Its maker may have died between the link and the sync of the directory.
            _sync_directory(os.path.dirname(absolute))
            return False
        if len(data) > _INLINE_BYTES:
            return await self._in_thread(lambda: self._put_if_absent(path, absolute, data))
        return self._put_if_absent(path, absolute, data)

    def _put_if_absent(self, path: str, absolute: str, data: Buffer) -> bool:
        temporary = self._write_temporary(absolute, [data])
        try:
            os.link(temporary, absolute)
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)
            _sync_directory(os.path.dirname(absolute))
        self.counters.wrote(path, len(data), synced=True)
        return True

    async def write(self, path: str, parts: Sequence[Buffer]) -> None:
        absolute = self._absolute(path)

        def work() -> None:
            temporary = self._write_temporary(absolute, parts)
            os.replace(temporary, absolute)
            _sync_directory(os.path.dirname(absolute))

        await self._in_thread(work)
        self.counters.wrote(path, sum(map(len, parts)), synced=True)

    async def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        absolute = self._absolute(path)
        data = None
        if length is not None and length <= _INLINE_BYTES and _NOWAIT:
            data = _read_if_cached(absolute, offset, length)
        if data is None:
            data = await self._in_thread(lambda: _read(absolute, offset, length))
        self.counters.read(path, len(data))
        return data

    async def size(self, path: str) -> int:
        return os.stat(self._absolute(path)).st_size

    async def exists(self, path: str) -> bool:
        return os.path.exists(self._absolute(path))

    async def list(self, directory: str) -> list[str]:
        try:
            names = os.listdir(self._absolute(directory))
        except FileNotFoundError:
            return []
        return sorted(name for name in names if not name.startswith(_TEMPORARY))

    async def rename(self, source: str, target: str) -> None:
        old, new = self._absolute(source), self._absolute(target)
        if not os.path.exists(old):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
        self._below(os.path.dirname(new), lambda: os.rename(old, new))
        # The new name first: a crash between the two may leave both, never none.
        _sync_directory(os.path.dirname(new))
        _sync_directory(os.path.dirname(old))

    async def remove(self, path: str) -> None:
        absolute = self._absolute(path)

        def work() -> None:
            try:
                os.unlink(absolute)
            except FileNotFoundError:
                return
            except (IsADirectoryError, PermissionError):
                shutil.rmtree(absolute, ignore_errors=False)
            _sync_directory(os.path.dirname(absolute))

        self._durable = {
            one for one in self._durable if one != absolute and not one.startswith(absolute + "/")
        }
        await self._in_thread(work)

    async def try_lock(self, path: str) -> bool:
        absolute = self._absolute(path)
        if absolute in self._locks:
            return True
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = self._below(os.path.dirname(absolute), lambda: os.open(absolute, flags, 0o644))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._locks[absolute] = descriptor
        return True

    def _absolute(self, path: str) -> str:
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"not a path below the root: {path!r}")
        return os.path.join(self._root, path) if path else self._root

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _write_temporary(self, absolute: str, parts: Sequence[Buffer]) -> str:
        directory = os.path.dirname(absolute)
        temporary = os.path.join(directory, _TEMPORARY + secrets.token_hex(8))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = self._below(directory, lambda: os.open(temporary, flags, 0o644))
        try:
            _write_all(descriptor, parts)
            _sync_file(descriptor)
        except OSError:
            os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
        return temporary

    def _below(self, directory: str, action: Callable[[], T]) -> T:
        """What ``action`` returns, done once the directory is there and its name durable."""
        self._make_durable(directory)
        try:
            return action()
        except FileNotFoundError:
            # Another process removed a directory that this one had made before.
            self._durable = {self._root}
            self._make_durable(directory)
            return action()

    def _make_durable(self, directory: str) -> None:
        """A directory that another process is making is synced here, too: its maker may die
        before it gets that far."""
        missing = []
        while directory not in self._durable and len(directory) > len(self._root):
            missing.append(directory)
            directory = os.path.dirname(directory)
        for one in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(one)
            _sync_directory(os.path.dirname(one))
        self._durable.update(missing)


if sys.platform == "darwin":

    def _sync_file(descriptor: int) -> None:
        """macOS's fsync leaves the bytes in the drive's cache."""
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)

    _sync_data = _sync_file
else:

    def _sync_file(descriptor: int) -> None:
        os.fsync(descriptor)

    def _sync_data(descriptor: int) -> None:
        os.fdatasync(descriptor)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync_file(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, parts: Sequence[Buffer]) -> None:
    for first in range(0, len(parts), _PARTS_MAX):
        some = [memoryview(part).cast("B") for part in parts[first : first + _PARTS_MAX]]
        while some:
            written = os.writev(descriptor, some)
            while some and written >= len(some[0]):
                written -= len(some.pop(0))
            if some:
                some[0] = some[0][written:]


def _read_if_cached(absolute: str, offset: int, length: int) -> bytes | None:
    """The bytes if the page cache has all of them; None: ask the disk, off the loop."""
    descriptor = os.open(absolute, os.O_RDONLY | os.O_CLOEXEC)
    try:
        buffer = bytearray(length)
        count = os.preadv(descriptor, [buffer], offset, _NOWAIT)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            return None
        raise
    finally:
        os.close(descriptor)
    return bytes(buffer) if count == length else None


def _read(absolute: str, offset: int, length: int | None) -> bytes:
    with open(absolute, "rb", buffering=0) as file:
        if length is None:
            length = max(os.fstat(file.fileno()).st_size - offset, 0)
        parts = []
        while length > 0:
            part = os.pread(file.fileno(), length, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
