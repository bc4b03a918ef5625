"""Whether a table can be had as it is described: asked before it is created or altered.

Source: TableDescriptorChecker.java.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from ..config import KIB, MIB, MasterConfig, StoreConfig
from ..errors import IllegalArgumentError, UnsupportedOperationError
from ..model import FamilyDescriptor, TableDescriptor
from .compaction_policy import compaction_policy
from .flush_policy import flush_policy
from .settings import family_config, master_config, table_config, texts_of
from .split_policy import split_policy

_SWITCH: Final = ("true", "false")
_TABLE_CHOICES: Final = dict.fromkeys(
    ("SPLIT_ENABLED", "MERGE_ENABLED", "COMPACTION_ENABLED", "NORMALIZATION_ENABLED"), _SWITCH
)
_FAMILY_CHOICES: Final = {
    "DATA_BLOCK_ENCODING": ("NONE", "PREFIX", "DIFF", "FAST_DIFF", "ROW_INDEX_V1"),
    "IN_MEMORY_COMPACTION": ("NONE", "BASIC", "EAGER", "ADAPTIVE"),
    "REPLICATION_SCOPE": ("0", "1"),
    **dict.fromkeys(
        (
            "CACHE_DATA_ON_WRITE",
            "CACHE_INDEX_ON_WRITE",
            "CACHE_BLOOMS_ON_WRITE",
            "COMPRESS_TAGS",
            "EVICT_BLOCKS_ON_CLOSE",
            "PREFETCH_BLOCKS_ON_OPEN",
        ),
        _SWITCH,
    ),
}
_NOT_OFFERED: Final = {
    "READONLY": ("false", "read-only tables"),
    "REGION_REPLICATION": ("1", "region replicas"),
    "IS_MOB": ("false", "MOB files"),
    "ENCRYPTION": ("", "encryption of files"),
}
"""What raybase does not have: the text that asks for nothing of it, and what it is."""
_COPROCESSOR: Final = re.compile(r"coprocessor\$\d+", re.IGNORECASE)

Range = tuple[float, float]
_COUNT: Final = (1, math.inf)
_SIZE: Final = (0, math.inf)
_STORE_RANGES: Final[Mapping[str, Range]] = {
    "hbase.hstore.compactionThreshold": (2, math.inf),
    "hbase.hstore.compaction.min": (2, math.inf),
    "hbase.hstore.compaction.max": (2, math.inf),
    "hbase.hstore.compaction.ratio": _SIZE,
    "hbase.hstore.compaction.ratio.offpeak": _SIZE,
    "hbase.hstore.compaction.max.size": _COUNT,
    "hbase.hregion.majorcompaction": _SIZE,
    "hbase.hregion.majorcompaction.jitter": (0, 1),
    "hbase.hstore.time.to.purge.deletes": _SIZE,
    "hbase.hstore.blockingStoreFiles": _COUNT,
}
_TABLE_RANGES: Final[Mapping[str, Range]] = {
    **_STORE_RANGES,
    "hbase.hregion.memstore.block.multiplier": (2, math.inf),
    "hbase.regionserver.optionalcacheflushinterval": _SIZE,
    "hbase.regionserver.flush.per.changes": _COUNT,
    "hbase.hregion.max.filesize.jitter": (0, 1),
    "hbase.busy.policy.blockedRequests": (0, 1),
    "hbase.reopen.table.regions.progressive.batch.size.max": (-1, math.inf),
    "hbase.reopen.table.regions.progressive.batch.backoff.ms": _SIZE,
    "NORMALIZER_TARGET_REGION_COUNT": _COUNT,
    "NORMALIZER_TARGET_REGION_SIZE_MB": _COUNT,
    "PRIORITY": (-math.inf, math.inf),
}
_SANITY_CHECKS: Final = "hbase.table.sanity.checks"


def check_table(table: TableDescriptor, config: MasterConfig | None = None) -> None:
    """Returns if regions of the table could be opened, and it would be worth while.

    Sizes that only are unwise pass when ``hbase.table.sanity.checks`` is false, in ``config``
    or at the table.

    Raises IllegalArgumentError, naming option and allowed values, or
    UnsupportedOperationError for what raybase does not have.
    """
    config = config or MasterConfig()
    where = f"table {table.name}"
    _check_texts(where, texts_of(table), _TABLE_CHOICES, _TABLE_RANGES)
    store_config = table_config(StoreConfig(), table)
    master_config(config, table)
    split_policy(store_config, texts_of(table))
    flush_policy(store_config)
    for family in table.families:
        at_family = f"{where}, family {family.name.decode('ascii')}"
        _check_texts(at_family, texts_of(family), _FAMILY_CHOICES, _STORE_RANGES)
        compaction_policy(family_config(store_config, family), family)
    wanted = texts_of(table).get(_SANITY_CHECKS, str(config.table_checks)).lower()
    if wanted != "false":
        _check_sizes(where, table, config)


def _check_texts(
    where: str,
    texts: Mapping[str, str],
    choices: Mapping[str, tuple[str, ...]],
    ranges: Mapping[str, Range],
) -> None:
    for key, text in texts.items():
        if key in _NOT_OFFERED and text.lower() != _NOT_OFFERED[key][0]:
            allowed, what = _NOT_OFFERED[key]
            raise UnsupportedOperationError(
                f"{where}: {key} can be {allowed or 'empty'} only, not {text!r}: "
                f"raybase has no {what}"
            )
        if _COPROCESSOR.fullmatch(key):
            raise UnsupportedOperationError(f"{where}: {key}: raybase has no coprocessors")
        if key in choices and text.upper() not in map(str.upper, choices[key]):
            raise IllegalArgumentError(
                f"{where}: {key} is one of {', '.join(choices[key])}, not {text!r}"
            )
        if key in ranges:
            _check_range(f"{where}: {key}", text, ranges[key])


def _check_range(what: str, text: str, allowed: Range) -> None:
    low, high = allowed
    try:
        number = float(text)
    except ValueError:
        raise IllegalArgumentError(f"{what} takes a number, not {text!r}") from None
    if not low <= number <= high:
        bounds = f"is at least {low:g}" if high == math.inf else f"is from {low:g} to {high:g}"
        raise IllegalArgumentError(f"{what} {bounds}, not {text}")


def _check_sizes(where: str, table: TableDescriptor, config: MasterConfig) -> None:
    """Of files, memstores and blocks: too small ones make too many, too large ones do not fit."""
    if table.region_bytes_max:
        _check_size(f"{where}: MAX_FILESIZE", table.region_bytes_max, config.region_bytes_min)
    if table.flush_bytes:
        _check_size(f"{where}: MEMSTORE_FLUSHSIZE", table.flush_bytes, config.flush_bytes_min)
    for family in table.families:
        _check_blocks(f"{where}, family {family.name.decode('ascii')}", family)


def _check_size(what: str, size: int, smallest: int) -> None:
    if size < smallest:
        raise IllegalArgumentError(
            f"{what} is at least {smallest} bytes, not {size}, unless {_SANITY_CHECKS} is false"
        )


def _check_blocks(where: str, family: FamilyDescriptor) -> None:
    if not KIB <= family.block_bytes <= 16 * MIB:
        raise IllegalArgumentError(
            f"{where}: BLOCKSIZE is from {KIB} to {16 * MIB} bytes, not {family.block_bytes}, "
            f"unless {_SANITY_CHECKS} is false"
        )
