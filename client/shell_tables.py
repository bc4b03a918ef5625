"""The shell's commands that empty tables. Source: truncate.rb, truncate_preserve.rb."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .result import text
from .shell_options import argument
from .shell_parser import Line

if TYPE_CHECKING:
    from .shell_commands import Commands

Run = Callable[["Commands", Line], None]


def truncate(commands: Commands, line: Line) -> None:
    _truncate(commands, line, preserve_splits=False)


def truncate_preserve(commands: Commands, line: Line) -> None:
    _truncate(commands, line, preserve_splits=True)


def _truncate(commands: Commands, line: Line, *, preserve_splits: bool) -> None:
    """Disables the table first, as HBase's shell does."""
    name = argument(line, 0, "a table")
    admin = commands.connection.admin
    if admin.is_enabled(name):
        admin.disable_table(name)
    admin.truncate_table(name, preserve_splits=preserve_splits)
    commands.say(f"truncated table {text(name)}")


COMMANDS: Final[dict[str, tuple[str, str, Run]]] = {
    "truncate": ("truncate 't'", "Delete all rows, and make one region of it.", truncate),
    "truncate_preserve": (
        "truncate_preserve 't'",
        "Delete all rows, and keep the regions' bounds.",
        truncate_preserve,
    ),
}
"""Usage, summary, and what runs it."""
