"""raybase: HBase's architecture on Ray.

::

    import raybase

    with raybase.connect("localhost:16020") as connection:
        connection.admin.create_table("web", {"contents": {"max_versions": 3}, "anchor": {}})
        table = connection.table("web")
        table.put("com.example", {"contents:": b"<html>"})
        for row in table.scan(prefix="com."):
            print(row.row, row["contents:"])

``connect_async`` gives the same to asyncio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors
from .config import ClientConfig
from .errors import RaybaseError
from .model import (
    Durability,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
    TimeRange,
)
from .operations import (
    ALL_VERSIONS,
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Mutation,
    Put,
    Scan,
)

if TYPE_CHECKING:
    from .client.admin import Admin
    from .client.async_admin import AsyncAdmin
    from .client.async_connection import AsyncConnection, connect_async
    from .client.async_table import AsyncTable
    from .client.connection import Connection, connect
    from .client.result import Cell, CheckedResult, Columns, Result
    from .client.status import ClusterStatus
    from .client.table import Table
    from .storage import filters

__version__ = "0.1.0"

__all__ = [
    "connect",
    "Connection",
    "Table",
    "Admin",
    "connect_async",
    "AsyncConnection",
    "AsyncTable",
    "AsyncAdmin",
    "Get",
    "Scan",
    "Put",
    "Delete",
    "Append",
    "Increment",
    "Mutation",
    "Condition",
    "CompareOperator",
    "Result",
    "Cell",
    "CheckedResult",
    "Columns",
    "ClusterStatus",
    "TableName",
    "TableDescriptor",
    "FamilyDescriptor",
    "RegionInfo",
    "ServerName",
    "TimeRange",
    "Durability",
    "ALL_VERSIONS",
    "ClientConfig",
    "RaybaseError",
    "errors",
    "filters",
]

_CLIENT = {
    "connect": "connection",
    "Connection": "connection",
    "Table": "table",
    "Admin": "admin",
    "connect_async": "async_connection",
    "AsyncConnection": "async_connection",
    "AsyncTable": "async_table",
    "AsyncAdmin": "async_admin",
    "Result": "result",
    "Cell": "result",
    "CheckedResult": "result",
    "Columns": "result",
    "ClusterStatus": "status",
}
"""Where the client's names are. The cluster's own processes import raybase, too, and must not
load the client for it."""


def __getattr__(name: str) -> Any:
    if name == "filters":
        return import_module(".storage.filters", __name__)
    if name not in _CLIENT:
        raise AttributeError(f"module 'raybase' has no attribute {name!r}")
    value = getattr(import_module(f".client.{_CLIENT[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
