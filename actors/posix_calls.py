"""POSIX calls on whole files and directories: all of the bytes, durable, or OSError."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Sequence
from typing import Final

from ..runtime import Buffer

NOWAIT: Final[int] = getattr(os, "RWF_NOWAIT", 0)
PARTS_MAX: Final = 512
"""Below every system's IOV_MAX."""

if sys.platform == "darwin":

    def sync_file(descriptor: int) -> None:
        """macOS's fsync leaves the bytes in the drive's cache."""
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)

    sync_data = sync_file
else:

    def sync_file(descriptor: int) -> None:
        os.fsync(descriptor)

    def sync_data(descriptor: int) -> None:
        os.fdatasync(descriptor)


def sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, parts: Sequence[Buffer]) -> None:
    for first in range(0, len(parts), PARTS_MAX):
        some = [memoryview(part).cast("B") for part in parts[first : first + PARTS_MAX]]
        while some:
            written = os.writev(descriptor, some)
            while some and written >= len(some[0]):
                written -= len(some.pop(0))
            if some:
                some[0] = some[0][written:]


def read_if_cached(absolute: str, offset: int, length: int) -> bytes | None:
    """The bytes if the page cache has all of them; None: ask the disk, off the loop."""
    descriptor = os.open(absolute, os.O_RDONLY | os.O_CLOEXEC)
    try:
        buffer = bytearray(length)
        count = os.preadv(descriptor, [buffer], offset, NOWAIT)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            return None
        raise
    finally:
        os.close(descriptor)
    return bytes(buffer) if count == length else None


def read_range(absolute: str, offset: int, length: int | None) -> bytes:
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
