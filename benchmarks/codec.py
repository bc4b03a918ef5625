"""What the wire costs in Python: cell blocks, batches, single calls. Medians, one process.

Run with ``python benchmarks/codec.py``. Nothing here touches a socket or a disk; inputs are
made from a fixed seed.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from raybase.operations import Get, Mutation, Put
from raybase.rpc import convert
from raybase.rpc.client import ClientConnection
from raybase.rpc.codec import COLUMNAR, KEY_VALUE, CellCodec
from raybase.rpc.multi import RegionAnswer, RegionBatch
from raybase.storage.cells import CellBatch

REGION = b"usertable,user5,1700000000000.0123456789abcdef0123456789abcdef."
ROUNDS = 15
CHANCE = random.Random(7)


def median_us(work: Callable[[], object], per: int, repeat: int = 1) -> float:
    """Median time of one of the ``per`` things that ``work`` does, in microseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / (per * repeat) * 1e6


def report(what: str, us: float, unit: str) -> None:
    print(f"{what:<58}{us:8.3f} us a {unit}")


def scanned(rows: int, columns: int) -> CellBatch:
    """Rows as a scan returns them: values of 80 to 120 bytes, one timestamp a row."""
    batch = CellBatch()
    for row in range(rows):
        timestamp = 1_700_000_000_000 + row
        for column in range(columns):
            value = CHANCE.randbytes(CHANCE.randint(80, 120))
            batch.append(b"user%012d" % row, b"f", b"field%d" % column, timestamp, 4, value)
        batch.end_row()
    return batch


def blocks() -> None:
    for rows, columns in ((10_000, 1), (1_000, 10), (1, 1)):
        batch = scanned(rows, columns)
        cells = len(batch)
        repeat = max(1, 2000 // cells)
        shape = f"{rows} rows of {columns}"
        for codec in (COLUMNAR, KEY_VALUE):
            block(codec, batch, shape, cells, repeat)


def block(codec: CellCodec, batch: CellBatch, shape: str, cells: int, repeat: int) -> None:
    name = codec.name.rpartition(".")[2]
    data = codec.encode(batch)
    report(
        f"{name}, {shape}: encode", median_us(lambda: codec.encode(batch), cells, repeat), "cell"
    )
    report(f"{name}, {shape}: decode", median_us(lambda: codec.decode(data), cells, repeat), "cell")


def multi(count: int = 1000) -> None:
    value = CHANCE.randbytes(100)
    puts: list[Mutation | Get] = [
        Put(b"user%012d" % row).add(b"f", b"field0", value) for row in range(count)
    ]
    batches = [RegionBatch(REGION, puts)]
    client = ClientConnection("ClientService", user="ann")

    def send() -> None:
        request, cells = convert.multi_request(batches)
        call_id, _ = client.call("Multi", request, cells)
        client.abandon(call_id)

    request, cells = convert.multi_request(batches)
    answers = [RegionAnswer([None] * count)]
    response = convert.multi_reply(request, answers, COLUMNAR).message
    size = len(request.SerializeToString()) + len(cells)
    what = f"Multi of {count} puts of 100 bytes"
    print(f"{what}: {size / count:.1f} bytes a put on the wire")
    report(f"{what}: client, to bytes", median_us(send, count), "put")
    report(
        f"{what}: server, to mutations",
        median_us(lambda: convert.multi_from_request(request, cells, COLUMNAR), count),
        "put",
    )
    report(
        f"{what}: server, answer",
        median_us(lambda: convert.multi_reply(request, answers, COLUMNAR), count),
        "put",
    )
    report(
        f"{what}: client, outcomes",
        median_us(lambda: convert.multi_answers(response, None, batches), count),
        "put",
    )


def get(repeat: int = 2000) -> None:
    client = ClientConnection("ClientService", user="ann")
    wanted = Get(b"user000000000001")
    batch = scanned(1, 1)

    def send() -> None:
        call_id, _ = client.call("Get", convert.get_request(REGION, wanted), timeout_s=60)
        client.abandon(call_id)

    message = convert.get_request(REGION, wanted).get
    reply = convert.get_reply(batch, wanted, COLUMNAR)
    data = COLUMNAR.encode(batch)
    report("Get: client, to bytes", median_us(send, 1, repeat), "call")
    report(
        "Get: server, to a Get",
        median_us(lambda: convert.get_from_pb(message), 1, repeat),
        "call",
    )
    report(
        "Get: server, answer and its block",
        median_us(
            lambda: COLUMNAR.encode(convert.get_reply(batch, wanted, COLUMNAR).cells), 1, repeat
        ),
        "call",
    )
    report(
        "Get: client, cells",
        median_us(
            lambda: convert.result_batch(reply.message.result, COLUMNAR.decode(data)), 1, repeat
        ),
        "call",
    )


if __name__ == "__main__":
    blocks()
    multi()
    get()
