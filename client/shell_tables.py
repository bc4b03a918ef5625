"""The shell's commands about tables. Names, arguments and options are those of HBase's shell."""

from __future__ import annotations

from typing import Any, Final

from ..errors import IllegalArgumentError
from .result import text
from .shell_command import Command, Terminal
from .shell_options import (
    FAMILY_NUMBERS,
    argument,
    families_of,
    option_text,
    other_options,
    string,
    table_options,
)
from .shell_output import printed, table_of
from .shell_parser import Line


def create(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    families: dict[str, dict[str, Any]] = {string(one): {} for one in line.values[1:]}
    families |= families_of(line.maps)
    if not families:
        raise IllegalArgumentError("create needs a column family: create 't', 'f'")
    terminal.connection.admin.create_table(name, families, **table_options(line))
    terminal.say(f"created table {text(name)}")


def list_all(terminal: Terminal, line: Line) -> None:
    table = table_of("table", "state")
    for name in terminal.connection.admin.tables():
        table.add_row(str(name), terminal.connection.admin.state(name).name.lower())
    terminal.console.print(table)


def describe(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    descriptor = terminal.connection.admin.describe(name)
    state = terminal.connection.admin.state(name).name.lower()
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
    terminal.console.print(table)


def alter(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    admin = terminal.connection.admin
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
    terminal.say(f"altered table {text(name)}")


def exists(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    there = terminal.connection.admin.exists(name)
    terminal.say(f"table {text(name)} {'exists' if there else 'does not exist'}")


def disable(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    terminal.connection.admin.disable_table(name)
    terminal.say(f"disabled table {text(name)}")


def enable(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    terminal.connection.admin.enable_table(name)
    terminal.say(f"enabled table {text(name)}")


def drop(terminal: Terminal, line: Line) -> None:
    name = argument(line, 0, "a table")
    terminal.connection.admin.delete_table(name)
    terminal.say(f"dropped table {text(name)}")


def truncate(terminal: Terminal, line: Line) -> None:
    _truncate(terminal, line, preserve_splits=False)


def truncate_preserve(terminal: Terminal, line: Line) -> None:
    _truncate(terminal, line, preserve_splits=True)


def _truncate(terminal: Terminal, line: Line, *, preserve_splits: bool) -> None:
    """Disables the table first, as HBase's shell does."""
    name = argument(line, 0, "a table")
    admin = terminal.connection.admin
    if admin.is_enabled(name):
        admin.disable_table(name)
    admin.truncate_table(name, preserve_splits=preserve_splits)
    terminal.say(f"truncated table {text(name)}")


COMMANDS: Final[dict[str, Command]] = {
    "create": Command(
        "create 't', 'f', {NAME => 'g', VERSIONS => 3}, SPLITS => ['m']",
        "Make a table with column families.",
        create,
    ),
    "list": Command("list", "List the tables.", list_all),
    "describe": Command("describe 't'", "Show a table's families.", describe),
    "alter": Command(
        "alter 't', {NAME => 'f', VERSIONS => 3}",
        "Add or change a family; METHOD => 'delete' drops it.",
        alter,
    ),
    "exists": Command("exists 't'", "Say whether there is such a table.", exists),
    "disable": Command("disable 't'", "Take a table out of service.", disable),
    "enable": Command("enable 't'", "Bring it back.", enable),
    "drop": Command("drop 't'", "Delete a disabled table.", drop),
    "truncate": Command("truncate 't'", "Delete all rows, and make one region of it.", truncate),
    "truncate_preserve": Command(
        "truncate_preserve 't'",
        "Delete all rows, and keep the regions' bounds.",
        truncate_preserve,
    ),
}
