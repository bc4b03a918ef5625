"""What becomes of a dead server's logs: fenced, split by region, and put away."""

from __future__ import annotations

from typing import Final

from ..config import MIB
from ..runtime import FileSystem, Runtime
from .hedge import hedged
from .jobs import split_wal_job
from .log_writer import OLD_WALS, wal_directory

_START_S: Final = 1.0
_SPLIT_BYTES_PER_S: Final = 25 * MIB
_RUNS: Final = 3


async def fence_logs(files: FileSystem, server: str) -> None:
    """From here on the server acknowledges and answers nothing. Idempotent. Raises OSError."""
    await files.fence(wal_directory(server))


async def split_and_archive(runtime: Runtime, server: str, name: str) -> None:
    """Puts what a log file of a fenced server holds into recovered edits, and then the file
    into oldWALs. Idempotent.

    Raises CorruptionError, ProcessDiedError (the worker), OSError; the file stays then.
    """
    after_s = await _patience_s(runtime.files, f"{wal_directory(server)}/{name}")
    await hedged(lambda: runtime.tasks.run(split_wal_job, server, name), after_s, _RUNS)
    target = f"{OLD_WALS}/{server}/{name}"
    try:
        await runtime.files.rename(f"{wal_directory(server)}/{name}", target)
    except FileNotFoundError:
        # Moved by an earlier try, of which only the answer was lost.
        if not await runtime.files.exists(target):
            raise


async def _patience_s(files: FileSystem, path: str) -> float:
    """After this a worker that has not split the log is not waited for alone: one on a node
    that is gone or hangs answers when Ray has given the node up, a minute later perhaps."""
    try:
        size = await files.size(path)
    except FileNotFoundError:
        size = 0  # An earlier try has put it away.
    return _START_S + size / _SPLIT_BYTES_PER_S
