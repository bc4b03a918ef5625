"""Every setting, with its default, its unit and HBase's key where HBase has one.

Settings are data: frozen, picklable, the same in every process of a cluster. Components
(clock, files, network) are in ``runtime``, not here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Self

from .errors import IllegalArgumentError
from .store_config import KIB, MIB, StoreConfig, require

__all__ = [
    "KIB",
    "MIB",
    "BalancerConfig",
    "ClientConfig",
    "ClusterConfig",
    "CoordinatorConfig",
    "MasterConfig",
    "NormalizerConfig",
    "RegionServerConfig",
    "RpcConfig",
    "SessionConfig",
    "StoreConfig",
    "WalConfig",
]


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
        require(
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
    log_splits_max: int = 8
    """Logs of dead servers that are split at the same time, in a task each that holds all of its
    log in memory. hbase.regionserver.wal.max.splitters (a server; HBase ships 2)"""
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
        require(self.moves_max >= 2, "moves_max must be at least 2, for an exchange")
        require(self.in_transition_max >= 1, "in_transition_max must be at least 1")


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
    nonce_ttl_s: float = 1800.0
    """How long a nonce is remembered: a client's operation timeout, and as much again as a call
    under way, a failover and clocks that differ may add.
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
