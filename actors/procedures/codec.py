"""A procedure's fields as JSON and back: tagged objects for what JSON has no word for.

Nothing but the types named here can be read from a store, so that stored bytes never decide
which code runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from ...errors import CorruptionError, IllegalArgumentError
from ...model import (
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

_TAG: Final = "$"


def _fields(record: Any) -> dict[str, Any]:
    """Every field, so that none is forgotten that is new."""
    return {one.name: getattr(record, one.name) for one in fields(record)}


def _family_from_json(body: dict[str, Any]) -> FamilyDescriptor:
    return FamilyDescriptor(
        **{
            **body,
            "bloom": BloomType(body["bloom"]),
            "keep_deleted_cells": KeepDeletedCells(body["keep_deleted_cells"]),
            "file_format": FileFormat(body["file_format"]),
        }
    )


def _table_from_json(body: dict[str, Any]) -> TableDescriptor:
    return TableDescriptor(
        **{
            **body,
            "families": tuple(body["families"]),
            "durability": Durability(body["durability"]),
        }
    )


_TO_JSON: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    bytes: ("bytes", lambda value: value.decode("latin-1")),
    TableName: ("table_name", str),
    ServerName: ("server", str),
    RegionInfo: ("region", _fields),
    FamilyDescriptor: ("family", _fields),
    TableDescriptor: ("table", _fields),
    NamespaceDescriptor: ("namespace", _fields),
}
_FROM_JSON: Final[dict[str, Callable[[Any], Any]]] = {
    "bytes": lambda text: text.encode("latin-1"),
    "table_name": TableName.parse,
    "server": ServerName.parse,
    "region": lambda body: RegionInfo(**body),
    "family": _family_from_json,
    "table": _table_from_json,
    "namespace": lambda body: NamespaceDescriptor(**body),
}


def encode(body: dict[str, Any]) -> bytes:
    """JSON of the fields; equal fields give equal bytes. Raises TypeError for other types."""
    return json.dumps(_tagged(body), sort_keys=True, separators=(",", ":")).encode("ascii")


def decode(path: str, data: bytes) -> dict[str, Any]:
    """The fields in ``data``. Raises CorruptionError naming ``path`` if it is not ours."""
    try:
        body = json.loads(data, object_hook=_untagged)
    except (KeyError, TypeError, ValueError, IllegalArgumentError) as error:
        raise CorruptionError(path, 0, f"not a procedure's state: {error!r}") from error
    if not isinstance(body, dict):
        raise CorruptionError(path, 0, "a procedure's state is a JSON object")
    return body


def _tagged(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_tagged(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _tagged(one) for key, one in value.items()}
    if type(value) not in _TO_JSON:
        raise TypeError(f"a procedure cannot keep a {type(value).__name__}")
    tag, convert = _TO_JSON[type(value)]
    return {_TAG: tag, "value": _tagged(convert(value))}


def _untagged(body: dict[str, Any]) -> Any:
    if _TAG not in body:
        return body
    return _FROM_JSON[body[_TAG]](body["value"])
