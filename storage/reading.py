"""What a read asks of one family, and the cells that it gets."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import ALL_TIME, LATEST_TIMESTAMP, FamilyDescriptor, KeepDeletedCells, TimeRange
from .key import END, escape


class VisibleCells:
    """Visible cells of one family in order; rows and columns still encoded.

    ``columns[i]`` is the cell's key without its tail: row, END, qualifier, END.
    """

    __slots__ = ("columns", "timestamps", "types", "values")

    def __init__(self) -> None:
        self.columns: list[bytes] = []
        self.timestamps: list[int] = []
        self.types: list[int] = []
        self.values: list[bytes] = []

    def __len__(self) -> int:
        return len(self.values)

    def rows(self) -> list[bytes]:
        """The encoded row of every cell."""
        return [column[: column.index(END)] for column in self.columns]

    def drop(self, count: int) -> None:
        """Removes the first ``count`` cells."""
        del self.columns[:count], self.timestamps[:count]
        del self.types[:count], self.values[:count]


class Reading:
    """What a read wants of one family; the same for all its windows.

    Args:
        family: whose versions and time to live hold.
        read_point: cells of later writes are not seen.
        now_ms: what is expired at this time is not seen.
        max_versions: asked for; the family's limit holds as well.
        times: timestamps asked for.
        qualifiers: columns asked for; None for all of them.
        raw: whether tombstones are returned, too, and hide nothing; of the family's options
            none holds then.
        has_tags: whether a cell of the store may have tags (``Store.has_tags``); only then
            are cells' own times to live looked at.
        cache_blocks: whether blocks read from files stay in the cache.

    """

    __slots__ = (
        "cache_blocks",
        "file_times",
        "has_tags",
        "max_versions",
        "min_versions",
        "now_ms",
        "oldest",
        "qualifiers",
        "raw",
        "read_point",
        "suffixes",
        "times",
        "tombstones_below",
        "versions_played",
    )

    def __init__(
        self,
        family: FamilyDescriptor,
        read_point: int,
        now_ms: int,
        max_versions: int = 1,
        times: TimeRange = ALL_TIME,
        qualifiers: Sequence[bytes] | None = None,
        *,
        raw: bool = False,
        has_tags: bool = False,
        cache_blocks: bool = True,
    ) -> None:
        self.cache_blocks = cache_blocks
        self.raw = raw
        self.has_tags = has_tags
        self.read_point = read_point
        self.max_versions = max_versions if raw else min(max_versions, family.max_versions)
        self.min_versions = family.min_versions
        self.now_ms = now_ms
        self.oldest = max(now_ms - family.ttl_s * 1000, 0) if family.ttl_s and not raw else 0
        self.times = times
        self.file_times = times
        """Timestamps that decide what is seen: a file without any may be left out."""
        self.versions_played = 0
        """With NEW_VERSION_BEHAVIOR how many versions the family keeps; else 0."""
        if family.new_version_behavior and not raw:
            self.versions_played = family.max_versions
            if not times.is_all:
                self.file_times = TimeRange(times.start)  # later puts push out what is asked for
        self.tombstones_below = LATEST_TIMESTAMP + 1
        """Tombstones from this timestamp on hide nothing."""
        if family.keep_deleted_cells is not KeepDeletedCells.FALSE and not times.is_all:
            self.tombstones_below = times.stop
        self.qualifiers = None if qualifiers is None else sorted(set(qualifiers))
        self.suffixes = (
            None
            if self.qualifiers is None
            else frozenset(escape(one) + END for one in self.qualifiers)
        )
