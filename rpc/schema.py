"""Names, places and schemas as messages, and as HBase writes them into hbase:meta."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError

from ..errors import BadFrameError, IllegalArgumentError
from ..model import (
    META_REGION,
    META_TABLE,
    BloomType,
    Durability,
    FamilyDescriptor,
    FileFormat,
    KeepDeletedCells,
    NamespaceDescriptor,
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
_PREFIX_LENGTH: Final = "RowPrefixBloomFilter.prefix_length"
_FILE_FORMAT: Final = "raybase.file.format"

Member = TypeVar("Member", bound=Enum)


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
    _set_configuration(schema, table.configuration)
    for family in table.families:
        schema.column_families.append(family_to_pb(family))
    return schema


def table_from_pb(schema: pb.TableSchema) -> TableDescriptor:
    """Raises IllegalArgumentError for names and values no table can have."""
    attributes = _attributes(schema.attributes)
    attributes.pop("IS_META", None)
    region_bytes_max = _number(attributes, "MAX_FILESIZE", 0)
    flush_bytes = _number(attributes, "MEMSTORE_FLUSHSIZE", 0)
    durability = attributes.pop("DURABILITY", Durability.USE_DEFAULT.name)
    return TableDescriptor(
        table_name_from_pb(schema.table_name),
        tuple(family_from_pb(family) for family in schema.column_families),
        durability=_member("DURABILITY", Durability.__members__, durability),
        region_bytes_max=max(region_bytes_max, 0),
        flush_bytes=max(flush_bytes, 0),
        attributes=attributes,
        configuration=_configuration(schema),
    )


def family_to_pb(family: FamilyDescriptor) -> pb.ColumnFamilySchema:
    schema = pb.ColumnFamilySchema(name=family.name)
    attributes = {
        "VERSIONS": str(family.max_versions),
        "MIN_VERSIONS": str(family.min_versions),
        "TTL": str(family.ttl_s or _FOREVER_S),
        "BLOCKSIZE": str(family.block_bytes),
        "BLOOMFILTER": family.bloom.value,
        "KEEP_DELETED_CELLS": family.keep_deleted_cells.value,
        "NEW_VERSION_BEHAVIOR": _switch_text(family.new_version_behavior),
        "IN_MEMORY": _switch_text(family.in_memory),
        "BLOCKCACHE": _switch_text(family.cache_blocks),
        "COMPRESSION": family.compression,
        **family.attributes,
    }
    for name, text in attributes.items():
        schema.attributes.add(first=name.encode(), second=text.encode())
    configuration = dict(family.configuration)
    if family.bloom_prefix_bytes:
        configuration[_PREFIX_LENGTH] = str(family.bloom_prefix_bytes)
    if family.file_format is not FileFormat.COLUMNAR:
        configuration[_FILE_FORMAT] = family.file_format.value
    _set_configuration(schema, configuration)
    return schema


def family_from_pb(schema: pb.ColumnFamilySchema) -> FamilyDescriptor:
    """Raises IllegalArgumentError for names and values no family can have."""
    attributes = _attributes(schema.attributes)
    configuration = _configuration(schema)
    # HBase looks for a filter's parameter in either of the two.
    prefix_bytes = _number(attributes, _PREFIX_LENGTH, 0) or _number(
        configuration, _PREFIX_LENGTH, 0
    )
    file_format = configuration.pop(_FILE_FORMAT, FileFormat.COLUMNAR.value)
    ttl_s = _number(attributes, "TTL", _FOREVER_S)
    bloom = attributes.pop("BLOOMFILTER", BloomType.ROW.value)
    keep = attributes.pop("KEEP_DELETED_CELLS", KeepDeletedCells.FALSE.value)
    return FamilyDescriptor(
        bytes(schema.name),
        max_versions=_number(attributes, "VERSIONS", 1),
        min_versions=_number(attributes, "MIN_VERSIONS", 0),
        ttl_s=0 if ttl_s == _FOREVER_S else ttl_s,
        block_bytes=_number(attributes, "BLOCKSIZE", 65536),
        bloom=_member("BLOOMFILTER", BloomType.__members__, bloom),
        bloom_prefix_bytes=prefix_bytes,
        keep_deleted_cells=_member("KEEP_DELETED_CELLS", KeepDeletedCells.__members__, keep),
        new_version_behavior=_switch(attributes, "NEW_VERSION_BEHAVIOR", default=False),
        in_memory=_switch(attributes, "IN_MEMORY", default=False),
        cache_blocks=_switch(attributes, "BLOCKCACHE", default=True),
        file_format=_member(_FILE_FORMAT, FileFormat.__members__, file_format),
        compression=attributes.pop("COMPRESSION", "NONE").upper(),
        attributes=attributes,
        configuration=configuration,
    )


def namespace_to_pb(namespace: NamespaceDescriptor) -> pb.NamespaceDescriptor:
    message = pb.NamespaceDescriptor(name=namespace.name.encode())
    for name, text in namespace.configuration.items():
        message.configuration.add(name=name, value=text)
    return message


def namespace_from_pb(message: pb.NamespaceDescriptor) -> NamespaceDescriptor:
    """Raises IllegalArgumentError for a name no namespace can have."""
    configuration = {one.name: one.value for one in message.configuration}
    return NamespaceDescriptor(_text(message.name), configuration)


def _attributes(pairs: Any) -> dict[str, str]:
    try:
        return {bytes(one.first).decode(): bytes(one.second).decode() for one in pairs}
    except UnicodeDecodeError as error:
        raise IllegalArgumentError(f"an attribute of a schema is not text: {error}") from None


def _configuration(schema: pb.TableSchema | pb.ColumnFamilySchema) -> dict[str, str]:
    return {one.name: one.value for one in schema.configuration}


def _set_configuration(
    schema: pb.TableSchema | pb.ColumnFamilySchema, configuration: Mapping[str, str]
) -> None:
    for name, text in configuration.items():
        schema.configuration.add(name=name, value=text)


def _member(name: str, members: Mapping[str, Member], text: str) -> Member:
    found = members.get(text.upper())
    if found is None:
        raise IllegalArgumentError(f"unknown {name} {text!r}; there are {', '.join(members)}")
    return found


def _switch_text(on: bool) -> str:
    return "true" if on else "false"


def _switch(attributes: dict[str, str], name: str, *, default: bool) -> bool:
    text = attributes.pop(name, _switch_text(default))
    if text.lower() not in ("true", "false"):
        raise IllegalArgumentError(f"{name} is true or false, not {text!r}")
    return text.lower() == "true"


def _number(attributes: dict[str, str], name: str, default: int) -> int:
    text = attributes.pop(name, None)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise IllegalArgumentError(f"{name} takes a number, not {text!r}") from None
