"""Clients that put every promise to the test, and write down what they were told.

Rows are spread over the key space by a leading hex digit, so that splits and moves hit every
kind. Kinds of rows, each with its own check::

    register   compare-and-set, compare-and-delete, get               linearizable
    counter    increment, get                                         linearizable, monotonic
    list       append of unique pieces, get                           linearizable
    group      puts of one value into all columns of two families     never torn, linearizable
    set        unique rows, put in batches, scanned                   none lost, none invented
    node       unique rows that name an earlier one (linked lists)    no link leads nowhere

A plain put has no nonce, as in HBase: when its answer is lost it is sent again, and can land
once more on top of what others wrote meanwhile. So a group has one writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from ..client.async_connection import AsyncConnection
from ..client.async_table import AsyncTable
from ..client.result import Result
from ..errors import InvalidRequestError, RaybaseError, RetriesExhaustedError
from ..model import TableName
from ..operations import Delete, Put, Scan
from .history import History, SetLedger, holes, torn_cells
from .linearizability import UNKNOWN, Operation, counter, pieces, register

TABLE: Final = TableName.parse("story")
FAMILIES: Final = (b"a", b"b")
GROUP_COLUMNS: Final = 3
_GROUP_CELLS: Final = len(FAMILIES) * GROUP_COLUMNS
_VALUE_BYTES: Final = (20, 400)
_STEPS: Final = 4
"""Of a walk along a list."""

Found = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class WorkloadConfig:
    clients: int = 6
    registers: int = 6
    counters: int = 3
    lists: int = 3
    pause_s: float = 0.025
    """Between two operations of a client, on average."""
    batch_rows: int = 6
    scans: float = 0.01
    """So much of the operations is followed by a scan of the whole table."""


def row_name(kind: str, number: int) -> bytes:
    """The leading digit depends on the number alone and goes through all sixteen."""
    return b"%x-%b-%04d" % (number * 7 % 16, kind.encode(), number)


def _covered(rows: dict[bytes, bytes], scan: Scan) -> dict[bytes, bytes]:
    """Those that the scan is asked for."""
    low, high = scan.start_row, scan.stop_row
    if scan.reversed:
        low, high = high, low
    return {row: value for row, value in rows.items() if low <= row and (not high or row < high)}


@dataclass(slots=True)
class Ledger:
    """All that clients were told."""

    registers: History
    counters: History
    lists: History
    groups: History
    rows: SetLedger = field(default_factory=SetLedger)
    nodes: SetLedger = field(default_factory=SetLedger)
    """Node -> the node it names, b"" at the end of a list."""
    problems: list[str] = field(default_factory=list)
    operations: int = 0
    """Requests of clients, answered or not."""
    scans: int = 0

    @classmethod
    def with_clock(cls, clock: Callable[[], float]) -> Ledger:
        return cls(History(clock), History(clock), History(clock), History(clock))

    def check(self) -> list[str]:
        """Everything that no correct table could have answered."""
        return [
            *self.problems,
            *self.registers.check(register, None),
            *self.counters.check_monotonic(),
            *self.counters.check(counter, 0),
            *self.lists.check(pieces, b""),
            *self.groups.check(register, None),
        ]

    @property
    def unknown(self) -> int:
        histories = (self.registers, self.counters, self.lists, self.groups)
        return sum(one.count(unknown=True) for one in histories) + sum(
            len(one.unknown) for one in (self.rows, self.nodes)
        )


class Client:
    """One client: a series of operations, one after another."""

    def __init__(
        self,
        number: int,
        connection: AsyncConnection,
        ledger: Ledger,
        chance: Random,
        config: WorkloadConfig,
    ) -> None:
        self.name = f"client-{number}"
        self._number = number
        self._table: AsyncTable = connection.table(TABLE)
        self._ledger = ledger
        self._chance = chance
        self._config = config
        self._unique = 0
        self._head = b""
        """The newest node of this client's list."""
        self.stopped = False

    async def run(self) -> None:
        """Works until ``stopped``."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            self._register,
            self._register,
            self._counter,
            self._list,
            self._group,
            self._set,
            self._link,
            self._walk,
        ]
        while not self.stopped:
            await self._chance.choice(kinds)()
            if self._chance.random() < self._config.scans:
                await self.scan()
            if self._chance.random() < 0.04:
                await self._scan_part()
            await asyncio.sleep(self._chance.uniform(0, 2 * self._config.pause_s))

    def _value(self) -> bytes:
        """Unique, and of a length that fills memstores."""
        self._unique += 1
        head = b"%b/%d/" % (self.name.encode(), self._unique)
        return head + b"." * self._chance.randint(*_VALUE_BYTES)

    async def _told(
        self, history: History, operation: Operation, request: Awaitable[object]
    ) -> None:
        """Awaits the answer. An operation that may have been applied stays unknown."""
        self._ledger.operations += 1
        try:
            output = await request
        except RetriesExhaustedError:
            return
        except InvalidRequestError as error:
            self._ledger.problems.append(f"{operation}: refused: {error!r}")
            history.refused(operation)
        except RaybaseError:
            return
        else:
            history.end(operation, output)

    async def _register(self) -> None:
        row = row_name("register", self._chance.randrange(self._config.registers))
        history = self._ledger.registers
        read = history.begin(self.name, row, "get")
        await self._told(history, read, self._read(row))
        if read.output is UNKNOWN or self._chance.random() < 0.3:
            return
        expected: bytes | None = read.output
        if self._chance.random() < 0.1:
            expected = self._value()
        value = self._value() if self._chance.random() < 0.8 else None
        operation = history.begin(self.name, row, "cas", (expected, value))
        await self._told(history, operation, self._compare_and_set(row, expected, value))

    async def _counter(self) -> None:
        row = row_name("counter", self._chance.randrange(self._config.counters))
        history = self._ledger.counters
        if self._chance.random() < 0.7:
            amount = self._chance.randint(1, 5)
            operation = history.begin(self.name, row, "increment", amount)
            await self._told(history, operation, self._increment(row, amount))
        else:
            operation = history.begin(self.name, row, "get")
            await self._told(history, operation, self._number_in(row))

    async def _list(self) -> None:
        row = row_name("list", self._chance.randrange(self._config.lists))
        history = self._ledger.lists
        if self._chance.random() < 0.5:
            self._unique += 1
            piece = b"%b.%d," % (self.name.encode(), self._unique)
            operation = history.begin(self.name, row, "append", piece)
            await self._told(history, operation, self._append(row, piece))
        else:
            operation = history.begin(self.name, row, "get")
            await self._told(history, operation, self._text(row))

    async def _group(self) -> None:
        history = self._ledger.groups
        if self._chance.random() < 0.5:
            row = row_name("group", self._number)
            value = self._value()
            put = Put(row)
            for family in FAMILIES:
                for number in range(GROUP_COLUMNS):
                    put.add(family, b"%d" % number, value)
            await self._told(
                history, history.begin(self.name, row, "put", value), self._table.put(put)
            )
        else:
            row = row_name("group", self._chance.randrange(self._config.clients))
            operation = history.begin(self.name, row, "get")
            await self._told(history, operation, self._whole(row))

    async def _set(self) -> None:
        rows = {}
        puts = []
        for _ in range(self._config.batch_rows):
            value = self._value()
            digit = b"%x" % self._chance.randrange(16)
            row = digit + b"-set-" + value.rpartition(b"/")[0].replace(b"/", b"-")
            rows[row] = value
            puts.append(Put(row).add(b"a", b"s", value))
        self._ledger.operations += 1
        self._ledger.rows.unknown.update(rows)
        for row, outcome in zip(rows, await self._table.apply(puts), strict=True):
            if isinstance(outcome, Result):
                self._ledger.rows.acknowledged[row] = self._ledger.rows.unknown.pop(row)

    async def _link(self) -> None:
        """Adds a node that names the newest one of this client's list that is known to be."""
        self._unique += 1
        digit = b"%x" % self._chance.randrange(16)
        node = digit + b"-node-%b-%06d" % (self.name.encode(), self._unique)
        ledger, earlier = self._ledger.nodes, self._head
        ledger.unknown[node] = earlier
        self._ledger.operations += 1
        with suppress(RaybaseError):
            await self._table.put(Put(node).add(b"b", b"earlier", earlier))
            ledger.acknowledged[node] = ledger.unknown.pop(node)
            self._head = node

    async def _walk(self) -> None:
        """Follows somebody's list for some nodes: each must be there, and name the next."""
        ledger = self._ledger.nodes
        if not ledger.acknowledged:
            return
        node = self._chance.choice(list(ledger.acknowledged)[-200:])
        for _ in range(_STEPS):
            self._ledger.operations += 1
            try:
                earlier = (await self._table.get(node)).get(b"b:earlier")
            except RaybaseError:
                return
            if earlier != ledger.acknowledged[node]:
                self._ledger.problems.append(
                    f"node {node!r} names {earlier!r}, not {ledger.acknowledged[node]!r}"
                )
            if not earlier:
                return
            node = earlier

    async def scan(self, *, quiet: bool = False) -> bool:
        """Reads the whole table and checks it; False if the scan could not be finished.

        ``quiet``: nobody writes meanwhile.
        """
        caching = self._chance.choice((0, 30, 100))
        return await self._checked_scan(Scan(caching=caching), quiet=quiet)

    async def _scan_part(self) -> None:
        """Some regions, forwards or backwards, in small portions."""
        first = self._chance.randrange(16)
        last = min(15, first + self._chance.randrange(4))
        start, stop = b"%x" % first, b"%x~" % last
        backwards = self._chance.random() < 0.3
        await self._checked_scan(
            Scan(
                stop if backwards else start,
                start if backwards else stop,
                reversed=backwards,
                caching=self._chance.choice((7, 20, 60)),
            )
        )

    async def _checked_scan(self, scan: Scan, *, quiet: bool = False) -> bool:
        ledger = self._ledger
        ledgers = (ledger.rows, ledger.nodes)
        present = [dict(one.acknowledged) for one in ledgers]
        found: tuple[Found, Found] = ([], [])
        torn: list[str] = []
        ledger.operations += 1
        try:
            async for result in self._table.scan(scan):
                if b"-set-" in result.row:
                    found[0].append((result.row, result[b"a:s"]))
                elif b"-node-" in result.row:
                    found[1].append((result.row, result[b"b:earlier"]))
                elif b"-group-" in result.row:
                    torn += torn_cells(result.row, dict(result.items()), _GROUP_CELLS)
        except RaybaseError:
            return False
        ledger.scans += 1
        problems = torn
        for one, rows, known in zip(ledgers, found, present, strict=True):
            problems += one.check(rows, present=_covered(known, scan), backwards=scan.reversed)
        if quiet:
            problems += holes(found[1])
        ledger.problems += [f"{scan} of {self.name}: {one}" for one in problems[:20]]
        return True

    # What the client API gives, as plain values.

    async def _compare_and_set(
        self, row: bytes, expected: bytes | None, value: bytes | None
    ) -> bool:
        mutation = Delete(row) if value is None else Put(row).add(b"a", b"v", value)
        return bool(await self._table.check_and_mutate(row, b"a:v", expected, mutation))

    async def _increment(self, row: bytes, amount: int) -> int:
        return (await self._table.increment(row, {b"a:n": amount})).number(b"a:n")

    async def _append(self, row: bytes, piece: bytes) -> bytes:
        return (await self._table.append(row, {b"a:l": piece}))[b"a:l"]

    async def _read(self, row: bytes) -> bytes | None:
        return (await self._table.get(row)).get(b"a:v")

    async def _number_in(self, row: bytes) -> int:
        return (await self._table.get(row)).number(b"a:n")

    async def _text(self, row: bytes) -> bytes:
        return (await self._table.get(row)).get(b"a:l", b"")

    async def _whole(self, row: bytes) -> bytes | None:
        result = await self._table.get(row)
        self._ledger.problems += torn_cells(row, dict(result.items()), _GROUP_CELLS)
        return result.get(b"a:0")

    async def read_all(self) -> None:
        """Reads every row with a history once, into that history."""
        ledger, config = self._ledger, self._config
        plan: list[tuple[History, str, int, Callable[[bytes], Awaitable[object]]]] = [
            (ledger.registers, "register", config.registers, self._read),
            (ledger.counters, "counter", config.counters, self._number_in),
            (ledger.lists, "list", config.lists, self._text),
            (ledger.groups, "group", config.clients, self._whole),
        ]
        for history, kind, count, read in plan:
            for number in range(count):
                row = row_name(kind, number)
                operation = history.begin(self.name, row, "get")
                await self._told(history, operation, read(row))
