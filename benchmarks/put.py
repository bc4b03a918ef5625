"""Puts in batches, acknowledged when they are on the disk."""

from __future__ import annotations

import random

from raybase import Put

from .lab import Lab
from .load import FAMILY, QUALIFIER
from .report import Figure, figure
from .settings import Settings
from .timing import each, quiet_collector

PUT_US = 12.0
BATCH = 1000
VALUE_BYTES = 100
WARM_UP_BATCHES = 5


def batches(settings: Settings, lab: Lab) -> list[Figure]:
    """Every put goes to a row of its own; rows come in random order."""
    chance = random.Random(3)
    count = settings.some(200, 50)
    numbers = list(range((count + WARM_UP_BATCHES) * BATCH))
    chance.shuffle(numbers)
    rows = [b"user%012d" % number for number in numbers]

    def make(batch: int) -> list[Put]:
        value = chance.randbytes(VALUE_BYTES)
        some = rows[batch * BATCH : (batch + 1) * BATCH]
        return [Put(row).add(FAMILY, QUALIFIER, value) for row in some]

    with lab.cluster() as cluster, quiet_collector():
        cluster.connection.admin.create_table("t", [FAMILY])
        table = cluster.connection.table("t")
        for batch in range(count, count + WARM_UP_BATCHES):
            table.put_many(make(batch))
        ready = [make(batch) for batch in range(count)]
        sent = each(table.put_many, ready)
        made = each(make, range(count))
    note = (
        f"one blocking client, {VALUE_BYTES}-byte values, random rows; making the Put objects "
        f"costs {figure('', 'us', None, made, per=BATCH).median:.1f} us a put more"
    )
    operation = f"put in a batch of {BATCH}, synced, through the client"
    return [figure(operation, "us", PUT_US, sent, per=BATCH, note=note)]
