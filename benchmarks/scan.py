"""Whole tables through the client, into columns."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from raybase import Put

from .lab import Cluster, Lab
from .load import FAMILY
from .report import Figure, figure
from .settings import Settings
from .timing import quiet_collector, timed

CELL_US = 1.0
SHAPES = ((1, "rows of one cell"), (10, "rows of 10 cells"))
VALUE_BYTES = 100
PUTS_A_CALL = 500


def into_columns(settings: Settings, lab: Lab) -> list[Figure]:
    figures = []
    cells = settings.some(200_000, 50_000)
    with lab.cluster() as cluster:
        for columns, shape in SHAPES:
            name = f"t{columns}"
            _fill(cluster, name, cells, columns)
            table = cluster.connection.table(name)
            assert len(table.scan().columns()) == cells
            with quiet_collector():
                times = [timed(table.scan().columns)[0] for _ in range(settings.some(15, 5))]
            note = f"{cells} cells of {VALUE_BYTES} bytes, {shape}, one cached file"
            operation = f"scan through the client into columns, a cell, {shape}"
            figures.append(figure(operation, "us", CELL_US, times, per=cells, note=note))
    return figures


def _fill(cluster: Cluster, name: str, cells: int, columns: int) -> None:
    cluster.connection.admin.create_table(name, [FAMILY])
    table = cluster.connection.table(name)
    puts = _puts(cells // columns, columns)
    while some := list(islice(puts, PUTS_A_CALL)):
        table.put_many(some)
    cluster.connection.admin.flush(name)


def _puts(rows: int, columns: int) -> Iterator[Put]:
    chance = random.Random(4)
    for row in range(rows):
        put = Put(b"user%012d" % row)
        for column in range(columns):
            put.add(FAMILY, b"field%d" % column, chance.randbytes(VALUE_BYTES))
        yield put
