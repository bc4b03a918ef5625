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
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from ..errors import DiskFullError, FencedError, SyncFailedError
from ..runtime import Buffer
from .io_counters import IoCounters
from .posix_calls import (
    NOWAIT,
    read_if_cached,
    read_range,
    sync_data,
    sync_directory,
    sync_file,
    write_all,
)
from .shortage import lacks_room

FENCED: Final = "FENCED"
_TEMPORARY: Final = ".tmp-"
_INLINE_BYTES: Final = 256 * 1024
"""Reads up to this are tried on the loop, for what is in the page cache costs 20 us there."""

T = TypeVar("T")


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
        self._unwritten = b""
        self._counters = counters

    @property
    def path(self) -> str:
        return self._path

    async def append(self, data: Buffer, *, sync: bool = True) -> int:
        if self._failed or self._descriptor < 0:
            raise SyncFailedError(f"log {self._path} failed before or is closed")
        if self._unwritten:
            data = b"".join((self._unwritten, data))
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            if sync:
                sync_data(self._descriptor)
        except OSError as error:
            if rest and lacks_room(error):
                self._length += len(data) - len(rest)
                self._unwritten = bytes(rest)
                raise DiskFullError(f"no room for {self._path}: {error}") from error
            self._failed = True
            raise SyncFailedError(f"cannot append to {self._path}: {error}") from error
        self._unwritten = b""
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
            sync_directory(directory)
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
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(absolute)

    async def put_if_absent(self, path: str, data: Buffer, *, together: bool = False) -> bool:
        absolute = self._absolute(path)
        if os.access(absolute, os.F_OK):
            # Its maker may have died between the link and the sync of the directory.
            sync_directory(os.path.dirname(absolute))
            return False
        if together or len(data) > _INLINE_BYTES:
            return await self._in_thread(lambda: self._put_if_absent(path, absolute, data))
        return self._put_if_absent(path, absolute, data)

    def _put_if_absent(self, path: str, absolute: str, data: Buffer) -> bool:
        temporary = self._write_temporary(absolute, [data])
        try:
            os.link(temporary, absolute)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):  # The next owner has tidied up already.
                os.unlink(temporary)
            sync_directory(os.path.dirname(absolute))
        self.counters.wrote(path, len(data), synced=True)
        return True

    async def write(self, path: str, parts: Sequence[Buffer]) -> None:
        absolute = self._absolute(path)

        def work() -> None:
            temporary = self._write_temporary(absolute, parts)
            _replace(temporary, absolute)

        await self._in_thread(work)
        self.counters.wrote(path, sum(map(len, parts)), synced=True)

    async def write_stream(self, path: str, parts: AsyncIterator[Buffer]) -> None:
        absolute = self._absolute(path)
        temporary, descriptor = await self._in_thread(lambda: self._create_temporary(absolute))
        size = 0
        try:
            try:
                async for part in parts:
                    await self._to_its_end(partial(write_all, descriptor, [part]))
                    size += len(part)
                await self._to_its_end(partial(sync_file, descriptor))
            finally:
                os.close(descriptor)
            await self._in_thread(lambda: _replace(temporary, absolute))
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        self.counters.wrote(path, size, synced=True)

    async def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        absolute = self._absolute(path)
        data = None
        if length is not None and length <= _INLINE_BYTES and NOWAIT:
            data = read_if_cached(absolute, offset, length)
        if data is None:
            data = await self._in_thread(lambda: read_range(absolute, offset, length))
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

    async def remove_unfinished(self, directory: str) -> int:
        absolute = self._absolute(directory)
        try:
            names = os.listdir(absolute)
        except (FileNotFoundError, NotADirectoryError):
            return 0
        left = [name for name in names if name.startswith(_TEMPORARY)]
        for name in left:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(absolute, name))
        return len(left)

    async def rename(self, source: str, target: str) -> None:
        old, new = self._absolute(source), self._absolute(target)
        if not os.path.exists(old):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
        self._below(os.path.dirname(new), lambda: os.rename(old, new))
        # The new name first: a crash between the two may leave both, never none.
        sync_directory(os.path.dirname(new))
        sync_directory(os.path.dirname(old))

    async def remove(self, path: str) -> None:
        absolute = self._absolute(path)

        def work() -> None:
            try:
                os.unlink(absolute)
            except FileNotFoundError:
                return
            except (IsADirectoryError, PermissionError):
                shutil.rmtree(absolute, ignore_errors=False)
            sync_directory(os.path.dirname(absolute))

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

    async def _to_its_end(self, work: Callable[[], None]) -> None:
        """Work with a descriptor, which must not be closed before the thread is through."""
        running = asyncio.ensure_future(self._in_thread(work))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.gather(running, return_exceptions=True)
            raise

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _write_temporary(self, absolute: str, parts: Sequence[Buffer]) -> str:
        temporary, descriptor = self._create_temporary(absolute)
        try:
            write_all(descriptor, parts)
            sync_file(descriptor)
        except OSError:
            os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
        return temporary

    def _create_temporary(self, absolute: str) -> tuple[str, int]:
        """An empty file beside the one to be, and its descriptor."""
        directory = os.path.dirname(absolute)
        temporary = os.path.join(directory, _TEMPORARY + secrets.token_hex(8))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        return temporary, self._below(directory, lambda: os.open(temporary, flags, 0o644))

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
        before it gets that far. One that is not empty has its name on disk: whoever puts
        something into a directory has come through here with it before."""
        missing = []
        while directory not in self._durable and len(directory) > len(self._root):
            if _has_entries(directory):
                self._durable.add(directory)
                break
            missing.append(directory)
            directory = os.path.dirname(directory)
        for one in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(one)
            sync_directory(os.path.dirname(one))
        self._durable.update(missing)


def _has_entries(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return any(True for _ in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _replace(temporary: str, absolute: str) -> None:
    os.replace(temporary, absolute)
    sync_directory(os.path.dirname(absolute))
