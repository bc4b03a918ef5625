"""ServerManager: which region servers live, which died and how far their recovery is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..config import ClusterConfig
from ..coordination import layout
from ..errors import (
    FatalError,
    IllegalArgumentError,
    NoNodeError,
    ProcessDiedError,
    ProcessUnavailableError,
    ServerGoneError,
    SessionExpiredError,
)
from ..model import ServerName
from ..runtime import Runtime
from .log_writer import META_PREFIX, WALS
from .session import Session
from .waiting import waiting

log = logging.getLogger(__name__)

_REPEAT_S: Final = 0.1
_DEATH_CONFIRMED_S: Final = 0.05
_ORDERS_MAX: Final = 16
"""Regions opened and closed at a server at a time, as its master goes: more than it works on
itself, few enough that all else it is asked gets through."""


@dataclass(slots=True)
class LiveServer:
    """A region server whose session lasts."""

    name: ServerName
    process: str
    calls: list[asyncio.Task[Any]] = field(default_factory=list)
    """Control calls it owes us; cancelled when its session ends."""
    orders: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_ORDERS_MAX))


@dataclass(slots=True)
class Recovery:
    """How far a dead server's logs have been split."""

    meta: asyncio.Event = field(default_factory=asyncio.Event)
    all: asyncio.Event = field(default_factory=asyncio.Event)


