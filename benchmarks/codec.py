"""What the wire costs in Python: cell blocks, batches, single calls.

Nothing here touches a socket or a disk; inputs are made from a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from raybase.operations import Get, Mutation, Put
from raybase.rpc import convert
from raybase.rpc.client import ClientConnection
from raybase.rpc.codec import COLUMNAR, KEY_VALUE, CellCodec
from raybase.rpc.multi import RegionAnswer, RegionBatch
from raybase.storage.cells import CellBatch

from .lab import Lab
from .report import Figure, figure
from .settings import Settings
from .timing import timed

REGION = b"usertable,user5,1700000000000.0123456789abcdef0123456789abcdef."
ROUNDS = 15
CHANCE = random.Random(7)


def measured(what: str, work: Callable[[], object], per: int, repeat: int = 1) -> Figure:
    """One of the ``per`` things that ``work`` does."""

    def often() -> None:
        for _ in range(repeat):
            work()

    times_s = [timed(often)[0] for _ in range(ROUNDS)]
    return figure(f"wire: {what}", "us", None, times_s, per=per * repeat)


def details(_: Settings, __: Lab) -> list[Figure]:
    """What calls and cell blocks cost at either end."""
    return [*blocks(), *multi(), *get()]


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


def blocks() -> list[Figure]:
    figures = []
    for rows, columns in ((10_000, 1), (1_000, 10), (1, 1)):
        batch = scanned(rows, columns)
        for codec in (COLUMNAR, KEY_VALUE):
            figures += block(codec, batch, f"{rows} rows of {columns}")
    return figures


def block(codec: CellCodec, batch: CellBatch, shape: str) -> list[Figure]:
    what = f"{codec.name.rpartition('.')[2]}, {shape}"
    cells = len(batch)
    repeat = max(1, 2000 // cells)
    data = codec.encode(batch)
    return [
        measured(f"{what}: encode, a cell", lambda: codec.encode(batch), cells, repeat),
        measured(f"{what}: decode, a cell", lambda: codec.decode(data), cells, repeat),
    ]


def multi(count: int = 1000) -> list[Figure]:
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
    what = f"Multi of {count} puts, a put"
    return [
        measured(f"{what}: client, to bytes", send, count),
        measured(
            f"{what}: server, to mutations",
            lambda: convert.multi_from_request(request, cells, COLUMNAR),
            count,
        ),
        measured(
            f"{what}: server, answer",
            lambda: convert.multi_reply(request, answers, COLUMNAR),
            count,
        ),
        measured(
            f"{what}: client, outcomes",
            lambda: convert.multi_answers(response, None, batches),
            count,
        ),
    ]


def get(repeat: int = 2000) -> list[Figure]:
    client = ClientConnection("ClientService", user="ann")
    wanted = Get(b"user000000000001")
    batch = scanned(1, 1)

    def send() -> None:
        call_id, _ = client.call("Get", convert.get_request(REGION, wanted), timeout_s=60)
        client.abandon(call_id)

    def answer() -> bytes:
        return COLUMNAR.encode(convert.get_reply(batch, wanted, COLUMNAR).cells or batch)

    message = convert.get_request(REGION, wanted).get
    result = convert.get_reply(batch, wanted, COLUMNAR).message.result
    data = COLUMNAR.encode(batch)
    return [
        measured("Get: client, to bytes", send, 1, repeat),
        measured("Get: server, to a Get", lambda: convert.get_from_pb(message), 1, repeat),
        measured("Get: server, answer and its block", answer, 1, repeat),
        measured(
            "Get: client, cells",
            lambda: convert.result_batch(result, COLUMNAR.decode(data)),
            1,
            repeat,
        ),
    ]
