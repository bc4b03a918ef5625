"""The way in, for code that waits for its answers."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ..actors.system import SystemClock, SystemEntropy
from ..config import ClientConfig
from ..model import TableName
from .addresses import parse_addresses
from .admin import Admin
from .admin_core import AdminCore
from .arguments import Text
from .blocking import BlockingShell, Registry
from .core import Core
from .effects import Address
from .table import Table
from .table_core import TableCore
from .user import current_user


def connect(
    address: str | None = None,
    *,
    namespace: str = "raybase",
    config: ClientConfig | None = None,
    user: str | None = None,
) -> Connection:
    """A connection to a cluster, which must be there: this asks a server who it is.

    ``address`` is ``host:port`` of any of its servers, or several with commas between. Without
    it the cluster of this name in the Ray that this process is part of is meant (or in the
    one at RAY_ADDRESS). ``user`` is the name the servers know the calls by; by default the
    operating system's.

    Raises ClusterError if there is no such cluster, ConnectionLostError if none of its servers
    answers::

        with raybase.connect("localhost:16020") as connection:
            connection.table("web").get("com.example")
    """
    if address is None:
        from .ray_registry import servers_of

        def registry() -> list[Address]:
            return servers_of(namespace)

    else:
        known = parse_addresses(address)

        def registry() -> list[Address]:
            return known

    connection = Connection(registry, config or ClientConfig(), user or current_user())
    try:
        connection.check()
    except BaseException:
        connection.close()
        raise
    return connection


class Connection:
    """One client of one cluster. Threads may share it; each call has a socket of its own.

    What it knows of the regions' places is shared by its tables. Closing it closes its
    sockets; nothing else has to be closed.
    """

    def __init__(self, registry: Registry, config: ClientConfig, user: str) -> None:
        self._shell = BlockingShell(registry, user)
        self._core = Core(config, SystemClock(), SystemEntropy())
        self._admin = Admin(self._shell, AdminCore(self._core))

    def table(self, name: Text | TableName) -> Table:
        """The table of this name, whether or not it exists. Costs nothing."""
        return Table(self._shell, TableCore(self._core, TableName.parse(name)))

    @property
    def admin(self) -> Admin:
        """What creates, changes and looks after tables."""
        return self._admin

    def cluster_id(self) -> str:
        """The id that the cluster got when its root was made."""
        return self._shell.run(self._core.cluster_id())

    def check(self) -> None:
        """Raises ConnectionLostError at once if none of the servers known answers."""
        self._shell.run(self._core.cluster_id(one_try=True))

    def close(self) -> None:
        self._shell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
