"""Which regions a server has, is getting, and had not long ago."""

from __future__ import annotations

from collections import Counter

from ..errors import (
    NotServingRegionError,
    RegionMovedError,
    RegionOpeningError,
    RegionSplitError,
)
from ..model import RegionInfo, ServerName, TableDescriptor, TableName
from ..rpc.schema import encoded_name
from ..runtime import Clock
from .hosted_region import HostedRegion
from .messages import RegionState, RegionStatus
from .region_mover import Prepared
from .region_report import RegionReports
from .region_splitter import Daughter


class RegionMap:
    """All a server knows of regions. Every change is made in one go, on the loop."""

    def __init__(self, clock: Clock, moved_memory_s: float) -> None:
        self._clock = clock
        self._moved_memory_s = moved_memory_s
        self._by_name: dict[bytes, HostedRegion] = {}
        self._moved: dict[str, tuple[str, int, float]] = {}
        self._split: dict[str, tuple[RegionSplitError, float]] = {}
        self._opening: dict[str, RegionInfo] = {}
        self._reports = RegionReports()
        self._by_table: Counter[TableName] = Counter()
        self.online: dict[str, HostedRegion] = {}
        """By encoded name: serving, or on their way out."""
        self.prepared: dict[str, Prepared] = {}
        """Targets of moves that have not come to their end."""
        self.daughters: dict[str, Daughter] = {}
        """Of regions split here: open, and not served before the master says so."""
        self.unserved: dict[str, RegionInfo] = {}
        """Regions whose opening failed here: the manifest may name this server all the same."""

    def find(self, name: bytes) -> HostedRegion:
        """The region of this full or encoded name.

        Raises NotServingRegionError, of the kind that tells most.
        """
        hosted = self._by_name.get(name)
        if hosted is not None:
            return hosted
        encoded = encoded_name(name)
        hosted = self.online.get(encoded)
        if hosted is not None:
            return hosted
        if encoded in self.daughters:
            return self.daughters[encoded].hosted
        moved = self._moved.get(encoded)
        if moved is not None:
            server, sequence_id, _ = moved
            to = ServerName.parse(server)
            raise RegionMovedError(to.host, to.port, to.start_code, sequence_id)
        if encoded in self._opening:
            raise RegionOpeningError(f"region {encoded} is being opened here")
        if encoded in self._split:
            raise RegionSplitError(*self._split[encoded][0].args)
        raise NotServingRegionError(f"region {encoded} is not online here")

    @property
    def is_opening(self) -> bool:
        """Whether a region is on its way to be served here."""
        return bool(self._opening)

    def begin_opening(self, info: RegionInfo) -> None:
        self._opening[info.encoded_name] = info
        self._moved.pop(info.encoded_name, None)

    def opening_failed(self, encoded: str) -> None:
        self.unserved[encoded] = self._opening.pop(encoded)

    def add(self, hosted: HostedRegion) -> None:
        """The region is served here from now on."""
        encoded = hosted.encoded
        self._opening.pop(encoded, None)
        self._moved.pop(encoded, None)
        self.unserved.pop(encoded, None)
        self.prepared.pop(encoded, None)
        if encoded not in self.online:
            self._by_table[hosted.info.table] += 1
        self.online[encoded] = hosted
        self._by_name[hosted.info.name] = hosted

    def remove(self, hosted: HostedRegion, moved_to: str, sequence_id: int) -> None:
        """It has left; clients are told where to, for a while, if that is known."""
        if self.online.pop(hosted.encoded, None) is not None:
            self._by_table[hosted.info.table] -= 1
        self._by_name.pop(hosted.info.name, None)
        self._reports.forget(hosted.encoded)
        if moved_to:
            until_s = self._clock.monotonic_s() + self._moved_memory_s
            self._moved[hosted.encoded] = (moved_to, sequence_id, until_s)

    def remember_split(self, encoded: str, gone: RegionSplitError) -> None:
        """Clients of the region are sent to its daughters for a while."""
        self._split[encoded] = (gone, self._clock.monotonic_s() + self._moved_memory_s)

    def count_of(self, table: TableName) -> int:
        """Regions of the table that are online."""
        return self._by_table[table]

    def descriptors(self, table: TableName) -> dict[str, TableDescriptor]:
        """Encoded name of each region of the table that is online -> what it was opened with."""
        online = self.online.values()
        return {one.encoded: one.table for one in online if one.info.table == table}

    def moved_to(self, encoded: str) -> str:
        return self._moved[encoded][0] if encoded in self._moved else ""

    def status(self, encoded: str) -> RegionStatus:
        hosted = self.online.get(encoded)
        if hosted is not None:
            return self._reports.of(hosted)
        if encoded in self._opening:
            return RegionStatus(encoded, RegionState.OPENING, self._opening[encoded])
        if encoded in self.daughters:
            return RegionStatus(encoded, RegionState.OPENING, self.daughters[encoded].hosted.info)
        if encoded in self.prepared:
            return RegionStatus(encoded, RegionState.PREPARED, self.prepared[encoded].info)
        if encoded in self._moved:
            server, sequence_id, _ = self._moved[encoded]
            return RegionStatus(
                encoded, RegionState.MOVED, open_sequence_id=sequence_id, moved_to=server
            )
        return RegionStatus(encoded, RegionState.ABSENT)

    def statuses(self) -> list[RegionStatus]:
        """Of all that are online."""
        return [self._reports.of(hosted) for hosted in self.online.values()]

    def expire(self) -> None:
        """Forgets where regions went, what they became and what was prepared, long enough ago."""
        now_s = self._clock.monotonic_s()
        for encoded in [one for one, moved in self._moved.items() if moved[2] <= now_s]:
            del self._moved[encoded]
        for encoded in [one for one, split in self._split.items() if split[1] <= now_s]:
            del self._split[encoded]
        for encoded in [one for one, kept in self.prepared.items() if kept.expires_s <= now_s]:
            del self.prepared[encoded]
