"""A table's and a family's own settings, and schemas that are refused for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from raybase.config import MIB, StoreConfig
from raybase.errors import IllegalArgumentError
from raybase.model import FamilyDescriptor, TableDescriptor, TableName
from raybase.storage.settings import (
    REGION_KEYS,
    STORE_KEYS,
    family_config,
    is_enabled,
    table_config,
)
from raybase.storage.table_check import check_table

FAMILY = FamilyDescriptor(b"f")
TABLE = TableDescriptor(TableName.parse("t"), (FAMILY,))
CONFIG = StoreConfig()


def table(**attributes: str) -> TableDescriptor:
    return replace(TABLE, attributes=attributes)


def test_without_values_of_their_own_the_servers_hold() -> None:
    assert table_config(CONFIG, TABLE) == CONFIG
    assert family_config(CONFIG, FAMILY) == CONFIG


def test_a_familys_value_goes_before_its_tables_and_that_before_the_servers() -> None:
    key = "hbase.hstore.compaction.max"
    of_table = table_config(CONFIG, replace(TABLE, configuration={key: "20"}))
    assert of_table.compaction_files_max == 20
    assert family_config(of_table, FAMILY).compaction_files_max == 20
    own = replace(FAMILY, configuration={key: "30"})
    assert family_config(of_table, own).compaction_files_max == 30
    assert family_config(of_table, replace(FAMILY, attributes={key: "31"})) != of_table


def test_descriptor_fields_are_settings_too() -> None:
    sized = replace(TABLE, flush_bytes=7 * MIB, region_bytes_max=9 * MIB)
    config = table_config(CONFIG, sized)
    assert (config.flush_bytes, config.region_bytes_max) == (7 * MIB, 9 * MIB)


def test_every_key_is_read_into_a_field_of_its_type() -> None:
    texts = {int: "3", float: "0.25", bool: "false", str: "org.apache.hadoop.hbase.Some"}
    for key, (field, _) in {**STORE_KEYS, **REGION_KEYS}.items():
        kind = type(getattr(CONFIG, field))
        text = "4500" if field.endswith("_s") else texts[kind]
        changed = getattr(table_config(CONFIG, table(**{key: text})), field)
        assert type(changed) is kind
        expected = {"4500": 4.5, "3": 3, "0.25": 0.25, "false": False}.get(text, "Some")
        assert changed == expected, key


def test_the_newer_of_two_names_of_a_setting_holds() -> None:
    both = {"hbase.hstore.compaction.min": "4", "hbase.hstore.compactionThreshold": "5"}
    assert table_config(CONFIG, table(**both)).compaction_files_min == 4


def test_a_region_setting_of_a_family_is_not_one() -> None:
    own = replace(FAMILY, attributes={"SPLIT_POLICY": "DisabledRegionSplitPolicy"})
    assert family_config(CONFIG, own) == CONFIG


@pytest.mark.parametrize(
    ("text", "expected"), [(None, True), ("true", True), ("TRUE", True), ("false", False)]
)
def test_switches_are_on_unless_they_say_otherwise(text: str | None, expected: bool) -> None:
    found = TABLE if text is None else table(SPLIT_ENABLED=text)
    assert is_enabled(found, "SPLIT_ENABLED") is expected
    assert is_enabled(found, "COMPACTION_ENABLED")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"SPLIT_POLICY": "org.example.MySplitPolicy"}, "MySplitPolicy"),
        ({"FLUSH_POLICY": "FlushNothingPolicy"}, "FlushNothingPolicy"),
        ({"hbase.hstore.defaultengine.compactionpolicy.class": "a.b.Stripes"}, "Stripes"),
        ({"hbase.hstore.compaction.ratio": "much"}, r"table t: .*ratio takes a number, not 'much'"),
        ({"hbase.store.delete.expired.storefile": "maybe"}, "maybe"),
        ({"hbase.hstore.compaction.min": "7", "hbase.hstore.compaction.max": "5"}, "min <= max"),
        ({"hbase.hregion.memstore.block.multiplier": "1"}, "multiplier is at least 2, not 1"),
        ({"SPLIT_POLICY": "KeyPrefixRegionSplitPolicy"}, "prefix_length"),
    ],
)
def test_a_schema_with_which_no_region_could_be_opened_is_refused(
    attributes: dict[str, str], message: str
) -> None:
    check_table(TABLE)
    with pytest.raises(IllegalArgumentError, match=message):
        check_table(table(**attributes))


def test_a_familys_policy_is_checked_too() -> None:
    key = "hbase.hstore.defaultengine.compactionpolicy.class"
    name = "org.apache.hadoop.hbase.regionserver.compactions.RatioBasedCompactionPolicy"
    check_table(replace(TABLE, families=(replace(FAMILY, configuration={key: name}),)))
    wrong = replace(FAMILY, configuration={key: "FIFOCompactionPolicy"})
    with pytest.raises(IllegalArgumentError, match="FIFOCompactionPolicy"):
        check_table(replace(TABLE, families=(wrong,)))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (-1, -1, []),
        (3, 3, []),
        (3, 5, [3, 4]),
        (22, 2, [0, 1, 22, 23]),
        (5, -1, []),
    ],
)
def test_off_peak_hours_may_go_over_midnight(start: int, end: int, hours: list[int]) -> None:
    config = StoreConfig(off_peak_start_hour=start, off_peak_end_hour=end)
    day_ms = 86_400_000
    found = [hour for hour in range(24) if config.is_off_peak(9 * day_ms + hour * 3_600_000 + 7)]
    assert found == hours
