"""Options of tables and families: what is refused, and that the message says what is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raybase.config import MasterConfig
from raybase.errors import IllegalArgumentError, InvalidRequestError, UnsupportedOperationError
from raybase.model import FamilyDescriptor, TableDescriptor, TableName
from raybase.storage.table_check import check_table

TABLE = TableDescriptor(TableName.parse("t"), (FamilyDescriptor(b"f"),))


def family(**changes: Any) -> TableDescriptor:
    return replace(TABLE, families=(FamilyDescriptor(b"f", **changes),))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (replace(TABLE, region_bytes_max=1000), "t: MAX_FILESIZE is at least 2097152 bytes, not 1"),
        (replace(TABLE, flush_bytes=1000), "t: MEMSTORE_FLUSHSIZE is at least 1048576 bytes"),
        (family(block_bytes=512), "t, family f: BLOCKSIZE is from 1024 to 16777216 bytes, not 512"),
        (family(block_bytes=1 << 25), "BLOCKSIZE is from 1024 to 16777216 bytes, not 33554432"),
    ],
)
def test_sizes_that_are_unwise_pass_only_if_nobody_checks(
    table: TableDescriptor, message: str
) -> None:
    with pytest.raises(IllegalArgumentError, match=message):
        check_table(table)
    check_table(table, MasterConfig(table_checks=False))
    check_table(replace(table, configuration={"hbase.table.sanity.checks": "false"}))
    checked = replace(table, attributes={"hbase.table.sanity.checks": "true"})
    with pytest.raises(IllegalArgumentError, match=message):
        check_table(checked, MasterConfig(table_checks=False))


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("SPLIT_ENABLED", "perhaps", "SPLIT_ENABLED is one of true, false, not 'perhaps'"),
        ("COMPACTION_ENABLED", "", "COMPACTION_ENABLED is one of true, false"),
        ("hbase.hstore.blockingStoreFiles", "0", "blockingStoreFiles is at least 1, not 0"),
        ("hbase.hstore.compaction.min", "1", "compaction.min is at least 2, not 1"),
        ("hbase.hregion.max.filesize.jitter", "2", "jitter is from 0 to 1, not 2"),
        ("hbase.regionserver.flush.per.changes", "-1", "flush.per.changes is at least 1"),
        ("hbase.reopen.table.regions.progressive.batch.size.max", "-2", "is at least -1"),
        ("hbase.reopen.table.regions.progressive.batch.backoff.ms", "soon", "takes a number"),
        ("NORMALIZER_TARGET_REGION_COUNT", "0", "NORMALIZER_TARGET_REGION_COUNT is at least 1"),
        ("PRIORITY", "nan", "PRIORITY is at least"),
    ],
)
def test_a_tables_option_says_what_it_may_be(key: str, text: str, message: str) -> None:
    for where in ("attributes", "configuration"):
        changes: dict[str, Any] = {where: {key: text}}
        with pytest.raises(IllegalArgumentError, match=f"table t: .*{message}"):
            check_table(replace(TABLE, **changes))


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("DATA_BLOCK_ENCODING", "ZIGZAG", "is one of NONE, PREFIX, DIFF, FAST_DIFF, ROW_INDEX_V1"),
        ("REPLICATION_SCOPE", "7", "REPLICATION_SCOPE is one of 0, 1, not '7'"),
        ("IN_MEMORY_COMPACTION", "ALWAYS", "is one of NONE, BASIC, EAGER, ADAPTIVE"),
        ("CACHE_DATA_ON_WRITE", "1", "CACHE_DATA_ON_WRITE is one of true, false, not '1'"),
        ("hbase.hstore.compaction.ratio", "-1", "compaction.ratio is at least 0, not -1"),
    ],
)
def test_a_familys_option_says_what_it_may_be(key: str, text: str, message: str) -> None:
    with pytest.raises(IllegalArgumentError, match=f"table t, family f: .*{message}"):
        check_table(family(attributes={key: text}))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (replace(TABLE, attributes={"READONLY": "true"}), "READONLY can be false only"),
        (replace(TABLE, attributes={"REGION_REPLICATION": "3"}), "raybase has no region replicas"),
        (replace(TABLE, attributes={"coprocessor$1": "|a.B|1|"}), "has no coprocessors"),
        (family(attributes={"IS_MOB": "true"}), "family f: IS_MOB .* no MOB files"),
        (family(attributes={"ENCRYPTION": "AES"}), "no encryption of files"),
    ],
)
def test_what_raybase_does_not_have_is_not_taken_in_silence(
    table: TableDescriptor, message: str
) -> None:
    with pytest.raises(UnsupportedOperationError, match=message):
        check_table(table)


def test_what_hbases_clients_send_by_default_passes() -> None:
    attributes = {
        "DATA_BLOCK_ENCODING": "NONE",
        "REPLICATION_SCOPE": "0",
        "IN_MEMORY_COMPACTION": "NONE",
        "CACHE_DATA_ON_WRITE": "false",
        "EVICT_BLOCKS_ON_CLOSE": "false",
        "PREFETCH_BLOCKS_ON_OPEN": "false",
        "IS_MOB": "false",
    }
    check_table(
        replace(
            family(attributes=attributes),
            attributes={"REGION_REPLICATION": "1", "READONLY": "false", "SPLIT_ENABLED": "TRUE"},
        )
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_versions": 0},
        {"min_versions": 2},
        {"min_versions": -1},
        {"ttl_s": -1},
        {"compression": "ZIP"},
        {"block_bytes": 1},
    ],
)
def test_a_family_that_makes_no_sense_cannot_even_be_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        family(**wrong)
