"""``raybase shell``: commands one by one, from arguments, a script or a person."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console

from ..config import ClientConfig
from ..errors import RaybaseError
from .connection import Connection, connect
from .retry import describe
from .shell_command import Terminal
from .shell_commands import run as run_command
from .shell_parser import parse

PROMPT: Final = "raybase> "
LEAVE: Final = {"exit", "quit"}

CONFIG: Final = ClientConfig(attempts_max=9, operation_timeout_s=300.0)
"""A person waits less long than a program: about 20 s of tries."""


def run_shell(address: str | None, commands: Iterable[str], console: Console) -> int:
    """Runs the commands, or else reads them from standard input; the exit code.

    With commands given, or input that is not a terminal, the first error ends it with 1. A
    person is told the error and asked for more. Raises RaybaseError if no server answers.
    """
    with connect(address, config=CONFIG) as connection:
        return Shell(connection, console).run(tuple(commands))


class Shell:
    """The loop around the commands."""

    def __init__(self, connection: Connection, console: Console) -> None:
        self._terminal = Terminal(connection, console)
        self._errors = Console(stderr=True)

    def run(self, commands: tuple[str, ...]) -> int:
        """As ``run_shell``."""
        if commands:
            return self._run_all(commands)
        if not sys.stdin.isatty():
            return self._run_all(sys.stdin)
        return self._converse()

    def _run_all(self, lines: Iterable[str]) -> int:
        for line in lines:
            if line.strip().lower() in LEAVE:
                break
            if not self._run_line(line):
                return 1
        return 0

    def _converse(self) -> int:
        # Makes input() edit lines and remember them, where Python was built with it.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        for line in _typed():
            if line.strip().lower() in LEAVE:
                break
            try:
                self._run_line(line)
            except KeyboardInterrupt:
                self._tell("interrupted; a change that was under way may have been made")
        return 0

    def _run_line(self, line: str) -> bool:
        """Whether it worked; if not, the error has been told."""
        try:
            parsed = parse(line)
            if parsed is not None:
                run_command(self._terminal, parsed)
        except RaybaseError as error:
            self._tell(describe(error))
            return False
        return True

    def _tell(self, sentence: str) -> None:
        self._errors.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


def _typed() -> Iterator[str]:
    """Lines as they are typed, until end of input."""
    while True:
        try:
            yield input(PROMPT)
        except KeyboardInterrupt:
            sys.stdout.write("\n")
        except EOFError:
            sys.stdout.write("\n")
            return
