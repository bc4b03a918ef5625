"""Whether regions tile their table's key space, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..model import RegionInfo


class KeyRange(NamedTuple):
    """Rows from ``start`` to before ``end``; empty bounds are open."""

    start: bytes
    end: bytes

    def __str__(self) -> str:
        return f"[{self.start!r}, {self.end!r})" if self.end else f"[{self.start!r}, the end)"


def range_of(region: RegionInfo) -> KeyRange:
    return KeyRange(region.start_key, region.end_key)


def intersect(one: KeyRange, other: KeyRange) -> bool:
    """Whether a row could be in both."""
    return (not one.end or other.start < one.end) and (not other.end or one.start < other.end)


def holes(regions: Iterable[RegionInfo]) -> list[KeyRange]:
    """What none of a table's regions holds, in order."""
    found = []
    reached = b""
    for region in _sorted(regions):
        if region.start_key > reached:
            found.append(KeyRange(reached, region.start_key))
        if not region.end_key:
            return found
        reached = max(reached, region.end_key)
    found.append(KeyRange(reached, b""))
    return found


def overlaps(regions: Iterable[RegionInfo]) -> list[tuple[RegionInfo, RegionInfo]]:
    """Each region that begins inside one before it, after the one that reaches furthest."""
    found = []
    furthest: RegionInfo | None = None
    for region in _sorted(regions):
        if furthest is not None and intersect(range_of(furthest), range_of(region)):
            found.append((furthest, region))
        if furthest is None or _reaches_further(region, furthest):
            furthest = region
    return found


def is_covered(wanted: RegionInfo, regions: Iterable[RegionInfo]) -> bool:
    """Whether the regions hold every row of ``wanted``'s range."""
    return not any(intersect(range_of(wanted), hole) for hole in holes(regions))


def fits(wanted: RegionInfo, regions: Iterable[RegionInfo]) -> bool:
    """Whether no region of the table holds any row of ``wanted``'s range."""
    return not any(intersect(range_of(wanted), range_of(one)) for one in regions)


def _sorted(regions: Iterable[RegionInfo]) -> list[RegionInfo]:
    return sorted(regions, key=lambda one: (one.start_key, one.region_id))


def _reaches_further(region: RegionInfo, other: RegionInfo) -> bool:
    if not other.end_key:
        return False
    return not region.end_key or region.end_key > other.end_key
