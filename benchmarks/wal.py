"""What more than one log would bring to a server (HBase's MultiWAL).

First the server's own writer: writers that wait for each write, spread over one, two and four
logs on the one loop. Then the disk alone, without Python's share: threads that append and sync
files of their own, which is the most that logs in processes of their own could reach.
"""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from raybase.actors.log_writer import LogWriter
from raybase.actors.posix import PosixFiles
from raybase.actors.system import SystemClock, SystemEntropy
from raybase.config import WalConfig
from raybase.model import Durability, TableName
from raybase.runtime import Runtime
from raybase.storage.wal import FamilyCells, WalRecord

from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import timed

LOGS = (1, 2, 4)
WRITERS = (1, 4, 8)
PUTS = (1, 100)
"""In one write; a put is 100 bytes of value and a key of about 50."""


def details(settings: Settings, lab: Lab) -> list[Figure]:
    """A write, synced, on one, two and four logs; and what the disk does of itself."""
    figures = []
    rounds = settings.some(9, 3)
    writes = settings.some(400, 100)
    with lab.directory() as directory:
        for puts in PUTS:
            for writers in WRITERS:
                for logs in (one for one in LOGS if one <= writers):
                    times_s = logged(directory, logs, writers, puts, writes, rounds)
                    what = f"log: {writers} writers, {puts} puts a write, {logs} logs: a write"
                    figures.append(figure(what, "us", None, times_s, per=writers * writes))
        for length in (200, 20_000):
            for threads in LOGS:
                times_s = [sync_files(directory, threads, length, writes) for _ in range(rounds)]
                what = f"log: the disk alone, {length} bytes, {threads} files at a time: a sync"
                figures.append(figure(what, "us", None, times_s, per=threads * writes))
    return figures


def logged(
    directory: Path, logs: int, writers: int, puts: int, writes: int, rounds: int
) -> list[float]:
    """Seconds that all the writers take for ``writes`` writes each, again and again."""
    files = PosixFiles(str(directory))
    unused: Any = None
    runtime = Runtime(SystemClock(), SystemEntropy(), files, unused, unused, unused, unused)

    async def measure() -> list[float]:
        name = os.urandom(4).hex()
        opened = []
        for number in range(logs):
            log = LogWriter(runtime, f"{name}-{number}", "", WalConfig(), fail, fail)
            await log.start()
            opened.append(log)
        record = record_of(puts)
        times_s = []
        for _ in range(rounds):
            began_s = runtime.clock.monotonic_s()
            work = (write(opened[one % logs], record, writes) for one in range(writers))
            await asyncio.gather(*work)
            times_s.append(runtime.clock.monotonic_s() - began_s)
        for log in opened:
            await log.close()
        return times_s

    try:
        return asyncio.run(measure())
    finally:
        files.close()


async def write(log: LogWriter, record: bytes, count: int) -> None:
    """One write after the other, each waited for."""
    loop = asyncio.get_running_loop()
    for number in range(count):
        done: asyncio.Future[None] = loop.create_future()
        log.submit(record, "r", number, Durability.SYNC_WAL, lambda one=done: one.set_result(None))
        await done


def record_of(puts: int) -> bytes:
    keys = [b"user%012d\0\0field0\0\0" % number + bytes(17) for number in range(puts)]
    values = [os.urandom(100) for _ in keys]
    cells = FamilyCells(b"f", keys, values)
    return WalRecord("0" * 32, TableName.parse("t"), 1, 0, (cells,)).encode()


def sync_files(directory: Path, threads: int, length: int, count: int) -> float:
    """Seconds in which each thread appends to a file of its own and syncs it, often."""

    def work(number: int) -> None:
        data = os.urandom(length)
        path = directory / f"alone-{number}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for _ in range(count):
                os.write(descriptor, data)
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]

    def all_of_them() -> None:
        for one in started:
            one.start()
        for one in started:
            one.join()

    return timed(all_of_them)[0]


def fail(what: object) -> None:
    raise AssertionError(f"the log failed: {what}")
