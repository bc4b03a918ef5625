"""What clients see of the faults: rows read without a pause, and how long one got no answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from ...client.async_connection import AsyncConnection
from ...errors import RaybaseError
from ..workload import TABLE, row_name

_PERIOD_S: Final = 0.1
_NOTICED_S: Final = 0.25
"""An answer later than this is an outage."""
_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class Outage:
    """From the question to its late answer."""

    began_s: float
    ended_s: float

    @property
    def lasted_s(self) -> float:
        return self.ended_s - self.began_s


@dataclass(slots=True)
class Watch:
    """Readers of rows in all parts of the key space. Times are time.monotonic()'s."""

    connection: AsyncConnection
    outages: list[Outage] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    reads: int = 0
    stopped: bool = False
    _asked_s: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Reads until ``stopped``."""
        await asyncio.gather(*(self._read(number) for number in range(_ROWS)))

    async def _read(self, number: int) -> None:
        table = self.connection.table(TABLE)
        row = row_name("watch", 14 * number)
        while not self.stopped:
            asked_s = self._asked_s[number] = time.monotonic()
            try:
                await table.get(row)
            except RaybaseError as error:
                self.errors.append(f"a read of {row!r} gave up: {error}")
            now_s = time.monotonic()
            self.reads += 1
            if now_s - asked_s > _NOTICED_S:
                self.outages.append(Outage(asked_s, now_s))
            await asyncio.sleep(_PERIOD_S)

    def longest(self, began_s: float, ended_s: float) -> float:
        """The longest time for which a row got no answer, of those that overlap with the two."""
        waiting = [Outage(asked_s, time.monotonic()) for asked_s in self._asked_s.values()]
        waiting = [one for one in waiting if one.lasted_s > _NOTICED_S]
        found = [*self.outages, *waiting]
        inside = [one for one in found if one.began_s < ended_s and one.ended_s > began_s]
        return max((one.lasted_s for one in inside), default=0.0)
