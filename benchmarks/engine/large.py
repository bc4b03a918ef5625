"""Gets in a table of many rows beside gets in one of few, from real files.

*Hot*: the rows asked for are few enough for their blocks to be in a cache of the usual size.
*64 MB cache*: rows at random of all, so nearly every get in the large table reads its block
from the page cache. The small table would fit the cache whole; its blocks are dropped after
each get, so that both do the same work but for their size.
"""

from __future__ import annotations

import os
import random
from contextlib import closing
from pathlib import Path
from typing import Final

from raybase.model import FamilyDescriptor
from raybase.storage.hfile import HFileWriter
from raybase.storage.key import END, PLAIN_ROWS, SEQUENCE_MAX, TIMESTAMP_MAX, pack_tail

from ..lab import Lab
from ..report import Figure
from ..settings import Settings
from ..timing import quantile, quiet_collector, timed
from .cells import ONE, Cells, Values, row_of
from .region import NOW_MS, Engine

RATIO: Final = 1.2
SMALL_ROWS: Final = 10_000
_HOT_ROWS: Final = 2_000
_WARM_UP: Final = 6
_SLICE: Final = 20_000
_HOT_BYTES: Final = 512 << 20
_LITTLE_BYTES: Final = 64 << 20
_TAIL: Final = pack_tail(TIMESTAMP_MAX - NOW_MS, 255 - 4, SEQUENCE_MAX - 1)


def measure(settings: Settings, lab: Lab) -> list[Figure]:
    large_rows = settings.some(settings.table_rows, min(settings.table_rows, 1_000_000))
    gets = settings.some(50_000, 10_000)
    found: dict[int, tuple[list[float], list[float]]] = {}
    with lab.directory() as directory:
        for rows in (SMALL_ROWS, large_rows):
            path = directory / f"{rows}.hfile"
            _write(path, rows)
            with quiet_collector():
                hot = _hot(directory, path, rows, gets)
                read = _reading(directory, path, rows, gets // 10, is_small=rows == SMALL_ROWS)
            found[rows] = hot, read
    figures = []
    for place, what in enumerate(("hot", "64 MB cache")):
        small, large = found[SMALL_ROWS][place], found[large_rows][place]
        for q, name in ((0.5, "p50"), (0.99, "p99")):
            in_large, in_small = quantile(large, q), quantile(small, q)
            figures.append(
                Figure(
                    f"get, {what}, {name}: {large_rows} rows against {SMALL_ROWS}",
                    "times",
                    RATIO,
                    in_large / in_small,
                    q,
                    in_large / in_small,
                    None,
                    len(large),
                    f"{in_large * 1e6:.1f} us against {in_small * 1e6:.1f} us",
                )
            )
    return figures


def _write(path: Path, rows: int) -> None:
    """A file of so many rows of one cell."""
    values = Values()
    writer = HFileWriter(FamilyDescriptor(b"f"), PLAIN_ROWS)
    with path.open("wb") as file:
        for first in range(0, rows, _SLICE):
            numbers = range(first, min(first + _SLICE, rows))
            keys = [row_of(number) + END + b"q0" + END + _TAIL for number in numbers]
            writer.append(keys, list(map(values.of, numbers)))
            file.write(writer.drain())
        file.write(writer.finish(max_sequence_id=1).data)


def _engine(directory: Path, path: Path, cache_bytes: int) -> Engine:
    engine = Engine(directory / "region", Cells(ONE, 0), cache_bytes=cache_bytes)
    engine.adopt(b"f", engine.open_file(str(path), os.open(path, os.O_RDONLY), b"f"))
    return engine


def _hot(directory: Path, path: Path, rows: int, gets: int) -> list[float]:
    chance = random.Random(6)
    asked = [row_of(chance.randrange(rows)) for _ in range(min(_HOT_ROWS, rows))]
    with closing(_engine(directory, path, _HOT_BYTES)) as engine:
        for row in asked * _WARM_UP:
            engine.get(row)
        assert not engine.cache.stats.evictions, "the rows asked for do not fit the cache"
        return _times(engine, chance.choices(asked, k=gets))


def _reading(directory: Path, path: Path, rows: int, gets: int, *, is_small: bool) -> list[float]:
    chance = random.Random(8)
    with closing(_engine(directory, path, _LITTLE_BYTES)) as engine:
        for _ in range(_HOT_ROWS):
            engine.get(row_of(chance.randrange(rows)))
        engine.forget_fetched()
        times = []
        for _ in range(gets):
            if is_small:
                engine.forget_blocks()
            times += _times(engine, [row_of(chance.randrange(rows))])
        return times


def _times(engine: Engine, rows: list[bytes]) -> list[float]:
    times = []
    for row in rows:
        took_s, cells = timed(lambda row=row: engine.get(row))  # type: ignore[misc]
        assert cells == 1
        times.append(took_s)
    return times
