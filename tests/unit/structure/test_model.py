"""Names and shapes: what is accepted, what is refused."""

from __future__ import annotations

import pytest

from raybase.config import ClusterConfig, SessionConfig
from raybase.errors import IllegalArgumentError
from raybase.model import (
    META_REGION,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
    TimeRange,
    check_row,
)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "../x", "a/b", "a\0b", "-a", ".a", "a:b:c", "ä", "a b", "x" * 201, ":a", "a:"],
)
def test_a_hostile_table_name_is_refused(text: str) -> None:
    with pytest.raises(IllegalArgumentError):
        TableName.parse(text)


@pytest.mark.parametrize("text", ["t", "T_1", "a.b-c", "ns:t", "hbase:meta"])
def test_a_table_name_reads_as_it_was_written(text: str) -> None:
    assert str(TableName.parse(text)) == text


def test_the_default_namespace_is_left_out() -> None:
    assert str(TableName.parse("default:t")) == "t"


def test_a_region_is_named_as_hbase_names_it() -> None:
    info = RegionInfo(TableName.parse("t"), b"abc", b"", 1700000000000)
    assert info.name == b"t,abc,1700000000000." + info.encoded_name.encode() + b"."
    assert len(info.encoded_name) == 32
    assert META_REGION.name == b"hbase:meta,,1"
    assert META_REGION.encoded_name == "1588230740"


@pytest.mark.parametrize("row", [b"", b"x" * 32768])
def test_a_row_no_table_can_hold_is_refused(row: bytes) -> None:
    with pytest.raises(IllegalArgumentError):
        check_row(row)


@pytest.mark.parametrize(
    "name", [b"", b"a:b", b"a/b", b".a", b"\x01", b"x" * 128, b"recovered.edits"]
)
def test_an_illegal_family_name_is_refused(name: bytes) -> None:
    with pytest.raises(IllegalArgumentError):
        FamilyDescriptor(name)


def test_families_of_a_table_are_sorted_and_unique() -> None:
    table = TableDescriptor(TableName.parse("t"), (FamilyDescriptor(b"b"), FamilyDescriptor(b"a")))
    assert [one.name for one in table.families] == [b"a", b"b"]
    with pytest.raises(IllegalArgumentError):
        TableDescriptor(TableName.parse("t"), (FamilyDescriptor(b"a"), FamilyDescriptor(b"a")))
    with pytest.raises(IllegalArgumentError):
        TableDescriptor(TableName.parse("t"), ())


def test_a_server_name_reads_as_it_was_written() -> None:
    assert str(ServerName.parse("h,1,2")) == "h,1,2"
    with pytest.raises(IllegalArgumentError):
        ServerName.parse("h:1")


def test_a_negative_time_range_is_refused() -> None:
    with pytest.raises(IllegalArgumentError):
        TimeRange(-1, 5)
    with pytest.raises(IllegalArgumentError):
        TimeRange(5, 4)


def test_settings_are_changed_by_name() -> None:
    config = ClusterConfig().with_settings({"store.flush_bytes": "77", "wal.hsync": "false"})
    assert config.store.flush_bytes == 77
    assert config.wal.hsync is False


@pytest.mark.parametrize(
    "setting",
    [{"store.nope": "1"}, {"nope.flush_bytes": "1"}, {"store.flush_bytes": "x"}, {"x": "1"}],
)
def test_an_unknown_or_ill_typed_setting_is_refused(setting: dict[str, str]) -> None:
    with pytest.raises(IllegalArgumentError):
        ClusterConfig().with_settings(setting)


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(IllegalArgumentError):
        SessionConfig(timeout_s=1.0, heartbeat_s=0.5)


def test_settings_come_from_the_environment() -> None:
    config = ClusterConfig.from_environment(
        {"RAYBASE_SESSION__TIMEOUT_S": "9", "RAYBASE_ROOT": "x"}
    )
    assert config.session.timeout_s == 9.0
