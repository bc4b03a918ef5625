"""Every row of the engine's budget, with RocksDB and LMDB on the same cells in the same run.

Single gets and synced puts are timed by the clock on the wall; what takes several ms without
waiting (other puts, scans, batched gets, flushes, compactions) by the CPU time of all threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..lab import Lab
from ..report import Figure, figure
from ..settings import Settings
from ..timing import cpu_timed, each, median, quiet_collector, timed
from .cells import ONE, TEN, Cells, Shape
from .peers import Lmdb, Peer, RocksDb, installed, pairs_of
from .region import Engine

PUT_US: Final = 6.0
GET_US: Final = 25.0
COLD_US: Final = 150.0
MANY_US: Final = 12.0
SCAN_US: Final = 0.7
MERGED_US: Final = 1.2
FILE_US: Final = 2.0
MANY_ROWS: Final = 1000

Beside = dict[str, float]
"""Seconds of an operation, by the engine's name."""


def measure(settings: Settings, lab: Lab) -> list[Figure]:
    figures = []
    with one_core():
        for shape in (ONE, TEN):
            with lab.directory() as directory:
                figures += _Run(settings, directory, shape).figures()
    return figures


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps this process, and the threads it starts, on one core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


class _Run:
    """All rows for one shape. Times are medians; those of the peers stand beside ours."""

    def __init__(self, settings: Settings, directory: Path, shape: Shape) -> None:
        self._settings = settings
        self._directory = directory
        self._cells = Cells(shape, settings.some(200_000, 40_000) // len(shape))
        self._peers = installed()

    def figures(self) -> list[Figure]:
        with quiet_collector():
            return [*self._puts(sync=False), *self._puts(sync=True), *self._reads()]

    def _figure(
        self,
        what: str,
        budget_us: float,
        times_s: Sequence[float],
        beside: Beside,
        per: int = 1,
        note: str = "",
    ) -> Figure:
        scaled = {name: one_s * 1e6 / per for name, one_s in beside.items()}
        operation = f"{what}; {self._cells.shape.name}"
        return figure(operation, "us", budget_us, times_s, per=per, beside=scaled, note=note)

    # Writes

    def _puts(self, *, sync: bool) -> Iterable[Figure]:
        cells = self._cells
        numbers = [number for quarter in cells.quarters() for number in quarter]
        batches = cells.batches(numbers)[: self._settings.some(200, 40)]
        with closing(Engine(self._directory / f"put{sync}", cells, sync=sync)) as engine:
            ours = self._each_put(engine.put, map(engine.mutations, batches), sync=sync)
        beside = {}
        for peer in self._open_peers(f"put{sync}", sync=sync):
            times = self._each_put(peer.put, (pairs_of(cells, one) for one in batches), sync=sync)
            beside[peer.name] = median(times)
        what = "put in batches of 1,000 cells, " + ("synced" if sync else "logged, not synced")
        yield self._figure(what, PUT_US, ours, beside, per=len(batches[0]) * len(cells.shape))

    @staticmethod
    def _each_put(put: Callable[[Any], None], batches: Iterable[Any], *, sync: bool) -> list[float]:
        ready = list(batches)
        if sync:
            return each(put, ready)
        return [cpu_timed(partial(put, batch))[0] for batch in ready]

    def _open_peers(self, what: str, *, sync: bool = False) -> Iterator[Peer]:
        """RocksDB and LMDB, as far as they are here, empty and one after another."""
        makers: dict[str, Callable[[Path], Peer]] = {
            RocksDb.name: lambda path: RocksDb(path, self._cells, sync=sync),
            Lmdb.name: lambda path: Lmdb(path, self._cells, sync=sync),
        }
        for name in self._peers:
            with closing(makers[name](self._directory / f"{name}-{what}")) as peer:
                yield peer

    # Reads and files

    def _reads(self) -> Iterable[Figure]:
        cells = self._cells
        engine = Engine(self._directory / "four", cells)
        flushes = []
        for quarter in cells.quarters():
            _fill(engine, quarter)
            flushes.append(cpu_timed(engine.flush)[0])
        merged = self._times(engine.scan, 5)
        compactions = [
            cpu_timed(partial(engine.compact, keep=False))[0]
            for _ in range(self._settings.some(4, 2))
        ]
        looked_at = engine.compact()
        ours = self._ask(engine)
        cold = self._cold(engine)
        engine.close()
        beside: dict[str, Beside] = {}
        for peer in self._open_peers("reads"):
            beside[peer.name] = self._peer_reads(peer)

        def others(row: str) -> Beside:
            return {name: times[row] for name, times in beside.items() if row in times}

        whole = len(cells)
        quarter_cells = whole // 4
        yield self._figure("get, cached", GET_US, ours["get"], others("get"))
        note = "the block comes from the page cache; LMDB has no other place for it"
        yield self._figure("get, cold file", COLD_US, cold, others("cold"), note=note)
        what = "get of 1,000 random rows in one call, a row"
        yield self._figure(what, MANY_US, ours["many"], others("many"), MANY_ROWS)
        what = "scan to columns, one file, a cell"
        yield self._figure(what, SCAN_US, ours["scan"], others("scan"), whole)
        note = "each file holds a quarter of the rows, at random"
        what = "scan to columns, merged from four files, a cell"
        yield self._figure(what, MERGED_US, merged, others("merged"), whole, note)
        what = "flush to a durable file, a cell"
        yield self._figure(what, FILE_US, flushes, others("flush"), quarter_cells)
        what = "major compaction of four files, a cell"
        yield self._figure(what, FILE_US, compactions, others("compact"), looked_at)

    def _times(self, scan: Callable[[], int], rounds: int) -> list[float]:
        """Of scans of the whole table whose blocks are cached."""
        assert scan() == len(self._cells)
        return [cpu_timed(scan)[0] for _ in range(self._settings.some(rounds, 3))]

    def _ask(self, store: Engine | Peer) -> dict[str, list[float]]:
        cells = self._cells
        scans = self._times(store.scan, 5)
        asked = cells.some(self._settings.some(20_000, 3_000))
        assert store.get(asked[0]) == len(cells.shape)
        gets = each(store.get, asked)
        many = [cells.some(MANY_ROWS, seed) for seed in range(self._settings.some(15, 5))]
        assert store.get_many(many[0]) == MANY_ROWS * len(cells.shape)
        return {
            "get": gets,
            "many": [cpu_timed(partial(store.get_many, rows))[0] for rows in many],
            "scan": scans,
        }

    def _cold(self, engine: Engine) -> list[float]:
        """Gets that fetch one data block of every family; a few need two."""
        asked = self._cells.some(self._settings.some(3_000, 500), seed=2)
        for path in {file.path for store in engine.region.stores.values() for file in store.files}:
            engine.cache.remove_file(path)
        engine.forget_fetched()
        times = []
        for row in asked:
            took_s, _ = timed(lambda row=row: engine.get(row))  # type: ignore[misc]
            if engine.forget_fetched() == len(self._cells.shape.families):
                times.append(took_s)
        return times

    def _peer_reads(self, peer: Peer) -> Beside:
        cells = self._cells
        times: Beside = {}
        flushes = []
        for quarter in cells.quarters():
            for batch in cells.batches(quarter):
                peer.put(pairs_of(cells, batch))
            if isinstance(peer, RocksDb):
                flushes.append(cpu_timed(peer.flush)[0])
        if isinstance(peer, RocksDb):
            times["flush"] = median(flushes)
            times["merged"] = median(self._times(peer.scan, 5))
            times["compact"] = cpu_timed(peer.compact)[0]
        times |= {name: median(found) for name, found in self._ask(peer).items()}
        if isinstance(peer, RocksDb):
            peer.drop_cache()
            asked = cells.some(self._settings.some(3_000, 500), seed=2)
            times["cold"] = median(each(peer.get, asked))
        return times


def _fill(engine: Engine, numbers: Sequence[int]) -> None:
    for batch in engine.cells.batches(numbers):
        engine.put(engine.mutations(batch))
