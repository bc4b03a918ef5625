"""The master's pure parts: codec, locks, rows of hbase:meta."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raybase.actors import meta_rows
from raybase.actors.meta_rows import TableState
from raybase.actors.procedures import codec
from raybase.actors.procedures.locks import LockTable
from raybase.actors.procedures.procedure import Lock
from raybase.actors.procedures.registry import KINDS
from raybase.actors.procedures.split import SplitProcedure
from raybase.actors.procedures.tables import CreateTableProcedure
from raybase.errors import CorruptionError
from raybase.model import (
    Durability,
    FamilyDescriptor,
    RegionInfo,
    ServerName,
    TableDescriptor,
    TableName,
)
from raybase.operations import Mutation
from raybase.storage.cells import CellBatch

T = TableName.parse("ns:t")
TABLE = TableDescriptor(
    T,
    (
        FamilyDescriptor(b"a", max_versions=3, ttl_s=7),
        FamilyDescriptor(b"b", attributes={"X": "1"}),
    ),
    durability=Durability.ASYNC_WAL,
    region_bytes_max=1 << 20,
    attributes={"OWNER": "me"},
)
S1 = ServerName("s1", 1, 1)


def test_every_procedure_comes_back_from_its_bytes() -> None:
    region = RegionInfo(T, b"\x00\xff,", b"z", 17)
    procedure = SplitProcedure(
        region=region, row=b"\x80m", daughters=(region, region), id=7, parent=3, children=(8, 9)
    )
    body = codec.decode("p", codec.encode(procedure.to_fields()))
    assert KINDS[body.pop("kind")](**body) == procedure
    create = CreateTableProcedure(table=T, descriptor=TABLE, split_keys=(b"m",))
    body = codec.decode("p", codec.encode(create.to_fields()))
    assert KINDS[body.pop("kind")](**body) == create


@pytest.mark.parametrize("data", [b"", b"[]", b'{"$":"evil","value":1}', b"\xff", b'{"a":'])
def test_damaged_state_is_corruption(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        codec.decode("p", data)


def test_a_kind_keeps_its_name() -> None:
    assert {
        "adopt_region",
        "alter",
        "assign",
        "clean_merge_parents",
        "clean_parent",
        "create",
        "create_namespace",
        "delete",
        "delete_namespace",
        "disable",
        "enable",
        "flush",
        "merge",
        "modify_namespace",
        "move",
        "reopen",
        "server_crash",
        "split",
        "truncate",
        "unassign",
    } == set(KINDS)


# -- locks ---------------------------------------------------------------------------------


def granted(parents: dict[int, list[int]], wishes: list[tuple[int, list[Lock]]]) -> list[int]:
    async def run() -> list[int]:
        table = LockTable(lambda one: parents.get(one, []))
        got: list[int] = []

        async def take(number: int, locks: list[Lock]) -> None:
            await table.acquire(number, locks)
            got.append(number)

        tasks = [asyncio.create_task(take(*wish)) for wish in wishes]
        for _ in range(5):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return got

    return asyncio.run(run())


SHARED, EXCLUSIVE = Lock.table("t", exclusive=False), Lock.table("t", exclusive=True)
R1, R2 = Lock.region("r1"), Lock.region("r2")


def test_shared_locks_are_shared_and_regions_are_not() -> None:
    assert granted({}, [(1, [SHARED, R1]), (2, [SHARED, R2]), (3, [SHARED, R1])]) == [1, 2]


def test_nobody_overtakes_who_waits_for_the_table() -> None:
    assert granted({}, [(1, [SHARED, R1]), (2, [EXCLUSIVE]), (3, [SHARED, R2])]) == [1]


def test_a_child_has_what_its_parent_has() -> None:
    parents = {2: [1], 3: [1]}
    wishes = [(1, [EXCLUSIVE]), (9, [EXCLUSIVE]), (2, [SHARED, R1]), (3, [SHARED, R1])]
    assert granted(parents, wishes) == [1, 2]


def test_who_waits_holds_nothing() -> None:
    assert granted({}, [(1, [R1]), (2, [R2, R1]), (3, [Lock.region("r3")])]) == [1, 3]
    assert granted({}, [(1, [R1]), (2, [R1, R2]), (3, [R2])]) == [1]


def test_a_released_lock_goes_to_the_next() -> None:
    async def run() -> None:
        table = LockTable(lambda _: [])
        await table.acquire(1, [R1])
        waiting = asyncio.create_task(table.acquire(2, [R1]))
        await asyncio.sleep(0)
        assert table.blockers(2) == [(R1, 1, True)]
        table.release(1)
        await waiting
        assert table.holders(R1) == [2]

    asyncio.run(run())


# -- rows of hbase:meta --------------------------------------------------------------------


def read(*mutations: Mutation) -> meta_rows.MetaContent:
    batch = CellBatch()
    for mutation in mutations:
        for family, qualifier, timestamp, kind, value in mutation.cells:
            batch.append(mutation.row, family, qualifier, timestamp, kind, value)
        batch.end_row()
    return meta_rows.parse(batch)


keys = st.binary(min_size=1, max_size=6)


@settings(max_examples=50)
@given(keys, keys, st.integers(1, 2**40), st.integers(0, 2**62))
def test_a_region_comes_back_from_its_row(
    start: bytes, end: bytes, region_id: int, sequence_id: int
) -> None:
    info = RegionInfo(T, start, end, region_id)
    (row,) = read(meta_rows.open_put(info, "OPEN", S1, sequence_id, 5)).regions
    assert row == meta_rows.RegionRow(info, "OPEN", S1, sequence_id)


def test_a_row_has_hbases_columns() -> None:
    put = meta_rows.open_put(RegionInfo(T, b"a", b"b", 1), "OPEN", ServerName("h", 9, 3), 7, 5)
    cells = {qualifier: value for _, qualifier, _, _, value in put.cells}
    assert cells.pop(b"regioninfo").startswith(b"PBUF")
    assert cells == {
        b"state": b"OPEN",
        b"sn": b"h,9,3",
        b"server": b"h:9",
        b"serverstartcode": bytes(7) + b"\x03",
        b"seqnumDuringOpen": bytes(7) + b"\x07",
    }


def test_a_split_is_one_set_of_rows() -> None:
    parent = RegionInfo(T, b"a", b"z", 1)
    daughters = (RegionInfo(T, b"a", b"m", 2), RegionInfo(T, b"m", b"z", 2))
    server = ServerName("host", 1, 2)
    content = read(*meta_rows.split_puts(parent, daughters, "OPENING", server, 9))
    first, *others = content.regions
    assert first.info.split
    assert first.info.offline
    assert first.state == "SPLIT"
    assert first.daughters == daughters
    assert [one.info for one in others] == list(daughters)
    assert [(one.state, one.server) for one in others] == [("OPENING", server)] * 2
    assert content.timestamp_ms == 9


def test_a_table_comes_back_from_its_row() -> None:
    put = meta_rows.table_put(TABLE, TableState.DISABLING, 1)
    assert put.row == b"ns:t"
    assert {q: v for _, q, _, _, v in put.cells}[b"state"] == b"\x08\x02"
    (row,) = read(put).tables
    assert row == meta_rows.TableRow(T, TABLE, TableState.DISABLING)


def test_a_damaged_row_is_named() -> None:
    info = RegionInfo(T, b"a", b"b", 1)
    put = meta_rows.region_put(info, "OPEN", 1)
    put.cells[0] = (*put.cells[0][:4], b"PBUFrubbish")
    with pytest.raises(CorruptionError, match="ns:t"):
        read(put)
