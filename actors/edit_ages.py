"""How long edits have been in memory, without a clock at every write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..config import StoreConfig
from ..model import TableName
from ..storage.store import Store

SYSTEM_FLUSH_INTERVAL_S: Final = 300.0
"""For the tables of namespace hbase, whose logs are to be short."""


class EditAges:
    """Which families of a region have edits in memory for longer than the flush interval.

    Known to within the time between two looks. Source: HStore.timeOfOldestEdit,
    HRegion.shouldFlush.
    """

    def __init__(self, table: TableName, config: StoreConfig) -> None:
        self._interval_s = SYSTEM_FLUSH_INTERVAL_S if table.is_system else config.flush_interval_s
        self._seen: dict[bytes, tuple[int, float]] = {}
        """Family -> (sequence id of its oldest edit, when that was first seen)."""

    def look(self, stores: Mapping[bytes, Store], now_s: float) -> tuple[bytes, ...]:
        """The families with old edits now. Call it every few seconds: what was never seen
        before is not old."""
        if self._interval_s <= 0:
            return ()
        old = []
        for family, store in stores.items():
            oldest = store.oldest_unflushed
            if self._seen.get(family, (0, 0.0))[0] != oldest:
                self._seen[family] = oldest, now_s
            elif oldest and now_s - self._seen[family][1] > self._interval_s:
                old.append(family)
        return tuple(old)
