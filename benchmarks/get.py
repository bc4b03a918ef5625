"""Point gets: inside the engine, and through the client."""

from __future__ import annotations

import os
import random

from raybase import Put
from raybase.operations import Get, Scan

from .engine import NOW_MS, Engine
from .lab import Lab
from .load import FAMILY, QUALIFIER, CpuShare
from .report import Figure, figure
from .settings import Settings
from .timing import each, quiet_collector

ENGINE_US = 25.0
CLIENT_US = 100.0
ROWS = 100_000
CLIENT_ROWS = 10_000
VALUE_BYTES = 100


def in_engine(settings: Settings, _: Lab) -> list[Figure]:
    engine = Engine(settings.some(ROWS, CLIENT_ROWS))
    engine.load()
    engine.flush()
    engine.scan(Scan())
    gets = [Get(row) for row in random.Random(1).choices(engine.rows, k=settings.some(20000, 5000))]
    with quiet_collector():
        times = each(lambda get: engine.region.get(get, NOW_MS), gets)
    note = f"rows at random of {len(engine.rows)}, one file, all of it cached"
    return [figure("get of a cached block, inside the engine", "us", ENGINE_US, times, note=note)]


def through_client(settings: Settings, lab: Lab) -> list[Figure]:
    chance = random.Random(2)
    rows = [b"user%012d" % number for number in range(CLIENT_ROWS)]
    with lab.cluster() as cluster:
        cluster.connection.admin.create_table("t", [FAMILY])
        table = cluster.connection.table("t")
        table.put_many(
            [Put(row).add(FAMILY, QUALIFIER, chance.randbytes(VALUE_BYTES)) for row in rows]
        )
        cluster.connection.admin.flush("t")
        each(table.get, rows)
        ((_, server),) = cluster.regions("t")
        asked = chance.choices(rows, k=settings.some(20000, 5000))
        with quiet_collector():
            cpu = CpuShare([os.getpid(), cluster.pid_of(server)])
            times = each(table.get, asked)
            client_us, server_us = (1e6 * used_s / len(asked) for used_s in cpu.seconds())
    note = (
        "one blocking client, rows at random, one cached file; "
        f"{client_us:.0f} us of CPU in the client, {server_us:.0f} us in the server"
    )
    return [figure("get through the client, one by one", "us", CLIENT_US, times, note=note)]
