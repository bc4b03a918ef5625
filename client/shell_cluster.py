"""The shell's commands about the cluster: what its servers, regions and procedures are doing."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from .connection import Connection
from .result import text
from .shell_output import counted, table_of
from .status import Transition


def show_status(connection: Connection, console: Console) -> None:
    """Servers, and what is on its way."""
    status = connection.admin.status()
    table = table_of("server", "regions", "memstore MB", "files", "requests")
    for one in status.servers:
        memstore = str(one.memstore_bytes // 2**20)
        numbers = (str(one.regions), memstore, str(one.store_files), str(one.requests))
        table.add_row(str(one.name), *numbers)
    console.print(table)
    _say(
        console,
        f"master {status.master or 'none'}; {len(status.backup_masters)} standing by; "
        f"{len(status.servers)} servers with {counted(status.regions, 'region')}; "
        f"{len(status.dead_servers)} dead; {len(status.transitions)} in transition",
    )
    if status.transitions:
        _show_transitions(console, status.transitions)


def show_transitions(connection: Connection, console: Console) -> None:
    """Regions in transition, the longest first."""
    transitions = connection.admin.status().transitions
    if transitions:
        _show_transitions(console, transitions)
    _say(console, counted(len(transitions), "region") + " in transition")


def show_procedures(connection: Connection, console: Console) -> None:
    procedures = connection.admin.procedures()
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
    console.print(table)
    _say(console, counted(len(procedures), "procedure"))


def show_locks(connection: Connection, console: Console) -> None:
    locks = connection.admin.locks()
    table = table_of("kind", "name", "lock", "held by", "waiting")
    for one in locks:
        holder = str(one.owner) if one.owner else f"{one.shared} procedures"
        waiting = ", ".join(map(str, one.waiting))
        table.add_row(one.kind, one.name, "exclusive" if one.owner else "shared", holder, waiting)
    console.print(table)
    _say(console, counted(len(locks), "lock"))


def _show_transitions(console: Console, transitions: tuple[Transition, ...]) -> None:
    table = table_of("region", "server", "state", "s", "reason")
    for one in transitions:
        region = Text(text(one.region))
        table.add_row(region, one.server, one.state, f"{one.age_s:.0f}", Text(one.reason))
    console.print(table)


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, tz=UTC):%Y-%m-%d %H:%M:%S}"


def _say(console: Console, sentence: str) -> None:
    console.print(Text(sentence), highlight=False)
