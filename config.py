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

MIB: Final = 1024 * 1024


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise IllegalArgumentError(message)


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Memstores, files and the block cache of a region server."""

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
    """hbase.regionserver.optionalcacheflushinterval"""
    block_cache_bytes: int = 512 * MIB
    """hfile.block.cache.size (there a part of the heap)"""
    region_bytes_max: int = 10 * 1024 * MIB
    """A region splits when a store outgrows this. hbase.hregion.max.filesize"""
    compaction_files_min: int = 3
    """hbase.hstore.compaction.min"""
    compaction_files_max: int = 10
    """hbase.hstore.compaction.max"""
    compaction_ratio: float = 1.2
    """hbase.hstore.compaction.ratio"""
    compaction_bytes_min: int = 128 * MIB
    """Files below this are always worth compacting. hbase.hstore.compaction.min.size"""
    blocking_store_files: int = 16
    """A flush waits for a compaction above this. hbase.hstore.blockingStoreFiles"""
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
    report_grace_s: float = 0.0
    """Time between Ray's report of a death and the end of the session."""

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


@dataclass(frozen=True, slots=True)
class RegionServerConfig:
    handoff_bytes_max: int = 256 * MIB
    """Objects of flushed files are kept below this, oldest dropped first."""
    compaction_check_s: float = 10.0
    """hbase.regionserver.compaction.check.period"""
    moved_memory_s: float = 120.0
    """How long a server remembers where a region went. hbase keeps two minutes, too."""
    nonce_ttl_s: float = 1200.0
    """How long a nonce is remembered: a client's operation timeout.
    hbase.server.hashNonce.gracePeriod"""
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
