"""What becomes of a dead server's logs: fenced, split by region, and put away."""

from __future__ import annotations

from typing import Final

from ..runtime import FileSystem, Runtime
from .hedge import hedged
from .jobs import split_wal_job
from .log_writer import OLD_WALS, wal_directory

HEDGE_S: Final = 5.0
"""A log that is not split by then is given to another worker, too."""
_RUNS: Final = 3


async def fence_logs(files: FileSystem, server: str) -> None:
    """From here on the server acknowledges and answers nothing. Idempotent. Raises OSError."""
    await files.fence(wal_directory(server))


async def split_and_archive(runtime: Runtime, server: str, name: str) -> None:
    """Puts what a log file of a fenced server holds into recovered edits, and then the file
    into oldWALs. Idempotent.

    Raises CorruptionError, ProcessDiedError (the worker), OSError; the file stays then.
    """
    # A worker whose node hangs answers when Ray has given the node up, a minute later perhaps.
    await hedged(lambda: runtime.tasks.run(split_wal_job, server, name), HEDGE_S, _RUNS)
    target = f"{OLD_WALS}/{server}/{name}"
    try:
        await runtime.files.rename(f"{wal_directory(server)}/{name}", target)
    except FileNotFoundError:
        # Moved by an earlier try, of which only the answer was lost.
        if not await runtime.files.exists(target):
            raise
