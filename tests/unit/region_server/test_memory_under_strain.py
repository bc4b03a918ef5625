"""Eight writers, each faster than the disk: memory stays bounded, reads go on, nobody hangs."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from raybase.errors import RegionTooBusyError
from raybase.model import RegionInfo
from raybase.operations import Get, Put, Scan
from raybase.rpc.convert import (
    RegionBatch,
    get_request,
    multi_answers,
    multi_request,
    scan_request,
)

from .small_cluster import RpcClient
from .strained_server import REGIONS, STORE

WRITERS = 8
READERS = 2
PUTS = 100
VALUE_BYTES = 1_000
ENOUGH = 30
SECONDS_MAX = 90.0
HANG_S = 20.0
"""No call may take longer, on whatever machine: who is pushed back is told so."""

MARK = STORE.memstore_bytes_max
CACHES = STORE.block_cache_bytes + STORE.block_cache_l2_bytes
RSS_MAX = 1.5 * (MARK + CACHES) + 200e6


class Strain:
    """What clients saw. It ends when they saw enough, or after ``seconds``."""

    def __init__(self, port: int, seconds: float, enough: int) -> None:
        self.port = port
        self.ends_s = time.monotonic() + seconds
        self.enough = enough
        self.written_again = 0
        """Batches after the first one that was refused."""
        self.refused_s: list[float] = []
        self.written_s: list[float] = []
        self.read_s: list[float] = []
        self.scanned = 0

    @property
    def goes_on(self) -> bool:
        seen = min(len(self.refused_s), len(self.read_s), self.written_again)
        return time.monotonic() < self.ends_s and seen < self.enough

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[RpcClient]:
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_connection(
            lambda: RpcClient("ClientService"), "127.0.0.1", self.port
        )
        try:
            yield client
        finally:
            transport.close()
            await asyncio.sleep(0)

    async def write(self, number: int) -> None:
        chance = random.Random(number)
        async with self.connected() as client:
            while self.goes_on:
                await self._write_batch(client, number, chance)

    async def _write_batch(self, client: RpcClient, number: int, chance: random.Random) -> None:
        info = REGIONS[chance.randrange(2)]
        puts: list[Put | Get] = []
        for row in range(PUTS):
            put = Put(self._row(info, number, chance))
            puts.append(put.add((b"f", b"g")[row % 2], b"q", chance.randbytes(VALUE_BYTES)))
        batches = [RegionBatch(info.name, puts)]
        began_s = time.monotonic()
        answer = await client.call("Multi", *multi_request(batches))
        took_s = time.monotonic() - began_s
        (region,) = multi_answers(answer.message, answer.cells, batches)
        outcomes = [region.error] if region.error else region.outcomes
        if any(isinstance(one, RegionTooBusyError) for one in outcomes):
            self.refused_s.append(took_s)
            await asyncio.sleep(0.02)
            return
        assert not any(isinstance(one, Exception) for one in outcomes), outcomes
        self.written_s.append(took_s)
        self.written_again += bool(self.refused_s)

    async def read(self, number: int) -> None:
        chance = random.Random(number)
        async with self.connected() as client:
            while self.goes_on:
                info = REGIONS[chance.randrange(2)]
                row = self._row(info, chance.randrange(WRITERS), chance)
                began_s = time.monotonic()
                await client.call("Get", get_request(info.name, Get(row)))
                scan = Scan(start_row=row, limit=1000, caching=1000)
                answer = await client.call("Scan", scan_request(info.name, scan))
                self.read_s.append(time.monotonic() - began_s)
                self.scanned += len(answer.cells or ())
                await asyncio.sleep(0.005)

    @staticmethod
    def _row(info: RegionInfo, writer: int, chance: random.Random) -> bytes:
        first = 4 * (info is REGIONS[1]) + chance.randrange(4)
        return b"%d%d-%08d" % (first, writer, chance.randrange(10**8))


async def watch(process: psutil.Process, strain: Strain) -> int:
    """The most memory that the process had."""
    highest = 0
    while strain.goes_on:
        highest = max(highest, process.memory_info().rss)
        await asyncio.sleep(0.02)
    return highest


def p99(times_s: list[float]) -> float:
    return sorted(times_s)[len(times_s) * 99 // 100]


def strained(root: Path, seconds: float, enough: int) -> tuple[Strain, int, dict[str, int]]:
    """(what clients saw, most memory, what the server counted)."""
    script = Path(__file__).with_name("strained_server.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            strain = Strain(int(server.stdout.readline()), seconds, enough)

            async def all_of_them() -> int:
                writers = [strain.write(number) for number in range(WRITERS)]
                readers = [strain.read(number) for number in range(READERS)]
                watching = watch(psutil.Process(server.pid), strain)
                highest, *_ = await asyncio.gather(watching, *writers, *readers)
                return highest

            highest = asyncio.run(all_of_them())
            server.stdin.close()
            return strain, highest, json.loads(server.stdout.readline())
        finally:
            server.kill()


def check(strain: Strain, highest: int, counters: dict[str, int]) -> None:
    assert highest <= RSS_MAX, f"{highest / 1e6:.0f} MB of {RSS_MAX / 1e6:.0f}"
    # One batch of each writer may come in between the look at the mark and the next one.
    assert counters["memstore_bytes"] <= MARK + WRITERS * PUTS * (VALUE_BYTES + 400)
    assert counters["memstore_bytes"] > 0.9 * MARK, "the mark was never reached"
    assert counters["cache_data_bytes"] > 0.8 * STORE.block_cache_bytes
    assert counters["cache_l2_bytes"] > 0.2 * STORE.block_cache_l2_bytes, "of four buckets, one"
    assert len(strain.refused_s) >= ENOUGH, "hardly anybody was pushed back"
    assert strain.written_again >= ENOUGH, "those who were pushed back never got through"
    assert p99(strain.refused_s) < HANG_S
    assert p99(strain.written_s) < HANG_S
    assert len(strain.read_s) >= ENOUGH
    assert p99(strain.read_s) < HANG_S
    assert strain.scanned


def test_eight_writers_on_a_slow_disk_fill_no_more_than_what_they_may(tmp_path: Path) -> None:
    check(*strained(tmp_path, SECONDS_MAX, ENOUGH))


@pytest.mark.long
def test_eight_writers_on_a_slow_disk_for_half_a_minute(tmp_path: Path) -> None:
    strain, highest, counters = strained(tmp_path, 30.0, 10**9)
    check(strain, highest, counters)
    assert counters["flushes"] >= 5
