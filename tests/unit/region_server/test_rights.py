"""Authorizer and observers stand on the path of every call."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.actors.observers import DenyAll, RegionObserver
from raybase.errors import AccessDeniedError
from raybase.operations import (
    Append,
    CompareOperator,
    Condition,
    Delete,
    Get,
    Increment,
    Put,
    Scan,
)
from raybase.rpc.convert import (
    RegionBatch,
    get_request,
    mutate_request,
    region_specifier,
    scan_request,
)
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.services import SERVICES

from .small_cluster import REGION, SmallCluster, run

NAME = REGION.name
PUT = Put(b"row").add(b"f", b"q", b"v")
CONDITION = Condition(b"row", b"f", b"q", CompareOperator.EQUAL, None)
SPECIFIER = region_specifier(NAME)


def calls() -> list[tuple[str, str, Any, Any]]:
    """One of every kind of call: service, method, request, cells."""
    mutations = [
        PUT,
        Delete(b"row"),
        Increment(b"row").add(b"f", b"n", 1),
        Append(b"row").add(b"f", b"a", b"x"),
    ]
    found: list[tuple[str, str, Any, Any]] = [
        ("ClientService", "Get", get_request(NAME, Get(b"row")), None),
        ("ClientService", "Scan", scan_request(NAME, Scan()), None),
        ("ClientService", "Mutate", mutate_request(NAME, PUT, CONDITION), None),
        ("AdminService", "GetRegionInfo", pb.GetRegionInfoRequest(region=SPECIFIER), None),
        ("AdminService", "FlushRegion", pb.FlushRegionRequest(region=SPECIFIER), None),
        ("AdminService", "CompactRegion", pb.CompactRegionRequest(region=SPECIFIER), None),
    ]
    found += [("ClientService", "Mutate", mutate_request(NAME, one), None) for one in mutations]
    for name in SERVICES["ClientMetaService"]:
        found.append(("ClientMetaService", name, getattr(pb, f"{name}Request")(), None))
    return found


def test_a_deny_all_authorizer_sees_every_call_refused_and_nothing_changed() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        for service, method, request, cells in calls():
            client = await cluster.client("rs-1", service)
            with pytest.raises(AccessDeniedError):
                await client.call(method, request, cells)
        server = cluster.server("rs-1")
        server.authorizer = None
        assert await cluster.scan("rs-1") == {}

    run(story, servers=1, arguments={"authorizer": DenyAll()})


@pytest.mark.parametrize(
    "batch",
    [
        RegionBatch(NAME, [PUT, Get(b"row"), Delete(b"row")]),
        RegionBatch(NAME, [PUT], atomic=True),
        RegionBatch(NAME, [PUT], atomic=True, condition=CONDITION),
    ],
)
def test_every_operation_of_a_batch_is_refused(batch: RegionBatch) -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        (answer,) = await cluster.multi("rs-1", [batch])
        errors = [answer.error] if answer.error is not None else answer.outcomes
        assert all(isinstance(one, AccessDeniedError) for one in errors)

    run(story, servers=1, arguments={"authorizer": DenyAll()})


class NoReads(DenyAll):
    """Writers may write and not even ask."""

    def authorize(self, context, action, table, family=None, qualifiers=None):  # type: ignore[no-untyped-def]
        if action == "R":
            super().authorize(context, action, table, family, qualifiers)


def test_the_check_of_a_checked_mutation_is_a_read() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.mutate("rs-1", PUT)
        with pytest.raises(AccessDeniedError):
            await cluster.mutate("rs-1", PUT, CONDITION)

    run(story, servers=1, arguments={"authorizer": NoReads()})


class Recorder(RegionObserver):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def before_get(self, context, region, get):  # type: ignore[no-untyped-def]
        self.seen.append(f"get by {context.user}")

    def after_get(self, context, region, get, result):  # type: ignore[no-untyped-def]
        self.seen.append(f"got {len(result)}")

    def before_mutate(self, context, region, mutations):  # type: ignore[no-untyped-def]
        self.seen.append(f"mutate {len(mutations)}")

    def after_mutate(self, context, region, mutations):  # type: ignore[no-untyped-def]
        self.seen.append("mutated")

    def before_scan(self, context, region, scan):  # type: ignore[no-untyped-def]
        self.seen.append("scan")


def test_observers_see_what_is_done_on_whose_behalf() -> None:
    recorder = Recorder()

    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        await cluster.put("rs-1", b"row", b"v")
        await cluster.get("rs-1", b"row")
        await cluster.scan("rs-1")

    run(story, servers=1, arguments={"observers": [recorder]})
    assert recorder.seen == ["mutate 1", "mutated", "get by tester", "got 2", "scan"]
