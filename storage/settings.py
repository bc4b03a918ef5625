"""What a table and its families change of the server's settings for their own regions.

HBase's keys, with HBase's texts, may stand in the configuration or among the attributes of a
table or of a family; the family's go before the table's.
Source: StoreUtils.createStoreConfiguration, CompactionConfiguration.java.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..config import MasterConfig, StoreConfig
from ..errors import IllegalArgumentError
from ..model import FamilyDescriptor, TableDescriptor

_Reading = tuple[str, Callable[[str], object]]
"""(field of StoreConfig or MasterConfig, what turns a text into its value)."""


def _switch(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _class_name(text: str) -> str:
    """HBase's class names come with their package, which is not ours."""
    return text.strip().rpartition(".")[2]


def _seconds(text: str) -> float:
    return int(text) / 1000


STORE_KEYS: Final[Mapping[str, _Reading]] = {
    "hbase.hstore.compactionThreshold": ("compaction_files_min", int),
    "hbase.hstore.compaction.min": ("compaction_files_min", int),
    "hbase.hstore.compaction.max": ("compaction_files_max", int),
    "hbase.hstore.compaction.ratio": ("compaction_ratio", float),
    "hbase.hstore.compaction.ratio.offpeak": ("compaction_ratio_off_peak", float),
    "hbase.hstore.compaction.min.size": ("compaction_bytes_min", int),
    "hbase.hstore.compaction.max.size": ("compaction_bytes_max", int),
    "hbase.hstore.compaction.max.size.offpeak": ("compaction_bytes_max_off_peak", int),
    "hbase.regionserver.thread.compaction.throttle": ("compaction_throttle_bytes", int),
    "hbase.hstore.defaultengine.compactionpolicy.class": ("compaction_policy", _class_name),
    "hbase.hregion.majorcompaction": ("major_compaction_period_s", _seconds),
    "hbase.hregion.majorcompaction.jitter": ("major_compaction_jitter", float),
    "hbase.hstore.time.to.purge.deletes": ("purge_deletes_s", _seconds),
    "hbase.store.delete.expired.storefile": ("delete_expired_files", _switch),
    "hbase.hstore.blockingStoreFiles": ("blocking_store_files", int),
}
"""May stand at tables and families. Of two for one field the later one holds."""

REGION_KEYS: Final[Mapping[str, _Reading]] = {
    "hbase.hregion.memstore.block.multiplier": ("flush_block_multiplier", int),
    "hbase.regionserver.optionalcacheflushinterval": ("flush_interval_s", _seconds),
    "hbase.regionserver.flush.per.changes": ("flush_changes_max", int),
    "hbase.regionserver.flush.policy": ("flush_policy", _class_name),
    "FLUSH_POLICY": ("flush_policy", _class_name),
    "hbase.hregion.percolumnfamilyflush.size.lower.bound.min": ("flush_family_bytes_min", int),
    "hbase.hregion.percolumnfamilyflush.size.lower.bound": ("flush_family_bytes", int),
    "hbase.regionserver.region.split.policy": ("split_policy", _class_name),
    "SPLIT_POLICY": ("split_policy", _class_name),
    "hbase.increasing.policy.initial.size": ("split_first_bytes", int),
    "hbase.hregion.max.filesize.jitter": ("region_bytes_jitter", float),
    "hbase.hregion.split.overallfiles": ("split_overall_files", _switch),
    "hbase.busy.policy.blockedRequests": ("busy_blocked_fraction", float),
    "hbase.busy.policy.minAge": ("busy_age_s", _seconds),
    "hbase.busy.policy.aggWindow": ("busy_window_s", _seconds),
}
"""May stand at tables alone, for they are about regions."""

MASTER_KEYS: Final[Mapping[str, _Reading]] = {
    "hbase.reopen.table.regions.progressive.batch.size.max": ("reopen_batch_max", int),
    "hbase.reopen.table.regions.progressive.batch.backoff.ms": ("reopen_backoff_s", _seconds),
}
"""May stand at tables; the master alone looks at them."""

_UNSEEN_BY_REGIONS: Final = (
    *MASTER_KEYS,
    "MERGE_ENABLED",
    "NORMALIZATION_ENABLED",
    "NORMALIZER_TARGET_REGION_COUNT",
    "NORMALIZER_TARGET_REGION_SIZE",
    "NORMALIZER_TARGET_REGION_SIZE_MB",
    "OWNER",
)


def same_for_regions(one: TableDescriptor, other: TableDescriptor) -> bool:
    """Whether an open region need not notice that its table's descriptor has changed."""
    return _seen(one) == _seen(other)


def _seen(table: TableDescriptor) -> TableDescriptor:
    attributes, configuration = dict(table.attributes), dict(table.configuration)
    for key in _UNSEEN_BY_REGIONS:
        attributes.pop(key, None)
        configuration.pop(key, None)
    return replace(table, attributes=attributes, configuration=configuration)


def master_config(config: MasterConfig, table: TableDescriptor) -> MasterConfig:
    """The master's settings for what it does to the table.

    Raises IllegalArgumentError for a value that does not fit its key.
    """
    return replace(config, **_changes(texts_of(table), MASTER_KEYS, f"table {table.name}"))


def table_config(config: StoreConfig, table: TableDescriptor) -> StoreConfig:
    """The settings for regions of the table.

    Raises IllegalArgumentError for a value that does not fit its key.
    """
    changes = _changes(texts_of(table), {**STORE_KEYS, **REGION_KEYS}, f"table {table.name}")
    if table.flush_bytes:
        changes["flush_bytes"] = table.flush_bytes
    if table.region_bytes_max:
        changes["region_bytes_max"] = table.region_bytes_max
    return replace(config, **changes) if changes else config


def family_config(config: StoreConfig, family: FamilyDescriptor) -> StoreConfig:
    """The settings for stores of the family; ``config`` is its table's.

    Raises IllegalArgumentError for a value that does not fit its key.
    """
    where = f"family {family.name.decode('ascii', 'replace')}"
    changes = _changes(texts_of(family), STORE_KEYS, where)
    return replace(config, **changes) if changes else config


def texts_of(descriptor: TableDescriptor | FamilyDescriptor) -> dict[str, str]:
    """Attributes and configuration together, which HBase looks up as one."""
    return {**descriptor.configuration, **descriptor.attributes}


def is_enabled(table: TableDescriptor, what: str) -> bool:
    """Whether the table's switch ``what``, such as SPLIT_ENABLED, is on, as it is by default."""
    return texts_of(table).get(what, "true").strip().lower() == "true"


def _changes(
    attributes: Mapping[str, str], keys: Mapping[str, _Reading], where: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (field, read) in keys.items():
        text = attributes.get(key)
        if text is not None:
            try:
                found[field] = read(text)
            except (KeyError, ValueError):
                raise _misfit(where, key, text) from None
    return found


def _misfit(where: str, key: str, text: str) -> IllegalArgumentError:
    return IllegalArgumentError(f"{where}: {key} cannot be {text!r}")
