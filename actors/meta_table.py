"""MetaTable: the master's only way of writing hbase:meta, and its reading of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..coordination import layout
from ..errors import InvalidRequestError, NodeExistsError, RetryableError, StaleMasterError
from ..model import META_REGION, ServerName
from ..operations import Mutation
from ..runtime import Clock
from ..storage.cells import CellBatch
from . import meta_rows
from .assignment import Assignment
from .server_manager import ServerManager
from .session import Session
from .waiting import waiting

_REPEAT_S: Final = 0.1
_TOGETHER_MAX: Final = 200
"""Writes of one call, so that none keeps the server of hbase:meta long."""


@dataclass(slots=True)
class _Write:
    """Mutations to be applied all or none; whether they are."""

    mutations: Sequence[Mutation]
    done: bool = False


class MetaTable:
    """hbase:meta as this master, of this epoch, may use it.

    A write is repeated until hbase:meta has it, wherever it moves, so a mutation must be
    harmless when applied twice: all carry timestamps of ``next_ms``. A server of hbase:meta
    that knows a later master refuses, and StaleMasterError ends this one.
    """

    def __init__(
        self,
        clock: Clock,
        epoch: int,
        assignment: Assignment,
        servers: ServerManager,
        session: Session,
    ) -> None:
        self._clock = clock
        self._epoch = epoch
        self._assignment = assignment
        self._servers = servers
        self._session = session
        self._last_ms = 0
        self._waiting: list[_Write] = []
        self._turn = asyncio.Lock()

    def next_ms(self) -> int:
        """The master's clock: greater at every call, and than anything in hbase:meta."""
        self._last_ms = max(self._last_ms + 1, self._clock.now_ms())
        return self._last_ms

    async def write(self, mutations: Sequence[Mutation]) -> None:
        """Applies all or none; durable when it returns. Raises StaleMasterError.

        Writes that come while one is under way go together in the next call.
        """
        own = _Write(mutations)
        self._waiting.append(own)
        async with self._turn:
            while not own.done:
                await self._write_together(own)

    async def _write_together(self, own: _Write) -> None:
        together, self._waiting = self._waiting[:_TOGETHER_MAX], self._waiting[_TOGETHER_MAX:]
        try:
            await self._send([one for write in together for one in write.mutations])
        except BaseException as error:
            others = [write for write in together if write is not own]
            self._waiting = [*others, *self._waiting]
            if not others or not isinstance(error, InvalidRequestError):
                raise
            # Another's may be what is wrong, and is that one's to hear of.
            await self._send(own.mutations)
            own.done = True
            return
        for write in together:
            write.done = True

    async def _send(self, mutations: Sequence[Mutation]) -> None:
        while True:
            server = await self._server()
            try:
                await self._servers.call(server, "mutate_meta", self._epoch, list(mutations))
            except StaleMasterError:
                raise
            except RetryableError:
                await self._clock.sleep(_REPEAT_S)
            else:
                return

    async def load(self) -> meta_rows.MetaContent:
        """Reads all of it; from now on ``next_ms`` is above what stands there."""
        while True:
            server = await self._server()
            try:
                cells = await self._servers.call(server, "read_meta", b"", b"")
                newest_ms = await self._servers.call(server, "meta_newest_ms")
            except StaleMasterError:
                raise
            except RetryableError:
                await self._clock.sleep(_REPEAT_S)
                continue
            assert isinstance(cells, CellBatch)
            content = meta_rows.parse(cells)
            # The last master's clock may have been ahead: what it deleted must not hide what
            # this one writes to the same rows.
            self._last_ms = max(self._last_ms, content.timestamp_ms, newest_ms)
            return content

    async def fence(self, server: ServerName) -> None:
        """No master of a lower epoch writes hbase:meta, at ``server``, after this."""
        await self._servers.call(server, "fence_meta", self._epoch)

    async def publish(self, server: ServerName) -> None:
        """Tells clients where hbase:meta is served."""
        data = layout.encode_data(
            server=str(server),
            process=self._servers.process_of(server),
            state="OPEN",
            region=META_REGION.encoded_name,
        )
        try:
            await self._session.create(layout.META_REGION_SERVER, data)
        except NodeExistsError:
            await self._session.set(layout.META_REGION_SERVER, data)

    async def _server(self) -> ServerName:
        with waiting("hbase:meta to be served"):
            await self._assignment.meta_open.wait()
        server = self._assignment.meta.server
        assert server is not None
        return server
