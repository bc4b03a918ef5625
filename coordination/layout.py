"""Where things stand under /hbase, and what is in them.

Names are HBase's (ZNodePaths.java). The coordinator makes the persistent znodes below at its
first start. The data of a process's znode is JSON: ``process`` is the name by which the other
processes call it, ``server`` its ``host,port,startcode``; more keys are allowed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from ..model import ServerName

BASE: Final = "/hbase"
MASTER: Final = "/hbase/master"
"""Ephemeral: the active master. Its czxid is the master's epoch."""
BACKUP_MASTERS: Final = "/hbase/backup-masters"
"""Children, ephemeral: a standby each."""
REGION_SERVERS: Final = "/hbase/rs"
"""Children, ephemeral, named host,port,startcode: a region server each."""
META_REGION_SERVER: Final = "/hbase/meta-region-server"
"""Persistent, made by the master: where hbase:meta is served."""
CLUSTER_ID: Final = "/hbase/hbaseid"
"""Persistent, its data the cluster's id as text; made by the coordinator, never changed."""
BALANCER: Final = "/hbase/balancer"
"""Persistent, made when the balancer is switched for the first time: whether it is on."""
NORMALIZER: Final = "/hbase/normalizer"
"""As BALANCER, of the normalizer."""
DRAINING: Final = "/hbase/draining"
"""Children: servers to take regions from."""

BASE_ZNODES: Final = (BASE, BACKUP_MASTERS, REGION_SERVERS, DRAINING)


def encode_data(**values: Any) -> bytes:
    """JSON with sorted keys, so that equal values are equal bytes."""
    return json.dumps(values, sort_keys=True).encode()


def decode_data(data: bytes) -> dict[str, Any]:
    """Raises ValueError if ``data`` is not a JSON object."""
    values = json.loads(data)
    if not isinstance(values, dict):
        raise ValueError(f"not a JSON object: {data[:100]!r}")
    return values


@dataclass(frozen=True, slots=True)
class Member:
    """A live process: the address of its RPC port and the name for control calls."""

    server: ServerName
    process: str


@dataclass(frozen=True, slots=True)
class Registry:
    """What a client must know to begin: who is there, and which cluster it is."""

    cluster_id: str
    master: Member | None
    backup_masters: tuple[Member, ...]
    region_servers: tuple[Member, ...]
    meta: Member | None
    """The server of hbase:meta as last published; it may be gone."""
