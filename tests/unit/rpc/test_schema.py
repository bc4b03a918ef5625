from __future__ import annotations

import pytest

from raybase.errors import BadFrameError, IllegalArgumentError
from raybase.model import (
    META_REGION,
    META_TABLE,
    BloomType,
    Durability,
    FamilyDescriptor,
    FileFormat,
    KeepDeletedCells,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from raybase.rpc import convert
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.schema import parsed

REGION = RegionInfo(TableName("ns", "t"), b"a,\x00", b"b", 1700000000000)


@pytest.mark.parametrize(
    "region", [REGION, META_REGION, REGION.with_flags(offline=True, split=True)]
)
def test_a_region_survives(region: RegionInfo) -> None:
    assert convert.region_info_from_pb(convert.region_info_to_pb(region)) == region
    value = convert.region_info_to_cell(region)
    assert value.startswith(b"PBUF")
    assert convert.region_info_from_cell(value) == region


@pytest.mark.parametrize("value", [b"", b"PBUF", b"PBU", b"XXXX\x08\x01", b"PBUF\xff"])
def test_a_value_that_is_no_region_is_refused(value: bytes) -> None:
    with pytest.raises(BadFrameError):
        convert.region_info_from_cell(value)


def test_a_region_can_be_named_in_full_or_by_its_encoded_name() -> None:
    for region in (REGION, META_REGION):
        assert convert.encoded_name(region.name) == region.encoded_name
        assert convert.region_of(convert.region_specifier(region.name)) == region.encoded_name
    specifier = pb.RegionSpecifier(
        type=pb.RegionSpecifier.ENCODED_REGION_NAME, value=REGION.encoded_name.encode()
    )
    assert convert.region_of(specifier) == REGION.encoded_name


@pytest.mark.parametrize("name", [b"t,,1", b"t,,1.", b"t,,1..", b"t,,1.ab.x", b"\xff"])
def test_what_is_no_region_name_is_refused(name: bytes) -> None:
    with pytest.raises(IllegalArgumentError):
        convert.encoded_name(name)


def test_a_server_survives() -> None:
    name = ServerName("host", 16020, 1700000000000)
    assert convert.server_name_from_pb(convert.server_name_to_pb(name)) == name


def test_the_default_namespace_may_be_left_empty() -> None:
    assert convert.table_name_from_pb(pb.TableName(namespace=b"", qualifier=b"t")) == TableName(
        "default", "t"
    )


@pytest.mark.parametrize("qualifier", [b"..", b"a/b", b"a\0", b"\xff", b""])
def test_hostile_table_names_are_refused(qualifier: bytes) -> None:
    with pytest.raises(IllegalArgumentError):
        convert.table_name_from_pb(pb.TableName(namespace=b"default", qualifier=qualifier))


def test_a_table_survives() -> None:
    table = TableDescriptor(
        TableName("default", "t"),
        (
            FamilyDescriptor(b"a"),
            FamilyDescriptor(
                b"b",
                max_versions=3,
                min_versions=1,
                ttl_s=60,
                block_bytes=4096,
                bloom=BloomType.ROWPREFIX_FIXED_LENGTH,
                bloom_prefix_bytes=5,
                keep_deleted_cells=KeepDeletedCells.TTL,
                new_version_behavior=True,
                in_memory=True,
                cache_blocks=False,
                file_format=FileFormat.HBASE,
                compression="GZ",
                attributes={"REPLICATION_SCOPE": "1"},
                configuration={"hbase.hstore.compaction.min": "4"},
            ),
        ),
        durability=Durability.ASYNC_WAL,
        region_bytes_max=1 << 20,
        flush_bytes=4096,
        attributes={"OWNER": "ann"},
        configuration={"hbase.hregion.majorcompaction": "0"},
    )
    assert convert.table_from_pb(convert.table_to_pb(table)) == table


def test_hbases_own_attributes_are_understood() -> None:
    schema = pb.TableSchema(table_name=pb.TableName(namespace=b"default", qualifier=b"t"))
    family = schema.column_families.add(name=b"cf")
    for name, text in (
        ("VERSIONS", "5"),
        ("TTL", "2147483647"),
        ("BLOOMFILTER", "rowprefix_fixed_length"),
        ("RowPrefixBloomFilter.prefix_length", "4"),
        ("KEEP_DELETED_CELLS", "true"),
        ("NEW_VERSION_BEHAVIOR", "TRUE"),
        ("DATA_BLOCK_ENCODING", "FAST_DIFF"),
    ):
        family.attributes.add(first=name.encode(), second=text.encode())
    schema.attributes.add(first=b"IS_META", second=b"false")
    schema.attributes.add(first=b"MAX_FILESIZE", second=b"-1")
    table = convert.table_from_pb(schema)
    assert table == TableDescriptor(
        TableName("default", "t"),
        (
            FamilyDescriptor(
                b"cf",
                max_versions=5,
                bloom=BloomType.ROWPREFIX_FIXED_LENGTH,
                bloom_prefix_bytes=4,
                keep_deleted_cells=KeepDeletedCells.TRUE,
                new_version_behavior=True,
                attributes={"DATA_BLOCK_ENCODING": "FAST_DIFF"},
            ),
        ),
    )
    assert table.name != META_TABLE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"VERSIONS", b"x"),
        (b"VERSIONS", b"0"),
        (b"TTL", b"-5"),
        (b"NOTE", b"\xff"),
        (b"KEEP_DELETED_CELLS", b"SOME"),
        (b"NEW_VERSION_BEHAVIOR", b"1"),
        (b"IN_MEMORY", b"yes"),
        (b"COMPRESSION", b"BROTLI"),
        (b"BLOOMFILTER", b"ROWPREFIX_FIXED_LENGTH"),
    ],
)
def test_a_family_with_an_impossible_attribute_is_refused(name: bytes, text: bytes) -> None:
    family = pb.ColumnFamilySchema(name=b"cf")
    family.attributes.add(first=name, second=text)
    with pytest.raises(IllegalArgumentError):
        convert.family_from_pb(family)


def test_a_message_without_a_required_field_is_refused() -> None:
    with pytest.raises(BadFrameError, match=r"GetRequest lacks .*region"):
        parsed(pb.GetRequest, b"")
    with pytest.raises(BadFrameError, match="GetRequest cannot be read"):
        parsed(pb.GetRequest, b"\xff\xff")
