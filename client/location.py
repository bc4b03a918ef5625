"""Where regions are: what the client remembers of hbase:meta.

Source: AsyncNonMetaRegionLocator, AsyncRegionLocatorHelper.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final

from ..errors import RaybaseError, RegionMovedError, RegionSplitError
from ..model import META_REGION, ROW_BYTES_MAX, RegionInfo, ServerName, TableName
from .effects import Address
from .retry import says_location_is_stale, says_server_is_gone

_NINES: Final = b"99999999999999"
_ZEROES: Final = b"00000000000000"


@dataclass(frozen=True, slots=True)
class RegionLocation:
    """A region and the server that was serving it when hbase:meta was read.

    ``sequence_id`` is the region's when it was opened there: of two locations of a region the
    one with the larger number is the newer.
    """

    region: RegionInfo
    server: ServerName
    sequence_id: int = -1
    name: bytes = field(init=False, compare=False, repr=False)
    address: Address = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.region.name)
        object.__setattr__(self, "address", (self.server.host, self.server.port))


def lookup_bounds(table: TableName, row: bytes, *, before: bool) -> tuple[bytes, bytes]:
    """(start, stop) of the reversed scan of hbase:meta that finds a row's region.

    With ``before`` it finds the region that ends at or behind ``row`` and begins before it;
    the empty row stands for the end of the table then.
    """
    name = str(table).encode()
    stop = name + b",,"
    if before and not row:
        return name + b"\0", stop
    # A start key never fills a row of hbase:meta, so bytes beyond its room decide nothing.
    row = row[: ROW_BYTES_MAX - len(name) - len(_NINES) - 2]
    return b"%b,%b,%b" % (name, row, _ZEROES if before else _NINES), stop


class LocationCache:
    """Locations of user regions by table, and that of hbase:meta.

    Regions of a table never overlap in here: of two that do, the one created later is true.
    Every change replaces a table's tuple as a whole, so readers in other threads see the one
    or the other.
    """

    def __init__(self) -> None:
        self._tables: dict[TableName, tuple[list[bytes], list[RegionLocation]]] = {}
        self.meta: RegionLocation | None = None

    def __len__(self) -> int:
        return sum(len(locations) for _, locations in self._tables.values())

    def find(self, table: TableName, row: bytes) -> RegionLocation | None:
        """The cached region that contains ``row``."""
        cached = self._tables.get(table)
        if cached is None:
            return None
        starts, locations = cached
        index = bisect_right(starts, row) - 1
        if index < 0:
            return None
        location = locations[index]
        end_key = location.region.end_key
        return location if not end_key or row < end_key else None

    def find_before(self, table: TableName, row: bytes) -> RegionLocation | None:
        """The cached region with rows just below ``row`` (empty: at the table's end)."""
        cached = self._tables.get(table)
        if cached is None:
            return None
        starts, locations = cached
        index = (bisect_left(starts, row) if row else len(starts)) - 1
        if index < 0:
            return None
        location = locations[index]
        end_key = location.region.end_key
        reaches = not end_key or (bool(row) and row <= end_key)
        return location if reaches else None

    def add(self, location: RegionLocation) -> None:
        """Remembers a location, unless what is known of its range is newer."""
        region = location.region
        if region.table == META_REGION.table:
            self.meta = location
            return
        _, known = self._tables.get(region.table, ([], []))
        kept: list[RegionLocation] = []
        for one in known:
            if one.region.start_key == region.start_key and one.name == location.name:
                if one.sequence_id > location.sequence_id:
                    return
            elif not _overlap(one.region, region):
                kept.append(one)
            elif one.region.region_id > region.region_id:
                return
        kept.append(location)
        kept.sort(key=lambda one: one.region.start_key)
        self._replace(region.table, kept)

    def drop(self, location: RegionLocation) -> None:
        """Forgets this location; a newer one of the region stays."""
        if self.meta == location:
            self.meta = None
            return
        table = location.region.table
        _, known = self._tables.get(table, ([], []))
        kept = [one for one in known if one != location]
        if len(kept) != len(known):
            self._replace(table, kept)

    def drop_server(self, address: Address) -> None:
        """Forgets all that was at that server."""
        if self.meta is not None and self.meta.address == address:
            self.meta = None
        for table, (_, known) in list(self._tables.items()):
            kept = [one for one in known if one.address != address]
            if len(kept) != len(known):
                self._replace(table, kept)

    def drop_table(self, table: TableName) -> None:
        self._tables.pop(table, None)

    def learn(self, location: RegionLocation, error: RaybaseError) -> None:
        """Does what the error of a call to ``location`` says about it.

        RegionMovedError names the new place, which is taken unless it is older than what is
        known; RegionSplitError the daughters, which are where their parent was. Overload and
        "opening" say nothing about the place. All else drops it.
        """
        if isinstance(error, RegionMovedError):
            self._moved(location, error)
            return
        if isinstance(error, RegionSplitError):
            self._split(location, error)
            return
        if not says_location_is_stale(error):
            return
        self.drop(location)
        if says_server_is_gone(error):
            self.drop_server(location.address)

    def addresses(self) -> list[Address]:
        """Servers that were serving regions when last heard of, in no particular order."""
        found = dict.fromkeys(
            one.address for _, locations in self._tables.values() for one in locations
        )
        if self.meta is not None:
            found[self.meta.address] = None
        return list(found)

    def _moved(self, location: RegionLocation, error: RegionMovedError) -> None:
        if error.sequence_id < location.sequence_id:
            self.drop(location)
            return
        server = ServerName(error.host, error.port, error.start_code)
        if server == location.server:
            self.drop(location)
            return
        self.add(RegionLocation(location.region, server, error.sequence_id))

    def _split(self, location: RegionLocation, error: RegionSplitError) -> None:
        self.drop(location)
        parent, row = location.region, error.row
        if not parent.contains(row) or row == parent.start_key:
            return
        for start_key, end_key in ((parent.start_key, row), (row, parent.end_key)):
            daughter = RegionInfo(parent.table, start_key, end_key, error.region_id)
            self.add(RegionLocation(daughter, location.server))

    def _replace(self, table: TableName, locations: list[RegionLocation]) -> None:
        if locations:
            self._tables[table] = ([one.region.start_key for one in locations], locations)
        else:
            self._tables.pop(table, None)


def _overlap(one: RegionInfo, other: RegionInfo) -> bool:
    return (not one.end_key or other.start_key < one.end_key) and (
        not other.end_key or one.start_key < other.end_key
    )
