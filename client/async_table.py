"""A table, for asyncio. What the methods do and raise is said at Table's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self

from ..errors import IllegalArgumentError, RaybaseError
from ..model import Durability, TableName
from ..operations import (
    Append,
    CompareOperator,
    Delete,
    Get,
    Increment,
    Mutation,
    Put,
    Scan,
)
from ..storage.cells import CellBatch
from .aio import AsyncShell
from .arguments import (
    ColumnNames,
    FamilyTimes,
    FilterLike,
    Text,
    Times,
    as_append,
    as_condition,
    as_delete,
    as_existence,
    as_get,
    as_increment,
    as_put,
    as_puts,
    as_scan,
)
from .batch import Action
from .result import CheckedResult, Columns, Result, results
from .table_core import TableCore
from .write_buffer import WriteBuffer


class AsyncTable:
    """Rows of one table. Made by ``connection.table(name)``, at no cost; tasks may share it.

    ::

        table = connection.table("web")
        await table.put("com.example", {"contents:": b"<html>"})
        async for row in table.scan(prefix="com."):
            print(row.row)
    """

    def __init__(self, shell: AsyncShell, core: TableCore) -> None:
        self._shell = shell
        self._core = core

    @property
    def name(self) -> TableName:
        return self._core.name

    def __repr__(self) -> str:
        return f"<AsyncTable {self.name}>"

    async def get(
        self,
        row: Text | Get,
        columns: ColumnNames = None,
        *,
        versions: int = 1,
        time_range: Times = None,
        timestamp: int | None = None,
        filter: FilterLike = None,  # noqa: A002 - HBase's word
        family_times: FamilyTimes = None,
        store_limit: int = 0,
        store_offset: int = 0,
    ) -> Result:
        """One row, or some columns of it. As Table.get."""
        get = as_get(
            row,
            columns,
            versions=versions,
            time_range=time_range,
            timestamp=timestamp,
            filter=filter,
            family_times=family_times,
            store_limit=store_limit,
            store_offset=store_offset,
        )
        return await self._shell.run(self._core.get(get))

    async def get_many(
        self,
        rows: Iterable[Text | Get],
        columns: ColumnNames = None,
        *,
        versions: int = 1,
        time_range: Times = None,
    ) -> list[Result]:
        """Several rows in the order asked for. As Table.get_many."""
        gets = [as_get(one, columns, versions=versions, time_range=time_range) for one in rows]
        return await self._shell.run(self._core.many_or_raise(gets))

    async def exists(self, row: Text | Get, columns: ColumnNames = None) -> bool:
        """Whether the row (or one of those columns of it) has a cell."""
        return await self._shell.run(self._core.exists(as_existence(row, columns)))

    def scan(
        self,
        start: Text | Scan = b"",
        stop: Text = b"",
        *,
        prefix: Text | None = None,
        columns: ColumnNames = None,
        versions: int = 1,
        time_range: Times = None,
        timestamp: int | None = None,
        limit: int = 0,
        reversed: bool = False,  # noqa: A002 - HBase's word
        include_start: bool = True,
        include_stop: bool = False,
        caching: int = 0,
        filter: FilterLike = None,  # noqa: A002 - HBase's word
        family_times: FamilyTimes = None,
        store_limit: int = 0,
        store_offset: int = 0,
        batch: int = 0,
        raw: bool = False,
        load_on_demand: bool = True,
    ) -> AsyncRows:
        """Rows in order, for ``async for``. As Table.scan."""
        if not isinstance(start, Scan):
            start = as_scan(
                start,
                stop,
                prefix=prefix,
                columns=columns,
                versions=versions,
                time_range=time_range,
                timestamp=timestamp,
                limit=limit,
                reversed=reversed,
                include_start=include_start,
                include_stop=include_stop,
                caching=caching,
                filter=filter,
                family_times=family_times,
                store_limit=store_limit,
                store_offset=store_offset,
                batch=batch,
                raw=raw,
                load_on_demand=load_on_demand,
                result_bytes=self._core.core.config.scan_result_bytes,
            )
        return AsyncRows(self._shell, self._core, start)

    async def put(
        self,
        row: Text | Put,
        cells: Mapping[Text, Text] | None = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
    ) -> None:
        """Sets cells of one row, all of them or none. As Table.put."""
        await self._shell.run(self._core.mutate(as_put(row, cells, timestamp, durability, ttl_ms)))

    async def put_many(self, puts: Iterable[Put] | Mapping[Text, Mapping[Text, Text]]) -> None:
        """Puts of many rows. As Table.put_many."""
        await self._shell.run(self._core.many_or_raise(as_puts(puts)))

    async def delete(
        self,
        row: Text | Delete,
        columns: ColumnNames = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
    ) -> None:
        """Deletes a row, or families and columns of it. As Table.delete."""
        await self._shell.run(self._core.mutate(as_delete(row, columns, timestamp, durability)))

    async def append(self, row: Text | Append, tails: Mapping[Text, Text] | None = None) -> Result:
        """Adds bytes to the ends of values; the new cells. Applied once."""
        return await self._shell.run(self._core.mutate(as_append(row, tails)))

    async def increment(
        self, row: Text | Increment, amounts: Mapping[Text, int] | None = None
    ) -> Result:
        """Adds to counters; the new cells. Applied once."""
        return await self._shell.run(self._core.mutate(as_increment(row, amounts)))

    async def check_and_mutate(
        self,
        row: Text,
        column: Text | None,
        expected: Text | None,
        mutations: Mutation | Sequence[Mutation],
        *,
        operator: CompareOperator = CompareOperator.EQUAL,
        time_range: Times = None,
        filter: FilterLike = None,  # noqa: A002 - HBase's word
    ) -> CheckedResult:
        """Applies mutations of the row if its column is as expected. As
        Table.check_and_mutate."""
        condition = as_condition(row, column, operator, expected, time_range, filter)
        chosen = [mutations] if isinstance(mutations, Mutation) else list(mutations)
        return await self._shell.run(self._core.check_and_mutate(condition, chosen))

    async def mutate_row(self, mutations: Sequence[Mutation]) -> None:
        """Applies several mutations of one row at once."""
        if not mutations:
            raise IllegalArgumentError("no mutation was given")
        await self._shell.run(self._core.mutate_row(mutations[0].row, mutations))

    async def apply(self, actions: Sequence[Action]) -> list[Result | RaybaseError]:
        """Any gets and mutations; what became of each, in order. As Table.apply."""
        return await self._shell.run(self._core.many(actions))

    def batch(self, *, buffer_bytes: int = 2 * 1024 * 1024) -> AsyncBatch:
        """Collects mutations and sends them in large calls.

        ::

            async with table.batch() as batch:
                await batch.put("com.example", {"contents:": b"<html>"})
        """
        return AsyncBatch(self._shell, self._core, buffer_bytes)


class AsyncRows:
    """A scan that has not begun. ``async for`` over it gives a Result for each row."""

    def __init__(self, shell: AsyncShell, core: TableCore, scan: Scan) -> None:
        self._shell = shell
        self._core = core
        self._scan = scan

    async def __aiter__(self) -> AsyncGenerator[Result, None]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for row in results(batch):
                    yield row

    async def batches(self) -> AsyncGenerator[CellBatch, None]:
        """Whole rows as the servers send them. As Rows.batches."""
        scanner = self._core.scanner(self._scan)
        try:
            while (batch := await self._shell.run(scanner.next_batch())) is not None:
                yield batch
        finally:
            await self._shell.run(scanner.close())

    async def columns(self) -> Columns:
        """All cells of the scan as columns; they must fit into memory."""
        return Columns([batch async for batch in self.batches()])

    async def first(self) -> Result | None:
        """The first row, or None."""
        async with aclosing(self.__aiter__()) as rows:
            async for row in rows:
                return row
        return None

    async def count(self) -> int:
        """Number of rows; all cells that the scan selects are read."""
        return sum([batch.row_count async for batch in self.batches()])

    def __repr__(self) -> str:
        return f"<AsyncRows of {self._core.name}: {self._scan}>"


class AsyncBatch(WriteBuffer):
    """Mutations on their way; see AsyncTable.batch and Table.batch."""

    def __init__(self, shell: AsyncShell, core: TableCore, buffer_bytes: int) -> None:
        super().__init__(buffer_bytes)
        self._shell = shell
        self._core = core

    async def put(
        self,
        row: Text | Put,
        cells: Mapping[Text, Text] | None = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
    ) -> None:
        """As AsyncTable.put, later. May send what was collected, and raise BatchError."""
        await self.add(as_put(row, cells, timestamp, durability, ttl_ms))

    async def delete(
        self,
        row: Text | Delete,
        columns: ColumnNames = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
    ) -> None:
        """As AsyncTable.delete, later. May send what was collected, and raise BatchError."""
        await self.add(as_delete(row, columns, timestamp, durability))

    async def add(self, mutation: Mutation) -> None:
        """Any mutation. May send what was collected, and raise BatchError."""
        if self.collect(mutation):
            await self.flush()

    async def flush(self) -> None:
        """Sends what was collected; it is durable when this returns. Raises BatchError."""
        taken = self.take()
        if taken:
            await self._shell.run(self._core.many_or_raise(taken))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Sends the rest; after an error in the block the rest is dropped instead."""
        if kind is None:
            await self.flush()
        else:
            self.take()
