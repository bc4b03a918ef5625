"""Point gets through the client."""

from __future__ import annotations

import os
import random

from raybase import Put

from .lab import Lab
from .load import FAMILY, QUALIFIER, CpuShare
from .report import Figure, figure
from .settings import Settings
from .timing import each, quiet_collector

CLIENT_US = 100.0
CLIENT_ROWS = 10_000
VALUE_BYTES = 100


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
