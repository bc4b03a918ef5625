"""An operator at work while others use the cluster: everything the admin API does to regions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

from ..client.async_connection import AsyncConnection
from ..client.result import Result
from ..errors import (
    RaybaseError,
    TableExistsError,
    TableNotDisabledError,
    TableNotEnabledError,
    TableNotFoundError,
)
from ..model import TableName
from ..operations import Put, Scan
from .workload import FAMILIES, TABLE, row_name

SCRATCH: Final = TableName.parse("scratch")
_VERSIONS_MAX: Final = 3
_DRAINED_MAX: Final = 2
"""At a time: another server is started for each."""
_OFFLOADED: Final = 0.8
"""So many of those that are drained lose the regions they have."""

Action = Callable[[], Awaitable[None]]


class NothingToDoError(Exception):
    """The cluster has nothing that this action could be done to."""


class Operator:
    """Flushes, compacts, splits, merges, moves and alters; drains servers and takes them back;
    makes and empties a second table.

    An action that fails is the cluster's right, as long as it fails as a whole. ``done`` counts
    those that did not, by name; ``problems`` gets what no correct cluster does.
    """

    def __init__(
        self, connection: AsyncConnection, chance: Random, problems: list[str] | None = None
    ) -> None:
        self._admin = connection.admin
        self._chance = chance
        self._scratch = Scratch(connection, problems if problems is not None else [])
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.stopped = False

    async def run(self) -> None:
        """Works until ``stopped``."""
        actions: dict[str, tuple[int, Action]] = {
            "flush": (3, self._flush),
            "compact": (2, self._compact),
            "split": (2, self._split),
            "merge": (2, self._merge),
            "move": (3, self._move),
            "alter": (1, self._alter),
            "balance": (1, self._balance),
            "drain": (1, self._drain),
            "recommission": (1, self._recommission),
            "scratch": (2, self._scratch.change),
        }
        names = [name for name, (weight, _) in actions.items() for _ in range(weight)]
        while not self.stopped:
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))
            name = self._chance.choice(names)
            try:
                await actions[name][1]()
            except NothingToDoError:
                continue
            except RaybaseError:
                self.failed[name] += 1
            else:
                self.done[name] += 1

    async def finish_draining(self) -> None:
        """Returns when nothing is left at the servers that were drained and not taken back.

        Raises RaybaseError if that is not so when the connection's operations time out.
        """
        drained = await self._admin.decommissioned()
        if drained:
            await self._admin.decommission(*drained)

    async def _flush(self) -> None:
        await self._admin.flush(TABLE)

    async def _compact(self) -> None:
        await self._admin.compact(TABLE, major=self._chance.random() < 0.5)

    async def _split(self) -> None:
        await self._admin.split(TABLE, row_name("split", self._chance.randrange(16)))

    async def _merge(self) -> None:
        regions = [one.region for one in await self._admin.regions(TABLE)]
        if len(regions) > 2:
            first = self._chance.randrange(len(regions) - 1)
            await self._admin.merge(*regions[first : first + 2])

    async def _move(self) -> None:
        regions = await self._admin.regions(TABLE)
        await self._admin.move(self._chance.choice(regions).region)

    async def _alter(self) -> None:
        """Something that changes no answer: all read the newest version."""
        versions = self._chance.randint(1, _VERSIONS_MAX)
        await self._admin.modify_family(TABLE, FAMILIES[0], max_versions=versions)

    async def _balance(self) -> None:
        await self._admin.balance()

    async def _drain(self) -> None:
        drained = await self._admin.decommissioned()
        status = await self._admin.status()
        staying = [one.name for one in status.servers if one.name not in drained]
        if not staying or len(drained) >= _DRAINED_MAX:
            raise NothingToDoError
        await self._admin.decommission(
            self._chance.choice(staying), offload=self._chance.random() < _OFFLOADED
        )

    async def _recommission(self) -> None:
        drained = await self._admin.decommissioned()
        if not drained:
            raise NothingToDoError
        await self._admin.recommission(self._chance.choice(drained))


class Scratch:
    """A table that is made, filled, disabled, emptied and deleted, one step at a time.

    Nobody else uses it, so after every change whose answer came its content is known.
    """

    def __init__(self, connection: AsyncConnection, problems: list[str]) -> None:
        self._admin = connection.admin
        self._table = connection.table(SCRATCH)
        self._problems = problems
        self._steps = iter(self._life())
        self._rows: list[bytes] | None = None
        """None while it is not known what is in the table."""
        self._written = 0
        self._doubtful: list[bytes] = []
        """Written without an answer: may yet appear."""

    async def change(self) -> None:
        """The next step of the table's life. Raises RaybaseError; then it is begun anew."""
        try:
            await next(self._steps)()
        except RaybaseError:
            self._rows, self._steps = None, iter(self._life())
            raise

    def _life(self) -> tuple[Action, ...]:
        again = (self._create, self._fill, self._empty, self._fill, self._delete)
        return again * 100

    async def _create(self) -> None:
        await self._delete()
        try:
            await self._admin.create_table(SCRATCH, ["f"], splits=["m"])
        except TableExistsError:
            return  # The answer to a first request was lost.
        self._rows = []

    async def _fill(self) -> None:
        written = [b"%c%04d" % (b"az"[n % 2], self._written + n) for n in range(6)]
        self._written += len(written)
        outcomes = await self._table.apply([Put(row).add(b"f", b"q", row) for row in written])
        told = zip(written, outcomes, strict=True)
        self._doubtful += [row for row, outcome in told if not isinstance(outcome, Result)]
        before, self._rows = self._rows, None
        found = [result.row async for result in self._table.scan(Scan())]
        possible = {*(before or ()), *written, *self._doubtful}
        if before is not None and not set(before) <= set(found) <= possible:
            self._problems.append(f"table {SCRATCH} held {before} and now holds {found}")
        self._rows = found

    async def _empty(self) -> None:
        await self._disable()
        before, self._rows = self._rows, None
        try:
            await self._admin.truncate_table(SCRATCH, preserve_splits=self._written % 4 == 0)
        except TableNotDisabledError:
            # The answer to a first request was lost, or it is on its way to being enabled.
            return
        found = [result.row async for result in self._table.scan(Scan())]
        if before is not None and found:
            self._problems.append(f"table {SCRATCH} was emptied and holds {found}")
        self._rows = found

    async def _delete(self) -> None:
        self._rows = None
        try:
            await self._disable()
            await self._admin.delete_table(SCRATCH)
        except TableNotFoundError:
            return

    async def _disable(self) -> None:
        with suppress(TableNotEnabledError):
            await self._admin.disable_table(SCRATCH)
