"""The methods of HBase's services: their names on the wire and their messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from .proto import hbase_pb2 as pb


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service; ``handler`` is the name of the Python method that answers it."""

    name: str
    request: type[Message]
    response: type[Message]
    handler: str


def _methods(*names: str) -> dict[str, Method]:
    """Methods whose messages are called as they are, with Request and Response behind."""
    table = {}
    for name in names:
        message = name[0].upper() + name[1:]
        table[name] = Method(
            name,
            getattr(pb, f"{message}Request"),
            getattr(pb, f"{message}Response"),
            re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(),
        )
    return table


SERVICES: Final[dict[str, dict[str, Method]]] = {
    "ClientMetaService": _methods(
        "GetClusterId",
        "GetActiveMaster",
        "GetMetaRegionLocations",
        "GetBootstrapNodes",
        "GetMasters",
    ),
    "ClientService": _methods("Get", "Mutate", "Scan", "Multi"),
    "MasterService": {
        "GetLogEntries": Method("GetLogEntries", pb.LogRequest, pb.LogEntry, "get_log_entries"),
        "SplitRegion": Method(
            "SplitRegion", pb.SplitTableRegionRequest, pb.SplitTableRegionResponse, "split_region"
        ),
        **_methods(
            "IsMasterRunning",
            "CreateTable",
            "DeleteTable",
            "EnableTable",
            "DisableTable",
            "truncateTable",
            "ModifyTable",
            "AddColumn",
            "DeleteColumn",
            "ModifyColumn",
            "FlushTable",
            "GetTableDescriptors",
            "GetTableNames",
            "GetTableState",
            "GetSchemaAlterStatus",
            "getProcedureResult",
            "GetNamespaceDescriptor",
            "ListNamespaceDescriptors",
            "CreateNamespace",
            "ModifyNamespace",
            "DeleteNamespace",
            "ListNamespaces",
            "ListTableDescriptorsByNamespace",
            "ListTableNamesByNamespace",
            "MoveRegion",
            "MergeTableRegions",
            "SetBalancerRunning",
            "IsBalancerEnabled",
            "Balance",
            "Normalize",
            "SetNormalizerRunning",
            "IsNormalizerEnabled",
            "GetClusterStatus",
            "AbortProcedure",
            "GetProcedures",
            "GetLocks",
            "ListDecommissionedRegionServers",
            "DecommissionRegionServers",
            "RecommissionRegionServer",
        ),
    },
    "AdminService": _methods("GetRegionInfo", "GetOnlineRegion", "FlushRegion", "CompactRegion"),
}
"""Service name, method name: what raybase can be asked. Anything else is refused by name."""
