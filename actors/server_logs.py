"""The logs of one region server: one for its regions, one for hbase:meta when it has that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..config import WalConfig
from ..errors import FencedError, SyncFailedError
from ..model import META_ENCODED_NAME, ServerName
from ..runtime import Runtime
from .log_writer import META_PREFIX, LogWriter


class ServerLogs:
    """Both are in one directory, which is fenced as a whole.

    ``on_fatal`` and ``on_pinned`` are LogWriter's.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: WalConfig,
        on_fatal: Callable[[BaseException], None],
        on_pinned: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._on_fatal = on_fatal
        self._on_pinned = on_pinned
        self._server = ""
        self.writers: dict[str, LogWriter] = {}
        """By the prefix of their files."""

    async def begin_life(self, host: str, port: int) -> ServerName:
        """Creates the log under a start code that no life at this address had.

        Raises OSError.
        """
        start_code = self._runtime.clock.now_ms()
        while True:
            server = ServerName(host, port, start_code)
            self._server = str(server)
            try:
                await self._create("")
            except (FileExistsError, FencedError):
                start_code += 1
                continue
            return server

    async def of_region(self, encoded: str) -> LogWriter:
        """Where the region's edits go: hbase:meta's log is apart, to be recovered first.

        Raises FatalError if it cannot be made.
        """
        prefix = META_PREFIX if encoded == META_ENCODED_NAME else ""
        writer = self.writers.get(prefix)
        if writer is None:
            try:
                writer = await self._create(prefix)
            except OSError as error:
                raise SyncFailedError(f"no log for region {encoded}: {error}") from error
        return writer

    async def check(self) -> None:
        """The fence test before every answer. Raises FatalError."""
        for writer in self.writers.values():
            await writer.check()

    def roll_old(self) -> None:
        """Begins new files where the present ones are old."""
        for writer in self.writers.values():
            writer.roll_if_old()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why logs cannot be written, each in a sentence."""
        return tuple(writer.trouble for writer in self.writers.values() if writer.trouble)

    @property
    def files(self) -> int:
        """Number of files not archived."""
        return sum(writer.files for writer in self.writers.values())

    async def close(self) -> None:
        for writer in self.writers.values():
            await writer.close()

    async def _create(self, prefix: str) -> LogWriter:
        writer = LogWriter(
            self._runtime, self._server, prefix, self._config, self._on_fatal, self._on_pinned
        )
        await writer.start()
        self.writers[prefix] = writer
        return writer
