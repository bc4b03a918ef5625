"""What a command of the shell is, and what it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from .connection import Connection
from .shell_parser import Line


@dataclass(frozen=True, slots=True)
class Terminal:
    """The cluster that commands are for, and where their answers are printed."""

    connection: Connection
    console: Console

    def say(self, sentence: str) -> None:
        self.console.print(Text(sentence), highlight=False)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is written, what it does, and the function that does it.

    Every error is a RaybaseError whose message is a sentence for the user.
    """

    usage: str
    summary: str
    run: Callable[[Terminal, Line], None]
