"""The ledger: numbered values, written under load, each acknowledgement logged elsewhere.

A log of a writer is a text file of its own, outside raybase: ``t row number`` before a put is
sent, ``a row number`` once it is acknowledged. Each row has one writer and its numbers grow, so
a row must hold a number at least the last acknowledged and at most the last tried.
"""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from ..connection import Connection, connect

TABLE = "ledger"
WRITERS = 4
_ROWS_A_WRITER = 64
_REGIONS = 6
_PAUSE_S = 0.002
"""Between two puts of a writer: load, but not the whole machine's."""


def create(connection: Connection) -> None:
    """The table, split beforehand over all servers."""
    splits = [b"%02x" % (256 * number // _REGIONS) for number in range(1, _REGIONS)]
    connection.admin.create_table(TABLE, ["n"], splits=splits)


def row_of(writer: int, number: int) -> bytes:
    """Rows of every writer are spread over the whole key range."""
    place = (number % _ROWS_A_WRITER) * 256 // _ROWS_A_WRITER
    return b"%02x-writer-%d" % (place, writer)


class Writers:
    """The writing processes and their logs."""

    def __init__(self, address: str, directory: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop: Event = context.Event()
        self.logs = [directory / f"writer-{number}.log" for number in range(WRITERS)]
        self._processes: list[BaseProcess] = [
            context.Process(target=_write, args=(address, number, log, self._stop), daemon=True)
            for number, log in enumerate(self.logs)
        ]

    def start(self) -> None:
        for process in self._processes:
            process.start()

    def stop(self) -> list[str]:
        """Lets each writer finish its put; returns what went wrong with them, in words."""
        self._stop.set()
        wrong = []
        for number, process in enumerate(self._processes):
            process.join(timeout=60)
            if process.exitcode != 0:
                wrong.append(f"writer {number} ended with exit code {process.exitcode}")
        return wrong

    def acknowledged(self) -> int:
        """How many puts were acknowledged in all."""
        return sum(
            line.startswith("a ") for log in self.logs for line in log.read_text().splitlines()
        )


def _write(address: str, writer: int, log: Path, stop: Event) -> None:
    number = 0
    with connect(address) as connection, log.open("w", buffering=1) as file:
        table = connection.table(TABLE)
        while not stop.is_set():
            number += 1
            row = row_of(writer, number)
            file.write(f"t {row.decode()} {number}\n")
            table.put(row, {"n:value": b"%d" % number})
            file.write(f"a {row.decode()} {number}\n")
            time.sleep(_PAUSE_S)


def check(connection: Connection, logs: list[Path]) -> list[str]:
    """Compares every row with the logs; returns what is missing or wrong, in words."""
    tried: dict[bytes, int] = {}
    acknowledged: dict[bytes, int] = {}
    for log in logs:
        for line in log.read_text().splitlines():
            mark, row, number = line.split(" ")
            target = tried if mark == "t" else acknowledged
            target[row.encode()] = int(number)
    wrong = []
    for result in connection.table(TABLE).scan():
        value = result.get(b"n:value")
        found = -1 if value is None else int(value)
        least = acknowledged.pop(result.row, 0)
        if not least <= found <= tried.get(result.row, -1):
            wrong.append(
                f"ledger row {result.row.decode()} holds {found}; acknowledged was {least}, "
                f"tried {tried.get(result.row)}"
            )
    wrong.extend(
        f"ledger row {row.decode()}: acknowledged {number} is lost"
        for row, number in acknowledged.items()
    )
    return wrong


def forge_acknowledgement(logs: list[Path]) -> str:
    """Logs the acknowledgement of a put that was never made; returns its row."""
    row = row_of(0, 1).decode()
    with logs[0].open("a") as file:
        file.write(f"t {row} 999999999\na {row} 999999999\n")
    return row
