"""A table, for code that waits for its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from .blocking import BlockingShell
from .result import CheckedResult, Result
from .rows import Rows
from .table_core import TableCore
from .write_buffer import WriteBuffer


class Table:
    """Rows of one table. Made by ``connection.table(name)``, at no cost; threads may share it.

    Rows, columns and values are bytes; text is taken as UTF-8. A column is written
    ``family:qualifier``::

        table = connection.table("web")
        table.put("com.example", {"contents:": b"<html>", "anchor:org.w3": b"Example"})
        table.get("com.example")["contents:"]
        for row in table.scan(prefix="com."):
            print(row.row, row.get("anchor:org.w3"))

    Every method tries again, for up to the client's ``operation_timeout_s``, what a moving,
    splitting or recovering region refuses. What all of them raise:

    - IllegalArgumentError, NoSuchFamilyError, TableNotFoundError, TableNotEnabledError:
      nothing was applied, and trying again will not help.
    - RetriesExhaustedError: the time is over; a mutation may have been applied or not.
    """

    def __init__(self, shell: BlockingShell, core: TableCore) -> None:
        self._shell = shell
        self._core = core

    @property
    def name(self) -> TableName:
        return self._core.name

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    # -- reading ---------------------------------------------------------------------------

    def get(
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
        """One row, or those of its columns that are named; an empty Result if there are none.

        ``time_range`` is ``(start, stop)`` in ms, stop excluded; ``timestamp`` asks for cells
        of exactly that time. ``filter`` leaves out cells, or the row; ``store_limit`` cells at
        most come of each family, behind the first ``store_offset``::

            table.get("com.example", ["contents:", "anchor"], versions=3)
        """
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
        return self._shell.run(self._core.get(get))

    def get_many(
        self,
        rows: Iterable[Text | Get],
        columns: ColumnNames = None,
        *,
        versions: int = 1,
        time_range: Times = None,
    ) -> list[Result]:
        """Several rows in the order asked for, in one call to each server that has some.

        Raises BatchError if some could not be read.
        """
        gets = [as_get(one, columns, versions=versions, time_range=time_range) for one in rows]
        return self._shell.run(self._core.many_or_raise(gets))

    def exists(self, row: Text | Get, columns: ColumnNames = None) -> bool:
        """Whether the row (or one of those columns of it) has a cell."""
        return self._shell.run(self._core.exists(as_existence(row, columns)))

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
    ) -> Rows:
        """Rows in order, from ``start`` up to but without ``stop``, or those with ``prefix``.

        Nothing is read before the result is iterated; each iteration is a scan of its own.
        ``reversed`` goes down from ``start``, which is the greater row then. ``caching``
        bounds the rows of one answer; without it answers are bounded by size alone.

        ``filter`` is one of ``raybase.filters``, or text of HBase's filter language.
        ``family_times`` are time ranges of single families, ``store_limit`` and
        ``store_offset`` as for ``get``. With ``batch`` a row comes as several results of so
        many cells at most. ``raw`` returns tombstones and what they hide. Families that the
        filter does not need are read only of rows that pass, unless ``load_on_demand`` is
        false::

            for row in table.scan(prefix="com.", columns=["meta:size"], limit=100): ...
            table.scan(columns=["meta:size"]).columns().array("meta:size", ">i8").sum()
        """
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
        return Rows(self._shell, self._core, start)

    # -- writing ---------------------------------------------------------------------------

    def put(
        self,
        row: Text | Put,
        cells: Mapping[Text, Text] | None = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
    ) -> None:
        """Sets cells of one row, all of them or none.

        Without ``timestamp`` (ms) the server gives its own. A put is sent again if its answer
        was lost, so it can be applied once more after another client's put; with a timestamp
        that changes nothing. With ``ttl_ms`` the cells expire so long after their timestamp, if
        the family's time to live does not end them before. For many rows use ``batch`` or
        ``put_many``::

            table.put("com.example", {"contents:": b"<html>"})
            table.put(Put(b"com.example").add(b"contents", b"", b"<html>", 1700000000000))
        """
        self._shell.run(self._core.mutate(as_put(row, cells, timestamp, durability, ttl_ms)))

    def put_many(self, puts: Iterable[Put] | Mapping[Text, Mapping[Text, Text]]) -> None:
        """Puts of many rows, in one call to each server. Raises BatchError if some failed.

        ``puts`` are Put objects or a mapping from row to cells. For more than fits into
        memory use ``batch``.
        """
        self._shell.run(self._core.many_or_raise(as_puts(puts)))

    def delete(
        self,
        row: Text | Delete,
        columns: ColumnNames = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
    ) -> None:
        """Deletes a row, or families and columns of it: all versions up to ``timestamp``.

        Without a timestamp, all that is there now. ``Delete`` objects can say more, such as
        single versions.
        """
        self._shell.run(self._core.mutate(as_delete(row, columns, timestamp, durability)))

    def append(self, row: Text | Append, tails: Mapping[Text, Text] | None = None) -> Result:
        """Adds bytes to the ends of values; the new cells. Applied once, retries included."""
        return self._shell.run(self._core.mutate(as_append(row, tails)))

    def increment(self, row: Text | Increment, amounts: Mapping[Text, int] | None = None) -> Result:
        """Adds to counters; the new cells. Applied once, retries included.

        ::

            table.increment("com.example", {"meta:hits": 1}).number("meta:hits")
        """
        return self._shell.run(self._core.mutate(as_increment(row, amounts)))

    def check_and_mutate(
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
        """Applies mutations of the row if its column's newest value is ``expected``.

        ``expected`` None means "has no cell". Atomic, and applied once, retries included. The
        result is true if the condition held. As in HBase other operators have ``expected`` on
        their left: LESS holds when expected < stored. With ``time_range`` the value is the newest
        one of these times. With a ``filter`` instead of a column, which is None then, the
        condition is that it leaves a cell of the row::

            if not table.check_and_mutate("r", "f:owner", None, Put(b"r").add(...)):
                ...somebody else was first
        """
        condition = as_condition(row, column, operator, expected, time_range, filter)
        chosen = [mutations] if isinstance(mutations, Mutation) else list(mutations)
        return self._shell.run(self._core.check_and_mutate(condition, chosen))

    def mutate_row(self, mutations: Sequence[Mutation]) -> None:
        """Applies several mutations of one row at once: readers see all of them or none."""
        if not mutations:
            raise IllegalArgumentError("no mutation was given")
        self._shell.run(self._core.mutate_row(mutations[0].row, mutations))

    def apply(self, actions: Sequence[Action]) -> list[Result | RaybaseError]:
        """Any gets and mutations, in one call to each server; what became of each, in order.

        Not atomic: rows, and mutations of one row, stand for themselves. Nothing is raised
        for a single action; its error is its outcome::

            outcomes = table.apply([Get(b"a"), Put(b"b").add(b"f", b"q", b"v")])
        """
        return self._shell.run(self._core.many(actions))

    def batch(self, *, buffer_bytes: int = 2 * 1024 * 1024) -> Batch:
        """Collects mutations and sends them when ``buffer_bytes`` are reached and at the end.

        ::

            with table.batch() as batch:
                for row, page in pages:
                    batch.put(row, {"contents:": page})
        """
        return Batch(self._shell, self._core, buffer_bytes)


class Batch(WriteBuffer):
    """Mutations on their way; see Table.batch."""

    def __init__(self, shell: BlockingShell, core: TableCore, buffer_bytes: int) -> None:
        super().__init__(buffer_bytes)
        self._shell = shell
        self._core = core

    def put(
        self,
        row: Text | Put,
        cells: Mapping[Text, Text] | None = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
        ttl_ms: int | None = None,
    ) -> None:
        """As Table.put, later. May send what was collected, and then raise BatchError."""
        self.add(as_put(row, cells, timestamp, durability, ttl_ms))

    def delete(
        self,
        row: Text | Delete,
        columns: ColumnNames = None,
        *,
        timestamp: int | None = None,
        durability: Durability = Durability.USE_DEFAULT,
    ) -> None:
        """As Table.delete, later. May send what was collected, and then raise BatchError."""
        self.add(as_delete(row, columns, timestamp, durability))

    def add(self, mutation: Mutation) -> None:
        """Any mutation. May send what was collected, and then raise BatchError."""
        if self.collect(mutation):
            self.flush()

    def flush(self) -> None:
        """Sends what was collected; it is durable when this returns.

        Raises BatchError if some of it failed; the numbers in it count what was sent now.
        """
        taken = self.take()
        if taken:
            self._shell.run(self._core.many_or_raise(taken))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Sends the rest; after an error in the block the rest is dropped instead."""
        if kind is None:
            self.flush()
        else:
            self.take()
