"""The shell's commands about rows. Names, arguments and options are those of HBase's shell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.text import Text as RichText

from ..model import CellType
from ..operations import Delete
from ..storage.filters import FILTER_NAMES
from .arguments import split_column
from .result import Result, text
from .shell_command import Command, Terminal
from .shell_options import READ_OPTIONS, argument, arguments, flat, read_options, scan_options
from .shell_output import counted, printed, table_of
from .shell_parser import Line, number

_ROWS_PRINTED: Final = 500
"""Rows of a scan that are printed as one table."""


def put(terminal: Terminal, line: Line) -> None:
    name, row, column, value = arguments(line, "a table", "a row", "a column", "a value")
    stamp = number("a timestamp", line.values[4]) if len(line.values) > 4 else None
    terminal.connection.table(name).put(row, {column: value}, timestamp=stamp)


def get(terminal: Terminal, line: Line) -> None:
    name, row = arguments(line, "a table", "a row")
    options = read_options(line, READ_OPTIONS)
    if len(line.values) > 2:
        options["columns"] = flat(line.values[2:])
    result = terminal.connection.table(name).get(row, **options)
    table = table_of("column", "timestamp", "value")
    for cell in result.cells:
        table.add_row(printed(cell.column), str(cell.timestamp), printed(cell.value))
    terminal.console.print(table)


def scan(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    rows = terminal.connection.table(name).scan(**scan_options(line))
    pending: list[Result] = []
    count = 0
    for row in rows:
        pending.append(row)
        count += 1
        if len(pending) == _ROWS_PRINTED:
            _print_rows(terminal, pending)
            pending = []
    if pending or not count:
        _print_rows(terminal, pending)
    terminal.say(counted(count, "row"))


def show_filters(terminal: Terminal, line: Line) -> None:
    terminal.say("\n".join(FILTER_NAMES))


def count(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    rows = terminal.connection.table(name).scan(**scan_options(line))
    terminal.say(counted(rows.count(), "row"))


def delete(terminal: Terminal, line: Line) -> None:
    name, row, column = arguments(line, "a table", "a row", "a column")
    family, qualifier = split_column(column)
    at = (number("a timestamp", line.values[3]),) if len(line.values) > 3 else ()
    terminal.connection.table(name).delete(Delete(row).version(family, qualifier, *at))


def deleteall(terminal: Terminal, line: Line) -> None:
    name, row = arguments(line, "a table", "a row")
    columns = flat(line.values[2:]) or None
    terminal.connection.table(name).delete(row, columns)


def incr(terminal: Terminal, line: Line) -> None:
    name, row, column = arguments(line, "a table", "a row", "a column")
    amount = number("an amount", line.values[3]) if len(line.values) > 3 else 1
    result = terminal.connection.table(name).increment(row, {column: amount})
    terminal.say(f"counter is {result.number(column)}")


def append(terminal: Terminal, line: Line) -> None:
    name, row, column, tail = arguments(line, "a table", "a row", "a column", "a value")
    result = terminal.connection.table(name).append(row, {column: tail})
    terminal.say(f"value is {text(result[column])}")


def _print_rows(terminal: Terminal, rows: Iterable[Result]) -> None:
    table = table_of("row", "column", "timestamp", "value")
    for row in rows:
        for cell in row.cells:
            stamp = str(cell.timestamp)
            is_put = cell.type is CellType.PUT
            value = printed(cell.value) if is_put else RichText(f"type={cell.type.name}")
            table.add_row(printed(row.row), printed(cell.column), stamp, value)
    terminal.console.print(table)


COMMANDS: Final[dict[str, Command]] = {
    "put": Command("put 't', 'row', 'f:q', 'value'[, timestamp]", "Set a cell.", put),
    "get": Command("get 't', 'row'[, 'f:q'][, {VERSIONS => 3}]", "Read a row.", get),
    "scan": Command(
        "scan 't', {STARTROW => 'a', STOPROW => 'b', COLUMNS => ['f:q'], LIMIT => 10}",
        "Read rows in order; also ROWPREFIXFILTER, VERSIONS, TIMERANGE, REVERSED, RAW, BATCH, "
        "FILTER => \"PrefixFilter('a')\".",
        scan,
    ),
    "show_filters": Command("show_filters", "List the filters that FILTER knows.", show_filters),
    "count": Command("count 't'[, {STARTROW => 'a'}]", "Count rows.", count),
    "delete": Command(
        "delete 't', 'row', 'f:q'[, timestamp]", "Delete a version of a cell.", delete
    ),
    "deleteall": Command(
        "deleteall 't', 'row'[, 'f:q']", "Delete a row or columns of it.", deleteall
    ),
    "incr": Command("incr 't', 'row', 'f:q'[, amount]", "Add to a counter.", incr),
    "append": Command("append 't', 'row', 'f:q', 'tail'", "Add to a value.", append),
}
