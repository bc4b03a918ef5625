"""Every setting, with its default, its unit and HBase's key where HBase has one.

Settings are data: frozen, picklable, the same in every process of a cluster. Components
(clock, files, network) are in ``runtime``, not here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, Self

from .errors import IllegalArgumentError

KIB: Final = 1024
MIB: Final = 1024 * KIB


def _require(condition: bool, message: str) -> None:
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
        _require(self.flush_bytes > 0, "flush_bytes must be positive")
        _require(self.flush_block_multiplier >= 2, "flush_block_multiplier must be at least 2")
        _require(0 < self.memstore_lower_fraction <= 1, "memstore_lower_fraction: in (0, 1]")
        _require(
            2 <= self.compaction_files_min <= self.compaction_files_max,
            "compaction_files: 2 <= min <= max",
        )
        _require(self.flush_threads >= 1, "flush_threads must be at least 1")
        _require(
            min(self.compaction_threads_small, self.compaction_threads_large) >= 1,
            "compaction_threads_small and _large must be at least 1",
        )
        _require(
            0 < self.compaction_bytes_per_s_low <= self.compaction_bytes_per_s_high,
            "compaction_bytes_per_s: 0 < low <= high",
        )
        _require(
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


@dataclass(frozen=True, slots=True)
class WalConfig:
    """The write-ahead log."""

    hsync: bool = True
    """Whether SYNC_WAL reaches the disk. hbase.wal.hsync (HBase ships it off)"""
    roll_bytes: int = 128 * MIB
    """hbase.regionserver.logroll.multiplier times the block size"""
    roll_interval_s: float = 3600.0
    """hbase.regionserver.logroll.period"""
    files_max: int = 32
    """Above it the regions that hold back the oldest file are flushed.
    hbase.regionserver.maxlogs"""


@dataclass(frozen=True, slots=True)
class RpcConfig:
    """Servers' side of HBase's RPC."""

    host: str = "127.0.0.1"
    """Address to bind and to be known by; loopback unless told otherwise."""
    port: int = 0
    """0: a free port. hbase.regionserver.port"""
    frame_bytes_max: int = 256 * MIB
    """hbase.ipc.max.request.size"""
    calls_waiting_max: int = 1000
    """hbase.ipc.server.max.callqueue.length"""
    calls_waiting_bytes_max: int = 512 * MIB
    """Requests under way together. hbase.ipc.server.max.callqueue.size"""
    scanner_lease_s: float = 60.0
    """hbase.client.scanner.timeout.period"""
    scan_result_bytes_max: int = 100 * MIB
    """hbase.server.scanner.max.result.size"""
    scan_slice_s: float = 0.005
    """A scan gives way to other calls after this."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Sessions with the coordinator."""

    timeout_s: float = 6.0
    """zookeeper.session.timeout (HBase ships 90)"""
    heartbeat_s: float = 1.0

    def __post_init__(self) -> None:
        _require(
            self.heartbeat_s * 3 <= self.timeout_s,
            "a session must outlive three heartbeats: heartbeat_s * 3 <= timeout_s",
        )


@dataclass(frozen=True, slots=True)
class CoordinatorConfig:
    snapshot_log_bytes: int = 4 * MIB
    """The log is replaced by a snapshot when it outgrows this."""


@dataclass(frozen=True, slots=True)
class MasterConfig:
    region_servers: int = 3
    """How many region servers the master keeps alive."""
    balancer_period_s: float = 300.0
    """hbase.balancer.period"""
    janitor_period_s: float = 300.0
    """hbase.catalogjanitor.interval"""
    archive_ttl_s: float = 300.0
    """hbase.master.hfilecleaner.ttl"""
    old_wal_ttl_s: float = 600.0
    """hbase.master.logcleaner.ttl"""
    server_wait_s: float = 4.5
    """How long a starting master waits for more region servers before it assigns.
    hbase.master.wait.on.regionservers.interval"""
    control_call_timeout_s: float = 10.0
    """A control call without an answer is made again after this."""
    open_attempts_max: int = 10
    """Tries in a row to open a region, before its table may be changed and they begin again.
    hbase.assignment.maximum.attempts (HBase ships no limit)"""
    quotas: bool = True
    """Whether a namespace's quotas of tables and regions hold. hbase.quota.enabled (HBase ships
    it off)"""
    table_checks: bool = True
    """Whether tables with sizes below the next two are refused. hbase.table.sanity.checks"""
    region_bytes_min: int = 2 * MIB
    """hbase.hregion.max.filesize.limit"""
    flush_bytes_min: int = MIB
    """hbase.hregion.memstore.flush.size.limit"""
    reopen_batch_max: int = 8
    """Regions of an altered table that are opened again at the same time; the first time it is
    one, then twice as many each time up to this. -1: all at once, which HBase ships.
    hbase.reopen.table.regions.progressive.batch.size.max"""
    reopen_backoff_s: float = 0.0
    """Pause before the next of them. hbase.reopen.table.regions.progressive.batch.backoff.ms"""


