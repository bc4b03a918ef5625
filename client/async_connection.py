"""The way in, for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ..actors.system import SystemClock, SystemEntropy, TcpNetwork
from ..config import ClientConfig
from ..model import TableName
from ..runtime import Clock, Entropy, Network
from .addresses import parse_addresses
from .admin_core import AdminCore
from .aio import AsyncRegistry, AsyncShell
from .arguments import Text
from .async_admin import AsyncAdmin
from .async_table import AsyncTable
from .core import Core
from .effects import Address
from .table_core import TableCore
from .user import current_user


async def connect_async(
    address: str | None = None,
    *,
    namespace: str = "raybase",
    config: ClientConfig | None = None,
    user: str | None = None,
) -> AsyncConnection:
    """As ``connect``, for asyncio::

    async with await raybase.connect_async("localhost:16020") as connection:
        await connection.table("web").get("com.example")
    """
    if address is None:
        from .ray_registry import servers_of_async

        async def from_ray() -> Sequence[Address]:
            return await servers_of_async(namespace)

        registry: AsyncRegistry = from_ray
    else:
        registry = known_servers(parse_addresses(address))
    connection = AsyncConnection(
        registry,
        config or ClientConfig(),
        user or current_user(),
        network=TcpNetwork(),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    try:
        await connection.check()
    except BaseException:
        await connection.close()
        raise
    return connection


def known_servers(addresses: Sequence[Address]) -> AsyncRegistry:
    """A registry that always names these servers."""

    async def registry() -> Sequence[Address]:
        return addresses

    return registry


class AsyncConnection:
    """One client of one cluster, of one event loop. Tasks share it and its sockets."""

    def __init__(
        self,
        registry: AsyncRegistry,
        config: ClientConfig,
        user: str,
        *,
        network: Network,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._shell = AsyncShell(network, clock, registry, user)
        self._core = Core(config, clock, entropy)
        self._admin = AsyncAdmin(self._shell, AdminCore(self._core))

    def table(self, name: Text | TableName) -> AsyncTable:
        """The table of this name, whether or not it exists. Costs nothing."""
        return AsyncTable(self._shell, TableCore(self._core, TableName.parse(name)))

    @property
    def admin(self) -> AsyncAdmin:
        """What creates, changes and looks after tables."""
        return self._admin

    async def cluster_id(self) -> str:
        """The id that the cluster got when its root was made."""
        return await self._shell.run(self._core.cluster_id())

    async def check(self) -> None:
        """Raises ConnectionLostError at once if none of the servers known answers."""
        await self._shell.run(self._core.cluster_id(one_try=True))

    async def close(self) -> None:
        """Closes the sockets; what is under way fails."""
        await self._shell.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
