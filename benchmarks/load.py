"""Load: processes that write to a table for as long as they are let."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any, Self

import psutil

from raybase import Put, connect

FAMILY = b"f"
QUALIFIER = b"q"
ROWS_A_WRITER = 20_000
STOP_TIMEOUT_S = 60.0


def row_of(prefix: bytes, number: int) -> bytes:
    return b"%b%010d" % (prefix, number)


def put_of(row: bytes, value: bytes) -> Put:
    return Put(row).add(FAMILY, QUALIFIER, value)


class Load:
    """Writers in processes of their own, each with puts in batches, one after another.

    Args:
        addresses: of the cluster's servers.
        table: where to write.
        prefixes: what rows begin with. Writers share them out, so that one whose region is
            away does not stop the others; every batch has rows of all a writer has.
        writers: number of processes.
        batch: puts of a batch; 1: single calls.
        value_bytes: size of each value, which does not compress.
        puts_max: how many puts a writer makes before it ends by itself; 0: no end.

    """

    def __init__(
        self,
        addresses: str,
        table: str,
        prefixes: Sequence[bytes],
        *,
        writers: int = 4,
        batch: int = 100,
        value_bytes: int = 100,
        puts_max: int = 0,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop: Event = context.Event()
        self._puts: Any = context.Array("Q", writers)
        shares = [prefixes[number::writers] or prefixes for number in range(writers)]
        self._writers: list[BaseProcess] = [
            context.Process(
                target=_write,
                args=(
                    number,
                    addresses,
                    table,
                    tuple(share),
                    batch,
                    value_bytes,
                    puts_max,
                    self._puts,
                    self._stop,
                ),
                daemon=True,
            )
            for number, share in enumerate(shares)
        ]

    def __enter__(self) -> Self:
        for writer in self._writers:
            writer.start()
        while not all(self._puts) and any(writer.is_alive() for writer in self._writers):
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for writer in self._writers:
            writer.join(STOP_TIMEOUT_S)
        if kind is None and any(writer.exitcode != 0 for writer in self._writers):
            raise RuntimeError("a writer failed; what it said is above")

    @property
    def puts(self) -> int:
        """How many were acknowledged."""
        return sum(self._puts)

    def wait(self) -> None:
        """Until every writer has made ``puts_max`` puts."""
        for writer in self._writers:
            writer.join()


def _write(
    writer: int,
    addresses: str,
    table_name: str,
    prefixes: tuple[bytes, ...],
    batch: int,
    value_bytes: int,
    puts_max: int,
    puts: Any,
    stop: Event,
) -> None:
    chance = random.Random(writer)
    own = [b"%b%d-" % (prefix, writer) for prefix in prefixes]
    numbers = range(puts_max // len(own) + 1 if puts_max else ROWS_A_WRITER // len(own))
    ready = [
        put_of(row_of(prefix, number), chance.randbytes(value_bytes))
        for number in numbers
        for prefix in own
    ]
    if puts_max:
        del ready[puts_max:]
    with connect(addresses) as connection:
        table = connection.table(table_name)
        while not stop.is_set():
            for start in range(0, len(ready), batch):
                some = ready[start : start + batch]
                if batch == 1:
                    table.put(some[0])
                else:
                    table.put_many(some)
                puts[writer] += len(some)
                if stop.is_set():
                    return
            if puts_max:
                return


class CpuShare:
    """What processes use of the CPU from now on."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._began_s = time.perf_counter()
        self._before = self._used()

    def _used(self) -> list[float]:
        return [sum(one.cpu_times()[:2]) for one in self._processes]

    def seconds(self) -> list[float]:
        """CPU time each has used since."""
        return [now - before for now, before in zip(self._used(), self._before, strict=True)]

    def shares(self) -> list[float]:
        """The same as a share of the time that has passed."""
        passed_s = time.perf_counter() - self._began_s
        return [used_s / passed_s for used_s in self.seconds()]
