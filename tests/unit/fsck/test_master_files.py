"""What master and coordinator keep: damage is named, left as it is, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from damaged_cluster import QUIET, ROWS, DamagedCluster

from raybase.actors.fsck.finding import Kind
from raybase.actors.procedure_store import RegionProcedureStore
from raybase.actors.procedures.assign import AssignProcedure
from raybase.actors.procedures.codec import encode
from raybase.actors.procedures.procedure import Procedure
from raybase.actors.procedures.tables import CreateTableProcedure, DisableTableProcedure
from raybase.model import FamilyDescriptor, RegionInfo, TableDescriptor, TableName

LATER_EPOCH = 10**9
NUMBER = 4711
GONE = TableName.parse("gone")


def content(cluster: DamagedCluster) -> dict[str, bytes]:
    disk = cluster.simulation.disk
    return {path: bytes(node.data) for path, node in disk.walk("") if path != "coordinator.lock"}


def files_of(cluster: DamagedCluster, directory: str, kind: str) -> list[str]:
    paths = [path for path, _ in cluster.simulation.disk.walk(directory)]
    return [path for path in paths if path.rpartition("/")[2].startswith(kind)]


def store(cluster: DamagedCluster, saved: dict[int, bytes]) -> None:
    async def update() -> None:
        runtime = cluster.simulation.runtime_for("operator")
        one = await RegionProcedureStore.open(runtime, QUIET, LATER_EPOCH)
        await one.update(saved)
        await one.close()

    cluster.run(update())


def stored(cluster: DamagedCluster, procedure: Procedure, number: int = NUMBER) -> None:
    procedure.id = number
    store(cluster, {NUMBER: encode(procedure.to_fields())})


def flipped_coordinator_log(cluster: DamagedCluster) -> None:
    """In its first record, which later batches prove."""
    cluster.flip(files_of(cluster, "coordinator", "log")[-1], 60)


def flipped_snapshot(cluster: DamagedCluster) -> None:
    cluster.flip(files_of(cluster, "coordinator", "snapshot")[-1])


def lost_coordinator_log(cluster: DamagedCluster) -> None:
    cluster.simulation.disk.unlink(files_of(cluster, "coordinator", "log")[-1])


def flipped_master_log(cluster: DamagedCluster) -> None:
    cluster.flip(files_of(cluster, "MasterData/WALs", "1")[-1], 60)


def flipped_master_manifest(cluster: DamagedCluster) -> None:
    cluster.flip(files_of(cluster, "MasterData/data", "0")[-1])


def procedure_of_a_later_version(cluster: DamagedCluster) -> None:
    store(cluster, {NUMBER: b'{"kind":"snapshot","id":4711}'})


def procedure_with_a_field_of_a_later_version(cluster: DamagedCluster) -> None:
    body = {**DisableTableProcedure(table=GONE, id=NUMBER).to_fields(), "colour": "red"}
    store(cluster, {NUMBER: encode(body)})


def procedure_at_an_unknown_step(cluster: DamagedCluster) -> None:
    stored(cluster, DisableTableProcedure(table=GONE, step="dance"))


def procedure_under_another_id(cluster: DamagedCluster) -> None:
    stored(cluster, DisableTableProcedure(table=GONE), NUMBER + 1)


def procedure_that_is_no_json(cluster: DamagedCluster) -> None:
    store(cluster, {NUMBER: b"\xff"})


DAMAGE: list[tuple[Callable[[DamagedCluster], None], Kind]] = [
    (flipped_coordinator_log, Kind.COORDINATOR_DAMAGED),
    (flipped_snapshot, Kind.COORDINATOR_DAMAGED),
    (lost_coordinator_log, Kind.COORDINATOR_DAMAGED),
    (flipped_master_log, Kind.PROCEDURES_DAMAGED),
    (flipped_master_manifest, Kind.PROCEDURES_DAMAGED),
    (procedure_of_a_later_version, Kind.PROCEDURE_UNREADABLE),
    (procedure_with_a_field_of_a_later_version, Kind.PROCEDURE_UNREADABLE),
    (procedure_at_an_unknown_step, Kind.PROCEDURE_UNREADABLE),
    (procedure_under_another_id, Kind.PROCEDURE_UNREADABLE),
    (procedure_that_is_no_json, Kind.PROCEDURE_UNREADABLE),
]


@pytest.mark.parametrize(("damage", "kind"), DAMAGE, ids=lambda one: getattr(one, "__name__", ""))
def test_what_the_next_start_could_not_read_is_named_and_left_as_it_is(
    cluster: DamagedCluster, damage: Callable[[DamagedCluster], None], kind: Kind
) -> None:
    cluster.stop()
    damage(cluster)
    before = content(cluster)
    assert not cluster.fsck(stopped=True, repair=True)
    cluster.assert_named(kind)
    assert cluster.told("1 problems"), cluster.said
    assert cluster.told("left as it is"), cluster.said
    assert content(cluster) == before


@pytest.mark.parametrize(
    ("procedure", "lost"),
    [
        (DisableTableProcedure(table=GONE), "table gone"),
        (AssignProcedure(region=RegionInfo(GONE)), "table gone"),
        (AssignProcedure(region=RegionInfo(TableName.parse("t"), b"x", b"y", 1)), "region t,x,"),
        (DisableTableProcedure(table=TableName.parse("t"), parent=17), "procedure 17"),
    ],
    ids=["table", "region's table", "region", "parent"],
)
def test_a_procedure_about_what_is_not_there_is_told_of_and_does_no_harm(
    cluster: DamagedCluster, procedure: Procedure, lost: str
) -> None:
    cluster.stop()
    stored(cluster, replace(procedure))
    before = content(cluster)
    assert cluster.fsck(stopped=True, repair=True)
    cluster.assert_named(Kind.PROCEDURE_STRAY, f"procedure {NUMBER}")
    assert cluster.told("left as it is", "finds nothing to do")
    assert content(cluster) == before


def test_a_table_that_is_about_to_be_made_need_not_be_there(cluster: DamagedCluster) -> None:
    cluster.stop()
    descriptor = TableDescriptor(GONE, (FamilyDescriptor(b"f"),))
    stored(cluster, CreateTableProcedure(table=GONE, descriptor=descriptor))
    assert cluster.fsck(stopped=True)
    assert cluster.told("0 problems, 0 pieces of garbage")


def test_looking_changes_nothing_and_disturbs_nobody(cluster: DamagedCluster) -> None:
    assert cluster.fsck()
    assert cluster.rows() == ROWS
    cluster.stop()
    before = content(cluster)
    assert cluster.fsck(stopped=True)
    assert content(cluster) == before
    cluster.start()
    assert cluster.rows() == ROWS
