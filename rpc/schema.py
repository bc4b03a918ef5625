"""Names, places and schemas as messages, and as HBase writes them into hbase:meta."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import DecodeError

from ..errors import BadFrameError, IllegalArgumentError
from ..model import (
    META_REGION,
    META_TABLE,
    BloomType,
    Durability,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from .proto import hbase_pb2 as pb

PB_MAGIC: Final = b"PBUF"
"""What HBase writes before a message in a cell or a znode."""

_META_NAME: Final = META_REGION.name
_FOREVER_S: Final = 2**31 - 1
"""HBase's TTL of a family whose cells never expire."""


def table_name_to_pb(name: TableName) -> pb.TableName:
    return pb.TableName(namespace=name.namespace.encode(), qualifier=name.qualifier.encode())


def table_name_from_pb(name: pb.TableName) -> TableName:
    """Raises IllegalArgumentError for a name no table can have."""
    return TableName(_text(name.namespace) or "default", _text(name.qualifier))


def server_name_to_pb(name: ServerName) -> pb.ServerName:
    return pb.ServerName(host_name=name.host, port=name.port, start_code=name.start_code)


def server_name_from_pb(name: pb.ServerName) -> ServerName:
    return ServerName(name.host_name, name.port, name.start_code)


def region_info_to_pb(info: RegionInfo) -> pb.RegionInfo:
    return pb.RegionInfo(
        region_id=info.region_id,
        table_name=table_name_to_pb(info.table),
        start_key=info.start_key,
        end_key=info.end_key,
        offline=info.offline,
        split=info.split,
        replica_id=0,
    )


def region_info_from_pb(info: pb.RegionInfo) -> RegionInfo:
    table = table_name_from_pb(info.table_name)
    if table == META_TABLE:
        return META_REGION
    return RegionInfo(
        table,
        bytes(info.start_key),
        bytes(info.end_key),
        info.region_id,
        offline=info.offline,
        split=info.split,
    )


def region_info_to_cell(info: RegionInfo) -> bytes:
    """The value of hbase:meta's info:regioninfo."""
    return PB_MAGIC + region_info_to_pb(info).SerializeToString()


def region_info_from_cell(value: bytes) -> RegionInfo:
    """Raises BadFrameError if the value is not one that region_info_to_cell makes."""
    if not value.startswith(PB_MAGIC):
        raise BadFrameError(f"a region info of hbase:meta begins with {value[:4]!r}, not PBUF")
    return region_info_from_pb(parsed(pb.RegionInfo, value[len(PB_MAGIC) :]))


def region_specifier(name: bytes) -> pb.RegionSpecifier:
    """A region by its full name, as every data call names it."""
    return pb.RegionSpecifier(type=pb.RegionSpecifier.REGION_NAME, value=name)


def region_of(specifier: pb.RegionSpecifier) -> str:
    """The encoded name of the region that a call names. Raises IllegalArgumentError."""
    return encoded_name(specifier.value)


def encoded_name(region_name: bytes) -> str:
    """The encoded name within a full region name, ``table,start,id.encoded.``.

    A name without a comma is taken for an encoded name itself. Raises IllegalArgumentError
    if it is neither these nor hbase:meta's.
    """
    if b"," not in region_name:
        return _text(region_name)
    if region_name == _META_NAME:
        return META_REGION.encoded_name
    parts = region_name.rsplit(b".", 2)
    if len(parts) != 3 or parts[2] or not parts[1]:
        raise IllegalArgumentError(f"not a region name: {region_name!r}")
    return _text(parts[1])


def parsed(message: type[Any], data: bytes) -> Any:
    """The message in ``data``. Raises BadFrameError if it is none, or lacks a required field."""
    try:
        result = message.FromString(data)
    except DecodeError as error:
        raise BadFrameError(f"{message.__name__} cannot be read: {error}") from None
    if not result.IsInitialized():
        lacking = ", ".join(result.FindInitializationErrors())
        raise BadFrameError(f"{message.__name__} lacks {lacking}")
    return result


