"""The operating system's clock, randomness and TCP, as the runtime's protocols."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast


class SystemClock:
    """The machine's clocks and the event loop's timers."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


@dataclass(frozen=True)
class SystemEntropy:
    """Randomness of the operating system: ids made from it are new in the whole cluster."""

    source: random.Random = field(default_factory=random.SystemRandom)

    def uniform(self, low: float, high: float) -> float:
        return self.source.uniform(low, high)

    def integer(self, bits: int) -> int:
        return self.source.getrandbits(bits)


@dataclass(frozen=True, slots=True)
class TcpListener:
    """A listening socket. Closing it leaves accepted connections to their protocols."""

    server: asyncio.Server

    @property
    def port(self) -> int:
        return cast("int", self.server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self.server.close()


class TcpNetwork:
    """runtime.Network over the running event loop's sockets."""

    async def listen(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> TcpListener:
        loop = asyncio.get_running_loop()
        return TcpListener(await loop.create_server(factory, host, port, backlog=1024))

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(factory, host, port)
        return transport, protocol