class ServerManager:
    """Follows /hbase/rs, and calls region servers until they answer or are dead.

    ``on_death`` is called on the loop for every server whose session ended while this
    master watched; its recovery is registered before. Safety never rests on this list: it
    says when to fence, not whether somebody still runs.
    Source: ServerManager.java, RegionServerTracker.java.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: ClusterConfig,
        session: Session,
        on_death: Callable[[ServerName], None],
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._session = session
        self._on_death = on_death
        self._live: dict[ServerName, LiveServer] = {}
        self._recoveries: dict[ServerName, Recovery] = {}
        self._changed = asyncio.Event()
        self._arrived = asyncio.Event()

    # -- who lives -------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Reads who lives and sets the watch for the next change."""
        self._changed.clear()
        names = await self._session.get_children(
            layout.REGION_SERVERS, watch=lambda _: self._changed.set()
        )
        present = [parsed_server(name) for name in names]
        for server in list(self._live):
            if server not in present:
                self._lose(server)
        for arrived in present:
            if arrived is not None and arrived not in self._live:
                await self._meet(arrived)

    async def follow(self) -> None:
        """Keeps up with /hbase/rs for ever."""
        while True:
            await self._changed.wait()
            try:
                await self.refresh()
            except Exception:
                self._changed.set()  # Whoever tries again must look again.
                raise

    async def _meet(self, server: ServerName) -> None:
        try:
            data, _ = await self._session.get(f"{layout.REGION_SERVERS}/{server}")
        except NoNodeError:
            return
        if server in self._recoveries:
            return
        try:
            process = str(layout.decode_data(data)["process"])
        except (ValueError, KeyError) as error:
            log.error("the znode of region server %s says nothing: %r", server, error)
            return
        self._live[server] = LiveServer(server, process)
        self.announce_arrival()
        log.info("region server %s, process %s, is there", server, process)

    def _lose(self, server: ServerName) -> None:
        lost = self._live.pop(server)
        log.warning("region server %s, process %s, is gone", server, lost.process)
        self.begin_recovery(server)
        for call in lost.calls:
            call.cancel()
        self._on_death(server)

    def live(self) -> list[LiveServer]:
        """In order of their names."""
        return [self._live[name] for name in sorted(self._live)]

    def is_live(self, server: ServerName | None) -> bool:
        return server in self._live

    def process_of(self, server: ServerName) -> str:
        """Raises ServerGoneError."""
        if server not in self._live:
            raise ServerGoneError(str(server))
        return self._live[server].process

    def announce_arrival(self) -> None:
        """There is one more server that regions may be placed at."""
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def wait_for_arrival(self) -> None:
        """Returns when one more server has come."""
        await self._arrived.wait()

    # -- calls -----------------------------------------------------------------------------

    async def call(self, server: ServerName, method: str, *args: Any) -> Any:
        """The server's answer, asked for again until there is one.

        A call without an answer may have run or may yet run, so nobody else is asked
        instead while the server lives; the request must be harmless when repeated.

        Raises:
            ServerGoneError: its session ended; recover its logs, then ask elsewhere.
            RaybaseError: what the method raised.
        """
        with waiting(f"{server} to answer {method}") as wait:
            while True:
                target = self._live.get(server)
                if target is None:
                    raise ServerGoneError(str(server))
                try:
                    return await self._ask(target, method, args)
                except ProcessUnavailableError as error:
                    wait.trouble = str(error)
                    await self._runtime.clock.sleep(_REPEAT_S)
                except (FatalError, SessionExpiredError) as error:
                    # The server's end, not ours: its session will be over in a moment.
                    log.warning("region server %s is ending: %s", server, error)
                    wait.trouble = f"it is ending: {error}"
                    await self._runtime.clock.sleep(_REPEAT_S)
                except ProcessDiedError as error:
                    # A hint: the coordinator has it too, and its word is what counts here.
                    wait.trouble = f"its session still lasts, though {error}"
                    await self._runtime.clock.sleep(_DEATH_CONFIRMED_S)

    async def order(self, server: ServerName, method: str, *args: Any) -> Any:
        """As ``call``, for what may come for very many regions at once: some at a time.

        Nothing that orders wait for may be one.
        """
        target = self._live.get(server)
        if target is None:
            raise ServerGoneError(str(server))
        async with target.orders:
            return await self.call(server, method, *args)

    async def _ask(self, target: LiveServer, method: str, args: tuple[Any, ...]) -> Any:
        remote = self._runtime.processes.remote(target.process)
        timeout_s = self._config.master.control_call_timeout_s
        task = asyncio.ensure_future(remote.call(method, *args, timeout_s=timeout_s))
        target.calls.append(task)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            if target.name in self._live or _is_cancelled():
                raise
            raise ServerGoneError(str(target.name)) from None
        finally:
            target.calls.remove(task)

    # -- who died --------------------------------------------------------------------------

    def begin_recovery(self, server: ServerName) -> Recovery:
        """The server's recovery, begun now if it was not."""
        return self._recoveries.setdefault(server, Recovery())

    def is_recovering(self, server: ServerName) -> bool:
        return server in self._recoveries

    def recovering(self) -> list[ServerName]:
        return sorted(self._recoveries)

    def end_recovery(self, server: ServerName) -> None:
        """Nothing of the server is left to do; whoever still waits goes on."""
        recovery = self._recoveries.pop(server, None)
        if recovery is not None:
            recovery.meta.set()
            recovery.all.set()

    async def recovered(self, server: ServerName, *, meta: bool = False) -> None:
        """Returns when a dead server's logs are fenced and split (``meta``: that of meta).

        Then, and not before, its regions may be opened elsewhere.
        """
        if server not in self._recoveries:
            if not await self.log_files(server):
                return
            self.begin_recovery(server)
            self._on_death(server)
        recovery = self._recoveries[server]
        which = "the log of hbase:meta" if meta else "the logs"
        with waiting(f"{which} of the dead server {server} to be split"):
            await (recovery.meta if meta else recovery.all).wait()

    async def log_files(self, server: ServerName) -> list[str]:
        """Names of the server's logs that are not archived yet."""
        names = await self._runtime.files.list(f"{WALS}/{server}")
        return [name for name in names if is_log(name)]

    async def servers_with_logs(self) -> list[ServerName]:
        """All that left logs, live ones among them."""
        found = []
        for name in await self._runtime.files.list(WALS):
            server = parsed_server(name)
            if server is not None and await self.log_files(server):
                found.append(server)
        return found


def is_log(name: str) -> bool:
    """Whether a name in a server's WAL directory is a log, and not a mark beside it."""
    return name.removeprefix(META_PREFIX).isdigit()


def is_meta_log(name: str) -> bool:
    return name.startswith(META_PREFIX)


def parsed_server(name: str) -> ServerName | None:
    """The server whose name a znode or a directory has; None if it is no server's."""
    try:
        return ServerName.parse(name)
    except IllegalArgumentError:
        return None


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
