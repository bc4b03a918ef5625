"""Filters that seek: a scan with one finds what a scan without it, sifted, finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ...operations import Put, Scan
from ...storage.cells import CellBatch
from ...storage.filters.columns import (
    ColumnPrefixFilter,
    ColumnRangeFilter,
    MultipleColumnPrefixFilter,
)
from ...storage.filters.evaluation import FilterKind
from ...storage.filters.row_ranges import MultiRowRangeFilter, RowRange
from ..simulation import Simulation
from .scenarios import Stage
from .server import CONFIG

_BOUND_S: Final = 600.0
_PROCESS: Final = "server"
_ROWS: Final = tuple(b"r%02d" % number for number in range(20))
_COLUMNS: Final = (b"", b"a", b"aa", b"ab", b"b", b"b\0", b"ba", b"c", b"cc")

Sieve = Callable[[bytes, bytes], bool]
"""Whether a cell of this row and qualifier passes."""

_FILTERS: Final[tuple[tuple[FilterKind, Sieve], ...]] = (
    (ColumnPrefixFilter(b"b"), lambda row, column: column.startswith(b"b")),
    (
        MultipleColumnPrefixFilter((b"aa", b"c")),
        lambda row, column: column.startswith((b"aa", b"c")),
    ),
    (ColumnRangeFilter(b"ab", True, b"ba", True), lambda row, column: b"ab" <= column <= b"ba"),
    (
        MultiRowRangeFilter((RowRange(b"r03", True, b"r05"), RowRange(b"r11", True, b"r12", True))),
        lambda row, column: b"r03" <= row < b"r05" or b"r11" <= row <= b"r12",
    ),
)


def problems() -> Iterator[str]:
    """Cells that a filter's scan lacks or has too many, in memory and from files."""
    with Simulation(1, CONFIG, lines_kept=200) as simulation:
        stage = Stage(simulation, CONFIG)
        found: list[str] = []

        async def story() -> None:
            await stage.begin()
            for flushed in (False, True):
                for family in (b"f", b"g"):
                    _fill(stage, family)
                await stage.hosted.log.barrier()
                if flushed:
                    await stage.hosted.flush()
                everything = _cells(await _scan(stage, None))
                for kind, passes in _FILTERS:
                    expected = [one for one in everything if passes(one[0], one[2])]
                    if _cells(await _scan(stage, kind)) != expected:
                        found.append(f"{kind}, {'flushed' if flushed else 'in memory'}")

        simulation.run(story(), _BOUND_S, _PROCESS)
    yield from found


def _fill(stage: Stage, family: bytes) -> None:
    for row in _ROWS:
        put = Put(row)
        for column in _COLUMNS:
            put.add(family, column, b"%b/%b" % (row, column))
        stage.hosted.write([put], lambda: None)


async def _scan(stage: Stage, kind: FilterKind | None) -> CellBatch:
    scanner = stage.hosted.scanner(Scan(filter=kind))
    batch: CellBatch = await stage.hosted.resume(scanner.next)
    scanner.close()
    return batch


def _cells(batch: CellBatch) -> list[tuple[bytes, bytes, bytes]]:
    return [(row, family, qualifier) for row, family, qualifier, *_ in batch.cells()]
