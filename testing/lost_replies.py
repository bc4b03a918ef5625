"""An increment whose reply is lost, then changes of its region, then the client's retry.

The nonce must come through each change, and the increment count once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ..client.async_connection import AsyncConnection
from ..client.result import Result
from ..operations import Append, Increment
from .drill import COLUMN, LATE_ROW, PATIENT, PAUSE_S, TABLE, Drill, region_of
from .failover import Strike

_SPLIT_ROW: Final = b"8"
_TEXT: Final = b"f:t"
_PIECE: Final = b"once"
_CLIENT: Final = "teller"
_JUMP_MS: Final = 2 * 3600 * 1000
_WRITTEN_S: Final = 2.0
_GIVEN_UP_S: Final = 2 * PATIENT.call_timeout_s


@dataclass(slots=True)
class _Teller:
    """A client that raises a counter a second time when it is told to."""

    in_batch: bool
    """It raises it the second time in a batch, with an append."""
    warm: bool = False
    """It knows where the row is, and has raised it once."""
    go: bool = False
    answer: int = 0

    async def work(self, connection: AsyncConnection) -> None:
        table = connection.table(TABLE)
        await table.increment(LATE_ROW, {COLUMN: 1})
        self.warm = True
        while not self.go:
            await asyncio.sleep(PAUSE_S)
        if not self.in_batch:
            self.answer = (await table.increment(LATE_ROW, {COLUMN: 1})).number(COLUMN)
            return
        increment = Increment(LATE_ROW).add(b"f", b"n", 1)
        append = Append(LATE_ROW).add(b"f", b"t", _PIECE)
        raised, appended = await table.apply([increment, append])
        if isinstance(raised, Result) and isinstance(appended, Result):
            self.answer = raised.number(COLUMN)


Change = Callable[[Drill], Awaitable[None]]


def _by(operation: Callable[[AsyncConnection], Awaitable[None]]) -> Change:
    async def change(drill: Drill) -> None:
        await drill.in_client("operator", operation)

    return change


async def _flush(connection: AsyncConnection) -> None:
    await connection.admin.flush(await region_of(connection, LATE_ROW))


async def _move(connection: AsyncConnection) -> None:
    await connection.admin.move(await region_of(connection, LATE_ROW))


async def _split(connection: AsyncConnection) -> None:
    await connection.admin.split(await region_of(connection, LATE_ROW), _SPLIT_ROW)


async def _merge(connection: AsyncConnection) -> None:
    await connection.admin.merge(TABLE)


async def _reopen(connection: AsyncConnection) -> None:
    await connection.admin.modify_family(TABLE, "f", max_versions=2)


async def _crash(drill: Drill) -> None:
    """Returns when the row is served again."""
    drill.kill(await drill.server_of(LATE_ROW))
    await drill.number_at(LATE_ROW)


async def _master_dies(drill: Drill) -> None:
    drill.kill(drill.active_master())


async def _clock_jumps(drill: Drill) -> None:
    """Ahead, by more than nonces are kept for; then the region is written to."""
    drill.simulation.jump_clock(await drill.server_of(LATE_ROW), _JUMP_MS)
    await asyncio.sleep(_WRITTEN_S)


CHANGES: Final[dict[str, Change]] = {
    "flush": _by(_flush),
    "move": _by(_move),
    "split": _by(_split),
    "merge": _by(_merge),
    "reopen": _by(_reopen),
    "crash": _crash,
    "master dies": _master_dies,
    "cold start": Drill.end_all,
    "clock jumps": _clock_jumps,
}
SERIES: Final[tuple[tuple[str, ...], ...]] = (
    *((name,) for name in CHANGES),
    ("flush", "crash"),
    ("move", "crash"),
    ("split", "crash"),
    ("merge", "crash"),
    ("crash", "crash"),
    ("crash", "split"),
    ("crash", "flush", "merge"),
    ("split", "move", "merge", "crash"),
    ("master dies", "move", "cold start"),
    ("clock jumps", "flush", "crash"),
)
"""What happens between the lost reply and the retry."""


def lost_reply(*changes: str, in_batch: bool = False) -> Strike:
    """The server's replies to one client are lost while ``changes`` happen one by one.

    ``in_batch``: to a call with an increment and an append of the row.
    """

    async def strike(drill: Drill) -> None:
        simulation = drill.simulation
        teller = _Teller(in_batch)
        working = simulation.start("teller's shell", drill.in_client(_CLIENT, teller.work))
        while not teller.warm:
            await asyncio.sleep(PAUSE_S)
        simulation.cut(await drill.server_of(LATE_ROW), _CLIENT, one_way=True)
        teller.go = True
        while await drill.number_at(LATE_ROW) < 2:
            await asyncio.sleep(PAUSE_S)
        for name in changes:
            await CHANGES[name](drill)
        # Healed any sooner, the cut would hand the reply on.
        await asyncio.sleep(_GIVEN_UP_S)
        simulation.fabric.heal()
        await drill.done(working)
        if (found := await drill.number_at(LATE_ROW)) != 2 or teller.answer != 2:
            drill.problems.append(
                f"after {changes} the counter raised twice is {found}, {teller.answer} was told"
            )

        if in_batch and (text := await _text(drill)) != _PIECE:
            drill.problems.append(f"after {changes} what was appended once is {text!r}")

    return strike


async def _text(drill: Drill) -> bytes:
    seen: list[bytes] = []

    async def read(connection: AsyncConnection) -> None:
        seen.append((await connection.table(TABLE).get(LATE_ROW)).get(_TEXT, b""))

    await drill.in_client("witness", read)
    return seen[0]
