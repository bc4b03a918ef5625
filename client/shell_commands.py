"""The shell's commands, all together. Names, arguments and options are those of HBase's shell."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from ..errors import IllegalArgumentError
from . import (
    shell_balancing,
    shell_cluster,
    shell_draining,
    shell_namespaces,
    shell_regions,
    shell_rows,
    shell_tables,
)
from .shell_command import Command, Terminal
from .shell_options import string
from .shell_output import table_of
from .shell_parser import Line


def run(terminal: Terminal, line: Line) -> None:
    """Raises RaybaseError, whose message is a sentence for the user."""
    command_of(line.command).run(terminal, line)


def command_of(name: str) -> Command:
    """Raises IllegalArgumentError if there is none."""
    command = COMMANDS.get(name)
    if command is None:
        raise IllegalArgumentError(f"there is no command {name!r}; `help` lists them")
    return command


def show_help(terminal: Terminal, line: Line) -> None:
    if line.values:
        command = command_of(string(line.values[0]))
        terminal.say(f"{command.usage}\n{command.summary}")
        return
    table = table_of("command", "what it does")
    for one in COMMANDS.values():
        table.add_row(Text(one.usage), one.summary)
    terminal.console.print(table)
    terminal.say(
        "Quotes and commas may be left out where no space is meant; \\xNN is any byte; exit leaves."
    )


COMMANDS: Final[dict[str, Command]] = {
    **shell_tables.COMMANDS,
    **shell_namespaces.COMMANDS,
    **shell_rows.COMMANDS,
    **shell_regions.COMMANDS,
    **shell_balancing.COMMANDS,
    **shell_draining.COMMANDS,
    **shell_cluster.COMMANDS,
    "help": Command("help ['command']", "Show the commands.", show_help),
}
