"""The shell's commands about regions. Names, arguments and options are those of HBase's shell."""

from __future__ import annotations

from typing import Final

from ..errors import IllegalArgumentError
from .result import text
from .shell_command import Command, Terminal
from .shell_options import argument, flat, string, target_of
from .shell_output import printed, table_of
from .shell_parser import Line


def regions(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    table = table_of("start", "end", "state", "server", "encoded name")
    for one in terminal.connection.admin.regions(name):
        info = one.region
        table.add_row(
            printed(info.start_key),
            printed(info.end_key),
            one.state,
            str(one.server or ""),
            info.encoded_name,
        )
    terminal.console.print(table)


def merge_region(terminal: Terminal, line: Line) -> None:
    forcible = line.values[-1:] == [True]
    names = flat(line.values[:-1] if forcible else line.values)
    targets = [target_of(name) for name in names]
    if not targets:
        raise IllegalArgumentError("merge_region needs regions; see `help merge_region`")
    terminal.connection.admin.merge(*targets, forcible=forcible)
    terminal.say("merged " + ", ".join(text(one) for one in targets))


def split(terminal: Terminal, line: Line) -> None:
    target = target_of(argument(line, 0, "a table or region"))
    row = line.values[1] if len(line.values) > 1 else None
    terminal.connection.admin.split(target, row)
    terminal.say(f"split {text(target)}")


def move(terminal: Terminal, line: Line) -> None:
    target = target_of(argument(line, 0, "a region"))
    server = string(line.values[1]) if len(line.values) > 1 else None
    terminal.connection.admin.move(target, server)
    terminal.say(f"moved {text(target)}")


def flush(terminal: Terminal, line: Line) -> None:
    target = target_of(argument(line, 0, "a table or region"))
    terminal.connection.admin.flush(target)
    terminal.say(f"flushed {text(target)}")


def compact(terminal: Terminal, line: Line) -> None:
    target = target_of(argument(line, 0, "a table or region"))
    terminal.connection.admin.compact(target)
    terminal.say(f"compaction of {text(target)} has begun")


def major_compact(terminal: Terminal, line: Line) -> None:
    target = target_of(argument(line, 0, "a table or region"))
    terminal.connection.admin.compact(target, major=True)
    terminal.say(f"major compaction of {text(target)} has begun")


COMMANDS: Final[dict[str, Command]] = {
    "regions": Command("regions 't'", "List a table's regions.", regions),
    "merge_region": Command(
        "merge_region 'region', 'region'[, ...][, true]  or  merge_region 't'",
        "Make one region of neighbours, or of a table's; with true also over a hole between them.",
        merge_region,
    ),
    "split": Command("split 't'|'region'[, 'row']", "Split regions.", split),
    "move": Command("move 'region'[, 'host:port']", "Move a region.", move),
    "flush": Command("flush 't'|'region'", "Write memstores to files.", flush),
    "compact": Command("compact 't'|'region'", "Merge files.", compact),
    "major_compact": Command(
        "major_compact 't'|'region'", "Merge all files, drop the deleted.", major_compact
    ),
}
