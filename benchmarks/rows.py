"""Every row that can be measured, by the name it has on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import (
    cache,
    codec,
    coordination,
    engine,
    get,
    latency,
    move,
    path,
    put,
    recovery,
    regions,
    scan,
    start,
    streams,
    wal,
)
from .lab import Lab
from .report import Figure
from .settings import Settings


@dataclass(frozen=True)
class Row:
    """Something to measure."""

    measure: Callable[[Settings, Lab], list[Figure]]
    what: str
    has_budget: bool = True


ROWS = {
    "engine": Row(engine.measure, "the storage engine, beside RocksDB and LMDB"),
    "get": Row(get.through_client, "point get through the client, one after another"),
    "put": Row(put.batches, "put in batches of 1,000, synced to disk, through the client"),
    "scan": Row(scan.into_columns, "scan through the client into columns"),
    "latency": Row(latency.saturated_server, "log syncs and Ray calls of a saturated server"),
    "start": Row(start.served_cluster, "to a served cluster: from nothing, and inside a Ray"),
    "move": Row(move.under_load, "region moved under load, both servers saturated"),
    "nonces": Row(
        move.with_nonces, "region moved that has the nonces of 200,000 increments", has_budget=False
    ),
    "recovery": Row(recovery.after_kill, "kill -9 of a server to its last region served"),
    "regions": Row(regions.on_one_server, "1,000 regions on one server: opened, and reported"),
    "coordination": Row(
        coordination.details, "10,000 znodes and 1,000 watches in a coordinator", has_budget=False
    ),
    "path": Row(path.details, "a get through a server's Python, without sockets", has_budget=False),
    "codec": Row(codec.details, "messages and cell blocks at either end", has_budget=False),
    "cache": Row(cache.details, "a get by where its block is", has_budget=False),
    "wal": Row(wal.details, "writes on one log and on several (MultiWAL)", has_budget=False),
    "streams": Row(streams.details, "columnar files beside HBase's codecs", has_budget=False),
}
