"""LoadReports: what region servers say of their load, and how fast it grows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import RaybaseError
from ..model import ServerName
from ..runtime import Runtime
from .messages import RegionStatus, ServerStatus
from .server_manager import ServerManager

_REPORT_TIMEOUT_S: Final = 2.0
_MEMORY_S: Final = 60.0
"""How long a rate takes to forget what was."""
_BETWEEN_S: Final = 1.0
"""Reports closer to each other are one: a rate of them would be chance."""


@dataclass(slots=True)
class _Counted:
    """A region's counters at its last report, and how fast they have grown."""

    server: str
    at_s: float
    reads: int
    writes: int
    reads_per_s: float = 0.0
    writes_per_s: float = 0.0


async def server_reports(
    runtime: Runtime, servers: ServerManager
) -> dict[ServerName, ServerStatus]:
    """What each live server says of itself; those that do not answer soon are left out."""
    live = servers.live()
    answers = await asyncio.gather(
        *(
            runtime.processes.remote(one.process).call("status", timeout_s=_REPORT_TIMEOUT_S)
            for one in live
        ),
        return_exceptions=True,
    )
    reports = {}
    for one, answer in zip(live, answers, strict=True):
        if isinstance(answer, ServerStatus):
            reports[one.name] = answer
        elif not isinstance(answer, RaybaseError):
            raise TypeError(f"{one.name} answers {answer!r}")
    return reports


class LoadReports:
    """Requests a second of every region, over about the last minute."""

    def __init__(self, runtime: Runtime) -> None:
        self._clock = runtime.clock
        self._regions: dict[str, _Counted] = {}

    def observe(self, server: ServerName, regions: Sequence[RegionStatus]) -> None:
        """Takes in what the server has counted since it opened each of its regions."""
        now_s = self._clock.monotonic_s()
        for one in regions:
            before = self._regions.get(one.encoded)
            if before is None or before.server != str(server) or one.reads < before.reads:
                self._regions[one.encoded] = _Counted(str(server), now_s, one.reads, one.writes)
            elif now_s - before.at_s >= _BETWEEN_S:
                _grow(before, one, now_s)

    def rates(self, encoded: str) -> tuple[float, float]:
        """Reads and writes of the region in a second; 0 until it was seen twice somewhere."""
        known = self._regions.get(encoded)
        return (known.reads_per_s, known.writes_per_s) if known else (0.0, 0.0)

    def forget(self, known: Sequence[str]) -> None:
        """Keeps nothing of regions that are not among these."""
        self._regions = {one: self._regions[one] for one in known if one in self._regions}


def _grow(before: _Counted, now: RegionStatus, now_s: float) -> None:
    passed_s = now_s - before.at_s
    weight = 1.0 - math.exp(-passed_s / _MEMORY_S)
    before.reads_per_s += weight * ((now.reads - before.reads) / passed_s - before.reads_per_s)
    before.writes_per_s += weight * ((now.writes - before.writes) / passed_s - before.writes_per_s)
    before.at_s, before.reads, before.writes = now_s, now.reads, now.writes