@dataclass(frozen=True, slots=True)
class BalancerConfig:
    """When regions are moved to even out the cluster. Costs are from 0 to 1."""

    cost_min: float = 0.025
    """A cluster that costs less is left alone, unless its region counts are uneven.
    hbase.master.balancer.stochastic.minCostNeedBalance"""
    gain_min: float = 0.001
    """A run that would lower the cost by less moves nothing."""
    moves_max: int = 600
    """Of one run. As many as MoveCostFunction.java allows at least."""
    in_transition_max: int = 4
    """Regions on the way at a time. hbase.master.balancer.maxRitPercent (there a part of all)"""

    def __post_init__(self) -> None:
        _require(self.moves_max >= 2, "moves_max must be at least 2, for an exchange")
        _require(self.in_transition_max >= 1, "in_transition_max must be at least 1")


@dataclass(frozen=True, slots=True)
class NormalizerConfig:
    """When a table's regions are split and merged to be of like size, if the table asks for it."""

    period_s: float = 300.0
    """hbase.normalizer.period (ms)"""
    split_enabled: bool = True
    """hbase.normalizer.split.enabled"""
    merge_enabled: bool = True
    """hbase.normalizer.merge.enabled"""
    merge_regions_min: int = 3
    """Regions of smaller tables are not merged. hbase.normalizer.merge.min.region.count"""
    merge_age_s: float = 3 * 86_400.0
    """Younger regions are not merged. hbase.normalizer.merge.min_region_age.days"""
    merge_bytes_min: int = MIB
    """Smaller regions are not merged: they may be new and empty.
    hbase.normalizer.merge.min_region_size.mb"""
    merge_regions_max: int = 100
    """Merged at a time. hbase.normalizer.merge.merge_request_max_number_of_regions"""


@dataclass(frozen=True, slots=True)
class RegionServerConfig:
    handoff_bytes_max: int = 256 * MIB
    """Objects of flushed files are kept below this, oldest dropped first."""
    compaction_check_s: float = 10.0
    """hbase.regionserver.compaction.check.period"""
    handover_timeout_s: float = 1.0
    """A region that moves goes on being served where it is if its target has not taken it over
    after this; nobody serves it meanwhile."""
    moved_memory_s: float = 120.0
    """How long a server remembers where a region went. hbase keeps two minutes, too."""
    nonce_ttl_s: float = 1200.0
    """How long a nonce is remembered: a client's operation timeout.
    hbase.server.hashNonce.gracePeriod"""
    regions_max: int = 1000
    """A server with so many regions asks for no more splits.
    hbase.regionserver.regionSplitLimit"""
    open_threads: int = 3
    """Regions opened at a time. hbase.regionserver.executor.openregion.threads"""
    close_threads: int = 3
    """Regions closed at a time. hbase.regionserver.executor.closeregion.threads"""
    slice_s: float = 0.001
    """Long work on the loop gives way after this."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    operation_timeout_s: float = 1200.0
    """hbase.client.operation.timeout"""
    call_timeout_s: float = 60.0
    """hbase.rpc.timeout"""
    pause_s: float = 0.1
    """hbase.client.pause"""
    attempts_max: int = 16
    """hbase.client.retries.number + 1"""
    scan_result_bytes: int = 2 * MIB
    """hbase.client.scanner.max.result.size"""
    cell_bytes_max: int = 10 * MIB
    """hbase.client.keyvalue.maxsize"""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """All of it; what the cluster's processes compare when one meets another."""

    store: StoreConfig = field(default_factory=StoreConfig)
    wal: WalConfig = field(default_factory=WalConfig)
    rpc: RpcConfig = field(default_factory=RpcConfig)
    session: SessionConfig = field(default_factory=SessionConfig)
    coordinator: CoordinatorConfig = field(default_factory=CoordinatorConfig)
    master: MasterConfig = field(default_factory=MasterConfig)
    balancer: BalancerConfig = field(default_factory=BalancerConfig)
    normalizer: NormalizerConfig = field(default_factory=NormalizerConfig)
    region_server: RegionServerConfig = field(default_factory=RegionServerConfig)

    def with_settings(self, settings: Mapping[str, str]) -> Self:
        """A copy with ``{"store.flush_bytes": "1048576", ...}`` applied.

        Raises IllegalArgumentError for a name that does not exist or a value that does not
        fit it.
        """
        changed = self
        for name, text in settings.items():
            part_name, _, field_name = name.partition(".")
            part: Any = getattr(changed, part_name, None)
            known = {one.name for one in fields(part)} if is_dataclass(part) else set()
            if field_name not in known:
                raise IllegalArgumentError(f"no setting is called {name!r}")
            value = _converted(name, text, getattr(part, field_name))
            part = replace(part, **{field_name: value})
            changed = replace(changed, **{part_name: part})
        return changed

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Defaults, changed by variables such as ``RAYBASE_STORE__FLUSH_BYTES=1048576``."""
        source = os.environ if environment is None else environment
        settings = {
            name.removeprefix("RAYBASE_").lower().replace("__", ".", 1): text
            for name, text in source.items()
            if name.startswith("RAYBASE_") and "__" in name
        }
        return cls().with_settings(settings)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _converted(name: str, text: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        return type(default)(text)  # type: ignore[call-arg]
    except (KeyError, ValueError):
        raise IllegalArgumentError(
            f"setting {name} takes a {type(default).__name__}, not {text!r}"
        ) from None
