"""Filters, parts of rows and raw cells through a whole cluster of three regions under fire."""

from __future__ import annotations

from typing import Any

import pytest

from raybase import Scan, filters
from raybase.client.async_connection import AsyncConnection
from raybase.testing import simulate

pytestmark = pytest.mark.simulation

ROWS = [b"%02d" % number for number in range(100)]


async def read_in_every_way(connection: AsyncConnection) -> dict[str, Any]:
    families = {"f": {"max_versions": 3}, "g": {}}
    await connection.admin.create_table("t", families, splits=["30", "60"])
    table = connection.table("t")
    for number, row in enumerate(ROWS):
        await table.put(row, {"f:a": b"v%d" % (number % 5), "f:b": b"x", "g:c": b"y"})
    await table.delete("00", ["f:a"])

    async def rows(**options: Any) -> list[bytes]:
        return [row.row async for row in table.scan(**options)]

    prefixes = filters.MultiRowRangeFilter.of_prefixes([b"2", b"7"])
    raw = table.scan(raw=True, stop="01", versions=5)
    parts = [row async for row in table.scan(Scan(batch=1))]
    return {
        "page over regions": await rows(start="25", filter="PageFilter(12)"),
        "one value": await rows(filter="SingleColumnValueFilter('f','a',=,'binary:v3',true,true)"),
        "while": await rows(filter="WHILE RowFilter(<,'binary:50')"),
        "downwards": await rows(filter=prefixes, reversed=True),
        "parts": await rows(start="29", batch=2, limit=2),
        "raw": [(cell.column, cell.type.name) async for row in raw for cell in row.cells],
        "get": dict(await table.get("05", filter="ColumnPrefixFilter('b')")),
        "cells in parts": (
            len(parts),
            len({(part.row, cell.column) for part in parts for cell in part.cells}),
        ),
    }


@pytest.mark.parametrize("seed", range(3))
def test_what_is_selected_is_what_comes_whatever_happens_to_the_cluster(seed: int) -> None:
    assert simulate(read_in_every_way, seed) == {
        "page over regions": ROWS[25:37],
        "one value": ROWS[3::5],
        "while": ROWS[:50],
        "downwards": ROWS[79:69:-1] + ROWS[29:19:-1],
        "parts": [ROWS[29], ROWS[29], ROWS[30], ROWS[30]],
        "raw": [
            (b"f:a", "DELETE_COLUMN"), (b"f:a", "PUT"), (b"f:b", "PUT"), (b"g:c", "PUT"),
        ],
        "get": {b"f:b": b"x"},
        "cells in parts": (299, 299),
    }  # fmt: skip