def _text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise IllegalArgumentError(f"not a name: {value!r}") from None


def table_to_pb(table: TableDescriptor) -> pb.TableSchema:
    """HBase's schema; attributes have HBase's names and texts."""
    schema = pb.TableSchema(table_name=table_name_to_pb(table.name))
    attributes = {
        "DURABILITY": table.durability.name if table.durability else "",
        "MAX_FILESIZE": str(table.region_bytes_max or ""),
        "MEMSTORE_FLUSHSIZE": str(table.flush_bytes or ""),
        "IS_META": "true" if table.name == META_TABLE else "",
        **table.attributes,
    }
    for name, text in attributes.items():
        if text:
            schema.attributes.add(first=name.encode(), second=text.encode())
    for family in table.families:
        schema.column_families.append(family_to_pb(family))
    return schema


def table_from_pb(schema: pb.TableSchema) -> TableDescriptor:
    """Raises IllegalArgumentError for names and values no table can have."""
    attributes = _attributes(schema.attributes)
    attributes.pop("IS_META", None)
    durability = attributes.pop("DURABILITY", Durability.USE_DEFAULT.name)
    if durability not in Durability.__members__:
        raise IllegalArgumentError(f"unknown DURABILITY {durability!r}")
    region_bytes_max = _number(attributes, "MAX_FILESIZE", 0)
    flush_bytes = _number(attributes, "MEMSTORE_FLUSHSIZE", 0)
    return TableDescriptor(
        table_name_from_pb(schema.table_name),
        tuple(family_from_pb(family) for family in schema.column_families),
        durability=Durability[durability],
        region_bytes_max=max(region_bytes_max, 0),
        flush_bytes=max(flush_bytes, 0),
        attributes=attributes,
    )


def family_to_pb(family: FamilyDescriptor) -> pb.ColumnFamilySchema:
    schema = pb.ColumnFamilySchema(name=family.name)
    attributes = {
        "VERSIONS": str(family.max_versions),
        "MIN_VERSIONS": str(family.min_versions),
        "TTL": str(family.ttl_s or _FOREVER_S),
        "BLOCKSIZE": str(family.block_bytes),
        "BLOOMFILTER": family.bloom.value,
        **family.attributes,
    }
    for name, text in attributes.items():
        schema.attributes.add(first=name.encode(), second=text.encode())
    return schema


def family_from_pb(schema: pb.ColumnFamilySchema) -> FamilyDescriptor:
    """Raises IllegalArgumentError for names and values no family can have."""
    attributes = _attributes(schema.attributes)
    ttl_s = _number(attributes, "TTL", _FOREVER_S)
    return FamilyDescriptor(
        bytes(schema.name),
        max_versions=_number(attributes, "VERSIONS", 1),
        min_versions=_number(attributes, "MIN_VERSIONS", 0),
        ttl_s=0 if ttl_s == _FOREVER_S else ttl_s,
        block_bytes=_number(attributes, "BLOCKSIZE", 65536),
        bloom=_bloom(attributes),
        attributes=attributes,
    )


def _attributes(pairs: Any) -> dict[str, str]:
    try:
        return {bytes(one.first).decode(): bytes(one.second).decode() for one in pairs}
    except UnicodeDecodeError as error:
        raise IllegalArgumentError(f"an attribute of a schema is not text: {error}") from None


def _bloom(attributes: dict[str, str]) -> BloomType:
    text = attributes.pop("BLOOMFILTER", BloomType.ROW.value).upper()
    if text not in BloomType.__members__:
        raise IllegalArgumentError(f"unknown BLOOMFILTER {text!r}")
    return BloomType[text]


def _number(attributes: dict[str, str], name: str, default: int) -> int:
    text = attributes.pop(name, None)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise IllegalArgumentError(f"{name} takes a number, not {text!r}") from None
