"""The shell's commands. Names, arguments and options are those of HBase's shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.text import Text as RichText

from ..errors import IllegalArgumentError
from ..model import CellType
from ..operations import Delete
from ..storage.filters import FILTER_NAMES
from . import shell_balancing, shell_draining, shell_namespaces, shell_tables
from .arguments import split_column
from .connection import Connection
from .result import Result, text
from .shell_cluster import show_locks, show_procedures, show_status, show_transitions
from .shell_options import (
    FAMILY_NUMBERS,
    READ_OPTIONS,
    argument,
    arguments,
    families_of,
    flat,
    option_text,
    other_options,
    read_options,
    scan_options,
    string,
    table_options,
    target_of,
)
from .shell_output import counted, printed, table_of
from .shell_parser import Line, number

_ROWS_PRINTED: Final = 500
"""Rows of a scan that are printed as one table."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is written, what it does, and the method that does it."""

    usage: str
    summary: str
    run: Callable[[Commands, Line], None]


class Commands:
    """Runs commands on a connection and prints what they answer.

    Every error is a RaybaseError whose message is a sentence for the user.
    """

    def __init__(self, connection: Connection, console: Console) -> None:
        self.connection = connection
        self.console = console

    def run(self, line: Line) -> None:
        command = COMMANDS.get(line.command)
        if command is None:
            raise IllegalArgumentError(f"there is no command {line.command!r}; `help` lists them")
        command.run(self, line)

    # -- tables ----------------------------------------------------------------------------

    def create(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        families: dict[str, dict[str, Any]] = {string(one): {} for one in line.values[1:]}
        families |= families_of(line.maps)
        if not families:
            raise IllegalArgumentError("create needs a column family: create 't', 'f'")
        self.connection.admin.create_table(name, families, **table_options(line))
        self.say(f"created table {text(name)}")

    def list(self, line: Line) -> None:
        table = table_of("table", "state")
        for name in self.connection.admin.tables():
            table.add_row(str(name), self.connection.admin.state(name).name.lower())
        self.console.print(table)

    def describe(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        descriptor = self.connection.admin.describe(name)
        state = self.connection.admin.state(name).name.lower()
        title = f"{descriptor.name}, {state}"
        for label, value in (
            ("MAX_FILESIZE", descriptor.region_bytes_max),
            ("MEMSTORE_FLUSHSIZE", descriptor.flush_bytes),
            *descriptor.attributes.items(),
            *descriptor.configuration.items(),
        ):
            title += f", {label} {value}" if value else ""
        table = table_of("family", *FAMILY_NUMBERS, "options", title=title)
        for one in descriptor.families:
            numbers = [option_text(one, field) for field in FAMILY_NUMBERS.values()]
            table.add_row(printed(one.name), *numbers, other_options(one))
        self.console.print(table)

    def alter(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        admin = self.connection.admin
        if not line.maps:
            raise IllegalArgumentError(
                "alter needs families: alter 't', {NAME => 'f', VERSIONS => 3}, or "
                "{NAME => 'f', METHOD => 'delete'}"
            )
        known = {one.name for one in admin.describe(name).families}
        for one in line.maps:
            if string(one.get("METHOD", b"")) == "delete":
                admin.drop_family(name, one.get("NAME", b""))
                continue
            for family, options in families_of([one]).items():
                change = admin.modify_family if family.encode() in known else admin.add_family
                change(name, family, **options)
        self.say(f"altered table {text(name)}")

    def drop(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        self.connection.admin.delete_table(name)
        self.say(f"dropped table {text(name)}")

    def disable(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        self.connection.admin.disable_table(name)
        self.say(f"disabled table {text(name)}")

    def enable(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        self.connection.admin.enable_table(name)
        self.say(f"enabled table {text(name)}")

    def exists(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        there = self.connection.admin.exists(name)
        self.say(f"table {text(name)} {'exists' if there else 'does not exist'}")

    # -- rows ------------------------------------------------------------------------------

    def put(self, line: Line) -> None:
        name, row, column, value = arguments(line, "a table", "a row", "a column", "a value")
        stamp = number("a timestamp", line.values[4]) if len(line.values) > 4 else None
        self.connection.table(name).put(row, {column: value}, timestamp=stamp)

    def get(self, line: Line) -> None:
        name, row = arguments(line, "a table", "a row")
        options = read_options(line, READ_OPTIONS)
        if len(line.values) > 2:
            options["columns"] = flat(line.values[2:])
        result = self.connection.table(name).get(row, **options)
        table = table_of("column", "timestamp", "value")
        for cell in result.cells:
            table.add_row(printed(cell.column), str(cell.timestamp), printed(cell.value))
        self.console.print(table)

    def scan(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        rows = self.connection.table(name).scan(**scan_options(line))
        pending: list[Result] = []
        count = 0
        for row in rows:
            pending.append(row)
            count += 1
            if len(pending) == _ROWS_PRINTED:
                self._print_rows(pending)
                pending = []
        if pending or not count:
            self._print_rows(pending)
        self.say(counted(count, "row"))

    def delete(self, line: Line) -> None:
        name, row, column = arguments(line, "a table", "a row", "a column")
        family, qualifier = split_column(column)
        at = (number("a timestamp", line.values[3]),) if len(line.values) > 3 else ()
        self.connection.table(name).delete(Delete(row).version(family, qualifier, *at))

    def deleteall(self, line: Line) -> None:
        name, row = arguments(line, "a table", "a row")
        columns = flat(line.values[2:]) or None
        self.connection.table(name).delete(row, columns)

    def incr(self, line: Line) -> None:
        name, row, column = arguments(line, "a table", "a row", "a column")
        amount = number("an amount", line.values[3]) if len(line.values) > 3 else 1
        result = self.connection.table(name).increment(row, {column: amount})
        self.say(f"counter is {result.number(column)}")

    def append(self, line: Line) -> None:
        name, row, column, tail = arguments(line, "a table", "a row", "a column", "a value")
        result = self.connection.table(name).append(row, {column: tail})
        self.say(f"value is {text(result[column])}")

    def show_filters(self, line: Line) -> None:
        self.say("\n".join(FILTER_NAMES))

    def count(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        rows = self.connection.table(name).scan(**scan_options(line))
        self.say(counted(rows.count(), "row"))

    # -- regions and cluster ---------------------------------------------------------------

    def regions(self, line: Line) -> None:
        name = argument(line, 0, "a table")
        table = table_of("start", "end", "state", "server", "encoded name")
        for one in self.connection.admin.regions(name):
            info = one.region
            table.add_row(
                printed(info.start_key),
                printed(info.end_key),
                one.state,
                str(one.server or ""),
                info.encoded_name,
            )
        self.console.print(table)

    def split(self, line: Line) -> None:
        target = target_of(argument(line, 0, "a table or region"))
        row = line.values[1] if len(line.values) > 1 else None
        self.connection.admin.split(target, row)
        self.say(f"split {text(target)}")

    def merge_region(self, line: Line) -> None:
        forcible = line.values[-1:] == [True]
        names = flat(line.values[:-1] if forcible else line.values)
        targets = [target_of(name) for name in names]
        if not targets:
            raise IllegalArgumentError("merge_region needs regions; see `help merge_region`")
        self.connection.admin.merge(*targets, forcible=forcible)
        self.say("merged " + ", ".join(text(one) for one in targets))

    def move(self, line: Line) -> None:
        target = target_of(argument(line, 0, "a region"))
        server = string(line.values[1]) if len(line.values) > 1 else None
        self.connection.admin.move(target, server)
        self.say(f"moved {text(target)}")

    def flush(self, line: Line) -> None:
        target = target_of(argument(line, 0, "a table or region"))
        self.connection.admin.flush(target)
        self.say(f"flushed {text(target)}")

    def compact(self, line: Line) -> None:
        target = target_of(argument(line, 0, "a table or region"))
        self.connection.admin.compact(target)
        self.say(f"compaction of {text(target)} has begun")

    def major_compact(self, line: Line) -> None:
        target = target_of(argument(line, 0, "a table or region"))
        self.connection.admin.compact(target, major=True)
        self.say(f"major compaction of {text(target)} has begun")

    def status(self, line: Line) -> None:
        show_status(self.connection, self.console)

    def rit(self, line: Line) -> None:
        show_transitions(self.connection, self.console)

    def list_procedures(self, line: Line) -> None:
        show_procedures(self.connection, self.console)

    def list_locks(self, line: Line) -> None:
        show_locks(self.connection, self.console)

    def help(self, line: Line) -> None:
        if line.values:
            name = string(line.values[0])
            if name not in COMMANDS:
                raise IllegalArgumentError(f"there is no command {name!r}; `help` lists them")
            self.say(f"{COMMANDS[name].usage}\n{COMMANDS[name].summary}")
            return
        table = table_of("command", "what it does")
        for one in COMMANDS.values():
            table.add_row(RichText(one.usage), one.summary)
        self.console.print(table)
        self.say(
            "Quotes and commas may be left out where no space is meant; \\xNN is any byte; "
            "exit leaves."
        )

    # -- output ----------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        self.console.print(RichText(sentence), highlight=False)

    def _print_rows(self, rows: Iterable[Result]) -> None:
        table = table_of("row", "column", "timestamp", "value")
        for row in rows:
            for cell in row.cells:
                stamp = str(cell.timestamp)
                is_put = cell.type is CellType.PUT
                value = printed(cell.value) if is_put else RichText(f"type={cell.type.name}")
                table.add_row(printed(row.row), printed(cell.column), stamp, value)
        self.console.print(table)


COMMANDS: Final[dict[str, Command]] = {
    "create": Command(
        "create 't', 'f', {NAME => 'g', VERSIONS => 3}, SPLITS => ['m']",
        "Make a table with column families.",
        Commands.create,
    ),
    "list": Command("list", "List the tables.", Commands.list),
    "describe": Command("describe 't'", "Show a table's families.", Commands.describe),
    "alter": Command(
        "alter 't', {NAME => 'f', VERSIONS => 3}",
        "Add or change a family; METHOD => 'delete' drops it.",
        Commands.alter,
    ),
    "exists": Command("exists 't'", "Say whether there is such a table.", Commands.exists),
    "disable": Command("disable 't'", "Take a table out of service.", Commands.disable),
    "enable": Command("enable 't'", "Bring it back.", Commands.enable),
    "drop": Command("drop 't'", "Delete a disabled table.", Commands.drop),
    **{name: Command(*entry) for name, entry in shell_tables.COMMANDS.items()},
    **{name: Command(*entry) for name, entry in shell_namespaces.COMMANDS.items()},
    "put": Command("put 't', 'row', 'f:q', 'value'[, timestamp]", "Set a cell.", Commands.put),
    "get": Command("get 't', 'row'[, 'f:q'][, {VERSIONS => 3}]", "Read a row.", Commands.get),
    "scan": Command(
        "scan 't', {STARTROW => 'a', STOPROW => 'b', COLUMNS => ['f:q'], LIMIT => 10}",
        "Read rows in order; also ROWPREFIXFILTER, VERSIONS, TIMERANGE, REVERSED, RAW, BATCH, "
        "FILTER => \"PrefixFilter('a')\".",
        Commands.scan,
    ),
    "show_filters": Command(
        "show_filters", "List the filters that FILTER knows.", Commands.show_filters
    ),
    "count": Command("count 't'[, {STARTROW => 'a'}]", "Count rows.", Commands.count),
    "delete": Command(
        "delete 't', 'row', 'f:q'[, timestamp]", "Delete a version of a cell.", Commands.delete
    ),
    "deleteall": Command(
        "deleteall 't', 'row'[, 'f:q']", "Delete a row or columns of it.", Commands.deleteall
    ),
    "incr": Command("incr 't', 'row', 'f:q'[, amount]", "Add to a counter.", Commands.incr),
    "append": Command("append 't', 'row', 'f:q', 'tail'", "Add to a value.", Commands.append),
    "regions": Command("regions 't'", "List a table's regions.", Commands.regions),
    "merge_region": Command(
        "merge_region 'region', 'region'[, ...][, true]  or  merge_region 't'",
        "Make one region of neighbours, or of a table's; with true also over a hole between them.",
        Commands.merge_region,
    ),
    "split": Command("split 't'|'region'[, 'row']", "Split regions.", Commands.split),
    "move": Command("move 'region'[, 'host:port']", "Move a region.", Commands.move),
    "flush": Command("flush 't'|'region'", "Write memstores to files.", Commands.flush),
    "compact": Command("compact 't'|'region'", "Merge files.", Commands.compact),
    "major_compact": Command(
        "major_compact 't'|'region'", "Merge all files, drop the deleted.", Commands.major_compact
    ),
    **{name: Command(*one) for name, one in shell_balancing.COMMANDS.items()},
    "decommission_regionservers": Command(
        "decommission_regionservers 'host,port'|['host,port', ...][, true]",
        "Place no region at servers any more; with true also move theirs off.",
        shell_draining.decommission,
    ),
    "list_decommissioned_regionservers": Command(
        "list_decommissioned_regionservers",
        "List the servers that are being drained.",
        shell_draining.list_decommissioned,
    ),
    "recommission_regionserver": Command(
        "recommission_regionserver 'host,port'[, ['encoded region name', ...]]",
        "Take a drained server back, and move regions there.",
        shell_draining.recommission,
    ),
    "status": Command("status", "Show servers and regions in transition.", Commands.status),
    "rit": Command("rit", "List the regions in transition, and why they are.", Commands.rit),
    "list_procedures": Command(
        "list_procedures", "List procedures and what they wait for.", Commands.list_procedures
    ),
    "list_locks": Command("list_locks", "List the locks of procedures.", Commands.list_locks),
    "help": Command("help ['command']", "Show the commands.", Commands.help),
}
