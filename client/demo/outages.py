"""For how long regions were not served: a reader per region, asking again and again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from ...errors import RaybaseError
from ..connection import Connection, connect

_PERIOD_S = 0.03
_NOTICED_S = 0.1
"""An answer later than this counts as an outage."""


@dataclass(slots=True)
class Outage:
    """A stretch of time in which a read of a region got no answer."""

    region: str
    began_s: float
    lasted_s: float


@dataclass(slots=True)
class _Probe:
    region: str
    row: bytes
    outages: list[Outage] = field(default_factory=list)


class Watch:
    """Reads a row of each region of the tables from threads until stopped."""

    def __init__(self, address: str, connection: Connection, tables: list[str]) -> None:
        self._address = address
        self._stop = threading.Event()
        self._errors: list[str] = []
        self._probes = [
            (table, _Probe(f"{table},{start_key.decode()}", start_key or b"!"))
            for table in tables
            for start_key in (place.region.start_key for place in connection.admin.regions(table))
        ]
        self._threads = [
            threading.Thread(target=self._read, args=one, daemon=True) for one in self._probes
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[str]:
        """Ends the readers; returns what went wrong with them, in words."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)
        return self._errors

    def worst(self, since_s: float, until_s: float) -> dict[str, float]:
        """Region to its longest outage that began within the two times."""
        longest: dict[str, float] = {}
        for _, probe in self._probes:
            for outage in list(probe.outages):
                if since_s <= outage.began_s <= until_s:
                    lasted_s = max(longest.get(outage.region, 0.0), outage.lasted_s)
                    longest[outage.region] = lasted_s
        return longest

    def _read(self, table_name: str, probe: _Probe) -> None:
        try:
            with connect(self._address) as connection:
                table = connection.table(table_name)
                while not self._stop.is_set():
                    asked_s = time.monotonic()
                    table.get(probe.row)
                    took_s = time.monotonic() - asked_s
                    if took_s > _NOTICED_S:
                        probe.outages.append(Outage(probe.region, asked_s, took_s))
                    time.sleep(_PERIOD_S)
        except RaybaseError as error:
            self._errors.append(f"reading {table_name}: {error}")
