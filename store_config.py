"""StoreConfig: the settings of memstores, files and the block cache. Part of config.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .errors import IllegalArgumentError

KIB: Final = 1024
MIB: Final = 1024 * KIB


def require(condition: bool, message: str) -> None:
    """Raises IllegalArgumentError with the message unless the condition holds."""
    if not condition:
        raise IllegalArgumentError(message)


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Memstores, files and the block cache of a region server.

    A table's and a family's own values of most of them go before (storage/settings.py).
    """

    flush_bytes: int = 128 * MIB
    """A region's memstore is flushed above this. hbase.hregion.memstore.flush.size"""
    flush_block_multiplier: int = 4
    """Writers of a region are pushed back above this times flush_bytes.
    hbase.hregion.memstore.block.multiplier"""
    memstore_bytes_max: int = 1024 * MIB
    """All memstores of a server together; above it writers wait.
    hbase.regionserver.global.memstore.size (there a part of the heap)"""
    memstore_lower_fraction: float = 0.95
    """Flushing begins at this part of memstore_bytes_max.
    hbase.regionserver.global.memstore.size.lower.limit"""
    flush_interval_s: float = 3600.0
    """Edits older than this are flushed; those of hbase's tables after 300 s; 0: none is.
    hbase.regionserver.optionalcacheflushinterval (ms)"""
    flush_delay_s: float = 300.0
    """Flushes of old edits are spread over so much time.
    hbase.regionserver.periodicmemstoreflusher.rangeofdelayseconds"""
    flush_changes_max: int = 30_000_000
    """A region with edits older than so many later ones is flushed.
    hbase.regionserver.flush.per.changes"""
    flush_policy: str = "FlushAllLargeStoresPolicy"
    """Which families a flush takes. hbase.regionserver.flush.policy"""
    flush_family_bytes_min: int = 16 * MIB
    """A family with less in memory is not large.
    hbase.hregion.percolumnfamilyflush.size.lower.bound.min"""
    flush_family_bytes: int = -1
    """A family with more in memory is large; -1: an equal share of flush_bytes, and at least
    flush_family_bytes_min. hbase.hregion.percolumnfamilyflush.size.lower.bound"""
    flush_threads: int = 2
    """Regions flushed at a time. hbase.hstore.flusher.count"""
    preclose_flush_bytes: int = 5 * MIB
    """A region with more in memory is flushed once before it stops serving.
    hbase.hregion.preclose.flush.size"""
    block_cache_bytes: int = 512 * MIB
    """hfile.block.cache.size (there a part of the heap)"""
    block_cache_l2_bytes: int = 0
    """A second tier that holds blocks as they are stored, off the heap; 0: none. Worth while
    where a read of the root takes longer than one of memory. hbase.bucketcache.size (MB)"""
    region_bytes_max: int = 10 * 1024 * MIB
    """A region splits when a store outgrows this. hbase.hregion.max.filesize"""
    region_bytes_jitter: float = 0.25
    """Each opening changes region_bytes_max by up to half of this part of it.
    hbase.hregion.max.filesize.jitter"""
    split_policy: str = "SteppingSplitPolicy"
    """When a region splits, and where. hbase.regionserver.region.split.policy"""
    split_first_bytes: int = -1
    """A table's only region at a server splits above this; -1: twice flush_bytes.
    hbase.increasing.policy.initial.size"""
    split_overall_files: bool = False
    """Whether all stores count together. hbase.hregion.split.overallfiles"""
    busy_blocked_fraction: float = 0.2
    """BusyRegionSplitPolicy splits when so many writes are pushed back.
    hbase.busy.policy.blockedRequests"""
    busy_age_s: float = 600.0
    """It leaves younger regions alone. hbase.busy.policy.minAge (ms)"""
    busy_window_s: float = 300.0
    """Over which it counts. hbase.busy.policy.aggWindow (ms)"""
    compaction_policy: str = "ExploringCompactionPolicy"
    """hbase.hstore.defaultengine.compactionpolicy.class"""
    compaction_files_min: int = 3
    """hbase.hstore.compaction.min"""
    compaction_files_max: int = 10
    """hbase.hstore.compaction.max"""
    compaction_ratio: float = 1.2
    """hbase.hstore.compaction.ratio"""
    compaction_ratio_off_peak: float = 5.0
    """hbase.hstore.compaction.ratio.offpeak"""
    compaction_bytes_min: int = -1
    """Files below this are always worth compacting; -1: flush_bytes.
    hbase.hstore.compaction.min.size"""
    compaction_bytes_max: int = 2**63 - 1
    """Files above this are left out of minor compactions. hbase.hstore.compaction.max.size"""
    compaction_bytes_max_off_peak: int = -1
    """-1: compaction_bytes_max. hbase.hstore.compaction.max.size.offpeak"""
    compaction_throttle_bytes: int = -1
    """Compactions above this are large, with threads of their own; -1: 2 times
    compaction_files_max times flush_bytes. hbase.regionserver.thread.compaction.throttle"""
    compaction_threads_small: int = 1
    """hbase.regionserver.thread.compaction.small"""
    compaction_threads_large: int = 1
    """hbase.regionserver.thread.compaction.large"""
    compaction_bytes_per_s_low: int = 50 * MIB
    """Compactions of a server write no faster than this together while no store has many
    files. hbase.hstore.compaction.throughput.lower.bound"""
    compaction_bytes_per_s_high: int = 100 * MIB
    """The limit as a store comes near blocking_store_files; above them there is none.
    hbase.hstore.compaction.throughput.higher.bound"""
    compaction_bytes_per_s_off_peak: int = 2**63 - 1
    """hbase.hstore.compaction.throughput.offpeak"""
    off_peak_start_hour: int = -1
    """From this hour of the day (UTC) to off_peak_end_hour the off-peak values hold; -1:
    never. hbase.offpeak.start.hour (there local time)"""
    off_peak_end_hour: int = -1
    """hbase.offpeak.end.hour"""
    major_compaction_period_s: float = 604_800.0
    """Stores with older files are compacted whole; 0: none is.
    hbase.hregion.majorcompaction (ms)"""
    major_compaction_jitter: float = 0.5
    """The period is changed by up to this part of it. hbase.hregion.majorcompaction.jitter"""
    purge_deletes_s: float = 0.0
    """Tombstones younger than this outlive a major compaction.
    hbase.hstore.time.to.purge.deletes (ms)"""
    delete_expired_files: bool = True
    """Whether files of which every cell has outlived the family's TTL go without being
    read. hbase.store.delete.expired.storefile"""
    blocking_store_files: int = 16
    """A flush waits for a compaction above this. hbase.hstore.blockingStoreFiles"""
    blocking_wait_s: float = 90.0
    """So long, and no longer. hbase.hstore.blockingWaitTime (ms)"""
    cell_bytes_max: int = 10 * MIB
    """hbase.server.keyvalue.maxsize"""
    block_fetch_parallel: int = 4

    def __post_init__(self) -> None:
        require(self.flush_bytes > 0, "flush_bytes must be positive")
        require(self.flush_block_multiplier >= 2, "flush_block_multiplier must be at least 2")
        require(0 < self.memstore_lower_fraction <= 1, "memstore_lower_fraction: in (0, 1]")
        require(
            2 <= self.compaction_files_min <= self.compaction_files_max,
            "compaction_files: 2 <= min <= max",
        )
        require(self.flush_threads >= 1, "flush_threads must be at least 1")
        require(
            min(self.compaction_threads_small, self.compaction_threads_large) >= 1,
            "compaction_threads_small and _large must be at least 1",
        )
        require(
            0 < self.compaction_bytes_per_s_low <= self.compaction_bytes_per_s_high,
            "compaction_bytes_per_s: 0 < low <= high",
        )
        require(
            all(-1 <= one <= 23 for one in (self.off_peak_start_hour, self.off_peak_end_hour)),
            "off-peak hours are -1 or in 0..23",
        )

    def is_off_peak(self, now_ms: int) -> bool:
        """Whether the off-peak values hold at this time. Source: OffPeakHours.java."""
        start, end = self.off_peak_start_hour, self.off_peak_end_hour
        if start < 0 or end < 0 or start == end:
            return False
        hour = now_ms // 3_600_000 % 24
        return start <= hour < end if start < end else hour >= start or hour < end
