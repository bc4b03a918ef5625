"""The shell's commands about the cluster: what its servers, regions and procedures are doing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.text import Text

from ..errors import IllegalArgumentError
from .result import text
from .shell_command import Command, Terminal
from .shell_options import argument, string
from .shell_output import counted, table_of
from .shell_parser import Line
from .status import Transition


def show_status(terminal: Terminal, line: Line) -> None:
    """Servers, and what is on its way."""
    status = terminal.connection.admin.status()
    table = table_of("server", "regions", "memstore MB", "files", "requests")
    for one in status.servers:
        memstore = str(one.memstore_bytes // 2**20)
        numbers = (str(one.regions), memstore, str(one.store_files), str(one.requests))
        table.add_row(str(one.name), *numbers)
    terminal.console.print(table)
    terminal.say(
        f"master {status.master or 'none'}; {len(status.backup_masters)} standing by; "
        f"{len(status.servers)} servers with {counted(status.regions, 'region')}; "
        f"{len(status.dead_servers)} dead; {len(status.transitions)} in transition",
    )
    if status.transitions:
        _show_transitions(terminal, status.transitions)


def show_transitions(terminal: Terminal, line: Line) -> None:
    """Regions in transition, the longest first."""
    transitions = terminal.connection.admin.status().transitions
    if transitions:
        _show_transitions(terminal, transitions)
    terminal.say(counted(len(transitions), "region") + " in transition")


def show_procedures(terminal: Terminal, line: Line) -> None:
    procedures = terminal.connection.admin.procedures()
    table = table_of("id", "parent", "what", "state", "step", "submitted", "last update", "reason")
    for one in procedures:
        table.add_row(
            str(one.id),
            str(one.parent or ""),
            Text(one.description),
            one.state,
            one.step,
            _time(one.submitted_ms),
            _time(one.updated_ms),
            Text(one.reason or one.error),
        )
    terminal.console.print(table)
    terminal.say(counted(len(procedures), "procedure"))


def abort_procedure(terminal: Terminal, line: Line) -> None:
    written = string(argument(line, 0, "the id of a procedure"))
    if not written.isdecimal():
        raise IllegalArgumentError(f"a procedure's id is a number, not {written!r}")
    interrupt = line.values[1:2] != [False]
    aborted = terminal.connection.admin.abort_procedure(int(written), interrupt=interrupt)
    terminal.say(str(aborted).lower())


def show_locks(terminal: Terminal, line: Line) -> None:
    locks = terminal.connection.admin.locks()
    table = table_of("kind", "name", "lock", "held by", "waiting")
    for one in locks:
        holder = str(one.owner) if one.owner else f"{one.shared} procedures"
        waiting = ", ".join(map(str, one.waiting))
        table.add_row(one.kind, one.name, "exclusive" if one.owner else "shared", holder, waiting)
    terminal.console.print(table)
    terminal.say(counted(len(locks), "lock"))


def _show_transitions(terminal: Terminal, transitions: tuple[Transition, ...]) -> None:
    table = table_of("region", "server", "state", "s", "reason")
    for one in transitions:
        region = Text(text(one.region))
        table.add_row(region, one.server, one.state, f"{one.age_s:.0f}", Text(one.reason))
    terminal.console.print(table)


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, tz=UTC):%Y-%m-%d %H:%M:%S}"


COMMANDS: Final[dict[str, Command]] = {
    "status": Command("status", "Show servers and regions in transition.", show_status),
    "rit": Command("rit", "List the regions in transition, and why they are.", show_transitions),
    "list_procedures": Command(
        "list_procedures", "List procedures and what they wait for.", show_procedures
    ),
    "abort_procedure": Command(
        "abort_procedure ID[, true|false]",
        "Undo a procedure that can be, with false only if it waits; say whether it will be.",
        abort_procedure,
    ),
    "list_locks": Command("list_locks", "List the locks of procedures.", show_locks),
}
