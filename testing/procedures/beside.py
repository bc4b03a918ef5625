"""Many procedures at once on the same regions: one after the other has its turn."""

from __future__ import annotations

from collections.abc import Iterator

from ...actors.procedures.alter import AlterTableProcedure
from ...actors.procedures.assign import AssignProcedure, ReopenProcedure, UnassignProcedure
from ...actors.procedures.flush import FlushTableProcedure
from ...actors.procedures.merge import MergeProcedure
from ...actors.procedures.move import MoveProcedure
from ...actors.procedures.procedure import Procedure
from ...actors.procedures.split import SplitProcedure
from ...actors.procedures.tables import (
    DisableTableProcedure,
    EnableTableProcedure,
)
from .cluster import FakeCluster
from .scenarios import ALTERED, TABLE, create, regions


def problems() -> Iterator[str]:
    """What went wrong when everything was asked for at once, in several orders."""
    for turn in range(6):
        cluster = FakeCluster(seed=turn + 1)
        try:
            yield from (f"order {turn}: {one}" for one in _disturbed(cluster, turn))
        finally:
            cluster.close()


def _disturbed(cluster: FakeCluster, turn: int) -> Iterator[str]:
    cluster.elect()
    cluster.settle()
    create(cluster)
    wishes = _wishes(cluster)
    for one in (*wishes[turn:], *wishes[:turn]):
        cluster.submit(one)
    cluster.settle_all()
    yield from cluster.violations[:3]
    try:
        cluster.check()
    except AssertionError as error:
        yield str(error)


def _wishes(cluster: FakeCluster) -> list[Procedure]:
    infos = regions(cluster)
    first, last = infos[0], infos[-1]
    return [
        MoveProcedure(region=first),
        SplitProcedure(region=first, row=b"c"),
        FlushTableProcedure(table=TABLE.name),
        ReopenProcedure(region=first),
        MergeProcedure(regions=tuple(infos)),
        DisableTableProcedure(table=TABLE.name),
        EnableTableProcedure(table=TABLE.name),
        UnassignProcedure(region=last),
        AlterTableProcedure(table=TABLE.name, descriptor=ALTERED),
        MoveProcedure(region=last),
        SplitProcedure(region=last, row=b"s"),
        AssignProcedure(region=first),
    ]
